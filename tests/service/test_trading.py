"""Agreeing and delivering: two parties on one chain, a third one who has no part in it, and every refusal."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core import dsse, signing
from ledger.core.errors import (
    Corrupt,
    FormatError,
    LedgerError,
    NotFound,
    SignatureInvalid,
    Unauthorized,
    Usage,
    WrongLedger,
)
from ledger.core.identity import format_keyid
from ledger.core.records import Agreement, Attachment, Attestation, Delivery, Statement
from ledger.core.statement import build_statement, parse_statement
from ledger.service import InitRequest, Ledger
from ledger.service.batch import Batch, header
from ledger.service.countersigning_file import parse_draft
from ledger.service.deals import Deal, Handover
from ledger.service.publishing import anchor_pending, append, publish
from ledger.service.results import AgreementShown, Receipt, Signed
from tests.service.conftest import Party, Stage, copied

SEED = b"\7" * 32


def deal(**more: Any) -> Deal:
    said = {
        "names": ["haina/orders"],
        "rights": ["use"],
        "to": "jinlong",
        "purposes": ["planning", "relief"],
        "price": "1.20 CNY",
        "unit": "row",
        "free_for": ["relief"],
    }
    return Deal(**(said | more))


def proposed(stage: Stage, **more: Any) -> Path:
    """Have Haina propose, and give Jinlong's copy of the file."""
    path = stage.haina.folder / "deal.json"
    path.unlink(missing_ok=True)
    stage.haina.ledger.propose(deal(**more), path)
    return shutil.copy(path, stage.jinlong.folder / "deal.json")


def record_of(receipt: Receipt) -> str:
    return receipt.records[0].record


def give(stage: Stage, **more: Any) -> Receipt:
    said = {"agreement": agreement_of(stage), "versions": ["haina/orders@1"], "units": 10}
    despite = more.pop("despite", False)
    return stage.haina.ledger.deliver(Handover(**(said | more)), despite=despite)


def agreement_of(stage: Stage) -> str:
    return stage.haina.ledger.agreements().agreements[0].record


def shown(party: Party, record: str) -> AgreementShown:
    return party.reopen().agreement(record)


def forced(party: Party, statement: Statement) -> Receipt:
    """Record what no command would: unchecked."""
    with party.context.writing():
        batch = Batch(party.context)
        batch.say(statement.subject, statement.predicate)
        return publish(party.context, batch, anchor=True)


def said(party: Party, record: str) -> Statement:
    party.ledger.sync()
    found = party.context.index.facts().said(bytes.fromhex(record))
    assert found is not None
    return found


@pytest.fixture
def both(story: Stage) -> Stage:
    """Both follow each other."""
    story.jinlong.ledger.follow("haina", source=str(story.haina.public))
    return story


