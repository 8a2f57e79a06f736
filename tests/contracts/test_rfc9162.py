"""The proofs on chain against the Python proofs, the third-party vectors, and trees written out in full."""

from __future__ import annotations

import json
import os
from base64 import b64decode
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

from ledger.core.errors import ProofInvalid
from ledger.core.merkle import (
    prove_consistency,
    prove_inclusion,
    root_at,
    verify_consistency,
    verify_inclusion,
)

ROOT = Path(__file__).resolve().parents[2]
VECTORS = Path(os.environ.get("DATALEDGER_VECTORS", ROOT.parent / "shared" / "vectors")) / "merkle"

EXPOSED = """
# pragma version 0.4.3
# pragma evm-version cancun
# pragma optimize gas
from modules import rfc9162

@external
@pure
def is_consistent(
    old_size: uint256, size: uint256, old_root: bytes32, root: bytes32, proof: DynArray[bytes32, 64]
) -> bool:
    return rfc9162._is_consistent(old_size, size, old_root, root, proof)

@external
@pure
def is_included(
    index: uint256, size: uint256, leaf_hash: bytes32, root: bytes32, proof: DynArray[bytes32, 64]
) -> bool:
    return rfc9162._is_included(index, size, leaf_hash, root, proof)
"""

LEAVES = [sha256(b"\0" + bytes([n])).digest() for n in range(200)]


