"""The logs that this workspace reads: its own, and verified copies of others'.

A copy is fetched from where the user said (`follow --from`), else from where its owner announces it on chain.
What is announced is a stranger's word: https only, public addresses only, and within a budget.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress

from msgspec import Struct

from ledger.chain.interface import Reader
from ledger.core.chain_facts import Checkpoint
from ledger.core.errors import LedgerError, NotFound, Unavailable, Usage
from ledger.core.identity import parse_did
from ledger.service.attached import public_attachments
from ledger.service.context import Context
from ledger.service.forks import keep
from ledger.service.served import Served, contradictions, read_served, remember, seen
from ledger.store.budget import Budget
from ledger.store.folder import TileFolder
from ledger.store.log import LogFolder
from ledger.store.mirror import Mirror
from ledger.store.source import LogSource, open_source
from ledger.store.workspace import below

MOST_LOGS = 256
"""Logs of one party that are looked for: each but the last was closed, which nobody does for fun."""

HURRIED_BYTES = 1 << 28
HURRIED_S = 10.0
"""What may be fetched while another command waits for it; `sync` and `follow` take all the time they need."""


class Logs:
    """The logs of a workspace as the index reads them (index.feeds.LogFeed).

    `hurried`: somebody waits for something else than these logs, so little may be fetched over a network.
    """

    def __init__(self, context: Context, reader: Reader, *, hurried: bool = False) -> None:
        self._context = context
        self._reader = reader
        self.hurried = hurried
        self._budget = Budget(HURRIED_BYTES, HURRIED_S) if hurried else Budget()
        self._followed = follows(context)
        self._mirrors: dict[bytes, Mirror] = {}
        self.problems: dict[bytes, LedgerError] = {}
        self.wrong_sizes: dict[bytes, str] = {}

    def available(self, log_id: bytes) -> bool:
        """Tell whether this log is read here: the own ones, those followed, those with a verified copy."""
        return log_id in self._followed or is_kept(self._context, log_id)

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:
        """Yield entries [start, stop) of a log; Unavailable if they are not here."""
        if log_id in self._context.own_logs:
            return self._own(log_id, stop).entries(start, stop)
        mirror = self._mirror(log_id)
        if mirror.size < stop:
            problem = self.problems.get(log_id)
            raise Unavailable(
                f"{mirror.size} entries are here, {stop} are anchored{f': {problem}' if problem else ''}"
            )
        return mirror.entries(start, stop)

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        """Return a public attachment, fetched once and kept; None if it can't be had."""
        if log_id in self._context.own_logs:
            return public_attachments(self._context, log_id).get(sha256_hex)
        kept = self._mirror(log_id).attachments
        data = kept.get(sha256_hex)
        if data is None:
            data = self._fetched_attachment(log_id, sha256_hex)
            if data is not None:
                kept.put(data)
        return data

    def own_logs(self) -> list[bytes]:
        """Return the log that records go to; closed ones hold nothing that is pending."""
        return [self._context.log_id]

    def pending(self, log_id: bytes) -> tuple[int, int] | None:
        """Return what the own log holds beyond its anchored head."""
        if log_id != self._context.log_id:
            return None
        self._context.log.refresh()
        head = self._reader.log_head(log_id)
        return (head.size if head else 0, self._context.log.size)

    def followed(self) -> list[bytes]:
        """Return the ids of the logs that are followed."""
        return list(self._followed)

    def succeeded(self) -> list[bytes]:
        """Return the logs that go on from followed ones, as far as the index knows by now and did not
        before.
        """
        before = set(self._followed)
        self._followed = follows(self._context)
        return [log_id for log_id in self._followed if log_id not in before]

    def update(self, log_ids: Iterable[bytes]) -> bool:
        """Extend the copies of these logs to their anchored heads, and tell whether any has grown.

        What fails is kept in `problems`: one log that can't be had is no reason not to read the others.
        """
        grown = False
        for log_id in log_ids:
            try:
                grown = self._extend(log_id) or grown
            except LedgerError as error:
                self.problems[log_id] = error
        return grown

    def _extend(self, log_id: bytes) -> bool:
        head = self._reader.log_head(log_id)
        if head is None:
            return False
        mirror = self._mirror(log_id)
        if mirror.size >= head.size:
            mirror.require_extends(head.size, head.root)
            if not self.hurried:
                self._look_again(log_id, mirror, head)
            return False
        with self._source(log_id) as source:
            served = self._look(log_id, mirror, source, head)
            mirror.extend(source, head.size, head.root, on_wait=self._context.notify)
            self._remember(mirror, served)
        return True

    def _look_again(self, log_id: bytes, mirror: Mirror, head: Checkpoint) -> None:
        """Look at what is served of a log of which nothing is missing here, if it can be had now."""
        with suppress(Unavailable, Usage), self._source(log_id) as source:
            self._remember(mirror, self._look(log_id, mirror, source, head))

    def look_at_own(self) -> None:
        """Look at what is served of the own logs, where their owner announces that they are.

        What is not served, or not here, is no contradiction.
        """
        for log_id in self._context.own_logs:
            head = self._reader.log_head(log_id)
            with suppress(LedgerError), self._source(log_id) as source:
                if head is not None:
                    self._look(log_id, own_log(self._context, log_id), source, head)

    def _look(self, log_id: bytes, mirror: TileFolder, source: LogSource, head: Checkpoint) -> Served | None:
        """Return the checkpoint that is served if it fits what is known; keep as proof where it does not.

        Who serves entries and no checkpoint is believed as far as they are anchored.
        """
        party, served = self._party_of(log_id), None
        with suppress(Unavailable):
            served = read_served(self._context, party, log_id, source) if party else None
        if party is None or served is None:
            return None
        if head.root == served.root and head.size != served.size:
            self.wrong_sizes[log_id] = (
                f"checkpoint {head.n} (block {head.block}): root {head.root.hex()} is anchored at size"
                f" {head.size}, but it is signed as that of the first {served.size} entries"
            )
        for fork in contradictions(self._context, party, mirror, served, source, head):
            if keep(self._context, fork):
                self._context.notify(f"{fork.kind}: the log of {fork.party}: {fork.text}")
            return None
        return served

    def _remember(self, mirror: Mirror, served: Served | None) -> None:
        party = self._party_of(mirror.log_id)
        if party is not None and served is not None:
            before = seen(self._context, party, mirror.log_id, mirror.path)
            remember(mirror.path, served, before.size if before else 0)

    def _party_of(self, log_id: bytes) -> bytes | None:
        """Return whose log this is, as the index has it or as the settings say."""
        followed = self._followed.get(log_id)
        if followed is not None and followed.label:
            return parse_did(followed.label)[1]
        with suppress(NotFound, Unavailable):
            return self._context.index.party_of_log(log_id)
        return None

    def _own(self, log_id: bytes, stop: int) -> TileFolder:
        log = own_log(self._context, log_id)
        log.refresh()
        if log.size < stop:
            raise Unavailable(
                f"{log.size} entries are here, {stop} are anchored: it was put back to an older state"
            )
        return log

    def _mirror(self, log_id: bytes) -> Mirror:
        if log_id not in self._mirrors:
            self._mirrors[log_id] = Mirror.of(self._context.workspace.mirrors, log_id)
        return self._mirrors[log_id]

    def _source(self, log_id: bytes) -> LogSource:
        followed = self._followed.get(log_id)
        if followed is not None and followed.location:
            location = self._context.workspace.resolve(followed.location)
            return open_source(location, named=True, below=followed.below, budget=self._budget)
        announced, folder = announced_at(self._context, log_id)
        if not announced:
            raise Unavailable(
                "its owner says nowhere on chain that it is served",
                hint="ask for it, then: dataledger follow PARTY --from FOLDER|URL",
            )
        return open_source(announced, named=False, below=folder, budget=self._budget)

    def checkpoint(self, log_id: bytes, size: int) -> bytes | None:
        """Return the owner's signed checkpoint of an anchored size, unverified; None if it can't be had."""
        if log_id in self._context.own_logs:
            return own_log(self._context, log_id).read_checkpoint(size)
        mirror = self._mirror(log_id)
        note = mirror.read_checkpoint(size)
        if note is None:
            try:
                with self._source(log_id) as source:
                    note = source.kept_checkpoint(size)
            except LedgerError:
                return None  # the chain is what counts
            if note is not None:
                mirror.store_checkpoint(size, note)
        return note

    def _fetched_attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        try:
            with self._source(log_id) as source:
                return source.attachment(sha256_hex)
        except LedgerError:
            return None  # the index shows it as missing


