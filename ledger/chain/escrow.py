"""Escrows from outside: what a Settlement contract is, the calls that are sent to it, and what it says.

Source: contracts/Settlement.vy, docs/formats.md section 12. An escrow is created through the ledger's
Deployer with CREATE2 and no salt: its address commits to the shipped code and to every argument, the same
terms always mean the same escrow, and whoever reads one recomputes the address from what stands in its
storage. What is read is read from storage and logs, as of one block; no EVM is needed. Addresses are 20
bytes, of nobody zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from msgspec import Struct

from ledger.chain import abi
from ledger.chain.interface import Call, RawLog, Reader
from ledger.core.descriptor import LedgerDescriptor, create2_address
from ledger.core.errors import Corrupt, NotFound, Unavailable, WrongLedger
from ledger.core.escrow import MAX_PAYEES
from ledger.core.hashing import keccak256
from ledger.core.releases import KnownCode, known_codes

NAME: Final = "Settlement"
NOBODY: Final = bytes(20)
NO_SALT: Final = bytes(32)
STATES: Final = {1: "created", 2: "funded", 4: "settled", 8: "refunded"}

CONSTRUCTOR: Final = "(bytes32,address,address[],address,address,uint256,uint256)"
SIGNATURES: Final = (
    "fund()",
    "settle(bytes32,uint256[],bytes,bytes[],bytes)",
    "refund()",
    "withdraw(address)",
)
"""Every function called here."""

_NODE: Final = "Check the node."
_SETTLED: Final = keccak256(b"Settled(bytes32,bytes32)")
_WITHDRAWN: Final = keccak256(b"Withdrawn(address,address,uint256)")


class EscrowTerms(Struct, frozen=True):
    """What is fixed when an escrow is created; `payees` ascend. `amount` is in the smallest unit of the token
    (zero: wei), `deadline_unix_s` in Unix seconds.
    """

    agreement: bytes
    payer: bytes
    payees: tuple[bytes, ...]
    arbiter: bytes
    token: bytes
    amount: int
    deadline_unix_s: int


class Approvals(Struct, frozen=True):
    """The signatures (65 bytes) of the sides; of one that did not sign nothing."""

    payer: bytes = b""
    payees: tuple[bytes, ...] = ()
    arbiter: bytes = b""


class Escrow(Struct, frozen=True):
    """An escrow as of the end of `block`. `owed` is what each account may withdraw, `withdrawn` what it took.

    Once settled, `record` and `split_hash` are those of the split that was paid.
    """

    address: bytes
    terms: EscrowTerms
    state: str
    block: int
    owed: dict[bytes, int]
    withdrawn: dict[bytes, int]
    record: bytes = b""
    split_hash: bytes = b""

    def paid(self) -> list[int]:
        """What each payee was given by the split, in the order of the payees."""
        return [self.owed.get(each, 0) + self.withdrawn.get(each, 0) for each in self.terms.payees]


# --- calls


def address_of_escrow(ledger: LedgerDescriptor, terms: EscrowTerms) -> bytes:
    """The address of the escrow with these terms, made of this release's code."""
    return _address(ledger, terms, known_codes(NAME)[-1])


def create(ledger: LedgerDescriptor, terms: EscrowTerms) -> Call:
    """Create an escrow; by anybody."""
    init_code = known_codes(NAME)[-1].init_code + _arguments(terms)
    data = abi.encode_call("deploy(bytes,bytes32)", init_code, NO_SALT)
    return Call(to=ledger.deployer, data=data, label="opening an escrow")


def fund(escrow: bytes, terms: EscrowTerms) -> list[Call]:
    """Put the amount in, by the payer: coins come with the call, tokens are allowed to be fetched first."""
    label = "funding the escrow"
    if terms.token == NOBODY:
        return [Call(to=escrow, data=abi.encode_call("fund()"), label=label, value_wei=terms.amount)]
    allow = abi.encode_call("approve(address,uint256)", escrow, terms.amount)
    return [
        Call(to=terms.token, data=allow, label="allowing the escrow to fetch its tokens"),
        Call(to=escrow, data=abi.encode_call("fund()"), label=label),
    ]


def settle(escrow: bytes, record: bytes, amounts: Sequence[int], approvals: Approvals) -> Call:
    """Owe each payee its amount; by anybody who has the approvals of two sides."""
    data = abi.encode_call(
        SIGNATURES[1], record, amounts, approvals.payer, approvals.payees, approvals.arbiter
    )
    return Call(to=escrow, data=data, label="paying out the escrow")


def refund(escrow: bytes) -> Call:
    """Owe the payer everything; by anybody, from the deadline on."""
    return Call(to=escrow, data=abi.encode_call("refund()"), label="refunding the escrow")


def withdraw(escrow: bytes, to: bytes) -> Call:
    """Take what the sender is owed."""
    return Call(to=escrow, data=abi.encode_call("withdraw(address)", to), label="withdrawing from the escrow")


# --- reading


