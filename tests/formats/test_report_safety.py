"""Nothing gets out of a report, whatever signers wrote: no script, address, markup, nothing invisible."""

from __future__ import annotations

import base64
import hashlib
import re
from itertools import pairwise

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.formats.report_html import element, link, safe
from tests.formats import report_views as views
from tests.formats.report_reading import Reading, page_of, read

ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "footer", "nav", "section", "div"),
    *("p", "h1", "h2", "h3", "ul", "ol", "li", "dl", "dt", "dd", "table", "caption", "thead", "tbody", "tr"),
    *("th", "td", "a", "b", "strong", "span", "code", "pre", "bdi", "br", "wbr", "time"),
    *("svg", "g", "path", "rect", "circle", "text", "desc", "defs", "marker"),
}
INVISIBLE = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]")
VIEWS = {
    "washing-machine": views.washing_machine,
    "unconfirmed": views.unconfirmed,
    "hostile": views.hostile,
    "too-many": lambda: views.many(700),
}


@pytest.fixture(scope="module", params=VIEWS)
def page(request: pytest.FixtureRequest) -> str:
    return page_of(VIEWS[request.param]())


def require_closed(page: str) -> None:
    """Nothing on the page runs, loads or leads away from it."""
    reading = Reading(page)
    assert {tag for tag, _ in reading.elements} <= ELEMENTS
    assert reading.declarations == ["DOCTYPE html"]
    assert reading.comments == []
    assert "<" not in page.split("<title>")[1].split("</title>", maxsplit=1)[0], "a browser shows it as it is"
    attributes = {name for _, given in reading.elements for name in given}
    assert not {name for name in attributes if name.startswith("on")}
    assert not attributes & {
        "style",
        "src",
        "srcset",
        "action",
        "formaction",
        "ping",
        "background",
        "xlink:href",
    }
    places = reading.values("id")
    assert len(places) == len(set(places))
    assert set(reading.values("href")) <= {f"#{place}" for place in places}
    assert set(re.findall(r"url\([^)]*\)", "".join(f"{v}" for v in reading.values("marker-end")))) <= {
        "url(#arrow-head)"
    }
    assert "url(" not in reading.style
    assert "@import" not in reading.style
    assert "<" not in reading.style
    assert not INVISIBLE.search(page)


def test_nothing_runs_loads_or_leads_away(page: str) -> None:
    require_closed(page)


def test_the_policy_allows_the_style_sheet_and_nothing_else(page: str) -> None:
    reading = Reading(page)
    (policy,) = [each["content"] for each in reading.tags("meta") if "http-equiv" in each]
    digest = base64.b64encode(hashlib.sha256(reading.style.encode()).digest()).decode()
    assert policy == f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    assert len(reading.tags("style")) == 1


def test_hostile_texts_are_shown_as_texts() -> None:
    text = read(views.hostile(), name=views.HOSTILE[0]).text
    for shown in (
        '</style><script>alert("x")</script>',
        "javascript:alert(1)",
        "haina/demand@2\\u202e@vidence\\u202c",
        "a\\u200bb\\u200dc\\ufeffd\\u2066e",
        "line\\x0abreak\\x09tab\\x00nul\\x1b[31mred\\x85\\u2028",
        "&lt;b&gt;&amp;",
        "\u063a\u0633\u0627\u0644\u0629",
    ):
        assert shown in text
    assert "z" + "\u0301" * 5 not in text


@settings(max_examples=25)
@given(st.lists(st.text(max_size=40), min_size=2, max_size=4))
def test_no_text_whatever_gets_out(texts: list[str]) -> None:
    require_closed(page_of(views.hostile(texts), name=texts[0], command=texts[1]))


@pytest.mark.parametrize("href", ["https://evil.example", "javascript:alert(1)", "#a b", "#", "# x", "#a\n"])
def test_a_link_leads_to_a_place_on_the_page_or_is_refused(href: str) -> None:
    with pytest.raises(ValueError, match="its own places"):
        element("a", "here", href=href)
    with pytest.raises(ValueError, match="its own places"):
        link(href[1:] + " ", "here")


@pytest.mark.parametrize("name", ["script", "img", "iframe", "link", "form", "base"])
def test_elements_that_load_or_run_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no"):
        element(name)


@pytest.mark.parametrize("name", ["onclick", "style"])
def test_attributes_that_run_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="has no"):
        element("p", **{name: "x"})


def test_markup_is_not_escaped_again_and_texts_are() -> None:
    assert element("p", safe("<"), "<", title='"') == '<p title="&quot;">&lt;&lt;</p>'


def test_a_verdict_without_records_and_graph() -> None:
    given = views.washing_machine()
    empty = msgspec.structs.replace(
        views.with_verdict(given, outside=(), findings=(), attachments=(), parties=()),
        records=[],
        graph=msgspec.structs.replace(given.graph, nodes=[], edges=[], columns=[], roots=()),
    )
    require_closed(page_of(empty))
    assert "There is nothing to draw." in read(empty).text


def test_headings_landmarks_and_tables_are_what_they_are_called(page: str) -> None:
    reading = Reading(page)
    tags = [tag for tag, _ in reading.elements]
    assert [tags.count(each) for each in ("h1", "main", "header", "footer", "nav")] == [1] * 5
    places = set(reading.values("id"))
    assert {each for value in reading.values("aria-labelledby") for each in value.split()} <= places
    levels = [int(tag[1]) for tag in tags if tag in {"h1", "h2", "h3"}]
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert {each.get("scope") for each in reading.tags("th")} <= {"col", "row"}
    assert reading.tags("html")[0] == {"lang": "en"}
    for drawing in [each for each in reading.tags("svg") if each.get("role") == "group"]:
        assert drawing["aria-labelledby"] == "drawing-title drawing-text"
