"""Every file of the corpus comes to what the table says; the good ones are what the product writes."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fixtures import evidence_may  # noqa: F401 - it names its cases
from fixtures.evidence_scene import ROOT, Scene, plays
from fixtures.evidence_small import small
from fixtures.evidence_story import real_world, story
from ledger.audit.evidence import REASONS, is_evidence, verify_evidence
from ledger.core.authority import REASONS as AUTHORITY_REASONS
from ledger.core.errors import FormatError
from ledger.core.trust import Trust, parse_trust, trust_block
from ledger.service.evidence_asking import Asking
from tests.audit.conftest import CORPUS, Desk, outcome, rows

SMALL = CORPUS / "good-small.evidence"


def lines(name: str) -> Iterator[bytes]:
    """Return the lines of a file of the corpus."""
    return iter((CORPUS / name).read_bytes().splitlines(keepends=True))


@pytest.mark.parametrize(("name", "result", "block"), rows(), ids=[f"{r[0]}-{r[2][:6]}" for r in rows()])
def test_a_file_comes_to_what_its_name_says(name: str, result: str, block: str) -> None:
    trust = None if block == "-" else trust_block(block)
    assert outcome(lines(name), trust) == result


def test_the_corpus_is_large_and_its_table_complete() -> None:
    named = {row[0] for row in rows()}
    assert {path.name for path in CORPUS.glob("*.evidence")} == named
    assert len(named) >= 190
    assert len([name for name in named if name.startswith("may-")]) >= 70
    assert sum(path.stat().st_size for path in CORPUS.iterdir()) < 1 << 22


def test_there_is_a_bad_file_for_every_reason() -> None:
    unseen = REASONS.keys() - {row[1] for row in rows()}
    # an index's word for two reasons that evidence tells apart, and what only settlements can be
    assert unseen == {"bad-format", "not-operator"}
    assert REASONS.keys() > AUTHORITY_REASONS.keys()


@pytest.mark.parametrize(("name", "result"), sorted({row[:2] for row in rows() if row[2] != "-"}))
def test_without_a_trust_root_nothing_is_more_than_unconfirmed(name: str, result: str) -> None:
    """Not even revoked: a forger's chain may say of anything that it was taken back."""
    found = outcome(lines(name))
    unconfirmed = {"verdict:unconfirmed", "verdict:unconfirmed/unconfirmed"}
    if result.startswith("verdict:"):
        assert found in unconfirmed
        assert ("/" in found) == ("/" in result)
    else:
        assert found in unconfirmed or found in REASONS


# --- the good ones


def good_trust() -> Trust:
    return parse_trust((CORPUS / "trust.json").read_bytes(), "trust.json")


def test_a_trust_file_confirms_the_good_one() -> None:
    verdict = verify_evidence(lines("good.evidence"), good_trust()).verdict
    assert verdict.verdict == "good"
    assert verdict.trust_root == "trust file trust.json"
    assert verdict.records == 14


def test_a_trust_file_for_another_ledger_refuses_it() -> None:
    trust = Trust("elsewhere", good_trust().blocks, b"", bytes(32))
    assert outcome(lines("good.evidence"), trust) == "wrong-ledger"


def test_a_trust_file_that_says_nothing_of_its_block_leaves_it_unconfirmed() -> None:
    assert outcome(lines("good-small.evidence"), Trust("elsewhere", {1: bytes(32)})) == "verdict:unconfirmed"


def test_what_the_good_one_says() -> None:
    view = verify_evidence(lines("good.evidence"), good_trust(), everything=True)
    verdict = view.verdict
    assert {each.kind for each in verdict.findings} == {
        "revoked",
        "log-closed",
        "input-unregistered",
        "declared-input",
    }
    assert {each.name for each in verdict.parties} == {"Haina Appliances", "Jinlong Motors"}
    assert [each.name for each in verdict.outside] == ["haina/old"]
    assert any("haina/load@1" in text for text in verdict.declared)
    assert {node.label for node in view.graph.nodes} == {
        "haina/demand@1",
        "haina/load@1",
        "haina/old",
        "haina/orders@2",
        "haina/sensors@1",
        "jinlong/parts@2",
    }
    (sensors,) = [
        each for each in view.records if each.subjects == ("haina/sensors@1",) and each.type == "version"
    ]
    assert sensors.state == "revoked"
    (both,) = [each for each in view.records if len(each.authors) == 2]
    assert len(both.keys) == 2


