"""Every rule of authority: what it allows, and beside it what it refuses.

`World` is a ledger in a dictionary: chain 0x539, anchor in block 100 at time 5000.
"""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from ledger.core import digests
from ledger.core.authority import REASONS, RULES_VERSION, Accepted, Facts, KeyState, Place, authorize
from ledger.core.errors import Unauthorized
from ledger.core.identity import format_did, format_keyid
from ledger.core.names import namespace_of
from ledger.core.records import (
    PREDICATE_TYPES,
    Activity,
    Component,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Statement,
    Transfer,
    Version,
)
from ledger.core.statement import build_statement, parse_statement

CHAIN = 0x539
LEDGER, LOG, OTHER = "1a" * 32, "2b" * 32, "3c" * 32
BLOCK, TIME = 100, 5000
PLACE = Place(LEDGER, CHAIN, LOG, BLOCK, TIME)
ALICE, BOB, CAROL, DAVE = (bytes([number]) * 20 for number in (0xA1, 0xB0, 0xCA, 0xDA))
KEYS = {party: bytes([party[0]]) * 32 for party in (ALICE, BOB, CAROL, DAVE)}
GOOD = KeyState(BLOCK, 0, TIME)  # valid at the anchor and not a moment longer or before
FIRST, SECOND = b"\x01" * 32, b"\x02" * 32


class World:
    """Facts as they are at the anchor; each test changes one of them."""

    def __init__(self) -> None:
        self.keys = dict.fromkeys(KEYS.items(), GOOD)
        self.delegates: dict[tuple[bytes, str, bytes], KeyState] = {}
        self.deactivated: dict[bytes, int] = {}
        self.owners: dict[str, bytes] = {"acme": ALICE, "bee": BOB}
        self.holders: dict[str, bytes] = {}
        self.assets: dict[str, bytes] = {"acme/known": FIRST}
        self.versions: dict[tuple[str, int], bytes] = {("acme/known", 1): SECOND}
        self.records: dict[bytes, Accepted] = {FIRST: Accepted(Registration, [ALICE])}
        self.statements: dict[bytes, Statement] = {}
        self.followers: dict[bytes, bytes] = {}
        self.revoked: dict[bytes, int] = {}

    def key(self, identity: bytes, key: bytes) -> KeyState | None:
        return self.keys.get((identity, key))

    def delegate(self, identity: bytes, kind: str, delegate: bytes) -> KeyState | None:
        return self.delegates.get((identity, kind, delegate))

    def deactivated_block(self, identity: bytes) -> int:
        return self.deactivated.get(identity, 0)

    def namespace_owner(self, name: str, block: int) -> bytes | None:
        assert block == BLOCK
        return self.owners.get(name)

    def holder(self, asset: str, block: int) -> bytes | None:
        return self.holders.get(asset) or self.namespace_owner(namespace_of(asset), block)

    def asset(self, asset: str) -> bytes | None:
        return self.assets.get(asset)

    def version(self, asset: str, number: int) -> bytes | None:
        return self.versions.get((asset, number))

    def record(self, record_id: bytes) -> Accepted | None:
        return self.records.get(record_id)

    def said(self, record_id: bytes) -> Statement | None:
        return self.statements.get(record_id)

    def follower(self, record_id: bytes) -> bytes | None:
        return self.followers.get(record_id)

    def revoked_block(self, record_id: bytes) -> int | None:
        return self.revoked.get(record_id)


@pytest.fixture
def world() -> World:
    return World()


def did(party: bytes) -> str:
    return format_did(CHAIN, party)


def keyid(party: bytes, key: bytes | None = None) -> str:
    return format_keyid(did(party), key or KEYS[party])


def head(*authors: bytes) -> dict[str, Any]:
    return {
        "ledger": LEDGER,
        "logs": [LOG],
        "authors": [did(each) for each in authors],
        "time": "2025-01-31T12:00:00Z",
    }


def asset(name: str) -> Resource:
    return Resource(name, {digests.ASSET: digests.asset_digest(bytes.fromhex(LEDGER), name)})