@pytest.fixture(scope="module")
def _agreed(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Both have signed, and kept, an agreement about Haina's orders."""
    path = tmp_path_factory.mktemp("agreed") / "stage"
    shutil.copytree(_story, path)
    stage = Stage(path)
    stage.jinlong.ledger.follow("haina", source=str(stage.haina.public))
    file = proposed(stage)
    stage.jinlong.ledger.sign(file)
    stage.close()
    return path


@pytest.fixture
def agreed(_agreed: Path, tmp_path: Path) -> Iterator[Stage]:
    """A copy of a stage with an agreement, Haina's workspace brought up to date."""
    for stage in copied(_agreed, tmp_path / "stage"):
        stage.haina.ledger.sync()
        yield stage


# the short way: one file, two signatures


def test_a_file_goes_there_and_back(both: Stage) -> None:
    sizes = [party.context.log.size for party in (both.haina, both.jinlong)]
    file = proposed(both)
    assert [party.context.log.size for party in (both.haina, both.jinlong)] == sizes
    looked = both.jinlong.ledger.agreement(str(file))
    assert (looked.state, looked.complete, looked.problem) == ("FINALIZED", False, "")
    assert [(each.party_name, each.signed) for each in looked.signatories] == [
        ("Haina Appliances", True),
        ("Jinlong", False),
    ]
    assert both.jinlong.ledger.may("jinlong", "use", "haina/orders", purpose="planning").verdict == "denied"
    done = both.jinlong.ledger.sign(file)
    assert done.complete
    assert done.receipt is not None
    assert done.receipt.block is not None
    back = both.haina.reopen().sign(file)
    assert back.receipt is not None
    assert [each.record for each in back.receipt.records] == [done.record] == [back.record]
    assert file.read_bytes() == both.haina.entries()[-1] == both.jinlong.entries()[-1]
    for party in (both.haina, both.jinlong):
        answer = party.reopen().may("jinlong", "use", "haina/orders", purpose="planning")
        assert (answer.verdict, answer.grants[0].record) == ("permitted", done.record)
        assert party.finding_kinds() == []
    again = both.haina.ledger.sign(file)
    assert again.receipt is not None
    assert again.receipt.records == []
    assert both.haina.ledger.audit().verdict == "good"
    assert both.jinlong.reopen().audit().verdict == "good"


def test_the_consumer_may_propose_and_then_the_provider_has_it_first(both: Stage) -> None:
    path = both.jinlong.folder / "deal.json"
    both.jinlong.ledger.propose(deal(to="haina", side="consumer", price="", unit="", free_for=()), path)
    done = both.haina.reopen().sign(path, both.haina.folder / "signed.json")
    assert [each.party_name for each in done.signatories] == ["Haina Appliances", "Jinlong"]
    assert len(parse_draft(path.read_bytes()).signatures) == 1  # the original is as it was
    assert both.haina.ledger.may("jinlong", "use", "haina/orders", purpose="relief").verdict == "permitted"


def test_what_rests_on_a_grant_and_what_its_price_may_be(both: Stage) -> None:
    from ledger.service.offers import Offer

    granted = both.haina.ledger.grant(
        Offer(names=["haina/orders"], rights=["use"], to="jinlong", sublicensable=True, price_cap="1.00 CNY")
    )
    path = both.jinlong.folder / "deal.json"
    wanted = deal(to="haina", purposes=(), free_for=())
    assert [each[:15] for each in both.jinlong.reopen().propose(wanted, path).agreement.improper] == [
        "above-price-cap"
    ]
    done = both.haina.reopen().sign(path)
    found = both.haina.ledger.agreement(done.record)
    assert (found.under, found.findings) == (record_of(granted), ["above-price-cap"])
    assert both.haina.finding_kinds() == ["above-price-cap"]


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"names": ["jinlong/parts"]}, "not-holder"),
        ({"names": ["haina/none"]}, "not registered"),
        ({"to": "haina"}, "one party: that is you"),
        ({"to": "0x" + "7" * 40}, "never published a key"),
        ({"price": "1.20"}, "an amount and a currency"),
        ({"unit": ""}, "say what is counted"),
        ({"until": "2001-01-01", "start": "2002-01-01"}, "after `start`"),
        ({"previous": "ffff", "names": (), "rights": (), "to": ""}, "no record that counts"),
    ],
)
def test_what_can_not_be_proposed(both: Stage, more: dict[str, Any], says: str) -> None:
    with pytest.raises(Usage, match=says):
        both.haina.ledger.propose(deal(**more), both.haina.folder / "deal.json")
    assert not (both.haina.folder / "deal.json").exists()


def test_a_file_that_is_there_is_not_overwritten(both: Stage) -> None:
    path = both.haina.put("deal.json", "mine")
    with pytest.raises(Usage, match="is there already"):
        both.haina.ledger.propose(deal(), path)
    assert path.read_text() == "mine"


# files that are refused


def _signature(seed: bytes, keyid: str, payload: bytes) -> dsse.Signature:
    return dsse.Signature(keyid, signing.sign(seed, dsse.pae(payload)))


