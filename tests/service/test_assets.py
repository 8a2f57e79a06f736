"""Registering, versions, handing over, taking back: what is recorded, and what is refused."""

from __future__ import annotations

import json

import msgspec
import pytest

from ledger.core.errors import NotFound, Usage
from ledger.service.assets import parse_alias
from tests.service.conftest import Party, Stage


def subjects(receipt) -> list[str]:
    return [f"{each.type} {each.subject}" for each in receipt.records]


# --- register


def test_a_registration_is_anchored_with_its_first_version(haina: Party) -> None:
    done = haina.ledger.register(
        "haina/orders", haina.folder / "orders.csv", title="Orders", kind="table", license="CC0-1.0"
    )
    assert subjects(done) == ["registration haina/orders", "version haina/orders@1"]
    assert [each.entry for each in done.records] == [0, 1]
    assert (done.size, done.problem) == (2, "")
    head = haina.context.reader.log_head(haina.context.log_id)
    assert head is not None
    assert (head.size, head.block) == (2, done.block)
    shown = haina.ledger.show("haina/orders")
    assert ("title", "Orders") in shown.facts
    assert ("license", "CC0-1.0") in shown.facts
    assert shown.to_block == done.block
    assert dict(haina.ledger.show("haina/orders@1").facts)["media type"] == "text/csv"


def test_a_folder_is_content_of_its_own_kind(haina: Party) -> None:
    haina.ledger.register("haina/sensors", haina.folder / "sensors")
    facts = dict(haina.ledger.show("haina/sensors@1").facts)
    assert facts["digest"].startswith("dataledger-tree-v1:")
    assert facts["media type"] == ""


def test_an_asset_without_content_has_no_version(haina: Party) -> None:
    done = haina.ledger.register("haina/later", aliases=["doi:10.1000/182"])
    assert subjects(done) == ["registration haina/later"]
    assert haina.ledger.show("doi:10.1000/182").title == "haina/later"
    with pytest.raises(NotFound, match="no version haina/later@1"):
        haina.ledger.show("haina/later@1")


def test_an_asset_is_registered_once(haina: Party) -> None:
    haina.ledger.register("haina/orders")
    with pytest.raises(Usage, match="registered already") as caught:
        haina.ledger.register("haina/orders", haina.folder / "orders.csv")
    assert "dataledger version haina/orders" in caught.value.hint
    assert haina.context.log.size == 1


@pytest.mark.parametrize(
    ("asset", "says"),
    [("jinlong/parts", "belongs to Jinlong"), ("nobody/x", "nobody owns"), ("haina.child/x", "nobody owns")],
)
def test_only_in_a_namespace_of_ones_own(haina: Party, asset: str, says: str) -> None:
    with pytest.raises(Usage, match=says):
        haina.ledger.register(asset)
    assert haina.context.log.size == 0


@pytest.mark.parametrize("asset", ["haina", "haina/", "Haina/x", "haina/x@1", "haina//x", "/x", ""])
def test_names_outside_the_grammar_are_the_callers_mistake(haina: Party, asset: str) -> None:
    with pytest.raises(Usage):
        haina.ledger.register(asset)


def test_texts_that_no_record_may_hold(haina: Party) -> None:
    with pytest.raises(Usage, match="control characters"):
        haina.ledger.register("haina/x", title="a\x1b[31mb")
    with pytest.raises(Usage, match="16384"):
        haina.ledger.register("haina/x", description="x" * 20_000)
    assert haina.context.log.size == 0


def test_what_is_not_there_is_not_registered(haina: Party) -> None:
    with pytest.raises(NotFound, match=r"no-such\.csv"):
        haina.ledger.register("haina/x", haina.folder / "no-such.csv")
    with pytest.raises(NotFound, match="is not known here"):
        haina.ledger.show("haina/x")


def test_aliases() -> None:
    assert parse_alias("doi:10.1000/182").name == "10.1000/182"
    alias = parse_alias("openlineage:postgres://db:5432#public.orders")
    assert (alias.scheme, alias.namespace, alias.name) == (
        "openlineage",
        "postgres://db:5432",
        "public.orders",
    )
    for text in ("", "doi", "doi:", ":x"):
        with pytest.raises(Usage, match="expected SCHEME:NAME"):
            parse_alias(text)


# --- version


def test_new_content_is_the_next_version(haina: Party) -> None:
    path = haina.put("orders.csv", "a\n")
    haina.ledger.register("haina/orders", path)
    path.write_text("b\n")
    done = haina.ledger.version("haina/orders")  # from where it was last
    assert subjects(done) == ["version haina/orders@2"]
    assert haina.ledger.verify(path).verdict == "good"
    payload = json.loads(haina.ledger.show(done.records[0].record[:8]).statement)
    assert payload["predicate"]["previous"] == haina.ledger.log(type="version").records[1].record


def test_content_that_is_the_newest_version_already_is_not_recorded(haina: Party) -> None:
    path = haina.put("orders.csv", "a\n")
    first = haina.ledger.register("haina/orders", path)
    done = haina.ledger.version("haina/orders", path)
    assert (done.records, done.size) == ([], first.size)
    assert "haina/orders@1 already" in done.notes[0]
    # older content again is a version of its own
    path.write_text("b\n")
    haina.ledger.version("haina/orders")
    path.write_text("a\n")
    assert subjects(haina.ledger.version("haina/orders")) == ["version haina/orders@3"]


