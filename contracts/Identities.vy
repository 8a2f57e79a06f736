# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Identities: who
@custom:contract-name Identities
@license Apache-2.0
@notice The registry behind `did:ethr`: the views and events of ERC-1056 that resolvers read, and beside them
        the validity of every key and delegate *in storage*, so that one storage proof answers "was this key
        valid then?". ERC-1056's signed variants are left out: their hashes omit the chain id.

        Validity is one slot: `from_block | revoked_block << 64 | valid_to << 128`, eight bytes each.
        `from_block` and `valid_to` are written once, `revoked_block` at most once (0 = never). Nothing that
        was said of a past block can therefore change: renewal means a new key.
@dev What resolvers rely on, found by running them:
     - each event carries the previous value of `changed`, read before `changed` is updated; they walk that
       chain backwards, one block at a time;
     - `changed` moves only together with an event: where it points to a block without one, a resolver loses
       the whole history without a word;
     - each event has exactly one indexed field.
     Vyper refuses a parameter named `value`, hence `content`; names are no part of selectors or topics.

     Danger: a change of owner leaves keys and delegates in force, as in ERC-1056. A new owner who does not
     trust the old one revokes them. Only `changeOwner(identity, 0)` ends all of them at once, for good.
"""


# @dev We implement what the other contracts read.
from interfaces import IIdentities
implements: IIdentities


# @dev The attribute under which a record key is published: the raw 32-byte Ed25519 key, nothing around it.
_KEY_NAME: constant(bytes32) = 0x6469642f7075622f456432353531392f766572694b6579000000000000000000  # "did/pub/Ed25519/veriKey"

# @dev Times fit a signed 64-bit integer, which is what databases and most readers have.
_MAX_TIME: constant(uint256) = 2**63 - 1

_MASK_64: constant(uint256) = 2**64 - 1
_MASK_160: constant(uint256) = 2**160 - 1


# @notice The block of an identity's last event, 0 if it has none.
changed: public(HashMap[address, uint256])

# @notice `owner | deactivated_block << 160` (20 and 8 bytes). All zero: never changed, the identity owns itself.
owner_slot: public(HashMap[address, uint256])

# @notice identity -> raw Ed25519 key -> validity.
keys: public(HashMap[address, HashMap[bytes32, uint256]])

# @notice identity -> type (ASCII, zero-padded) -> delegate -> validity.
delegates: public(HashMap[address, HashMap[bytes32, HashMap[address, uint256]]])


# @notice ERC-1056. Owner zero: the identity is deactivated.
event DIDOwnerChanged:
    identity: indexed(address)
    owner: address
    previousChange: uint256


# @notice ERC-1056. `validTo` not after the block's time: revoked in this block.
event DIDDelegateChanged:
    identity: indexed(address)
    delegateType: bytes32
    delegate: address
    validTo: uint256
    previousChange: uint256


# @notice ERC-1056. `validTo` not after the block's time: revoked in this block.
event DIDAttributeChanged:
    identity: indexed(address)
    name: bytes32
    value: Bytes[1024]
    validTo: uint256
    previousChange: uint256


@external
@view
def identityOwner(identity: address) -> address:
    """
    @notice The account that acts for `identity`: itself until changed, zero once deactivated.
    @param identity The 20-byte identity.
    @return address The 20-byte owner.
    """
    return self._owner_of(identity)


@external
@view
def validDelegate(identity: address, delegateType: bytes32, delegate: address) -> bool:
    """
    @notice Whether `delegate` acts for `identity` in this type, now: added, not revoked, `valid_to` not before
            the block's time, and the identity not deactivated.
    @param identity The 20-byte identity.
    @param delegateType The 32-byte type; this system uses `anchor` and `record`.
    @param delegate The 20-byte account of the delegate.
    @return bool Whether it is valid.
    """
    validity: uint256 = self.delegates[identity][delegateType][delegate]
    if validity & _MASK_64 == 0 or (validity >> 64) & _MASK_64 != 0 or validity >> 128 < block.timestamp:
        return False
    return self._owner_of(identity) != empty(address)


@external
def changeOwner(identity: address, newOwner: address):
    """
    @notice Hands `identity` to `newOwner`. Zero deactivates it: every key and delegate ends in this block, and
            nothing is accepted for it ever again.
    @dev Danger: neither a wrong `newOwner` nor a deactivation can be undone.
    @param identity The 20-byte identity.
    @param newOwner The 20-byte new owner.
    """
    self._check_owner(identity)

    slot: uint256 = convert(newOwner, uint256)
    if newOwner == empty(address):
        slot = block.number << 160
    self.owner_slot[identity] = slot

    previous: uint256 = self._touch(identity)
    log DIDOwnerChanged(identity=identity, owner=newOwner, previousChange=previous)


@external
def addDelegate(identity: address, delegateType: bytes32, delegate: address, validity: uint256):
    """
    @notice Lets `delegate` act for `identity` in this type until `validity` seconds from now.
    @dev Once for a delegate and type: neither the end nor a revocation can be taken back.
    @param identity The 20-byte identity.
    @param delegateType The 32-byte type.
    @param delegate The 20-byte account, not zero.
    @param validity Seconds, at least 1.
    """
    self._check_owner(identity)
    assert delegate != empty(address), "delegate is zero"
    assert self.delegates[identity][delegateType][delegate] == 0, "delegate was already added"

    valid_to: uint256 = self._valid_to(validity)
    self.delegates[identity][delegateType][delegate] = block.number | (valid_to << 128)

    previous: uint256 = self._touch(identity)
    log DIDDelegateChanged(
        identity=identity,
        delegateType=delegateType,
        delegate=delegate,
        validTo=valid_to,
        previousChange=previous,
    )


@external
def revokeDelegate(identity: address, delegateType: bytes32, delegate: address):
    """
    @notice Ends a delegate from this block on.
    @param identity The 20-byte identity.
    @param delegateType The 32-byte type.
    @param delegate The 20-byte account.
    """
    self._check_owner(identity)

    validity: uint256 = self.delegates[identity][delegateType][delegate]
    assert validity != 0, "no such delegate"
    assert (validity >> 64) & _MASK_64 == 0, "delegate was already revoked"
    self.delegates[identity][delegateType][delegate] = validity | (block.number << 64)

    previous: uint256 = self._touch(identity)
    log DIDDelegateChanged(
        identity=identity,
        delegateType=delegateType,
        delegate=delegate,
        validTo=block.timestamp,
        previousChange=previous,
    )


@external
def setAttribute(identity: address, name: bytes32, content: Bytes[1024], validity: uint256):
    """
    @notice Says something about `identity` until `validity` seconds from now. Under the name
            `did/pub/Ed25519/veriKey` it publishes a record key, once for a key.
    @dev A key that resolvers would show but this contract did not keep would be valid for some readers only:
         under that name anything but 32 bytes is refused. Other attributes live in events alone.
    @param identity The 20-byte identity.
    @param name The 32-byte name: ASCII, zero-padded.
    @param content At most 1,024 bytes.
    @param validity Seconds, at least 1.
    """
    self._check_owner(identity)

    valid_to: uint256 = self._valid_to(validity)
    if name == _KEY_NAME:
        assert len(content) == 32, "key is not 32 bytes"
        key: bytes32 = extract32(content, 0)
        assert self.keys[identity][key] == 0, "key was already published"
        self.keys[identity][key] = block.number | (valid_to << 128)

    previous: uint256 = self._touch(identity)
    log DIDAttributeChanged(
        identity=identity,
        name=name,
        value=content,
        validTo=valid_to,
        previousChange=previous,
    )


@external
def revokeAttribute(identity: address, name: bytes32, content: Bytes[1024]):
    """
    @notice Takes back what `setAttribute` said; of a record key: ends it from this block on.
    @param identity The 20-byte identity.
    @param name The 32-byte name: ASCII, zero-padded.
    @param content At most 1,024 bytes, the same as were set.
    """
    self._check_owner(identity)

    if name == _KEY_NAME:
        assert len(content) == 32, "key is not 32 bytes"
        key: bytes32 = extract32(content, 0)
        validity: uint256 = self.keys[identity][key]
        assert validity != 0, "no such key"
        assert (validity >> 64) & _MASK_64 == 0, "key was already revoked"
        self.keys[identity][key] = validity | (block.number << 64)

    previous: uint256 = self._touch(identity)
    log DIDAttributeChanged(
        identity=identity,
        name=name,
        value=content,
        validTo=0,
        previousChange=previous,
    )


@internal
@view
def _owner_of(identity: address) -> address:
    """
    @dev The owner as `identityOwner` tells it.
    """
    slot: uint256 = self.owner_slot[identity]
    if slot == 0:
        return identity
    return convert(slot & _MASK_160, address)


@internal
@view
def _check_owner(identity: address):
    """
    @dev Reverts unless the caller is the owner. The zero identity, and with it every deactivated one, has an
         owner that nobody is: a simulated call from the zero address is refused too.
    """
    assert msg.sender == self._owner_of(identity), "not the identity's owner"
    assert msg.sender != empty(address), "nobody acts for zero"


@internal
@view
def _valid_to(validity: uint256) -> uint256:
    """
    @dev The last second of a validity that begins now. None at all would read as a revocation.
    """
    assert validity != 0, "validity is zero"
    assert validity <= _MAX_TIME - block.timestamp, "validity is too long"
    return block.timestamp + validity


@internal
def _touch(identity: address) -> uint256:
    """
    @dev Moves `changed` to this block and returns what it was. Called only to fill an ERC-1056 event.
    """
    previous: uint256 = self.changed[identity]
    self.changed[identity] = block.number
    return previous