def read_escrow(reader: Reader, address: bytes, *, withdrawals: bool = True) -> Escrow:
    """Read an escrow as of the head; looking for withdrawals takes longer the longer ago it was settled.

    Raises NotFound if nothing stands there, WrongLedger if it is not made of a shipped code, or not with the
    arguments that its address commits to.
    """
    code = _known_code(reader, address)
    block = reader.head().number
    slots = _Slots(reader, address, code, block)
    terms = slots.terms()
    if _address(reader.ledger, terms, code) != address:
        raise WrongLedger(
            f"escrow 0x{address.hex()}: its address does not follow from its terms, the shipped code and this"
            " ledger's Deployer",
            hint="open one with: dataledger settle escrow open",
        )
    state = STATES.get(slots.number("state"))
    if state is None:
        raise Corrupt(
            f"escrow 0x{address.hex()}: expected a state of {sorted(STATES)}", hint="Check the node."
        )
    owed = {each: slots.owed(each) for each in {*terms.payees, terms.payer}}
    record = split_hash = b""
    withdrawn: dict[bytes, int] = {}
    if state in ("settled", "refunded"):
        start, stop = _ended(reader, slots, block)
        logs = reader.logs(address, start, block + 1 if withdrawals else stop)
        record, split_hash, withdrawn = _events(logs)
    if state == "settled" and not split_hash:
        raise Corrupt(f"escrow 0x{address.hex()}: it is settled, and no event says how", hint=_NODE)
    return Escrow(address, terms, state, block, owed, withdrawn, record, split_hash)


class _Slots:
    """The storage of one escrow as of the end of a block."""

    def __init__(self, reader: Reader, address: bytes, code: KnownCode, block: int) -> None:
        self._reader = reader
        self._address = address
        self._layout = code.storage_layout
        self._block = block

    def terms(self) -> EscrowTerms:
        """The arguments that it was created with."""
        count = min(self.number("count"), MAX_PAYEES)
        return EscrowTerms(
            self.word("agreement"),
            self.word("payer")[12:],
            tuple(self.word("payee_at", _word(n))[12:] for n in range(count)),
            self.word("arbiter")[12:],
            self.word("token")[12:],
            self.number("amount"),
            self.number("deadline"),
        )

    def owed(self, account: bytes) -> int:
        """What an account may withdraw."""
        return int.from_bytes(self.word("owed", account.rjust(32, b"\0")), "big")

    def number(self, name: str, block: int | None = None) -> int:
        """A variable as a number, at the end of this or another block."""
        return int.from_bytes(self.word(name, block=block), "big")

    def word(self, name: str, key: bytes = b"", block: int | None = None) -> bytes:
        """The word of a variable, or of a map's value under a key (32 bytes)."""
        slot = _word(self._layout[name].slot)
        place = keccak256(slot + key) if key else slot
        return self._reader.storage(self._address, place, self._block if block is None else block)


def _known_code(reader: Reader, address: bytes) -> KnownCode:
    code = reader.code(address)
    if not code:
        raise NotFound(
            f"no escrow stands at 0x{address.hex()}",
            hint="dataledger settle escrow open creates one; a node may not have caught up yet",
        )
    found = next((each for each in known_codes(NAME) if each.runtime_code_hash == keccak256(code)), None)
    if found is None:
        raise WrongLedger(
            f"escrow 0x{address.hex()}: expected code that some release shipped,"
            f" got code with hash 0x{keccak256(code).hex()}",
            hint="do not pay into it; open one with: dataledger settle escrow open",
        )
    return found


def _events(logs: Iterable[RawLog]) -> tuple[bytes, bytes, dict[bytes, int]]:
    """Record and hash of the split that was paid, and what each account took."""
    record = split_hash = b""
    withdrawn: dict[bytes, int] = {}
    for log in logs:
        if log.topics[:1] == (_SETTLED,):
            record, split_hash = _topics(log, 3)[1:]
        elif log.topics[:1] == (_WITHDRAWN,):
            account = _topics(log, 3)[1][12:]
            withdrawn[account] = withdrawn.get(account, 0) + int.from_bytes(log.data, "big")
    return record, split_hash, withdrawn


def _ended(reader: Reader, slots: _Slots, head: int) -> tuple[int, int]:
    """The blocks, as a half-open range, in one of which it was settled or refunded.

    States only go up, so it is a binary search, and one block. Of a node that keeps only recent states it is
    all blocks since the ledger began.
    """
    low, high = 0, head
    try:
        while low < high:
            middle = (low + high) // 2
            if slots.number("state", middle) >= 4:
                high = middle
            else:
                low = middle + 1
    except Unavailable:
        return reader.ledger.hints.start_block, head + 1
    return high, high + 1


def _topics(log: RawLog, count: int) -> tuple[bytes, ...]:
    if len(log.topics) != count:
        raise Corrupt(
            f"log {log.log_index} of block {log.block}: expected {count} topics", hint="Check the node."
        )
    return log.topics


def _address(ledger: LedgerDescriptor, terms: EscrowTerms, code: KnownCode) -> bytes:
    return create2_address(ledger.deployer, NO_SALT, code.init_code, _arguments(terms))


def _arguments(terms: EscrowTerms) -> bytes:
    return abi.encode(
        abi.types_of(CONSTRUCTOR),
        (
            terms.agreement,
            terms.payer,
            terms.payees,
            terms.arbiter,
            terms.token,
            terms.amount,
            terms.deadline_unix_s,
        ),
    )


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
