"""The contracts on py-evm, in process: one chain a session, from the artifacts, rewound after each test."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from eth_abi import decode
from eth_tester import EthereumTester, PyEVMBackend
from eth_utils import to_checksum_address
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, run_state_machine_as_test
from web3 import EthereumTesterProvider, Web3
from web3.logs import DISCARD

from ledger.chain import artifacts
from ledger.core.hashing import keccak256

GAS_LIMIT = 6_000_000
ZERO = "0x" + "00" * 20
SALT = bytes(32)


@dataclass(frozen=True)
class Outcome:
    """A mined transaction: block, its time, gas used, and the events of the contract that was called."""

    block: int
    time_unix_s: int
    gas: int
    events: list[dict[str, Any]]


class Evm:
    """A chain with one ledger on it (no registrar), seen through web3."""

    def __init__(self) -> None:
        self.tester = EthereumTester(PyEVMBackend())
        self.web3 = Web3(EthereumTesterProvider(self.tester))
        self.accounts: list[str] = list(self.web3.eth.accounts)
        self.zero = ZERO
        self.deployer = self.create_plain("Deployer")
        self.identities = self.create("Identities")
        self.directory = self.create("Directory", self.identities.address, ZERO)
        self.anchors = self.create("Anchors", self.identities.address)
        self.revocations = self.create("Revocations", self.identities.address)

    def create_plain(self, name: str, *arguments: Any) -> Any:
        """Create a contract by a transaction of its own, without the Deployer."""
        shipped = artifacts.load(name)
        factory = self.web3.eth.contract(abi=shipped.abi, bytecode=shipped.init_code)
        sent = factory.constructor(*arguments).transact({"from": self.accounts[0], "gas": GAS_LIMIT})
        address = self.web3.eth.get_transaction_receipt(sent)["contractAddress"]
        return self.web3.eth.contract(address=address, abi=shipped.abi)

    def init_code(self, name: str, *arguments: Any) -> bytes:
        """Init code followed by the encoded constructor arguments."""
        shipped = artifacts.load(name)
        factory = self.web3.eth.contract(abi=shipped.abi, bytecode=shipped.init_code)
        return bytes.fromhex(factory.constructor(*arguments).data_in_transaction[2:])

    def create(self, name: str, *arguments: Any, salt: bytes = SALT) -> Any:
        """Create a contract through the Deployer."""
        init_code = self.init_code(name, *arguments)
        self.send(self.deployer.functions.deploy(init_code, salt))
        return self.web3.eth.contract(
            address=self.create2_address(init_code, salt), abi=artifacts.load(name).abi
        )

    def create2_address(self, init_code: bytes, salt: bytes) -> str:
        """The address that EIP-1014 gives."""
        deployer = bytes.fromhex(self.deployer.address[2:])
        return to_checksum_address(keccak256(b"\xff" + deployer + salt + keccak256(init_code))[12:])

    def send(self, call: Any, sender: str | None = None, *, wei: int = 0) -> Outcome:
        """Mine `call`; it must succeed."""
        sent = call.transact({"from": sender or self.accounts[0], "gas": GAS_LIMIT, "value": wei})
        return self._outcome(call, sent)

    def create_from(self, source: str, *arguments: Any) -> Any:
        """Compile a contract of tests/contracts/sources and create it."""
        compiled = _compiled(source)
        factory = self.web3.eth.contract(abi=compiled["abi"], bytecode=compiled["bytecode"])
        sent = factory.constructor(*arguments).transact({"from": self.accounts[0], "gas": GAS_LIMIT})
        address = self.web3.eth.get_transaction_receipt(sent)["contractAddress"]
        return self.web3.eth.contract(address=address, abi=compiled["abi"])

    def balance(self, account: str) -> int:
        """What an account has, in wei."""
        return int(self.web3.eth.get_balance(account))

    def send_together(self, calls: Sequence[tuple[Any, str]]) -> list[Outcome]:
        """Mine calls, each with its sender, in one block, in this order; all must succeed."""
        sent: list[Any] = []
        nonces = {sender: self.web3.eth.get_transaction_count(sender) for _, sender in calls}
        for call, sender in calls:  # eth-tester's own way to do this runs every call twice, on another state
            fields = {"from": sender, "gas": GAS_LIMIT, "nonce": nonces[sender]}
            data = call.build_transaction(fields | {"gasPrice": 10**10})["data"]
            transaction = fields | {"to": call.address, "data": data}
            nonces[sender] += 1
            sent.append(self.tester._add_transaction_to_pending_block(transaction))
        self.tester.mine_block()
        outcomes = [self._outcome(call, one) for (call, _), one in zip(calls, sent, strict=True)]
        assert len({outcome.block for outcome in outcomes}) == 1
        return outcomes

    def _outcome(self, call: Any, sent: Any) -> Outcome:
        receipt = self.web3.eth.get_transaction_receipt(sent)
        assert receipt["status"] == 1, f"{call} reverted"
        contract = self.web3.eth.contract(address=call.address, abi=call.contract_abi)
        events = [
            dict(found["args"]) | {"event": found["event"]}
            for entry in receipt["logs"]
            if entry["address"] == call.address
            for event in contract.events
            for found in event().process_receipt({"logs": [entry]}, errors=DISCARD)
        ]
        time_unix_s = self.tester.get_block_by_number(receipt["blockNumber"])["timestamp"]
        return Outcome(receipt["blockNumber"], time_unix_s, receipt["gasUsed"], events)

    def ask(self, call: Any, sender: str | None = None, *, wei: int = 0) -> tuple[bool, bytes]:
        """Whether `call` succeeds in the pending block, and what it returns; nothing is kept.

        Straight to py-evm, ten times as fast as eth_call.
        """
        vm = self.tester.backend.chain.get_vm()
        to, origin = bytes.fromhex(call.address[2:]), bytes.fromhex((sender or self.accounts[0])[2:])
        before = vm.state.snapshot()
        done = vm.execute_bytecode(
            origin=origin,
            gas_price=0,
            gas=GAS_LIMIT,
            to=to,
            sender=origin,
            value=wei,
            data=bytes.fromhex(call._encode_transaction_data()[2:]),
            code=vm.state.get_code(to),
        )
        vm.state.revert(before)
        return done.is_success, bytes(done.output)

    def holds(self, call: Any) -> bool:
        """The answer of a view that says yes or no."""
        succeeded, output = self.ask(call)
        assert succeeded, f"{call} reverted"
        return {0: False, 1: True}[int.from_bytes(output, "big")]

    def reason(self, call: Any, sender: str | None = None, *, wei: int = 0) -> str:
        """Why `call` would revert, empty if it would succeed; "b''" if the contract does not say."""
        succeeded, output = self.ask(call, sender, wei=wei)
        return "" if succeeded else decode(["string"], output[4:])[0] if output else "b''"

    def refused(
        self, call: Any, reason: str, sender: str | None = None, *, wei: int = 0, mine: bool = True
    ) -> None:
        """`call` must revert with exactly `reason`; mined, it must fail and leave no event."""
        assert self.reason(call, sender, wei=wei) == reason
        if mine:
            sent = call.transact({"from": sender or self.accounts[0], "gas": GAS_LIMIT, "value": wei})
            receipt = self.web3.eth.get_transaction_receipt(sent)
            assert (receipt["status"], len(receipt["logs"])) == (0, 0)

    def now(self) -> int:
        """The time of the pending block, in Unix seconds."""
        return int(self.tester.get_block_by_number("pending")["timestamp"])

    def block_number(self) -> int:
        """The number of the last block."""
        return int(self.web3.eth.block_number)

    def travel(self, to_unix_s: int) -> None:
        """The next block has this time."""
        self.tester.time_travel(to_unix_s)

    def storage(self, contract: Any, variable: str, *keys: str | bytes | int) -> int:
        """The word of a storage variable, from where docs/formats.md says it stands, under `keys`."""
        name = next(n for n in artifacts.CONTRACTS if artifacts.load(n).abi == contract.abi)
        slot = artifacts.load(name).storage_layout[variable].slot.to_bytes(32, "big")
        for key in keys:
            slot = keccak256(slot + word(key))
        state = self.tester.backend.chain.get_vm().state
        return int(state.get_storage(bytes.fromhex(contract.address[2:]), int.from_bytes(slot, "big")))

    def run_machine(self, machine: type[RuleBasedStateMachine], examples: int, steps: int) -> None:
        """Run a state machine, whose constructor takes this object; examples start from the same chain."""
        evm = self

        class Run(machine):  # type: ignore[misc, valid-type]
            def __init__(self) -> None:
                self.snapshot = evm.tester.take_snapshot()
                super().__init__(evm)

            def teardown(self) -> None:
                try:
                    super().teardown()
                finally:
                    evm.tester.revert_to_snapshot(self.snapshot)

        Run.__name__ = machine.__name__
        run_state_machine_as_test(
            Run,
            settings=settings(
                max_examples=examples,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
            ),
        )


@cache
def _compiled(source: str) -> dict[str, Any]:
    from vyper import compile_code

    text = (Path(__file__).parent / "sources" / f"{source}.vy").read_text()
    return dict(compile_code(text, output_formats=["abi", "bytecode"]))


def word(value: str | bytes | int) -> bytes:
    """A map key as 32 bytes: addresses (hex text) and numbers padded on the left, 32 bytes as they are."""
    if isinstance(value, int):
        return value.to_bytes(32, "big")
    return bytes.fromhex(value[2:]).rjust(32, b"\0") if isinstance(value, str) else value


@pytest.fixture(scope="session")
def session_evm() -> Evm:
    return Evm()


@pytest.fixture
def evm(session_evm: Evm) -> Iterator[Evm]:
    """The chain as deployed; what the test does is undone."""
    snapshot = session_evm.tester.take_snapshot()
    yield session_evm
    session_evm.tester.revert_to_snapshot(snapshot)
