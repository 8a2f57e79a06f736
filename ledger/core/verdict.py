"""What an evidence file comes to: the answer of the offline verifier, and what a report shows of it.

Neutral on purpose, as `lineage` is: no bytes of proofs, no layout. `ledger.audit` fills it, `ledger.formats`
makes a page of it, the command line prints it. Four things are kept apart everywhere: *proven* follows from
the trust root by arithmetic; *claimed* is what a proven signer says, or what no proof of absence can exclude;
*declared* is named and was hashed by nobody; *unknown* could not be told. Texts that signers wrote are data:
a view neutralises them.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from ledger.core.lineage import LineageGraph

Conclusion = Literal["good", "unconfirmed", "unknown", "revoked", "wrong-file"]
"""`good`: all holds, from a trust root given from outside. `unconfirmed`: all fits together, but nothing says
that the chain is the real one, whatever it says was taken back. `revoked`: its author took it back.
`unknown`: what was posted against something here, or the log of a source, is not had. `wrong-file`:
the file given is not the version. What does not hold at all is no verdict but an error
(`errors.EvidenceInvalid`)."""

RightsConclusion = Literal["permitted", "denied", "unknown", "unconfirmed"]
Severity = Literal["note", "warning", "error"]
AttachmentState = Literal["public", "disclosed", "withheld", "forgotten"]
"""`public`: anybody may fetch it, by digest. `disclosed`: its content is in the file. `withheld`: private and
not in the file. `forgotten`: its keeper says that it was deleted."""


class Observation(Struct, frozen=True, kw_only=True):
    """Something a reader has to know: a stable code, what it is about, in words, and the record (hex)."""

    kind: str
    severity: Severity
    subject: str
    text: str
    record: str = ""


class ProvenBlock(Struct, frozen=True, kw_only=True):
    """The block at whose end everything was proven. `hash` is 0x-prefixed, time in Unix seconds."""

    number: int
    hash: str
    time_unix_s: int


class PartyNamed(Struct, frozen=True, kw_only=True):
    """A party that signed: its DID, and its name as the file's maker gives it (a claim, may be empty)."""

    did: str
    name: str = ""


class RootVerdict(Struct, frozen=True, kw_only=True):
    """A version that was asked for. `digest` is `name:hex`; `state` is that of its version record."""

    version: str
    digest: str
    record: str
    authors: tuple[str, ...]
    state: Literal["stands", "revoked", "unknown"]
    block: int
    time_unix_s: int
    declared: bool = False


class Outside(Struct, frozen=True, kw_only=True):
    """A source of which there is no record: `unregistered`, or `unavailable` (its log could not be had)."""

    name: str
    digest: str
    why: Literal["unregistered", "unavailable"]


class AttachmentShown(Struct, frozen=True, kw_only=True):
    """An attachment that a record in the file names; `content` only of a disclosed one."""

    record: str
    role: str
    media_type: str
    digest: str
    state: AttachmentState
    content: bytes | None = None


class JudgedRecord(Struct, frozen=True, kw_only=True):
    """A record that holds: who signed it, where it stands and which checkpoint anchors it.

    `log` and `record` are hex, `index` the entry, `checkpoint` the number and `size` the size of its anchor,
    `block` and `time_unix_s` that anchor's block (proven), `claimed_time` what the record says.
    """

    record: str
    type: str
    subjects: tuple[str, ...]
    authors: tuple[str, ...]
    keys: tuple[str, ...]
    log: str
    index: int
    checkpoint: int
    size: int
    block: int
    time_unix_s: int
    claimed_time: str
    state: Literal["stands", "revoked", "unknown"] = "stands"


class FileCheck(Struct, frozen=True, kw_only=True):
    """A file held against the evidence: its digest (`name:hex`), and the version that it is, or empty."""

    path: str
    digest: str
    version: str = ""


class RightsCause(Struct, frozen=True, kw_only=True):
    """Why an answer about rights is what it is: a code of `rights_facts.CODES`, what it means, the version
    that it is about, the record at fault (hex), and particulars.

    `proven` tells whether it follows from the trust root; if not, it is so by the records shown.
    """

    code: str
    meaning: str
    subject: str
    record: str = ""
    text: str = ""
    proven: bool


class RightsGrant(Struct, frozen=True, kw_only=True):
    """A grant or agreement that a yes rests on. `taker` is empty for everybody; `block` anchors it."""

    record: str
    giver: str
    taker: str
    subject: tuple[str, ...]
    until: str
    under: str
    share_bps: int
    block: int


class RightsCap(Struct, frozen=True, kw_only=True):
    """The most that may be asked for a unit, in the currency's minor unit."""

    currency: str
    amount: int


class RightsVerdict(Struct, frozen=True, kw_only=True):
    """The answer to the question of a file: may `party` do this? Never `permitted` without a trust root.

    `shown` is what the file comes to if its block is real, `verdict` the same or `unconfirmed`. `at` is the
    moment asked for, `known` the time of the file's block, whose facts these are. `rules` names the list of
    border rules with its version and digest, empty where there was none. The sentences are as those of
    `Verdict`.
    """

    verdict: RightsConclusion
    shown: Literal["permitted", "denied", "unknown"]
    party: str
    right: str
    subject: str
    purpose: str
    region: str
    at: str
    known: str
    because: tuple[RightsCause, ...]
    grants: tuple[RightsGrant, ...]
    free: bool = False
    caps: tuple[RightsCap, ...] = ()
    level: str = ""
    rules: str = ""
    proven: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


class Verdict(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/verdict/v1"):
    """What a whole evidence file comes to.

    `trust_root` says in words what confirmed the block ("--block 0x…", "block 12 at http://…"), and is empty
    without one. `proven`, `claimed`, `declared` and `unknown` are sentences. `bytes` is the file's size,
    `digest` its SHA-256 (hex), so that a report names the very file that it is about. `verdict` is that on
    the lineage; `rights` is there if the file answers whether somebody may use it.
    """

    verdict: Conclusion
    reason: str = ""
    trust_root: str = ""
    ledger: str
    chain_id: int
    block: ProvenBlock
    roots: tuple[RootVerdict, ...]
    parties: tuple[PartyNamed, ...]
    records: int
    logs: int
    proven: tuple[str, ...] = ()
    claimed: tuple[str, ...] = ()
    declared: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    findings: tuple[Observation, ...] = ()
    outside: tuple[Outside, ...] = ()
    attachments: tuple[AttachmentShown, ...] = ()
    file: FileCheck | None = None
    bytes: int = 0
    digest: str = ""
    notes: tuple[str, ...] = ()
    rights: RightsVerdict | None = None


class EvidenceView(Struct, frozen=True, kw_only=True):
    """A verdict with every record and the lineage: what a report is made of. Grows with the file."""

    verdict: Verdict
    records: list[JudgedRecord]
    graph: LineageGraph
