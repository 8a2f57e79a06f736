"""Questions about assets, versions, aliases and activities."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.core.digests import asset_digest, target_of_asset
from ledger.core.names import namespace_of
from ledger.index.database import Database, Row
from ledger.index.kinds import ACCEPTED, ALGORITHMS, CODE, INPUT, OUTCOMES
from ledger.index.schema import PENDING, short
from ledger.index.views import ActivityView, AliasView, AssetView, ResourceView, State, VersionView, Where


def state_of(block: int, final: int) -> State:
    """Return how settled a row of this block is."""
    if block == PENDING:
        return "pending"
    return "final" if block <= final else "anchored"


def final_block(database: Database) -> int:
    """Return the last block that was final at the last sync, -1 if none was."""
    final = database.meta("final")
    return -1 if final is None else int(final)


WHERE_COLUMNS = (
    "e.record, p.address, l.log, e.idx, e.claimed, e.block, b.time, "
    "EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record)"
)
WHERE_JOINS = (
    "JOIN party p ON p.id = e.party JOIN log l ON l.id = e.log LEFT JOIN block b ON b.number = e.block"
)


def where_members(row: Row, final: int) -> dict[str, Any]:
    """Return the members of a `Where` from a row of WHERE_COLUMNS."""
    record, party, log, idx, claimed, block, time, revoked = row
    return {
        "record": record,
        "party": party,
        "log": log,
        "idx": idx,
        "claimed": claimed or "",
        "state": state_of(block, final),
        "block": None if block == PENDING else block,
        "time_unix_s": time,
        "revoked": bool(revoked),
    }


_VERSION = f"""
SELECT {WHERE_COLUMNS}, a.name, v.number, n.alg, n.digest, v.size, v.media, v.declared, v.fields
FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset JOIN entry e ON e.id = v.entry
{WHERE_JOINS}
"""  # noqa: S608 - names of ours
_FIELDS = msgspec.json.Decoder(list[dict[str, str]])


def _versions(database: Database, condition: str, *params: object) -> list[VersionView]:
    final = final_block(database)
    found = []
    for row in database.rows(f"{_VERSION} {condition}", *params):
        asset, number, alg, digest, size, media, declared, fields = row[8:]
        found.append(
            VersionView(
                **where_members(row[:8], final),
                asset=asset,
                number=number,
                alg=ALGORITHMS[alg],
                digest=digest,
                size=size,
                media_type=media or "",
                declared=declared or "",
                fields=[(each["name"], each.get("type", "")) for each in _FIELDS.decode(fields)]
                if fields
                else [],
            )
        )
    return found


def version(database: Database, asset: str, number: int) -> VersionView | None:
    """Return a version by its number."""
    found = _versions(database, "WHERE a.name = ? AND v.number = ?", asset, number)
    return found[0] if found else None


def latest_version(database: Database, asset: str) -> VersionView | None:
    """Return the newest version of an asset."""
    found = _versions(database, "WHERE a.name = ? ORDER BY v.number DESC LIMIT 1", asset)
    return found[0] if found else None


def version_by_digest(database: Database, asset: str, alg: str, digest: bytes) -> VersionView | None:
    """Return the newest version of an asset that has this content."""
    if alg not in CODE:
        return None
    condition = (
        "WHERE n.short = ? AND n.digest = ? AND n.alg = ? AND a.name = ? ORDER BY v.number DESC LIMIT 1"
    )
    found = _versions(database, condition, short(digest), digest, CODE[alg], asset)
    return found[0] if found else None


def versions(database: Database, asset: str, *, limit: int = 1000) -> list[VersionView]:
    """Return the versions of an asset, newest first."""
    return _versions(database, "WHERE a.name = ? ORDER BY v.number DESC LIMIT ?", asset, limit)


def find_by_digest(database: Database, alg: str, digest: bytes) -> list[VersionView]:
    """Return every version that has this content, whoever claims it, first claims first."""
    if alg not in CODE:
        return []
    condition = "WHERE n.short = ? AND n.digest = ? AND n.alg = ? ORDER BY v.id"
    return _versions(database, condition, short(digest), digest, CODE[alg])


def registered(database: Database, asset: str) -> bool:
    """Tell whether anybody registered the asset."""
    query = "SELECT 1 FROM registration r JOIN asset a ON a.id = r.asset WHERE a.name = ?"
    return database.one(query, asset) is not None


def namespace_owner(database: Database, name: str) -> bytes | None:
    """Return the party that owns a namespace, None if it is nobody's."""
    owner: bytes | None = database.scalar(
        "SELECT p.address FROM namespace n JOIN party p ON p.id = n.party WHERE n.name = ? "
        "ORDER BY n.n DESC LIMIT 1",
        name,
    )
    return owner


