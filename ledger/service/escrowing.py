"""Escrows: opened for an agreement, funded, refunded, withdrawn from, shown as the chain has them.

The chain alone says what an escrow is and holds; the address that somebody names is believed nothing
(`chain.escrow.read_escrow`). Presence in a log is not authority: no record moves money, only signatures do
(`escrow_approving`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from ledger.chain import escrow as escrows
from ledger.chain.escrow import NOBODY, Escrow, EscrowTerms, read_escrow
from ledger.core.errors import Invalid, NotFound, Usage
from ledger.core.escrow import MAX_PAYEES
from ledger.core.records import Settlement
from ledger.service.context import Context
from ledger.service.escrow_payment import misfits_of
from ledger.service.offers import parse_money
from ledger.service.parties import party_address
from ledger.service.recorded import recorded
from ledger.service.results import EscrowParty, EscrowState
from ledger.service.settlement_sale import agreement_record
from ledger.service.syncing import fresh
from ledger.service.times import end_of, format_time, parse_time

if TYPE_CHECKING:
    from ledger.chain.interface import Call
    from ledger.core.chain_facts import BlockRef

_address = re.compile("0x[0-9a-fA-F]{40}").fullmatch

RATE_NOTE = "one minor unit of the currency (a fen, a cent) is one of the smallest units: wei, or the token's"


class Opening(Struct, frozen=True, kw_only=True):
    """What an escrow is to be, as it was asked for.

    `agreement` is a record id or its first digits, `amount` an amount and a currency, `deadline` a date (its
    day included) or time, parties are named as everywhere. `payer` is who funds it (empty: this party),
    `arbiter` may be empty, `token` is the address of an ERC-20 contract (empty: the chain's own coin).
    """

    agreement: str
    payees: Sequence[str]
    amount: str
    deadline: str
    payer: str = ""
    arbiter: str = ""
    token: str = ""


def open_escrow(context: Context, opening: Opening) -> EscrowState:
    """Create an escrow, unless one with these very terms stands already."""
    with context.writing():
        fresh(context)
        terms = _terms(context, opening)
        address = escrows.address_of_escrow(context.descriptor, terms)
        block = None
        with context.client() as client:
            if not client.code(address):
                block = client.send(escrows.create(context.descriptor, terms), context.account_key)
        what = "opened" if block else "was open already"
        return show(context, f"0x{address.hex()}", what=what, block=block)


def fund(context: Context, named: str) -> EscrowState:
    """Put the whole amount in, as its payer.

    Of an escrow that a record names it is checked that it can pay this record: whoever wrote the record chose
    the escrow. Raises Invalid if it can't.
    """
    found = find_escrow(context, named)
    _check_fits(context, named, found)
    if found.terms.payer != context.address:
        raise Usage(f"escrow 0x{found.address.hex()} is funded by {context.describe(found.terms.payer)}")
    return _sent(context, found, escrows.fund(found.address, found.terms), "funded")


def refund(context: Context, named: str) -> EscrowState:
    """Give the payer everything back, from the deadline on."""
    found = find_escrow(context, named)
    return _sent(context, found, [escrows.refund(found.address)], "refunded")


def withdraw(context: Context, named: str, to: str = "") -> EscrowState:
    """Take what this party is owed, to its own account or to another one."""
    found = find_escrow(context, named)
    receiver = party_address(context, to) if to else context.address
    return _sent(context, found, [escrows.withdraw(found.address, receiver)], "withdrawn")


def show(context: Context, named: str, *, what: str = "", block: BlockRef | None = None) -> EscrowState:
    """Say how an escrow stands."""
    found = find_escrow(context, named)
    terms, paid = found.terms, found.paid()
    is_settled = found.state == "settled"
    return EscrowState(
        escrow=f"0x{found.address.hex()}",
        state=found.state,
        agreement=terms.agreement.hex(),
        payer=context.did(terms.payer),
        payer_name=context.index.party_name(terms.payer),
        payees=[
            EscrowParty(
                party=context.did(each),
                party_name=context.index.party_name(each),
                given=amount if is_settled else None,
                owed=found.owed.get(each, 0),
                withdrawn=found.withdrawn.get(each, 0),
            )
            for each, amount in zip(terms.payees, paid, strict=True)
        ],
        arbiter="" if terms.arbiter == NOBODY else context.did(terms.arbiter),
        arbiter_name="" if terms.arbiter == NOBODY else context.index.party_name(terms.arbiter),
        token="" if terms.token == NOBODY else f"0x{terms.token.hex()}",
        amount=terms.amount,
        deadline=format_time(terms.deadline_unix_s),
        to_block=found.block,
        payer_owed=found.owed.get(terms.payer, 0),
        record=found.record.hex(),
        split_hash=found.split_hash.hex(),
        what=what,
        block=block.number if block else None,
        block_time=format_time(block.time_unix_s) if block else "",
        notes=[RATE_NOTE],
    )


def find_escrow(context: Context, named: str) -> Escrow:
    """Read the escrow at an address, or the one that a recorded settlement names."""
    fresh(context)
    if _address(named):
        return read_escrow(context.reader, bytes.fromhex(named[2:]))
    said = _settlement(context, named)
    if not said.escrow:
        raise NotFound(f"record {named} names no escrow", hint="dataledger settle record --escrow ADDRESS")
    return read_escrow(context.reader, bytes.fromhex(said.escrow[2:]))


def _settlement(context: Context, digits: str) -> Settlement:
    said = recorded(context, digits, "settlement").statement.predicate
    assert isinstance(said, Settlement)
    return said


def _check_fits(context: Context, named: str, found: Escrow) -> None:
    """Refuse an escrow that was named by a record that it can't pay."""
    if not _address(named) and (misfits := [*misfits_of(_settlement(context, named), found)]):
        raise Invalid(f"escrow 0x{found.address.hex()} can't pay record {named}: {'; '.join(misfits)}")


def _sent(context: Context, found: Escrow, calls: Sequence[Call], what: str) -> EscrowState:
    """Send calls and say how the escrow stands then."""
    with context.writing(), context.client() as client:
        block = client.send_all(calls, context.account_key)
    return show(context, f"0x{found.address.hex()}", what=what, block=block)


def _terms(context: Context, opening: Opening) -> EscrowTerms:
    payer = party_address(context, opening.payer) if opening.payer else context.address
    payees = sorted({party_address(context, each) for each in opening.payees})
    arbiter = party_address(context, opening.arbiter) if opening.arbiter else NOBODY
    if not 1 <= len(payees) <= MAX_PAYEES:
        raise Usage(f"escrow: expected 1 to {MAX_PAYEES} payees, got {len(payees)}")
    if arbiter in (payer, *payees):
        raise Usage("escrow: the arbiter takes no part: it can be neither payer nor payee")
    money = parse_money(opening.amount)
    if not money.amount:
        raise Usage("escrow: expected an amount above zero")
    if opening.token and not _address(opening.token):
        raise Usage(f"token {opening.token!r}: expected the address of an ERC-20 contract")
    return EscrowTerms(
        agreement=agreement_record(context, opening.agreement),
        payer=payer,
        payees=tuple(payees),
        arbiter=arbiter,
        token=bytes.fromhex(opening.token[2:]) if opening.token else NOBODY,
        amount=money.amount,
        deadline_unix_s=_deadline(context, opening.deadline),
    )


def _deadline(context: Context, text: str) -> int:
    deadline = parse_time(end_of(text))
    head = context.reader.head()
    if deadline <= head.time_unix_s:
        raise Usage(
            f"deadline {text}: expected one after {format_time(head.time_unix_s)}, the last block's time"
        )
    return deadline
