"""Merkle trees against RFC 6962 as it is defined: every tree to 100 leaves, every leaf, every flip."""

from __future__ import annotations

from hashlib import sha256

import pytest

from ledger.core.errors import ProofInvalid, Usage
from ledger.core.merkle import (
    EMPTY_ROOT,
    CompactTree,
    frontier_at,
    leaf_hash,
    leaf_hashes,
    node_hash,
    prove_consistency,
    prove_inclusion,
    root_at,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = leaf_hashes(b"leaf %d" % number for number in range(101))


def defined_root(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962 section 2.1, written as it is defined."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\1" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


ROOTS = [defined_root(LEAVES[:size]) for size in range(101)]


def hash_at(level: int, index: int) -> bytes:
    return defined_root(LEAVES[index << level : (index + 1) << level])


def flips(proof: list[bytes]) -> list[list[bytes]]:
    """Every proof with one hash flipped, dropped, doubled or swapped with its neighbour."""
    bad = []
    for at, each in enumerate(proof):
        flipped = bytes([each[0] ^ 1]) + each[1:]
        bad += [
            [*proof[:at], flipped, *proof[at + 1 :]],
            proof[:at] + proof[at + 1 :],
            proof[: at + 1] + proof[at:],
        ]
        if at and proof[at] != proof[at - 1]:
            bad.append([*proof[: at - 1], proof[at], proof[at - 1], *proof[at + 1 :]])
    return [*bad, [*proof, bytes(32)], [bytes(32), *proof]]


def test_hashes() -> None:
    assert sha256(b"").digest() == EMPTY_ROOT
    assert leaf_hash(b"") == sha256(b"\0").digest()
    assert node_hash(EMPTY_ROOT, EMPTY_ROOT) == sha256(b"\1" + EMPTY_ROOT * 2).digest()
    assert LEAVES[7] == leaf_hash(b"leaf 7")


@pytest.mark.parametrize("size", range(101))
def test_inclusion(size: int) -> None:
    for index in range(size):
        proof = prove_inclusion(index, size, hash_at)
        verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])
        for bad in flips(proof):
            with pytest.raises(ProofInvalid):
                verify_inclusion(LEAVES[index], index, size, bad, ROOTS[size])
        for other in {0, index - 1, index + 1, index ^ 2, size - 1, size} - {index}:
            with pytest.raises(ProofInvalid):
                verify_inclusion(LEAVES[index], other, size, proof, ROOTS[size])
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index + 1], index, size, proof, ROOTS[size])
        for other_root in (ROOTS[size - 1], EMPTY_ROOT, LEAVES[100]):
            with pytest.raises(ProofInvalid):
                verify_inclusion(LEAVES[index], index, size, proof, other_root)


@pytest.mark.parametrize("size", range(1, 101))
def test_consistency(size: int) -> None:
    for old_size in range(1, size + 1):
        proof = prove_consistency(old_size, size, hash_at)
        verify_consistency(old_size, size, proof, ROOTS[old_size], ROOTS[size])
        assert (proof == []) == (old_size == size)
        for bad in flips(proof):
            with pytest.raises(ProofInvalid):
                verify_consistency(old_size, size, bad, ROOTS[old_size], ROOTS[size])
        for old_root, root in ((ROOTS[old_size - 1], ROOTS[size]), (ROOTS[old_size], ROOTS[size - 1])):
            with pytest.raises(ProofInvalid):
                verify_consistency(old_size, size, proof, old_root, root)


@pytest.mark.parametrize("size", range(101))
def test_compact_tree(size: int) -> None:
    one_by_one, at_once = CompactTree(), CompactTree()
    for leaf in LEAVES[:size]:
        one_by_one.append(leaf)
    at_once.extend(LEAVES[:size])
    for tree in (one_by_one, at_once, one_by_one.copy(), CompactTree.from_frontier(size, at_once.frontier())):
        assert (tree.size, tree.root()) == (size, ROOTS[size])
        assert tree.frontier() == frontier_at(size, hash_at)
        for more in (0, 1, 2, 3, 5, 8, 31):
            if size + more <= 100:
                grown = tree.copy()
                grown.extend(iter(LEAVES[size : size + more]))
                assert grown.root() == ROOTS[size + more]
        assert tree.root() == ROOTS[size]
    assert root_at(size, hash_at) == root_of(LEAVES[:size]) == ROOTS[size]


