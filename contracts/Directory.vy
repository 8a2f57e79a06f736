# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Directory: where
@custom:contract-name Directory
@license Apache-2.0
@notice Who owns a namespace, and who owned it in any block before. A namespace is labels joined by dots, broad
        to narrow (`gz.weather`): at most 127 bytes, a label 1 to 63 bytes of `a-z`, `0-9` and `-`, neither
        beginning nor ending with `-`. Its node is keccak256(name).

        A top label is claimed by the registrar for anybody, or, if the ledger has none, by anybody for itself.
        A child is claimed by its parent's owner for anybody, and keeps its own owner when the parent moves.
        What is claimed stays claimed: it can be transferred, never freed.
@dev Owners are parties (identities), acted for by their `identityOwner` of the moment. The whole history is in
     storage: `history[node][n] = owner | from_block << 160` (20 and 8 bytes). Of entries with the same block
     the last counts: who owns a namespace is judged as of the end of a block.
"""


# @dev We ask Identities who acts for a party.
from interfaces import IIdentities


_MASK_160: constant(uint256) = 2**160 - 1
_MAX_LABEL: constant(uint256) = 63
_MAX_NAME: constant(uint256) = 127

_DOT: constant(uint256) = 46
_HYPHEN: constant(uint256) = 45


# @notice The Identities contract of this ledger.
identities: public(IIdentities)

# @notice The identity that hands out top labels; zero: first come, first served.
registrar: public(address)

# @notice node -> number of history entries, 0 if nobody ever claimed it.
count: public(HashMap[bytes32, uint256])

# @notice node -> n -> `owner | from_block << 160`.
history: public(HashMap[bytes32, HashMap[uint256, uint256]])


# @notice History entry `n` gives `name` to `owner`.
event NamespaceChanged:
    node: indexed(bytes32)
    owner: indexed(address)
    name: String[_MAX_NAME]
    n: uint256


@deploy
def __init__(identities: IIdentities, registrar: address):
    """
    @param identities The 20-byte address of Identities.
    @param registrar The 20-byte identity of the registrar, or zero.
    """
    self.identities = identities
    self.registrar = registrar


@external
@view
def owner_of(name: String[_MAX_NAME]) -> address:
    """
    @notice The party that owns `name`, zero if nobody claimed it.
    @param name At most 127 bytes.
    @return address The 20-byte owner.
    """
    return self._owner_of(keccak256(name))


@external
def claim(name: String[_MAX_NAME], party: address):
    """
    @notice Gives a namespace that nobody has to `party`.
    @param name The namespace, 1 to 127 bytes.
    @param party The 20-byte identity that will own it.
    """
    parent_length: uint256 = self._check_name(name)
    node: bytes32 = keccak256(name)
    assert self.count[node] == 0, "namespace is taken"

    if parent_length != 0:
        parent: address = self._owner_of(keccak256(slice(name, 0, parent_length)))
        assert parent != empty(address), "parent is not claimed"
        assert msg.sender == staticcall self.identities.identityOwner(parent), "not the parent's owner"
    elif self.registrar != empty(address):
        assert msg.sender == staticcall self.identities.identityOwner(self.registrar), "not the registrar"
    else:
        assert msg.sender == staticcall self.identities.identityOwner(party), "not the party's owner"

    self._give(node, name, party)


@external
def transfer(name: String[_MAX_NAME], party: address):
    """
    @notice Gives a namespace to another party. Its children stay with their owners.
    @dev Danger: it can't be taken back.
    @param name The namespace, 1 to 127 bytes.
    @param party The 20-byte identity that will own it.
    """
    node: bytes32 = keccak256(name)
    owner: address = self._owner_of(node)
    assert owner != empty(address), "namespace is not claimed"
    assert msg.sender == staticcall self.identities.identityOwner(owner), "not the namespace's owner"

    self._give(node, name, party)


@internal
@view
def _owner_of(node: bytes32) -> address:
    """
    @dev The owner in the last history entry, zero if there is none.
    """
    n: uint256 = self.count[node]
    if n == 0:
        return empty(address)
    return convert(self.history[node][n - 1] & _MASK_160, address)


@internal
def _give(node: bytes32, name: String[_MAX_NAME], party: address):
    """
    @dev Appends to the history. A party for whom nobody acts (zero, or deactivated) could never let go again.
    """
    assert staticcall self.identities.identityOwner(party) != empty(address), "party has no owner"

    n: uint256 = self.count[node]
    self.history[node][n] = convert(party, uint256) | (block.number << 160)
    self.count[node] = n + 1

    log NamespaceChanged(node=node, owner=party, name=name, n=n)


@internal
@pure
def _check_name(name: String[_MAX_NAME]) -> uint256:
    """
    @dev Reverts unless `name` follows the grammar; returns the length of its parent, 0 for a top label.
         A label ends at a dot and at the end of the name, which reads as if one dot more stood there.
    """
    # 127 bytes and the zeros behind them make four words
    padded: Bytes[159] = concat(convert(name, Bytes[_MAX_NAME]), empty(bytes32))
    size: uint256 = len(name)
    start: uint256 = 0  # of the label
    before: uint256 = _HYPHEN  # the byte before this one; a label begins as if after a hyphen
    word: uint256 = 0

    for i: uint256 in range(_MAX_NAME + 1):
        if i > size:
            break
        if i % 32 == 0:
            word = convert(extract32(padded, i), uint256)
        byte: uint256 = (word >> unsafe_sub(248, unsafe_mul(8, i % 32))) & 255
        if i == size:
            byte = _DOT
        if byte == _DOT:
            assert i != start, "label is empty"
            assert before != _HYPHEN, "label ends with a hyphen"
            assert unsafe_sub(i, start) <= _MAX_LABEL, "label is longer than 63 bytes"
            if i != size:
                start = i + 1
        elif byte == _HYPHEN:
            assert i != start, "label begins with a hyphen"
        else:
            assert (byte >= 97 and byte <= 122) or (byte >= 48 and byte <= 57), "byte outside a-z, 0-9, -"
        before = byte

    return start if start == 0 else start - 1
