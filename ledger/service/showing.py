"""One thing in full: an asset, a version, a record or a party."""

from __future__ import annotations

import re

import msgspec

from ledger.core import dsse
from ledger.core.errors import NotFound, Usage
from ledger.core.names import is_asset
from ledger.index.views import EntryView, VersionView, Where
from ledger.service.context import Context
from ledger.service.parties import party_address
from ledger.service.rechecking import open_log
from ledger.service.results import Section, Shown
from ledger.service.times import format_time

_record_prefix = re.compile("[0-9a-f]{4,64}").fullmatch
_VERSIONS_SHOWN = 100


def show(context: Context, what: str) -> Shown:
    """Show what `what` names; raises NotFound."""
    context.fresh()
    if _record_prefix(what) and context.index.namespace_owner(what) is None:
        return _record(context, what)
    if what.startswith("did:") or not (is_asset(what.partition("@")[0]) or ":" in what or "/" in what):
        return _party(context, _party_called(context, what))
    reference = context.known.reference(what)
    named = context.known.named_version(reference)
    if named is None:
        return _asset(context, reference.asset)
    version = context.index.version(reference.asset, named.number)
    assert version is not None
    return _version(context, version)


def _party_called(context: Context, what: str) -> bytes:
    try:
        return party_address(context, what)
    except (NotFound, Usage):
        if what.startswith(("did:", "0x")):
            raise
        raise NotFound(
            f"nothing here is called {what}",
            hint="an asset is NAMESPACE/PATH, a record is named by its first 4 digits or more; dataledger log lists records",
        ) from None


def _record(context: Context, prefix: str) -> Shown:
    rows = context.index.find_records(prefix)
    if not rows:
        raise NotFound(f"no record begins with {prefix}", hint="dataledger log lists records")
    ids = {row.record for row in rows}
    if len(ids) > 1:
        raise NotFound(f"{len(ids)} records begin with {prefix}: name more digits")
    (row, *copies) = rows
    assert row.record is not None
    facts = [
        ("type", row.type),
        ("subject", row.subject),
        *_place(context, row),
        ("verdict", "revoked" if row.revoked else row.verdict),
    ]
    facts += [("reason", row.message or row.reason)]
    sections = []
    attachments = context.index.attachments(row)
    if attachments:
        cells = [
            [each.role, each.media_type, f"{each.alg}:{each.digest.hex()}", each.state or _private(each.alg)]
            for each in attachments
        ]
        sections.append(Section(title="attachments", head=["ROLE", "TYPE", "DIGEST", "STATE"], rows=cells))
    if copies:
        cells = [[each.log.hex(), str(each.idx), each.verdict, each.reason] for each in copies]
        sections.append(
            Section(title="the same record elsewhere", head=["LOG", "ENTRY", "VERDICT", "REASON"], rows=cells)
        )
    return Shown(
        kind="record",
        title=f"record {row.record.hex()}",
        facts=facts,
        sections=sections,
        statement=_statement(context, row),
    )


def _private(alg: str) -> str:
    return "private" if alg == "dataledger-sealed-v1" else "public"


def _place(context: Context, row: EntryView | Where) -> list[tuple[str, str]]:
    """Say who says it when, and what the chain proves of that; the two are kept apart."""
    who = context.describe(row.party) if row.party else ""
    proven = (
        "not anchored yet"
        if row.block is None
        else f"existed by {format_time(row.time_unix_s or 0)}, block {row.block} ({row.state})"
    )
    return [
        ("claimed by", who),
        ("claimed time", row.claimed),
        ("proven", proven),
        ("log", f"{row.log.hex()} entry {row.idx}"),
    ]


def _statement(context: Context, row: EntryView) -> str:
    """Return what was signed, laid out for reading; the bytes themselves are in the log."""
    folder = open_log(context, row.log)
    if folder.size <= row.idx:
        return ""
    payload = dsse.decode_envelope(next(iter(folder.entries(row.idx, row.idx + 1)))).payload
    return msgspec.json.format(payload, indent=2).decode("utf-8", "replace")


def _version(context: Context, version: VersionView) -> Shown:
    facts = [
        ("digest", f"{version.alg}:{version.digest.hex()}"),
        ("content", "declared: nobody hashed it" if version.declared else "observed"),
        ("size", "" if version.size is None else f"{version.size:,} bytes"),
        ("media type", version.media_type),
        *_place(context, version),
        ("record", version.record.hex()),
    ]
    sections = []
    if version.fields:
        sections.append(
            Section(title="fields", head=["NAME", "TYPE"], rows=[list(each) for each in version.fields])
        )
    return Shown(kind="version", title=f"{version.asset}@{version.number}", facts=facts, sections=sections)


def _asset(context: Context, name: str) -> Shown:
    index = context.index
    asset = index.asset(name)
    if asset is None or (asset.registration is None and asset.versions == 0):
        raise NotFound(f"{name} is not known here", hint="dataledger search finds assets by their texts")
    holder = (
        "unknown: a posted transfer can't be had"
        if asset.holder_unknown
        else context.describe(asset.holder)
        if asset.holder
        else "nobody"
    )
    facts = [
        ("title", asset.title),
        ("description", asset.description),
        ("kind", asset.kind),
        ("license", asset.license),
        ("held by", holder),
    ]
    if asset.registration is not None:
        facts += [*_place(context, asset.registration), ("record", asset.registration.record.hex())]
    sections = []
    if asset.aliases:
        cells = [
            [each.scheme, each.namespace, each.name, context.describe(each.party)] for each in asset.aliases
        ]
        sections.append(
            Section(title="aliases", head=["SCHEME", "NAMESPACE", "NAME", "DECLARED BY"], rows=cells)
        )
    versions = index.versions(name, limit=_VERSIONS_SHOWN)
    if versions:
        cells = [
            [
                f"@{each.number}",
                f"{each.alg}:{each.digest.hex()[:12]}",
                each.state,
                format_time(each.time_unix_s) if each.time_unix_s else "",
                each.record.hex()[:12],
            ]
            for each in versions
        ]
        left = asset.versions - len(versions)
        title = "versions" if left <= 0 else f"versions (the newest {len(versions)} of {asset.versions})"
        sections.append(
            Section(title=title, head=["VERSION", "DIGEST", "STATE", "ANCHORED", "RECORD"], rows=cells)
        )
    return Shown(kind="asset", title=name, facts=facts, sections=sections)


def _party(context: Context, address: bytes) -> Shown:
    index = context.index
    names = [each.name for each in index.namespaces(address)]
    logs = index.logs_of(address)
    if not names and not logs and not index.keys(address):
        raise NotFound(f"no party {context.did(address)} is known on this ledger")
    facts = [("name (claimed)", index.party_name(address)), ("namespaces", ", ".join(names))]
    cells = [
        [each.log.hex(), str(each.number), str(each.anchored), index.log_location(each.log), each.problem]
        for each in map(index.log_progress, logs)
    ]
    sections = (
        [Section(title="logs", head=["LOG", "NUMBER", "ANCHORED", "SERVED AT", "PROBLEM"], rows=cells)]
        if cells
        else []
    )
    keys = [
        [
            each.key.hex(),
            str(each.from_block),
            f"revoked in block {each.revoked_block}"
            if each.revoked_block
            else format_time(each.valid_to_unix_s),
        ]
        for each in index.keys(address)
    ]
    if keys:
        sections.append(Section(title="record keys", head=["KEY", "FROM BLOCK", "UNTIL"], rows=keys))
    return Shown(kind="party", title=context.did(address), facts=facts, sections=sections)
