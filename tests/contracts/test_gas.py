"""What each call costs: total gas of the transaction, the 21,000 and the calldata included.

Compared with gas.snapshot, which says the compiler. After a wanted change, write it anew:

    DATALEDGER_WRITE_GAS=1 python -m pytest tests/contracts/test_gas.py

Logs of up to 2^30 records are virtual: their leaves are alike, so a subtree's hash depends on its size alone.
"""

from __future__ import annotations

import os
from functools import cache
from itertools import count
from pathlib import Path

import pytest

from ledger.chain import artifacts
from ledger.core.merkle import leaf_hash, node_hash, prove_consistency, prove_inclusion, root_at
from tests.contracts.settling import AMOUNT, Escrow

SNAPSHOT = Path(__file__).with_name("gas.snapshot")
APPEND_LIMIT = 130_000  # at 2^20 records, through a delegate, every checkpoint kept

ANCHOR = b"anchor".ljust(32, b"\0")
KEY_NAME = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
DAY = 86_400
FAR_UNIX_S = 0xFFFFFFFFFF  # the same bytes whenever it is measured


@cache
def hash_at(level: int, index: int = 0) -> bytes:
    """The complete subtree of 2^level like leaves."""
    if level == 0:
        return leaf_hash(b"record")
    return node_hash(hash_at(level - 1), hash_at(level - 1))


def root(size: int) -> bytes:
    return root_at(size, lambda level, _: hash_at(level))


def proof(old_size: int, size: int) -> list[bytes]:
    return prove_consistency(old_size, size, lambda level, _: hash_at(level))


