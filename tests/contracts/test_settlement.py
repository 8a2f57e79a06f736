"""Settlement: fixed from its creation, paid as two of three sides signed, or refunded; and every refusal."""

from __future__ import annotations

import msgspec
import pytest
from eth_account.messages import _hash_eip191_message
from eth_tester.exceptions import TransactionFailed
from eth_utils import to_checksum_address

from ledger.core.errors import Usage
from ledger.core.escrow import recorded_split_hash, split_hash
from ledger.core.identity import format_did
from ledger.core.records import Settlement
from ledger.core.records_rights import Money, Payout
from tests.contracts.settling import AGREEMENT, AMOUNT, RECORD, Escrow

OTHER = b"\xb1" * 32
N = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # order of secp256k1


@pytest.fixture
def escrow(evm):
    return Escrow(evm)


@pytest.fixture
def funded(escrow):
    escrow.fund()
    return escrow


@pytest.fixture
def token(evm):
    return evm.create_from("Token")


# creation


def test_everything_is_fixed_from_the_start(evm, escrow):
    calls = escrow.calls
    found = [
        calls.agreement(),
        calls.payer(),
        calls.arbiter(),
        calls.token(),
        calls.amount(),
        calls.deadline(),
    ]
    assert [each.call() for each in found] == [
        AGREEMENT, escrow.payer, escrow.arbiter, evm.zero, AMOUNT, escrow.deadline,
    ]  # fmt: skip
    assert [calls.payee_at(n).call() for n in range(calls.count().call())] == escrow.payees
    assert calls.state().call() == 1


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda e: {"payer": e.evm.zero}, "payer is zero"),
        (lambda e: {"payees": []}, "no payees"),
        (lambda e: {"amount": 0}, "amount is zero"),
        (lambda e: {"payees": [e.evm.zero, *e.payees]}, "payees do not ascend"),
        (lambda e: {"payees": e.payees[::-1]}, "payees do not ascend"),
        (lambda e: {"payees": [e.payees[0], e.payees[0]]}, "payees do not ascend"),
        (lambda e: {"arbiter": e.payer}, "arbiter takes part"),
        (lambda e: {"arbiter": e.payees[1]}, "arbiter takes part"),
    ],
)
def test_what_can_not_be_created(evm, escrow, change, reason):
    init_code = evm.init_code("Settlement", *escrow.arguments(**change(escrow)))
    with pytest.raises(Exception, match=reason):
        evm.web3.eth.call({"data": init_code, "from": escrow.payer, "gas": 3_000_000})


def test_at_most_sixty_four_payees(evm, escrow):
    many = [to_checksum_address(f"0x{n:040x}") for n in range(1, 66)]
    made = escrow.create(payees=many[:64])
    assert made.functions.count().call() == 64
    with pytest.raises(TransactionFailed):
        evm.web3.eth.call({"data": evm.init_code("Settlement", *escrow.arguments(payees=many))})


# funding


def test_funding(evm, escrow):
    done = escrow.fund()
    assert done.events == [{"event": "Funded", "payer": escrow.payer, "amount": AMOUNT}]
    assert (escrow.held(), escrow.calls.state().call()) == (AMOUNT, 2)
    evm.refused(escrow.calls.fund(), "funded already", escrow.payer, wei=AMOUNT)


def test_only_the_payer_funds(evm, escrow):
    for account in (escrow.stranger, escrow.arbiter, *escrow.payees):
        evm.refused(escrow.calls.fund(), "not the payer", account, wei=AMOUNT)


@pytest.mark.parametrize("wei", [0, AMOUNT - 1, AMOUNT + 1])
def test_the_whole_amount_and_no_more(evm, escrow, wei):
    evm.refused(escrow.calls.fund(), "wrong amount", escrow.payer, wei=wei)


def test_funding_too_late(evm, escrow):
    evm.travel(escrow.deadline)
    evm.refused(escrow.calls.fund(), "deadline has passed", escrow.payer, wei=AMOUNT)


def test_coins_do_not_come_in_by_chance(evm, escrow):
    sent = evm.web3.eth.send_transaction(
        {"from": escrow.payer, "to": escrow.contract.address, "value": 1, "gas": 100_000}
    )
    assert evm.web3.eth.get_transaction_receipt(sent)["status"] == 0


# what is signed


