"""What of the tables is the state: for each table its rows by what they mean, in an order of their own.

Every query has one parameter, the block up to which rows count, and gives the block of each row last. Rows
are sorted by their first columns: integers by value, bytes and text (as UTF-8) bytewise. docs/formats.md
section 9 lists the tables and their columns.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger.index.kinds import ALGORITHMS, OUTCOMES, RECORD_TYPES, VERDICTS


def _case(column: str, names: Iterable[str]) -> str:
    return f"CASE {column} {' '.join(f'WHEN {code} THEN {name!r}' for code, name in enumerate(names))} END"


_PLACE = "JOIN entry e ON e.id = t.entry JOIN log l ON l.id = e.log"
_ALG = _case("n.alg", ALGORITHMS)


def _node(side: str) -> str:
    """Return the columns of a node joined as `_join` does: asset, number, digest name, digest."""
    return f"a{side}.name, n{side}.number, {_case(f'n{side}.alg', ALGORITHMS)}, n{side}.digest"


def _join(side: str, column: str) -> str:
    return f"JOIN node n{side} ON n{side}.id = {column} JOIN asset a{side} ON a{side}.id = n{side}.asset"


def _table(columns: str, joins: str, order: int) -> str:
    """Return the query for a table `t`; its rows are sorted by the first `order` columns."""
    places = ", ".join(map(str, range(1, order + 1)))
    return f"SELECT {columns}, t.block FROM {joins} WHERE t.block <= ? ORDER BY {places}"  # noqa: S608 - ours


TABLES: Final[dict[str, str]] = {
    "owner": _table("p.address, t.owner", "owner t JOIN party p ON p.id = t.party", 3),
    "key": _table("p.address, t.key, t.valid_to", "key t JOIN party p ON p.id = t.party", 2),
    "key_revoked": _table(
        "p.address, k.key", "key_revoked t JOIN key k ON k.id = t.key JOIN party p ON p.id = k.party", 3
    ),
    "delegate": _table(
        "p.address, t.type, t.delegate, t.valid_to", "delegate t JOIN party p ON p.id = t.party", 3
    ),
    "delegate_revoked": _table(
        "p.address, d.type, d.delegate",
        "delegate_revoked t JOIN delegate d ON d.id = t.delegate JOIN party p ON p.id = d.party",
        4,
    ),
    "attribute": _table(
        "p.address, t.name, t.content, t.valid_to", "attribute t JOIN party p ON p.id = t.party", 5
    ),
    "namespace": _table("t.name, t.n, p.address", "namespace t JOIN party p ON p.id = t.party", 2),
    "anchor": _table("l.log, t.n, t.size, t.root", "anchor t JOIN log l ON l.id = t.log", 2),
    "log_closed": _table("l.log, t.at, t.successor", "log_closed t JOIN log l ON l.id = t.log", 3),
    "posting": _table("p.address, t.target, t.n, t.record", "posting t JOIN party p ON p.id = t.party", 3),
    "entry": _table(
        f"l.log, t.idx, t.record, {_case('t.kind', RECORD_TYPES)}, {_case('t.verdict', VERDICTS)}, t.reason, "
        "p.address, t.claimed",
        "entry t JOIN log l ON l.id = t.log LEFT JOIN party p ON p.id = t.party",
        2,
    ),
    "coauthor": _table("l.log, e.idx, p.address", f"coauthor t {_PLACE} JOIN party p ON p.id = t.party", 3),
    "registration": _table(
        "a.name, e.record, t.title, t.description, t.kind, t.license",
        f"registration t JOIN asset a ON a.id = t.asset {_PLACE}",
        1,
    ),
    "alias": _table(
        "a.name, p.address, t.scheme, t.namespace, t.name",
        "alias t JOIN asset a ON a.id = t.asset JOIN party p ON p.id = t.party",
        5,
    ),
    "version": _table(
        f"a.name, t.number, {_ALG}, n.digest, e.record, t.size, t.media, t.declared, t.fields",
        f"version t JOIN node n ON n.id = t.node JOIN asset a ON a.id = t.asset {_PLACE}",
        2,
    ),
    "step": _table(
        f"p.address, v.run, e.record, {_case('t.outcome', OUTCOMES)}, c.value, t.detail",
        f"step t JOIN activity v ON v.id = t.activity JOIN party p ON p.id = v.party {_PLACE} "
        "JOIN text c ON c.id = t.component",
        3,
    ),
    "loose": _table(
        f"e.record, CASE t.role WHEN 0 THEN 'input' ELSE 'output' END, {_node('')}",
        f"loose t {_PLACE} {_join('', 't.node')}",
        6,
    ),
    "edge": _table(
        f"{_node('o')}, {_node('i')}, p.address, v.run, t.basis",
        f"edge t {_join('o', 't.output')} {_join('i', 't.input')} "
        "LEFT JOIN activity v ON v.id = t.activity LEFT JOIN party p ON p.id = v.party",
        11,
    ),
    "column_edge": _table(
        f"{_node('o')}, fo.value, {_node('i')}, fi.value, h.value, p.address, v.run",
        f"column_edge t {_join('o', 't.output')} {_join('i', 't.input')} "
        "JOIN text fo ON fo.id = t.output_field JOIN text fi ON fi.id = t.input_field "
        "JOIN text h ON h.id = t.how "
        "JOIN activity v ON v.id = t.activity JOIN party p ON p.id = v.party",
        13,
    ),
    "attachment": _table(
        "e.record, r.value, g.value, t.digest, t.size, t.media",
        f"attachment t {_PLACE} JOIN text r ON r.id = t.role JOIN text g ON g.id = t.alg",
        6,
    ),
    "transfer": _table(
        "e.record, a.name, g.address, r.address, t.anchor_before",
        f"transfer t {_PLACE} JOIN asset a ON a.id = t.asset JOIN party g ON g.id = t.giver "
        "JOIN party r ON r.id = t.receiver",
        1,
    ),
    "holder": _table(
        "a.name, p.address, e.record",
        f"holder t {_PLACE} JOIN asset a ON a.id = t.asset JOIN party p ON p.id = t.party",
        4,
    ),
    "revocation": _table("e.record, t.target, t.reason, t.effective", f"revocation t {_PLACE}", 1),
    "revoked": _table("t.target, e.record", f"revoked t {_PLACE}", 3),
    "granted": _table(
        "l.log, e.idx, a.name, t.number, p.address, g.address, t.onward",
        f"granted t {_PLACE} JOIN asset a ON a.id = t.asset LEFT JOIN party p ON p.id = t.taker "
        "JOIN party g ON g.id = t.giver",
        4,
    ),
    "attested": _table(
        "e.record, a.name, t.number, t.kind, t.target",
        f"attested t {_PLACE} JOIN asset a ON a.id = t.asset",
        3,
    ),
    "agreed": _table(
        "e.record, a.name, t.number, p.address, c.address",
        f"agreed t {_PLACE} JOIN asset a ON a.id = t.asset JOIN party p ON p.id = t.provider "
        "JOIN party c ON c.id = t.consumer",
        3,
    ),
    "delivered": _table(
        "e.record, a.name, t.number, g.record, p.address, c.address, t.sent, t.units, t.counts",
        f"delivered t {_PLACE} JOIN asset a ON a.id = t.asset JOIN entry g ON g.id = t.agreement "
        "JOIN party p ON p.id = t.giver JOIN party c ON c.id = t.taker",
        3,
    ),
    "settled": _table(
        "e.record, p.address, a.name, t.number, t.agreement, t.escrow, t.currency, t.total, t.as_of, "
        "t.start, t.until",
        f"settled t {_PLACE} JOIN asset a ON a.id = t.asset JOIN party p ON p.id = t.payer",
        1,
    ),
    "allotted": _table(
        "e.record, p.address, t.amount",
        "allotted t JOIN settled s ON s.id = t.settled JOIN entry e ON e.id = s.entry "
        "JOIN party p ON p.id = t.party",
        2,
    ),
    "finding": _table(
        "t.kind, ifnull(l.log, m.log), e.idx, t.subject",
        "finding t LEFT JOIN log l ON l.id = t.log LEFT JOIN entry e ON e.id = t.entry "
        "LEFT JOIN log m ON m.id = e.log",
        5,
    ),
}
