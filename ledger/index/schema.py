"""The tables of the index, as data, and their creation.

Every derived table is append-only: a row says in `block` where it took effect, rows are written in the order
of the blocks, and ids grow with them. Forgetting a block (a reorganised chain, a log that came late) is
therefore cutting off the tail of every table, and the state as of any block is what stands at or below it.
Rows of records that no block covers yet carry `PENDING`, are dropped at the start of each sync, and written
again at its end.

An index of another `SCHEMA_VERSION` or `RULES_VERSION` is not migrated in place but rebuilt: nothing in it is
original. sqlite-utils makes the tables and the search index; it takes 0.25 s to import, so only `create`
does.
"""

from __future__ import annotations

import sqlite3
from typing import Final

from ledger.core.hashing import sha256

SCHEMA_VERSION: Final = 4
"""Raised when a table changes its shape, or when the same chain and logs would lead to other rows."""

RULES_VERSION: Final = 3
"""That of `core.authority`, by which this index was made; said here so that reading need not import it."""

PENDING: Final = 2**62
"""The `block` of what is in the own log and not anchored yet."""

APPLICATION_ID: Final = 0x646C6E31  # "dln1", in the header of the database file

# table -> columns beside the row id `id`. ":t" is text, ":b" bytes, the others are integers; "?" may be NULL.
DERIVED: Final[dict[str, str]] = {
    # what the chain says
    "party": "address:b block",
    "owner": "party owner:b block",
    "key": "party key:b valid_to block",
    "key_revoked": "key block",
    "delegate": "party type:t delegate:b valid_to block",
    "delegate_revoked": "delegate block",
    "attribute": "party name:b content:b valid_to block",
    "namespace": "name:t party n block",
    "log": "log:b party? number? block",
    "anchor": "log n size root:b block",
    "log_closed": "log at successor:b block",
    "posting": "party target:b n record:b block",
    # how far each log was read: `prefix` is what its anchors confirm, `stop` is where it ends for now
    "prefix": "log n size root:b frontier:b block",
    "stop": "log n reason:t block",
    # what the records say; names and texts that recur are kept once
    "text": "value:t block",
    "asset": "name:t block",
    "node": "asset number alg digest:b short block",
    "entry": "log idx record:b? short? kind verdict reason:t? message:t? party? claimed:t? about? block",
    "coauthor": "entry party block",
    "registration": "asset entry party title:t description:t kind:t license:t block",
    "alias": "party scheme:t namespace:t name:t asset entry block",
    "version": "node asset number entry size? media:t? declared:t? fields:b? block",
    "activity": "party run:t block",
    "step": "activity entry outcome component detail:b? first_edge next_edge block",
    "loose": "activity node role entry block",
    "edge": "output input activity basis block",
    "asset_edge": "output input block",
    "column_edge": "output output_field input input_field how activity block",
    "attachment": "entry role alg digest:b size? media:t block",
    "transfer": "asset giver receiver entry anchor_before? block",
    "holder": "asset party entry block",
    "revocation": "target:b entry reason:t effective:t? block",
    "revoked": "target:b entry block",
    # what was said of rights, as it was said; `previous` is the step before, where this one may follow it
    "said": "entry previous:b? payload:b block",
    # who was given rights in what, void ones too (`taker` 0: everybody; `onward`: may be passed on), and what
    # was attested; `number` as of a node
    "granted": "asset number taker giver onward entry block",
    "attested": "kind:t asset number target:b? entry block",
    # who agreed with whom about what, every step; and what was delivered under which agreement (row of the
    # entry that says its terms). `process` is a hash that stands for the transfer, `sent` is 0 where nothing
    # went out, `counts` is 0 for a step that was not allowed
    "agreed": "asset number provider consumer entry block",
    "delivered": "process agreement asset number giver taker sent units counts entry block",
    # income that was split, and who was allotted what; `start` and `until` in nanoseconds, `agreement` empty
    # where the income is not that of one
    "settled": "payer asset number agreement:b escrow:b? currency:t total as_of start until entry block",
    "allotted": "settled party amount block",
    "finding": "kind:t entry? log? subject:t text:t block",
    "document": "asset entry name:t title:t text:t fields:t block",
}

# What was read from attachments: not part of the state, and added whenever an attachment turns up.
ATTACHED: Final[dict[str, str]] = {
    "attached_column": "output output_field:t input input_field:t how:t activity attachment block",
    "attachment_read": "attachment state:t text:t block",
}

