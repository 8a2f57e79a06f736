# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Anchors: what
@custom:contract-name Anchors
@license Apache-2.0
@notice Every checkpoint of every log: size, root, block and time. A log is an append-only Merkle tree
        (RFC 9162 over SHA-256) that its owner keeps; a checkpoint is accepted only with a consistency proof
        from the one before, checked here, so that not even the owner can rewrite what was anchored.

        A log's id is keccak256(abi.encode(chain id, this contract, owner, number)), the number chosen by the
        owner from 0: it is known before the first record and needs no opening transaction. A record's anchor
        is the *first* checkpoint whose size exceeds its index.
@dev Two slots a checkpoint, one a log:
     - `heads[log] = count | size << 64 | closed_block << 128 | closed_at << 192`, eight bytes each;
     - `checkpoints[log][n] = size | block << 64 | time << 128`, eight bytes each, `n` from 0;
     - `roots[log][n]`, 32 bytes.
     Danger: a consistency proof does not authenticate the size. An owner who anchors a true root under a wrong
     size can never continue that log. A writer checks first that its own tree has the root at the anchored
     size. The first checkpoint has no proof: what it says is as good as the entries that its owner shows.
"""


# @dev We ask Identities who acts for a log's owner.
from interfaces import IIdentities


# @dev We import the proofs. The module is stateless.
from modules import rfc9162


# @dev The delegate type that may send `append` and nothing else.
_ANCHOR: constant(bytes32) = 0x616e63686f720000000000000000000000000000000000000000000000000000  # "anchor"

# @dev Sizes and log numbers fit a signed 64-bit integer, which is what databases and most readers have.
_MAX_SIZE: constant(uint64) = 2**63 - 1
_MAX_NUMBER: constant(uint256) = 2**63 - 1

_MASK_64: constant(uint256) = 2**64 - 1


# @notice The Identities contract of this ledger.
identities: public(IIdentities)

# @notice log -> `count | size << 64 | closed_block << 128 | closed_at << 192`.
heads: public(HashMap[bytes32, uint256])

# @notice log -> n -> `size | block << 64 | time << 128`.
checkpoints: public(HashMap[bytes32, HashMap[uint64, uint256]])

# @notice log -> n -> root.
roots: public(HashMap[bytes32, HashMap[uint64, bytes32]])

# @notice log -> the log that continues it, zero if none; set when it is closed.
successors: public(HashMap[bytes32, bytes32])


# @notice Checkpoint `n` of log `number` of `owner`: `size` entries under `root`.
event Anchored:
    log_id: indexed(bytes32)
    owner: indexed(address)
    number: uint256
    n: uint64
    size: uint64
    root: bytes32


# @notice The log is closed; its owner stands by the checkpoints numbered below `at`.
event LogClosed:
    log_id: indexed(bytes32)
    at: uint64
    successor: bytes32


@deploy
def __init__(identities: IIdentities):
    """
    @param identities The 20-byte address of Identities.
    """
    self.identities = identities


@external
@view
def log_id(owner: address, number: uint256) -> bytes32:
    """
    @notice The id of a log, whether or not anything was anchored in it.
    @param owner The 20-byte identity of the owner.
    @param number The 32-byte number of the log.
    @return bytes32 The 32-byte id.
    """
    return self._log_id(owner, number)


@external
@view
def head(log_id: bytes32) -> (uint64, uint64, uint64):
    """
    @notice The state of a log.
    @param log_id The 32-byte id.
    @return uint64 The number of checkpoints.
    @return uint64 The size at the last checkpoint, 0 if there is none.
    @return uint64 The block in which the log was closed, 0 if it is open.
    """
    packed: uint256 = self.heads[log_id]
    return self._lane(packed, 0), self._lane(packed, 64), self._lane(packed, 128)


@external
@view
def checkpoint(log_id: bytes32, n: uint64) -> (uint64, uint64, uint64, bytes32):
    """
    @notice Checkpoint `n` of a log; all zero if there is none.
    @param log_id The 32-byte id.
    @param n The 8-byte number of the checkpoint, from 0.
    @return uint64 The size.
    @return uint64 The block that anchored it.
    @return uint64 That block's time, in Unix seconds.
    @return bytes32 The 32-byte root.
    """
    packed: uint256 = self.checkpoints[log_id][n]
    return self._lane(packed, 0), self._lane(packed, 64), self._lane(packed, 128), self.roots[log_id][n]


@external
@view
def closure(log_id: bytes32) -> (uint64, uint64, bytes32):
    """
    @notice How a log was closed; all zero if it is open.
    @param log_id The 32-byte id.
    @return uint64 `at`: the owner stands by the checkpoints numbered below it.
    @return uint64 The block in which it was closed.
    @return bytes32 The 32-byte id of the log that continues it, or zero.
    """
    packed: uint256 = self.heads[log_id]
    return self._lane(packed, 192), self._lane(packed, 128), self.successors[log_id]


@external
@view
def verify_inclusion(
    log_id: bytes32,
    n: uint64,
    index: uint64,
    leaf_hash: bytes32,
    proof: DynArray[bytes32, rfc9162.MAX_PROOF],
) -> bool:
    """
    @notice Whether a record is in a log, by checkpoint `n`.
    @dev Danger: presence is not authority. Whether the record's signers might say what they say, whether the
         log was closed (`closure`), and whether `n` is the record's anchor is the caller's to judge.
    @param log_id The 32-byte id.
    @param n The 8-byte number of the checkpoint.
    @param index The 8-byte number of the entry, from 0.
    @param leaf_hash The 32-byte SHA-256(0x00 || entry). Compute it from the entry.
    @param proof The RFC 9162 inclusion proof, at most 64 nodes of 32 bytes.
    @return bool Whether it is. An unknown checkpoint or an index out of range is false.
    """
    size: uint256 = self.checkpoints[log_id][n] & _MASK_64
    return rfc9162._is_included(convert(index, uint256), size, leaf_hash, self.roots[log_id][n], proof)


@external
def append(
    owner: address,
    number: uint256,
    old_size: uint64,
    size: uint64,
    root: bytes32,
    proof: DynArray[bytes32, rfc9162.MAX_PROOF],
):
    """
    @notice Anchors a checkpoint: compare-and-set from `old_size` to `size`. By the owner or an `anchor` delegate.
    @dev A retry can't anchor twice: the second finds the size changed.
    @param owner The 20-byte identity of the log's owner.
    @param number The number of the log, below 2 ** 63.
    @param old_size The 8-byte size at the last checkpoint, 0 if there is none.
    @param size The 8-byte new size, greater than `old_size` and below 2 ** 63.
    @param root The 32-byte root of the tree of `size` entries.
    @param proof The RFC 9162 consistency proof from `old_size` to `size`, at most 64 nodes of 32 bytes; empty
                 if `old_size` is 0.
    """
    registry: IIdentities = self.identities
    if msg.sender != staticcall registry.identityOwner(owner):
        assert staticcall registry.validDelegate(owner, _ANCHOR, msg.sender), "not the owner or an anchor delegate"
    assert number <= _MAX_NUMBER, "number is too large"

    log_id: bytes32 = self._log_id(owner, number)
    packed: uint256 = self.heads[log_id]
    n: uint64 = self._lane(packed, 0)
    assert packed >> 128 == 0, "log is closed"
    assert old_size == self._lane(packed, 64), "old size is not the anchored one"
    assert size > old_size, "size does not grow"
    assert size <= _MAX_SIZE, "size is too large"
    if n == 0:
        assert len(proof) == 0, "first checkpoint has a proof"
    else:
        assert rfc9162._is_consistent(
            convert(old_size, uint256),
            convert(size, uint256),
            self.roots[log_id][unsafe_sub(n, 1)],
            root,
            proof,
        ), "proof does not hold"

    self.heads[log_id] = convert(n + 1, uint256) | (convert(size, uint256) << 64)
    self.checkpoints[log_id][n] = convert(size, uint256) | (block.number << 64) | (block.timestamp << 128)
    self.roots[log_id][n] = root

    log Anchored(log_id=log_id, owner=owner, number=number, n=n, size=size, root=root)


@external
def close(owner: address, number: uint256, at: uint64, successor: bytes32):
    """
    @notice Ends a log that was damaged and names the one that continues it. By the owner only.
    @dev Closing repudiates nothing: what was anchored before this block keeps its effect, with a finding for
         checkpoints from `at` on. Danger: it can't be undone, and is said once.
    @param owner The 20-byte identity of the log's owner.
    @param number The number of the log, below 2 ** 63.
    @param at The owner stands by the checkpoints numbered below it; at most the number of checkpoints.
    @param successor The 32-byte id of the log that continues it, or zero.
    """
    assert msg.sender == staticcall self.identities.identityOwner(owner), "not the owner"
    assert number <= _MAX_NUMBER, "number is too large"

    log_id: bytes32 = self._log_id(owner, number)
    packed: uint256 = self.heads[log_id]
    assert packed >> 128 == 0, "log is closed"
    assert at <= self._lane(packed, 0), "no such checkpoint"
    assert successor != log_id, "log can't succeed itself"

    self.heads[log_id] = packed | (block.number << 128) | (convert(at, uint256) << 192)
    self.successors[log_id] = successor

    log LogClosed(log_id=log_id, at=at, successor=successor)


@internal
@view
def _log_id(owner: address, number: uint256) -> bytes32:
    """
    @dev The id binds chain, contract, owner and number: 128 bytes hashed.
    """
    return keccak256(abi_encode(chain.id, self, owner, number))


@internal
@pure
def _lane(packed: uint256, offset: uint256) -> uint64:
    """
    @dev The eight bytes at bit `offset` of a slot.
    """
    return convert((packed >> offset) & _MASK_64, uint64)
