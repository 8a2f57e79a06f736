"""What `Ledger` offers about statements, incidents and parties: attest, recall, compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.service import results as r
from ledger.service.context import Context

if TYPE_CHECKING:
    from ledger.service.attesting import Assertion


class RecallMethods:
    """The part of `Ledger` that says something about data, and finds whom it concerns."""

    _context: Context

    def attest(self, assertion: Assertion, *, anchor: bool = True) -> r.Receipt:
        """Say something about assets, versions or a record; freeze, lift; see `attesting.attest`."""
        from ledger.service import attesting

        return attesting.attest(self._context, assertion, anchor=anchor)

    def recall(self, reference: str, *, as_of: str | None = None) -> r.Recall:
        """Find what was made from something, and whom that concerns; see `recalling.recall`."""
        from ledger.service import recalling

        return recalling.recall(self._context, reference, as_of=as_of)

    def impact_of_record(self, record: str) -> r.ConsentImpact | r.Recall:
        """Say what a consent carries, or what an incident affects; see `consents.impact_of_record`."""
        from ledger.service import consents

        return consents.impact_of_record(self._context, record)

    # --- incidents

    def open_incident(
        self, names: Sequence[str], *, topic: str, text: str = "", since: str = "", anchor: bool = True
    ) -> r.Receipt:
        """Say that something is wrong with assets or versions; see `incidents.open_incident`."""
        from ledger.service import incidents

        return incidents.open_incident(
            self._context, names, topic=topic, text=text, since=since, anchor=anchor
        )

    def notify_incident(
        self, incident: str, *, to: Sequence[str] = (), due: str = "", text: str = "", anchor: bool = True
    ) -> r.Receipt:
        """Tell everybody whom an incident concerns and who was not told yet; see `incidents.notify`."""
        from ledger.service import incidents

        return incidents.notify(self._context, incident, to=to, due=due, text=text, anchor=anchor)

    def acknowledge_notice(self, notice: str, *, text: str = "", anchor: bool = True) -> r.Receipt:
        """Acknowledge a notice that went to this party; see `incidents.acknowledge`."""
        from ledger.service import incidents

        return incidents.acknowledge(self._context, notice, text=text, anchor=anchor)

    def close_incident(self, incident: str, *, text: str = "", anchor: bool = True) -> r.Receipt:
        """Say that an incident is over; see `incidents.close`."""
        from ledger.service import incidents

        return incidents.close(self._context, incident, text=text, anchor=anchor)

    def incident(self, incident: str) -> r.Incident:
        """Say all that is known of an incident; see `incidents.show`."""
        from ledger.service import incidents

        return incidents.show(self._context, incident)

    def incidents(self) -> r.Incidents:
        """List incidents, and the notices that this party has to acknowledge; see `incidents.incidents`."""
        from ledger.service import incidents

        return incidents.incidents(self._context)

    # --- parties and their claims

    def party(self, who: str = "") -> r.PartySheet:
        """Say what is known of a party, by default the own; see `party.party`."""
        from ledger.service import party

        return party.party(self._context, who)

    def duplicates(self, what: str = "") -> r.Duplicates:
        """List what several parties claim: of an asset, a file, or all; see `duplicates.duplicates`."""
        from ledger.service import duplicates

        return duplicates.duplicates(self._context, what)

    def disputes(self, asset: str = "") -> r.Disputes:
        """List standing objections and freezes, both sides of each; see `disputes.disputes`."""
        from ledger.service import disputes

        return disputes.disputes(self._context, asset)
