"""One thing in full: an asset, a version, a record or a party."""

from __future__ import annotations

import re
from collections.abc import Sequence

import msgspec

from ledger.core import dsse
from ledger.core.errors import NotFound, Usage
from ledger.core.names import is_asset
from ledger.index.views import AssetView, EntryView, VersionView, Where
from ledger.service.context import Context
from ledger.service.keeping import Keeping
from ledger.service.logs import is_kept, open_log
from ledger.service.parties import party_address
from ledger.service.results import Section, Shown
from ledger.service.standing import flags
from ledger.service.syncing import fresh
from ledger.service.times import format_time

_record_prefix = re.compile("[0-9a-f]{4,64}").fullmatch
_VERSIONS_SHOWN = 100

Facts = list[tuple[str, str]]


def show(context: Context, what: str) -> Shown:
    """Show what `what` names: a record by the first digits of its id, a party, an asset or a version.

    Raises NotFound, and Usage where it means several things.
    """
    index = fresh(context)
    if _record_prefix(what) and index.namespace_owner(what) is None:
        return _record(context, index.find_records(what), what)
    if what.startswith("did:") or not (is_asset(what.partition("@")[0]) or ":" in what or "/" in what):
        return _party(context, _party_called(context, what))
    reference = context.known.reference(what)
    named = context.known.named_version(reference)
    version = None if named is None else index.version(reference.asset, named.number)
    return _asset(context, reference.asset) if version is None else _version(context, version)


def _party_called(context: Context, what: str) -> bytes:
    try:
        return party_address(context, what)
    except (NotFound, Usage):
        if what.startswith(("did:", "0x")):
            raise
        raise NotFound(
            f"nothing here is called {what}",
            hint="an asset is NAMESPACE/PATH, a record is named by its first 4 digits or more;"
            " dataledger log lists records",
        ) from None


def _shown(
    context: Context, kind: str, title: str, facts: Facts, *sections: Section | None, statement: str = ""
) -> Shown:
    return Shown(
        kind=kind,
        title=title,
        facts=facts,
        to_block=context.index.summary().head,
        sections=[section for section in sections if section is not None and section.rows],
        statement=statement,
    )


def _record(context: Context, rows: list[EntryView], prefix: str) -> Shown:
    if not rows:
        raise NotFound(f"no record begins with {prefix}", hint="dataledger log lists records")
    ids = {row.record for row in rows}
    if len(ids) > 1:
        raise NotFound(f"{len(ids)} records begin with {prefix}", hint="name more digits")
    (row, *copies) = sorted(rows, key=lambda row: row.verdict != "accepted")
    facts = [
        ("type", row.type),
        ("subject", row.subject),
        *_place(context, row),
        ("verdict", "revoked" if row.revoked else row.verdict),
        ("reason", row.message or row.reason),
    ]
    title = f"record {row.record.hex() if row.record else ''}"
    sections = [_attachments(context, [row], named=False), _copies(copies)]
    return _shown(context, "record", title, facts, *sections, statement=_statement(context, row))


def _attachments(context: Context, rows: Sequence[EntryView], *, named: bool = True) -> Section:
    """List what these records attach, and what there is of it here; `named`: of which record each is."""
    keeping = Keeping(context)
    cells = [
        [
            each.role,
            each.media_type,
            f"{each.alg}:{each.digest.hex()}",
            keeping.state_of(each, row),
            f"{row.type} {row.record.hex()[:12]}" if named and row.record else "",
        ]
        for row in rows
        for each in context.index.attachments(row)
    ]
    return Section(title="attachments", head=["ROLE", "TYPE", "DIGEST", "STATE", "OF RECORD"], rows=cells)


def _copies(copies: list[EntryView]) -> Section:
    cells = [[each.log.hex(), str(each.idx), each.verdict, each.reason] for each in copies]
    return Section(title="the same record elsewhere", head=["LOG", "ENTRY", "VERDICT", "REASON"], rows=cells)


def _place(context: Context, row: EntryView | Where) -> Facts:
    """Say who says it when, and what the chain proves of that; the two are kept apart."""
    proven = "not anchored yet"
    if row.block is not None:
        proven = f"existed by {format_time(row.time_unix_s or 0)}, block {row.block} ({row.state})"
    return [
        ("claimed by", context.describe(row.party) if row.party else ""),
        ("claimed time", row.claimed),
        ("proven", proven),
        ("log", f"{row.log.hex()} entry {row.idx}"),
    ]


