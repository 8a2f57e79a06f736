"""Escrows on both kinds of chain: created, funded, paid out, withdrawn from, read back; and not believed."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from ledger.chain import abi
from ledger.chain import escrow as escrows
from ledger.chain.artifacts import load
from ledger.chain.bound import LedgerClient
from ledger.chain.escrow import NOBODY, Approvals, EscrowTerms, read_escrow
from ledger.chain.interface import Call
from ledger.chain.transactions import address_of, created_address, sign_digest, signer_of
from ledger.core.descriptor import create2_address
from ledger.core.errors import NotFound, Rejected, Unavailable, WrongLedger
from ledger.core.escrow import split_hash
from tests.chain.conftest import Stand

AMOUNT = 10_000_001
RECORD = b"\xa2" * 32


@pytest.fixture
def keys(stand: Stand) -> dict[str, bytes]:
    """Accounts with coins."""
    return {name: stand.funded_key() for name in ("payer", "a", "b")}


@pytest.fixture
def terms(client: LedgerClient, keys: dict[str, bytes]) -> EscrowTerms:
    """An escrow between one who pays and two who are paid, new each time."""
    payees = sorted(address_of(keys[name]) for name in ("a", "b"))
    return EscrowTerms(
        agreement=secrets.token_bytes(32),
        payer=address_of(keys["payer"]),
        payees=tuple(payees),
        arbiter=NOBODY,
        token=NOBODY,
        amount=AMOUNT,
        deadline_unix_s=client.head().time_unix_s + 100_000,
    )


@pytest.fixture
def opened(client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms) -> bytes:
    """The address of an escrow that stands."""
    client.send(escrows.create(client.ledger, terms), keys["a"])
    return escrows.address_of_escrow(client.ledger, terms)


def signed(
    client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms, escrow: bytes, amounts: list[int]
) -> Approvals:
    digest = split_hash(client.chain_id, escrow, terms.agreement, RECORD, terms.payees, amounts)
    by = {address_of(key): sign_digest(digest, key) for key in keys.values()}
    assert {signer_of(digest, signature) for signature in by.values()} == set(by)
    return Approvals(payer=by[terms.payer], payees=tuple(by[each] for each in terms.payees))


def test_from_creation_to_withdrawal(
    client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms, opened: bytes
) -> None:
    found = read_escrow(client, opened)
    assert (found.address, found.terms, found.state) == (opened, terms, "created")
    client.send_all(escrows.fund(opened, terms), keys["payer"])
    assert read_escrow(client, opened).state == "funded"
    amounts = [AMOUNT // 3, AMOUNT - AMOUNT // 3]
    approvals = signed(client, keys, terms, opened, amounts)
    client.send(escrows.settle(opened, RECORD, amounts, approvals), keys["b"])
    found = read_escrow(client, opened)
    assert (found.state, found.record, found.paid()) == ("settled", RECORD, amounts)
    digest = split_hash(client.chain_id, opened, terms.agreement, RECORD, terms.payees, amounts)
    assert found.split_hash == digest
    to = secrets.token_bytes(20)
    mine = address_of(keys["a"])
    client.send(escrows.withdraw(opened, to), keys["a"])
    part = amounts[terms.payees.index(mine)]
    found = read_escrow(client, opened)
    assert (client.balance_wei(to), found.owed[mine], found.withdrawn) == (part, 0, {mine: part})
    assert found.paid() == amounts


def test_other_amounts_than_were_signed(
    client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms, opened: bytes
) -> None:
    client.send_all(escrows.fund(opened, terms), keys["payer"])
    approvals = signed(client, keys, terms, opened, [1, AMOUNT - 1])
    with pytest.raises(Rejected, match="not the payer's signature"):
        client.send(escrows.settle(opened, RECORD, [2, AMOUNT - 2], approvals), keys["b"])
    with pytest.raises(Rejected, match="deadline has not passed"):
        client.send(escrows.refund(opened), keys["payer"])


def test_what_is_no_escrow_of_ours(client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms) -> None:
    other = msgspec.structs.replace(terms, amount=AMOUNT + 1)
    address = escrows.address_of_escrow(client.ledger, other)
    with pytest.raises(NotFound, match="no escrow stands"):
        read_escrow(client, address)
    with pytest.raises(WrongLedger, match="code that some release shipped"):
        read_escrow(client, client.ledger.address("Anchors"))
    create = escrows.create(client.ledger, terms)
    client.send(msgspec.structs.replace(create, data=salted(create)), keys["a"])
    salt = b"\1".rjust(32, b"\0")
    arguments = escrows._arguments(terms)
    salted_at = create2_address(client.ledger.deployer, salt, load("Settlement").init_code, arguments)
    assert client.code(salted_at)
    with pytest.raises(WrongLedger, match="does not follow from its terms"):
        read_escrow(client, salted_at)


def salted(create: Call) -> bytes:
    """The same creation under another salt: its second argument."""
    return create.data[: 4 + 63] + b"\1" + create.data[4 + 64 :]


def test_a_node_that_keeps_no_old_states(
    client: LedgerClient,
    keys: dict[str, bytes],
    terms: EscrowTerms,
    opened: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    client.send_all(escrows.fund(opened, terms), keys["payer"])
    amounts = [0, AMOUNT]
    approvals = signed(client, keys, terms, opened, amounts)
    client.send(escrows.settle(opened, RECORD, amounts, approvals), keys["b"])
    head = client.head().number
    real: Callable[..., bytes] = client.storage

    def recent(address: bytes, slot: bytes, block: int | None = None) -> bytes:
        if block is not None and block < head:
            raise Unavailable("state is pruned")
        return real(address, slot, block)

    monkeypatch.setattr(client, "storage", recent)
    assert read_escrow(client, opened).paid() == amounts


def test_a_signature_that_is_none() -> None:
    digest = secrets.token_bytes(32)
    key = secrets.token_bytes(32)
    good = sign_digest(digest, key)
    assert signer_of(digest, good) == address_of(key)
    for wrong in (
        b"",
        good[:64],
        good + b"\0",
        good[:64] + b"\0",
        bytes(64) + b"\x1b",
        b"\xff" * 64 + b"\x1c",
    ):
        assert signer_of(digest, wrong) is None
    assert signer_of(secrets.token_bytes(32), good) != address_of(key)


def test_an_escrow_of_tokens(client: LedgerClient, keys: dict[str, bytes], terms: EscrowTerms) -> None:
    """The payer lets the contract fetch them first; what is withdrawn is tokens again."""
    from vyper import compile_code

    source = (Path(__file__).parents[1] / "contracts" / "sources" / "Token.vy").read_text()
    code = bytes.fromhex(compile_code(source, output_formats=["bytecode"])["bytecode"][2:])
    payer = keys["payer"]
    token = created_address(terms.payer, client._sender.transaction_count(terms.payer))
    client.send(Call(to=b"", data=code, label="a token"), payer)
    mint = abi.encode_call("mint(address,uint256)", terms.payer, AMOUNT)
    client.send(Call(to=token, data=mint, label="minting"), payer)
    terms = msgspec.structs.replace(terms, token=token)
    client.send(escrows.create(client.ledger, terms), payer)
    escrow = escrows.address_of_escrow(client.ledger, terms)
    client.send_all(escrows.fund(escrow, terms), payer)
    amounts = [1, AMOUNT - 1]
    client.send(
        escrows.settle(escrow, RECORD, amounts, signed(client, keys, terms, escrow, amounts)), keys["b"]
    )
    client.send(escrows.withdraw(escrow, terms.payer), keys["a"])
    found = read_escrow(client, escrow)
    assert (found.state, found.terms.token, found.paid()) == ("settled", token, amounts)
    assert sum(found.withdrawn.values()) == amounts[terms.payees.index(address_of(keys["a"]))]
