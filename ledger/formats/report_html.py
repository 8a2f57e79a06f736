"""HTML that no text can break out of: markup is made here, and every text is made safe where it enters.

Whatever signers wrote (names, titles, reasons, contents) is a plain `str`, and `element` neutralises and
escapes every plain `str` that it is given. Only what was made here is `Markup` and passes as it is. So a
forgotten escape is not possible; what remains to be forgotten is a wrong claim of `Markup(...)`, and nothing
outside this module and the style sheet makes one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from html import escape

from ledger.formats.text import printable

SHORT = 160
"""How many characters of a text from outside are shown where it stands; the whole is in its `title`."""

WHOLE = 2_048
"""How many characters of a text from outside are kept at all: the longest title a record may have."""

_VOID = frozenset({"meta", "br", "wbr"})
_local = re.compile(r"#[a-z][a-z0-9-]*\Z").match
_hexadecimal = re.compile(r"[0-9a-f]{32,}").fullmatch

Attribute = str | int | float | bool | None


class Markup(str):
    """HTML made by this module: not escaped again."""

    __slots__ = ()


def element(name: str, /, *children: str | None, **attributes: Attribute) -> Markup:
    """Return an element; children and attributes that are no `Markup` are made safe, `None` is left out.

    Attribute names are written with `_` for `-` and may end in one (`class_`). An `href` must lead to a place
    on the page: anything else raises ValueError, so that no text from outside ever becomes an address.
    """
    if name in {"script", "base", "iframe", "object", "embed", "form", "link", "img"}:
        raise ValueError(f"a report has no <{name}>")
    opened = f"<{name}{''.join(map(_attribute, attributes.items()))}>"
    if name in _VOID:
        return Markup(opened)
    return Markup(f"{opened}{join(children)}</{name}>")


def join(children: Iterable[str | None], between: str = "") -> Markup:
    """Return children one after the other, made safe like those of an element."""
    return Markup(safe(between).join(safe(child) for child in children if child is not None))


def safe(text: str) -> Markup:
    """Return a text escaped, with controls, overrides of direction and other invisibles shown as escapes."""
    return text if isinstance(text, Markup) else Markup(escape(printable(text), quote=True))


def said(text: str, limit: int = SHORT) -> Markup:
    """Return a text that a stranger wrote: with a direction of its own, cut, whole in `title`.

    What a title can hold is cut too, at `WHOLE` characters.
    """
    shown = printable(text, limit)
    if shown == text:
        return element("bdi", text)
    return element("bdi", shown, title=printable(text, WHOLE))


def name(text: str, limit: int = SHORT) -> Markup:
    """Return a name of an asset, version or file that a stranger chose; lines may break after its slashes."""
    shown = printable(text, limit)
    parts = shown.split("/")
    broken = join((*(join((part, "/", element("wbr"))) for part in parts[:-1]), parts[-1]))
    return element("bdi", broken, title=None if shown == text else printable(text, WHOLE))


def lines(text: str) -> Markup:
    """Return a text of several lines, made safe line by line."""
    plain = text.replace("\r\n", "\n").replace("\t", "    ")
    return Markup("\n".join(safe(line) for line in plain.split("\n")))


def link(anchor: str, *children: str | None, **attributes: Attribute) -> Markup:
    """Return a link to a place on this page."""
    return element("a", *children, href=f"#{anchor}", **attributes)


def code(text: str, limit: int = SHORT) -> Markup:
    """Return a name, digest or command in a fixed-width face."""
    return element("code", said(text, limit))


def digest(text: str) -> Markup:
    """Return a digest in full, in groups of eight digits between which a line may break."""
    prefix, _, digits = text.rpartition(":")
    if not _hexadecimal(digits.removeprefix("0x")):
        return code(text)
    groups = [digits[at : at + 8] for at in range(0, len(digits), 8)]
    start = f"{prefix}:" if prefix else ""
    return element("code", start, join(groups, element("wbr")), class_="digest")


def _attribute(item: tuple[str, Attribute]) -> str:
    name, value = item
    name = name.rstrip("_").replace("_", "-")
    if value is None or value is False:
        return ""
    if name == "href" and not _local(str(value)):
        raise ValueError(f"a report links to its own places only, not to {value!a}")
    if name.startswith("on") or name == "style":
        raise ValueError(f"a report has no {name} attribute")
    return f" {name}" if value is True else f' {name}="{safe(str(value))}"'