def test_the_product_writes_the_very_bytes_of_the_good_ones(desk: Callable[..., Desk]) -> None:
    with story() as told:
        made = desk(told.world, told.honest.seeds).write(*told.honest.roots)
        assert made == (CORPUS / "good.evidence").read_bytes()
    with small() as told_small:
        writer = desk(told_small.scene.world, told_small.honest.seeds)
        block = told_small.scene.world.chain.block(told_small.honest.block or 0)
        made = writer.write("acme/orders@1", block=block)
        body = re.sub(
            rb'\n\{"line":"(party|disclosure|end)".*', b"", (CORPUS / "good-small.evidence").read_bytes()
        )
        assert re.sub(rb'\n\{"line":"end".*', b"", made) == body


HONEST = [
    "may-by-a-chain", "may-by-an-agreement", "may-across-a-border", "may-with-consent",
    "may-frozen-and-lifted", "may-nobody-granted-it", "may-revoked", "may-frozen", "may-expired",
    "may-consent-withdrawn",
]  # fmt: skip


@pytest.mark.parametrize("slug", HONEST)
def test_the_product_writes_the_very_bytes_of_answers(desk: Callable[..., Desk], slug: str) -> None:
    with real_world() as world:
        scene = Scene(world)
        next(body for name, _, body in plays() if name == slug)(scene)
        asked = scene.asked()
        assert asked is not None
        made = desk(world).write(ROOT, asking=Asking(asked, scene.more.get("rules", b"")))
    assert made == (CORPUS / f"{slug}.evidence").read_bytes()


def test_another_party_that_read_the_same_writes_the_same(desk: Callable[..., Desk]) -> None:
    with story() as told:
        own, others = told.world.view(told.haina), told.world.view(told.jinlong)
        made = [desk(told.world, told.honest.seeds, logs).write(*told.honest.roots) for logs in (own, others)]
    assert made[0] == made[1] == (CORPUS / "good.evidence").read_bytes()


# --- what begins like evidence, and what does not


def test_what_begins_like_evidence() -> None:
    assert is_evidence((CORPUS / "good.evidence").read_bytes()[:60])
    assert is_evidence((CORPUS / "later-version.evidence").read_bytes()[:60])
    assert not is_evidence(b"")
    assert not is_evidence(b"model,units\n")


@pytest.mark.parametrize(
    "text",
    ["", "0x", "12", "0x" + "1" * 63, "0x" + "g" * 64, "0x" + "1" * 65, "1" * 64, "0x" + "\u0661" * 64],
)
def test_a_block_hash_is_0x_and_64_hex_digits(text: str) -> None:
    with pytest.raises(FormatError):
        trust_block(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{}",
        b"[]",
        b'{"format":"dataledger/trust/v2","blocks":{}}',
        b'{"format":"dataledger/trust/v1"}',
        b'{"format":"dataledger/trust/v1","blocks":{"01":"0x' + b"1" * 64 + b'"}}',
        b'{"format":"dataledger/trust/v1","blocks":{"1":"' + b"1" * 64 + b'"}}',
        b'{"format":"dataledger/trust/v1","blocks":{"1":"0x' + b"1" * 64 + b'","1":"0x' + b"2" * 64 + b'"}}',
        b'{"format":"dataledger/trust/v1","blocks":{},"ledger":"12"}',
        b'{"format":"dataledger/trust/v1","blocks":{},"more":1}',
        b'{"format":"dataledger/trust/v1","blocks":' + b"[" * 99999,
        b" " * (1 << 20) + b"{}",
    ],
)
def test_a_trust_file_that_is_none(data: bytes) -> None:
    with pytest.raises(FormatError):
        parse_trust(data, "trust.json")


def test_names_in_the_corpus_are_slugs() -> None:
    for path in Path(CORPUS).glob("*.evidence"):
        assert re.fullmatch(r"[a-z0-9-]+\.evidence", path.name)
