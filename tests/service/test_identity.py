"""Keys, namespaces, delegates: what changes on chain, what stays valid, and what is refused."""

from __future__ import annotations

import msgspec
import pytest

from ledger.chain import contracts
from ledger.core.dsse import record_id, verify_envelope
from ledger.core.errors import NotFound, Rejected, Unauthorized, Usage, WrongLedger
from ledger.service import publishing
from ledger.service.batch import Batch
from ledger.service.publishing import publish
from tests.service.conftest import Party, Stage


def key_in_use(party: Party) -> str:
    return party.ledger.status().key


def states(party: Party) -> list[tuple[str, str]]:
    return [(line.subject, line.verdict) for line in party.ledger.log().records]


# --- keys


def test_rotating_signs_with_a_new_key_and_keeps_the_old_records(haina: Party) -> None:
    path = haina.put("a.csv")
    haina.ledger.register("haina/a", path)
    old = key_in_use(haina)
    done = haina.ledger.rotate_key()
    new = key_in_use(haina)
    assert new != old
    assert new in done.what
    assert "still valid" in done.notes[0]
    haina.ledger.register("haina/b", haina.put("b.csv", "b"))
    signers = [verify_envelope(entry).signatures[0].keyid.partition("#")[2] for entry in haina.entries()]
    assert signers == [old, old, new, new]
    assert haina.ledger.verify(path).verdict == "good"
    keys = haina.ledger.keys()
    assert [(each.key, each.current, each.here) for each in keys.keys] == [
        (old, False, True),
        (new, True, True),
    ]
    assert haina.ledger.audit().good


def test_what_is_pending_is_anchored_before_a_key_ends(haina: Party) -> None:
    haina.ledger.register("haina/a", haina.put("a.csv"), anchor=False)
    assert haina.ledger.status().pending == 2
    haina.ledger.revoke_key(key_in_use(haina))
    assert haina.ledger.status().pending == 0
    assert {verdict for _, verdict in states(haina)} == {"accepted"}
    assert haina.ledger.verify(haina.folder / "a.csv").verdict == "good"


def test_a_revoked_key_is_refused_before_it_signs(haina: Party) -> None:
    haina.ledger.register("haina/a", haina.put("a.csv"))
    key = key_in_use(haina)
    done = haina.ledger.revoke_key(key[:8])
    assert "nothing can be signed until" in done.notes[0]
    size = haina.context.log.size
    for write in (
        lambda: haina.ledger.register("haina/b"),
        lambda: haina.ledger.version("haina/a", haina.put("a.csv", "more")),
        lambda: haina.ledger.transfer("haina/a", "jinlong"),
    ):
        with pytest.raises(Unauthorized, match=f"revoked in block {done.block}") as caught:
            write()
        assert caught.value.reason == "key-revoked"
        assert "dataledger key rotate" in caught.value.hint
    assert haina.context.log.size == size
    assert any("not valid any more" in note for note in haina.ledger.status().notes)
    haina.ledger.rotate_key()
    haina.ledger.register("haina/b")
    assert {verdict for _, verdict in states(haina)} == {"accepted"}
    with pytest.raises(Usage, match="was revoked in block"):
        haina.ledger.revoke_key(key)
    with pytest.raises(NotFound, match="0 of your keys"):
        haina.ledger.revoke_key("zz")
    with pytest.raises(NotFound):
        haina.ledger.revoke_key("")


def test_what_a_revoked_key_signs_all_the_same_is_rejected(haina: Party, monkeypatch) -> None:
    haina.ledger.revoke_key(key_in_use(haina))
    monkeypatch.setattr(publishing, "check_key", lambda context: None)
    haina.ledger.register("haina/a")
    assert [line.verdict for line in haina.ledger.log().records] == ["rejected"]
    assert "revoked" in haina.ledger.log().records[0].reason


def publish_short_key(party: Party, validity_s: int) -> None:
    """Publish a key that ends soon and sign with it."""
    context = party.context
    key = context.keys.new_record_key()
    with context.writing():
        with context.client() as client:
            call = contracts.publish_key(context.descriptor, context.address, key, validity_s)
            client.send(call, context.account_key)
        context.save_config(msgspec.structs.replace(context.config, record_key=key.hex()))


