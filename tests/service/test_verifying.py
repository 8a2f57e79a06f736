"""The file in my hand: which version it is, whose claim that is, and what was rechecked."""

from __future__ import annotations

import shutil
import sqlite3

import pytest

from ledger.core.errors import NotFound, Usage
from tests.service.conftest import Party, Stage


def test_good_is_good_with_its_proof(story: Stage) -> None:
    haina = story.haina
    found = haina.ledger.verify(haina.folder / "orders.csv")
    (claim,) = found.claims
    assert (found.verdict, found.reason, claim.verdict, claim.good) == ("good", "", "good", True)
    assert (claim.version, claim.party, claim.party_name) == (
        "haina/orders@1",
        haina.party,
        "Haina Appliances",
    )
    head = haina.context.reader.head()
    assert f"block {head.number} (0x{head.hash.hex()})" in found.trust_root
    assert claim.block is not None
    assert claim.block <= found.to_block == head.number
    assert any("proves nothing" in note for note in found.notes)


def test_changed_by_a_byte_is_not(story: Stage) -> None:
    haina = story.haina
    path = haina.folder / "orders.csv"
    path.write_bytes(path.read_bytes()[:-1] + b"\r")
    found = haina.ledger.verify(path)
    assert (found.verdict, found.claims) == ("unknown-content", [])
    assert "this is not haina/orders@1" in found.reason
    elsewhere = haina.put("copy.csv", "never seen")
    assert haina.ledger.verify(elsewhere).reason == "no version with this content is known here"
    with pytest.raises(NotFound):
        haina.ledger.verify(haina.folder / "none.csv")


def test_a_folder_and_a_file_with_its_manifest_are_two_things(story: Stage) -> None:
    haina = story.haina
    haina.ledger.register("haina/sensors", haina.folder / "sensors")
    assert haina.ledger.verify(haina.folder / "sensors").verdict == "good"
    from ledger.store.content import digest_folder

    manifest = haina.folder / "manifest"
    manifest.write_bytes(b"dataledger/tree/v1\0" + digest_folder(haina.folder / "sensors").manifest())
    assert haina.ledger.verify(manifest).verdict == "unknown-content"
    haina.put("sensors/line-2.csv", "")
    assert haina.ledger.verify(haina.folder / "sensors").verdict == "unknown-content"


def test_a_claim_that_is_pending_is_unconfirmed(story: Stage) -> None:
    haina = story.haina
    path = haina.put("new.csv")
    haina.ledger.register("haina/new", path, anchor=False)
    found = haina.ledger.verify(path)
    assert (found.verdict, found.claims[0].state) == ("unconfirmed", "pending")
    assert "not anchored yet" in found.reason
    assert haina.command("verify", "new.csv")[0] == 3
    haina.ledger.anchor()
    assert haina.ledger.verify(path).verdict == "good"


