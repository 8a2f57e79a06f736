"""The index as the rest of the program uses it: one object, one method a question.

Reading imports SQLite and nothing heavy; the first method that reads opens the file. Answers are the Structs
of `views`, of `core.lineage` and of `state`; addresses and ids in arguments are raw bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from ledger.core.chain_facts import BlockRef
from ledger.core.descriptor import LedgerDescriptor
from ledger.core.errors import NotFound, Usage, WrongLedger
from ledger.core.names import Reference, is_asset, parse_reference
from ledger.index import queries
from ledger.index.database import discard, open_database
from ledger.index.questions import Questions
from ledger.index.schema import PENDING

if TYPE_CHECKING:
    from ledger.core.authority import Facts as AuthorityFacts
    from ledger.core.lineage import LineageGraph
    from ledger.core.records import Statement
    from ledger.index.feeds import ChainFeed, LogFeed
    from ledger.index.history import Event
    from ledger.index.impact import Impact
    from ledger.index.lineage import Direction, Level
    from ledger.index.rights import Rights
    from ledger.index.settled import SettledView, Steps
    from ledger.index.state import Difference, State
    from ledger.index.sync import Progress, SyncReport
    from ledger.index.trade import Trade


class Walked(TypedDict, total=False):
    """What `Index.lineage` takes beside reference and direction."""

    level: Level
    depth: int | None
    as_of: int | None
    as_of_time_unix_s: int | None
    limit: int
    party: bytes | None


class Index(Questions):
    """The index of a ledger in a file: kept up to date, and asked."""

    @classmethod
    def open(cls, path: Path, descriptor: LedgerDescriptor) -> Index:
        """Return the index at `path`; the file need not be there yet."""
        return cls(path, descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # --- keeping up

    def sync(
        self,
        chain: ChainFeed,
        logs: LogFeed,
        *,
        progress: Progress | None = None,
        workers: int | None = None,
    ) -> SyncReport:
        """Bring the index up to date; makes the file if need be. See `sync.synchronise`."""
        from ledger.index.sync import synchronise

        self.close()
        database = open_database(self.path, self.descriptor.ledger_id, write=True)
        try:
            return synchronise(database, self.descriptor, chain, logs, progress=progress, workers=workers)
        finally:
            database.close()

    def discard(self) -> None:
        """Delete the file: the next sync starts from nothing."""
        self.close()
        discard(self.path)

    @property
    def head(self) -> BlockRef | None:
        """The block that the last sync went to, None before the first one. Its parent is not kept."""
        if not self.path.exists():
            return None
        row = self.database.one("SELECT number, hash, time FROM block ORDER BY number DESC LIMIT 1")
        return None if row is None else BlockRef(row[0], row[1], b"", row[2])

    @property
    def final(self) -> int:
        """The last block that was final at the last sync, -1 if none was."""
        return queries.final_block(self.database)

    def final_known(self) -> tuple[int, bytes] | None:
        """Return number and hash of the last block that is kept here and was final; None if there is none."""
        found = self.database.one(
            "SELECT number, hash FROM block WHERE number <= ? ORDER BY number DESC LIMIT 1", self.final
        )
        return None if found is None else (int(found[0]), bytes(found[1]))

    def state(self, block: int | None = None) -> State:
        """Compute the state digest with all that it depends on; see `state.state`."""
        from ledger.index.state import state

        return state(self.database, block)

    def state_digest(self, block: int | None = None) -> bytes:
        """Compute the state digest (32 bytes) as of `block`, by default the last final one."""
        return self.state(block).digest

    def audit(
        self, chain: ChainFeed, logs: LogFeed, scratch: Path, *, progress: Progress | None = None
    ) -> list[Difference]:
        """Build the index anew at `scratch`, compare, and return the rows that are not what they should be.

        Raises Corrupt if the file contradicts itself. Sync first: what is compared is what both have.
        `scratch` is deleted before and after.
        """
        from ledger.index.state import check_file, check_search, compare, compare_blocks

        self.database.unmap()
        check_file(self.database)
        discard(scratch)
        try:
            with Index(scratch, self.descriptor) as fresh:
                fresh.sync(chain, logs, progress=progress)
                fresh.database.unmap()
                differing = compare_blocks(self.database, fresh.database, chain)
                differing += compare(self.database, fresh.database)
                return differing + check_search(self.database, fresh.database)
        finally:
            discard(scratch)

    # --- lineage

    def lineage(
        self,
        reference: str | Reference,
        *,
        direction: Direction = "upstream",
        level: Level = "version",
        depth: int | None = None,
        as_of: int | None = None,
        as_of_time_unix_s: int | None = None,
        limit: int = 100_000,
        column: str | None = None,
        party: bytes | None = None,
    ) -> LineageGraph:
        """Trace a reference (or alias, as `party` means it) up or down.

        `as_of` is a block: what is pending, or anchored later, does not count; `as_of_time_unix_s` means the
        last block until then. With `column` only the columns that one came from (or went into) are followed.
        """
        from ledger.index import tracing

        if as_of is not None and as_of_time_unix_s is not None:
            raise Usage("lineage: a block or a time, not both")
        block = PENDING
        if as_of is not None:
            tracing.check_block(self.database, as_of)
            block = as_of
        elif as_of_time_unix_s is not None:
            block = tracing.block_at(self.database, as_of_time_unix_s)
        if column is not None and level == "asset":
            raise Usage("lineage: columns are known of versions, not of assets")
        query = tracing.Query(
            direction=direction, level=level, depth=depth, block=block, limit=limit, column=column
        )
        meant = self.resolve(reference, party) if isinstance(reference, str) else reference
        start = tracing.starts(self.database, meant, query)
        return tracing.trace(self.database, self.descriptor.chain_id, start, query)

    def impact(self, reference: str | Reference, **query: Unpack[Walked]) -> Impact:
        """Say in figures what was made from a reference: `lineage` downstream, counted by asset and party."""
        from ledger.index.impact import impact

        return impact(self.lineage(reference, direction="downstream", **query))

    # --- assets and versions

    def resolve(self, text: str, party: bytes | None = None) -> Reference:
        """Read a reference, or an alias written SCHEME:NAME or SCHEME:NAMESPACE#NAME.

        Aliases are each party's own: those of `party` come first; one that others declare must mean one asset
        only (Usage). A reference of another ledger raises WrongLedger.
        """
        if ":" in text and not text.startswith("dataledger:") and not is_asset(text.partition("@")[0]):
            found = self.resolve_alias(text, party)
            if found is None:
                raise NotFound(
                    f"nobody declared the alias {text}",
                    hint="aliases are SCHEME:NAME or SCHEME:NAMESPACE#NAME",
                )
            return Reference(found)
        reference = parse_reference(text)
        if reference.ledger is not None and reference.ledger != self.descriptor.ledger_id.hex():
            raise WrongLedger(f"{text} belongs to another ledger than {self.descriptor.ledger_id.hex()}")
        return reference

    def resolve_alias(self, text: str, party: bytes | None = None) -> str | None:
        """Return the asset that an alias means to `party`, else the only one it means to anybody."""
        found = queries.find_alias(self.database, text)
        own = [alias for alias in found if alias.party == party]
        assets = sorted({alias.asset for alias in own or found})
        if len(assets) > 1:
            raise Usage(
                f"the alias {text} means several assets: {', '.join(assets)}", hint="name the one you mean"
            )
        return assets[0] if assets else None

    def history(self, asset: str) -> list[Event]:
        """Return the records about an asset that count, in the order in which they were judged."""
        from ledger.index.history import history

        return history(self.database, asset)

    def block_at(self, time_unix_s: int) -> int:
        """Return the last block that is not later than this time; NotFound if all are."""
        from ledger.index.tracing import block_at

        return block_at(self.database, time_unix_s)

    def block_time(self, block: int) -> int:
        """Return the time of the last block until this one, in Unix seconds; Unavailable if it is not known
        yet.
        """
        from ledger.index.tracing import check_block

        check_block(self.database, block)
        time = self.database.scalar(
            "SELECT time FROM block WHERE number <= ? ORDER BY number DESC LIMIT 1", block
        )
        return int(time or 0)

    def trade(self) -> Trade:
        """Return what is asked about agreements and deliveries."""
        from ledger.index.trade import Trade

        return Trade(self.database)

    def rights(self, block: int) -> Rights:
        """Return the facts about rights as of the end of a block; see `core.rights.may`."""
        from ledger.index.rights import Rights
        from ledger.index.tracing import check_block

        check_block(self.database, block)
        return Rights(self.database, self.descriptor.chain_id, block)

    def steps(self) -> Steps:
        """Return the steps of agreements and deliveries, and which deliveries count."""
        from ledger.index.facts import Facts
        from ledger.index.memory import Memory
        from ledger.index.settled import Steps
        from ledger.index.writer import Writer

        writer = Writer(self.database)
        return Steps(Facts(writer, Memory(writer).assets), self.database)

    def settlements(
        self, *, party: bytes | None = None, record: bytes | None = None
    ) -> Iterator[SettledView]:
        """Yield settlements that count; see `settled.settlements`."""
        from ledger.index.settled import settlements

        return settlements(self.database, party=party, record=record)

    def settled_before(self, statement: Statement) -> bytes | None:
        """Return the first record that settles a part of the same income and stands, pending ones too."""
        from ledger.index.settled import income_of, settled_before

        return settled_before(self.database, income_of(statement))

    def facts(self) -> AuthorityFacts:
        """Return the facts of authority as they stand now: what the next record would be judged by."""
        from ledger.index.facts import Facts
        from ledger.index.memory import Memory
        from ledger.index.writer import Writer

        writer = Writer(self.database)
        return Facts(writer, Memory(writer).assets)