def test_an_expired_key_is_refused_before_it_signs(haina: Party, monkeypatch) -> None:
    publish_short_key(haina, 3600)
    haina.ledger.register("haina/a")
    assert any("expires soon" in note for note in haina.ledger.status().notes)
    later = publishing.time.time() + 7200
    monkeypatch.setattr(publishing.time, "time", lambda: later)
    with pytest.raises(Unauthorized, match="expired on") as caught:
        haina.ledger.register("haina/b")
    assert caught.value.reason == "key-expired"
    assert {verdict for _, verdict in states(haina)} == {"accepted"}


def test_a_key_that_was_never_published_is_refused(haina: Party) -> None:
    key = haina.context.keys.new_record_key()
    haina.context.save_config(msgspec.structs.replace(haina.context.config, record_key=key.hex()))
    with pytest.raises(Unauthorized, match="is not published"):
        haina.ledger.register("haina/a")
    assert any("is not published" in note for note in haina.ledger.status().notes)
    haina.ledger.rotate_key()  # takes up the key that an interrupted rotation left behind
    assert key_in_use(haina) == key.hex()
    haina.ledger.register("haina/a")


def test_keys_of_others(stage: Stage) -> None:
    found = stage.haina.ledger.keys("jinlong")
    assert found.party == stage.jinlong.party
    assert [(each.key, each.current, each.here) for each in found.keys] == [
        (key_in_use(stage.jinlong), False, False)
    ]
    with pytest.raises(NotFound, match="nobody owns the namespace nobody"):
        stage.haina.ledger.keys("nobody")
    with pytest.raises(WrongLedger, match="expected a party of chain"):
        stage.haina.ledger.keys("did:ethr:0x1:0x" + "00" * 20)
    for text in ("did:ethr:x", "0x12", "Not A Party", ""):
        with pytest.raises(Usage):
            stage.haina.ledger.keys(text)


# --- namespaces


def test_namespaces_are_claimed_and_given_out(stage: Stage) -> None:
    haina, jinlong = stage.haina, stage.jinlong
    haina.ledger.claim_namespace("washing")
    haina.ledger.claim_namespace("haina.europe")
    done = haina.ledger.assign_namespace("haina.parts", "jinlong")
    assert "belongs to Jinlong" in done.what
    owned = {each.name: each.ours for each in haina.ledger.namespaces().namespaces}
    assert owned == {
        "haina": True,
        "haina.europe": True,
        "haina.parts": False,
        "jinlong": False,
        "washing": True,
    }
    jinlong.ledger.register("haina.parts/motors")
    haina.ledger.register("haina.europe/orders")
    with pytest.raises(Usage, match="belongs to Jinlong"):
        haina.ledger.register("haina.parts/doors")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("jinlong", "belongs to Jinlong"),
        ("haina", "belongs to you already"),
        ("jinlong.parts", "can only be given out by the owner of jinlong"),
        ("nobody.parts", "can only be given out by the owner of nobody"),
        ("No Name", "namespace"),
    ],
)
def test_namespaces_that_cannot_be_claimed(stage: Stage, name: str, says: str) -> None:
    before = stage.haina.context.reader.head().number
    with pytest.raises(Usage, match=says):
        stage.haina.ledger.claim_namespace(name)
    assert stage.haina.context.reader.head().number == before


