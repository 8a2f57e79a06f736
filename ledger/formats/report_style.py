"""The style sheet of a report: screen and paper, light and dark, phone and desktop. No font, image or import.

Every pair of text and ground has a contrast of at least 4.5 (WCAG 2.2, 1.4.3), which a test computes from the
variables below. On paper the light colours hold, tables repeat their heads, and each page's foot names the
evidence file's digest and, unless the verdict is good and has a trust root, what it is instead.
"""

from __future__ import annotations

import re
from importlib import resources
from typing import Final

from ledger.core.verdict import Conclusion, Verdict

LIGHT: Final = {
    "page": "#f6f7f9", "sheet": "#ffffff", "soft": "#eef1f5", "line": "#c9d0da",
    "ink": "#16202e", "dim": "#4d5a6b", "link": "#0b4fa8",
    "good": "#0e5c34", "good-soft": "#e3f4ea", "warn": "#7a4300", "warn-soft": "#fff1d6",
    "bad": "#9a1b1b", "bad-soft": "#fde8e8", "odd": "#54358a", "odd-soft": "#f0eafa",
}  # fmt: skip
DARK: Final = {
    "page": "#10151c", "sheet": "#18202b", "soft": "#222d3a", "line": "#3a4757",
    "ink": "#e8edf4", "dim": "#aab6c5", "link": "#8fc0ff",
    "good": "#7fdca6", "good-soft": "#12301f", "warn": "#ffc566", "warn-soft": "#38290d",
    "bad": "#ff9d9d", "bad-soft": "#3d1618", "odd": "#cdb5ff", "odd-soft": "#2b2142",
}  # fmt: skip
"""Colours by their part; a test holds every text against every ground that it may stand on."""

_FOOT: dict[Conclusion, str] = {
    "good": "",
    "unconfirmed": "NOT CONFIRMED",
    "unknown": "UNKNOWN",
    "revoked": "REVOKED",
    "wrong-file": "WRONG FILE",
}

_SHEET: Final = resources.files("ledger.formats").joinpath("report.css").read_text("utf-8")
_hex = re.compile("[0-9a-f]{64}").fullmatch


def style_sheet(verdict: Verdict) -> str:
    """Return the style sheet of one report. Of the verdict only words of ours and a checked digest go in."""
    warnings = {_FOOT[verdict.verdict], "" if verdict.trust_root else "NOT CONFIRMED"}
    warning = ", ".join(sorted(filter(None, warnings)))
    digest = f"sha256:{verdict.digest}" if _hex(verdict.digest) else ""
    feet = (
        f'@page{{@bottom-left{{content:"{digest}";font:7pt ui-monospace,monospace;color:#444}}'
        f'@bottom-center{{content:"{warning}";font:bold 8pt sans-serif;color:#000}}'
        '@bottom-right{content:counter(page) " / " counter(pages);font:8pt sans-serif;color:#444}}'
    )
    return (
        f":root{{color-scheme:light dark;{_variables(LIGHT)}}}"
        f"@media screen and (prefers-color-scheme:dark){{:root{{{_variables(DARK)}}}}}"
        f"{_squeezed(_SHEET)}{feet}"
    )


def _variables(colours: dict[str, str]) -> str:
    return "".join(f"--{name}:{value};" for name, value in colours.items())


def _squeezed(css: str) -> str:
    return "".join(line.strip() for line in css.splitlines())
