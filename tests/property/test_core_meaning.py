"""Names, identities, descriptors and statements: what is written is read back, and nothing else escapes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.core import digests, identity, names, text
from ledger.core.descriptor import parse_descriptor
from ledger.core.errors import FormatError
from ledger.core.money import EXPONENTS
from ledger.core.records import (
    Activity,
    Agreement,
    Alias,
    Attachment,
    Attestation,
    ColumnEdge,
    Component,
    Delivery,
    Edge,
    Field,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Settlement,
    Statement,
    Transfer,
    Version,
)
from ledger.core.records_rights import Condition, Money, Payout, Terms
from ledger.core.region_rules import parse_region_rules
from ledger.core.statement import build_statement, parse_statement

labels = st.from_regex(r"[a-z0-9](?:[a-z0-9-]{0,20}[a-z0-9])?", fullmatch=True)
namespaces = st.lists(labels, min_size=1, max_size=4).map(".".join)
segments = st.from_regex(r"[a-z0-9_][a-z0-9._-]{0,20}", fullmatch=True)
assets = st.builds(
    lambda head, tail: "/".join([head, *tail]), namespaces, st.lists(segments, min_size=1, max_size=4)
)
numbers = st.integers(1, names.MAX_NUMBER)
hexes = st.binary(min_size=32, max_size=32).map(bytes.hex)
parties = st.builds(identity.format_did, st.integers(1, 2**256 - 1), st.binary(min_size=20, max_size=20))
lines = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=30).filter(
    lambda each: text._LINE.search(each) is not None
)
texts = st.lists(lines, min_size=1, max_size=3).map("\n\t".join)
times = st.datetimes().map(lambda each: each.isoformat().split(".")[0] + "Z")
optional = st.just("")


def refusal(read: Callable[[Any], object], given_input: Any) -> str:
    """Give the message of the FormatError, empty if the input is accepted; anything else escapes."""
    try:
        read(given_input)
    except FormatError as error:
        return str(error)
    return ""


@given(
    assets, numbers, hexes, hexes, st.sampled_from(names.REFERENCE_DIGESTS), st.booleans(), st.integers(0, 3)
)
def test_references(
    asset: str, number: int, digest: str, ledger: str, name: str, is_global: bool, kind: int
) -> None:
    reference = names.Reference(
        asset,
        number=number if kind == 1 else None,
        digest=(name, digest) if kind == 2 else None,
        latest=kind == 3,
        ledger=ledger if is_global else None,
    )
    assert names.parse_reference(str(reference)) == reference
    assert names.parse_version(names.format_version(asset, number)) == (asset, number)
    assert names.namespace_of(asset) + asset[asset.index("/") :] == asset


@given(st.one_of(st.text(), st.text("ab.-/_@0123:"), st.from_regex(names._ASSET)))
def test_any_text_as_a_name(given_text: str) -> None:
    for read in (names.parse_reference, names.parse_version, names.check_asset, names.check_namespace):
        message = refusal(read, given_text)
        assert len(message) < 500
        assert not message or message.isprintable()
    if not refusal(names.parse_reference, given_text):
        assert str(names.parse_reference(given_text)) == given_text


@given(parties, st.binary(min_size=32, max_size=32))
def test_identities(did: str, key: bytes) -> None:
    assert identity.format_did(*identity.parse_did(did)) == did
    keyid = identity.format_keyid(did, key)
    assert identity.parse_keyid(keyid) == (did, key)


@given(st.one_of(st.text(), st.text("did:ethr0x1#")))
def test_any_text_as_an_identity(given_text: str) -> None:
    assert len(refusal(identity.parse_did, given_text)) < 500
    assert len(refusal(identity.parse_keyid, given_text)) < 500


@given(st.binary(max_size=300))
def test_any_bytes_as_region_rules(data: bytes) -> None:
    assert len(refusal(parse_region_rules, data)) < 1000


@given(st.binary(max_size=300))
def test_any_bytes_as_a_descriptor(data: bytes) -> None:
    assert len(refusal(parse_descriptor, data)) < 1000


headers = st.fixed_dictionaries(
    {
        "ledger": hexes,
        "logs": st.lists(hexes, min_size=1, max_size=3, unique=True),
        "authors": st.lists(parties, min_size=1, max_size=3, unique=True),
        "time": times,
        "attachments": st.lists(
            st.one_of(
                st.builds(Attachment, lines, lines, hexes.map(lambda each: {digests.SEALED: each})),
                st.builds(
                    Attachment,
                    lines,
                    lines,
                    hexes.map(lambda each: {digests.FILE: each}),
                    st.integers(0, 2**53 - 1),
                ),
            ),
            max_size=2,
        ),
    }
)
versions = st.builds(
    lambda asset, number, name, digest: Resource(f"{asset}@{number}", {name: digest}),
    assets,
    numbers,
    st.sampled_from([digests.FILE, digests.TREE, digests.DECLARED]),
    hexes,
)


moneys = st.builds(Money, st.sampled_from(sorted(EXPONENTS)), st.integers(0, 2**53 - 1))
labels_of = st.lists(lines, max_size=3, unique=True)
regions = st.lists(st.sampled_from(["CN", "CN-44", "DE-BY", "US"]), max_size=3, unique=True)
terms = st.builds(
    Terms,
    rights=st.lists(st.sampled_from(["hold", "use", "operate"]), min_size=1, unique=True),
    purposes=labels_of,
    regions=regions,
    until=optional | times,
    level=st.sampled_from([None, "general", "important", "core"]),
    share_bps=st.integers(0, 10_000),
    sublicensable=st.booleans(),
    price_cap=st.none() | moneys,
    free_for=labels_of,
    conditions=st.lists(
        st.builds(
            Condition,
            st.sampled_from(["notice", "review"]),
            lines,
            st.lists(parties, max_size=2, unique=True),
            st.none() | st.integers(1, 36_600),
        ),
        max_size=2,
    ),
    arbiter=optional | parties,
)


@st.composite
def rights_statements(draw: st.DrawFn) -> tuple[list[Resource], Predicate]:
    """Records about rights; the first author gives, pays or attests, a second one takes."""
    head: dict[str, Any] = draw(headers)
    giver = head["authors"][0]
    named = parties.filter(lambda each: each != giver and any(identity.parse_did(each)[1]))
    assume(any(identity.parse_did(giver)[1]))
    taker = draw(named)
    subject = draw(st.lists(versions, min_size=1, max_size=3, unique_by=lambda each: each.name))
    kind = draw(st.sampled_from([Grant, Agreement, Delivery, Settlement, Attestation]))
    if kind is Grant:
        return subject, Grant(
            **head,
            grantor=giver,
            grantee=draw(optional | st.just(taker)),
            terms=draw(terms),
            under=draw(optional | hexes),
            anchor_before=draw(st.none() | numbers),
        )
    if kind is Agreement:
        return subject, Agreement(
            **head,
            negotiation=draw(lines),
            provider=giver,
            consumer=taker,
            state="OFFERED",
            previous=draw(optional | hexes),
            terms=draw(terms),
            unit="row",
            unit_price=draw(st.none() | moneys),
        )
    if kind is Delivery:
        return subject, Delivery(
            **head,
            process=draw(lines),
            agreement=draw(hexes),
            state="COMPLETED",
            previous=draw(optional | hexes),
            units=draw(st.integers(0, 2**53 - 1)),
            purpose=draw(optional | lines),
            region="CN",
            charged=draw(st.none() | moneys),
        )
    if kind is Settlement:
        amounts = draw(st.lists(st.integers(0, 2**50), min_size=1, max_size=3))
        to = draw(st.lists(parties, min_size=len(amounts), max_size=len(amounts), unique=True))
        return subject[:1], Settlement(
            **head,
            payer=giver,
            total=Money("JPY", sum(amounts)),
            as_of=draw(st.integers(0, 2**53 - 1)),
            payouts=[Payout(*each) for each in zip(to, amounts, strict=True)],
            under=draw(optional | hexes),
        )
    return subject, Attestation(
        **head,
        kind="notice",
        topic=draw(lines),
        description=draw(optional | texts),
        target=draw(optional | hexes),
        to=draw(st.lists(parties, max_size=3, unique=True)),
        due=draw(optional | times),
    )


@st.composite
def statements(draw: st.DrawFn) -> tuple[list[Resource], Predicate]:
    head: dict[str, Any] = draw(headers)
    asset = draw(assets)
    ledger = bytes.fromhex(head["ledger"])
    subject = [Resource(asset, {digests.ASSET: digests.asset_digest(ledger, asset)})]
    kind = draw(st.sampled_from([Registration, Version, Transfer, Activity, Revocation]))
    if kind is Registration:
        aliases = draw(
            st.lists(st.builds(Alias, lines, lines, lines), max_size=2, unique_by=msgspec.structs.astuple)
        )
        return subject, Registration(
            **head, title=draw(optional | lines), description=draw(optional | texts), aliases=aliases
        )
    if kind is Version:
        number = draw(numbers)
        description = draw(optional | texts)
        digest = {digests.FILE: draw(hexes)}
        if description:
            digest = {digests.DECLARED: digests.declared_digest(ledger, asset, description)}
        return [Resource(f"{asset}@{number}", digest)], Version(
            **head,
            number=number,
            previous=draw(hexes) if number > 1 else "",
            size=draw(st.none() | st.integers(0, 2**53 - 1)),
            fields=draw(st.lists(st.builds(Field, lines, lines), max_size=3)),
            declared=description,
        )
    if kind is Transfer:
        giver = head["authors"][0]
        return subject, Transfer(
            **head,
            giver=giver,
            receiver=draw(parties.filter(lambda each: each != giver and each[-40:].strip("0"))),
        )
    if kind is Revocation:
        return subject, Revocation(**head, target=draw(hexes), reason=draw(optional | texts))
    outputs = draw(st.lists(versions, min_size=1, max_size=3, unique_by=lambda each: each.name))
    inputs = draw(st.lists(versions, min_size=1, max_size=3, unique_by=lambda each: each.name))
    ends = st.tuples(st.integers(0, len(outputs) - 1), st.integers(0, len(inputs) - 1))
    pairs = draw(st.lists(ends, max_size=3, unique=True))
    return outputs, Activity(
        **head,
        run_id=draw(lines),
        component=Component(draw(lines), version=draw(optional | lines)),
        outcome=draw(st.sampled_from(["completed", "failed", "aborted", "running"])),
        inputs=inputs,
        edges=[Edge(output, source, draw(st.integers(1, 7))) for output, source in pairs],
        changed=sorted({source for _, source in pairs}),
        columns=[ColumnEdge(output, draw(optional | lines), source, "") for output, source in pairs],
        started=draw(optional | times),
    )


@given(statements() | rights_statements())
def test_statements(made: tuple[list[Resource], Predicate]) -> None:
    subject, predicate = made
    payload = build_statement(subject, predicate)
    assert parse_statement(payload) == Statement(subject, predicate)
    spelled_otherwise = json.dumps(json.loads(payload), indent=1).encode()
    assert parse_statement(spelled_otherwise) == Statement(subject, predicate)


@given(statements() | rights_statements(), st.data())
def test_a_changed_byte_is_refused_or_seen(
    made: tuple[list[Resource], Predicate], data: st.DataObject
) -> None:
    payload = bytearray(build_statement(*made))
    place = data.draw(st.integers(0, len(payload) - 1))
    payload[place] ^= data.draw(st.integers(1, 255))
    message = refusal(parse_statement, bytes(payload))
    assert len(message) < 1000
    assert message or parse_statement(bytes(payload)) != Statement(*made)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(statements() | rights_statements(), json_values, st.data())
def test_a_changed_member_is_refused_or_read(
    made: tuple[list[Resource], Predicate], value: Any, data: st.DataObject
) -> None:
    document = json.loads(build_statement(*made))
    place: Any = document
    for _ in range(data.draw(st.integers(0, 3))):
        inner = [
            each
            for each in (place.values() if isinstance(place, dict) else place)
            if each and isinstance(each, dict | list)
        ]
        if not inner:
            break
        place = data.draw(st.sampled_from(inner))
    if isinstance(place, dict):
        place[data.draw(st.sampled_from([*place, "extra"]))] = value
    else:
        place[data.draw(st.integers(0, len(place) - 1))] = value
    assert len(refusal(parse_statement, json.dumps(document).encode())) < 1000


@given(st.binary(max_size=200) | json_values.map(lambda each: json.dumps(each).encode()))
def test_any_bytes_as_a_statement(payload: bytes) -> None:
    assert len(refusal(parse_statement, payload)) < 1000
