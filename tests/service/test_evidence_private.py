"""Private attachments in evidence: in by choice, out by default, and said to be forgotten when they are."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.core.digests import seal, unseal
from ledger.core.errors import EvidenceInvalid
from ledger.core.verdict import EvidenceView
from ledger.service.attached import private_attachments
from ledger.service.disclosing import sealed
from ledger.service.evidence_checking import TrustRoot, check_evidence
from tests.service.conftest import PYTHON, Party, copied
from tests.service.test_disclosing import only

SECRET = b"the-price-is-4711"


@pytest.fixture(scope="module")
def _ran(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    story = next(copied(_story, tmp_path_factory.mktemp("ran") / "stage"))
    haina = story.haina
    for n in (1, 2):
        made = haina.folder / f"made{n}.csv"
        write = f"open({str(made)!r}, 'w').write('{n}')"
        command = [PYTHON, "-c", write, f"{SECRET.decode()}-{n}"]
        haina.ledger.run(command, inputs=["haina/orders"], outputs=[f"haina/made{n}={made}"])
    story.close()
    return story.path


@pytest.fixture
def haina(_ran: Path, tmp_path: Path) -> Iterator[Party]:
    for stage in copied(_ran, tmp_path / "stage"):
        yield stage.haina


def told(haina: Party, *versions: str) -> EvidenceView:
    """Make evidence, and verify it as somebody does who trusts the block."""
    out = haina.folder / "made.evidence"
    made = haina.ledger.evidence(versions, out)
    return check_evidence(out, TrustRoot(block=made.block_hash), everything=True)


def private(view: EvidenceView) -> list[tuple[str, bytes | None]]:
    """State and content of the private attachments, in the order of their records."""
    assert view.verdict.verdict == "good"
    shown = view.verdict.attachments
    return [(each.state, each.content) for each in shown if each.digest.startswith("dataledger-sealed-v1:")]


def holds_secret(haina: Party) -> bool:
    data = (haina.folder / "made.evidence").read_bytes()
    return any(base64.b64encode(bytes(shift) + SECRET)[4:-4] in data for shift in range(3)) or SECRET in data


def test_withheld_unless_it_is_disclosed(haina: Party) -> None:
    assert private(told(haina, "haina/made1@1", "haina/made2@1")) == [("withheld", None)] * 2
    assert not holds_secret(haina)
    digest = only(haina.ledger.disclose(["haina/made2"], confirmed=True))
    preimage = sealed(haina.context, digest)
    assert preimage is not None
    view = told(haina, "haina/made1@1", "haina/made2@1")
    assert private(view) == [("withheld", None), ("disclosed", unseal(preimage))]
    assert holds_secret(haina)
    # evidence of something else does not hold it
    assert private(told(haina, "haina/made1@1")) == [("withheld", None)]
    assert not holds_secret(haina)
    haina.ledger.withdraw(["haina/made2"])
    assert private(told(haina, "haina/made2@1")) == [("withheld", None)]
    assert not holds_secret(haina)


def test_forgotten_is_said_and_everything_else_holds(haina: Party) -> None:
    before = told(haina, "haina/made1@1", "haina/made2@1")
    haina.ledger.disclose(["haina/made1", "haina/made2"], confirmed=True)
    haina.ledger.forget(["haina/made1"], confirmed=True)
    after = told(haina, "haina/made1@1", "haina/made2@1")
    assert [state for state, _ in private(after)] == ["forgotten", "disclosed"]
    assert after.records == before.records
    assert after.verdict.roots == before.verdict.roots


def test_lost_is_withheld_and_not_said_to_be_forgotten(haina: Party) -> None:
    digest = only(haina.ledger.disclose(["haina/made1"], confirmed=True))
    private_attachments(haina.context).path(digest).unlink()
    assert private(told(haina, "haina/made1@1")) == [("withheld", None)]


def test_a_swapped_disclosure_is_refused(haina: Party) -> None:
    """Another content under the disclosed digest, under the same salt and of the same length."""
    digest = only(haina.ledger.disclose(["haina/made1"], confirmed=True))
    told(haina, "haina/made1@1")
    preimage = sealed(haina.context, digest)
    assert preimage is not None
    salt = preimage[len(b"dataledger/sealed/v1\0") :][:32]
    forged = seal(salt, unseal(preimage).replace(b"4711", b"4712"))[1]
    out = haina.folder / "made.evidence"
    data = out.read_bytes()
    coded = base64.b64encode(preimage)
    assert data.count(coded) == 1
    out.write_bytes(data.replace(coded, base64.b64encode(forged)))
    with pytest.raises(EvidenceInvalid, match=f"expected digest {digest}"):
        check_evidence(out)
