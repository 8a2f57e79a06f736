"""Evidence files: what proves the lineage of some versions to somebody who has nothing else.

Source: docs/formats.md section 11, which is normative. A file of version 2 also answers whether a party may
do something with the one version that it is about. A file is lines of JSON, each ended by a line feed,
each exactly as `format_line` writes it: members in the order of the Struct, nothing left out but defaults, no
white space. They come in one order, so that a reader checks each line as it comes, from the block down:

    evidence                       what it is: ledger, versions asked for
    question, rules                version 2: who may do what, for what, where and when; border rules
    block                          the header at whose end everything below was so
    account, slot, slot, ...       each contract's account, and every storage slot that the verdict rests on
    log, ...                       the logs spoken of
    checkpoint, ...                the owner's signed note of an anchored checkpoint
    party, ...                     names of parties: claims of whoever made the file
    record, ...                    envelopes as stored, with inclusion proofs, in order of anchoring
    posted, ...                    payloads that were posted and take nothing away
    outside, ...                   sources that the file does not follow
    unread, ...                    version 2: logs that may say more, and that whoever made it could not have
    disclosure | forgotten, ...    private attachments
    end                            how many lines and records there were

This module reads and writes single lines; what they come to is `ledger.audit.evidence`'s business.
"""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Raw, Struct

from ledger.core.descriptor import LedgerDescriptor, format_descriptor, parse_descriptor
from ledger.core.encoding import MAX_INTEGER, b64decode, b64encode, check_depth
from ledger.core.errors import EvidenceInvalid, FormatError, LedgerError
from ledger.core.record_parts import Time
from ledger.core.records import Digests, Hex, Label, Line, Party
from ledger.core.records_rights import Region, Right
from ledger.core.region_rules import MAX_RULES_BYTES

FORMAT: Final = "dataledger/evidence/v1"
FORMAT_RIGHTS: Final = "dataledger/evidence/v2"
"""A file that answers a question about rights, too."""
START: Final = b'{"line":"evidence","format":"dataledger/evidence/'
"""How every evidence file begins, of this version or a later one."""

_START_LINE = b'{"line":"evidence"'
_MAX_DEPTH = 8

MAX_LINE: Final = 1 << 18
"""Most bytes of a line other than a disclosure: an entry of 65,535 bytes, escaped, and its proof."""
MAX_DISCLOSED: Final = 1 << 24
"""Most bytes of a disclosed attachment's preimage; a larger one has to be handed over apart."""
MAX_DISCLOSURE: Final = 4 * MAX_DISCLOSED // 3 + 1024
"""Most bytes of a disclosure's line."""
MAX_RULE_LINE: Final = 4 * MAX_RULES_BYTES // 3 + 1024
"""Most bytes of a line with a rule list."""
MAX_ROOTS: Final = 10_000

Contract = Literal["Identities", "Directory", "Anchors", "Revocations"]
Count = Annotated[int, Meta(ge=0, le=MAX_INTEGER)]
Base64 = Annotated[str, Meta(min_length=4)]
Word = Annotated[str, Meta(min_length=44, max_length=44)]
"""32 bytes in base64."""
Nodes = Annotated[list[Base64], Meta(max_length=65)]


class _Line(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="line"):
    pass


class Start(_Line, frozen=True, tag="evidence", kw_only=True):
    """The ledger (as `ledger.json`, without hints and white space) and the versions asked for, sorted."""

    format: str
    ledger: Raw
    roots: Annotated[list[Line], Meta(min_length=1, max_length=MAX_ROOTS)]


class Asked(_Line, frozen=True, tag="question", kw_only=True):
    """May `party` do this with the version that the file is about, until the end of the second `at`?

    Without `purpose` or `region` it was not said for what, or where.
    """

    party: Party
    right: Right
    at: Time
    purpose: Label | Literal[""] = ""
    region: Region | Literal[""] = ""


class Rules(_Line, frozen=True, tag="rules"):
    """The list of border rules (`region_rules`) that the answer goes by, as its bytes in base64."""

    file: Base64


class Block(_Line, frozen=True, tag="block"):
    """The RLP of a block header, in base64."""

    header: Base64


class Account(_Line, frozen=True, tag="account"):
    """A contract's account: nodes as in `trie_paths`; its slots follow. By keccak256 of address."""

    contract: Contract
    keep: Count
    nodes: Nodes


class StorageSlot(_Line, frozen=True, tag="slot"):
    """A storage slot of the contract before; its content is what the nodes lead to. By keccak256 of slot."""

    slot: Word
    keep: Count
    nodes: Nodes = []


class Log(_Line, frozen=True, tag="log"):
    """A log, by owner (0x address) and number; later lines name it by its position, from 0. By log id."""

    owner: Annotated[str, Meta(min_length=42, max_length=42)]
    number: Count


class CheckpointNote(_Line, frozen=True, tag="checkpoint"):
    """The signed note of checkpoint `n` of a log, and the record key (hex) of its owner that signed it."""

    log: Count
    n: Count
    key: Hex
    note: Annotated[str, Meta(max_length=16384)]


