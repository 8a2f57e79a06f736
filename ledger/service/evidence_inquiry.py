"""What is asked of evidence about rights, as a person asks it: party, purpose, date, rule lists."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ledger.core.chain_facts import BlockRef
from ledger.core.errors import NotFound, Unavailable, Unconfirmed, Usage
from ledger.core.evidence import Asked
from ledger.core.instants import NANOSECONDS
from ledger.core.records_rights import Right
from ledger.core.region_rules import MAX_RULES_BYTES, parse_region_rules, select_rules
from ledger.core.shapes_rights import check_regions
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.evidence_asking import Asking
from ledger.service.parties import party_address
from ledger.service.rights import moment_of
from ledger.service.times import format_time
from ledger.store.files import read_small


class MayInquiry(Struct, frozen=True, kw_only=True):
    """May `party` do this with the version? As `Ledger.may` asks: empty members were not said.

    `at` is a final block's number, a time, or a date, meaning its end; without it, now.
    """

    party: str
    right: Right
    purpose: str = ""
    region: str = ""
    at: str = ""
    rules: Sequence[Path] = ()


def asking_of(context: Context, inquiry: MayInquiry) -> tuple[BlockRef, Asking]:
    """Return the last final block until the moment asked for, and the question as a file has it."""
    if inquiry.region:
        with asked():
            check_regions([inquiry.region])
    address = party_address(context, inquiry.party)
    number, at_ns = moment_of(context, inquiry.at)
    final = context.index.final
    if inquiry.at.isdecimal() and number > final:
        raise Unconfirmed(f"block {number} is not final yet: the last final one is {final}")
    block = context.reader.block(min(number, final))
    if block is None:
        raise Unavailable("no block is final yet", hint="wait for the network, then try again")
    question = Asked(
        party=context.did(address),
        right=inquiry.right,
        at=format_time(at_ns // NANOSECONDS),
        purpose=inquiry.purpose,
        region=inquiry.region,
    )
    return block, Asking(question, _rules(inquiry.rules, at_ns))


def _rules(paths: Sequence[Path], at_ns: int) -> bytes:
    """Return the bytes of the rule list that is in force at a moment; none of none."""
    lists = [_read(path) for path in paths]
    chosen = select_rules([parse_region_rules(data) for data in lists], at_ns)
    if lists and chosen is None:
        raise Usage(f"no rule list was in force at {format_time(at_ns // NANOSECONDS)}")
    return next((data for data in lists if chosen == parse_region_rules(data)), b"")


def _read(path: Path) -> bytes:
    data = read_small(path, MAX_RULES_BYTES, "rule list")
    if data is None:
        raise NotFound(f"{path}: there is no such file")
    return data
