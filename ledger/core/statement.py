"""Statements to and from the payload bytes of an envelope, and their JSON Schemas.

Source: in-toto Statement v1 (https://github.com/in-toto/attestation/blob/main/spec/v1/statement.md), narrowed
by docs/formats.md section 4. Reading has three steps: the predicate's type selects how the rest is decoded
(`records`), the bytes must leave no reader in doubt (`encoding.check_json`), the parts must fit one another
(`shapes`). What a record may say is judged in `authority`.

    {"_type":"https://in-toto.io/Statement/v1","subject":[{"name":"acme/orders@1","digest":{"sha256":"..."}}],
     "predicateType":"https://dataledger.dev/predicate/version/v1","predicate":{"ledger":"...", ...}}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct, field

from ledger.core.encoding import check_json
from ledger.core.errors import FormatError
from ledger.core.records import PREDICATE_BASE, PREDICATE_TYPES, TYPE_OF, Predicate, Resource, Statement
from ledger.core.shapes import check_shape
from ledger.core.text import HIDDEN_UTF8, LINE_PATTERN, shown

MAX_PAYLOAD = 65535
"""Most bytes of a payload: an envelope, which is larger, has no more."""

UNKNOWN_TYPE = "unknown predicate type"
"""How the message begins if the record is of a type that this release does not know."""

Subjects = Annotated[list[Resource], Meta(min_length=1)]
_StatementType = Literal["https://in-toto.io/Statement/v1"]


class _Wire(Struct, frozen=True, forbid_unknown_fields=True, gc=False):
    type: _StatementType = field(name="_type")
    subject: Subjects
    predicate_type: str = field(name="predicateType")
    predicate: msgspec.Raw


class _Out(Struct, frozen=True, gc=False):
    type: _StatementType = field(name="_type")
    subject: Sequence[Resource]
    predicate_type: str = field(name="predicateType")
    predicate: Predicate


_WIRE = msgspec.json.Decoder(_Wire)
_PREDICATES = {name: msgspec.json.Decoder(kind) for name, kind in PREDICATE_TYPES.items()}
_ENCODER = msgspec.json.Encoder()
_escaped = re.compile(rb"\\[^\"\\/]").search  # \" \\ \/ hide nothing
_hidden = re.compile(HIDDEN_UTF8).search
_line = re.compile(LINE_PATTERN).search
_LINES = frozenset(("description", "declared", "reason"))


def build_statement(subject: Sequence[Resource], predicate: Predicate) -> bytes:
    """Give the payload that says `predicate` of `subject`; equal arguments give equal bytes.

    Raises FormatError for everything that `parse_statement` refuses.
    """
    try:
        payload = _encode(subject, predicate)
    except (TypeError, ValueError, OverflowError) as error:  # a lone surrogate, an integer too long
        raise FormatError(f"record: {error}") from None
    parse_statement(payload)
    return payload


def parse_statement(payload: bytes) -> Statement:
    """Read a payload of at most 65,535 bytes; anything but a well-formed record raises FormatError.

    A type of record that this release does not know raises FormatError too, with a message that begins with
    `UNKNOWN_TYPE`.
    """
    if len(payload) > MAX_PAYLOAD:
        raise FormatError(f"record: expected at most {MAX_PAYLOAD} bytes, got {len(payload)}")
    try:
        wire = _WIRE.decode(payload)
        decoder = _PREDICATES.get(wire.predicate_type)
        if decoder is None:
            check_json(payload, max_bytes=MAX_PAYLOAD)
            raise FormatError(f"{UNKNOWN_TYPE} {shown(wire.predicate_type)}")
        predicate: Predicate = decoder.decode(wire.predicate)
        # Our own spelling leaves nothing to doubt: duplicate members would be gone, and the types bound depth
        # and integers. Any other spelling is as good, but is looked at with care.
        if _encode(wire.subject, predicate) != payload:
            check_json(payload, max_bytes=MAX_PAYLOAD)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise FormatError(f"record: {error}") from None
    # In JSON a character that human text must not hold is raw UTF-8 or behind a backslash: mostly there is
    # neither, and no text needs looking at.
    if b"\\" in payload or b"\x7f" in payload or not payload.isascii():
        _check_text(payload)
    check_shape(wire.subject, predicate)
    return Statement(wire.subject, predicate)


def _encode(subject: Sequence[Resource], predicate: Predicate) -> bytes:
    return _ENCODER.encode(
        _Out("https://in-toto.io/Statement/v1", subject, TYPE_OF[type(predicate)], predicate)
    )


def _check_text(payload: bytes) -> None:
    """Refuse control characters: none at all in most members, but line feeds and tabs in the long ones."""
    if _escaped(payload) is not None:
        _walk(msgspec.json.decode(payload), "record", lines=False)
    elif (found := _hidden(payload)) is not None:
        raise FormatError(
            f"record: control characters are not allowed, got {shown(found[0].decode('utf-8', 'replace'))}"
        )


def _walk(value: Any, name: str, *, lines: bool) -> None:
    if isinstance(value, str):
        text = value.replace("\n", "").replace("\t", "") if lines else value
        if _line(text) is None:
            raise FormatError(f"{name}: control characters are not allowed, got {shown(value)}")
    elif isinstance(value, dict):
        for key, item in value.items():
            _walk(key, "member", lines=False)
            _walk(item, key, lines=key in _LINES)
    elif isinstance(value, list):
        for item in value:
            _walk(item, name, lines=False)


def json_schemas() -> dict[str, dict[str, Any]]:
    """Give the JSON Schemas (draft 2020-12) of all records by file name, such as `version.v1.json`.

    They say what single members look like; what relates several of them is in docs/formats.md only.
    """
    schemas = {}
    for name, kind in PREDICATE_TYPES.items():
        (reference,), definitions = msgspec.json.schema_components([kind], ref_template="#/$defs/{name}")
        (subjects,), more = msgspec.json.schema_components([Subjects], ref_template="#/$defs/{name}")
        properties = {
            "_type": {"const": "https://in-toto.io/Statement/v1"},
            "subject": subjects,
            "predicateType": {"const": name},
            "predicate": reference,
        }
        short = name.removeprefix(PREDICATE_BASE)
        schemas[f"{short.replace('/', '.')}.json"] = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": f"{PREDICATE_BASE}{short}/schema.json",
            "title": f"dataledger record: {short}",
            "type": "object",
            "properties": properties,
            "required": list(properties),
            "additionalProperties": False,
            "$defs": definitions | more,
        }
    return schemas
