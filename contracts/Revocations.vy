# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Revocations: what no longer holds
@custom:contract-name Revocations
@license Apache-2.0
@notice What takes something away from others (a revocation, a change of holder) binds them only from the block
        in which its record is posted here. So it can be proven from storage that something was *not* revoked,
        and nobody can slip a revocation in afterwards out of an old hidden log.
@dev `author` is the identity whose record it is, `target` a domain-tagged SHA-256 of what it is about (a record
     or an asset), `record` the record's id. Posts are numbered from 0 for an author and target; three slots a
     post: count, record, block. Nothing is checked of what `record` says: a post without a record that says so
     takes nothing away, it only makes readers look for it. Posting the same record twice changes nothing, the
     first post counts.
"""


# @dev We ask Identities who acts for an author.
from interfaces import IIdentities


# @notice The Identities contract of this ledger.
identities: public(IIdentities)

# @notice author -> target -> number of posts.
count: public(HashMap[address, HashMap[bytes32, uint256]])

# @notice author -> target -> n -> record id, 32 bytes; zero if there is no such post.
record_at: public(HashMap[address, HashMap[bytes32, HashMap[uint256, bytes32]]])

# @notice author -> target -> n -> block of the post; zero if there is no such post.
block_at: public(HashMap[address, HashMap[bytes32, HashMap[uint256, uint256]]])


# @notice Post `n` of `author` about `target`.
event Posted:
    author: indexed(address)
    target: indexed(bytes32)
    n: uint256
    record: bytes32


@deploy
def __init__(identities: IIdentities):
    """
    @param identities The 20-byte address of Identities.
    """
    self.identities = identities


@external
def post(author: address, target: bytes32, record: bytes32):
    """
    @notice Posts a record. By the author's owner only: delegates sign records, they don't take away.
    @dev Danger: it can't be taken back.
    @param author The 20-byte identity of the record's author.
    @param target The 32-byte hash of what the record is about.
    @param record The 32-byte id of the record, not zero.
    """
    assert msg.sender == staticcall self.identities.identityOwner(author), "not the author's owner"
    assert record != empty(bytes32), "record is zero"

    n: uint256 = self.count[author][target]
    self.count[author][target] = n + 1
    self.record_at[author][target][n] = record
    self.block_at[author][target][n] = block.number

    log Posted(author=author, target=target, n=n, record=record)
