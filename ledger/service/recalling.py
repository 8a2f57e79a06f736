"""What is affected if data is bad, and whom it concerns: the index's recall, in words."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.names import format_version
from ledger.index.queries import state_of
from ledger.index.recall import Affected, Concerned
from ledger.index.recall import MissingLog as Missing
from ledger.index.recall import Recall as Found
from ledger.index.recipients import Given
from ledger.index.schema import PENDING
from ledger.service.context import Context
from ledger.service.lineage import read_as_of
from ledger.service.results import AffectedParty, AffectedVersion, GivenTo, MissingLog, Recall
from ledger.service.syncing import fresh
from ledger.service.times import format_time


def recall(context: Context, reference: str, *, as_of: str | None = None) -> Recall:
    """Find what was made from an asset (any version of it) or a version, and everybody whom that concerns.

    `as_of` is a block number or a time; without it, what is pending in the own log counts too.
    """
    index = fresh(context)
    named = context.known.reference(reference)
    context.known.check_mentioned(named.asset)
    version = context.known.named_version(named)
    name = named.asset if version is None else format_version(named.asset, version.number)
    number, time_unix_s = (None, None) if as_of is None else read_as_of(as_of)
    block = number if time_unix_s is None else index.block_at(time_unix_s)
    return recall_of(context, [name], block=block)


def recall_of(context: Context, names: Sequence[str], *, since: str = "", block: int | None = None) -> Recall:
    """Do the same for assets and versions by name; `since` as in a record: RFC 3339, empty for all time."""
    index = context.index
    since_unix_s = instant_ns(since) // NANOSECONDS if since else None
    if block is not None:
        index.block_time(block)  # refuses what is not known yet
    found = index.recall(names, since_unix_s=since_unix_s, block=block)
    return in_words(context, found, names, since=since, block=block)


def in_words(
    context: Context, found: Found, names: Sequence[str], *, since: str = "", block: int | None = None
) -> Recall:
    """Put a recall in words."""
    index = context.index
    to_block = index.summary().head if block is None else block
    words = _Words(context, found)
    return Recall(
        subject=list(names),
        versions=[words.version(each) for each in found.affected],
        assets=len({each.asset for each in found.affected}),
        parties=[words.party(each) for each in found.concerned],
        public=[words.given(each) for each in found.public],
        missing_logs=[words.missing(each) for each in found.missing],
        complete=not found.missing,
        records=found.records,
        records_listed=found.listed,
        to_block=to_block,
        to_block_time=format_time(index.block_time(to_block)),
        since=since,
    )


class _Words:
    """Puts what was found in words; names and DIDs are worked out once."""

    def __init__(self, context: Context, found: Found) -> None:
        self._context = context
        self._final = context.index.final
        self._now_ns = int(datetime.now(UTC).timestamp()) * NANOSECONDS
        self._dids: dict[bytes, str] = {}
        self._names: dict[bytes, str] = {}
        self._concerned = {each.party for each in found.concerned}
        self._unread = {each.party for each in found.missing}

    def version(self, each: Affected) -> AffectedVersion:
        return AffectedVersion(
            name=each.name,
            how=each.how,
            party=self._did(each.party) if each.party else "",
            record=each.record.hex() if each.record else "",
            state=state_of(each.block, self._final) if each.record else "unregistered",
            block=_block(each.block),
        )

    def party(self, each: Concerned) -> AffectedParty:
        return AffectedParty(
            party=self._did(each.party),
            party_name=self._name(each.party),
            roles={role: each.roles[role] for role in each.roles},
            given=[self.given(given) for given in each.given],
            log_missing=each.party in self._unread,
        )

    def given(self, each: Given) -> GivenTo:
        return GivenTo(
            record=each.record.hex(),
            kind=each.kind,
            giver=self._did(each.giver) if each.giver else "",
            giver_name=self._name(each.giver) if each.giver else "",
            subject=each.names,
            state=self._state(each),
            block=_block(each.block),
            until=each.until,
        )

    def missing(self, each: Missing) -> MissingLog:
        return MissingLog(
            log=each.log.hex(),
            party=self._did(each.party),
            party_name=self._name(each.party),
            reason=each.reason,
            concerned=each.party in self._concerned,
        )

    def _state(self, each: Given) -> str:
        if each.revoked:
            return "taken back"
        if each.kind == "delivery":
            return "delivered"
        ended = each.until and instant_ns(each.until) <= self._now_ns
        return "ended" if ended else "in force"

    def _did(self, address: bytes) -> str:
        if address not in self._dids:
            self._dids[address] = self._context.did(address)
        return self._dids[address]

    def _name(self, address: bytes) -> str:
        if address not in self._names:
            self._names[address] = self._context.index.party_name(address)
        return self._names[address]


def _block(block: int) -> int | None:
    return None if block == PENDING else block
