"""Deploying, resuming, and refusing what is another ledger."""

from __future__ import annotations

import secrets

import msgspec
import pytest

from ledger.chain.bound import check_contracts
from ledger.chain.connect import open_client, open_reader, open_sender
from ledger.chain.deploy import deploy, describe, find_deployer, first_block
from ledger.chain.interface import EMBEDDED
from ledger.chain.transactions import address_of, created_address
from ledger.core.descriptor import CONTRACTS, format_descriptor, parse_descriptor
from ledger.core.errors import Rejected, Unavailable, Unfunded, Usage, WrongLedger


@pytest.fixture
def sender(stand):
    opened = open_sender(stand.location)
    yield opened
    opened.close()


def test_the_descriptor_survives_its_file(stand):
    assert parse_descriptor(format_descriptor(stand.ledger)).ledger_id == stand.ledger.ledger_id


def test_deploying_again_changes_nothing(stand, sender):
    key, salt = stand.funded_key(), secrets.token_bytes(32)
    steps: list[str] = []
    first = deploy(sender, key, salt=salt, name="A ledger", endpoint="here", on_step=steps.append)
    assert steps
    head = sender.head()
    steps.clear()
    again = deploy(sender, key, salt=salt, on_step=steps.append)
    assert (again.ledger_id, sender.head(), steps) == (first.ledger_id, head, [])
    assert (first.hints.name, first.hints.endpoint) == ("A ledger", "here")
    # nothing happened before the start blocks, and they are no further back than need be
    for ledger in (first, again):
        address = ledger.address("Identities")
        assert head.number - 10 <= ledger.hints.start_block <= head.number
        assert ledger.hints.start_block == 0 or not sender.code(address, ledger.hints.start_block - 1)


def test_registrar_and_salt_make_other_ledgers(stand, sender):
    key, registrar = stand.funded_key(), secrets.token_bytes(20)
    ledgers = [
        deploy(sender, key),
        deploy(sender, key, registrar=registrar),
        deploy(sender, key, salt=b"\x05" * 32),
    ]
    assert len({ledger.ledger_id for ledger in ledgers}) == 3
    assert len({ledger.deployer for ledger in ledgers}) == 1
    assert [ledger.registrar for ledger in ledgers] == [None, registrar, None]
    with pytest.raises(Usage):
        deploy(sender, key, salt=b"short")


class InterruptError(Exception):
    pass


class Interrupting:
    """A chain whose user loses patience before the batch number `left`, or after its first call."""

    def __init__(self, sender, left: int, *, partly: bool) -> None:
        self._sender, self._left, self._partly = sender, left, partly

    def __getattr__(self, name):
        return getattr(self._sender, name)

    def send_all(self, calls, account_key):
        if self._left == 0:
            if self._partly:
                self._sender.send_all(calls[:1], account_key)
            raise InterruptError
        self._left -= 1
        return self._sender.send_all(calls, account_key)


@pytest.mark.parametrize("partly", [False, True])
@pytest.mark.parametrize("left", [0, 1])
def test_an_interrupted_deployment_resumes(stand, sender, left, partly):
    key = stand.funded_key()
    if stand.kind == EMBEDDED and left:  # all of it is one block: there is nothing in between
        check_contracts(sender, deploy(Interrupting(sender, left, partly=partly), key))
        return
    with pytest.raises(InterruptError):
        deploy(Interrupting(sender, left, partly=partly), key)
    created = find_deployer(sender, address_of(key))
    ledger = deploy(sender, key)
    assert created in {None, ledger.deployer}
    check_contracts(sender, ledger)


