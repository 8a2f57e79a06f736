"""What was recorded and what was paid: a settlement that names an escrow, held against the escrow.

Equal hashes (EIP-712, `core.escrow`) say that the split was this one; they bind chain id, contract,
agreement, record, payees and amounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from ledger.chain.escrow import Escrow, read_escrow
from ledger.core.errors import Invalid, NotFound, Usage, WrongLedger
from ledger.core.escrow import recorded_split_hash
from ledger.core.findings import Finding
from ledger.core.identity import parse_did
from ledger.core.records import Settlement
from ledger.index.settled import SettledView
from ledger.service.context import Context
from ledger.service.results import EscrowPayment
from ledger.service.times import format_time

_address = re.compile("0x[0-9a-fA-F]{40}").fullmatch

PAID, OTHER, UNPAID, REFUNDED, REFUSED = "paid", "other-split", "unpaid", "refunded", "refused"

FINDINGS = {
    "escrow-refused": "no escrow of ours stands at the address that the settlement names",
    "escrow-misfit": "the escrow has another agreement, amount or other payees than the settlement",
    "paid-otherwise": "the escrow paid another split than was recorded",
}
"""Stable codes and what they say."""


def payment(context: Context, settled: SettledView) -> tuple[EscrowPayment | None, list[Finding]]:
    """Say what became of the money of a settlement, and what is wrong with that; None if it names no escrow.

    Raises Unavailable if the chain can't be asked.
    """
    said = settled.statement.predicate
    assert isinstance(said, Settlement)
    if not said.escrow:
        return None, []
    name = settled.statement.subject[0].name
    try:
        found = read_escrow(context.reader, bytes.fromhex(said.escrow[2:]), withdrawals=False)
    except (NotFound, WrongLedger) as error:
        return _told(said, REFUSED, str(error)), [Finding("escrow-refused", name, str(error))]
    misfits = [*misfits_of(said, found)]
    if misfits:
        text = "; ".join(misfits)
        return _told(said, REFUSED, text), [Finding("escrow-misfit", name, text)]
    if found.state != "settled":
        return _not_settled(said, found), []
    if found.split_hash == expected_hash(context, settled.record, said, found):
        token = found.terms.token
        unit = f", in tokens of 0x{token.hex()}" if any(token) else ""
        return _told(said, PAID, f"paid exactly this split{unit}"), []
    whole = read_escrow(context.reader, found.address)
    text = _other(context, said, whole, settled.record)
    return _told(said, OTHER, text), [Finding("paid-otherwise", name, text)]


def parse_escrow(text: str) -> str:
    """Read the address of an escrow as records name it, in lower case; raises Usage."""
    if text and not _address(text):
        raise Usage(f"escrow {text!r}: expected an address, 0x and 40 hex digits")
    return text.lower()


def require_fit(context: Context, said: Settlement) -> None:
    """Raise Invalid or NotFound unless the escrow that a settlement names is one of ours and can pay it."""
    found = read_escrow(context.reader, bytes.fromhex(said.escrow[2:]))
    if misfits := [*misfits_of(said, found)]:
        raise Invalid(f"escrow {said.escrow} can't pay this settlement: {'; '.join(misfits)}")


def misfits_of(said: Settlement, found: Escrow) -> Iterator[str]:
    """Yield in what an escrow is not the one that a settlement needs."""
    if found.terms.agreement.hex() != said.agreement:
        yield f"it is for agreement {found.terms.agreement.hex()}, not {said.agreement or 'none'}"
    if found.terms.amount != said.total.amount:
        yield f"it is for {found.terms.amount} smallest units, not {said.total.amount}"
    due = {parse_did(each.party)[1] for each in said.payouts if each.amount}
    for strange in sorted(due - set(found.terms.payees)):
        yield f"0x{strange.hex()} is none of its payees"


def expected_hash(context: Context, record: bytes, said: Settlement, found: Escrow) -> bytes:
    """Return the EIP-712 hash of the split that a settlement says; it fits the escrow."""
    try:
        return recorded_split_hash(said, record, context.descriptor.chain_id, found.terms.payees)
    except Usage as error:
        raise AssertionError("misfits are looked for first") from error


def _not_settled(said: Settlement, found: Escrow) -> EscrowPayment:
    deadline = format_time(found.terms.deadline_unix_s)
    if found.state == "refunded":
        return _told(said, REFUNDED, f"not paid: refunded to the payer after {deadline}")
    if found.state == "created":
        return _told(said, UNPAID, f"not paid, and not funded; to be paid before {deadline}")
    return _told(said, UNPAID, f"funded, not paid; to be paid before {deadline}, refunded from then on")


def _other(context: Context, said: Settlement, found: Escrow, record: bytes) -> str:
    """Say in what the split that was paid differs from the recorded one."""
    due = {parse_did(each.party)[1]: each.amount for each in said.payouts}
    differ = [
        f"{context.index.party_name(payee) or '0x' + payee.hex()} got {amount}, not {due.get(payee, 0)}"
        for payee, amount in zip(found.terms.payees, found.paid(), strict=True)
        if amount != due.get(payee, 0)
    ]
    if found.record != record:
        named = f"record {found.record.hex()}" if any(found.record) else "no record"
        differ.append(f"it was paid for {named}")
    return "paid another split: " + "; ".join(differ)


def _told(said: Settlement, paid: str, text: str) -> EscrowPayment:
    return EscrowPayment(escrow=said.escrow, paid=paid, text=text)
