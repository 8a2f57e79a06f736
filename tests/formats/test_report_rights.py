"""A page about evidence of rights: the answer, what it rests on, and nothing of it without a trust root."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from ledger.audit.evidence import verify_evidence
from ledger.core.trust import trust_block
from ledger.core.verdict import EvidenceView, RightsCap
from tests.audit.conftest import CORPUS, rows
from tests.formats.report_reading import Reading, page_of
from tests.formats.test_report_safety import require_closed

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


HOSTILE = "<script>alert(1)</script>\u202e</table>&amp;\x1b[31m"


def test_what_signers_wrote_gets_in_as_text_only() -> None:
    found = view("by-a-chain")
    rights = found.verdict.rights
    assert rights is not None
    cause = msgspec.structs.replace(rights.because[0], text=HOSTILE, subject=HOSTILE, meaning=HOSTILE)
    given = msgspec.structs.replace(rights.grants[0], until=HOSTILE, subject=(HOSTILE,) * 5)
    hostile = msgspec.structs.replace(
        rights,
        purpose=HOSTILE,
        region=HOSTILE,
        rules=HOSTILE,
        level=HOSTILE,
        at=HOSTILE,
        because=(cause,) * 200,
        grants=(given,),
        caps=(RightsCap(currency=HOSTILE, amount=1), RightsCap(currency="CNY", amount=500)),
        claimed=(HOSTILE,),
    )
    verdict = msgspec.structs.replace(found.verdict, rights=hostile)
    page = page_of(msgspec.structs.replace(found, verdict=verdict))
    require_closed(page)
    assert "<script>alert" not in page
    assert "5.00 CNY a unit" in text(msgspec.structs.replace(found, verdict=verdict))
    assert "100 of 200 reasons shown" in page