def test_the_hash_is_eip_712s(evm, escrow):
    for amounts in (escrow.split(0, 0), escrow.split(6, 3), escrow.split(AMOUNT, 0)):
        expected = _hash_eip191_message(escrow.message(amounts))
        assert escrow.calls.split_hash(RECORD, amounts).call() == expected
        assert escrow.calls.split_hash(OTHER, amounts).call() != expected
        assert ours(evm, escrow, amounts) == expected


def ours(evm, place, split, **changes):
    """The hash as core computes it."""
    given = {
        "chain_id": evm.web3.eth.chain_id,
        "escrow": bytes.fromhex(place.contract.address[2:]),
        "agreement": AGREEMENT,
        "record": RECORD,
        "payees": [bytes.fromhex(each[2:]) for each in place.payees],
        "amounts": split,
    }
    return split_hash(**(given | changes))


@pytest.mark.parametrize(
    "change",
    [
        {"payees": []},
        {"payees": [b"\2" * 20, b"\1" * 20, b"\3" * 20]},
        {"payees": [b"\1" * 20, b"\1" * 20, b"\3" * 20]},
        {"payees": [b"\1" * 20, b"\2" * 20, b"\3" * 21]},
        {"payees": [n.to_bytes(20, "big") for n in range(65)], "amounts": [0] * 65},
        {"amounts": [1, 2]},
        {"amounts": [1, 2, -1]},
        {"amounts": [1, 2, 2**256]},
        {"escrow": b"\1" * 19},
    ],
)
def test_splits_that_no_escrow_has(evm, escrow, change):
    with pytest.raises(Usage):
        ours(evm, escrow, [0, 0, AMOUNT], **change)


def test_what_is_recorded_is_what_is_signed(evm, escrow):
    payees = [bytes.fromhex(each[2:]) for each in escrow.payees]
    chain_id = evm.web3.eth.chain_id
    dids = [format_did(chain_id, each) for each in payees]
    record = Settlement(
        ledger="1a" * 32,
        logs=["2b" * 32],
        authors=[dids[0]],
        time="2025-01-31T12:00:00Z",
        payer=dids[0],
        total=Money("CNY", AMOUNT),
        payouts=[
            Payout(dids[2], AMOUNT - 7),
            Payout(dids[0], 7),
        ],  # in any order, without those who get nothing
        as_of=1,
        agreement=AGREEMENT.hex(),
        escrow=escrow.contract.address.lower(),
    )
    assert recorded_split_hash(record, RECORD, chain_id, payees) == ours(evm, escrow, [7, 0, AMOUNT - 7])
    for bad in (
        {"escrow": ""},
        {"agreement": ""},
        {"payouts": [Payout(format_did(chain_id, b"\7" * 20), AMOUNT)]},
    ):
        with pytest.raises(Usage):
            recorded_split_hash(msgspec.structs.replace(record, **bad), RECORD, chain_id, payees)


# settling


@pytest.mark.parametrize("sides", ["payer payees", "payer arbiter", "payees arbiter", "payer payees arbiter"])
def test_two_of_three_sides_settle(evm, funded, sides):
    amounts = funded.split(6_000_000, 3_000_001)
    done = evm.send(funded.settle(amounts, sides), funded.stranger)
    split_hash = funded.calls.split_hash(RECORD, amounts).call()
    assert done.events == [{"event": "Settled", "record": RECORD, "split_hash": split_hash}]
    assert [funded.owed(each) for each in funded.payees] == amounts
    assert (funded.held(), funded.calls.state().call()) == (AMOUNT, 4)


@pytest.mark.parametrize("sides", ["", "payer", "payees", "arbiter"])
def test_one_side_does_not(evm, funded, sides):
    evm.refused(funded.settle(funded.split(1, 1), sides), "two sides must approve")


def test_settled_once(evm, funded):
    amounts = funded.split(1, 1)
    evm.send(funded.settle(amounts))
    evm.refused(funded.settle(amounts), "not funded")  # the replayed settlement
    evm.refused(funded.settle(funded.split(2, 2)), "not funded")
    evm.refused(funded.calls.refund(), "not funded")


def test_nothing_to_settle_before_it_is_funded(evm, escrow):
    evm.refused(escrow.settle(escrow.split(1, 1)), "not funded")


def test_settling_too_late(evm, funded):
    evm.travel(funded.deadline - 1)
    assert evm.reason(funded.settle(funded.split(1, 1))) == ""
    evm.travel(funded.deadline)
    evm.refused(funded.settle(funded.split(1, 1)), "deadline has passed")


