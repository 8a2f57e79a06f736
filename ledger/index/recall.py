"""Recall: from data that is bad to everything made from it, and to everybody who has it or was given it.

Followed are the edges of the lineage, and content: bytes that another party registered under a name of its
own are the same bytes. (Empty content is nobody's: every party has that.) Whoever held, recorded, processed,
was granted, bought or was delivered any of it is concerned. A right that has ended counts too: what was
copied while it stood is still there. Everything is set-based: a few queries over integer ids for any number
of nodes. Every party is found; of the records that gave it something, `listed` says how many are written out.

A log that can't be had may say more: `missing` names every such log of the chain, whosever it is, because
nobody can tell what it says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from typing import Final, Literal

from msgspec import Struct

from ledger.core.digests import ASSET, FILE, TREE
from ledger.core.hashing import sha256
from ledger.core.names import namespace_of
from ledger.index.database import Database
from ledger.index.kinds import ALGORITHMS, CLOSED, CODE, INPUT, UNVERSIONED
from ledger.index.lineage import hydrate, walk
from ledger.index.recipients import Given, Reached, Recipients
from ledger.index.schema import PENDING

How = Literal["named", "derived", "same-content"]
Role = Literal["holder", "author", "processor", "claimant", "grantee", "buyer", "recipient"]

EMPTY: Final = (sha256(b""), sha256(b"dataledger/tree/v1\0"))
"""Digests of a file and a folder without content."""

LISTED: Final = 10_000
"""How many records that gave something are written out, unless more are asked for."""

_ROUNDS = 8  # of content that leads to more content; after that one recursive query does the rest


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


class Concerned(Struct, frozen=True):
    """A party: how many affected assets, versions, runs or records it has to do with in each role, and the
    records by which it was given any, as far as they are listed.
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
    """What is affected, nearest first, and who. `public` are grants to everybody.

    `records` is how many records gave somebody something, `listed` how many of them are written out.
    """

    affected: list[Affected]
    concerned: list[Concerned]
    public: list[Given]
    missing: list[MissingLog]
    records: int
    listed: int


def recall(
    database: Database,
    names: Sequence[str],
    *,
    since_unix_s: int | None = None,
    block: int = PENDING,
    most: int = LISTED,
) -> Recall:
    """Find what is affected if these assets (all of their versions) and versions are bad, as of a block.

    With `since_unix_s`, of an asset only what was not on record before: what existed then holds nothing
    later. `most` bounds the records written out, never the parties.
    """
    roots = start_nodes(database, names, since_unix_s, block)
    ids, twins = _reach(database, roots, block)
    addresses: dict[int, bytes] = dict(database.rows("SELECT id, address FROM party"))
    affected, reached, authors = _affected(database, ids, set(roots), twins, addresses, block)
    for name in {name.partition("@")[0] for name in names}:
        asset = database.scalar("SELECT id FROM asset WHERE name = ?", name)
        if asset is not None:
            reached.names.setdefault(asset, name)
    roles: dict[Role, Counter[int]] = {"author": authors[0], "claimant": authors[1]}
    _note_holders(database, roles, reached, block)
    roles["processor"] = _runs(database, ids, block)
    given = Recipients(database, reached, block)
    roles |= {"grantee": given.grantees, "buyer": given.buyers, "recipient": given.recipients}
    listed = given.listed(most)
    concerned = _concerned(roles, addresses, listed)
    public = [each for each in listed if each.taker is None]
    return Recall(affected, concerned, public, missing_logs(database, block), given.records, len(listed))


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


def _reach(database: Database, roots: list[int], block: int) -> tuple[list[int], set[int]]:
    """Return the nodes reached, nearest first, and those of them that only the same content leads to.

    Mostly nobody else has the same bytes, and a walk along the edges is all there is to it.
    """
    found: dict[int, None] = {}
    twins: set[int] = set()
    start: Collection[int] = roots
    for _ in range(_ROUNDS):
        walked = walk(database, start, direction="downstream", block=block).ids
        new = [node for node in walked if node not in found]
        found.update(dict.fromkeys(new))
        start = {node for (node,) in hydrate(database, _TWINS, new, block, *EMPTY) if node not in found}
        twins |= start
        if not start:
            break
    else:
        rest = database.rows(_REACHED, _json([*found, *start]), block, *EMPTY)
        twins |= {node for (node,) in rest} - found.keys()
        found.update(dict.fromkeys(node for (node,) in rest))
    derived = hydrate(database, _SOURCES, sorted(twins), block)
    return list(found), twins - {output for output, source in derived if source in found}


def _affected(
    database: Database,
    ids: list[int],
    roots: set[int],
    twins: set[int],
    addresses: dict[int, bytes],
    block: int,
) -> tuple[list[Affected], Reached, tuple[Counter[int], Counter[int]]]:
    """Return the nodes with their names, the assets and numbers among them, and who recorded how many: of
    what was named or made, and of the same content.
    """
    found: list[Affected] = []
    reached = Reached({}, set())
    authors: tuple[Counter[int], Counter[int]] = (Counter(), Counter())
    for node, asset, name, number, alg, digest, mentioned, party, record, recorded in hydrate(
        database, _NODES, ids, block
    ):
        how: How = "named" if node in roots else "same-content" if node in twins else "derived"
        reached.names[asset] = name
        full = f"{name}@{number}" if number != UNVERSIONED else _unnumbered(name, alg, digest)
        if party is not None:
            authors[how == "same-content"][party] += 1
        at = mentioned if recorded is None else recorded
        found.append(Affected(node, name, full, how, addresses.get(party), record, at))
    reached.versions.update(each.name for each in found)
    return found, reached, authors


