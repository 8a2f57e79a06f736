"""What a sync remembers of the tables, so that a record costs no query.

Each part answers for one kind of thing from memory or from the tables, and is told in advance (`prefetch`)
what a batch of records will ask. What was not flushed is always in memory; `forget` bounds it after a flush.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from ledger.core.digests import FILE, TREE
from ledger.index.kinds import CODE
from ledger.index.said_memory import SaidMemory
from ledger.index.schema import spread
from ledger.index.writer import CAPACITY, Interner, Writer, listed

OBSERVED = (CODE[FILE], CODE[TREE])


class Asset(Struct, gc=False):
    """An asset as of now: who registered it, its newest version, and its holder if a transfer took effect."""

    id: int
    registration: bytes | None = None
    holder: bytes | None = None
    number: int = 0
    record: bytes | None = None
    fields: bytes | None = None


class Assets:
    """Assets by name."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[str, Asset | None] = {}

    def get(self, name: str) -> Asset | None:
        """Return the asset, None if nobody ever mentioned it."""
        if name not in self._known:
            self.prefetch((name,))
        return self._known[name]

    def make(self, name: str) -> Asset:
        """Return the asset, mentioned now if not before."""
        known = self.get(name)
        if known is None:
            known = self._known[name] = Asset(self._writer.add("asset", name))
        return known

    def prefetch(self, names: Iterable[str]) -> None:
        """Look up many names with one query."""
        missing = [name for name in names if name not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            for name, *values in self._writer.database.rows(_ASSETS, listed(missing)):
                self._known[name] = Asset(*values)

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory; only right after a flush."""
        if everything or len(self._known) > CAPACITY:
            self._known.clear()


_ASSETS = """
SELECT a.name, a.id,
  (SELECT e.record FROM registration r JOIN entry e ON e.id = r.entry WHERE r.asset = a.id),
  (SELECT p.address FROM holder h JOIN party p ON p.id = h.party WHERE h.asset = a.id
   ORDER BY h.id DESC LIMIT 1),
  ifnull(v.number, 0), e.record, v.fields
FROM json_each(?) j CROSS JOIN asset a ON a.name = j.value
LEFT JOIN version v
  ON v.id = (SELECT w.id FROM version w WHERE w.asset = a.id ORDER BY w.number DESC LIMIT 1)
LEFT JOIN entry e ON e.id = v.entry
"""


Key = tuple[int, int, int, bytes]
"""What a node is: asset id, number (UNVERSIONED if unknown), code of the digest's name, digest (32 bytes)."""


class Nodes:
    """Nodes by what they are; `registered` tells those that a version record speaks of."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[Key, int | None] = {}
        self._registered: set[int] = set()

    def get(self, key: Key) -> int | None:
        """Return the node's id, None if nobody mentioned it."""
        if key not in self._known:
            self.prefetch((key,))
        return self._known[key]

    def id(self, key: Key) -> int:
        """Return the node's id, made now if nobody mentioned it before."""
        known = self._known.get(key) or self.get(key)
        if known is None:
            known = self._known[key] = self._writer.add("node", *key, spread(key[3]))
        return known

    def register(self, node: int) -> None:
        """Note that a version record speaks of `node`."""
        self._registered.add(node)

    def is_registered(self, node: int) -> bool:
        """Tell whether a version record surely speaks of `node`; False may mean that it was forgotten."""
        return node in self._registered

    def prefetch(self, keys: Iterable[Key]) -> None:
        """Look up many nodes with one query."""
        missing = [key for key in keys if key not in self._known]
        if not missing:
            return
        self._known.update(dict.fromkeys(missing))
        wanted = listed([(asset, number, spread(digest)) for asset, number, _, digest in missing])
        for node, registered, asset, number, alg, digest in self._writer.database.rows(_NODES, wanted):
            self._known[asset, number, alg, digest] = node
            if registered:
                self._registered.add(node)

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory; only right after a flush."""
        if everything or len(self._known) > CAPACITY:
            self._known.clear()
        if everything or len(self._registered) > CAPACITY:
            self._registered.clear()


_NODES = """
SELECT n.id, EXISTS (SELECT 1 FROM version v WHERE v.node = n.id), n.asset, n.number, n.alg, n.digest
FROM json_each(?) j CROSS JOIN node n
ON n.asset = json_extract(j.value, '$[0]') AND n.number = json_extract(j.value, '$[1]')
AND n.short = json_extract(j.value, '$[2]')
"""


class Activities:
    """Activities by their first author (party id) and run id."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: dict[tuple[str, int], int | None] = {}

    def get(self, run: str, party: int) -> int | None:
        """Return the activity's id, None if there is none."""
        key = (run, party)
        if key not in self._known:
            self.prefetch((key,))
        return self._known[key]

    def make(self, run: str, party: int) -> int:
        """Make the activity, which there was not."""
        made = self._known[run, party] = self._writer.add("activity", party, run)
        return made

    def prefetch(self, keys: Iterable[tuple[str, int]]) -> None:
        """Look up many activities with one query."""
        missing = [key for key in keys if key not in self._known]
        if missing:
            self._known.update(dict.fromkeys(missing))
            runs = listed(list({run for run, _ in missing}))
            for run, party, activity in self._writer.database.rows(_ACTIVITIES, runs):
                self._known[run, party] = activity

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory; only right after a flush."""
        if everything or len(self._known) > CAPACITY:
            self._known.clear()


_ACTIVITIES = "SELECT a.run, a.party, a.id FROM json_each(?) j CROSS JOIN activity a ON a.run = j.value"


class Pairs:
    """Pairs of asset ids between which an edge was written, to write each but once or a few times."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._known: set[tuple[int, int]] = set()

    def note(self, output: int, source: int) -> None:
        """Write the pair unless it is remembered; the table ignores what it has."""
        pair = (output, source)
        if pair not in self._known:
            self._known.add(pair)
            self._writer.add("asset_edge", output, source)

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory."""
        if everything or len(self._known) > CAPACITY:
            self._known.clear()


class Memory:
    """All of it together."""

    def __init__(self, writer: Writer) -> None:
        self.parties: Interner[bytes] = Interner(writer, "party", "address")
        self.logs: Interner[bytes] = Interner(writer, "log", "log")
        self.texts: Interner[str] = Interner(writer, "text", "value")
        self.assets = Assets(writer)
        self.nodes = Nodes(writer)
        self.activities = Activities(writer)
        self.pairs = Pairs(writer)
        self.said = SaidMemory(writer)

    def forget(self, *, everything: bool = False) -> None:
        """Bound the memory after a flush; forget all of it after a rollback or a rewind."""
        for part in (
            self.parties,
            self.logs,
            self.texts,
            self.assets,
            self.nodes,
            self.activities,
            self.pairs,
            self.said,
        ):
            part.forget(everything=everything)
