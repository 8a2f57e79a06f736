"""Facts about rights in memory: records judged one by one by the real rules, and what was posted.

A `Book` is what an index or an evidence file knows as of the end of the current block, without either. Tests
write it line by line and ask; nothing in it is remembered that could be computed from the lines.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from hashlib import sha256
from typing import Any

from ledger.core import digests
from ledger.core.authority import Accepted, KeyState, Place, authorize
from ledger.core.dsse import record_id
from ledger.core.errors import Unauthorized
from ledger.core.identity import format_did, format_keyid
from ledger.core.negotiation import transition_findings
from ledger.core.postings import effective_block
from ledger.core.records import (
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Statement,
)
from ledger.core.records_rights import Terms
from ledger.core.rights_facts import Given, Source, Taken
from ledger.core.statement import build_statement
from ledger.core.terms import covers, taker_of, terms_of

CHAIN_ID = 1337
LEDGER = b"\x01" * 32
DAY_S = 86_400
START_S = 1_767_225_600  # 2026-01-01T00:00:00Z


def party(name: str) -> bytes:
    return sha256(name.encode()).digest()[:20]


def did(name: str) -> str:
    return format_did(CHAIN_ID, party(name))


def day(number: int) -> str:
    """A day of January 2026, from 0."""
    return f"2026-01-{number + 1:02}T00:00:00Z"


def at(number: float) -> int:
    """The same as nanoseconds."""
    return int((START_S + number * DAY_S) * 10**9)


class Book:
    """All that was said and posted; parties by name. Each line goes into the current block."""

    def __init__(self) -> None:
        self.block = 1
        self.lines: list[Given] = []
        self.posts: list[tuple[bytes, bytes, bytes, int]] = []  # author, target, record, block
        self.moves: dict[str, list[tuple[int, bytes]]] = {}  # asset -> (effective block, receiver)
        self.owners: dict[str, bytes] = {}
        self.made_from: dict[str, list[Source]] = {}
        self.contents: dict[str, tuple[str, str]] = {}
        self.missing: dict[bytes, bytes] = {}
        self.registered: dict[str, bytes] = {}
        self.followers: dict[bytes, bytes] = {}
        self.doubtful: set[str] = set()
        self._serial = 0

    # writing

    def next(self, blocks: int = 1) -> None:
        """Go on to a later block; one is a day."""
        self.block += blocks

    def resource(self, name: str) -> Resource:
        if "@" in name:
            digest = sha256(name.encode()).hexdigest()
            self.contents.setdefault(name, (digests.FILE, digest))
            return Resource(name, {digests.FILE: digest})
        return Resource(name, {digests.ASSET: digests.asset_digest(LEDGER, name)})

    def say(
        self, names: Sequence[str | Resource], type_: type[Predicate], by: str, /, **members: Any
    ) -> bytes:
        """Let somebody (several: `by` with spaces) say something; void where the rules refuse it."""
        self._serial += 1
        header = {
            "ledger": LEDGER.hex(),
            "logs": ["02" * 32],
            "authors": [did(each) for each in by.split()],
            "time": f"2025-01-01T00:{self._serial // 60:02}:{self._serial % 60:02}Z",
        }
        subject = [self.resource(each) if isinstance(each, str) else each for each in names]
        statement = Statement(subject, type_(**header, **members))
        record = record_id(build_statement(subject, statement.predicate))
        place = Place(LEDGER.hex(), CHAIN_ID, "02" * 32, self.block, self.time)
        void = ""
        try:
            authorize(statement, [format_keyid(did(each), b"k" * 32) for each in by.split()], place, self)
        except Unauthorized as error:
            void = f"{error.reason}: {error}"
        self.lines.append(Given(record, statement, self.block, self.time, void))
        if isinstance(statement.predicate, Registration):
            self.registered[subject[0].name] = record
        step = statement.predicate
        previous = step.previous if isinstance(step, Agreement | Delivery) else ""
        if previous and not transition_findings(statement, record, self):
            self.followers.setdefault(bytes.fromhex(previous), record)
        return record

    def register(self, asset: str, by: str, **members: Any) -> bytes:
        self.owners[asset.partition("/")[0]] = party(by)
        return self.say([asset], Registration, by, **members)

    def grant(
        self,
        by: str,
        to: str,
        *names: str,
        under: bytes = b"",
        terms: Terms | None = None,
        author: str = "",
        **more: Any,
    ) -> bytes:
        """Grant (by default the right to use); terms as one, or its members."""
        members = {"rights": ["use"]} | more
        return self.say(
            names or ["hold/a"],
            Grant,
            author or by,
            grantor=did(by),
            grantee=did(to) if to else "",
            under=under.hex(),
            terms=terms or Terms(**members),
        )

    def attest(self, by: str, kind: Any, *names: str, **members: Any) -> bytes:
        return self.say(names or ["hold/a"], Attestation, by, kind=kind, **members)

    def revoke(self, by: str, target: bytes, *, effective: str = "", posted: bool = True) -> bytes:
        given = self._line(target)
        record = self.say(given.statement.subject, Revocation, by, target=target.hex(), effective=effective)
        if posted:
            self.post(by.split(maxsplit=1)[0], target, record)
        return record

    def post(self, by: str, target: bytes, record: bytes) -> None:
        self.posts.append((party(by), target, record, self.block))

    def hand_over(self, asset: str, to: str) -> None:
        self.moves.setdefault(asset, []).append((self.block, party(to)))

    def withhold(self, name: str) -> None:
        self.missing[party(name)] = sha256(b"log" + name.encode()).digest()

    # asking

    @property
    def time(self) -> int:
        return START_S + self.block * DAY_S

    def _line(self, record: bytes) -> Given:
        return next(each for each in self.lines if each.record == record)

    def _accepted(self, *kinds: type[Predicate]) -> list[Given]:
        return [each for each in self.lines if isinstance(each.statement.predicate, kinds) and not each.void]

    def said(self, record: bytes) -> Statement | None:
        given = self.given(record)
        return None if given is None else given.statement

    def follower(self, record: bytes) -> bytes | None:
        return self.followers.get(record)

    def given(self, record: bytes) -> Given | None:
        kinds = (Grant, Agreement, Attestation, Registration)
        return next((each for each in self._accepted(*kinds) if each.record == record), None)

    def given_to(self, name: str, taker: bytes) -> list[Given]:
        found = []
        for each in self.lines:
            predicate = each.statement.predicate
            if terms_of(predicate) is not None and covers(each.statement.subject, name):
                assert isinstance(predicate, Grant | Agreement)
                if taker_of(predicate) in ("", format_did(CHAIN_ID, taker)):
                    found.append(each)
        return found

    def may_give(self, name: str) -> set[bytes]:
        parties = set(self.holders(name.partition("@")[0]))
        for each in self._accepted(Grant, Agreement):
            predicate = each.statement.predicate
            terms = terms_of(predicate)
            assert isinstance(predicate, Grant | Agreement)
            if terms is not None and terms.sublicensable and covers(each.statement.subject, name):
                parties.add(bytes.fromhex(taker_of(predicate)[-40:]))
        return parties

    def holders(self, asset: str) -> list[bytes]:
        owner = self.owners.get(asset.partition("/")[0])
        return ([owner] if owner else []) + [receiver for _, receiver in self.moves.get(asset, ())]

    def holder(self, asset: str, block: int | None = None) -> bytes | None:
        held = [receiver for since, receiver in self.moves.get(asset, ()) if block is None or since < block]
        return held[-1] if held else self.owners.get(asset.partition("/")[0])

    def held_at(self, asset: str, block: int) -> bytes | None:
        return self.holder(asset, block)

    def is_holder_known(self, asset: str) -> bool:
        return asset not in self.doubtful

    def registration(self, asset: str) -> bytes | None:
        return self.registered.get(asset)

    asset = registration

    def content(self, version: str) -> tuple[str, str] | None:
        return self.contents.get(version)

    def revocations(self, record: bytes) -> list[Taken]:
        return [taken for _, taken in self._effects(record)]

    def _effects(self, record: bytes) -> list[tuple[int, Taken]]:
        found = []
        for each in self._accepted(Revocation):
            predicate = each.statement.predicate
            assert isinstance(predicate, Revocation)
            if predicate.target == record.hex():
                authors = [bytes.fromhex(author[-40:]) for author in predicate.authors]
                block = effective_block(each.block, self.posted_block(each.record, record, authors))
                if block is not None:
                    found.append((block, Taken(each.record, predicate.effective)))
        return found

    def revoked_block(self, record: bytes) -> int | None:
        return min((block for block, _ in self._effects(record)), default=None)

    def posted_block(self, record: bytes, target: bytes, parties: Collection[bytes]) -> int | None:
        blocks = [b for by, t, r, b in self.posts if (t, r) == (target, record) and by in parties]
        return min(blocks, default=None)

    def unknown_posts(self, target: bytes, parties: Collection[bytes]) -> list[bytes]:
        known = {each.record for each in self.lines if not each.void}
        return [r for by, t, r, _ in self.posts if t == target and by in parties and r not in known]

    def attestations(self, kind: str, asset: str) -> list[Given]:
        return [
            each
            for each in self._accepted(Attestation)
            if each.statement.predicate.kind == kind  # type: ignore[union-attr]
            and any(resource.name.partition("@")[0] == asset for resource in each.statement.subject)
        ]

    def answers(self, record: bytes) -> list[Given]:
        return [
            each
            for each in self._accepted(Attestation)
            if each.statement.predicate.target == record.hex()  # type: ignore[union-attr]
        ]

    def sources(self, name: str) -> list[Source]:
        return self.made_from.get(name, [])

    def missing_logs(self, parties: Collection[bytes]) -> list[bytes]:
        return sorted(log for who, log in self.missing.items() if who in parties)

    # what `authority` asks beside that

    def key(self, identity: bytes, key: bytes) -> KeyState:
        return KeyState(0, 0, 2**62)

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        return None

    def deactivated_block(self, identity: bytes) -> int:
        return 0

    def namespace_owner(self, name: str, block: int) -> bytes | None:
        return self.owners.get(name)

    def version(self, asset: str, number: int) -> bytes | None:
        return None

    def record(self, record: bytes) -> Accepted | None:
        for each in self.lines:
            if each.record == record and not each.void:
                authors = [bytes.fromhex(author[-40:]) for author in each.statement.predicate.authors]
                return Accepted(type(each.statement.predicate), authors)
        return None