def holder(database: Database, asset: str) -> bytes | None:
    """Return whom an asset was transferred to, else its namespace's owner; it need not be registered."""
    receiver: bytes | None = database.scalar(
        "SELECT p.address FROM asset a JOIN holder h ON h.asset = a.id JOIN party p ON p.id = h.party "
        "WHERE a.name = ? ORDER BY h.id DESC LIMIT 1",
        asset,
    )
    return receiver or namespace_owner(database, namespace_of(asset))


def asset(database: Database, name: str) -> AssetView | None:
    """Return what is known of an asset, None if nobody ever mentioned it."""
    asset_id = database.scalar("SELECT id FROM asset WHERE name = ?", name)
    if asset_id is None:
        return None
    query = (
        f"SELECT {WHERE_COLUMNS}, r.title, r.description, r.kind, r.license "  # noqa: S608
        f"FROM registration r JOIN entry e ON e.id = r.entry {WHERE_JOINS} WHERE r.asset = ?"
    )
    row = database.one(query, asset_id)
    holds = holder(database, name)
    title, description, kind, license_ = ("", "", "", "") if row is None else row[8:]
    return AssetView(
        name=name,
        holder=holds,
        holder_unknown=holds is not None and _awaits_transfer(database, name, holds),
        registration=None if row is None else Where(**where_members(row[:8], final_block(database))),
        title=title,
        description=description,
        kind=kind,
        license=license_,
        versions=database.scalar("SELECT count(*) FROM version WHERE asset = ?", asset_id),
        aliases=aliases(database, name),
    )


def _awaits_transfer(database: Database, asset: str, holder: bytes) -> bool:
    """Tell whether the holder posted a record against the asset that is not to be had."""
    target = target_of_asset(asset_digest(database.ledger_id, asset))
    posted = database.rows(
        "SELECT o.record FROM posting o JOIN party p ON p.id = o.party WHERE o.target = ? AND p.address = ?",
        target,
        holder,
    )
    return any(not is_known(database, record) for (record,) in posted)


def unposted_transfer(database: Database, asset: str, giver: bytes, receiver: bytes) -> bytes | None:
    """Return the record of an accepted, open-ended transfer between the two that is not posted yet."""
    record: bytes | None = database.scalar(_UNPOSTED_TRANSFER, asset, giver, receiver)
    return record


def unposted_revocation(database: Database, target: bytes, author: bytes) -> bytes | None:
    """Return the record of an accepted revocation of a record by this author that nobody has posted yet."""
    record: bytes | None = database.scalar(_UNPOSTED_REVOCATION, target, author)
    return record


def is_known(database: Database, record: bytes) -> bool:
    """Tell whether a record was accepted."""
    query = "SELECT 1 FROM entry WHERE short = ? AND record = ? AND verdict = ?"
    return database.one(query, short(record), record, ACCEPTED) is not None


def aliases(database: Database, asset: str) -> list[AliasView]:
    """Return the aliases of an asset."""
    return _aliases(database, "WHERE a.name = ?", asset)


def alias_of(database: Database, party: bytes, scheme: str, namespace: str, name: str) -> str | None:
    """Return the asset that an alias of this party means."""
    condition = "WHERE x.scheme = ? AND x.namespace = ? AND x.name = ? AND p.address = ?"
    found = _aliases(database, condition, scheme, namespace, name, party)
    return found[0].asset if found else None


def find_alias(database: Database, text: str) -> list[AliasView]:
    """Return every alias written SCHEME:NAME or SCHEME:NAMESPACE#NAME that is `text`, of whichever party."""
    scheme, _, rest = text.partition(":")
    found = _aliases(database, "WHERE x.scheme = ? AND x.namespace = '' AND x.name = ?", scheme, rest)
    at = rest.find("#")
    while at >= 0:  # namespaces and names may hold `#` too: every way to split is tried
        condition = "WHERE x.scheme = ? AND x.namespace = ? AND x.name = ?"
        found += _aliases(database, condition, scheme, rest[:at], rest[at + 1 :])
        at = rest.find("#", at + 1)
    return found


