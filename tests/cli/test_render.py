"""Text for people: columns that align in every script, and nothing that steers a terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import click
import msgspec
import pytest
from ledger_cli.render import (
    asking,
    browsing,
    disclosing,
    identity,
    parties,
    proving,
    recalling,
    rights,
    settling,
    trading,
    writing,
)
from ledger_cli.render.layout import bad, count, pairs, shown, table
from ledger_cli.session import to_json
from msgspec import Struct, inspect

from ledger.core.verdict import Verdict
from ledger.formats.text import width
from ledger.service import results as r

HOSTILE = "a\x1b[31mb\r\nc\u202ed\x9be\ud800f\u2028g"

RENDERERS: dict[type[Struct], Callable[[Any], Iterator[str]]] = {
    r.Setup: writing.setup,
    r.Receipt: writing.receipt,
    r.RunReceipt: writing.run,
    r.Done: writing.done,
    r.Synced: writing.synced,
    r.Imported: writing.imported,
    r.FileVerdict: asking.file_verdict,
    r.AuditReport: asking.audit,
    r.Permission: rights.permission,
    r.History: rights.history,
    r.Status: browsing.status,
    r.Follows: browsing.follows,
    r.LogListing: browsing.log,
    r.SearchResult: browsing.search,
    r.Findings: browsing.findings,
    r.Shown: browsing.shown,
    r.Keys: identity.keys,
    r.Namespaces: identity.namespaces,
    r.Delegates: identity.delegates,
    r.Disclosures: disclosing.disclosures,
    r.EvidenceMade: proving.evidence_made,
    r.ReportMade: proving.report_made,
    r.TrustFile: proving.trust_file,
    r.Recall: recalling.recall,
    r.Incident: recalling.incident,
    r.Incidents: recalling.incidents,
    r.ConsentImpact: recalling.consent,
    r.PartySheet: parties.party,
    r.Duplicates: parties.duplicates,
    r.Disputes: parties.disputes,
    r.Signed: trading.signed,
    r.AgreementShown: trading.agreement,
    r.Agreements: trading.agreements,
    r.IncomeSplit: settling.split,
    r.SettlementCheck: settling.check,
    r.SettlementStatement: settling.statement,
    r.EscrowState: settling.escrow,
    r.EscrowApproval: settling.approval,
    Verdict: proving.verdict,
}


def shapes() -> list[type[Struct]]:
    """Every answer there is."""
    found = [
        each for each in (*vars(r).values(), Verdict) if isinstance(each, type) and issubclass(each, Struct)
    ]
    return [each for each in found if each is not Struct and each.__struct_config__.tag]


def filled(kind: inspect.Type, text: str, number: int | None) -> Any:
    """Return a value of a type: every text is `text`, every number that may be missing is `number`."""
    inner = lambda each: filled(each, text, number)  # noqa: E731 - what a kind is made of
    return FILLED[type(kind)](kind, text, number, inner)


def _first(kind: inspect.UnionType) -> inspect.Type:
    return next(each for each in kind.types if not isinstance(each, inspect.NoneType))


FILLED: dict[type, Callable[..., Any]] = {
    inspect.StrType: lambda kind, text, number, inner: text,
    inspect.BoolType: lambda kind, text, number, inner: bool(number),
    inspect.IntType: lambda kind, text, number, inner: number or 0,
    inspect.LiteralType: lambda kind, text, number, inner: kind.values[0],
    inspect.BytesType: lambda kind, text, number, inner: text.encode("utf-8", "replace"),
    inspect.ListType: lambda kind, text, number, inner: [inner(kind.item_type)] if number else [],
    inspect.VarTupleType: lambda kind, text, number, inner: (inner(kind.item_type),) if number else (),
    inspect.DictType: lambda kind, text, number, inner: {"1": inner(kind.value_type)} if number else {},
    inspect.TupleType: lambda kind, text, number, inner: tuple(map(inner, kind.item_types)),
    inspect.UnionType: lambda kind, text, number, inner: None if number is None else inner(_first(kind)),
    inspect.StructType: lambda kind, text, number, inner: kind.cls(
        **{each.name: inner(each.type) for each in kind.fields}
    ),
}


def test_every_answer_has_its_rendering():
    assert set(shapes()) == set(RENDERERS)


@pytest.mark.parametrize("number", [None, 1, 2**40], ids=["nothing", "one", "many"])
@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_hostile_texts_are_made_visible(shape, number):
    data = filled(inspect.type_info(shape), HOSTILE, number)
    for line in map(shown, RENDERERS[shape](data)):
        assert click.unstyle(line).isprintable(), line
    assert to_json(data).isprintable()


@pytest.mark.parametrize("number", [None, 1], ids=["nothing", "one"])
@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_json_is_read_back(shape, number):
    data = filled(inspect.type_info(shape), "Wäsche 洗衣机 \x7f\u202e\U000e0001", number)
    assert msgspec.json.decode(to_json(data), type=shape) == data


@pytest.mark.parametrize("shape", shapes(), ids=lambda shape: shape.__name__)
def test_an_answer_without_anything_in_it_still_says_something(shape):
    lines = list(RENDERERS[shape](filled(inspect.type_info(shape), "-", None)))
    assert any(line.strip() for line in lines)


def test_columns_align_by_cells_not_characters():
    rows = [("haina/洗衣机", "订单", "x"), ("haina/orders", "Orders", "y"), ("é\u0301", "", "z")]
    lines = list(table(("ASSET", "TITLE", "END"), rows))
    ends = {width(line[: line.index(mark)]) for line, mark in zip(lines, ("END", "x", "y", "z"), strict=True)}
    assert len(ends) == 1


def test_table_leaves_out_empty_columns_and_says_nothing_about_nothing():
    assert list(table(("A", "B", "C"), [("1", "", "3")])) == ["A  C", "1  3"]
    assert list(table(("A", "B"), [])) == []
    assert list(table((), [("1", "22"), ("333", "4")])) == ["1    22", "333  4"]


def test_a_long_cell_is_cut_visibly():
    (_, line) = table(("A",), [("x" * 500,)])
    assert width(line) <= 100
    assert line.endswith("…")


def test_pairs_align_and_leave_out_what_is_not_there():
    assert list(pairs([("a", 1), ("洗衣", "x"), ("b", ""), ("c", None), ("d", []), ("e", 0)])) == [
        "a     1",
        "洗衣  x",
        "e     0",
    ]


def test_numbers_agree_with_their_nouns():
    assert count(1, "record") == "1 record"
    assert count(0, "record") == "0 records"
    assert count(2_000, "activity", "activities") == "2,000 activities"


def test_a_statement_is_set_out_for_reading():
    data = r.Shown(
        kind="record", title="t", facts=[], to_block=1, statement='{"a":{"b":["\\u001b[31m","洗"]}}'
    )
    lines = list(browsing.shown(data))
    assert '      "\\u001b[31m",' in lines
    assert '      "洗"' in lines


def test_an_unreadable_statement_is_shown_as_it_is():
    data = r.Shown(kind="record", title="t", facts=[], to_block=1, statement='{"a":\x1b')
    assert list(browsing.shown(data))[-1] == '{"a":\x1b'


def test_a_verdict_is_styled_and_the_rest_is_not():
    assert shown(bad("FAILED", ": \x1b[0m")) == "\x1b[31m\x1b[1mFAILED\x1b[0m: \\x1b[0m"
