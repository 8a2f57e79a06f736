"""Recall: from data that is bad to everything made from it, and to everybody who has it or was given it.

Followed are the edges of the lineage, and content: bytes that another party registered under a name of its
own are the same bytes. (Empty content is nobody's: every party has that.) Whoever held, recorded, processed,
was granted, bought or was delivered any of it is concerned. A right that has ended counts too: what was
copied while it stood is still there. Everything is set-based: a few queries over integer ids for any number
of nodes.

A log that can't be had may say more: `missing` names every such log of the chain, whosever it is, because
nobody can tell what it says.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, Literal

from msgspec import Struct

from ledger.core.digests import ASSET, FILE, TREE
from ledger.core.hashing import sha256
from ledger.core.names import namespace_of
from ledger.index.database import Database, Row
from ledger.index.kinds import ALGORITHMS, CLOSED, CODE, INPUT, UNVERSIONED
from ledger.index.lineage import hydrate
from ledger.index.recipients import Given, deliveries, grants
from ledger.index.schema import PENDING

How = Literal["named", "derived", "same-content"]
Role = Literal["holder", "author", "processor", "claimant", "grantee", "buyer", "recipient"]

EMPTY: Final = (sha256(b""), sha256(b"dataledger/tree/v1\0"))
"""Digests of a file and a folder without content."""


class Affected(Struct, frozen=True, gc=False):
    """A version, or an asset of which nobody said which version it was.

    `party` and `record` are those of its version record, None where nobody registered this content under this
    name; `block` is that of the record, else the one in which it was first mentioned.
    """

    node: int
    asset: str
    name: str
    how: How
    party: bytes | None
    record: bytes | None
    block: int


class Concerned(Struct):
    """A party, with how many of the affected assets or versions it has to do with in each role, and the
    records by which it was given any.
    """

    party: bytes
    roles: dict[Role, int]
    given: list[Given]


class MissingLog(Struct, frozen=True):
    """A log that stops before its anchored end, whose it is, and why."""

    log: bytes
    party: bytes
    reason: str


class Recall(Struct, frozen=True):
    """What is affected, nearest first, and who. `public` are grants to everybody."""

    affected: list[Affected]
    concerned: list[Concerned]
    public: list[Given]
    missing: list[MissingLog]


def recall(
    database: Database, names: Sequence[str], *, since_unix_s: int | None = None, block: int = PENDING
) -> Recall:
    """Find what is affected if these assets (all of their versions) and versions are bad, as of a block.

    With `since_unix_s`, of an asset only what was not on record before: what existed then holds nothing
    later.
    """
    roots = start_nodes(database, names, since_unix_s, block)
    affected = _affected(database, roots, block)
    people = _People(database)
    assets = {each.asset for each in affected} | {name.partition("@")[0] for name in names}
    _note_holders(database, people, assets, block)
    _note_makers(database, people, affected, block)
    public = _note_takers(database, people, affected, assets, block)
    return Recall(affected, people.concerned(), public, missing_logs(database, block))


def start_nodes(database: Database, names: Sequence[str], since_unix_s: int | None, block: int) -> list[int]:
    """Return the nodes that assets and versions mean: with other content under the same name, too."""
    since = 0 if since_unix_s is None else database.scalar(_SINCE, since_unix_s)
    found: dict[int, None] = {}
    for name in names:
        asset, _, number = name.partition("@")
        if number:
            rows = database.rows(_VERSION_NODES, asset, int(number), block)
        else:
            rows = database.rows(_ASSET_NODES, asset, block, CODE[ASSET], PENDING if since is None else since)
        found.update(dict.fromkeys(node for (node,) in rows))
    return list(found)


def missing_logs(database: Database, block: int = PENDING) -> list[MissingLog]:
    """Return the logs of the chain that can't be read to their anchored ends."""
    return [MissingLog(*row) for row in database.rows(_MISSING, CLOSED, block)]


def _affected(database: Database, roots: list[int], block: int) -> list[Affected]:
    ids = [node for (node,) in database.rows(_REACHED, _json(roots), block, *EMPTY)]
    made = {output for (output,) in hydrate(database, _OUTPUTS, ids, block)}
    named = set(roots)
    addresses = _addresses(database)
    rows: dict[int, Row] = {row[0]: row for row in hydrate(database, _NODES, ids, block)}
    found = []
    for node in ids:
        _, asset, number, alg, digest, mentioned, party, record, recorded = rows[node]
        how: How = "named" if node in named else "derived" if node in made else "same-content"
        at = mentioned if recorded is None else recorded
        name = _name(asset, number, alg, digest)
        found.append(Affected(node, asset, name, how, addresses.get(party), record, at))
    return found


def _name(asset: str, number: int, alg: int, digest: bytes) -> str:
    if number != UNVERSIONED:
        return f"{asset}@{number}"
    return asset if ALGORITHMS[alg] == ASSET else f"{asset}@{ALGORITHMS[alg]}:{digest.hex()}"


class _People:
    """The parties concerned, as they are found."""

    def __init__(self, database: Database) -> None:
        self._addresses = _addresses(database)
        self._found: dict[bytes, Concerned] = {}

    def note(self, party: int | bytes, role: Role, given: Given | None = None) -> None:
        """Note a party (row id, or address) in a role, and the record that gave it something."""
        address = party if isinstance(party, bytes) else self._addresses[party]
        one = self._found.setdefault(address, Concerned(address, {}, []))
        one.roles[role] = one.roles.get(role, 0) + 1
        if given is not None:
            one.given.append(given)

    def concerned(self) -> list[Concerned]:
        """Return them in the order in which they were found."""
        return list(self._found.values())