def test_versions_of_what_is_not_ours_or_not_there(story: Stage) -> None:
    haina = story.haina
    path = haina.put("x.csv")
    with pytest.raises(Usage, match="is held by Jinlong"):
        haina.ledger.version("jinlong/parts", path)
    with pytest.raises(NotFound, match="is not registered"):
        haina.ledger.version("haina/unknown", path)
    with pytest.raises(NotFound, match="where haina/unknown is on this machine is not known"):
        haina.ledger.version("haina/unknown")
    assert haina.context.log.size == 2


# --- transfer


def test_an_asset_is_handed_over(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    jinlong.ledger.follow("haina", source=str(haina.public))
    done = haina.ledger.transfer("haina/orders", "jinlong")
    assert subjects(done) == ["transfer haina/orders"]
    assert done.block is not None
    with pytest.raises(Usage, match="is held by Jinlong"):
        haina.ledger.version("haina/orders", haina.put("orders.csv", "more\n"))
    with pytest.raises(Usage, match="is held by Jinlong"):
        haina.ledger.transfer("haina/orders", "jinlong")
    jinlong.reopen()
    taken = jinlong.ledger.version("haina/orders", jinlong.put("orders.csv", "theirs\n"))
    assert subjects(taken) == ["version haina/orders@2"]
    back = jinlong.ledger.transfer("haina/orders", "haina")
    assert back.block is not None
    assert subjects(haina.reopen().version("haina/orders", haina.put("orders.csv", "ours again\n"))) == [
        "version haina/orders@3"
    ]
    assert haina.finding_kinds() == []


def test_transfers_that_make_no_sense(story: Stage) -> None:
    ledger = story.haina.ledger
    with pytest.raises(Usage, match="giver and receiver are one party"):
        ledger.transfer("haina/orders", "haina")
    with pytest.raises(NotFound, match="is not registered"):
        ledger.transfer("haina/unknown", "jinlong")
    with pytest.raises(NotFound, match="nobody owns the namespace nobody"):
        ledger.transfer("haina/orders", "nobody")
    with pytest.raises(Usage, match="is held by Jinlong"):
        ledger.transfer("jinlong/parts", "jinlong")
    assert story.haina.context.log.size == 2


def test_a_transfer_that_got_no_further_than_the_log_is_finished(story: Stage) -> None:
    haina = story.haina
    with haina.context.writing():  # as if the chain had been locked: recorded, not anchored, not posted
        from ledger.service.batch import Batch
        from ledger.service.publishing import publish

        batch = Batch(haina.context)
        batch.transfer("haina/orders", story.jinlong.party)
        begun = publish(haina.context, batch, anchor=False)
    assert haina.ledger.version("haina/orders", haina.put("orders.csv", "still ours\n")).problem == ""
    done = haina.reopen().transfer("haina/orders", "jinlong")
    assert (done.records, done.size) == ([], begun.size + 1)
    assert dict(haina.ledger.show("haina/orders").facts)["held by"].startswith("Jinlong")


def test_a_transfer_posts_even_where_anchoring_is_left_to_the_user(story: Stage) -> None:
    haina = story.haina
    config = msgspec.structs.replace(haina.context.config, anchor="manual")
    haina.context.save_config(config)
    assert haina.ledger.register("haina/more").block is None
    assert haina.ledger.transfer("haina/orders", "jinlong").block is not None
    assert haina.ledger.status().pending == 0


# --- revoke


def test_a_record_is_taken_back(story: Stage) -> None:
    haina = story.haina
    path = haina.folder / "orders.csv"
    assert haina.ledger.verify(path).verdict == "good"
    (version,) = haina.ledger.log(type="version", asset="haina/orders").records
    done = haina.ledger.revoke(version.record[:10], reason="exported from the wrong table")
    assert [each.type for each in done.records] == ["revocation"]
    found = haina.ledger.verify(path)
    assert (found.verdict, found.claims[0].problem) == ("invalid", "its author took it back")
    assert haina.ledger.log(asset="haina/orders", type="version").records[0].verdict == "revoked"
    with pytest.raises(Usage, match="was taken back already"):
        haina.ledger.revoke(version.record)
    with pytest.raises(Usage, match="a revocation can't be taken back"):
        haina.ledger.revoke(done.records[0].record)
    # recording it anew makes it good again
    path.write_text(path.read_text() + "B,4\n")
    haina.ledger.version("haina/orders")
    assert haina.ledger.verify(path).verdict == "good"


def test_only_ones_own_records_are_taken_back(story: Stage) -> None:
    haina = story.haina
    (theirs, *_) = haina.ledger.log(party="jinlong").records
    with pytest.raises(Usage, match="is not yours to take back"):
        haina.ledger.revoke(theirs.record)
    with pytest.raises(NotFound, match="no record that counts"):
        haina.ledger.revoke("ffff" * 16)
    with pytest.raises(Usage, match="hex digits"):
        haina.ledger.revoke("orders")
    assert haina.context.log.size == 2


def test_a_revocation_that_was_posted_and_is_hidden_leaves_the_answer_unknown(story: Stage) -> None:
    """Jinlong takes its record back, but Haina sees only the posting on the chain, not the log."""
    haina, jinlong = story.haina, story.jinlong
    (version,) = jinlong.ledger.log(type="version", asset="jinlong/parts").records
    path = haina.put("parts.csv", (jinlong.folder / "parts.csv").read_text())
    assert haina.ledger.verify(path, asset="jinlong/parts").verdict == "good"
    jinlong.ledger.revoke(version.record)
    jinlong.public.rename(jinlong.home / "elsewhere")
    found = haina.reopen().verify(path, asset="jinlong/parts")
    assert found.verdict == "unconfirmed"
    assert "posted something against it" in found.claims[0].problem