class PartyName(_Line, frozen=True, tag="party"):
    """The display name of a party, a claim: it stands in events, which no storage proof shows. By DID."""

    did: Party
    name: Line


class Record(_Line, frozen=True, tag="record"):
    """Entry `index` of a log, as stored, under the checkpoint that anchors it: the first that covers it.

    `proof` holds the hashes of the inclusion proof, in base64, from the root down, behind the `keep` that are
    those of the record before. By block of the anchor, log id and index.
    """

    log: Count
    index: Count
    checkpoint: Count
    entry: Annotated[str, Meta(min_length=2, max_length=65535)]
    keep: Count
    proof: Annotated[list[Word], Meta(max_length=63)]


class PostedPayload(_Line, frozen=True, tag="posted"):
    """A payload whose record id was posted against something here, and that says something else. By id."""

    payload: Annotated[str, Meta(min_length=2, max_length=65535)]


class OutsideSource(_Line, frozen=True, tag="outside"):
    """A source of which the file has no record: nobody registered it, or its log could not be had.

    By name and digest.
    """

    name: Line
    digest: Digests
    why: Literal["unregistered", "unavailable"]


class Unread(_Line, frozen=True, tag="unread", kw_only=True):
    """A log that whoever made the file could not have, and that may say more of rights in an asset.

    Without `party` it is that of somebody who held the asset, or signed for one: then no answer about the
    asset is certain. With `party`, somebody may have given that party a right there. By asset, party, owner,
    number.
    """

    asset: Line
    owner: Annotated[str, Meta(min_length=42, max_length=42)]
    number: Count
    party: Party | Literal[""] = ""


class Disclosure(_Line, frozen=True, tag="disclosure"):
    """The preimage of a private attachment, in base64; its SHA-256 is what a record names. By digest."""

    digest: Hex
    sealed: Base64


class Forgotten(_Line, frozen=True, tag="forgotten"):
    """The keeper of a private attachment says that its salt and content were deleted. By digest."""

    digest: Hex


class End(_Line, frozen=True, tag="end"):
    """How many lines came before, and how many of them were records."""

    lines: Count
    records: Count


EvidenceLine = (
    Start
    | Asked
    | Rules
    | Block
    | Account
    | StorageSlot
    | Log
    | CheckpointNote
    | PartyName
    | Record
    | PostedPayload
    | OutsideSource
    | Unread
    | Disclosure
    | Forgotten
    | End
)

_decoder = msgspec.json.Decoder(EvidenceLine)
_encoder = msgspec.json.Encoder()


_LONG: Final = {b'{"line":"disclosure"': MAX_DISCLOSURE, b'{"line":"rules"': MAX_RULE_LINE}


def format_line(line: EvidenceLine) -> bytes:
    """Write a line, with its line feed."""
    return _encoder.encode(line) + b"\n"


def parse_line(data: bytes) -> EvidenceLine:
    """Read a line, with its line feed; EvidenceInvalid for anything that `format_line` would not write."""
    limit = next((most for start, most in _LONG.items() if data.startswith(start)), MAX_LINE)
    if len(data) > limit:
        raise EvidenceInvalid("line-too-long", f"expected a line of at most {limit} bytes, got {len(data)}")
    if not data.endswith(b"\n"):
        raise EvidenceInvalid("truncated", "expected a line feed at the end of the line; the file is cut off")
    try:
        if data.startswith(_START_LINE):  # the only line with a part that is read later
            check_depth(data, _MAX_DEPTH)
        line: EvidenceLine = _decoder.decode(data)
        again = format_line(line)
    except (FormatError, msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise EvidenceInvalid("bad-line", f"expected a line of an evidence file: {error}") from None
    if again != data:
        raise EvidenceInvalid(
            "not-canonical", "expected a line as it has to be written; members or white space differ"
        )
    return line


def describe(descriptor: LedgerDescriptor) -> Raw:
    """Give a ledger's description as evidence holds it: without hints and white space."""
    plain = msgspec.structs.replace(descriptor, hints=type(descriptor.hints)())
    return Raw(msgspec.json.encode(msgspec.json.decode(format_descriptor(plain))))


def parse_ledger(described: Raw) -> LedgerDescriptor:
    """Read what `describe` wrote; EvidenceInvalid for anything else."""
    try:
        descriptor = parse_descriptor(bytes(described))
        again = describe(descriptor)
    except LedgerError as error:
        raise EvidenceInvalid("bad-ledger", f"the ledger's description: {error}") from None
    if bytes(again) != bytes(described):
        raise EvidenceInvalid("not-canonical", "expected the ledger's description as it has to be written")
    return descriptor


def encode_words(hashes: list[bytes]) -> list[str]:
    """Write byte strings in base64."""
    return [b64encode(each) for each in hashes]


def decode_words(texts: list[str]) -> list[bytes]:
    """Read base64; EvidenceInvalid for what is not canonical."""
    try:
        return [b64decode(each) for each in texts]
    except LedgerError as error:
        raise EvidenceInvalid("bad-line", str(error)) from None
