"""Reading a report as a browser would, strictly: which elements and links it has, and what a reader sees."""

from __future__ import annotations

from html.parser import HTMLParser

from ledger.core.verdict import EvidenceView
from ledger.formats.report import render_report

VOID = {"meta", "br", "wbr"}
PARAGRAPH_ENDS = {
    "p",
    "div",
    "li",
    "td",
    "th",
    "tr",
    "dd",
    "dt",
    "h1",
    "h2",
    "h3",
    "pre",
    "caption",
    "section",
}


class Reading(HTMLParser):
    """A page read to its end; raises AssertionError where elements are not nested as they should be."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.declarations: list[str] = []
        self.comments: list[str] = []
        self.style = ""
        self.pieces: list[str] = []
        self._open: list[str] = []
        self.feed(page)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice"
        if tag == "div":
            assert "p" not in self._open, "a browser would end the paragraph here"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag
        if tag in PARAGRAPH_ENDS:
            self.pieces.append("\n")

    def handle_data(self, data: str) -> None:
        if self._open and self._open[-1] == "style":
            self.style += data
        else:
            self.pieces.append(data)

    def handle_decl(self, decl: str) -> None:
        self.declarations.append(decl)

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)

    def unknown_decl(self, data: str) -> None:
        self.comments.append(data)

    def handle_pi(self, data: str) -> None:
        self.comments.append(data)

    @property
    def text(self) -> str:
        """What is there to read, without the style sheet."""
        return "".join(self.pieces)

    def values(self, attribute: str) -> list[str]:
        """Every value of an attribute, in order."""
        return [attributes[attribute] or "" for _, attributes in self.elements if attribute in attributes]

    def tags(self, name: str) -> list[dict[str, str | None]]:
        """The attributes of every element of a name."""
        return [attributes for tag, attributes in self.elements if tag == name]


CONFIRMED = "dataledger verify demand.evidence --block 0xabc"


def page_of(view: EvidenceView, command: str = CONFIRMED, name: str = "demand.evidence") -> str:
    """The page of a view, as `dataledger report` would write it."""
    return render_report(view, evidence_name=name, verify_command=command, made_with="dataledger 0.1.0")


def read(view: EvidenceView, **given: str) -> Reading:
    """The page of a view, read."""
    return Reading(page_of(view, **given))