def content(name: str) -> Resource:
    return Resource(name, {digests.FILE: "c0" * 32})


def made(subject: list[Resource], predicate: Predicate) -> Statement:
    return parse_statement(build_statement(subject, predicate))


def registration(*authors: bytes, name: str = "acme/new") -> Statement:
    return made([asset(name)], Registration(**head(*authors)))


def version(
    *authors: bytes, number: int = 2, name: str = "acme/known", previous: bytes = SECOND
) -> Statement:
    predicate = Version(**head(*authors), number=number, previous=previous.hex() if number > 1 else "")
    return made([content(f"{name}@{number}")], predicate)


def activity(
    *authors: bytes, outputs: tuple[str, ...] = ("acme/known@2",), outcome: Any = "completed"
) -> Statement:
    subject = [content(name) if "@" in name else asset(name) for name in outputs]
    if not outputs:
        subject = [Resource("run:r", {digests.RUN: digests.run_digest(bytes.fromhex(LEDGER), "r")})]
    predicate = Activity(**head(*authors), run_id="r", component=Component("x"), outcome=outcome)
    return made(subject, predicate)


def transfer(*authors: bytes, giver: bytes = ALICE, receiver: bytes = BOB, **more: Any) -> Statement:
    predicate = Transfer(**head(*authors), giver=did(giver), receiver=did(receiver), **more)
    return made([asset("acme/known")], predicate)


def revocation(*authors: bytes, target: bytes = FIRST) -> Statement:
    return made([asset("acme/known")], Revocation(**head(*authors), target=target.hex()))


def allowed(world: Facts, statement: Statement, *signers: bytes | str, place: Place = PLACE) -> None:
    keyids = [each if isinstance(each, str) else keyid(each) for each in signers]
    authorize(statement, keyids, place, world)


def refused(world: Facts, statement: Statement, *signers: bytes | str, place: Place = PLACE) -> str:
    with pytest.raises(Unauthorized) as caught:
        allowed(world, statement, *signers, place=place)
    assert caught.value.reason in REASONS
    assert str(caught.value)
    return caught.value.reason


# ledger and log


def test_ledger_and_log(world: World) -> None:
    allowed(world, registration(ALICE), ALICE)


def test_foreign_ledger(world: World) -> None:
    assert (
        refused(world, registration(ALICE), ALICE, place=msgspec.structs.replace(PLACE, ledger=OTHER))
        == "wrong-ledger"
    )


def test_foreign_log(world: World) -> None:
    assert (
        refused(world, registration(ALICE), ALICE, place=msgspec.structs.replace(PLACE, log=OTHER))
        == "wrong-log"
    )


def test_any_of_the_logs_named(world: World) -> None:
    predicate = Registration(**{**head(ALICE), "logs": [OTHER, LOG]})
    allowed(world, made([asset("acme/new")], predicate), ALICE)


def test_author_of_another_chain(world: World) -> None:
    predicate = Registration(**{**head(), "authors": [format_did(1, ALICE)]})
    assert refused(world, made([asset("acme/new")], predicate), ALICE) == "wrong-ledger"


def test_signer_of_another_chain(world: World) -> None:
    stranger = format_keyid(format_did(1, ALICE), KEYS[ALICE])
    assert refused(world, registration(ALICE), stranger) == "wrong-ledger"


# keys: valid exactly at the anchor, see GOOD


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (KeyState(BLOCK, 0, TIME), ""),
        (KeyState(BLOCK + 1, 0, TIME), "key-not-yet-valid"),  # backdated: published after the anchor
        (KeyState(1, BLOCK + 1, TIME), ""),  # revoked later: what was said before stands
        (KeyState(1, BLOCK, TIME), "key-revoked"),
        (KeyState(1, BLOCK - 1, TIME), "key-revoked"),
        (KeyState(BLOCK, BLOCK, TIME), "key-revoked"),
        (KeyState(1, 0, TIME - 1), "key-expired"),
        (None, "key-unknown"),
    ],
)
def test_keys(world: World, state: KeyState | None, reason: str) -> None:
    del world.keys[ALICE, KEYS[ALICE]]
    if state is not None:
        world.keys[ALICE, KEYS[ALICE]] = state
    if reason:
        assert refused(world, registration(ALICE), ALICE) == reason
    else:
        allowed(world, registration(ALICE), ALICE)


