"""The head of a report: the verdict, what it rests on, and what is proven, claimed, declared, unknown.

The verdict is told by a word, a sentence, a sign and a frame; colour only comes on top. Without a trust root
the page says so before anything else, and how to get one: a block hash that comes from the evidence itself
confirms nothing, so the command that is shown has a place for one and not the hash.
"""

from __future__ import annotations

from collections import Counter

from ledger.core.verdict import Conclusion, Severity, Verdict
from ledger.formats.report_html import (
    Markup,
    code,
    digest,
    element,
    join,
    link,
    name,
    safe,
    said,
)
from ledger.formats.report_numbers import Numbers
from ledger.formats.report_rights import answered
from ledger.formats.report_table import (
    Row,
    badge,
    cut,
    facts,
    many,
    moment,
    quiet,
    section,
    size,
    stack,
    table,
)

SENTENCES = 200
SENTENCE = 600
"""Characters of a sentence that are shown."""
ROOTS = 100

WORDS: dict[Conclusion, tuple[str, str]] = {
    "good": ("Good", "Everything in this evidence file holds."),
    "unconfirmed": (
        "Not confirmed",
        (
            "Everything in this evidence file fits together, but nothing says that its chain is the real "
            "one. Anyone can make up a chain on which a false file fits together just as well."
        ),
    ),
    "unknown": (
        "Unknown",
        (
            "It could not be told whether what was asked for still holds: something was posted on chain "
            "against it, and the file does not have what was posted."
        ),
    ),
    "revoked": (
        "Revoked",
        "The evidence holds, and it shows that what was asked for was taken back by its author.",
    ),
    "wrong-file": (
        "Wrong file",
        "The evidence holds, but the file that was held against it is not the version that was asked for.",
    ),
}
"""A verdict's word, and what it means."""

_SIGNS: dict[Conclusion, str] = {
    "good": "M14 25L21 32L35 16",
    "unconfirmed": "M24 16V29M24 36V37",
    "unknown": "M18 18Q18 12 24 12Q31 12 31 18Q31 22 24 25V29M24 35V36",
    "revoked": "M14 24H34",
    "wrong-file": "M16 16L32 32M32 16L16 32",
}

PARTS = (
    ("proven", "Proven", "Follows from the trust root by arithmetic: signatures, Merkle proofs, storage."),
    ("claimed", "Claimed", "What a proven signer says, or what no proof of absence can exclude."),
    ("declared", "Declared", "Named by somebody. Nobody hashed its content."),
    ("unknown", "Unknown", "Could not be told from this file."),
)
_UNROOTED = (
    "proven",
    "Proven, if the chain is the real one",
    "Follows by arithmetic from a block that nothing confirms. A made-up chain would read the same.",
)


def verdict_banner(verdict: Verdict, evidence_name: str) -> Markup:
    """Return the verdict itself, unmistakable."""
    word, meaning = WORDS[verdict.verdict]
    if not verdict.trust_root:
        meaning = meaning.replace("evidence holds", "evidence fits together")
    sign = element(
        "svg",
        _sign_frame(verdict.verdict),
        element("path", d=_SIGNS[verdict.verdict], class_="stroke"),
        viewBox="0 0 48 48", width="72", height="72", aria_hidden="true", class_="sign",
    )  # fmt: skip
    return element(
        "div",
        sign,
        element(
            "div",
            element("p", element("span", "Verdict on "), said(evidence_name, 80), class_="kicker"),
            element("h1", word),
            element("p", meaning, class_="meaning"),
            element("p", said(verdict.reason, SENTENCE), class_="reason") if verdict.reason else None,
            facts(
                ("About", _about(verdict)),
                ("May it be used", _answered(verdict)),
                ("Trust root", _rooted(verdict)),
                ("Findings", _found(verdict)),
            ),
        ),
        class_=f"verdict {verdict.verdict}",
    )


def _about(verdict: Verdict) -> Markup | None:
    names = [name(root.version, 80) for root in verdict.roots[:3]]
    more = len(verdict.roots) - len(names)
    return join((join(names, ", "), f" and {more:,} more" if more > 0 else None)) if names else None


def _answered(verdict: Verdict) -> Markup | None:
    return None if verdict.rights is None else join((answered(verdict.rights), " ", link("rights", "why")))


def _rooted(verdict: Verdict) -> Markup:
    number = f"block {verdict.block.number:,}"
    if verdict.trust_root:
        return join((number, " of ", moment(verdict.block.time_unix_s), ", confirmed"))
    return join(
        (element("strong", "none"), f": {number} is not confirmed. ", link("trust", "How to confirm it"))
    )


def _found(verdict: Verdict) -> Markup | None:
    counts = Counter(each.severity for each in verdict.findings)
    order: tuple[Severity, ...] = ("error", "warning", "note")
    words = [many(counts[severity], severity) for severity in order if counts[severity]]
    return link("findings", ", ".join(words)) if words else None


def _sign_frame(verdict: Conclusion) -> Markup:
    """A circle for what is good, a triangle for what is not confirmed, a square for what is wrong."""
    if verdict == "good":
        return element("circle", cx=24, cy=24, r=22, class_="frame")
    if verdict == "unconfirmed":
        return element("path", d="M24 3L46 44H2Z", class_="frame")
    if verdict == "unknown":
        return element("path", d="M24 1L47 24L24 47L1 24Z", class_="frame")
    return element("rect", x=3, y=3, width=42, height=42, rx=5, class_="frame")


