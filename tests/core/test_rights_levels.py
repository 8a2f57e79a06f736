"""How sensitive data is through its lineage, and what rules for borders make of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ledger.core.border_rules import BorderRules, parse_border_rules, shipped_border_rules
from ledger.core.errors import FormatError
from ledger.core.rights import may
from ledger.core.rights_answer import Permission
from ledger.core.rights_facts import Question, Source
from ledger.core.rights_levels import Levels
from tests.book import CHAIN_ID, Book, at, day, did, party


@pytest.fixture
def book() -> Book:
    """`make/p@1` is made from `hold/a@1`, which is made from `far/x@1`."""
    book = Book()
    for asset in ("hold/a", "make/p", "far/x"):
        book.register(asset, asset.partition("/")[0])
    book.made_from = {"make/p@1": [Source("hold/a@1")], "hold/a@1": [Source("far/x@1")]}
    book.next()
    return book


def level(book: Book, name: str = "make/p@1", on: float | None = None) -> str | None:
    return Levels(book, at(book.block if on is None else on)).of(name).level


# classification


def test_what_nobody_classified_has_no_level(book: Book) -> None:
    assert level(book) is None


def test_only_the_holders_word_counts_and_the_last_one(book: Book) -> None:
    book.attest("cem", "classification", "make/p", level="core")
    assert level(book) is None
    book.attest("make", "classification", "make/p", level="important")
    assert level(book) == "important"
    last = book.attest("make", "classification", "make/p", level="general")
    assert level(book) == "general"
    book.revoke("make", last, effective=day(9))
    assert (level(book, on=8), level(book, on=9)) == ("general", "important")


def test_who_held_it_then_is_who_counts(book: Book) -> None:
    book.attest("make", "classification", "make/p", level="core")
    book.hand_over("make/p", "new")
    book.next()
    book.attest("make", "classification", "make/p", level="general")
    assert level(book) == "core"
    book.attest("new", "classification", "make/p", level="general")
    assert level(book) == "general"


def test_derived_data_takes_the_strictest_level_of_its_inputs(book: Book) -> None:
    book.attest("far", "classification", "far/x", level="important")
    assert level(book) == "important"
    book.attest("hold", "classification", "hold/a", level="core")
    assert level(book) == "core"
    assert level(book, "far/x@1") == "important"


def test_a_milder_word_of_the_maker_alone_does_not_count(book: Book) -> None:
    book.attest("hold", "classification", "hold/a", level="core")
    book.attest("make", "classification", "make/p", level="general")
    assert level(book) == "core"


def test_a_downgrade_that_the_inputs_holder_signed_counts(book: Book) -> None:
    book.attest("hold", "classification", "hold/a", level="core")
    book.attest("make hold", "classification", "make/p", level="general")
    assert level(book) == "general"
    assert level(book, "hold/a@1") == "core"


def test_nobody_signs_away_the_level_of_what_others_hold(book: Book) -> None:
    """Further up the lineage sits data of `far`, who signed nothing."""
    book.attest("far", "classification", "far/x", level="important")
    book.attest("hold", "classification", "hold/a", level="core")
    book.attest("make hold", "classification", "make/p", level="general")
    assert level(book) == "important"
    book.attest("make hold far", "classification", "make/p", level="general")
    assert level(book) == "general"


def test_a_version_and_its_asset(book: Book) -> None:
    book.attest("make", "classification", "make/p", level="core")
    book.attest("make", "classification", "make/p@2", level="general")
    assert [level(book, name) for name in ("make/p@1", "make/p@2", "make/p")] == ["core", "general", "core"]
    book.attest("make", "classification", "make/p@3", level="core")
    book.attest("make", "classification", "make/p", level="important")
    assert [level(book, name) for name in ("make/p@2", "make/p@3", "make/p")] == ["important"] * 3


def test_cycles_end(book: Book) -> None:
    book.made_from["far/x@1"] = [Source("make/p@1")]
    book.attest("hold", "classification", "hold/a", level="core")
    assert level(book, "far/x@1") == "core"


def test_where_it_is_from_adds_up(book: Book) -> None:
    book.attest("far", "classification", "far/x", level="general", regions=["US", "CN-44"])
    book.attest("make", "classification", "make/p", level="general", regions=["CN"])
    assert Levels(book, at(2)).of("make/p@1").origins == ("CN", "CN-44", "US")


# what it means for a grant


def ask(book: Book, rules: BorderRules | None = None, **asked: Any) -> Permission:
    said = {"party": party("ann"), "right": "use", "name": "hold/a", "at_ns": at(book.block)} | asked
    return may(Question(**said), book, CHAIN_ID, rules)  # type: ignore[arg-type]


def codes(answer: Permission) -> list[str]:
    border = answer.border.reasons if answer.border else []
    return [each.code for ground in answer.grounds for each in ground.reasons] + [
        each.code for each in border
    ]


def test_a_grant_is_for_data_up_to_a_level(book: Book) -> None:
    book.grant("hold", "ann", level="important")
    assert ask(book).verdict == "permitted"
    book.attest("hold", "classification", "hold/a", level="important")
    assert ask(book).verdict == "permitted"
    book.attest("hold", "classification", "hold/a", level="core")
    assert (ask(book).verdict, codes(ask(book))) == ("denied", ["level"])


def test_a_level_that_can_not_be_told(book: Book) -> None:
    book.grant("hold", "ann", level="general")
    book.grant("hold", "bea")
    book.withhold("hold")
    assert (ask(book).verdict, codes(ask(book))) == ("unknown", ["log-missing"])
    assert ask(book, party=party("bea")).verdict == "permitted"  # its grant has no limit


# borders


def rules(*given: dict[str, Any], **more: Any) -> BorderRules:
    said = {"format": "dataledger/border-rules/v1", "name": "test", "version": "7", "rules": list(given)}
    return parse_border_rules(json.dumps(said | more).encode())


STAYS = {"from": "CN", "levels": ["core"], "effect": "deny", "text": "core data stays"}
ASSESSED = {
    "from": "CN",
    "levels": ["important"],
    "effect": "attest",
    "kind": "certification",
    "topic": "export",
}


@pytest.fixture
def classified(book: Book) -> Book:
    book.grant("hold", "ann")
    book.attest("hold", "classification", "hold/a", level="core", regions=["CN-44"])
    return book


@pytest.mark.parametrize(
    ("region", "expected"), [("CN-31", "permitted"), ("CN", "permitted"), ("US", "denied"), ("", "denied")]
)
def test_a_rule_forbids_to_leave(classified: Book, region: str, expected: str) -> None:
    """Where no region is named, any is meant."""
    answer = ask(classified, rules(STAYS), region=region)
    assert answer.verdict == expected
    assert codes(answer) == (["border"] if expected == "denied" else [])
    assert answer.border is not None
    assert (answer.border.rules, answer.border.version) == ("test", "7")
    assert (answer.border.level, answer.border.origins) == ("core", ["CN-44"])
    assert ask(classified, None, region=region).verdict == "permitted"


def test_a_rule_is_about_its_levels_origins_and_destinations(classified: Book) -> None:
    assert ask(classified, rules(STAYS | {"to": ["EU"]}), region="US").verdict == "permitted"
    assert ask(classified, rules(STAYS | {"from": "US"}), region="FR").verdict == "permitted"
    assert ask(classified, rules(STAYS | {"levels": []}), region="US").verdict == "denied"
    classified.attest("hold", "classification", "hold/a", level="important", regions=["CN-44"])
    assert ask(classified, rules(STAYS), region="US").verdict == "permitted"


def test_another_version_of_the_rules_decides_otherwise(classified: Book) -> None:
    before, after = rules(version="1"), rules(STAYS, version="2")
    verdicts = [(answer.verdict, answer.border.version) for answer in  # type: ignore[union-attr]
                (ask(classified, each, region="US") for each in (before, after))]  # fmt: skip
    assert verdicts == [("permitted", "1"), ("denied", "2")]


def test_a_rule_demands_an_attestation(book: Book) -> None:
    book.grant("hold", "ann")
    book.attest("hold", "classification", "hold/a", level="important", regions=["CN"])
    named = rules(ASSESSED | {"by": [did("office")]})
    assert codes(ask(book, named, region="US")) == ["border"]
    book.attest("ann", "certification", topic="export")
    assert ask(book, named, region="US").verdict == "denied"
    met = book.attest("office", "certification", topic="export", until=day(20))
    assert ask(book, named, region="US").verdict == "permitted"
    assert ask(book, named, region="US", at_ns=at(20)).verdict == "denied"
    book.revoke("office", met)
    book.withhold("office")
    assert (ask(book, named, region="US").verdict, codes(ask(book, named, region="US"))) == (
        "unknown",
        ["log-missing"],
    )


def test_a_rule_that_names_nobody_is_never_a_yes(book: Book) -> None:
    book.grant("hold", "ann")
    book.attest("hold", "classification", "hold/a", level="important", regions=["CN"])
    book.attest("ann", "certification", topic="export")
    answer = ask(book, rules(ASSESSED), region="US")
    assert (answer.verdict, codes(answer)) == ("unknown", ["border-nobody"])


def test_sensitive_data_of_unknown_origin(book: Book) -> None:
    book.grant("hold", "ann")
    book.attest("hold", "classification", "hold/a", level="core")
    answer = ask(book, rules(STAYS), region="US")
    assert (answer.verdict, codes(answer)) == ("unknown", ["origin-unknown"])
    assert ask(book, rules(STAYS | {"levels": ["important"]}), region="US").verdict == "permitted"


def test_the_level_of_the_inputs_crosses_the_border_too(classified: Book) -> None:
    classified.grant("hold", "make", rights=["operate"])
    classified.grant("far", "hold", "far/x", rights=["operate"])
    classified.grant("make", "ann", "make/p")
    assert ask(classified, rules(STAYS), name="make/p@1", region="CN").verdict == "permitted"
    assert ask(classified, rules(STAYS), name="make/p@1", region="US").verdict == "denied"
    classified.attest("make hold", "classification", "make/p", level="general", regions=["CN"])
    assert ask(classified, rules(STAYS), name="make/p@1", region="US").verdict == "permitted"


def test_the_shipped_rules(classified: Book) -> None:
    answer = ask(classified, shipped_border_rules(), region="US")
    assert (answer.verdict, answer.border and answer.border.version) == ("denied", "2024-03-22")


@pytest.mark.parametrize(
    "broken",
    [
        {"rules": [STAYS | {"effect": "maybe"}]},
        {"rules": [STAYS | {"from": "China"}]},
        {"rules": [STAYS | {"to": ["cn"]}]},
        {"rules": [STAYS | {"levels": ["secret"]}]},
        {"rules": [STAYS | {"kind": "review", "topic": "x"}]},
        {"rules": [ASSESSED | {"topic": ""}]},
        {"rules": [{key: ASSESSED[key] for key in ASSESSED if key != "kind"}]},
        {"rules": [ASSESSED | {"by": ["ann"]}]},
        {"rules": [STAYS | {"unless": "x"}]},
        {"format": "dataledger/border-rules/v2"},
        {"version": ""},
        {"name": ""},
    ],
)
def test_a_file_that_is_none(broken: dict[str, Any]) -> None:
    with pytest.raises(FormatError):
        rules(**broken)