_UNIQUE: Final = ("party(address)", "key(party, key)", "delegate(party, type, delegate)", "log(log)",
    "anchor(log, n)", "prefix(log, n)", "text(value)", "asset(name)", "version(node)", "activity(run, party)",
    "asset_edge(output, input)", "attachment_read(attachment)")  # fmt: skip

_INDEXES: Final = ("owner(party)", "key_revoked(key)", "delegate_revoked(delegate)", "attribute(party, name)",
    "namespace(name, n)", "namespace(party)", "log(party)", "log_closed(log)", "posting(record)",
    "posting(target)", "stop(log)", "node(asset, number, short)", "node(short)", "entry(log, idx)",
    "entry(short)",
    "coauthor(entry)", "registration(asset)",
    "alias(scheme, namespace, name)", "alias(asset)", "version(asset, number)", "step(activity)",
    "loose(activity)", "loose(node)", "edge(output, input, block)", "edge(input, output, block)",
    "asset_edge(input, output)", "column_edge(output)", "column_edge(input)", "attached_column(output)",
    "attached_column(input)", "attached_column(attachment)", "attachment_read(state)",
    "attachment(entry)", "transfer(asset)", "transfer(entry)", "holder(asset)", "holder(party)",
    "revocation(target)",
    "revocation(entry)", "revoked(target)", "said(entry)", "said(previous)", "granted(asset, taker)",
    "granted(taker)", "granted(giver)", "granted(entry)", "attested(asset, kind)", "attested(kind)",
    "attested(target)",
    "agreed(asset)", "agreed(provider)", "agreed(consumer)", "agreed(entry)", "delivered(process)",
    "delivered(agreement)", "delivered(asset, number)", "delivered(entry)",
    "settled(asset, payer, agreement, until)", "settled(payer)", "settled(entry)", "allotted(party)",
    "finding(entry)", "document(asset)")  # fmt: skip

_EXPRESSIONS: Final = {
    "entry_refused": "entry(verdict) WHERE verdict <> 0",
    "attachment_by_role": "attachment(role)",
}


SEARCH: Final = "document_fts"
"""The search index over `document`: a virtual table, behind which SQLite keeps four more."""

SEARCHED: Final = ("name", "title", "text", "fields")


def short(digest: bytes) -> int:
    """Return the first 8 bytes of a hash as the integer that its index has.

    They tell hashes apart in practice and take a third of the space; queries compare the whole value too.
    """
    return int.from_bytes(digest[:8], "big", signed=True)


def spread(digest: bytes) -> int:
    """Return 8 bytes of the hash of a content digest as the integer that its index has.

    A content digest is whatever its signer says: claimed by the million with the same first bytes, it would
    make every lookup a walk through all of them. Its hash can't be chosen so.
    """
    return short(sha256(digest))


def columns_of(table: str) -> list[str]:
    """Return the columns of a derived or attached table in order, `id` left out."""
    spec = DERIVED.get(table) or ATTACHED[table]
    return [column.rstrip("?").partition(":")[0] for column in spec.split()]


def create(connection: sqlite3.Connection) -> None:
    """Make all tables, indexes and the search index in an empty database, in the caller's transaction."""
    from sqlite_utils import Database

    database = Database(connection, execute_plugins=False)
    database.create_table("meta", {"name": str, "value": bytes}, pk="name")
    database.create_table("block", {"number": int, "hash": bytes, "time": int}, pk="number")
    for table, spec in (DERIVED | ATTACHED).items():
        types, required = _parse(spec)
        database.create_table(table, {"id": int} | types, pk="id", not_null=required)
    for unique, names in ((True, _UNIQUE), (False, _INDEXES)):
        for name in names:
            table, _, columns = name.rstrip(")").partition("(")
            parts = columns.split(", ")
            database.table(table).create_index(parts, index_name=f"{table}_{'_'.join(parts)}", unique=unique)
    for name, definition in _EXPRESSIONS.items():
        connection.execute(f"CREATE INDEX {name} ON {definition}")
    database.table("document").enable_fts(
        SEARCHED, create_triggers=True, tokenize="unicode61 remove_diacritics 2"
    )


def _parse(spec: str) -> tuple[dict[str, type], set[str]]:
    kinds: dict[str, type] = {"": int, "t": str, "b": bytes}
    types: dict[str, type] = {}
    required = set()
    for column in spec.split():
        name, _, kind = column.rstrip("?").partition(":")
        types[name] = kinds[kind]
        if not column.endswith("?"):
            required.add(name)
    return types, required