def trust_root(verdict: Verdict, verify_command: str) -> Markup:
    """Return what everything rests on, or how to get something to rest on."""
    number = f"{verdict.block.number:,}"
    block = facts(
        ("Block", join((element("strong", number), " of ", moment(verdict.block.time_unix_s)))),
        ("Block hash", digest(verdict.block.hash)),
        ("Chain", f"id {verdict.chain_id}"),
        ("Ledger", digest(verdict.ledger)),
    )
    if verdict.trust_root:
        confirmed = element("p", "Confirmed by ", code(verdict.trust_root, SENTENCE), class_="root-given")
        why = quiet(
            "Given by whoever made this report. If that was not you, compare the block hash with one from "
            "a node or a person that you trust."
        )
        return section("trust", "Trust root", confirmed, block, why, class_="trust given")
    return section(
        "trust",
        "Trust root: none",
        element("p", "Nothing outside of the file confirms this block. To confirm it:"),
        element("ol", *(element("li", step) for step in _to_confirm(verdict, verify_command))),
        block,
        class_="trust missing",
    )


def _to_confirm(verdict: Verdict, verify_command: str) -> tuple[Markup, ...]:
    where = (
        f"Get the hash of block {verdict.block.number:,} of chain {verdict.chain_id} from somewhere that "
        "whoever sent you this file does not control: your own node, a block explorer, a party you trust. "
    )
    return (
        join((where, element("strong", "Not from this page, and not from the file."))),
        join(("Verify with that hash: ", _command(f"{verify_command} --block HASH"))),
        join(("Or let a node that you trust be asked: ", _command(f"{verify_command} --rpc URL"))),
    )


def _command(command: str) -> Markup:
    """Show a command that breaks between its words only, except where a word is too long for a line."""
    words = [
        element("span", word, class_="nowrap") if len(word) < 20 else safe(word)
        for word in command.split(" ")
    ]
    return element("pre", element("code", join(words, " ")))


def four_parts(verdict: Verdict) -> Markup:
    """Return what is proven, claimed, declared and unknown, each on its own."""
    parts = PARTS if verdict.trust_root else (_UNROOTED, *PARTS[1:])
    return section(
        "parts",
        "What is known, and how",
        element("div", *(_part(verdict, *part) for part in parts), class_="parts"),
    )


def _part(verdict: Verdict, part: str, heading: str, meaning: str) -> Markup:
    sentences: tuple[str, ...] = getattr(verdict, part)
    items = [element("li", said(text, SENTENCE)) for text in sentences[:SENTENCES]]
    left_out = cut(len(items), len(sentences), "sentence")
    return element(
        "section",
        element("h3", heading, id=f"{part}-heading"),
        quiet(meaning),
        element("ul", *items) if items else element("p", "Nothing.", class_="none"),
        quiet(left_out) if left_out else None,
        id=part,
        class_=f"part {part}",
        aria_labelledby=f"{part}-heading",
    )


def asked_for(verdict: Verdict, numbers: Numbers) -> Markup:
    """Return the versions that were asked for, and the file that was held against them."""
    declared = quiet(badge("declared", "warning"), " Nobody hashed the content: this is of its description.")
    rows = [
        Row(
            (
                stack(numbers.version(root.version), badge(root.state, root.state)),
                join((digest(root.digest), declared if root.declared else None)),
                stack(*map(numbers.party, root.authors)),
                stack(f"block {root.block:,}", moment(root.time_unix_s)),
                numbers.record(root.record) or code(root.record),
            )
        )
        for root in verdict.roots[:ROOTS]
    ]
    caption = cut(len(rows), len(verdict.roots), "version")
    columns = ("Version", "Digest", "Claimed by", "Existed at the latest", "Record")
    return section("asked-for", "What was asked for", table("roots", columns, rows, caption), _file(verdict))


def _file(verdict: Verdict) -> Markup:
    checked = verdict.file
    if checked is None:
        return quiet("No file was held against the evidence (--file does that): this is about digests only.")
    if checked.version:
        result, found = badge("matches", "stands"), join(("This file is ", name(checked.version), "."))
    else:
        result, found = badge("no match", "error"), safe("This file is none of the versions.")
    return element(
        "div",
        element("h3", "File check"),
        element("p", result, " ", found),
        facts(("File", code(checked.path)), ("Its digest", digest(checked.digest))),
        class_="file",
    )


def about_the_file(verdict: Verdict, evidence_name: str, verify_command: str) -> Markup:
    """Return which evidence file this is about, and how to verify it again."""
    return section(
        "again",
        "Verify it again",
        element(
            "p",
            "This page shows a verdict and proves nothing by itself: anyone can write a page. "
            "The proof is the evidence file. This command checks it, without this page and whoever made it:",
        ),
        _command(verify_command),
        facts(
            ("Evidence file", code(evidence_name)),
            ("Its size", size(verdict.bytes) if verdict.bytes else None),
            ("Its SHA-256", digest(verdict.digest) if verdict.digest else None),
            ("It holds", f"{many(verdict.records, 'record')} of {many(verdict.logs, 'log')}"),
        ),
    )


def notes(verdict: Verdict) -> Markup | None:
    """Return what else the verifier has to say."""
    if not verdict.notes:
        return None
    items = [element("li", said(text, SENTENCE)) for text in verdict.notes[:SENTENCES]]
    return element("div", element("ul", *items), class_="notes", role="note")
