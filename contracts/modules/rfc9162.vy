# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
"""
@title Merkle tree proofs of RFC 9162 over SHA-256
@custom:contract-name rfc9162
@license Apache-2.0
@notice Verifies consistency proofs (section 2.1.4.2) and inclusion proofs (section 2.1.3.2) of the tree in
        which a node is SHA-256(0x01 || left || right). Each proof ties hashes to *positions*: a proof for
        another index or size has another length or another order, and fails.
@dev Stateless. Sizes and positions are words below 2 ** 63, which the caller sees to. A shift by the number of trailing zero bits is written as a division by the lowest set bit.
     A consistency proof does not authenticate the size: for a true root, a wrong size often verifies. Whoever
     relies on a size must have it from where the root came from.
"""


# @dev Longest proof, in nodes: a tree of fewer than 2 ** 63 leaves has 63 levels above its leaves, and a
# consistency proof has at most one node more than that.
MAX_PROOF: constant(uint256) = 64

# @dev The 1-byte prefix of an interior node (RFC 9162, section 2.1.1).
_NODE: constant(bytes1) = 0x01


@internal
@pure
def _is_consistent(
    old_size: uint256,
    size: uint256,
    old_root: bytes32,
    root: bytes32,
    proof: DynArray[bytes32, MAX_PROOF],
) -> bool:
    """
    @dev Whether the tree of `size` leaves under `root` begins with the tree of `old_size` leaves under
         `old_root`. Numbers follow RFC 9162, section 2.1.4.2.
    @param old_size The size of the older tree, at least 1 (an empty tree proves nothing).
    @param size The size of the newer tree, greater than `old_size`.
    @param old_root The 32-byte root of the older tree.
    @param root The 32-byte root of the newer tree.
    @param proof The proof, 32 bytes a node.
    @return bool Whether it holds. Sizes out of range are false, not an error.
    """
    if old_size == 0 or old_size >= size or len(proof) == 0:  # 1, and 1 < old_size + 1 <= size
        return False

    low: uint256 = old_size & unsafe_sub(0, old_size)
    fn: uint256 = unsafe_div(unsafe_sub(old_size, 1), low)  # 3 and 4: fn, sn shifted while LSB(fn) is set
    sn: uint256 = unsafe_div(unsafe_sub(size, 1), low)
    seeded: bool = fn == 0  # 2: old_size is a power of two, the path starts with the old root
    old_hash: bytes32 = old_root  # 5
    new_hash: bytes32 = old_root

    for node: bytes32 in proof:
        if not seeded:
            old_hash = node
            new_hash = node
            seeded = True
            continue
        if sn == 0:  # 6.a
            return False
        if fn & 1 == 1 or fn == sn:  # 6.b
            old_hash = sha256(concat(_NODE, node, old_hash))
            new_hash = sha256(concat(_NODE, node, new_hash))
            if fn & 1 == 0 and fn != 0:
                low = fn & unsafe_sub(0, fn)
                fn = unsafe_div(fn, low)
                sn = unsafe_div(sn, low)
        else:
            new_hash = sha256(concat(_NODE, new_hash, node))
        fn >>= 1  # 6.c
        sn >>= 1

    return sn == 0 and old_hash == old_root and new_hash == root  # 7


@internal
@pure
def _is_included(
    index: uint256,
    size: uint256,
    leaf_hash: bytes32,
    root: bytes32,
    proof: DynArray[bytes32, MAX_PROOF],
) -> bool:
    """
    @dev Whether leaf number `index` of the tree of `size` leaves under `root` has the hash `leaf_hash`.
         Numbers follow RFC 9162, section 2.1.3.2.
    @param index The number of the leaf, from 0.
    @param size The size of the tree.
    @param leaf_hash The 32-byte SHA-256(0x00 || entry).
    @param root The 32-byte root.
    @param proof The proof, 32 bytes a node, lowest sibling first.
    @return bool Whether it holds. An index out of range is false, not an error.
    """
    if index >= size:  # 1
        return False

    fn: uint256 = index  # 2
    sn: uint256 = unsafe_sub(size, 1)
    low: uint256 = 0
    hash: bytes32 = leaf_hash  # 3

    for node: bytes32 in proof:
        if sn == 0:  # 4.a
            return False
        if fn & 1 == 1 or fn == sn:  # 4.b
            hash = sha256(concat(_NODE, node, hash))
            if fn & 1 == 0 and fn != 0:
                low = fn & unsafe_sub(0, fn)
                fn = unsafe_div(fn, low)
                sn = unsafe_div(sn, low)
        else:
            hash = sha256(concat(_NODE, hash, node))
        fn >>= 1  # 4.c
        sn >>= 1

    return sn == 0 and hash == root  # 5
