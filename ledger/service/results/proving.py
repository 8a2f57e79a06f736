"""Evidence that was made, pages that show it, blocks to hold it against."""

from __future__ import annotations

from msgspec import Struct

from ledger.core.verdict import Conclusion, Observation, RightsConclusion, RightsVerdict


class EvidenceMade(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/evidence-made/v1"):
    """An evidence file that was written, and verified: what it is about, and the block that it proves from.

    `sha256` is that of the file. `block_hash` (0x) is the trust root that whoever verifies it has to get from
    somewhere else. `rights` is the answer that it shows, where one was asked for. `unknown` says in words
    what could not be told, `outside` names sources without a record.
    """

    path: str
    bytes: int
    sha256: str
    versions: list[str]
    records: int
    logs: int
    block: int
    block_hash: str
    block_time: str
    revoked: list[str] = []
    outside: list[str] = []
    rights: RightsVerdict | None = None
    unknown: list[str] = []
    findings: list[Observation] = []
    notes: list[str] = []


class ReportMade(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/report-made/v1"):
    """A page that was written, and the verdict on the evidence that it shows, as `verify` has it.

    `sha256` is that of the page: the same evidence, trust root and release give the same page. `rights` is
    the answer about rights, where the file asks for one.
    """

    path: str
    bytes: int
    sha256: str
    evidence: str
    verdict: Conclusion
    reason: str = ""
    trust_root: str = ""
    rights: RightsConclusion | None = None


class TrustFile(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/trust/v1"):
    """Blocks that are real, as this party's own chain has them: number -> hash (0x). `ledger` is its id."""

    ledger: str
    blocks: dict[str, str]
