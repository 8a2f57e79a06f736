"""Putting a ledger's contracts on a chain: a Deployer by plain transaction, the four contracts through it.

CREATE2 makes each address commit to init code, arguments and salt, so what stands there can be checked, and a
deployment that was interrupted or ran out of money goes on by itself: whatever already stands is left alone.
The same account, registrar and salt on one chain always mean the same ledger.

The Deployer is found again among the contracts that the account created. It needs no trust: whoever creates
the contracts, their addresses say what they are.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger.chain import abi
from ledger.chain.artifacts import Artifact, load
from ledger.chain.bound import check_contracts
from ledger.chain.interface import EMBEDDED, Backend, Call, Sender
from ledger.chain.transactions import address_of, created_address
from ledger.core.descriptor import CONTRACTS, Contract, Hints, LedgerDescriptor, create2_address
from ledger.core.errors import Unavailable, Usage

NO_SALT = bytes(32)

FOLLOWING_GAS = 700_000
"""Gas kept for what an `init` sends after it: publishing a key, claiming a namespace, the first anchor."""

_SEARCHED = 64  # transactions of the account looked at for its Deployer
_ATTEMPTS = 3


def deploy(
    sender: Sender,
    account_key: bytes,
    *,
    registrar: bytes | None = None,
    salt: bytes = NO_SALT,
    name: str = "",
    endpoint: str = "",
    on_step: Callable[[str], None] = lambda _: None,
) -> LedgerDescriptor:
    """Deploy what is not there yet, check everything, and describe the ledger.

    `registrar` is the identity (20 bytes) that gates top labels; None: first come, first served. `salt` (32
    bytes) tells two ledgers of one account apart; `name` and `endpoint` become hints. Raises Unfunded with
    the amount that the whole deployment lacks, before it sends anything; Unavailable and Rejected as sending
    does. Call it again to resume.
    """
    account = address_of(account_key)
    start_block = sender.head().number
    for _ in range(_ATTEMPTS):
        deployer = find_deployer(sender, account)
        planned = deployer or created_address(account, sender.transaction_count(account))
        ledger = describe(sender, planned, registrar, salt)
        missing = [contract for contract in CONTRACTS if not sender.code(ledger.address(contract))]
        if deployer and not missing:
            check_contracts(sender, ledger)
            start = first_block(sender, ledger.address("Identities"), start_block)
            return _with_hints(ledger, Hints(endpoint=endpoint, start_block=start, name=name))
        _check_funds(sender, account, ledger, missing, with_deployer=deployer is None)
        _deploy(sender, account_key, ledger, missing, deployer, on_step)
    raise Unavailable(
        "the contracts were sent and still do not stand where they should",
        hint="Does another program use this account? Try again.",
    )


def describe(backend: Backend, deployer: bytes, registrar: bytes | None, salt: bytes) -> LedgerDescriptor:
    """The ledger that `deployer` makes on this chain with this release's contracts."""
    if len(salt) != 32 or (registrar is not None and len(registrar) != 20):
        raise Usage("expected a salt of 32 bytes and a registrar of 20")
    contracts: dict[str, Contract] = {}
    for name in CONTRACTS:
        arguments = b""
        if name != "Identities":
            arguments = abi.encode(("address",), (contracts["Identities"].address,))
        if name == "Directory":
            arguments += abi.encode(("address",), (registrar or bytes(20),))
        artifact = load(name)
        address = create2_address(deployer, salt, artifact.init_code, arguments)
        contracts[name] = Contract(address, artifact.init_code_hash, arguments, salt)
    return LedgerDescriptor(backend.chain_id, backend.genesis, deployer, contracts)


def find_deployer(backend: Backend, account: bytes) -> bytes | None:
    """The Deployer among the last contracts that the account created by plain transactions, or None."""
    runtime_code = load("Deployer").runtime_code
    count = backend.transaction_count(account)
    for nonce in range(count - 1, max(count - 1 - _SEARCHED, -1), -1):
        address = created_address(account, nonce)
        if backend.code(address) == runtime_code:
            return address
    return None


def first_block(backend: Backend, address: bytes, head: int) -> int:
    """A block before which the contract was not there: the last such, or 0 if the node does not remember.

    `head` is a block known to be no later than the contract's last use by us, and is the answer if it is
    still empty there.
    """
    try:
        if not backend.code(address, head):
            return head
        low, high = 0, head  # the code stands at `high`
        while low < high:
            middle = (low + high) // 2
            if backend.code(address, middle):
                high = middle
            else:
                low = middle + 1
    except Unavailable:  # a node that keeps only recent states
        return 0
    return high


def _deploy(
    sender: Sender,
    account_key: bytes,
    ledger: LedgerDescriptor,
    missing: list[str],
    deployer: bytes | None,
    on_step: Callable[[str], None],
) -> None:
    creation = [] if deployer else [_create(load("Deployer"))]
    calls = [_create2(ledger, name) for name in missing]
    if sender.kind == EMBEDDED:
        on_step("deploying the contracts")
        sender.send_all(creation + calls, account_key)
        return
    # A network estimates each call's gas on the state before it: the Deployer has to stand first.
    if creation:
        on_step("deploying the Deployer")
        sender.send_all(creation, account_key)
        if find_deployer(sender, address_of(account_key)) != ledger.deployer:
            return  # its nonce was taken by another transaction: plan again
    if calls:
        on_step(f"deploying {', '.join(missing)}")
        sender.send_all(calls, account_key)


def _check_funds(
    sender: Sender, account: bytes, ledger: LedgerDescriptor, missing: list[str], *, with_deployer: bool
) -> None:
    # Estimated as plain creations, which cost about the same and can be estimated before the Deployer stands.
    creations = [_create(load("Deployer"))] if with_deployer else []
    creations += [_create(load(name), ledger.contracts[name].arguments) for name in missing]
    sender.require_funds(creations, account, extra_gas=FOLLOWING_GAS)


def _create(artifact: Artifact, arguments: bytes = b"") -> Call:
    return Call(to=b"", data=artifact.init_code + arguments, label=f"deploying {artifact.name}")


def _create2(ledger: LedgerDescriptor, name: str) -> Call:
    entry = ledger.contracts[name]
    data = abi.encode_call("deploy(bytes,bytes32)", load(name).init_code + entry.arguments, entry.salt)
    return Call(to=ledger.deployer, data=data, label=f"deploying {name}")


def _with_hints(ledger: LedgerDescriptor, hints: Hints) -> LedgerDescriptor:
    return LedgerDescriptor(ledger.chain_id, ledger.genesis, ledger.deployer, ledger.contracts, hints)
