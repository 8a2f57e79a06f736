"""Questions about what the chain says: parties, keys, delegates, namespaces, logs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ledger.index.database import Database, Row
from ledger.index.kinds import REJECTED, UNAVAILABLE
from ledger.index.lineage import walk
from ledger.index.schema import PENDING
from ledger.index.views import DelegateView, KeyView, LogView, NamespaceView

if TYPE_CHECKING:
    from ledger.core.authority import KeyState

_NAME_ATTRIBUTE = b"dataledger/name".ljust(32, b"\0")
_SERVICE_ATTRIBUTE = b"did/svc/TlogTiles".ljust(32, b"\0")
_MAX_NAME = 200


def party_name(database: Database, address: bytes) -> str:
    """Return the display name that a party gave itself, empty if it has none; a claim like any other."""
    name = _attribute(database, address, _NAME_ATTRIBUTE)
    text = "" if name is None else name.decode("utf-8", "replace")
    return "".join(char for char in text if char.isprintable())[:_MAX_NAME]


def misses_log_of(database: Database, namespace: str) -> bool:
    """Tell whether a log of somebody who ever owned this namespace stops before its anchored end."""
    return database.one(_STOPPED, namespace) is not None


def parties(database: Database) -> list[bytes]:
    """Return the address of everyone who owns a namespace, a key or a log, in the order of appearance."""
    query = (
        "SELECT address FROM party p WHERE EXISTS (SELECT 1 FROM key k WHERE k.party = p.id) OR EXISTS "
        "(SELECT 1 FROM namespace n WHERE n.party = p.id) OR EXISTS "
        "(SELECT 1 FROM log l WHERE l.party = p.id) "
        "ORDER BY id"
    )
    return [address for (address,) in database.rows(query)]


def keys(database: Database, address: bytes) -> list[KeyView]:
    """Return the record keys of a party in the order of their publication."""
    return [
        KeyView(key=key, from_block=start, revoked_block=revoked, valid_to_unix_s=valid_to)
        for key, start, revoked, valid_to in database.rows(f"{_KEYS} ORDER BY k.id", address)
    ]


def key_state(database: Database, address: bytes, key: bytes) -> KeyState | None:
    """Return a record key's slot, None if the party never published it."""
    from ledger.core.authority import KeyState

    row = database.one(f"{_KEYS} AND k.key = ?", address, key)
    return None if row is None else KeyState(*row[1:])


def delegates(database: Database, address: bytes) -> list[DelegateView]:
    """Return the delegates of a party in the order in which they were added."""
    return [
        DelegateView(
            type=kind, delegate=who, from_block=start, revoked_block=revoked, valid_to_unix_s=valid_to
        )
        for kind, who, start, revoked, valid_to in database.rows(_DELEGATES, address)
    ]


def namespaces(database: Database, owner: bytes | None = None) -> list[NamespaceView]:
    """Return the namespaces of a party, or all of them, by name."""
    condition, params = ("", ()) if owner is None else ("AND p.address = ?", (owner,))
    query = (
        "SELECT n.name, p.address, n.block FROM namespace n JOIN party p ON p.id = n.party WHERE NOT EXISTS "  # noqa: S608
        f"(SELECT 1 FROM namespace m WHERE m.name = n.name AND m.n > n.n) {condition} ORDER BY n.name"
    )
    return [
        NamespaceView(name=name, owner=address, from_block=block)
        for name, address, block in database.rows(query, *params)
    ]


def log(database: Database, log_id: bytes) -> LogView | None:
    """Return how far a log was read, None if it is not known."""
    found = _logs(database, "WHERE l.log = ?", log_id)
    return found[0] if found else None


def logs(database: Database) -> list[LogView]:
    """Return every log on the chain."""
    return _logs(database, "")


def logs_of(database: Database, address: bytes) -> list[LogView]:
    """Return the logs of a party in the order of their numbers."""
    return sorted(_logs(database, "WHERE p.address = ?", address), key=lambda log: log.number)


def confirmed(database: Database, log_id: bytes) -> tuple[int, bytes] | None:
    """Return size and root of a log as far as its anchors confirm it, None if nothing is."""
    found: Row | None = database.one(
        "SELECT q.size, q.root FROM prefix q JOIN log l ON l.id = q.log WHERE l.log = ? "
        "ORDER BY q.n DESC LIMIT 1",
        log_id,
    )
    return None if found is None else (int(found[0]), bytes(found[1]))


def log_location(database: Database, log_id: bytes) -> str:
    """Return where a log is served according to its owner, empty if that was never said. It is a hint."""
    row = database.one(
        "SELECT p.address, l.number FROM log l JOIN party p ON p.id = l.party WHERE l.log = ?", log_id
    )
    if row is None:
        return ""
    for (content,) in _attributes(database, row[0], _SERVICE_ATTRIBUTE):
        url, mark, number = content.decode("utf-8", "replace").partition("#")
        if (number if mark else "0") == str(row[1]):
            return url
    return ""


def missing_logs(database: Database, party: bytes | None = None) -> list[bytes]:
    """Return the logs that can't be had and that may say more about an asset which the lineage here needs.

    That is a log of the party that owns the namespace of an asset, or holds it, which is mentioned here and
    of which something is not known. With `party`, only what the lineage of that party's own assets needs:
    otherwise whoever is followed could make the reader fetch any log.
    """
    needed: set[int] | None = None
    missing = []
    stopped = "SELECT l.log, l.party FROM stop s JOIN log l ON l.id = s.log WHERE s.reason = ? ORDER BY l.log"
    for log_id, owner in database.rows(stopped, UNAVAILABLE):
        unknown = {asset for (asset,) in _unknown_assets(database, owner)}
        if unknown and party is not None:
            needed = _needed_by(database, party) if needed is None else needed
            unknown &= needed
        if unknown and log_id not in missing:
            missing.append(log_id)
    return missing