def test_a_strangers_claim_does_not_count_unless_it_is_trusted_or_asked_for(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    path = haina.folder / "parts.csv"
    shutil.copy(jinlong.folder / "parts.csv", path)
    found = haina.ledger.verify(path)
    assert (found.verdict, found.claims[0].good, found.claims[0].trusted) == (
        "untrusted-claimant",
        True,
        False,
    )
    assert "follow PARTY --trust" in found.reason
    assert haina.ledger.verify(path, asset="jinlong/parts").verdict == "good"
    found = haina.ledger.verify(path, asset="haina/orders")
    assert (found.verdict, found.reason) == (
        "untrusted-claimant",
        "no version of haina/orders has this content",
    )
    haina.ledger.follow("jinlong", trust=True)
    assert haina.ledger.verify(path).verdict == "good"
    haina.ledger.unfollow("jinlong")
    assert haina.ledger.verify(path).verdict == "untrusted-claimant"
    with pytest.raises(Usage):
        haina.ledger.verify(path, asset="No Name")


def test_content_that_several_claim(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    path = haina.put("shared.csv", "the same\n")
    shutil.copy(path, jinlong.folder / "shared.csv")
    jinlong.ledger.register("jinlong/shared", jinlong.folder / "shared.csv")
    haina.reopen().register("haina/shared", path)
    haina.ledger.register("haina/again", path)
    found = haina.ledger.verify(path)
    assert [claim.version for claim in found.claims] == [
        "jinlong/shared@1",
        "haina/shared@1",
        "haina/again@1",
    ]
    assert found.verdict == "good"
    assert "same-content-other-claimant" in haina.finding_kinds()
    jinlong.ledger.follow("haina", source=str(haina.public))
    assert [each.trusted for each in jinlong.ledger.verify(path).claims] == [True, False, False]


def test_a_log_that_is_not_here_leaves_a_claim_unconfirmed(story: Stage) -> None:
    """The index remembers the claim; the copy of the log, from which it could be checked again, is gone."""
    haina, jinlong = story.haina, story.jinlong
    shutil.rmtree(haina.home / "mirrors")
    found = haina.ledger.verify(jinlong.folder / "parts.csv", asset="jinlong/parts")
    assert found.verdict == "unconfirmed"
    assert "is not here" in found.reason


def forge(party: Party, statement: str) -> None:
    """Change the index, which `verify` must not believe."""
    party.close()
    with sqlite3.connect(party.home / "index.db") as db:
        assert db.execute(statement).rowcount > 0
    db.close()


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        # Jinlong's version is said to be Haina's, in three ways
        ("UPDATE version SET asset = (SELECT id FROM asset WHERE name = 'haina/orders')", "is that version"),
        ("UPDATE version SET number = 7", "is that version"),
        ("UPDATE entry SET party = (SELECT party FROM namespace WHERE name = 'haina')", "is not by"),
        ("UPDATE entry SET idx = 1 - idx", "another record than the index says"),
        ("UPDATE entry SET record = zeroblob(32)", "another record than the index says"),
    ],
)
def test_the_index_is_not_believed(story: Stage, statement: str, says: str) -> None:
    haina = story.haina
    path = haina.folder / "parts.csv"
    shutil.copy(story.jinlong.folder / "parts.csv", path)
    forge(haina, statement)
    found = haina.ledger.verify(path)
    assert found.verdict in ("invalid", "untrusted-claimant", "unknown-content")
    assert all(says in claim.problem for claim in found.claims)


def test_an_entry_that_was_altered_is_invalid(story: Stage) -> None:
    haina = story.haina
    bundle = next((haina.public / "tile" / "entries").glob("000.p/*"))
    data = bytearray(bundle.read_bytes())
    data[len(data) // 2] ^= 1
    bundle.write_bytes(data)
    assert haina.reopen().verify(haina.folder / "orders.csv").verdict == "invalid"


def test_as_an_alias_says(story: Stage) -> None:
    haina = story.haina
    path = haina.put("new.csv")
    haina.ledger.register("haina/new", path, aliases=["doi:10.1000/1"])
    assert haina.ledger.verify(path, asset="doi:10.1000/1").verdict == "good"
    with pytest.raises(NotFound, match="alias"):
        haina.ledger.verify(path, asset="doi:10.1000/2")


def test_only_logs_that_could_say_more_are_named(story: Stage) -> None:
    """A stranger's log that is not read here could not make a file good."""
    haina, jinlong = story.haina, story.jinlong
    haina.ledger.unfollow("jinlong")
    jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", "new"))
    path = haina.put("unknown.csv", "nobody claims this")
    found = haina.ledger.verify(path)
    assert (found.verdict, found.reason) == ("unknown-content", "no version with this content is known here")
    asked = haina.ledger.verify(path, asset="jinlong/parts")
    haina.ledger.follow("jinlong", source=str(jinlong.public), trust=True)
    jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", "newer"))
    jinlong.close()
    jinlong.public.rename(jinlong.public.with_name("away"))
    for verdict in (haina.ledger.verify(path), haina.ledger.verify(path, asset="jinlong/parts")):
        assert verdict.verdict == "unknown-content"
        if "is not jinlong/parts" not in verdict.reason:
            assert "of Jinlong" in verdict.reason
            assert "may claim it" in verdict.reason
    assert asked.verdict == "unknown-content"