# old size and size; the last of each three makes the longest proof that there is about this size
APPENDS = {
    f"2^{k} {what}": sizes
    for k in (10, 20, 30)
    for what, sizes in {
        "exactly, one record more": (2**k, 2**k + 1),
        "and a third, 1000 records more": (2**k // 3 * 4, 2**k // 3 * 4 + 1000),
        "minus one, the longest proof": (2**k - 1, 2**k + 1),
    }.items()
}


def measure(evm) -> dict[str, int]:
    """Every call, and appends of several sizes; each on storage that it finds as it would in use."""
    owner, delegate, other = evm.accounts[1:4]
    identities, anchors = evm.identities.functions, evm.anchors.functions
    gas = {}

    def measured(what: str, call, sender=owner, wei=0) -> None:
        gas[what] = evm.send(call, sender, wei=wei).gas

    measured(
        "Identities.setAttribute: publish a key", identities.setAttribute(owner, KEY_NAME, b"k" * 32, DAY)
    )
    measured(
        "Identities.setAttribute: publish another", identities.setAttribute(owner, KEY_NAME, b"l" * 32, DAY)
    )
    measured(
        "Identities.revokeAttribute: revoke a key", identities.revokeAttribute(owner, KEY_NAME, b"k" * 32)
    )
    measured(
        "Identities.setAttribute: 30-byte name", identities.setAttribute(owner, b"n" * 32, b"n" * 30, DAY)
    )
    measured("Identities.addDelegate", identities.addDelegate(owner, ANCHOR, delegate, DAY))
    measured("Identities.addDelegate: another", identities.addDelegate(owner, ANCHOR, other, DAY))
    measured("Identities.revokeDelegate", identities.revokeDelegate(owner, ANCHOR, other))
    measured("Identities.changeOwner", identities.changeOwner(other, evm.accounts[4]), other)
    measured("Identities.changeOwner: deactivate", identities.changeOwner(other, evm.zero), evm.accounts[4])

    measured("Directory.claim: top label, 4 bytes", evm.directory.functions.claim("acme", owner))
    measured("Directory.claim: child, 12 bytes", evm.directory.functions.claim("acme.weather", owner))
    measured("Directory.transfer", evm.directory.functions.transfer("acme", delegate))
    evm.send(evm.directory.functions.claim("x" * 63, owner), owner)
    longest = "x" * 63 + "." + "y" * 63
    measured("Directory.claim: child, 127 bytes", evm.directory.functions.claim(longest, owner))

    measured("Anchors.append: first, by the owner", anchors.append(owner, 0, 0, 1000, root(1000), []))
    measured("Anchors.close", anchors.close(owner, 0, 1, b"s" * 32))
    numbers = count(1)
    for what, (old_size, size) in APPENDS.items():
        number = next(numbers)
        evm.send(anchors.append(owner, number, 0, old_size, root(old_size), []), owner)
        call = anchors.append(owner, number, old_size, size, root(size), proof(old_size, size))
        measured(f"Anchors.append: {what}, by a delegate", call, delegate)

    measured("Revocations.post: first", evm.revocations.functions.post(owner, b"t" * 32, b"r" * 32))
    measured("Revocations.post: second", evm.revocations.functions.post(owner, b"t" * 32, b"s" * 32))

    for count_of, token in ((3, None), (3, evm.create_from("Token")), (64, None)):
        settling(evm, measured, count_of, token)

    for name in artifacts.CONTRACTS[1:-1]:
        arguments = {"Identities": (), "Directory": (evm.identities.address, owner)}
        call = evm.deployer.functions.deploy(
            evm.init_code(name, *arguments.get(name, (evm.identities.address,))),
            b"other salt".ljust(32, b"\0"),
        )
        measured(f"Deployer.deploy: {name}", call)
    return gas


def settling(evm, measured, payees: int, token) -> None:
    """An escrow's life, with as many payees; what it costs to settle grows with them."""
    escrow = Escrow(evm, token, payees=payees, deadline=FAR_UNIX_S)
    unit = f"{payees} payees, {'coins' if token is None else 'a token'}"
    init_code = evm.init_code("Settlement", *escrow.arguments(deadline=FAR_UNIX_S - 1))
    measured(f"Deployer.deploy: Settlement, {unit}", evm.deployer.functions.deploy(init_code, bytes(32)))
    if token is not None:
        evm.send(token.functions.mint(escrow.payer, AMOUNT))
        evm.send(token.functions.approve(escrow.contract.address, AMOUNT), escrow.payer)
    measured(f"Settlement.fund: {unit}", escrow.calls.fund(), escrow.payer, 0 if token else AMOUNT)
    split = escrow.split(*[1] * (payees - 1))
    measured(f"Settlement.settle: {unit}, all sign but the arbiter", escrow.settle(split))
    taker = next(each for each in escrow.payees if each in evm.accounts)
    measured(f"Settlement.withdraw: {unit}", escrow.calls.withdraw(taker), taker)


def render(gas: dict[str, int]) -> str:
    shipped = artifacts.load("Anchors")
    settings = f"{shipped.settings['evm_version']}, optimized for {shipped.settings['optimize']}"
    lines = [
        f"# {shipped.compiler}, {settings}; chain rules of Prague",
        *(f"{cost:>9,}  {what}" for what, cost in gas.items()),
    ]
    return "\n".join(lines) + "\n"


@pytest.fixture(scope="module")
def gas(session_evm):
    snapshot = session_evm.tester.take_snapshot()
    found = measure(session_evm)
    session_evm.tester.revert_to_snapshot(snapshot)
    return found


def test_gas_is_as_in_the_snapshot(gas):
    found = render(gas)
    if os.environ.get("DATALEDGER_WRITE_GAS"):
        SNAPSHOT.write_text(found)
    assert found.splitlines() == SNAPSHOT.read_text().splitlines()


def test_append_stays_under_its_limit(gas):
    costs = [cost for what, cost in gas.items() if what.startswith("Anchors.append: 2^20")]
    assert len(costs) == 3
    assert max(costs) <= APPEND_LIMIT


@pytest.mark.parametrize("size", [2**10, 2**20, 2**30])
def test_proofs_of_virtual_logs_hold_on_chain(evm, size):
    owner = evm.accounts[1]
    evm.send(evm.anchors.functions.append(owner, 0, 0, size, root(size), []), owner)
    log_id = evm.anchors.functions.log_id(owner, 0).call()
    for index in (0, size // 3, size - 1):
        path = prove_inclusion(index, size, lambda level, _: hash_at(level))
        assert evm.anchors.functions.verify_inclusion(log_id, 0, index, hash_at(0), path).call()