def _unknown_assets(database: Database, party: int) -> list[Row]:
    """Return the ids of assets that this party (row id) may speak of, mentioned but not registered."""
    found = database.rows(_UNKNOWN_HELD, party)
    for (name,) in database.rows("SELECT DISTINCT name FROM namespace WHERE party = ?", party):
        found += database.rows(_UNKNOWN_IN, f"{name}/", f"{name}0")
    return found


def _needed_by(database: Database, party: bytes) -> set[int]:
    """Return the ids of the assets that a party's own assets were made from, at whatever distance."""
    own: list[int] = [asset for (asset,) in database.rows(_HELD, party)]
    for namespace in namespaces(database, party):
        query = "SELECT id FROM asset WHERE name >= ? AND name < ?"
        own += [asset for (asset,) in database.rows(query, f"{namespace.name}/", f"{namespace.name}0")]
    return set(walk(database, own, direction="upstream", level="asset").ids)


def unreadable_entries(database: Database, log_id: bytes) -> int:
    """Return how many entries of a log were refused for what they are: no record, or badly signed."""
    return int(database.scalar(_UNREADABLE, REJECTED, log_id))


def own_log_size(database: Database, log_id: bytes) -> int:
    """Return how many entries of a log were indexed, the pending ones included."""
    view = log(database, log_id)
    return 0 if view is None else view.size + view.pending


def _attribute(database: Database, address: bytes, name: bytes) -> bytes | None:
    for (content,) in _attributes(database, address, name):
        found: bytes = content
        return found
    return None


def _attributes(database: Database, address: bytes, name: bytes) -> list[tuple[bytes]]:
    """Return what a party says under a name and has not taken back, newest first."""
    query = (
        "SELECT t.content, t.valid_to > ifnull(b.time, 0) FROM attribute t JOIN party p ON p.id = t.party "
        "LEFT JOIN block b ON b.number = t.block WHERE p.address = ? AND t.name = ? ORDER BY t.id DESC"
    )
    seen: dict[bytes, bool] = {}
    for content, set_ in database.rows(query, address, name):
        seen.setdefault(content, bool(set_))
    return [(content,) for content, stands in seen.items() if stands]


def _logs(database: Database, condition: str, *params: object) -> list[LogView]:
    return [_log_view(*row) for row in database.rows(f"{_LOGS} {condition}", PENDING, *params)]


def _log_view(
    log: bytes,
    party: bytes | None,
    number: int | None,
    anchored: int | None,
    size: int | None,
    pending: int,
    checkpoints: int,
    problem: str | None,
    closed: int | None,
    at: int | None,
    successor: bytes | None,
) -> LogView:
    return LogView(
        log=log,
        party=party,
        number=number or 0,
        anchored=anchored or 0,
        size=size or 0,
        pending=pending,
        checkpoints=checkpoints,
        problem=problem or "",
        closed_block=closed,
        closed_at=at or 0,
        successor=successor if successor and any(successor) else None,
    )


_KEYS = """
SELECT k.key, k.block, ifnull((SELECT min(r.block) FROM key_revoked r WHERE r.key = k.id), 0), k.valid_to
FROM party p JOIN key k ON k.party = p.id WHERE p.address = ?
"""
_DELEGATES = """
SELECT d.type, d.delegate, d.block,
  ifnull((SELECT min(r.block) FROM delegate_revoked r WHERE r.delegate = d.id), 0), d.valid_to
FROM party p JOIN delegate d ON d.party = p.id WHERE p.address = ? ORDER BY d.id
"""
_LOGS = """
SELECT l.log, p.address, l.number,
  (SELECT max(a.size) FROM anchor a WHERE a.log = l.id),
  (SELECT max(q.size) FROM prefix q WHERE q.log = l.id),
  (SELECT count(*) FROM entry e WHERE e.log = l.id AND e.block = ?
     AND e.idx >= ifnull((SELECT max(q.size) FROM prefix q WHERE q.log = l.id), 0)),
  (SELECT count(*) FROM anchor a WHERE a.log = l.id),
  (SELECT s.reason FROM stop s WHERE s.log = l.id ORDER BY s.id LIMIT 1),
  c.block, c.at, c.successor
FROM log l LEFT JOIN party p ON p.id = l.party
LEFT JOIN log_closed c ON c.id = (SELECT min(d.id) FROM log_closed d WHERE d.log = l.id)
"""
_UNREADABLE = """
SELECT count(*) FROM entry e WHERE e.verdict = ? AND e.verdict <> 0
AND e.reason IN ('bad-format', 'bad-signature') AND e.log = (SELECT id FROM log WHERE log = ?)
"""
_UNKNOWN = """
(NOT EXISTS (SELECT 1 FROM registration r WHERE r.asset = a.id) OR EXISTS (
  SELECT 1 FROM node n WHERE n.asset = a.id AND NOT EXISTS (SELECT 1 FROM version v WHERE v.node = n.id)))
"""
_UNKNOWN_IN = f"SELECT a.id FROM asset a WHERE a.name >= ? AND a.name < ? AND {_UNKNOWN}"  # noqa: S608 - ours
_UNKNOWN_HELD = f"SELECT a.id FROM holder h JOIN asset a ON a.id = h.asset WHERE h.party = ? AND {_UNKNOWN}"  # noqa: S608
_HELD = "SELECT h.asset FROM holder h JOIN party p ON p.id = h.party WHERE p.address = ?"
_STOPPED = """
SELECT 1 FROM namespace n JOIN log l ON l.party = n.party JOIN stop s ON s.log = l.id WHERE n.name = ? LIMIT 1
"""
