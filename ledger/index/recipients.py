"""Who was given data: by grants, by agreements that became FINALIZED, by deliveries. Ended or not.

Takers are counted over row ids; the records themselves are read for those only that are to be shown.
"""

from __future__ import annotations

from collections import Counter
from typing import Literal

from msgspec import Struct

from ledger.core.records import Agreement
from ledger.core.terms import terms_of
from ledger.index.database import Database
from ledger.index.kinds import ACCEPTED, RECORD_TYPES, UNVERSIONED
from ledger.index.lineage import hydrate
from ledger.index.said_rows import EVERYBODY
from ledger.index.verification import decode_checked

What = Literal["grant", "agreement", "delivery"]

_AGREEMENT = RECORD_TYPES.index("agreement")


class Reached(Struct, frozen=True):
    """What was reached: the names of assets by row id, and the names of versions."""

    names: dict[int, str]
    versions: set[str]

    def name(self, asset: int, number: int) -> str:
        """Return the name of an asset, or of a version of it; empty for a version that was not reached."""
        if number == UNVERSIONED:
            return self.names[asset]
        version = f"{self.names[asset]}@{number}"
        return version if version in self.versions else ""


class Given(Struct, frozen=True):
    """A record that gave `taker` (None: everybody) something of what is affected.

    `names` are the assets and versions meant; `until` is the first moment at which it does not count any
    more, `revoked` says that it was taken back.
    """

    record: bytes
    kind: What
    giver: bytes
    taker: bytes | None
    names: list[str]
    block: int
    until: str = ""
    revoked: bool = False


class Recipients:
    """Who was given what was reached: how many records gave it to whom (row ids), and the records."""

    def __init__(self, database: Database, reached: Reached, block: int) -> None:
        self._database = database
        self._block = block
        self._names: dict[int, list[str]] = {}
        self._kinds: dict[int, What] = {}
        self._public: set[int] = set()
        self.grantees: Counter[int] = Counter()
        self.buyers: Counter[int] = Counter()
        self.recipients: Counter[int] = Counter()
        assets = list(reached.names)
        self._count_granted(reached, assets)
        for entry, asset, number, taker in hydrate(database, _DELIVERED, assets, block):
            if name := reached.name(asset, number):
                self._note(entry, name, "delivery", taker, self.recipients)

    @property
    def records(self) -> int:
        """How many records there are."""
        return len(self._kinds)

    def _count_granted(self, reached: Reached, assets: list[int]) -> None:
        rows = [
            (entry, kind, name, taker)
            for entry, kind, asset, number, taker in hydrate(
                self._database, _GRANTED, assets, ACCEPTED, self._block
            )
            if (name := reached.name(asset, number))
        ]
        agreed = list({entry for entry, kind, _, _ in rows if kind == _AGREEMENT})
        steps = hydrate(self._database, _FINAL, agreed, self._block)
        final = {entry for entry, payload in steps if _is_final(payload)}
        for entry, kind, name, taker in rows:
            if kind != _AGREEMENT:
                self._note(entry, name, "grant", taker, self.grantees)
            elif entry in final:
                self._note(entry, name, "agreement", taker, self.buyers)

    def _note(self, entry: int, name: str, kind: What, taker: int, takers: Counter[int]) -> None:
        known = self._names.get(entry)
        if known is not None:
            known.append(name)
            return
        self._names[entry] = [name]
        self._kinds[entry] = kind
        if taker == EVERYBODY:
            self._public.add(entry)
        else:
            takers[taker] += 1

    def listed(self, most: int) -> list[Given]:
        """Return the records, at most so many, in the order of judgement; those to everybody come first."""
        entries = sorted(self._kinds, key=lambda entry: (entry not in self._public, entry))[:most]
        return [
            Given(
                record,
                self._kinds[entry],
                giver,
                taker,
                self._names[entry],
                block,
                _until(until, payload),
                bool(revoked),
            )
            for query in (_GIVEN, _GIVEN_BY_DELIVERY)
            for entry, record, giver, taker, block, until, revoked, payload in hydrate(
                self._database,
                query,
                [each for each in entries if (self._kinds[each] == "delivery") == (query is not _GIVEN)],
                self._block,
            )
        ]


def _is_final(payload: bytes) -> bool:
    """Tell whether a step is FINALIZED; SQLite does not know members whose names are spelled with escapes."""
    if b"\\u" not in payload:
        return True  # the query saw to it
    step = decode_checked(payload).predicate
    return isinstance(step, Agreement) and step.state == "FINALIZED"


def _until(text: str | None, payload: bytes) -> str:
    """Return when terms end, likewise: by what the query found unless there are escapes."""
    if b"\\u" not in payload:
        return text or ""
    terms = terms_of(decode_checked(payload).predicate)
    return terms.until if terms is not None else ""


_GRANTED = """
SELECT g.entry, e.kind, g.asset, g.number, g.taker FROM json_each(?1) j
CROSS JOIN granted g ON g.asset = j.value JOIN entry e ON e.id = g.entry
WHERE e.verdict = ?2 AND g.block <= ?3
"""
_DELIVERED = """
SELECT d.entry, d.asset, d.number, d.taker FROM json_each(?1) j
CROSS JOIN delivered d ON d.asset = j.value AND d.sent = 1 WHERE d.block <= ?2
"""
# those of these steps whose negotiation went on to FINALIZED
_FINAL = """
WITH RECURSIVE steps(first, entry) AS (
  SELECT value, value FROM json_each(?1)
  UNION SELECT t.first, s.entry FROM steps t JOIN entry e ON e.id = t.entry
    JOIN said s ON s.previous = e.record AND s.block <= ?2)
SELECT t.first, s.payload FROM steps t JOIN said s ON s.entry = t.entry
WHERE CAST(s.payload AS TEXT) ->> '$.predicate.state' = 'FINALIZED'
  OR instr(s.payload, CAST('\\u' AS BLOB)) > 0
"""
_GIVEN = """
SELECT e.id, e.record, giver.address, taker.address, e.block,
  CAST(s.payload AS TEXT) ->> '$.predicate.terms.until',
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2), s.payload
FROM json_each(?1) j CROSS JOIN entry e ON e.id = j.value JOIN said s ON s.entry = e.id
JOIN granted g ON g.id = (SELECT min(h.id) FROM granted h WHERE h.entry = e.id)
JOIN party giver ON giver.id = g.giver LEFT JOIN party taker ON taker.id = g.taker
"""
_GIVEN_BY_DELIVERY = """
SELECT e.id, e.record, giver.address, taker.address, e.block, '',
  EXISTS (SELECT 1 FROM revoked x WHERE x.target = e.record AND x.block <= ?2), x''
FROM json_each(?1) j CROSS JOIN entry e ON e.id = j.value
JOIN delivered d ON d.id = (SELECT min(h.id) FROM delivered h WHERE h.entry = e.id)
JOIN party giver ON giver.id = d.giver JOIN party taker ON taker.id = d.taker
"""
