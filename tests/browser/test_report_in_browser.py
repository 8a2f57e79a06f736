"""Reports in a real headless Chromium: on a phone, on a desktop, in the dark, on paper, without a network."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.core.verdict import EvidenceView
from tests.browser.driver import Page, browsing, chromium_binary
from tests.formats import report_views as views
from tests.formats.report_reading import page_of

pytestmark = pytest.mark.slow

VIEWS: dict[str, Callable[[], EvidenceView]] = {
    "washing-machine": views.washing_machine,
    "unconfirmed": views.unconfirmed,
    "hundred": views.hundred,
    "hostile": views.hostile,
    "too-many": lambda: views.many(1_500),
}
WIDTHS = (390, 768, 1280)

OUTSIDE_THE_WINDOW = """[...document.querySelectorAll("body *")]
  .filter(each => !each.closest(".canvas") && each.getBoundingClientRect().right > innerWidth + 1)
  .slice(0, 5).map(each => each.outerHTML.slice(0, 200))"""
CUT_OFF = """[...document.querySelectorAll("td, th, li, dd, p, h1, h2, h3, .badge")]
  .filter(each => each.scrollWidth > each.clientWidth + 1 && each.clientWidth > 0)
  .slice(0, 5).map(each => each.outerHTML.slice(0, 200))"""
NOT_IN_ITS_BOX = """[...document.querySelectorAll(".drawing text")]
  .filter(each => {
    const text = each.getBBox(), shape = each.parentNode.parentNode.querySelector(".shape").getBBox();
    return text.x < shape.x || text.x + text.width > shape.x + shape.width + 1
        || text.y + text.height > shape.y + shape.height + 1;
  }).slice(0, 5).map(each => each.textContent)"""
GROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    binary = chromium_binary()
    if binary is None:
        pytest.skip("no Chromium is here: run `make browser`, or set DATALEDGER_CHROMIUM")
    with browsing(binary) as page:
        yield page


@pytest.fixture(scope="module", params=VIEWS)
def report(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("reports") / f"{request.param}.html"
    path.write_text(page_of(VIEWS[request.param]()), encoding="utf-8")
    return path


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
def test_everything_is_in_the_window(browser: Page, report: Path, width: int, dark: bool) -> None:
    browser.open(report, width=width, dark=dark)
    assert browser.evaluate("innerWidth") == width
    assert browser.evaluate("document.documentElement.scrollWidth") <= width
    assert browser.evaluate(OUTSIDE_THE_WINDOW) == []
    assert browser.evaluate(CUT_OFF) == []
    assert browser.evaluate("document.querySelector('h1').getBoundingClientRect().top") < 300
    ground = [int(each) for each in re.findall(r"\d+", browser.evaluate(GROUND))][:3]
    assert (max(ground) < 60) == dark


def test_nothing_is_asked_for_and_nothing_complains(browser: Page, report: Path) -> None:
    browser.open(report, width=1280)
    assert browser.requests == [report.as_uri()]
    assert browser.complaints == []
    assert browser.evaluate("document.scripts.length") == 0
    assert browser.evaluate("document.styleSheets.length") == 1
    assert browser.evaluate("document.compatMode") == "CSS1Compat"


def test_the_policy_stops_what_a_page_must_not_do(browser: Page, tmp_path: Path) -> None:
    """The same page with a script, an image and a style of somebody else's: the browser refuses all three."""
    path = tmp_path / "edited.html"
    added = (
        '<script>document.title="ran"</script><img src="https://evil.example/x"><p style="color:red">x</p>'
    )
    path.write_text(page_of(views.washing_machine()).replace("</main>", f"{added}</main>"), encoding="utf-8")
    browser.open(path, width=1280)
    assert browser.evaluate("document.title") == "Good: demand.evidence"
    assert len([each for each in browser.complaints if "Content Security Policy" in each]) >= 3
    assert browser.evaluate("getComputedStyle(document.querySelector('main > p')).color") != "rgb(255, 0, 0)"


def test_the_texts_of_the_drawing_fit_their_boxes(browser: Page, report: Path) -> None:
    """Ordinary ones do as they are; what is wider, in whatever font, ends where the box ends."""
    browser.open(report, width=1280)
    assert report.stem == "hostile" or browser.evaluate(NOT_IN_ITS_BOX) == []
    assert browser.evaluate("getComputedStyle(document.querySelector('.lines')).overflow") == "hidden"


def test_it_prints(browser: Page, report: Path) -> None:
    browser.open(report, width=1280, dark=True)
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF-")
    assert len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2


def test_a_box_leads_to_its_row_and_back(browser: Page, tmp_path: Path) -> None:
    path = tmp_path / "report.html"
    path.write_text(page_of(views.washing_machine()), encoding="utf-8")
    browser.open(path, width=1280)
    for place in ("#drawn-1 a", "#version-1 a[href='#drawn-1']"):
        browser.evaluate(f"document.querySelector(\"{place}\").dispatchEvent(new MouseEvent('click'))")
    assert browser.evaluate("location.hash") == "#drawn-1"
    assert browser.evaluate("document.querySelector(':target').tagName") == "g"
