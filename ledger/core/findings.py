"""What is authentic but improper in an activity: it counts, and everyone who asks is told.

To be asked when the whole block is applied: a version may stand behind the activity that made it. Findings
about logs, postings and repeated runs come from the index, which sees more than one record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, Protocol

from msgspec import Struct

from ledger.core.digests import ASSET, CONTENT_DIGESTS, DECLARED, FILE, TREE
from ledger.core.names import parse_version
from ledger.core.records import Activity, Resource, Statement

FINDINGS: Final = {
    "output-unregistered": "no version record has this output with this digest",
    "input-unregistered": "the ledger does not know this input",
    "input-digest-mismatch": "the version that the activity names has another digest",
    "declared-input": "an output that was hashed rests on an input that nobody hashed",
}
"""Stable codes and what they say."""


class Finding(Struct, frozen=True, gc=False):
    """One of `FINDINGS`, the name of what it is about, and the particulars in words."""

    kind: str
    subject: str
    text: str


class Contents(Protocol):
    """What is known of assets and versions when the block is applied."""

    def asset(self, asset: str, /) -> bytes | None:
        """Give the id of the accepted record that registered an asset, None if nobody did."""

    def content(self, asset: str, number: int, /) -> tuple[str, str] | None:
        """Give digest name and hex digest of an accepted version, None if there is none."""

    def has_content(self, asset: str, name: str, digest: str, /) -> bool:
        """Tell whether an accepted version of the asset has this digest."""


def activity_findings(statement: Statement, contents: Contents) -> list[Finding]:
    """List what is improper in an accepted activity, outputs first; empty for all other records."""
    activity = statement.predicate
    if not isinstance(activity, Activity):
        return []
    found = [*_outputs(statement.subject, contents)]
    for resource in activity.inputs:
        found += _input(resource, contents)
    if any(FILE in each.digest or TREE in each.digest for each in statement.subject):
        found += [
            Finding("declared-input", each.name, "nobody hashed this input, but what was made from it")
            for each in activity.inputs
            if DECLARED in each.digest
        ]
    return found


def _outputs(subject: list[Resource], contents: Contents) -> Iterator[Finding]:
    for resource in subject:
        ((name, digest),) = resource.digest.items()
        if name not in CONTENT_DIGESTS:
            continue  # nothing was made: the run itself, or what it was to make
        known = contents.content(*parse_version(resource.name))
        if known is None:
            yield Finding("output-unregistered", resource.name, "no such version is recorded")
        elif known != (name, digest):
            text = f"recorded with {known[0]}:{known[1]}, made with {name}:{digest}"
            yield Finding("output-unregistered", resource.name, text)


def _input(resource: Resource, contents: Contents) -> Iterator[Finding]:
    ((name, digest),) = resource.digest.items()
    if "@" in resource.name:
        known = contents.content(*parse_version(resource.name))
        if known is None:
            yield Finding("input-unregistered", resource.name, "no such version is recorded")
        elif known != (name, digest):
            text = f"recorded with {known[0]}:{known[1]}, used with {name}:{digest}"
            yield Finding("input-digest-mismatch", resource.name, text)
    elif name == ASSET:
        if contents.asset(resource.name) is None:
            yield Finding("input-unregistered", resource.name, "no such asset is registered")
    elif not contents.has_content(resource.name, name, digest):
        yield Finding("input-unregistered", resource.name, f"no version has {name}:{digest}")
