"""A verdict as one HTML file, to read and to print: no script, no network, no clock.

The same view and names give the same bytes. The page's own policy (Content-Security-Policy, level 3) forbids
everything but its one style sheet, which it names by its hash. What signers wrote gets in only as text
(`ledger.formats.report_html`). The page is a view and no proof: it says so, and which command is.
"""

from __future__ import annotations

import base64
import hashlib

from ledger.core.verdict import EvidenceView, Verdict
from ledger.formats import report_lineage, report_rights, report_tables, report_verdict
from ledger.formats.report_html import Markup, element, link, said
from ledger.formats.report_numbers import Numbers
from ledger.formats.report_plan import plan
from ledger.formats.report_style import style_sheet
from ledger.formats.report_verdict import WORDS
from ledger.formats.text import printable

_NAMES = {
    "trust": "Trust root",
    "rights": "May it be used?",
    "parts": "What is known, and how",
    "asked-for": "What was asked for",
    "lineage": "Lineage",
    "versions": "Versions",
    "steps": "Steps",
    "findings": "Findings",
    "records": "Records",
    "outside": "Sources outside",
    "attachments": "Attachments",
    "parties": "Parties",
    "logs": "Logs",
    "again": "Verify it again",
}


def render_report(view: EvidenceView, *, evidence_name: str, verify_command: str, made_with: str) -> str:
    """Return the page that shows a verdict.

    `evidence_name` is the file's name, `verify_command` the command that verifies it again with the trust
    root that was used, and `made_with` names the program and its version.
    """
    sections = _sections(view, evidence_name, verify_command)
    body = element(
        "body",
        link("content", "Skip to the content", class_="skip"),
        element("header", report_verdict.verdict_banner(view.verdict, evidence_name)),
        element("main", *_with_contents(sections, view.verdict), id="content"),
        element("footer", element("p", "Made with ", said(made_with), ".")),
        class_=None if view.verdict.trust_root else "unrooted",
    )
    return f'<!DOCTYPE html>\n<html lang="en">\n{_head(view.verdict, evidence_name)}\n{body}\n</html>\n'


def _sections(view: EvidenceView, evidence_name: str, verify_command: str) -> dict[str, Markup]:
    verdict, numbers = view.verdict, Numbers(view)
    drawn = plan(view, numbers)
    found = {
        "trust": report_verdict.trust_root(verdict, verify_command),
        "rights": report_rights.rights(verdict, numbers),
        "parts": report_verdict.four_parts(verdict),
        "asked-for": report_verdict.asked_for(verdict, numbers),
        "lineage": report_lineage.lineage(view.graph, drawn),
        "versions": report_lineage.versions(numbers, drawn),
        "steps": report_lineage.steps(view.graph, numbers),
        "findings": report_tables.findings(verdict.findings, numbers),
        "records": report_tables.records(view, numbers),
        "outside": report_tables.outside(verdict.outside),
        "attachments": report_tables.attachments(verdict.attachments, numbers),
        "parties": report_tables.parties(numbers),
        "logs": report_tables.logs(view, numbers),
        "again": report_verdict.about_the_file(verdict, evidence_name, verify_command),
    }
    return {anchor: part for anchor, part in found.items() if part is not None}


def _with_contents(sections: dict[str, Markup], verdict: Verdict) -> list[Markup]:
    """Put what must be read first, then the contents, then the rest."""
    counts = {
        "findings": len(verdict.findings),
        "records": verdict.records,
        "outside": len(verdict.outside),
        "attachments": len(verdict.attachments),
    }
    items = [
        element("li", link(anchor, _NAMES[anchor]), f" ({counts[anchor]:,})" if anchor in counts else None)
        for anchor in sections
    ]
    contents = element("nav", element("ul", *items), aria_label="On this page")
    notes = report_verdict.notes(verdict)
    first, *others = sections.values()
    return [first, *filter(None, (notes,)), contents, *others]


def _head(verdict: Verdict, evidence_name: str) -> Markup:
    css = Markup(style_sheet(verdict))
    style_hash = base64.b64encode(hashlib.sha256(css.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{style_hash}'; base-uri 'none'; form-action 'none'"
    title = f"{WORDS[verdict.verdict][0]}: {printable(evidence_name, 80)}"
    return element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="referrer", content="no-referrer"),
        element("meta", name="robots", content="noindex"),
        element("title", title),
        element("style", css),
    )