def tree(leaves: list[bytes]) -> bytes:
    """MTH as RFC 9162, section 2.1.1 defines it."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + tree(leaves[:k]) + tree(leaves[k:])).digest()


def hash_at(level: int, index: int) -> bytes:
    return tree(LEAVES[index << level : (index + 1) << level])


@dataclass
class Module:
    evm: Any
    calls: Any

    def is_consistent(self, *claim) -> bool:
        return self.evm.holds(self.calls.is_consistent(*claim))

    def is_included(self, *claim) -> bool:
        return self.evm.holds(self.calls.is_included(*claim))


@pytest.fixture(scope="module")
def module(session_evm, tmp_path_factory):
    """The module behind a contract that exposes it, called without transactions."""
    folder = tmp_path_factory.mktemp("exposed")
    (folder / "Exposed.vy").write_text(EXPOSED)
    bundle = FilesystemInputBundle([ROOT / "contracts", folder])
    out = compile_from_file_input(
        bundle.load_file("Exposed.vy"), bundle, output_formats=["abi", "bytecode"], no_bytecode_metadata=True
    )
    snapshot = session_evm.tester.take_snapshot()
    factory = session_evm.web3.eth.contract(abi=out["abi"], bytecode=out["bytecode"])
    sent = factory.constructor().transact({"from": session_evm.accounts[0]})
    address = session_evm.web3.eth.get_transaction_receipt(sent)["contractAddress"]
    calls = session_evm.web3.eth.contract(address=address, abi=out["abi"]).functions
    yield Module(session_evm, calls)
    session_evm.tester.revert_to_snapshot(snapshot)


def python_consistent(old_size, size, old_root, root, proof) -> bool:
    """The Python verdict, except that equal sizes, which Python accepts, are no growth."""
    try:
        verify_consistency(old_size, size, proof, old_root, root)
    except ProofInvalid:
        return False
    return old_size < size


def python_included(index, size, leaf, root, proof) -> bool:
    try:
        verify_inclusion(leaf, index, size, proof, root)
    except ProofInvalid:
        return False
    return True


def cases(name: str):
    if not VECTORS.is_dir():
        return [
            pytest.param(None, marks=pytest.mark.skip(f"third-party vectors are not there: {VECTORS.name}"))
        ]
    return [
        pytest.param(case, id=case["case"])
        for case in map(json.loads, (VECTORS / name).read_text().splitlines())
    ]


def hashes(texts: list[str] | None) -> list[bytes]:
    return [b64decode(text) for text in texts or []]


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases("consistency.jsonl"))
def test_consistency_vectors(module, case):
    old_root, root, *proof = hashes([case["root1"], case["root2"], *(case["proof"] or [])])
    sizes = case["size1"], case["size2"]
    if any(len(each) != 32 for each in (old_root, root, *proof)) or min(sizes) < 0:
        assert case["wantErr"] or sizes[0] == sizes[1]  # nothing that could be sent
        return
    expected = not case["wantErr"] and 0 < sizes[0] < sizes[1]
    assert module.is_consistent(*sizes, old_root, root, proof) == expected


@pytest.mark.vectors
@pytest.mark.parametrize("case", cases("inclusion.jsonl"))
def test_inclusion_vectors(module, case):
    leaf, root, *proof = hashes([case["leafHash"], case["root"], *(case["proof"] or [])])
    place = case["leafIdx"], case["treeSize"]
    if any(len(each) != 32 for each in (leaf, root, *proof)) or min(place) < 0:
        assert case["wantErr"]
        return
    assert module.is_included(*place, leaf, root, proof) == (not case["wantErr"])


def mutations(proof: list[bytes], draw) -> list[bytes]:
    """A proof with one thing changed: a bit, a node dropped, doubled, added, two swapped; or nothing."""
    proof = list(proof)
    kind = draw(st.sampled_from(["none", "bit", "drop", "double", "add", "swap"]))
    at = draw(st.integers(0, len(proof) - 1)) if proof else 0
    if kind == "add":
        proof.insert(draw(st.integers(0, len(proof))), draw(st.sampled_from(LEAVES)))
    elif proof and kind == "bit":
        flipped = int.from_bytes(proof[at], "big") ^ 1 << draw(st.integers(0, 255))
        proof[at] = flipped.to_bytes(32, "big")
    elif proof and kind == "drop":
        del proof[at]
    elif proof and kind == "double":
        proof.insert(at, proof[at])
    elif proof and kind == "swap":
        other = draw(st.integers(0, len(proof) - 1))
        proof[at], proof[other] = proof[other], proof[at]
    return proof


@st.composite
def consistency_claims(draw):
    """A true proof, with anything about it possibly changed."""
    size = draw(st.integers(1, len(LEAVES)))
    old_size = draw(st.integers(1, size))
    old_root, root = tree(LEAVES[:old_size]), tree(LEAVES[:size])
    proof = mutations(prove_consistency(old_size, size, hash_at), draw)
    what = draw(st.sampled_from(["none", "none", "old size", "size", "old root", "root", "roots swapped"]))
    any_size = st.one_of(st.integers(0, 2 * len(LEAVES)), st.integers(0, 2**63 - 1))
    if what == "old size":
        old_size = draw(any_size)
    elif what == "size":
        size = draw(any_size)
    elif what == "old root":
        old_root = draw(st.sampled_from([bytes(32), root, *proof]))
    elif what == "root":
        root = draw(st.sampled_from([bytes(32), old_root, *proof]))
    elif what == "roots swapped":
        old_root, root = root, old_root
    return old_size, size, old_root, root, proof


@st.composite
def inclusion_claims(draw):
    """A true proof, with anything about it possibly changed."""
    size = draw(st.integers(1, len(LEAVES)))
    index = draw(st.integers(0, size - 1))
    leaf, root = LEAVES[index], tree(LEAVES[:size])
    proof = mutations(prove_inclusion(index, size, hash_at), draw)
    what = draw(st.sampled_from(["none", "none", "index", "size", "leaf", "root"]))
    any_size = st.one_of(st.integers(0, 2 * len(LEAVES)), st.integers(0, 2**63 - 1))
    if what == "index":
        index = draw(any_size)
    elif what == "size":
        size = draw(any_size)
    elif what == "leaf":
        leaf = draw(st.sampled_from([bytes(32), root, *LEAVES[:8], *proof]))
    elif what == "root":
        root = draw(st.sampled_from([bytes(32), leaf, *proof]))
    return index, size, leaf, root, proof


few = settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
many = settings(few, max_examples=2000)


@few
@given(claim=consistency_claims())
def test_consistency_verdicts_agree(module, claim):
    assert module.is_consistent(*claim) == python_consistent(*claim)


@few
@given(claim=inclusion_claims())
def test_inclusion_verdicts_agree(module, claim):
    assert module.is_included(*claim) == python_included(*claim)


@pytest.mark.slow
@many
@given(claim=consistency_claims())
def test_consistency_verdicts_agree_at_length(module, claim):
    assert module.is_consistent(*claim) == python_consistent(*claim)


@pytest.mark.slow
@many
@given(claim=inclusion_claims())
def test_inclusion_verdicts_agree_at_length(module, claim):
    assert module.is_included(*claim) == python_included(*claim)


@pytest.mark.parametrize("size", [2, 3, 6, 7, 8, 11, pytest.param(33, marks=pytest.mark.slow)])
def test_every_place_and_every_flipped_node(module, size):
    root = tree(LEAVES[:size])
    for old_size in range(1, size):
        proof = prove_consistency(old_size, size, hash_at)
        old_root = tree(LEAVES[:old_size])
        assert module.is_consistent(old_size, size, old_root, root, proof)
        for at in range(len(proof)):
            bad = [node if n != at else sha256(node).digest() for n, node in enumerate(proof)]
            assert not module.is_consistent(old_size, size, old_root, root, bad)
    for index in range(size):
        proof = prove_inclusion(index, size, hash_at)
        assert module.is_included(index, size, LEAVES[index], root, proof)
        for at in range(len(proof)):
            bad = [node if n != at else sha256(node).digest() for n, node in enumerate(proof)]
            assert not module.is_included(index, size, LEAVES[index], root, bad)


@pytest.mark.parametrize("sizes", [(7, 8), (6, 8), (5, 6), (3, 7)])
def test_a_consistency_proof_under_every_other_pair_of_sizes(module, sizes):
    """With sizes too small, a proof has nodes left when the walk is at the top, and they would lead on."""
    proof, roots = prove_consistency(*sizes, hash_at), [tree(LEAVES[:size]) for size in sizes]
    verdicts = []
    for size in range(1, 9):
        for old_size in range(size + 1):
            claim = (old_size, size, *roots, proof)
            verdicts.append(module.is_consistent(*claim))
            assert verdicts[-1] == python_consistent(*claim)
    assert any(verdicts)


@pytest.mark.parametrize("place", [(7, 8), (5, 8), (6, 7)])
def test_an_inclusion_proof_under_every_other_place(module, place):
    path, leaf, root = prove_inclusion(*place, hash_at), LEAVES[place[0]], tree(LEAVES[: place[1]])
    verdicts = []
    for size in range(9):
        for index in range(size + 1):
            claim = (index, size, leaf, root, path)
            verdicts.append(module.is_included(*claim))
            assert verdicts[-1] == python_included(*claim)
    assert any(verdicts)


def test_no_size_is_consistent_with_itself(module):
    root = tree(LEAVES[:7])
    lower, upper = hash_at(1, 2), hash_at(2, 0)
    assert not module.is_consistent(7, 7, root, root, [LEAVES[6], lower, upper])
    assert not module.is_consistent(8, 8, hash_at(3, 0), hash_at(3, 0), [hash_at(3, 0)])
    assert not module.is_consistent(7, 7, root, root, [])


def test_the_longest_proofs(module):
    """Of 2^63 - 1 leaves, 63 nodes include one, and 64 tie the tree to an older one; 65 can't be sent."""
    size, old_size = 2**63 - 1, 2**62 - 1
    root, old_root = root_at(size, virtual), root_at(old_size, virtual)
    path = prove_inclusion(0, size, virtual)
    proof = prove_consistency(old_size, size, virtual)
    assert (len(path), len(proof)) == (63, 64)
    assert module.is_included(0, size, LEAVES[0], root, path)
    assert module.is_consistent(old_size, size, old_root, root, proof)
    assert not module.is_included(0, size, LEAVES[0], root, [*path, root])
    too_long = module.calls.is_consistent(old_size, size, old_root, root, [*proof, root])
    assert module.evm.reason(too_long) == "b''"


@cache
def virtual(level: int, _: int) -> bytes:
    """hash_at of a tree in which every leaf is LEAVES[0]."""
    return LEAVES[0] if level == 0 else sha256(b"\1" + virtual(level - 1, 0) * 2).digest()