def test_another_split_than_the_one_signed(evm, funded):
    signed, other = funded.split(1, 1), funded.split(2, 2)
    evm.refused(funded.settle(signed, amounts=other), "not the payer's signature")
    evm.refused(funded.settle(signed, record=OTHER), "not the payer's signature")
    evm.refused(funded.settle(signed, "payees arbiter", amounts=other), "not the arbiter's signature")
    by_payer = funded.sign(funded.payer, other)
    evm.refused(funded.settle(signed, amounts=other, by_payer=by_payer), "not the payee's signature")


def test_signatures_of_others(evm, funded):
    amounts = funded.split(1, 1)
    strange = funded.sign(funded.stranger, amounts)
    first, second, third = (funded.sign(each, amounts) for each in funded.payees)
    evm.refused(funded.settle(amounts, by_payer=strange), "not the payer's signature")
    evm.refused(funded.settle(amounts, by_arbiter=strange), "not the arbiter's signature")
    for found in (
        [second, first, third],
        [first, second, strange],
        [first, first, first],
        [first, second, b""],
    ):
        evm.refused(funded.settle(amounts, by_payees=found), "not the payee's signature")
    for few in ([first, second], [first, second, third, third]):
        evm.refused(funded.settle(amounts, by_payees=few), "not all payees")
    evm.send(funded.settle(amounts))


def test_signatures_for_another_place(evm, funded):
    amounts = funded.split(1, 1)
    for domain in (
        {"chainId": 1},
        {"verifyingContract": evm.anchors.address},
        {"name": "dataledger"},
        {"version": "2"},
    ):
        by_payer = funded.sign(funded.payer, amounts, **domain)
        evm.refused(funded.settle(amounts, by_payer=by_payer), "not the payer's signature")


def test_signatures_that_are_none(evm, funded):
    amounts = funded.split(1, 1)
    good = funded.sign(funded.payer, amounts)
    for bad in (good[:64], b"\0", bytes(65), good[:64] + b"\x1d", good[:64] + b"\0", good[1:] + b"\x1b"):
        evm.refused(funded.settle(amounts, by_payer=bad), "not the payer's signature")


def test_both_spellings_of_a_signature(evm, funded):
    amounts = funded.split(1, 1)
    good = funded.sign(funded.payer, amounts)
    s, v = int.from_bytes(good[32:64], "big"), good[64]
    flipped = good[:32] + (N - s).to_bytes(32, "big") + bytes([55 - v])
    evm.send(funded.settle(amounts, by_payer=flipped))
    evm.refused(funded.settle(amounts), "not funded")


def test_nobody_signs_for_no_arbiter(evm):
    escrow = Escrow(evm, arbiter=False)
    escrow.fund()
    amounts = escrow.split(1, 1)
    for forged in (bytes(65), b"\1" * 64 + b"\x1b", escrow.sign(escrow.stranger, amounts)):
        evm.refused(escrow.settle(amounts, "payer", by_arbiter=forged), "not the arbiter's signature")
    evm.send(escrow.settle(amounts))


def test_a_split_of_another_amount(evm, funded):
    for amounts in ([1, 1, 1], [AMOUNT, 1, 0], [AMOUNT - 1, 0, 0]):
        evm.refused(funded.settle(amounts), "not the whole amount")
    for amounts in ([AMOUNT], [AMOUNT, 0], [AMOUNT, 0, 0, 0]):
        evm.refused(funded.settle(amounts), "not an amount a payee")
    evm.refused(funded.settle([2**256 - 1, 1, AMOUNT]), "b''")  # it does not wrap around


# refunds


def test_refund_from_the_deadline_on(evm, funded):
    evm.refused(funded.calls.refund(), "deadline has not passed")
    evm.travel(funded.deadline)
    done = evm.send(funded.calls.refund(), funded.stranger)
    assert done.events == [{"event": "Refunded", "payer": funded.payer, "amount": AMOUNT}]
    assert (funded.owed(funded.payer), funded.calls.state().call()) == (AMOUNT, 8)
    evm.refused(funded.calls.refund(), "not funded")
    evm.refused(funded.settle(funded.split(1, 1)), "not funded")


def test_no_refund_of_nothing(evm, escrow):
    evm.travel(escrow.deadline)
    evm.refused(escrow.calls.refund(), "not funded")


# withdrawing