def test_another_partys_key(world: World) -> None:
    assert refused(world, registration(ALICE), keyid(ALICE, KEYS[BOB])) == "key-unknown"


@pytest.mark.parametrize(("block", "reason"), [(0, ""), (BLOCK + 1, ""), (BLOCK, "x"), (BLOCK - 1, "x")])
def test_deactivated_author(world: World, block: int, reason: str) -> None:
    world.deactivated[ALICE] = block
    if reason:
        assert refused(world, registration(ALICE), ALICE) == "identity-deactivated"
    else:
        allowed(world, registration(ALICE), ALICE)


# delegates


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        (KeyState(BLOCK, 0, TIME), ""),
        (KeyState(1, BLOCK + 1, TIME), ""),
        (KeyState(BLOCK + 1, 0, TIME), "delegate-not-yet-valid"),
        (KeyState(1, BLOCK, TIME), "delegate-revoked"),
        (KeyState(1, 0, TIME - 1), "delegate-expired"),
        (None, "foreign-signature"),
    ],
)
def test_delegates(world: World, state: KeyState | None, reason: str) -> None:
    if state is not None:
        world.delegates[ALICE, "record", DAVE] = state
    if reason:
        assert refused(world, registration(ALICE), DAVE) == reason
    else:
        allowed(world, registration(ALICE), DAVE)


def test_delegate_of_the_wrong_type(world: World) -> None:
    world.delegates[ALICE, "anchor", DAVE] = GOOD
    assert refused(world, registration(ALICE), DAVE) == "foreign-signature"


def test_delegation_is_no_two_way_street(world: World) -> None:
    world.delegates[DAVE, "record", ALICE] = GOOD
    assert refused(world, registration(ALICE), DAVE) == "foreign-signature"


def test_delegate_of_a_delegate(world: World) -> None:
    world.delegates[ALICE, "record", BOB] = GOOD
    world.delegates[BOB, "record", DAVE] = GOOD
    assert refused(world, registration(ALICE), DAVE) == "foreign-signature"