def test_files_that_are_no_agreement(both: Stage) -> None:
    file = proposed(both)
    good = file.read_bytes()
    draft = parse_draft(good)
    haina, own = draft.signatures[0], both.haina.context.party
    stranger = signing.public_key(SEED)
    grant = dsse.encode_envelope(
        dsse.decode_envelope(both.haina.entries()[0]).payload,
        dsse.decode_envelope(both.haina.entries()[0]).signatures,
    )
    twice = dsse.encode_envelope(draft.payload, [haina]).replace(
        b'"signatures":[', b'"signatures":[%s,' % msgspec.json.encode(haina)
    )
    cases: list[tuple[bytes, type[LedgerError], str]] = [
        (b"", FormatError, "empty file"),
        (b"\n", FormatError, "empty file"),
        (good[: len(good) // 2], FormatError, "envelope"),
        (good[:-1], FormatError, "envelope"),
        (b"x" * 70_000, Corrupt, "at most 65,535 bytes"),
        (b"{}", FormatError, "envelope"),
        (grant, FormatError, "expected an agreement, found a record of type registration"),
        (twice, FormatError, "one key twice"),
        (
            dsse.encode_envelope(draft.payload.replace(b'"row"', b'"cow"'), [haina]),
            SignatureInvalid,
            "altered after it was signed",
        ),
        (
            dsse.encode_envelope(draft.payload, [dsse.Signature(haina.keyid, bytes(64))]),
            SignatureInvalid,
            "altered after it was signed",
        ),
        (
            dsse.encode_envelope(
                draft.payload, [_signature(SEED, format_keyid(own, stranger), draft.payload)]
            ),
            Unauthorized,
            "never published the key",
        ),
    ]
    for data, error, says in cases:
        file.write_bytes(data)
        for look in (both.jinlong.ledger.sign, lambda path: both.jinlong.ledger.agreement(str(path))):
            with pytest.raises(error, match=says) as caught:
                look(file)
            assert caught.value.exit_code == 1
            assert file.read_bytes() == data
    assert both.jinlong.context.log.size == 2
    with pytest.raises(NotFound, match="no such file"):
        both.jinlong.ledger.sign(both.jinlong.folder / "none.json")


@pytest.fixture(scope="module")
def file_bytes(_agreed: Path) -> bytes:
    return (_agreed / "haina" / "deal.json").read_bytes()


@given(data=st.data())
def test_no_byte_can_be_changed(file_bytes: bytes, data: st.DataObject) -> None:
    """Whatever one byte becomes: it is refused, or says the same and is signed by the same."""
    place = data.draw(st.integers(0, len(file_bytes) - 1))
    byte = data.draw(st.integers(0, 255))
    changed = file_bytes[:place] + bytes([byte]) + file_bytes[place + 1 :]
    try:
        draft = parse_draft(changed)
    except (FormatError, SignatureInvalid):
        return
    assert draft == parse_draft(file_bytes)


@given(st.binary(max_size=300))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    with pytest.raises((FormatError, SignatureInvalid)):
        parse_draft(data)


def test_the_signature_of_somebody_else(both: Stage) -> None:
    """Jinlong signs an agreement between Haina and a third party: it is none of its business."""
    file = proposed(both)
    draft = parse_draft(file.read_bytes())
    context = both.jinlong.context
    keyid = format_keyid(context.party, context.record_key)
    step = draft.statement.predicate
    assert isinstance(step, Agreement)
    other = "did:ethr:" + step.consumer.split(":")[2] + ":0x" + "7" * 40
    changed = msgspec.structs.replace(step, consumer=other, authors=[step.provider, other])
    payload = build_statement(draft.statement.subject, changed)
    seed = both.haina.context.record_seed
    haina = _signature(seed, format_keyid(step.provider, signing.public_key(seed)), payload)
    file.write_bytes(dsse.encode_envelope(payload, [haina]))
    with pytest.raises(Usage, match="you are neither of them"):
        both.jinlong.ledger.sign(file)
    foreign = _signature(context.record_seed, keyid, payload)
    file.write_bytes(dsse.encode_envelope(payload, [haina, foreign]))
    with pytest.raises(Unauthorized) as caught:
        both.haina.ledger.sign(file)
    assert caught.value.reason == "foreign-signature"


def _drafted(party: Party, file: Path, statement: Statement) -> Path:
    """Write what no command would as a file that this party alone has signed."""
    payload = build_statement(statement.subject, statement.predicate)
    context = party.context
    keyid = format_keyid(context.party, context.record_key)
    file.write_bytes(dsse.encode_envelope(payload, [_signature(context.record_seed, keyid, payload)]))
    return file


def test_a_file_that_names_other_content_than_is_recorded(both: Stage) -> None:
    """Whoever signs sees names: the digest behind one is compared with what is recorded."""
    file = proposed(both, names=["haina/orders@1"])
    statement = parse_draft(file.read_bytes()).statement
    subject = [msgspec.structs.replace(statement.subject[0], digest={"sha256": "7" * 64})]
    _drafted(both.haina, file, Statement(subject, statement.predicate))
    assert "named with other content" in both.jinlong.ledger.agreement(str(file)).problem
    data = file.read_bytes()
    with pytest.raises(Usage, match="named with other content"):
        both.jinlong.ledger.sign(file)
    assert file.read_bytes() == data


def test_a_file_that_rests_on_what_nobody_sees(both: Stage) -> None:
    file = proposed(both, price="", unit="")
    statement = parse_draft(file.read_bytes()).statement
    price = Attachment("price", "application/json", {"dataledger-sealed-v1": "7" * 64})
    changed = msgspec.structs.replace(statement.predicate, attachments=[price])
    _drafted(both.haina, file, Statement(statement.subject, changed))
    with pytest.raises(Usage, match=r"not in the file \(price\): nothing is signed unseen"):
        both.jinlong.ledger.sign(file)


def test_the_end_of_something_else_is_not_signed_as_that_of_an_agreement(agreed: Stage) -> None:
    """What both once recorded together is taken back by no `agree sign`, whatever the file looks like."""
    haina, jinlong = agreed.haina, agreed.jinlong
    end = haina.folder / "end.json"
    haina.ledger.end_agreement(agreement_of(agreed), end)
    statement = parse_draft(end.read_bytes()).statement
    shared = Attestation(
        **{name: getattr(statement.predicate, name) for name in ("ledger", "logs", "authors", "time")},
        kind="objection",
        description="of both",
    )
    file = haina.folder / "shared.json"
    _drafted(haina, file, Statement(statement.subject, shared))
    payload = dsse.decode_envelope(file.read_bytes()).payload
    signatures = [
        _signature(
            each.context.record_seed, format_keyid(each.context.party, each.context.record_key), payload
        )
        for each in (haina, jinlong)
    ]
    with haina.context.writing():
        append(haina.context, [dsse.encode_envelope(payload, signatures)])
        anchor_pending(haina.context)
    changed = msgspec.structs.replace(statement.predicate, target=dsse.record_id(payload).hex())
    _drafted(haina, end, Statement(statement.subject, changed))
    data = end.read_bytes()
    with pytest.raises(Usage, match="expected a record of type agreement"):
        jinlong.reopen().sign(end)
    assert end.read_bytes() == data


def test_for_another_ledger(both: Stage, tmp_path: Path) -> None:
    file = proposed(both)
    Ledger.init(tmp_path, InitRequest(namespace="jinlong"), env={})
    with Ledger.open(tmp_path, env={}) as elsewhere:
        for look in (elsewhere.sign, lambda path: elsewhere.agreement(str(path))):
            with pytest.raises(WrongLedger, match="it is for ledger"):
                look(file)


def test_signing_again_waits_for_the_other(both: Stage) -> None:
    proposed(both)
    with pytest.raises(Usage, match=r"the signature of Jinlong .* is missing"):
        both.haina.ledger.sign(both.haina.folder / "deal.json")


def test_what_has_changed_since_it_was_proposed(both: Stage) -> None:
    late = proposed(both, within=2)
    both.jinlong.ledger.register("jinlong/more")
    both.jinlong.ledger.register("jinlong/still-more")
    assert "offered before block" in both.jinlong.ledger.agreement(str(late)).problem
    with pytest.raises(Unauthorized) as caught:
        both.jinlong.ledger.sign(late)
    assert caught.value.reason == "anchored-too-late"

    given_away = proposed(both)
    both.haina.ledger.transfer("haina/orders", "jinlong")
    both.jinlong.ledger.sync()
    with pytest.raises(Unauthorized) as caught:
        both.jinlong.reopen().sign(given_away)
    assert caught.value.reason == "not-holder"


def test_a_key_that_was_revoked_since(both: Stage) -> None:
    file = proposed(both)
    key = both.haina.context.record_key.hex()
    both.haina.ledger.rotate_key()
    both.haina.ledger.revoke_key(key)
    with pytest.raises(Unauthorized) as caught:
        both.jinlong.reopen().sign(file)
    assert caught.value.reason == "key-revoked"
    assert both.jinlong.context.log.size == 2


def test_a_log_that_was_closed_since(both: Stage) -> None:
    file = proposed(both)
    both.jinlong.ledger.close_log(1, "new", confirm=lambda _: True)
    with pytest.raises(Usage, match="which it does not name"):
        both.jinlong.reopen().sign(file)
    both.haina.ledger.sync()
    anew = proposed(both)
    assert both.jinlong.ledger.sign(anew).complete


# the long way: steps in the logs


def negotiated(stage: Stage) -> str:
    """Ask, offer, accept: give the record of the last step."""
    haina, jinlong = stage.haina, stage.jinlong
    asked = jinlong.ledger.negotiate("REQUESTED", deal(to="haina", side="consumer", price="1.00 CNY"))
    offer = haina.reopen().negotiate("OFFERED", deal(names=(), to="", previous=record_of(asked)))
    return record_of(jinlong.reopen().answer("ACCEPTED", record_of(offer)))


def test_a_negotiation_step_by_step(both: Stage) -> None:
    haina, jinlong = both.haina, both.jinlong
    accepted = negotiated(both)
    file = haina.folder / "agreed.json"
    half = haina.reopen().propose(Deal(previous=accepted), file)
    assert half.agreement.state == "AGREED"
    deal_record = jinlong.reopen().sign(file).record
    ask = haina.reopen().may
    assert ask("jinlong", "use", "haina/orders", purpose="planning").verdict == "denied"  # not final yet
    verified = record_of(jinlong.ledger.answer("VERIFIED", deal_record[:10]))
    final = record_of(haina.reopen().answer("FINALIZED", verified))
    assert haina.ledger.may("jinlong", "use", "haina/orders", purpose="planning").verdict == "permitted"
    for party, record in ((haina, deal_record), (jinlong, final), (haina, accepted)):
        found = shown(party, record)
        assert [step.state for step in found.steps] == [
            "REQUESTED", "OFFERED", "ACCEPTED", "AGREED", "VERIFIED", "FINALIZED",
        ]  # fmt: skip
        assert (found.record, found.state, found.next) == (deal_record, "FINALIZED", [])
        assert found.unit_price is not None
        assert found.unit_price.amount == 120  # as offered, not as asked
        assert party.finding_kinds() == []
    done = haina.ledger.deliver(Handover(agreement=accepted, versions=["haina/orders@1"], units=5))
    delivered = said(haina, record_of(done)).predicate
    assert isinstance(delivered, Delivery)
    assert delivered.agreement == deal_record


def test_steps_that_may_not_be_taken(both: Stage) -> None:
    haina, jinlong = both.haina, both.jinlong
    asked = record_of(jinlong.ledger.negotiate("REQUESTED", deal(to="haina", side="consumer")))
    ledger = haina.reopen()
    sizes = haina.context.log.size, jinlong.context.log.size
    cases: list[tuple[Ledger, str, str, str]] = [
        (
            ledger,
            "FINALIZED",
            asked,
            "FINALIZED can't follow REQUESTED, expected OFFERED or AGREED or TERMINATED",
        ),
        (jinlong.ledger, "ACCEPTED", asked, "ACCEPTED can't follow REQUESTED"),
        (ledger, "ACCEPTED", asked, "ACCEPTED is a step of Jinlong"),
        (jinlong.ledger, "FINALIZED", asked, "FINALIZED is a step of Haina"),
        (ledger, "ACCEPTED", "ffff", "no record that counts begins"),
    ]
    for party, state, record, says in cases:
        with pytest.raises(Usage, match=says) as caught:
            party.answer(state, record)  # type: ignore[arg-type]
        assert caught.value.exit_code == 2
    with pytest.raises(Usage, match="REQUESTED can't follow REQUESTED"):
        jinlong.ledger.negotiate("REQUESTED", deal(names=(), to="", previous=asked))
    with pytest.raises(Usage, match="expected a record of type agreement, got one of type registration"):
        ledger.answer("TERMINATED", ledger.log(type="registration").records[-1].record)
    ended = ledger.answer("TERMINATED", asked)
    assert (haina.context.log.size, jinlong.context.log.size) == (sizes[0] + 1, sizes[1])
    with pytest.raises(Usage, match="TERMINATED can't follow TERMINATED, expected no further step"):
        ledger.answer("TERMINATED", record_of(ended))
    with pytest.raises(Usage, match=r"followed|already"):
        ledger.answer("TERMINATED", asked)
    with pytest.raises(Usage, match="not FINALIZED: there is nothing to take back"):
        ledger.end_agreement(asked, haina.folder / "end.json")


def test_what_was_broken_off_can_not_be_agreed(both: Stage) -> None:
    accepted = negotiated(both)
    file = both.haina.folder / "agreed.json"
    both.haina.reopen().propose(Deal(previous=accepted), file)
    both.jinlong.ledger.answer("TERMINATED", accepted)
    with pytest.raises(Usage, match="followed") as caught:
        both.jinlong.ledger.sign(file)
    assert caught.value.exit_code == 2
    assert "followed" in both.jinlong.ledger.agreement(str(file)).problem


def test_steps_out_of_turn_in_a_log_are_findings_for_both(both: Stage) -> None:
    """Nobody's command would sign them: they are put into the log by force."""
    haina, jinlong = both.haina, both.jinlong
    accepted = negotiated(both)
    haina.reopen()
    past = said(haina, accepted)
    step = past.predicate
    assert isinstance(step, Agreement)

    def skipped(state: Any, previous: str) -> str:
        members = {"state": state, "previous": previous, **header(haina.context)}
        return record_of(forced(haina, Statement(past.subject, msgspec.structs.replace(step, **members))))

    early = skipped("FINALIZED", accepted)
    on_top = skipped("TERMINATED", early)  # it follows a step that was not allowed
    for party in (haina, jinlong):
        assert shown(party, accepted).state == "ACCEPTED"
        found = [each for each in party.ledger.findings().findings if each.kind == "illegal-transition"]
        assert len(found) == 2
        counted = {each.record: each.counts for each in shown(party, accepted).steps}
        assert (counted[accepted], counted[early], counted[on_top]) == (True, False, False)
    digests = {party.ledger.sync(digest=True).state_digest for party in (haina, jinlong)}
    assert len(digests) == 1


# delivering


def test_what_may_not_be_delivered(agreed: Stage) -> None:
    haina, jinlong = agreed.haina, agreed.jinlong
    record = agreement_of(agreed)
    haina.ledger.register("haina/sensors", haina.folder / "sensors")
    asked = record_of(jinlong.ledger.negotiate("REQUESTED", deal(to="haina", side="consumer")))
    haina.reopen()
    cases: list[tuple[dict[str, Any], str]] = [
        ({"agreement": "ffff"}, "no record that counts begins"),
        ({"agreement": asked}, "agreement-unknown"),
        ({"versions": ["haina/orders@9"]}, "no version"),
        ({"versions": ["haina/orders"]}, "what is delivered are versions"),
        ({"versions": []}, "what was delivered"),
        ({"versions": ["haina/sensors@1"]}, "delivery-not-covered: haina/sensors@1"),
        ({"purpose": "resale"}, "delivery-not-covered: haina/orders@1: for resale"),
        ({"region": "Mars"}, "ISO 3166"),
        ({"charged": "12.01 CNY"}, "overcharged"),
        ({"charged": "0.01 CNY", "purpose": "relief"}, "price-for-free-use"),
        ({"charged": "1 EUR"}, "price-not-comparable"),
        ({"charged": "12"}, "an amount and a currency"),
        ({"state": "SUSPENDED"}, "SUSPENDED is no first step"),
        ({"state": "REQUESTED", "units": 0}, "not-party"),
        ({"state": "REQUESTED"}, "neither `units` nor `charged`"),
    ]
    for more, says in cases:
        with pytest.raises(Usage, match=says) as caught:
            give(agreed, **({"agreement": record} | more))
        assert caught.value.exit_code == 2
    with pytest.raises(Usage, match="not-party"):
        jinlong.ledger.deliver(Handover(agreement=record, versions=["haina/orders@1"], units=1))
    assert haina.ledger.log(type="delivery").records == []


def test_what_happened_all_the_same_is_a_finding_for_everybody(agreed: Stage) -> None:
    done = give(agreed, charged="13.00 CNY", purpose="resale", despite=True)
    assert len(done.notes) == 2
    for party in (agreed.haina, agreed.jinlong):
        party.reopen()
        assert party.finding_kinds() == ["delivery-not-covered", "overcharged"]
        (step,) = party.ledger.agreement(agreement_of(agreed)).deliveries
        assert (step.findings, step.counts) == (["delivery-not-covered", "overcharged"], True)


def test_a_transfer_in_steps_and_its_bill(agreed: Stage) -> None:
    record = agreement_of(agreed)
    asked = Handover(agreement=record, versions=["haina/orders"], process="p7", state="REQUESTED")
    agreed.jinlong.ledger.deliver(asked)
    agreed.haina.reopen()
    give(agreed, process="p7", state="STARTED", charged="12.00 CNY", purpose="planning")
    give(agreed, process="p7", state="STARTED", units=5, versions=[])
    agreed.jinlong.reopen().deliver(Handover(agreement=record, process="p7", state="SUSPENDED"))
    agreed.haina.reopen()
    with pytest.raises(Usage, match="COMPLETED can't follow SUSPENDED, expected STARTED or TERMINATED"):
        give(agreed, process="p7")
    give(agreed, process="p7", state="TERMINATED", units=0)
    with pytest.raises(Usage, match="expected no further step"):
        give(agreed, process="p7")
    found = agreed.haina.ledger.agreement(record)
    assert [step.state for step in found.deliveries] == [
        "REQUESTED", "STARTED", "STARTED", "SUSPENDED", "TERMINATED",
    ]  # fmt: skip
    assert found.bill is not None
    assert (found.bill.units, found.bill.due, found.bill.charged, found.bill.currency) == (
        15,
        1800,
        1200,
        "CNY",
    )
    assert agreed.haina.finding_kinds() == []


def test_a_delivery_that_is_told_twice_counts_once(agreed: Stage) -> None:
    record = agreement_of(agreed)
    first = record_of(give(agreed, process="p1"))
    past = said(agreed.haina, first)
    again = msgspec.structs.replace(past.predicate, time="2030-01-01T00:00:00Z")
    forced(agreed.haina, Statement(past.subject, again))
    for party in (agreed.haina, agreed.jinlong):
        found = shown(party, record)
        assert [step.counts for step in found.deliveries] == [True, False]
        assert found.bill is not None
        assert found.bill.units == 10
        assert party.finding_kinds() == ["illegal-transition"]


def test_acknowledging(agreed: Stage) -> None:
    sent = record_of(give(agreed))
    with pytest.raises(Usage, match="not-addressee"):
        agreed.haina.ledger.acknowledge(sent)
    done = agreed.jinlong.reopen().acknowledge(sent[:8], topic="received", text="whole")
    with pytest.raises(Usage, match="acknowledged it before"):
        agreed.jinlong.ledger.acknowledge(sent)
    with pytest.raises(Usage, match="expected a record of type delivery or attestation"):
        agreed.jinlong.ledger.acknowledge(agreement_of(agreed))
    with pytest.raises(Usage, match="target-unknown"):
        agreed.jinlong.ledger.acknowledge(record_of(done))
    (step,) = shown(agreed.haina, agreement_of(agreed)).deliveries
    assert step.acknowledged == record_of(done)


def test_history_says_who_got_it(agreed: Stage) -> None:
    give(agreed, units=12_000)
    events = agreed.haina.ledger.history("haina/orders").events
    (agreement,) = [each for each in events if each.what == "agreement FINALIZED"]
    (sent,) = [each for each in events if each.what.startswith("delivered")]
    assert (agreement.to_name, agreement.state) == ("Jinlong", "final")
    assert (sent.to_name, sent.units, sent.about) == ("Jinlong", 12_000, agreement.record)


def test_three_parties_one_passing_on_what_it_was_given(agreed: Stage) -> None:
    """Jinlong may pass on what Haina lets it; Weiyun gets it from Jinlong, and is bound by both."""
    file = proposed(agreed, sublicensable=True, names=["haina/orders@1"], free_for=(), price_cap="1.50 CNY")
    first = agreed.jinlong.ledger.sign(file).record
    weiyun = Party(agreed.path / "weiyun")
    weiyun.folder.mkdir()
    join = agreed.haina.home / "ledger.json"
    Ledger.init(weiyun.folder, InitRequest(namespace="weiyun", name="Weiyun", join=join), env={})
    for party in (agreed.haina, agreed.jinlong):
        weiyun.ledger.follow(party.party, source=str(party.public))
    onward = deal(names=["haina/orders@1"], to="weiyun", purposes=["planning"], free_for=(), price="1.50 CNY")
    path = weiyun.folder / "deal.json"
    agreed.jinlong.reopen().propose(onward, path)
    record = weiyun.ledger.sign(path).record
    assert weiyun.ledger.agreement(record).under == first
    answer = weiyun.ledger.may("weiyun", "use", "haina/orders@1", purpose="planning")
    assert [used.record for used in answer.grants] == [record, first]
    with pytest.raises(Usage, match="you are neither of them"):
        agreed.haina.ledger.sign(path)
    agreed.jinlong.reopen().sign(path)
    sent = agreed.jinlong.ledger.deliver(
        Handover(agreement=record, versions=["haina/orders@1"], units=2, charged="3.00 CNY")
    )
    with pytest.raises(Usage, match="not-addressee"):
        agreed.haina.reopen().acknowledge(record_of(sent))
    weiyun.reopen().acknowledge(record_of(sent))
    assert [each.to_name for each in weiyun.ledger.history("haina/orders").events if each.units] == ["Weiyun"]
    assert [len(party.ledger.agreements().agreements) for party in (agreed.jinlong, weiyun)] == [3, 1]
    assert agreed.jinlong.ledger.agreements(limit=2).truncated
    assert weiyun.finding_kinds() == []
    weiyun.close()


# the end of it


def test_both_take_it_back(agreed: Stage) -> None:
    haina, jinlong, record = agreed.haina, agreed.jinlong, agreement_of(agreed)
    with pytest.raises(Usage, match="both have to take it back"):
        haina.ledger.revoke(record)
    file = haina.folder / "end.json"
    half: Signed = haina.ledger.end_agreement(record, file, reason="it is over")
    assert (half.what, half.complete, half.receipt) == ("end of an agreement", False, None)
    assert half.agreement.ends == "as soon as it is posted, it is over"
    assert haina.ledger.agreement(str(file)).ends == "as soon as it is posted, it is over"
    assert jinlong.reopen().may("jinlong", "use", "haina/orders", purpose="planning").verdict == "permitted"
    assert jinlong.ledger.sign(file).complete
    assert jinlong.ledger.may("jinlong", "use", "haina/orders", purpose="planning").verdict == "denied"
    assert haina.reopen().sign(file).complete
    (line,) = haina.ledger.agreements().agreements
    assert (line.side, line.other_name, line.state) == ("provider", "Jinlong", "FINALIZED")
    assert line.ended
    with pytest.raises(Usage, match="taken back already"):
        haina.ledger.end_agreement(record, haina.folder / "again.json")
    with pytest.raises(Usage, match="delivery-taken-back"):
        give(agreed)
    give(agreed, despite=True)
    assert haina.finding_kinds() == ["delivery-taken-back"]


def test_after_its_term(both: Stage) -> None:
    file = proposed(both, until="2020-01-01")
    both.jinlong.ledger.sign(file)
    both.haina.reopen()
    with pytest.raises(Usage, match="delivery-outside-term"):
        give(both)
    give(both, despite=True)
    assert both.haina.finding_kinds() == ["delivery-outside-term"]
    assert parse_statement(parse_draft(file.read_bytes()).payload)
