"""Paying an escrow out: the consent of its sides, signed each for itself, collected, and sent.

A party signs the EIP-712 hash of the split that a recorded settlement says (docs/formats.md section 12). Two
of the three sides have to: the payer; all payees; the arbiter. Whose signature it is is recovered from it, so
that a bare signature is enough, and one made for another chain, escrow or split is a stranger's.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from ledger.chain import escrow as escrows
from ledger.chain.escrow import NOBODY, Approvals, Escrow
from ledger.chain.transactions import sign_digest, signer_of
from ledger.core.errors import FormatError, Invalid, NotFound, Unavailable, Usage
from ledger.core.identity import parse_did
from ledger.core.records import Settlement
from ledger.index.settled import SettledView
from ledger.service.context import Context
from ledger.service.escrow_payment import expected_hash, misfits_of
from ledger.service.escrowing import find_escrow, show
from ledger.service.recorded import record_id
from ledger.service.results import EscrowApproval, EscrowState
from ledger.service.settlement_checking import DIFFERS, GOOD, recheck
from ledger.service.syncing import fresh
from ledger.store.files import read_small, write_atomic

MAX_APPROVAL = 4096
"""Bytes of an approval, at most."""

_signature = re.compile("(?:0x)?([0-9a-fA-F]{130})").fullmatch


class Payable(msgspec.Struct, frozen=True):
    """A recorded settlement, its escrow, which it fits, and the hash that pays it."""

    settled: SettledView
    said: Settlement
    escrow: Escrow
    digest: bytes


def approve(
    context: Context, digits: str, out: Path | None = None, *, despite: bool = False
) -> EscrowApproval:
    """Sign what a recorded settlement says, for its escrow, as one of the escrow's sides; `out` is the file
    to write that to.

    Refused, unless `despite` that, where the record is not what lineage and grants lead to.
    """
    payable = _payable(context, digits)
    if context.address not in _sides(payable.escrow):
        raise Usage(f"you are neither payer nor payee nor arbiter of escrow 0x{payable.escrow.address.hex()}")
    if not despite:
        _check_right(context, payable)
    made = EscrowApproval(
        chain_id=context.descriptor.chain_id,
        escrow=f"0x{payable.escrow.address.hex()}",
        record=payable.settled.record.hex(),
        split_hash=payable.digest.hex(),
        party=context.party,
        signature=f"0x{sign_digest(payable.digest, context.account_key).hex()}",
    )
    if out is not None:
        write_atomic(out, msgspec.json.encode(made) + b"\n", "approval")
    return made


def pay(context: Context, digits: str, approvals: Sequence[str], *, despite: bool = False) -> EscrowState:
    """Pay out what a recorded settlement says, with the approvals of others: files, or signatures in hex.

    Who is a side of the escrow approves by paying, as in `approve`; others may pay too.
    """
    payable = _payable(context, digits)
    signatures = dict(_read(context, payable, each) for each in approvals)
    if context.address in _sides(payable.escrow):
        own = approve(context, digits, despite=despite).signature
        signatures[context.address] = bytes.fromhex(own[2:])
    given = _collected(context, payable.escrow, signatures)
    due = {parse_did(each.party)[1]: each.amount for each in payable.said.payouts}
    amounts = [due.get(payee, 0) for payee in payable.escrow.terms.payees]
    call = escrows.settle(payable.escrow.address, payable.settled.record, amounts, given)
    with context.writing(), context.client() as client:
        block = client.send(call, context.account_key)
    return show(context, f"0x{payable.escrow.address.hex()}", what="paid out", block=block)


def _payable(context: Context, digits: str) -> Payable:
    fresh(context)
    record = record_id(context, digits)
    found = next(context.index.settlements(record=record), None)
    if found is None:
        raise Usage(f"record {digits} is no settlement", hint="dataledger log --type settlement lists them")
    said = found.statement.predicate
    assert isinstance(said, Settlement)
    escrow = find_escrow(context, record.hex())
    misfits = [*misfits_of(said, escrow)]
    if misfits:
        raise Invalid(f"escrow 0x{escrow.address.hex()} can't pay record {digits}: {'; '.join(misfits)}")
    return Payable(found, said, escrow, expected_hash(context, record, said, escrow))


def _check_right(context: Context, payable: Payable) -> None:
    """Refuse to sign for a split that is not the one it should be."""
    checked = recheck(context, payable.settled)
    hint = "dataledger settle check says in what; --despite-findings signs it all the same"
    record = payable.settled.record.hex()[:12]
    if checked.verdict == DIFFERS:
        raise Invalid(f"record {record} is not the split that lineage and grants lead to", hint=hint)
    if checked.verdict != GOOD:
        raise Unavailable(f"whether record {record} is right is not known: {checked.unknown[0]}", hint=hint)


def _sides(escrow: Escrow) -> set[bytes]:
    return {escrow.terms.payer, *escrow.terms.payees, escrow.terms.arbiter} - {NOBODY}


def _read(context: Context, payable: Payable, given: str) -> tuple[bytes, bytes]:
    """Read an approval: whose it is, and the signature."""
    bare = _signature(given)
    signature = bytes.fromhex(bare[1]) if bare else _from_file(context, payable, Path(given))
    account = signer_of(payable.digest, signature)
    if account is None or account not in _sides(payable.escrow):
        who = "nobody's" if account is None else f"0x{account.hex()}'s"
        raise Invalid(
            f"approval {given[:40]}: it is {who}, who is no side of the escrow; or it is for another split, "
            "escrow or chain",
            hint="dataledger settle escrow approve RECORD makes one",
        )
    return account, signature


def _from_file(context: Context, payable: Payable, path: Path) -> bytes:
    data = read_small(path, MAX_APPROVAL, "approval")
    if data is None:
        raise NotFound(f"{path}: there is no such file, and it is no signature in hex")
    try:
        said = msgspec.json.decode(data, type=EscrowApproval)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise FormatError(f"{path}: expected an approval: {error}") from None
    expected = {
        "chain_id": context.descriptor.chain_id,
        "escrow": f"0x{payable.escrow.address.hex()}",
        "record": payable.settled.record.hex(),
        "split_hash": payable.digest.hex(),
    }
    for name, value in expected.items():
        if getattr(said, name) != value:
            raise Invalid(f"{path}: {name}: expected {value}, got {getattr(said, name)}")
    found = _signature(said.signature)
    if found is None:
        raise FormatError(f"{path}: signature: expected 65 bytes in hex")
    return bytes.fromhex(found[1])


def _collected(context: Context, escrow: Escrow, signatures: dict[bytes, bytes]) -> Approvals:
    """Put the signatures of whole sides together; refuse fewer than two."""
    terms = escrow.terms
    missing = [each for each in terms.payees if each not in signatures]
    given = Approvals(
        payer=signatures.get(terms.payer, b""),
        payees=() if missing else tuple(signatures[each] for each in terms.payees),
        arbiter=signatures.get(terms.arbiter, b""),
    )
    if sum(map(bool, (given.payer, given.payees, given.arbiter))) >= 2:
        return given
    arbiter = "" if terms.arbiter == NOBODY else f"the arbiter {context.describe(terms.arbiter)}"
    lacking = [
        "" if given.payer else f"the payer {context.describe(terms.payer)}",
        f"all payees (missing {', '.join(map(context.describe, missing))})" if missing else "",
        "" if given.arbiter else arbiter,
    ]
    raise Usage(
        f"two of three sides have to approve, and there is no approval of {'; '.join(filter(None, lacking))}",
        hint="dataledger settle escrow approve RECORD -o FILE makes one; hand it in with --approval FILE",
    )
