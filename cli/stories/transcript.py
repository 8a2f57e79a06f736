"""Holding what a command said against what a story expects of it, line by line.

| in a story | means |
|---|---|
| a line `...` | any lines, or none |
| `...` within a line | any text |
| `{NAME}` | where it is met first, one word that varies (an id, a DID); from there on that very word |
| `{TODAY}`, `{TODAY+400}` | the date of the performance, and 400 days later |
| two spaces or more, within a line | two or more: columns are as wide as what stands in them |

Everything else is what it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from ledger.core.errors import FormatError

ANY = "..."

_special = re.compile(r"(\.\.\.|\{[A-Z][A-Z0-9_]*\}|(?<=\S) {2,})").split
_name = re.compile(r"\{([A-Z][A-Z0-9_]*)\}")
_date = re.compile(r"\{TODAY(?:([+-][0-9]{1,5}))?\}")
_WORD = r"[\w:.@/+-]+"


@dataclass(frozen=True)
class Difference:
    """What was expected where the two part, and what was found there; empty: nothing more."""

    expected: str
    found: str


def dated(text: str, today: date) -> str:
    """Put dates where a story says TODAY."""
    return _date.sub(lambda found: (today + timedelta(days=int(found[1] or 0))).isoformat(), text)


def filled(command: str, names: Mapping[str, str]) -> str:
    """Put in a command what was captured; raises FormatError for what was not."""

    def put(found: re.Match[str]) -> str:
        if found[1] not in names:
            raise FormatError(f"{found[0]} stands in a command, and in nothing that was said before it")
        return names[found[1]]

    return _name.sub(put, command)


def compare(
    expected: Sequence[str], found: Sequence[str], names: Mapping[str, str]
) -> dict[str, str] | Difference:
    """Return the names with those captured here, or where the two part."""
    search = _Search(expected, found)
    matched = search.match(0, 0, dict(names))
    return search.difference() if matched is None else matched


class _Search:
    """Tries how many lines each `...` stands for, and remembers how far it came."""

    def __init__(self, expected: Sequence[str], found: Sequence[str]) -> None:
        self._expected = expected
        self._found = found
        self._farthest = (0, 0)

    def match(self, at: int, place: int, names: dict[str, str]) -> dict[str, str] | None:
        while at < len(self._expected) and self._expected[at] != ANY:
            self._farthest = max(self._farthest, (at, place))
            more = (
                None if place == len(self._found) else _words(self._expected[at], self._found[place], names)
            )
            if more is None:
                return None
            at, place, names = at + 1, place + 1, names | more
        self._farthest = max(self._farthest, (at, place))
        if at == len(self._expected):
            return names if place == len(self._found) else None
        tries = (self.match(at + 1, start, names) for start in range(place, len(self._found) + 1))
        return next((matched for matched in tries if matched is not None), None)

    def difference(self) -> Difference:
        at, place = self._farthest
        expected = self._expected[at] if at < len(self._expected) else ""
        return Difference(expected, self._found[place] if place < len(self._found) else "")


def _words(expected: str, found: str, names: Mapping[str, str]) -> dict[str, str] | None:
    """Return what a line captures; None if it is another one."""
    pattern, new = [], set[str]()
    for part in _special(expected):
        name = _name.fullmatch(part)
        if part == ANY:
            pattern.append(".*?")
        elif name is None:
            pattern.append(r" {2,}" if part.startswith("  ") and not part.strip() else re.escape(part))
        elif name[1] in names:
            pattern.append(re.escape(names[name[1]]))
        else:
            pattern.append(f"(?P={name[1]})" if name[1] in new else f"(?P<{name[1]}>{_WORD})")
            new.add(name[1])
    matched = re.fullmatch("".join(pattern), found)
    return None if matched is None else matched.groupdict()
