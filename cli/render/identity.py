"""Who may do what, as text: keys, namespaces, delegates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .layout import table

if TYPE_CHECKING:
    from ledger.service import results as r


def keys(found: r.Keys) -> Iterator[str]:
    """`key list`."""
    rows = (
        (key.key, f"block {key.from_block:,}", _until(key.valid_to, key.revoked_block), _place(key))
        for key in found.keys
    )
    yield from table(("KEY", "FROM", "UNTIL", "WHERE"), rows)
    if not found.keys:
        yield "no keys"


def _place(key: r.Key) -> str:
    if key.current:
        return "here, in use"
    return "here" if key.here else ""


def _until(valid_to: str, revoked_block: int | None) -> str:
    return valid_to if revoked_block is None else f"revoked in block {revoked_block:,}"


def namespaces(found: r.Namespaces) -> Iterator[str]:
    """`namespace list`."""
    rows = (
        (each.name, each.owner_name, each.owner, f"block {each.from_block:,}", "yours" if each.ours else "")
        for each in found.namespaces
    )
    yield from table(("NAMESPACE", "NAME", "OWNER", "SINCE", "WHOSE"), rows)
    if not found.namespaces:
        yield "no namespaces"


def delegates(found: r.Delegates) -> Iterator[str]:
    """`delegate list`."""
    rows = (
        (each.type, each.delegate, f"block {each.from_block:,}", _until(each.valid_to, each.revoked_block))
        for each in found.delegates
    )
    yield from table(("TYPE", "DELEGATE", "FROM", "UNTIL"), rows)
    if not found.delegates:
        yield "no delegates"
