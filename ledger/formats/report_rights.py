"""The part of a report that answers whether a party may do something: the answer, why, and the grants.

Without a trust root there is no answer, only what it would be: a made-up chain grants anything.
"""

from __future__ import annotations

from ledger.core.money import EXPONENTS, format_amount
from ledger.core.verdict import RightsCap, RightsCause, RightsGrant, RightsVerdict, Verdict
from ledger.formats.report_html import Markup, code, digest, element, join, name, safe, said
from ledger.formats.report_numbers import Numbers
from ledger.formats.report_table import Row, badge, claimed, cut, facts, quiet, section, stack, table

_LISTED = 100
_TEXT = 600
_WORDS = {
    "permitted": ("Permitted", "stands"),
    "denied": ("Denied", "error"),
    "unknown": ("Unknown", "unknown"),
    "unconfirmed": ("Not confirmed", "warning"),
}
_PARTS = (
    ("proven", "Proven"),
    ("claimed", "Claimed"),
    ("unknown", "Unknown"),
)


def answered(found: RightsVerdict) -> Markup:
    """Return the answer as a word; of a block that nothing confirms, what it would be."""
    word, kind = _WORDS[found.verdict]
    shown = badge(word, kind)
    if found.verdict != "unconfirmed":
        return shown
    return join((shown, f" (if the chain is the real one: {found.shown})"))


def rights(verdict: Verdict, numbers: Numbers) -> Markup | None:
    """Return the answer with what it rests on; nothing if the file asks nothing."""
    found = verdict.rights
    if found is None:
        return None
    return section(
        "rights",
        "May it be used?",
        element("p", answered(found)),
        facts(
            ("Who", numbers.party(found.party)),
            ("May", said(found.right)),
            ("What", name(found.subject)),
            ("For", said(found.purpose) if found.purpose else "any purpose (none was named)"),
            ("In", said(found.region) if found.region else "any region (none was named)"),
            ("At", claimed(found.at)),
            ("By what was known at", claimed(found.known)),
            ("Price", _price(found)),
            ("Sensitivity", said(found.level) if found.level else None),
            ("Border rules", code(found.rules, _TEXT) if found.rules else None),
        ),
        _causes(found, numbers),
        _grants(found, numbers),
        *(_sentences(found, *part) for part in _PARTS),
    )


def _price(found: RightsVerdict) -> Markup | None:
    if found.free:
        return safe("nothing may be asked for this purpose")
    amounts = [join((_amount(each), " a unit")) for each in found.caps[:_LISTED]]
    return join(("at most ", join(amounts, ", "))) if amounts else None


def _amount(cap: RightsCap) -> Markup:
    known = cap.currency in EXPONENTS
    return said(f"{format_amount(cap.amount, cap.currency) if known else cap.amount} {cap.currency}", 60)


def _causes(found: RightsVerdict, numbers: Numbers) -> Markup:
    shown = found.because[:_LISTED]
    rows = [
        Row(
            (
                name(each.subject),
                stack(said(each.meaning, _TEXT), quiet(said(each.text, _TEXT)) if each.text else None),
                _record(each.record, numbers),
                _standing(found, each),
            )
        )
        for each in shown
    ]
    caption = cut(len(shown), len(found.because), "reason")
    return table("causes", ("About", "Why", "Record", "How it is known"), rows, caption)


def _standing(found: RightsVerdict, cause: RightsCause) -> Markup | None:
    if found.shown == "unknown":
        return None
    return badge("proven", "stands") if cause.proven else badge("by the records shown", "note")


def _grants(found: RightsVerdict, numbers: Numbers) -> Markup | None:
    if not found.grants:
        return None
    shown = found.grants[:_LISTED]
    columns = ("Grant", "From", "To", "About", "Ends", "Share")
    caption = cut(len(shown), len(found.grants), "grant")
    return table("grants", columns, [_grant(each, numbers) for each in shown], caption)


def _grant(each: RightsGrant, numbers: Numbers) -> Row:
    about = [name(subject, 80) for subject in each.subject[:3]]
    return Row(
        (
            _record(each.record, numbers),
            numbers.party(each.giver),
            numbers.party(each.taker) if each.taker else "everybody",
            stack(*about, f"and {len(each.subject) - 3:,} more" if len(each.subject) > 3 else None),
            claimed(each.until) if each.until else None,
            f"{each.share_bps / 100:g} %" if each.share_bps else None,
        )
    )


def _record(record: str, numbers: Numbers) -> Markup | None:
    return (numbers.record(record) or digest(record)) if record else None


def _sentences(found: RightsVerdict, part: str, heading: str) -> Markup | None:
    sentences: tuple[str, ...] = getattr(found, part)
    if not sentences:
        return None
    if part == "proven" and found.verdict == "unconfirmed":
        heading = "Proven, if the chain is the real one"
    items = (element("li", said(text, _TEXT)) for text in sentences[:_LISTED])
    return element("div", element("h3", heading), element("ul", *items))