def test_everybody_takes_what_is_owed(evm, funded):
    amounts = funded.split(6_000_000, 0)
    evm.send(funded.settle(amounts))
    first, second, third = funded.payees
    before = evm.balance(funded.stranger)
    done = evm.send(funded.calls.withdraw(funded.stranger), first)
    assert done.events == [
        {"event": "Withdrawn", "account": first, "to": funded.stranger, "amount": 6_000_000}
    ]
    assert (evm.balance(funded.stranger) - before, funded.held()) == (6_000_000, amounts[2])
    for account in (first, second, funded.payer, funded.stranger):
        evm.refused(funded.calls.withdraw(account), "nothing is owed", account)
    evm.refused(funded.calls.withdraw(evm.zero), "receiver is zero", third)
    evm.send(funded.calls.withdraw(third), third)
    assert funded.held() == 0


def test_nothing_is_owed_before(evm, funded):
    for account in (funded.payer, *funded.payees):
        evm.refused(funded.calls.withdraw(account), "nothing is owed", account)


def test_one_that_takes_no_coins_keeps_nobody_waiting(evm, funded):
    evm.send(funded.settle(funded.split(1, 2)))
    first, second, _ = funded.payees
    evm.refused(funded.calls.withdraw(evm.identities.address), "receiver refused", first)
    evm.send(funded.calls.withdraw(second), second)
    evm.send(funded.calls.withdraw(first), first)


def test_a_robber_is_paid_once(evm):
    robber = evm.create_from("Robber")
    escrow = Escrow(evm)
    others = [each for each in escrow.payees if int(each, 16) > int(robber.address, 16)]
    escrow.payees = [robber.address, *others[:1]] if others else [escrow.payees[0], robber.address]
    escrow.contract = escrow.create()
    escrow.calls = escrow.contract.functions
    escrow.fund()
    amounts = [1000, AMOUNT - 1000] if escrow.payees[0] == robber.address else [AMOUNT - 1000, 1000]
    evm.send(escrow.settle(amounts, "payer arbiter"))
    for greedy in (True, False):
        evm.refused(robber.functions.rob(escrow.contract.address, greedy), "receiver refused")
    assert (escrow.held(), escrow.owed(robber.address)) == (AMOUNT, 1000)


# tokens


@pytest.mark.parametrize("source", ["Token", "MuteToken"])
def test_tokens(evm, source):
    made = evm.create_from(source)
    escrow = Escrow(evm, made)
    escrow.fund()
    assert escrow.held() == AMOUNT
    amounts = escrow.split(7, 8)
    evm.send(escrow.settle(amounts))
    for payee, amount in zip(escrow.payees, amounts, strict=True):
        evm.send(escrow.calls.withdraw(payee), payee)
        assert made.functions.balanceOf(payee).call() == amount
    assert escrow.held() == 0


def test_no_coins_for_a_token(evm, token):
    escrow = Escrow(evm, token)
    evm.refused(escrow.calls.fund(), "coins for a token", escrow.payer, wei=1)


def test_a_token_that_was_not_allowed(evm, token):
    escrow = Escrow(evm, token)
    evm.send(token.functions.mint(escrow.payer, AMOUNT))
    evm.refused(escrow.calls.fund(), "b''", escrow.payer)  # the token's own refusal


def test_a_token_that_takes_a_fee(evm, token):
    escrow = Escrow(evm, token)
    evm.send(token.functions.mint(escrow.payer, AMOUNT))
    evm.send(token.functions.approve(escrow.contract.address, AMOUNT), escrow.payer)
    evm.send(token.functions.behave(1, False, evm.zero))
    evm.refused(escrow.calls.fund(), "token takes a fee", escrow.payer)
    evm.send(token.functions.behave(0, True, evm.zero))
    evm.refused(escrow.calls.fund(), "token was not transferred", escrow.payer)
    evm.send(token.functions.behave(0, False, evm.zero))
    evm.send(escrow.calls.fund(), escrow.payer)


def test_a_token_that_refuses_or_calls_back(evm, token):
    escrow = Escrow(evm, token)
    escrow.fund()
    evm.send(escrow.settle(escrow.split(1, 2)))
    first = escrow.payees[0]
    evm.send(token.functions.behave(0, True, evm.zero))
    evm.refused(escrow.calls.withdraw(first), "token was not transferred", first)
    evm.send(token.functions.behave(0, False, escrow.contract.address))
    evm.refused(escrow.calls.withdraw(first), "b''", first)  # the lock
    evm.send(token.functions.behave(0, False, evm.zero))
    evm.send(escrow.calls.withdraw(first), first)
    assert escrow.held() == AMOUNT - 1


def test_a_token_that_is_none(evm):
    class NoToken:
        address = evm.accounts[9]

    escrow = Escrow(evm, NoToken)
    evm.refused(escrow.calls.fund(), "b''", escrow.payer)
