"""`Ledger`: the public Python API. Each method is one use case; the module beside this one that does it says
how.

    from pathlib import Path
    from ledger.service import Ledger

    with Ledger.open(Path.cwd()) as ledger:
        ledger.register("haina/orders", Path("orders.csv"), title="Washing-machine orders")
        graph = ledger.lineage("haina/demand")

Answers are the Structs of `results` (lineage: `ledger.core.lineage.LineageGraph`); errors are those of
`ledger.core.errors`. Nothing is printed; `notify` and `progress` are told what happens meanwhile. What only
some use cases need is imported when they are used: commands that read start fast. One object is for one
thread at a time.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Self

from ledger.core.lineage import LineageGraph
from ledger.service import results as r
from ledger.service.context import Context
from ledger.service.ledger_escrow import EscrowMethods
from ledger.service.ledger_identity import IdentityMethods
from ledger.service.ledger_recalling import RecallMethods
from ledger.service.ledger_settlement import SettlementMethods
from ledger.service.ledger_trading import TradingMethods
from ledger.service.progress import Confirm, Notify, Progress, no_progress, refuse, silent
from ledger.store.passphrase import Prompt

if TYPE_CHECKING:
    from ledger.core.records_rights import Right
    from ledger.service.evidence_inquiry import MayInquiry
    from ledger.service.lineage import Direction, Level
    from ledger.service.offers import Offer
    from ledger.service.request import InitRequest


class Ledger(IdentityMethods, TradingMethods, SettlementMethods, EscrowMethods, RecallMethods):
    """An opened workspace."""

    def __init__(self, context: Context) -> None:
        self._context = context

    @classmethod
    def open(
        cls,
        start: Path,
        *,
        env: Mapping[str, str] | None = None,
        ask: Prompt | None = None,
        notify: Notify = silent,
        progress: Progress = no_progress,
    ) -> Self:
        """Open the workspace at or above `start`, or the one that DATALEDGER_HOME names."""
        given = os.environ if env is None else env
        return cls(Context.find(start, env=given, ask=ask, notify=notify, progress=progress))

    @staticmethod
    def init(
        folder: Path,
        request: InitRequest,
        *,
        env: Mapping[str, str] | None = None,
        ask: Prompt | None = None,
        notify: Notify = silent,
    ) -> r.Setup:
        """Make a workspace for `folder`, or go on making it; see `setup.init`."""
        from ledger.service import setup

        given = os.environ if env is None else env
        return setup.init(folder, request, env=given, ask=ask, notify=notify)

    def close(self) -> None:
        """Close what was opened."""
        self._context.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # --- writing records

    def register(
        self,
        asset: str,
        path: Path | None = None,
        *,
        title: str = "",
        description: str = "",
        kind: str = "dataset",
        license: str = "",  # noqa: A002 - the predicate's word
        aliases: Iterable[str] = (),
        arbiter: str = "",
        anchor: bool = True,
    ) -> r.Receipt:
        """Register an asset, with the content of `path` as version 1 if given; see `assets.register`."""
        from ledger.service import assets

        return assets.register(
            self._context,
            asset,
            path,
            title=title,
            description=description,
            kind=kind,
            license=license,
            aliases=aliases,
            arbiter=arbiter,
            anchor=anchor,
        )

    def version(self, asset: str, path: Path | None = None, *, anchor: bool = True) -> r.Receipt:
        """Record a new version of an asset; see `assets.version`."""
        from ledger.service import assets

        return assets.version(self._context, asset, path, anchor=anchor)

    def transfer(self, asset: str, receiver: str) -> r.Receipt:
        """Hand an asset to another party; see `assets.transfer`."""
        from ledger.service import assets

        return assets.transfer(self._context, asset, receiver)

    def revoke(self, record: str, *, reason: str = "", since: str = "") -> r.Receipt:
        """Take back a record, named by its id or the first digits of it; see `assets.revoke`."""
        from ledger.service import assets

        return assets.revoke(self._context, record, reason=reason, since=since)

    def grant(self, offer: Offer, *, anchor: bool = True) -> r.Receipt:
        """Give rights in assets or versions to another party, or to everybody; see `granting.grant`."""
        from ledger.service import granting

        return granting.grant(self._context, offer, anchor=anchor)

    def run(
        self,
        command: Sequence[str],
        *,
        inputs: Sequence[str] = (),
        outputs: Sequence[str] = (),
        component: str = "",
        title: str = "",
        anchor: bool = True,
    ) -> r.RunReceipt:
        """Run a program and record what it read and made; see `runs.run`."""
        from ledger.service import runs

        return runs.run(
            self._context,
            command,
            inputs=inputs,
            outputs=outputs,
            component=component,
            title=title,
            anchor=anchor,
        )

    def import_openlineage(
        self,
        files: Sequence[Path],
        *,
        namespace: str | None = None,
        dry_run: bool = False,
        anchor: bool = True,
    ) -> r.Imported:
        """Import OpenLineage events; see `importing.import_openlineage`."""
        from ledger.service import importing

        return importing.import_openlineage(
            self._context, files, namespace=namespace, dry_run=dry_run, anchor=anchor
        )

    # --- asking

    def history(self, name: str) -> r.History:
        """Tell what became of an asset, oldest first; see `browsing.history`."""
        from ledger.service import browsing

        return browsing.history(self._context, name)

    def may(
        self,
        party: str,
        right: Right,
        reference: str,
        *,
        purpose: str = "",
        region: str = "",
        at: str = "",
        rules: Sequence[Path] = (),
    ) -> r.Permission:
        """Say whether a party may hold, use or operate something, and why; see `rights.may`."""
        from ledger.service import rights

        return rights.may(
            self._context, party, right, reference, purpose=purpose, region=region, at=at, rules=rules
        )

    def lineage(
        self,
        reference: str,
        *,
        direction: Direction = "upstream",
        level: Level = "version",
        depth: int | None = None,
        as_of: str | None = None,
        column: str | None = None,
        limit: int = 100_000,
    ) -> LineageGraph:
        """Trace what something is made from, or what was made from it; see `lineage.lineage`."""
        from ledger.service import lineage

        return lineage.lineage(
            self._context,
            reference,
            direction=direction,
            level=level,
            depth=depth,
            as_of=as_of,
            column=column,
            limit=limit,
        )

    def verify(self, path: Path, *, asset: str | None = None) -> r.FileVerdict:
        """Say which version a file is, and who that counts stands behind it; see `verifying.verify`."""
        from ledger.service import verifying

        return verifying.verify(self._context, path, asset=asset)

    def evidence(
        self, references: Sequence[str], out: Path, inquiry: MayInquiry | None = None
    ) -> r.EvidenceMade:
        """Write what proves a lineage, and with `inquiry` who may use it; see `evidence.evidence`."""
        from ledger.service import evidence

        return evidence.evidence(self._context, references, out, inquiry)

    def trust(self, blocks: Sequence[int] = ()) -> r.TrustFile:
        """Say which blocks are real, as the own chain has them; see `trusting.trust`."""
        from ledger.service import trusting

        return trusting.trust(self._context, blocks)

    def audit(
        self,
        *,
        logs: Sequence[str] = (),
        since: str = "",
        against: str = "",
        settlements: bool = False,
    ) -> r.AuditReport:
        """Recompute everything from stored bytes, or what is asked for; see `auditing.audit`."""
        from ledger.service import auditing

        return auditing.audit(self._context, logs=logs, since=since, against=against, settlements=settlements)

    def status(self) -> r.Status:
        """Say where the workspace stands and what wants attention."""
        from ledger.service import status

        return status.status(self._context)

    def log(
        self,
        *,
        asset: str | None = None,
        type: str | None = None,  # noqa: A002 - the record's own word
        party: str | None = None,
        state: str | None = None,
        limit: int = 50,
    ) -> r.LogListing:
        """List records, newest first."""
        from ledger.service import browsing

        return browsing.log(self._context, asset=asset, type=type, party=party, state=state, limit=limit)

    def show(self, what: str) -> r.Shown:
        """Show an asset, a version, a record or a party."""
        from ledger.service import showing

        return showing.show(self._context, what)

    def search(self, text: str, *, limit: int = 20) -> r.SearchResult:
        """Find assets by their texts, best first."""
        from ledger.service import browsing

        return browsing.search(self._context, text, limit=limit)

    def findings(self, *, limit: int = 100) -> r.Findings:
        """List findings, newest first."""
        from ledger.service import browsing

        return browsing.findings(self._context, limit=limit)

    def close_log(self, at: int, successor: str, *, reason: str = "", confirm: Confirm = refuse) -> r.Done:
        """Close a damaged log for good; records go to its successor from now on. See `closing.close_log`."""
        from ledger.service import closing

        return closing.close_log(self._context, at, successor, reason=reason, confirm=confirm)

    # --- private attachments

    def disclose(
        self,
        whats: Sequence[str],
        *,
        roles: Sequence[str] = (),
        folder: Path | None = None,
        confirmed: bool = False,
    ) -> r.Disclosures:
        """Mark private attachments to go into evidence files, or hand them out; see `disclosing.disclose`."""
        from ledger.service import disclosing

        return disclosing.disclose(self._context, whats, roles=roles, folder=folder, confirmed=confirmed)

    def disclosures(self) -> r.Disclosures:
        """List what is marked to go into evidence files."""
        from ledger.service import disclosing

        return disclosing.disclosures(self._context)

    def withdraw(self, whats: Sequence[str], *, roles: Sequence[str] = ()) -> r.Disclosures:
        """Take the mark back; see `disclosing.withdraw`."""
        from ledger.service import disclosing

        return disclosing.withdraw(self._context, whats, roles=roles)

    def receive(self, files: Sequence[Path]) -> r.Disclosures:
        """Keep private attachments that somebody handed over; see `disclosing.receive`."""
        from ledger.service import disclosing

        return disclosing.receive(self._context, files)

    def forget(
        self, whats: Sequence[str], *, roles: Sequence[str] = (), confirmed: bool = False
    ) -> r.Disclosures:
        """Delete private attachments for good; see `forgetting.forget`."""
        from ledger.service import forgetting

        return forgetting.forget(self._context, whats, roles=roles, confirmed=confirmed)

    # --- keeping up

    def sync(self, *, rebuild: bool = False, digest: bool = False) -> r.Synced:
        """Bring the index up to date, or forget it and build it anew; see `syncing.sync`."""
        from ledger.service import syncing

        return syncing.sync(self._context, rebuild=rebuild, digest=digest)

    def anchor(self) -> r.Receipt:
        """Anchor what is pending, all of it in one transaction."""
        from ledger.service import publishing

        return publishing.anchor(self._context)

    def followed(self) -> r.Follows:
        """List the logs that are followed."""
        from ledger.service import following

        return following.followed(self._context)

    def follow(self, party: str, *, source: str | None = None, trust: bool = False) -> r.Follows:
        """Follow a party's log, from a folder or URL or from where it is announced; see `following`."""
        from ledger.service import following

        return following.follow(self._context, party, source=source, trust=trust)

    def unfollow(self, party: str) -> r.Follows:
        """Stop following a party's log, and trusting its claims."""
        from ledger.service import following

        return following.unfollow(self._context, party)
