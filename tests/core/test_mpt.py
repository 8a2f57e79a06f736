"""Tries, against the trie package and against broken proofs."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.core.errors import ProofInvalid
from ledger.core.hashing import keccak256
from ledger.core.mpt import EMPTY_TRIE, lookup, nibbles, verify_lookup
from ledger.core.mpt import entries as listed

entries = st.dictionaries(st.binary(min_size=1, max_size=4), st.binary(min_size=1, max_size=40), max_size=30)


def build(
    content: dict[bytes, bytes], *, hashed: bool
) -> tuple[bytes, dict[bytes, bytes], dict[bytes, bytes]]:
    nodes: dict[bytes, bytes] = {}
    trie = HexaryTrie(nodes)
    stored = {keccak256(key) if hashed else key: value for key, value in content.items()}
    for key, value in stored.items():
        trie[key] = value
    return bytes(trie.root_hash), nodes, stored


@given(entries, st.booleans(), st.binary(min_size=1, max_size=4))
def test_agrees_with_the_trie_package(content, hashed, stranger):
    root, nodes, stored = build(content, hashed=hashed)
    for key in [*stored, keccak256(stranger) if hashed else stranger, b""]:
        value, proof = lookup(root, key, nodes.__getitem__)
        assert value == stored.get(key)
        verify_lookup(root, key, value, proof)
        with pytest.raises(ProofInvalid):
            verify_lookup(root, key, b"another", proof)
        if value is not None:
            with pytest.raises(ProofInvalid):
                verify_lookup(root, key, None, proof)


@given(entries, st.booleans())
def test_listing(content, hashed):
    root, nodes, stored = build(content, hashed=hashed)
    assert dict(listed(root, nodes.__getitem__)) == {nibbles(key): value for key, value in stored.items()}


@given(entries.filter(bool), st.data())
def test_every_node_is_needed_and_every_bit_counts(content, data):
    root, nodes, stored = build(content, hashed=True)
    key = data.draw(st.sampled_from(sorted(stored)))
    value, proof = lookup(root, key, nodes.__getitem__)
    for at, node in enumerate(proof):
        with pytest.raises(ProofInvalid, match="missing"):
            verify_lookup(root, key, value, proof[:at] + proof[at + 1 :])
        place = data.draw(st.integers(0, len(node) - 1))
        flipped = node[:place] + bytes([node[place] ^ 1 << data.draw(st.integers(0, 7))]) + node[place + 1 :]
        with pytest.raises(ProofInvalid):
            verify_lookup(root, key, value, [*proof[:at], flipped, *proof[at + 1 :]])


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=32))
def test_hostile_nodes(node, key):
    with contextlib.suppress(ProofInvalid):
        assert all(len(path) <= 66 for path, _ in listed(keccak256(node), lambda _: node))
    try:
        value, _ = lookup(keccak256(node), key, lambda _: node)
    except ProofInvalid:
        return
    assert value is None or isinstance(value, bytes)


def test_wrong_node_for_a_hash():
    with pytest.raises(ProofInvalid, match="expected a node with hash"):
        lookup(bytes(32), b"key", lambda _: b"\x80")


def test_the_empty_trie():
    assert EMPTY_TRIE.hex() == "56e81f171bcc55a6ff8345e692c0f86e5b48e01b996cadc001622fb5e363b421"
    assert lookup(EMPTY_TRIE, b"key", {}.__getitem__) == (None, [])
    verify_lookup(EMPTY_TRIE, b"key", None, [])