def test_an_unfunded_deployment_says_what_all_of_it_costs_and_resumes(stand, sender):
    key = secrets.token_bytes(32)
    head = sender.head()
    with pytest.raises(Unfunded) as caught:
        deploy(sender, key)
    assert caught.value.address == "0x" + address_of(key).hex()
    assert sender.head() == head  # nothing was sent
    # a quarter more: a network's fee may rise before it is paid
    stand.fund(sender, address_of(key), caught.value.needed_wei * 5 // 4)
    check_contracts(sender, deploy(sender, key))


def test_a_nonce_taken_by_something_else_is_planned_around(stand, sender):
    key = stand.funded_key()

    class Racing(Interrupting):
        def send_all(self, calls, account_key):
            if self._left:
                self._left = 0
                self._sender.send_all(
                    [msgspec.structs.replace(calls[0], to=bytes(20), data=b"")], account_key
                )
            return self._sender.send_all(calls, account_key)

    ledger = deploy(Racing(sender, 1, partly=False), key)
    assert ledger.deployer == created_address(address_of(key), find_nonce(ledger.deployer, address_of(key)))
    check_contracts(sender, ledger)


def find_nonce(address: bytes, account: bytes) -> int:
    return next(nonce for nonce in range(20) if created_address(account, nonce) == address)


def test_find_deployer_knows_its_own_only(stand, sender):
    assert find_deployer(sender, secrets.token_bytes(20)) is None
    assert find_deployer(sender, address_of(stand.funded_key())) is None


def test_first_block(stand, sender):
    head = sender.head().number
    address = stand.ledger.address("Anchors")
    start = first_block(sender, address, head)
    assert sender.code(address, start)
    assert not sender.code(address, start - 1)
    assert first_block(sender, secrets.token_bytes(20), head) == head

    class Forgetful(Interrupting):
        def code(self, address, block=None):
            if block is not None and block < head:
                raise Unavailable("missing trie node")
            return self._sender.code(address, block)

    assert first_block(Forgetful(sender, 0, partly=False), address, head) == 0


def changed(ledger, **changes):
    return msgspec.structs.replace(ledger, **changes)


def with_contract(ledger, name, **changes):
    contracts = dict(ledger.contracts)
    contracts[name] = msgspec.structs.replace(contracts[name], **changes)
    return changed(ledger, contracts=contracts)


@pytest.mark.parametrize("opening", [open_reader, open_client])
def test_another_chain_is_refused(stand, opening):
    for wrong in (changed(stand.ledger, chain_id=5), changed(stand.ledger, genesis=bytes(32))):
        with pytest.raises(WrongLedger, match="expected") as caught:
            opening(stand.location, wrong)
        assert caught.value.hint
    opening(stand.location, stand.ledger).close()


@pytest.mark.parametrize("name", CONTRACTS)
def test_another_contract_is_refused(stand, name):
    entry = stand.ledger.contracts[name]
    for change in (
        {"address": secrets.token_bytes(20)},
        {"init_code_hash": bytes(32)},
        {"salt": b"\x01" * 32},
        {"arguments": entry.arguments + bytes(32)},
    ):
        with pytest.raises(WrongLedger, match=name):
            open_client(stand.location, with_contract(stand.ledger, name, **change))


def test_contracts_that_are_not_there_are_refused(stand, sender):
    elsewhere = describe(sender, secrets.token_bytes(20), None, bytes(32))
    with pytest.raises(WrongLedger, match="got no code"):
        open_client(stand.location, elsewhere)


def test_other_code_at_the_address_is_refused(stand, sender):
    class Lying(Interrupting):
        def code(self, address, block=None):
            return b"\x60" + self._sender.code(address, block)[1:]

    with pytest.raises(WrongLedger, match="got code with hash"):
        check_contracts(Lying(sender, 0, partly=False), stand.ledger)


def test_refusals_name_the_step(stand, sender):
    class Refusing(Interrupting):
        def send_all(self, calls, account_key):
            broken = [msgspec.structs.replace(call, data=b"\xfe") for call in calls]
            return self._sender.send_all(broken, account_key)

    with pytest.raises(Rejected, match="deploying Deployer"):
        deploy(Refusing(sender, 0, partly=False), stand.funded_key())