def _note_holders(database: Database, people: _People, assets: Iterable[str], block: int) -> None:
    """Note who holds each asset, and who handed it over: that one had it."""
    owners: dict[str, int] = dict(database.rows(_OWNERS, block))
    names = sorted(assets)
    moved: dict[str, list[tuple[int, int]]] = {}
    for name, giver, receiver in hydrate_names(database, _MOVES, names, block):
        moved.setdefault(name, []).append((giver, receiver))
    for name in names:
        moves = moved.get(name, [])
        holder = moves[-1][1] if moves else owners.get(namespace_of(name))
        if holder is not None:
            people.note(holder, "holder")
        for giver, _ in moves:
            people.note(giver, "author")


def _note_makers(database: Database, people: _People, affected: list[Affected], block: int) -> None:
    """Note who recorded the versions, and whose runs read any of it: also those that made nothing of it."""
    for each in affected:
        if each.party is not None:
            people.note(each.party, "claimant" if each.how == "same-content" else "author")
    ids = [each.node for each in affected]
    runs = {*hydrate(database, _RUNS, ids, block), *hydrate(database, _LOOSE_RUNS, ids, block, INPUT)}
    for _, party in sorted(runs):
        people.note(party, "processor")


def _note_takers(
    database: Database, people: _People, affected: list[Affected], assets: Iterable[str], block: int
) -> list[Given]:
    """Note who was given rights in it, or was delivered any; return what was given to everybody."""
    versions = {each.name for each in affected}
    public = []
    for given in grants(database, sorted(assets), versions, block):
        if given.taker is None:
            public.append(given)
        else:
            people.note(given.taker, "grantee" if given.kind == "grant" else "buyer", given)
    for given in deliveries(database, sorted(assets), versions, block):
        if given.taker is not None:
            people.note(given.taker, "recipient", given)
    return public


def hydrate_names(database: Database, query: str, names: list[str], *params: object) -> Iterator[Row]:
    """Run `query`, whose first parameter is a JSON array of asset names, for all names in portions."""
    from ledger.index.writer import listed

    for at in range(0, len(names), _PORTION):
        yield from database.rows(query, listed(names[at : at + _PORTION]), *params)


def _addresses(database: Database) -> dict[int, bytes]:
    return dict(database.rows("SELECT id, address FROM party"))


def _json(ids: Iterable[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


_PORTION = 10_000
_SINCE = "SELECT min(number) FROM block WHERE time >= ?"
_VERSION_NODES = """
SELECT n.id FROM node n JOIN asset a ON a.id = n.asset
WHERE a.name = ? AND n.number = ? AND n.block <= ? ORDER BY n.id
"""
# of an asset from a block on: what was first mentioned then, and what nobody knows the version of
_ASSET_NODES = """
SELECT n.id FROM node n JOIN asset a ON a.id = n.asset
WHERE a.name = ? AND n.block <= ? AND (n.alg = ? OR n.block >= ?) ORDER BY n.id
"""
# ?1: roots, ?2: block, ?3, ?4: digests of nothing. A digest over a description is of no content
_REACHED = f"""
WITH RECURSIVE reached(id) AS (
  SELECT value FROM json_each(?1)
  UNION SELECT e.output FROM reached r CROSS JOIN edge e ON e.input = r.id WHERE e.block <= ?2
  UNION SELECT m.id FROM reached r CROSS JOIN node n ON n.id = r.id AND n.alg IN ({CODE[FILE]}, {CODE[TREE]})
    AND n.digest NOT IN (?3, ?4)
    CROSS JOIN node m ON m.short = n.short AND m.digest = n.digest AND m.alg = n.alg WHERE m.block <= ?2)
SELECT id FROM reached
"""  # noqa: S608 - codes of ours
_OUTPUTS = """
SELECT DISTINCT e.output FROM json_each(?1) j CROSS JOIN edge e ON e.input = j.value WHERE e.block <= ?2
"""
_NODES = """
SELECT n.id, a.name, n.number, n.alg, n.digest, n.block, e.party, e.record, e.block
FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value JOIN asset a ON a.id = n.asset
LEFT JOIN version v ON v.node = n.id AND v.block <= ?2 LEFT JOIN entry e ON e.id = v.entry
"""
_OWNERS = """
SELECT n.name, n.party FROM namespace n WHERE n.block <= ?1
AND NOT EXISTS (SELECT 1 FROM namespace m WHERE m.name = n.name AND m.n > n.n AND m.block <= ?1)
"""
_MOVES = """
SELECT a.name, t.giver, h.party FROM json_each(?1) j CROSS JOIN asset a ON a.name = j.value
JOIN holder h ON h.asset = a.id JOIN transfer t ON t.entry = h.entry WHERE h.block <= ?2 ORDER BY h.id
"""
_RUNS = """
SELECT DISTINCT a.id, a.party FROM json_each(?1) j CROSS JOIN edge e ON e.input = j.value
JOIN activity a ON a.id = e.activity WHERE e.block <= ?2
"""
_LOOSE_RUNS = """
SELECT DISTINCT a.id, a.party FROM json_each(?1) j CROSS JOIN loose o ON o.node = j.value
JOIN activity a ON a.id = o.activity WHERE o.block <= ?2 AND o.role = ?3
"""
_MISSING = """
SELECT DISTINCT l.log, p.address, t.reason FROM stop t JOIN log l ON l.id = t.log
JOIN party p ON p.id = l.party WHERE t.reason <> ? AND t.block <= ? ORDER BY l.log
"""