def test_delegates_key_must_be_valid_too(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    world.keys[DAVE, KEYS[DAVE]] = KeyState(1, BLOCK, TIME)
    assert refused(world, registration(ALICE), DAVE) == "key-revoked"


def test_deactivated_delegate(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    world.deactivated[DAVE] = BLOCK
    assert refused(world, registration(ALICE), DAVE) == "identity-deactivated"


def test_delegate_of_a_deactivated_author(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    world.deactivated[ALICE] = BLOCK
    assert refused(world, registration(ALICE), DAVE) == "identity-deactivated"


def test_delegate_of_the_second_author(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = KeyState(1, BLOCK, TIME)
    world.delegates[BOB, "record", DAVE] = GOOD
    allowed(world, registration(ALICE, BOB), ALICE, DAVE)


# one signature an author


def test_two_authors(world: World) -> None:
    allowed(world, registration(ALICE, BOB), ALICE, BOB)
    allowed(world, registration(ALICE, BOB), BOB, ALICE)


def test_missing_co_signature(world: World) -> None:
    assert refused(world, registration(ALICE, BOB), ALICE) == "unsigned-author"
    assert refused(world, registration(ALICE, BOB), BOB) == "unsigned-author"


def test_no_signature(world: World) -> None:
    assert refused(world, registration(ALICE)) == "unsigned-author"


def test_surplus_signature(world: World) -> None:
    assert refused(world, registration(ALICE), ALICE, BOB) == "foreign-signature"
    assert refused(world, registration(ALICE), BOB) == "foreign-signature"


def test_surplus_signature_of_the_author(world: World) -> None:
    world.keys[ALICE, b"\x77" * 32] = GOOD
    allowed(world, registration(ALICE), keyid(ALICE, b"\x77" * 32))
    assert refused(world, registration(ALICE), ALICE, keyid(ALICE, b"\x77" * 32)) == "foreign-signature"


def test_surplus_signature_of_a_delegate(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    assert refused(world, registration(ALICE), ALICE, DAVE) == "foreign-signature"


def test_one_delegate_cannot_sign_once_for_two(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    world.delegates[BOB, "record", DAVE] = GOOD
    assert refused(world, registration(ALICE, BOB), DAVE) == "unsigned-author"
    allowed(world, registration(ALICE, BOB), DAVE, BOB)
    world.keys[DAVE, b"\x77" * 32] = GOOD
    allowed(world, registration(ALICE, BOB), DAVE, keyid(DAVE, b"\x77" * 32))


def test_delegates_are_matched_whatever_their_order(world: World) -> None:
    world.delegates[ALICE, "record", CAROL] = GOOD
    world.delegates[BOB, "record", CAROL] = GOOD
    world.delegates[ALICE, "record", DAVE] = GOOD
    allowed(world, registration(ALICE, BOB), CAROL, DAVE)
    allowed(world, registration(ALICE, BOB), DAVE, CAROL)
    del world.delegates[BOB, "record", CAROL]
    assert refused(world, registration(ALICE, BOB), CAROL, DAVE) == "unsigned-author"


def test_revoked_delegate_does_not_cover(world: World) -> None:
    world.delegates[ALICE, "record", DAVE] = GOOD
    world.delegates[BOB, "record", DAVE] = KeyState(1, BLOCK, TIME)
    assert refused(world, registration(ALICE, BOB), ALICE, DAVE) == "unsigned-author"


# registration


def test_registration_by_any_of_the_authors(world: World) -> None:
    allowed(world, registration(BOB, ALICE), BOB, ALICE)


@pytest.mark.parametrize("name", ["bee/new", "nobody/new", "acme.europe/new"])
def test_registration_in_a_namespace_of_others(world: World, name: str) -> None:
    assert refused(world, registration(ALICE, name=name), ALICE) == "not-namespace-owner"


def test_registration_by_a_holder_who_owns_no_namespace(world: World) -> None:
    world.holders["acme/new"] = BOB
    assert refused(world, registration(BOB), BOB) == "not-namespace-owner"
    allowed(world, registration(ALICE), ALICE)


def test_second_registration(world: World) -> None:
    assert refused(world, registration(ALICE, name="acme/known"), ALICE) == "already-registered"


# version


def test_versions_follow_one_another(world: World) -> None:
    allowed(world, version(ALICE), ALICE)
    del world.versions["acme/known", 1]
    allowed(world, version(ALICE, number=1), ALICE)


def test_version_by_another(world: World) -> None:
    assert refused(world, version(BOB), BOB) == "not-holder"


def test_version_by_the_receiver_of_the_asset(world: World) -> None:
    world.holders["acme/known"] = BOB
    allowed(world, version(BOB), BOB)
    assert refused(world, version(ALICE), ALICE) == "not-holder"


def test_version_of_an_unknown_asset(world: World) -> None:
    assert refused(world, version(ALICE, name="acme/new", number=1), ALICE) == "asset-unknown"


def test_duplicate_number(world: World) -> None:
    assert refused(world, version(ALICE, number=1), ALICE) == "version-exists"
    world.versions["acme/known", 2] = FIRST
    assert refused(world, version(ALICE, number=2), ALICE) == "version-exists"


def test_gap(world: World) -> None:
    assert refused(world, version(ALICE, number=3), ALICE) == "version-gap"
    del world.versions["acme/known", 1]
    assert refused(world, version(ALICE, number=2), ALICE) == "version-gap"


def test_wrong_predecessor(world: World) -> None:
    assert refused(world, version(ALICE, previous=FIRST), ALICE) == "wrong-predecessor"


# activity


def test_activity(world: World) -> None:
    allowed(world, activity(ALICE), ALICE)
    allowed(world, activity(ALICE, outputs=("acme/known@2", "acme/other@1")), ALICE)
    allowed(world, activity(ALICE, outputs=("acme/planned",), outcome="failed"), ALICE)


def test_activity_with_an_output_of_others(world: World) -> None:
    assert refused(world, activity(ALICE, outputs=("acme/known@2", "bee/x@1")), ALICE) == "not-holder"
    assert refused(world, activity(ALICE, outputs=("nobody/x@1",)), ALICE) == "not-holder"
    assert refused(world, activity(ALICE, outputs=("bee/x",), outcome="failed"), ALICE) == "not-holder"
    allowed(world, activity(ALICE, BOB, outputs=("acme/known@2", "bee/x@1")), ALICE, BOB)


def test_anyone_may_speak_of_an_own_run(world: World) -> None:
    allowed(world, activity(CAROL, outputs=()), CAROL)


# transfer


def test_transfer(world: World) -> None:
    allowed(world, transfer(ALICE), ALICE)
    allowed(world, transfer(BOB, ALICE), BOB, ALICE)


def test_transfer_by_one_who_does_not_hold(world: World) -> None:
    assert refused(world, transfer(BOB, giver=BOB, receiver=CAROL), BOB) == "not-holder"
    world.holders["acme/known"] = BOB
    assert refused(world, transfer(ALICE), ALICE) == "not-holder"
    allowed(world, transfer(BOB, giver=BOB, receiver=CAROL), BOB)


def test_the_holder_among_the_authors_is_not_enough(world: World) -> None:
    assert refused(world, transfer(ALICE, BOB, giver=BOB, receiver=CAROL), ALICE, BOB) == "not-holder"


def test_transfer_of_an_unknown_asset(world: World) -> None:
    world.assets.clear()
    assert refused(world, transfer(ALICE), ALICE) == "asset-unknown"


@pytest.mark.parametrize(("before", "reason"), [(BLOCK + 1, ""), (BLOCK, "x"), (1, "x")])
def test_transfer_in_time(world: World, before: int, reason: str) -> None:
    if reason:
        assert refused(world, transfer(ALICE, anchor_before=before), ALICE) == "anchored-too-late"
    else:
        allowed(world, transfer(ALICE, anchor_before=before), ALICE)


def test_transfer_to_nobody(world: World) -> None:
    world.deactivated[BOB] = BLOCK
    assert refused(world, transfer(ALICE), ALICE) == "identity-deactivated"
    world.deactivated[BOB] = BLOCK + 1
    allowed(world, transfer(ALICE), ALICE)


def test_transfer_to_another_chain(world: World) -> None:
    predicate = Transfer(**head(ALICE), giver=did(ALICE), receiver=format_did(1, BOB))
    assert refused(world, made([asset("acme/known")], predicate), ALICE) == "wrong-ledger"


# revocation


def test_revocation(world: World) -> None:
    allowed(world, revocation(ALICE), ALICE)


def test_revocation_by_one_of_several(world: World) -> None:
    world.records[FIRST] = Accepted(Activity, [ALICE, BOB])
    allowed(world, revocation(BOB), BOB)
    allowed(world, revocation(BOB, ALICE), BOB, ALICE)


def test_revocation_by_others(world: World) -> None:
    assert refused(world, revocation(BOB), BOB) == "not-author"
    assert refused(world, revocation(ALICE, BOB), ALICE, BOB) == "not-author"


def test_revocation_of_the_unknown(world: World) -> None:
    assert refused(world, revocation(ALICE, target=SECOND), ALICE) == "target-unknown"


@pytest.mark.parametrize("kind", [Transfer, Revocation])
def test_not_revocable(world: World, kind: type[Predicate]) -> None:
    world.records[FIRST] = Accepted(kind, [ALICE])
    assert refused(world, revocation(ALICE), ALICE) == "not-revocable"


# as a whole


def test_every_type_has_a_rule() -> None:
    from ledger.core import authority

    assert set(authority._RULES) == set(PREDICATE_TYPES.values())


def test_the_version_of_the_rules() -> None:
    assert RULES_VERSION == 3