def test_extend_leaves_its_argument_alone_and_crosses_blocks() -> None:
    leaves = [bytes([number & 255]) * 32 for number in range(20001)]
    kept = list(leaves)
    tree = CompactTree()
    tree.extend(leaves[:3])
    tree.extend(leaves[3:])
    assert leaves == kept
    assert tree.root() == defined_root(leaves)


@pytest.mark.parametrize(("size", "count"), [(0, 1), (1, 0), (3, 1), (4, 2), (-1, 0), (2**63, 1)])
def test_a_frontier_has_a_hash_for_each_bit_of_its_size(size: int, count: int) -> None:
    with pytest.raises(Usage, match="do not make a tree"):
        CompactTree.from_frontier(size, [bytes(32)] * count)


@pytest.mark.parametrize(("index", "size"), [(0, 0), (1, 1), (-1, 1), (5, 3), (0, 2**63), (0, -1)])
def test_no_such_leaf(index: int, size: int) -> None:
    with pytest.raises(Usage, match="there is no leaf"):
        prove_inclusion(index, size, hash_at)
    with pytest.raises(ProofInvalid, match="there is no leaf"):
        verify_inclusion(bytes(32), index, size, [], bytes(32))


@pytest.mark.parametrize(("old_size", "size"), [(0, 0), (0, 1), (2, 1), (-1, 1), (1, 2**63)])
def test_no_such_growth(old_size: int, size: int) -> None:
    with pytest.raises(Usage, match="does not extend"):
        prove_consistency(old_size, size, hash_at)
    with pytest.raises(ProofInvalid, match="does not extend"):
        verify_consistency(old_size, size, [], bytes(32), bytes(32))


@pytest.mark.parametrize("length", [0, 31, 33])
def test_hashes_have_32_bytes(length: int) -> None:
    short = bytes(length)
    with pytest.raises(ProofInvalid, match="hashes of 32 bytes"):
        verify_inclusion(LEAVES[0], 0, 2, [short], ROOTS[2])
    with pytest.raises(ProofInvalid, match="hashes of 32 bytes"):
        verify_inclusion(short, 0, 1, [], short)
    with pytest.raises(ProofInvalid, match="hashes of 32 bytes"):
        verify_consistency(1, 2, [short], ROOTS[1], ROOTS[2])


def test_proofs_at_the_edges_of_64_bits() -> None:
    size = 2**63 - 1
    proof = [bytes([number]) * 32 for number in range(62)]
    root = LEAVES[0]
    for each in proof:  # the last leaf of a tree of 2^63-1 has 62 left neighbours
        root = node_hash(each, root)
    verify_inclusion(LEAVES[0], size - 1, size, proof, root)
    with pytest.raises(ProofInvalid, match="too few"):
        verify_inclusion(LEAVES[0], size - 1, size, proof[:-1], root)


def test_a_consistency_proof_does_not_bind_the_size() -> None:
    """Known and inherent: proof and roots pass for another size too; callers bind size and root together."""
    proof = prove_consistency(3, 7, hash_at)
    verify_consistency(3, 7, proof, ROOTS[3], ROOTS[7])
    verify_consistency(3, 8, proof, ROOTS[3], ROOTS[7])


@pytest.mark.parametrize("level", range(5))
def test_a_subtree_at_once_is_its_leaves_one_by_one(level: int) -> None:
    leaves = [leaf_hash(bytes([n])) for n in range(70)]
    width = 1 << level
    tree = CompactTree()
    for start in range(0, 70 // width * width, width):
        tree.append_subtree(level, root_of(leaves[start : start + width]))
        assert tree.size == start + width
        assert tree.root() == root_of(leaves[: tree.size])
        assert tree.frontier() == CompactTree.from_frontier(tree.size, tree.frontier()).frontier()
    if width > 1:
        tree.append(leaves[0])
        with pytest.raises(Usage, match="can't begin"):
            tree.append_subtree(level, leaves[0])