def test_a_namespace_changes_hands_with_what_is_in_it(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    haina.ledger.register("haina/pending", anchor=False)
    done = haina.ledger.transfer_namespace("haina", "jinlong")
    assert "belongs to Jinlong" in done.what
    assert {verdict for _, verdict in states(haina)} == {"accepted"}  # anchored before it changed hands
    with pytest.raises(Usage, match="is held by Jinlong"):
        haina.ledger.version("haina/orders", haina.put("orders.csv", "more"))
    with pytest.raises(Usage, match="is not yours"):
        haina.ledger.transfer_namespace("haina", "jinlong")
    jinlong.ledger.follow(haina.party, source=str(haina.public))
    jinlong.ledger.version("haina/orders", jinlong.put("orders.csv", "theirs"))
    with pytest.raises(Usage, match="yours already"):
        jinlong.ledger.transfer_namespace("haina", "jinlong")
    assert jinlong.ledger.transfer_namespace("haina", haina.party).block is not None


# --- delegates


def test_delegates_are_added_once_and_ended(stage: Stage) -> None:
    haina = stage.haina
    done = haina.ledger.add_delegate("record", "jinlong", days=30)
    assert "may sign records for you, 30 days" in done.what
    haina.ledger.add_delegate("anchor", "jinlong", days=1)
    assert [(each.type, each.delegate) for each in haina.ledger.delegates().delegates] == [
        ("record", stage.jinlong.party),
        ("anchor", stage.jinlong.party),
    ]
    with pytest.raises(Usage, match="made a delegate of type record before"):
        haina.ledger.add_delegate("record", "jinlong", days=30)
    done = haina.ledger.revoke_delegate("record", "jinlong")
    assert haina.ledger.delegates().delegates[0].revoked_block == done.block
    with pytest.raises(NotFound, match="is no delegate of type record"):
        haina.ledger.revoke_delegate("record", "jinlong")
    with pytest.raises(Usage, match="made a delegate of type record before"):
        haina.ledger.add_delegate("record", "jinlong", days=30)


@pytest.mark.parametrize(
    ("type_", "party", "days", "says"),
    [
        ("sign", "jinlong", 1, "expected one of anchor, record"),
        ("record", "haina", 1, "without a delegation"),
        ("record", "jinlong", 0, "1 to 36500 days"),
        ("record", "jinlong", 10**9, "1 to 36500 days"),
    ],
)
def test_delegations_that_make_no_sense(stage: Stage, type_: str, party: str, days: int, says: str) -> None:
    with pytest.raises(Usage, match=says):
        stage.haina.ledger.add_delegate(type_, party, days=days)
    with pytest.raises(NotFound):
        stage.haina.ledger.revoke_delegate("anchor", "jinlong")


def sign_for(stage: Stage) -> bytes:
    """Record something of Haina's, in Haina's log, signed by Jinlong's key, as a record delegate may."""
    haina, jinlong = stage.haina.context, stage.jinlong.context
    with haina.writing():
        batch = Batch(haina)
        batch.register("haina/by-delegate")
        from ledger.core import signing
        from ledger.core.identity import format_keyid
        from ledger.service.envelopes import sign_records

        keyid = format_keyid(jinlong.party, jinlong.record_key)
        (entry,) = sign_records(batch._payloads, keyid, signing.signer(jinlong.record_seed))
        publishing.append(haina, [entry])
        publish(haina, Batch(haina), anchor=True)
    return record_id(verify_envelope(entry).payload)


def test_a_record_delegate_signs_for_another(stage: Stage) -> None:
    sign_for(stage)
    assert states(stage.haina) == [("", "rejected")]
    stage.haina.ledger.add_delegate("record", "jinlong", days=30)
    record = sign_for(stage)
    assert states(stage.haina)[0] == ("haina/by-delegate", "accepted")
    assert stage.haina.ledger.show(record.hex()[:8]).kind == "record"


def test_an_anchor_delegate_may_anchor_and_nothing_else(stage: Stage) -> None:
    haina, jinlong = stage.haina.context, stage.jinlong.context
    stage.haina.ledger.register("haina/a", anchor=False)
    call = publishing._anchor_call(haina, 0)
    with haina.client() as client:
        with pytest.raises(Rejected):
            client.send(call, jinlong.account_key)
        stage.haina.ledger.add_delegate("anchor", "jinlong", days=30)
        client.send(call, jinlong.account_key)
        with pytest.raises(Rejected):
            client.send(
                contracts.claim_namespace(haina.descriptor, "haina.x", jinlong.address), jinlong.account_key
            )
    assert stage.haina.ledger.status().pending == 0


# --- where the log is


def test_a_log_is_announced(stage: Stage) -> None:
    done = stage.haina.ledger.serve_at("https://data.haina.example/log")
    assert str(stage.haina.public) in done.notes[0]
    stage.haina.ledger.register("haina/a")
    logs = stage.jinlong.ledger.show("haina").sections[0]
    assert logs.rows[0][3] == "https://data.haina.example/log"


@pytest.mark.parametrize(
    "url",
    ["http://x.example", "ftp://x", "/folder", "https://x.example/#1", "https://x.example/\n", "https://ä"],
)
def test_addresses_that_nobody_would_fetch_from(stage: Stage, url: str) -> None:
    with pytest.raises(Usage, match="expected an https:// address"):
        stage.haina.ledger.serve_at(url)