class Follow(Struct, frozen=True):
    """A log that is followed: where it is (empty: as announced), in which folder below that, and the label
    it was followed under. `after` is the log that it goes on from, where that is why it is followed.
    """

    location: str
    label: str
    below: str = ""
    after: bytes | None = None


def follows(context: Context) -> dict[bytes, Follow]:
    """Return the logs that are followed: those of the settings, and whatever succeeded them since."""
    found = {bytes.fromhex(each.log): Follow(each.location, each.label) for each in context.config.follow}
    with suppress(Unavailable):  # an index of another release: a sync makes it anew
        if found and context.index.head is not None:
            for log_id in list(found):
                _follow_on(context, log_id, found)
    return found


def _follow_on(context: Context, log_id: bytes, found: dict[bytes, Follow]) -> None:
    """Add the log that goes on from a closed one, and from that one, and so on: logs of the same party."""
    party = parse_did(found[log_id].label)[1] if found[log_id].label else context.index.party_of_log(log_id)
    for _ in range(MOST_LOGS):
        log = context.index.log(log_id)
        if log is None or log.successor is None or log.successor in found or party is None:
            return
        number = number_of(context, party, log.successor)
        if number is None:
            return  # somebody else's log: whether to read that is the user's choice
        before, log_id = found[log_id], log.successor
        found[log_id] = Follow(before.location, before.label, below(number), log.log)