def _statement(context: Context, row: EntryView) -> str:
    """Return what was signed, laid out for reading; the bytes themselves are in the log. Empty if it is no
    JSON.
    """
    if not is_kept(context, row.log):
        return ""
    folder = open_log(context, row.log)
    if folder.size <= row.idx or row.reason == "bad-format":
        return ""
    payload = dsse.decode_envelope(next(folder.entries(row.idx, row.idx + 1))).payload
    return msgspec.json.format(payload, indent=2).decode("utf-8", "replace")


def _version(context: Context, version: VersionView) -> Shown:
    facts = [
        ("digest", f"{version.alg}:{version.digest.hex()}"),
        ("content", "declared: nobody hashed it" if version.declared else "observed"),
        ("size", "" if version.size is None else f"{version.size:,} bytes"),
        ("media type", version.media_type),
        *_place(context, version),
        ("verdict", "revoked" if version.revoked else ""),
        ("record", version.record.hex()),
    ]
    rows = [list(each) for each in version.fields]
    fields = Section(title="fields", head=["NAME", "TYPE"], rows=rows)
    about = context.index.entries_about(version.asset, version.number)
    attached = _attachments(context, [context.index.entry(row) for row in about])
    return _shown(context, "version", f"{version.asset}@{version.number}", facts, fields, attached)


def _asset(context: Context, name: str) -> Shown:
    asset = context.index.asset(name)
    if asset is None or (asset.registration is None and asset.versions == 0):
        raise NotFound(f"{name} is not known here", hint="dataledger search finds assets by their texts")
    facts = [
        ("title", asset.title),
        ("description", asset.description),
        ("kind", asset.kind),
        ("license", asset.license),
        ("held by", _holder(context, asset)),
        ("disputed", flags(context, name)),
    ]
    if asset.registration is not None:
        facts += [*_place(context, asset.registration), ("record", asset.registration.record.hex())]
        facts += [("verdict", "revoked" if asset.registration.revoked else "")]
    sections = [_aliases(context, asset), _versions(context, asset), _registered_with(context, asset)]
    return _shown(context, "asset", name, facts, *sections)


def _registered_with(context: Context, asset: AssetView) -> Section | None:
    """List what the registration attaches; its versions show what theirs do."""
    where = asset.registration
    row = None if where is None else context.index.entry_at(where.log, where.idx)
    return None if row is None else _attachments(context, [row])


def _holder(context: Context, asset: AssetView) -> str:
    if asset.holder_unknown:
        return "unknown: a posted transfer can't be had"
    return context.describe(asset.holder) if asset.holder else "nobody"


def _aliases(context: Context, asset: AssetView) -> Section:
    cells = [[each.scheme, each.namespace, each.name, context.describe(each.party)] for each in asset.aliases]
    return Section(title="aliases", head=["SCHEME", "NAMESPACE", "NAME", "DECLARED BY"], rows=cells)


def _versions(context: Context, asset: AssetView) -> Section:
    versions = context.index.versions(asset.name, limit=_VERSIONS_SHOWN)
    cells = [
        [
            f"@{each.number}",
            f"{each.alg}:{each.digest.hex()[:12]}",
            "revoked" if each.revoked else each.state,
            format_time(each.time_unix_s) if each.time_unix_s else "",
            each.record.hex()[:12],
        ]
        for each in versions
    ]
    cut = len(versions) < asset.versions
    title = f"versions (the newest {len(versions)} of {asset.versions})" if cut else "versions"
    return Section(title=title, head=["VERSION", "DIGEST", "STATE", "ANCHORED", "RECORD"], rows=cells)


def _party(context: Context, address: bytes) -> Shown:
    index = context.index
    names = [each.name for each in index.namespaces(address)]
    logs, keys = _logs(context, address), _keys(context, address)
    if not names and not logs.rows and not keys.rows:
        raise NotFound(f"no party {context.did(address)} is known on this ledger")
    facts = [("name (claimed)", index.party_name(address)), ("namespaces", ", ".join(names))]
    return _shown(context, "party", context.did(address), facts, logs, keys)


def _logs(context: Context, address: bytes) -> Section:
    index = context.index
    cells = [
        [each.log.hex(), str(each.number), str(each.anchored), index.log_location(each.log), each.problem]
        for each in map(index.log_progress, index.logs_of(address))
    ]
    return Section(title="logs", head=["LOG", "NUMBER", "ANCHORED", "SERVED AT", "PROBLEM"], rows=cells)


def _keys(context: Context, address: bytes) -> Section:
    cells = []
    for each in context.index.keys(address):
        end = f"revoked in block {each.revoked_block}" if each.revoked_block else ""
        cells.append([each.key.hex(), str(each.from_block), end or format_time(each.valid_to_unix_s)])
    return Section(title="record keys", head=["KEY", "FROM BLOCK", "UNTIL"], rows=cells)
