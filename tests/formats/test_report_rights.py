"""A page about evidence of rights: the answer, what it rests on, and nothing of it without a trust root."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.audit.evidence import verify_evidence
from ledger.core.trust import trust_block
from ledger.core.verdict import EvidenceView
from tests.audit.conftest import CORPUS, rows
from tests.formats.report_reading import Reading, page_of

BLOCKS = {name: block for name, _, block in rows()}


def view(slug: str, *, trusted: bool = True) -> EvidenceView:
    path = Path(CORPUS / f"may-{slug}.evidence")
    trust = trust_block(BLOCKS[path.name]) if trusted else None
    return verify_evidence(path.read_bytes().splitlines(keepends=True), trust, everything=True)


def text(found: EvidenceView) -> str:
    """Return what a reader sees, with blanks as they come."""
    return " ".join("".join(Reading(page_of(found)).pieces).split())


@pytest.mark.parametrize(
    ("slug", "words"),
    [
        ("by-a-chain", ("May it be used Permitted", "Sensitivity general", "In any region", "proven")),
        ("nobody-granted-it", ("May it be used Denied", "nobody granted it", "by the records shown")),
        ("revoked", ("May it be used Denied", "the grant had been taken back", "proven")),
        ("withheld-revocation", ("May it be used Unknown", "which is not at hand")),
        ("across-a-border", ("In SG", "Border rules export version 1")),
    ],
)
def test_the_answer_and_why(slug: str, words: tuple[str, ...]) -> None:
    page = text(view(slug))
    for each in words:
        assert each in page, each


@pytest.mark.parametrize("slug", ["by-a-chain", "revoked"])
def test_without_a_trust_root_there_is_no_answer(slug: str) -> None:
    page = text(view(slug, trusted=False))
    assert "May it be used Not confirmed (if the chain is the real one: " in page
    assert "May it be used Permitted" not in page
    assert "Proven, if the chain is the real one" in page


def test_a_page_about_a_lineage_says_nothing_of_rights() -> None:
    lines = (CORPUS / "good.evidence").read_bytes().splitlines(keepends=True)
    assert "May it be used" not in text(verify_evidence(lines, everything=True))