def number_of(context: Context, party: bytes, log_id: bytes) -> int | None:
    """Return which log of the party (20 bytes) this is, None if it is none of its first ones."""
    return next((n for n in range(MOST_LOGS) if context.log_id_of(party, n) == log_id), None)


def successor_word(context: Context, successor: bytes) -> str:
    """Return what names a log to `log close`: its number if it is an own one, else its id."""
    number = number_of(context, context.address, successor)
    return successor.hex() if number is None else str(number)


def announced_at(context: Context, log_id: bytes) -> tuple[str, str]:
    """Return where a log's owner announces it, and in which folder below that: a later log that is announced
    nowhere lies below the first one.
    """
    index = context.index
    announced, party = index.log_location(log_id), index.party_of_log(log_id)
    if announced or party is None:
        return announced, ""
    number = number_of(context, party, log_id)
    first = index.log_location(context.log_id_of(party, 0))
    return (first, below(number)) if number and first else ("", "")


def has_copy(context: Context, log_id: bytes) -> bool:
    """Tell whether a verified copy of a log is kept here."""
    return (context.workspace.mirrors / log_id.hex() / "head").exists()


def is_kept(context: Context, log_id: bytes) -> bool:
    """Tell whether there is something of a log to be opened here: an own one, or a verified copy."""
    return log_id in context.own_logs or has_copy(context, log_id)


def own_log(context: Context, log_id: bytes) -> LogFolder:
    """Open one of the own logs; the one that records go to is opened once."""
    return context.log if log_id == context.log_id else context.own_log(log_id)


def open_log(context: Context, log_id: bytes) -> TileFolder:
    """Open a log as it is stored here: an own one, or the verified copy of another's."""
    if log_id in context.own_logs:
        return own_log(context, log_id)
    return Mirror.of(context.workspace.mirrors, log_id)
