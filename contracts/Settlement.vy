# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Settlement: who is owed
@custom:contract-name Settlement
@license Apache-2.0
@notice Escrow for one agreement. Payer, payees, arbiter, amount, token and deadline are fixed when the contract
        is created; made with CREATE2, its address commits to them, so that everybody can check them before the
        money comes. Before the deadline it pays exactly one split, the one that two of the three sides approved
        by EIP-712 signatures: the payer; all payees; the arbiter. From the deadline on the payer has it back.

        Presence in a log is not authority: what a settlement record says moves nothing here. The split that is
        signed names the record, so that the recorded and the paid one can be compared.
@dev It belongs to no ledger and asks no other contract of ours. Parties are accounts: a record's party is paid
     under the address in its DID. Nothing is ever sent on: each account takes what it is owed (`withdraw`), so
     that nobody who can't be paid keeps the others waiting.

     Danger: a payer who may also be the only payee, or an arbiter who is chosen by one side, makes two of three
     worthless. Money that comes in any other way than `fund` is lost.
"""


# @dev We import the interface of the tokens that can be held.
from ethereum.ercs import IERC20


# @dev What may be owed to: as many payees as a block of 30 million gas takes with room to spare.
_MAX_PAYEES: constant(uint256) = 64

_DOMAIN_TYPE: constant(bytes32) = keccak256(
    "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"
)
_NAME: constant(String[21]) = "dataledger settlement"
_VERSION: constant(String[1]) = "1"
_SPLIT_TYPE: constant(bytes32) = keccak256(
    "Split(bytes32 agreement,bytes32 record,address[] payees,uint256[] amounts)"
)


# @notice What has become of the money.
flag State:
    CREATED
    FUNDED
    SETTLED
    REFUNDED


# @notice The 32-byte id of the record with the agreement's terms.
agreement: public(bytes32)

# @notice The account that funds it.
payer: public(address)

# @notice The account that stands in for a side that does not sign; zero: nobody does.
arbiter: public(address)

# @notice The ERC-20 token held, zero for the chain's own coin.
token: public(address)

# @notice What is held, in the token's smallest unit, or wei.
amount: public(uint256)

# @notice Unix seconds: settled before, refunded from then on.
deadline: public(uint256)

# @notice The number of payees.
count: public(uint256)

# @notice n -> payee, from 0, in ascending order.
payee_at: public(HashMap[uint256, address])

# @notice What has become of the money: 1 created, 2 funded, 4 settled, 8 refunded.
state: public(State)

# @notice What an account may still withdraw.
owed: public(HashMap[address, uint256])


# @notice The money is here.
event Funded:
    payer: indexed(address)
    amount: uint256


# @notice The split with this EIP-712 hash is owed; `record` is the settlement record that says the same.
event Settled:
    record: indexed(bytes32)
    split_hash: indexed(bytes32)


# @notice The payer is owed everything.
event Refunded:
    payer: indexed(address)
    amount: uint256


# @notice An account took what it was owed.
event Withdrawn:
    account: indexed(address)
    to: indexed(address)
    amount: uint256


@deploy
def __init__(
    agreement: bytes32,
    payer: address,
    payees: DynArray[address, _MAX_PAYEES],
    arbiter: address,
    token: address,
    amount: uint256,
    deadline: uint256,
):
    """
    @param agreement The 32-byte id of the record with the agreement's terms.
    @param payer The 20-byte account that funds it.
    @param payees The 20-byte accounts that may be paid: 1 to 64, ascending. The payer may be one of them.
    @param arbiter The 20-byte account that stands in for a side, neither payer nor payee; zero: none.
    @param token The 20-byte address of an ERC-20 token, zero for the chain's own coin.
    @param amount What is held, in the token's smallest unit, or wei; not zero.
    @param deadline Unix seconds.
    """
    assert payer != empty(address), "payer is zero"
    assert len(payees) != 0, "no payees"
    assert amount != 0, "amount is zero"
    assert arbiter == empty(address) or arbiter != payer, "arbiter takes part"

    last: address = empty(address)
    n: uint256 = 0
    for payee: address in payees:
        assert convert(payee, uint256) > convert(last, uint256), "payees do not ascend"
        assert payee != arbiter, "arbiter takes part"
        self.payee_at[n] = payee
        last = payee
        n += 1

    self.agreement = agreement
    self.payer = payer
    self.arbiter = arbiter
    self.token = token
    self.amount = amount
    self.deadline = deadline
    self.count = n
    self.state = State.CREATED


@external
@view
def split_hash(record: bytes32, amounts: DynArray[uint256, _MAX_PAYEES]) -> bytes32:
    """
    @notice What the parties sign: the EIP-712 hash of a split, bound to this chain and contract.
    @param record The 32-byte id of the settlement record, or zero.
    @param amounts What each payee gets, in the order of the payees.
    @return bytes32 The 32-byte hash.
    """
    return self._split_hash(record, amounts)


@external
@payable
@nonreentrant
def fund():
    """
    @notice Puts the whole amount in, once, before the deadline. By the payer. Coins come with the call; of a
            token, this contract must have been allowed to take the amount.
    @dev A token that delivers less than it was asked for (a fee on transfers) is refused: the split would not
         be covered.
    """
    assert msg.sender == self.payer, "not the payer"
    assert self.state == State.CREATED, "funded already"
    assert block.timestamp < self.deadline, "deadline has passed"
    self.state = State.FUNDED

    amount: uint256 = self.amount
    token: address = self.token
    if token == empty(address):
        assert msg.value == amount, "wrong amount"
    else:
        assert msg.value == 0, "coins for a token"
        before: uint256 = staticcall IERC20(token).balanceOf(self)
        assert extcall IERC20(token).transferFrom(
            msg.sender, self, amount, default_return_value=True
        ), "token was not transferred"
        assert staticcall IERC20(token).balanceOf(self) - before == amount, "token takes a fee"

    log Funded(payer=msg.sender, amount=amount)


@external
@nonreentrant
def settle(
    record: bytes32,
    amounts: DynArray[uint256, _MAX_PAYEES],
    by_payer: Bytes[65],
    by_payees: DynArray[Bytes[65], _MAX_PAYEES],
    by_arbiter: Bytes[65],
):
    """
    @notice Owes each payee what the split says, if two of the three sides signed it: the payer, all payees, the
            arbiter. A side that did not sign gives no bytes (payees: no signatures at all). By anybody.
    @dev A signature is r, s and v, 65 bytes. High and low s are both taken: a split is paid once, so that a
         second spelling of a signature gains nothing.
    @param record The 32-byte id of the settlement record, or zero.
    @param amounts What each payee gets, in the order of the payees; together the whole amount.
    @param by_payer The payer's signature, or nothing.
    @param by_payees The payees' signatures in their order, or none.
    @param by_arbiter The arbiter's signature, or nothing.
    """
    assert self.state == State.FUNDED, "not funded"
    assert block.timestamp < self.deadline, "deadline has passed"

    hash: bytes32 = self._split_hash(record, amounts)
    sides: uint256 = 0
    if len(by_payer) != 0:
        assert self._signed(self.payer, hash, by_payer), "not the payer's signature"
        sides += 1
    if len(by_arbiter) != 0:
        assert self._signed(self.arbiter, hash, by_arbiter), "not the arbiter's signature"
        sides += 1
    if len(by_payees) != 0:
        assert len(by_payees) == self.count, "not all payees"
        n: uint256 = 0
        for signature: Bytes[65] in by_payees:
            assert self._signed(self.payee_at[n], hash, signature), "not the payee's signature"
            n += 1
        sides += 1
    assert sides >= 2, "two sides must approve"

    self.state = State.SETTLED
    self._owe(amounts)
    log Settled(record=record, split_hash=hash)


@external
@nonreentrant
def refund():
    """
    @notice Owes the payer everything. From the deadline on, by anybody.
    """
    assert self.state == State.FUNDED, "not funded"
    assert block.timestamp >= self.deadline, "deadline has not passed"

    self.state = State.REFUNDED
    self.owed[self.payer] = self.amount
    log Refunded(payer=self.payer, amount=self.amount)


@external
@nonreentrant
def withdraw(to: address):
    """
    @notice Pays the caller everything it is owed.
    @param to The 20-byte account to pay it to: the caller's own, or another if that one can't be paid.
    """
    amount: uint256 = self.owed[msg.sender]
    assert amount != 0, "nothing is owed"
    assert to != empty(address), "receiver is zero"
    self.owed[msg.sender] = 0

    if self.token == empty(address):
        assert raw_call(to, b"", value=amount, revert_on_failure=False), "receiver refused"
    else:
        assert extcall IERC20(self.token).transfer(
            to, amount, default_return_value=True
        ), "token was not transferred"

    log Withdrawn(account=msg.sender, to=to, amount=amount)


@internal
def _owe(amounts: DynArray[uint256, _MAX_PAYEES]):
    """
    @dev Owes each payee its amount; together they must be the whole.
    """
    assert len(amounts) == self.count, "not an amount a payee"
    total: uint256 = 0
    n: uint256 = 0
    for amount: uint256 in amounts:
        total += amount
        self.owed[self.payee_at[n]] = amount
        n += 1
    assert total == self.amount, "not the whole amount"


@internal
@view
def _split_hash(record: bytes32, amounts: DynArray[uint256, _MAX_PAYEES]) -> bytes32:
    """
    @dev EIP-712. Arrays are hashed as the concatenation of their members, 32 bytes each; the payees are those
         of this contract. The domain is computed anew, so that a fork of the chain has another.
    """
    domain: bytes32 = keccak256(
        abi_encode(_DOMAIN_TYPE, keccak256(_NAME), keccak256(_VERSION), chain.id, self)
    )
    payees: DynArray[address, _MAX_PAYEES] = []
    for n: uint256 in range(self.count, bound=_MAX_PAYEES):
        payees.append(self.payee_at[n])
    split: bytes32 = keccak256(
        abi_encode(
            _SPLIT_TYPE,
            self.agreement,
            record,
            keccak256(self._members(abi_encode(payees))),
            keccak256(self._members(abi_encode(amounts))),
        )
    )
    return keccak256(concat(b"\x19\x01", domain, split))


@internal
@pure
def _members(encoded: Bytes[64 + 32 * _MAX_PAYEES]) -> Bytes[64 + 32 * _MAX_PAYEES]:
    """
    @dev The members of an ABI-encoded array: what comes after its offset and its length.
    """
    return slice(encoded, 64, len(encoded) - 64)


@internal
@view
def _signed(account: address, hash: bytes32, signature: Bytes[65]) -> bool:
    """
    @dev Whether the account signed the hash. Nobody signs for zero: that is what `ecrecover` gives for a
         signature that is none.
    """
    if len(signature) != 65 or account == empty(address):
        return False
    r: uint256 = convert(extract32(signature, 0), uint256)
    s: uint256 = convert(extract32(signature, 32), uint256)
    v: uint256 = convert(slice(signature, 64, 1), uint256)
    return ecrecover(hash, v, r, s) == account