def _unnumbered(asset: str, alg: int, digest: bytes) -> str:
    return asset if ALGORITHMS[alg] == ASSET else f"{asset}@{ALGORITHMS[alg]}:{digest.hex()}"


def _note_holders(database: Database, roles: dict[Role, Counter[int]], reached: Reached, block: int) -> None:
    """Note who holds each asset, and as an author who handed it over: that one had it."""
    owners: dict[str, int] = dict(database.rows(_OWNERS, block))
    holders: dict[int, int] = {}
    for asset, giver, receiver in hydrate(database, _MOVES, list(reached.names), block):
        holders[asset] = receiver
        roles["author"][giver] += 1
    held = (holders.get(asset) or owners.get(namespace_of(name)) for asset, name in reached.names.items())
    roles["holder"] = Counter(party for party in held if party)


def _runs(database: Database, ids: list[int], block: int) -> Counter[int]:
    """Count the runs of each party that read any of it: also those that made nothing of it."""
    runs: dict[int, int] = dict(hydrate(database, _RUNS, ids, block))
    runs.update(hydrate(database, _LOOSE_RUNS, ids, block, INPUT))
    return Counter(runs.values())


def _concerned(
    roles: dict[Role, Counter[int]], addresses: dict[int, bytes], listed: Iterable[Given]
) -> list[Concerned]:
    found: dict[bytes, Concerned] = {}
    for role in _ROLES:
        for party, number in roles[role].items():
            address = addresses[party]
            found.setdefault(address, Concerned(address, {}, [])).roles[role] = number
    for given in listed:
        if given.taker is not None:
            found[given.taker].given.append(given)
    return list(found.values())


def _json(ids: Iterable[int]) -> str:
    return f"[{','.join(map(str, ids))}]"


_ROLES: Final[tuple[Role, ...]] = (
    "holder", "author", "processor", "claimant", "grantee", "buyer", "recipient",
)  # fmt: skip
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
# ?1: nodes, ?2: block, ?3, ?4: digests of nothing. A digest over a description is of no content
_TWIN = f"""CROSS JOIN node m ON m.short = n.short AND m.id <> n.id AND m.digest = n.digest AND m.alg = n.alg
WHERE m.block <= ?2 AND n.alg IN ({CODE[FILE]}, {CODE[TREE]}) AND n.digest NOT IN (?3, ?4)"""
_TWINS = f"SELECT m.id FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value {_TWIN}"  # noqa: S608 - ours
_REACHED = f"""
WITH RECURSIVE reached(id) AS (
  SELECT value FROM json_each(?1)
  UNION SELECT e.output FROM reached r CROSS JOIN edge e ON e.input = r.id WHERE e.block <= ?2
  UNION SELECT m.id FROM reached r CROSS JOIN node n ON n.id = r.id {_TWIN})
SELECT id FROM reached
"""  # noqa: S608 - codes of ours
_SOURCES = """
SELECT e.output, e.input FROM json_each(?1) j CROSS JOIN edge e ON e.output = j.value WHERE e.block <= ?2
"""
_NODES = """
SELECT n.id, n.asset, a.name, n.number, n.alg, n.digest, n.block, e.party, e.record, e.block
FROM json_each(?1) j CROSS JOIN node n ON n.id = j.value CROSS JOIN asset a ON a.id = n.asset
LEFT JOIN version v ON v.node = n.id AND v.block <= ?2 LEFT JOIN entry e ON e.id = v.entry
"""
_OWNERS = """
SELECT n.name, n.party FROM namespace n WHERE n.block <= ?1
AND NOT EXISTS (SELECT 1 FROM namespace m WHERE m.name = n.name AND m.n > n.n AND m.block <= ?1)
"""
_MOVES = """
SELECT h.asset, t.giver, h.party FROM json_each(?1) j CROSS JOIN holder h ON h.asset = j.value
JOIN transfer t ON t.entry = h.entry WHERE h.block <= ?2 ORDER BY h.id
"""
_RUNS = """
SELECT a.id, a.party FROM json_each(?1) j CROSS JOIN edge e ON e.input = j.value
JOIN activity a ON a.id = e.activity WHERE e.block <= ?2
"""
_LOOSE_RUNS = """
SELECT a.id, a.party FROM json_each(?1) j CROSS JOIN loose o ON o.node = j.value
JOIN activity a ON a.id = o.activity WHERE o.block <= ?2 AND o.role = ?3
"""
_MISSING = """
SELECT DISTINCT l.log, p.address, t.reason FROM stop t JOIN log l ON l.id = t.log
JOIN party p ON p.id = l.party WHERE t.reason <> ? AND t.block <= ? ORDER BY l.log
"""