def _aliases(database: Database, condition: str, *params: object) -> list[AliasView]:
    query = (
        "SELECT a.name, p.address, x.scheme, x.namespace, x.name FROM alias x "  # noqa: S608 - ours
        f"JOIN asset a ON a.id = x.asset JOIN party p ON p.id = x.party {condition} ORDER BY x.id"
    )
    return [
        AliasView(asset=asset, party=party, scheme=scheme, namespace=namespace, name=name)
        for asset, party, scheme, namespace, name in database.rows(query, *params)
    ]


def activity_source(database: Database, party: bytes, run: str, source: str) -> bool:
    """Tell whether an activity of this party with this run id was recorded from this source."""
    rows = database.rows(
        "SELECT s.detail FROM activity a JOIN party p ON p.id = a.party JOIN step s ON s.activity = a.id "
        "WHERE a.run = ? AND p.address = ? AND s.detail IS NOT NULL",
        run,
        party,
    )
    return any(msgspec.json.decode(detail).get("source") == source for (detail,) in rows)


def activity(database: Database, record: bytes) -> ActivityView | None:
    """Return the activity that a record is about, with everything other records say of it."""
    found = database.scalar(
        "SELECT s.activity FROM entry e JOIN step s ON s.id = e.about AND e.kind = 4 "
        "WHERE e.short = ? AND e.record = ? AND e.verdict = 0",
        short(record),
        record,
    )
    return None if found is None else activity_by_id(database, found)


def activity_by_id(database: Database, activity_id: int) -> ActivityView:
    """Return an activity by its row id."""
    steps = database.rows(
        "SELECT e.record, s.outcome, c.value, s.detail, s.first_edge, s.next_edge FROM step s "
        "JOIN entry e ON e.id = s.entry JOIN text c ON c.id = s.component WHERE s.activity = ? ORDER BY s.id",
        activity_id,
    )
    found = database.one(
        "SELECT a.run, p.address FROM activity a JOIN party p ON p.id = a.party WHERE a.id = ?", activity_id
    )
    assert found is not None
    nodes: tuple[dict[int, None], dict[int, None]] = ({}, {})
    for *_, first, stop in steps:
        for output, source in database.rows(
            "SELECT output, input FROM edge WHERE id >= ? AND id < ? ORDER BY id", first, stop
        ):
            nodes[0][source] = nodes[1][output] = None
    for role, node in database.rows(
        "SELECT role, node FROM loose WHERE activity = ? ORDER BY id", activity_id
    ):
        nodes[0 if role == INPUT else 1][node] = None
    namespace, _, name = steps[-1][2].rpartition("\n")
    detail: dict[str, object] = {}
    for step in steps:
        detail |= msgspec.json.decode(step[3]) if step[3] else {}
    return ActivityView(
        run=found[0],
        party=found[1],
        component=name,
        component_namespace=namespace,
        outcome=OUTCOMES[steps[-1][1]],
        detail=detail,
        records=[step[0] for step in steps],
        inputs=[_resource(database, node) for node in nodes[0]],
        outputs=[_resource(database, node) for node in nodes[1]],
    )


def _resource(database: Database, node: int) -> ResourceView:
    row = database.one(
        "SELECT a.name, n.number, n.alg, n.digest, EXISTS (SELECT 1 FROM version v WHERE v.node = n.id) "
        "FROM node n JOIN asset a ON a.id = n.asset WHERE n.id = ?",
        node,
    )
    assert row is not None
    name, number, alg, digest, known = row
    shown = f"{name}@{number}" if number else name
    return ResourceView(name=shown, alg=ALGORITHMS[alg], digest=digest, registered=bool(known))


_UNPOSTED_TRANSFER = """
SELECT e.record FROM transfer t JOIN entry e ON e.id = t.entry JOIN asset a ON a.id = t.asset
JOIN party g ON g.id = t.giver JOIN party r ON r.id = t.receiver
WHERE a.name = ? AND g.address = ? AND r.address = ? AND t.anchor_before IS NULL
  AND NOT EXISTS (SELECT 1 FROM posting o WHERE o.record = e.record) ORDER BY t.id LIMIT 1
"""
_UNPOSTED_REVOCATION = """
SELECT e.record FROM revocation v JOIN entry e ON e.id = v.entry JOIN party p ON p.id = e.party
WHERE v.target = ? AND p.address = ?
  AND NOT EXISTS (SELECT 1 FROM posting o WHERE o.record = e.record) ORDER BY v.id LIMIT 1
"""
