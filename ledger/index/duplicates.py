"""Who claims the same: content, an alias, or to offer the same product. Nothing here says who is right."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ledger.core.digests import ASSET, DECLARED
from ledger.core.identity import parse_did
from ledger.core.records import Agreement, Grant
from ledger.core.terms import giver_of, taker_of, terms_of
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, ALGORITHMS
from ledger.index.queries import find_by_digest
from ledger.index.verification import decode_checked
from ledger.index.views import VersionView

Alias = tuple[str, str, str]
"""Scheme, namespace, name."""


class AliasClaim(Struct, frozen=True):
    """A party that declares an alias for an asset of its own, by the record that registers the asset."""

    alias: Alias
    asset: str
    party: bytes
    record: bytes


Role = Literal["operator", "offers"]


class Offer(Struct, frozen=True):
    """A party that was given `operate` on an asset, or that offered or gave other rights in it, by `record`.

    `revoked`: that was taken back.
    """

    asset: str
    party: bytes
    role: Role
    record: bytes
    revoked: bool = False


def same_content(database: Database, asset: str | None = None) -> list[list[VersionView]]:
    """Return the versions that have the same content by different parties: of one asset if named.

    Content is what was hashed; what is declared is not.
    """
    query, params = (_RIVALS, ()) if asset is None else (_CONTENT_OF, (asset,))
    found = []
    for alg, digest in database.rows(query, *params):
        if ALGORITHMS[alg] in (DECLARED, ASSET):
            continue
        claims = find_by_digest(database, ALGORITHMS[alg], digest)
        if len({each.party for each in claims}) > 1:
            found.append(claims)
    return found


def same_alias(database: Database, asset: str | None = None) -> list[list[AliasClaim]]:
    """Return the aliases that several parties declare: those of one asset if named."""
    names: list[Alias] = database.rows(_ALIASES) if asset is None else database.rows(_ALIASES_OF, asset)
    found = []
    for scheme, namespace, name in names:
        rows = database.rows(_DECLARED_BY, scheme, namespace, name)
        if len({party for _, party, _ in rows}) > 1:
            alias = (scheme, namespace, name)
            found.append([AliasClaim(alias, claimed, party, record) for claimed, party, record in rows])
    return found


def several_venues(database: Database, asset: str | None = None) -> list[list[Offer]]:
    """Return the assets that several parties may operate, or that several offered or gave to others."""
    names = [name for (name,) in database.rows(_OFFERED)] if asset is None else [asset]
    found = []
    for name in names:
        offers = offers_of(database, name)
        if any(sum(each.role == role for each in offers) > 1 for role in ("operator", "offers")):
            found.append(offers)
    return found


def offers_of(database: Database, asset: str) -> list[Offer]:
    """Return who offers an asset, and the first record that says so; each party once in a role.

    To give `operate` is not to offer it, but to let somebody else do so.
    """
    found: dict[tuple[bytes, str], Offer] = {}
    for record, payload, revoked in database.rows(_GIVEN, asset, ACCEPTED):
        predicate = decode_checked(payload).predicate
        assert isinstance(predicate, Grant | Agreement)
        terms = predicate.terms
        if terms is None or (isinstance(predicate, Agreement) and predicate.state == "REQUESTED"):
            continue
        operates = "operate" in terms.rights and terms_of(predicate) is not None
        party = taker_of(predicate) if operates else giver_of(predicate)
        role: Role = "operator" if operates else "offers"
        address = parse_did(party)[1] if party else b""
        known = found.get((address, role))
        if party and (known is None or (known.revoked and not revoked)):
            found[address, role] = Offer(asset, address, role, record, bool(revoked))
    return list(found.values())


# content claimed by a second party is a finding of the second claim: so all is found without looking at all
_RIVALS = """
SELECT DISTINCT n.alg, n.digest FROM finding f JOIN version v ON v.entry = f.entry
JOIN node n ON n.id = v.node WHERE f.kind = 'same-content-other-claimant' ORDER BY n.id
"""
_CONTENT_OF = """
SELECT DISTINCT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset
WHERE a.name = ? ORDER BY n.id
"""
_ALIASES = """
SELECT scheme, namespace, name FROM alias GROUP BY scheme, namespace, name HAVING count(DISTINCT party) > 1
"""
_ALIASES_OF = """
SELECT DISTINCT x.scheme, x.namespace, x.name FROM alias x JOIN asset a ON a.id = x.asset WHERE a.name = ?
"""
_DECLARED_BY = """
SELECT a.name, p.address, e.record FROM alias x JOIN asset a ON a.id = x.asset
JOIN party p ON p.id = x.party JOIN entry e ON e.id = x.entry
WHERE x.scheme = ? AND x.namespace = ? AND x.name = ? ORDER BY x.id
"""
_OFFERED = """
SELECT a.name FROM (
  SELECT asset FROM granted GROUP BY asset HAVING count(DISTINCT giver) > 1 OR count(DISTINCT taker) > 1
  UNION SELECT asset FROM agreed GROUP BY asset HAVING count(DISTINCT provider) > 1) o
JOIN asset a ON a.id = o.asset ORDER BY a.name
"""
_GIVEN = """
SELECT e.record, s.payload, EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record)
FROM (SELECT g.entry FROM asset a CROSS JOIN granted g ON g.asset = a.id WHERE a.name = ?1
  UNION SELECT d.entry FROM asset a CROSS JOIN agreed d ON d.asset = a.id WHERE a.name = ?1) o
JOIN entry e ON e.id = o.entry JOIN said s ON s.entry = e.id WHERE e.verdict = ?2 ORDER BY e.id
"""
