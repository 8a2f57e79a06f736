"""Trees of any size against the definition, grown in any steps; proofs with any wrong size."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.core.errors import ProofInvalid
from ledger.core.merkle import (
    CompactTree,
    prove_consistency,
    prove_inclusion,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LEAVES = [sha256(b"%d" % number).digest() for number in range(600)]


def defined_root(start: int, stop: int) -> bytes:
    if stop - start == 1:
        return LEAVES[start]
    split = 1
    while split * 2 < stop - start:
        split *= 2
    return sha256(b"\1" + defined_root(start, start + split) + defined_root(start + split, stop)).digest()


def hash_at(level: int, index: int) -> bytes:
    return defined_root(index << level, (index + 1) << level)


@given(st.lists(st.integers(0, 70), min_size=1, max_size=8))
@settings(deadline=None)
def test_growth_in_any_steps(steps: list[int]) -> None:
    tree = CompactTree()
    for step in steps:
        size = tree.size
        tree.extend(LEAVES[size : size + step])
        if tree.size:
            assert tree.root() == defined_root(0, tree.size)
            if size:
                proof = prove_consistency(size, tree.size, hash_at)
                verify_consistency(size, tree.size, proof, defined_root(0, size), tree.root())


def path_shape(index: int, size: int) -> list[bool]:
    """Return on which side each hash of the inclusion proof goes: all that a verifier knows of the sizes."""
    shape, start, stop = [], 0, size
    while stop - start > 1:
        split = start + (1 << (stop - start - 1).bit_length() - 1)
        left = index >= split
        shape.append(left)
        start, stop = (split, stop) if left else (start, split)
    return shape


@given(st.data(), st.integers(1, 600))
@settings(deadline=None)
def test_inclusion_binds_place_and_size_as_far_as_it_can(data: st.DataObject, size: int) -> None:
    index = data.draw(st.integers(0, size - 1))
    proof, root = prove_inclusion(index, size, hash_at), root_of(LEAVES[:size])
    verify_inclusion(LEAVES[index], index, size, proof, root)
    other_size = data.draw(st.integers(0, 1200))
    other = data.draw(st.integers(0, 1200))
    same = other < other_size and path_shape(other, other_size) == path_shape(index, size)
    if same:  # known and inherent: size and root have to come from one place
        verify_inclusion(LEAVES[index], other, other_size, proof, root)
    else:
        with pytest.raises(ProofInvalid):
            verify_inclusion(LEAVES[index], other, other_size, proof, root)


@given(st.data())
@settings(deadline=None)
def test_any_proof_for_any_size_is_an_answer(data: st.DataObject) -> None:
    """No proof, however wrong, raises anything but ProofInvalid, and none of these random ones is good."""
    numbers = st.integers(-1, 2**64) | st.integers(0, 70)
    proof = data.draw(st.lists(st.binary(min_size=32, max_size=32), max_size=70))
    one, two = data.draw(numbers), data.draw(numbers)
    with pytest.raises(ProofInvalid):
        verify_inclusion(b"\1" * 32, one, two, proof, b"\2" * 32)
    with pytest.raises(ProofInvalid):
        verify_consistency(one, two, proof, b"\1" * 32, b"\2" * 32)
