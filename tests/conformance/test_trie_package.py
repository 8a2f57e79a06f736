"""Merkle Patricia proofs against the trie package, both ways: ours verify there, theirs here, and neither
accepts what the other refuses.

Keys share long prefixes, so that extensions, short leaves inside their parents and values at every depth come
up.
"""

from __future__ import annotations

import pytest
import rlp
from hypothesis import given, settings
from hypothesis import strategies as st
from trie import HexaryTrie
from trie.exceptions import BadTrieProof, ValidationError

from ledger.core.errors import ProofInvalid
from ledger.core.hashing import keccak256
from ledger.core.mpt import lookup, verify_lookup
from ledger.core.rlp import encode

tails = st.binary(min_size=32, max_size=32) | st.binary(min_size=2, max_size=2).map(bytes(30).__add__)
keys = tails | tails.map(keccak256)
REFUSED = (BadTrieProof, ValidationError, rlp.DecodingError)
"""How the package refuses: a node is missing, is none, or is no RLP."""

contents = st.dictionaries(keys, st.binary(min_size=1, max_size=40), min_size=1, max_size=25)


class Built:
    """A trie of the package's making, and the nodes by hash as a chain would keep them."""

    def __init__(self, content: dict[bytes, bytes]) -> None:
        self.nodes: dict[bytes, bytes] = {}
        self.trie = HexaryTrie(self.nodes)
        for key, value in content.items():
            self.trie[key] = value
        self.root = bytes(self.trie.root_hash)

    def prove(self, key: bytes) -> tuple[bytes | None, list[bytes]]:
        """Our proof."""
        return lookup(self.root, key, self.nodes.__getitem__)

    def prove_there(self, key: bytes) -> list[bytes]:
        """The package's proof, as the bytes that would be sent."""
        return [encode(node) for node in self.trie.get_proof(key)]

    def verify_there(self, key: bytes, proof: list[bytes]) -> bytes | None:
        """What the package reads out of a proof; raises BadTrieProof."""
        return HexaryTrie.get_from_proof(self.root, key, [rlp.decode(node) for node in proof]) or None


def asked(data: st.DataObject, content: dict[bytes, bytes]) -> bytes:
    """A key that is there, one that is not, or one that differs in its last nibble from one that is."""
    key = data.draw(st.sampled_from(sorted(content)) | keys)
    return key[:-1] + bytes([key[-1] ^ data.draw(st.sampled_from([0, 1, 16]))])


@settings(max_examples=60)
@given(contents, st.data())
def test_each_verifies_the_others(content: dict[bytes, bytes], data: st.DataObject) -> None:
    built, key = Built(content), asked(data, content)
    expected = content.get(key)
    value, proof = built.prove(key)
    assert value == expected
    assert built.verify_there(key, proof) == expected
    verify_lookup(built.root, key, expected, built.prove_there(key))
    # of ours, the package's lacks nothing; it lists short nodes apart, which stand inside their parents
    assert set(proof) <= set(built.prove_there(key))


@settings(max_examples=60)
@given(contents, st.data())
def test_neither_believes_another_value(content: dict[bytes, bytes], data: st.DataObject) -> None:
    built, key = Built(content), asked(data, content)
    proof = built.prove_there(key)
    for claimed in {None, b"another", *content.values()} - {content.get(key)}:
        with pytest.raises(ProofInvalid):
            verify_lookup(built.root, key, claimed, proof)


@settings(max_examples=60)
@given(contents, st.data())
def test_both_refuse_what_was_changed(content: dict[bytes, bytes], data: st.DataObject) -> None:
    """A bit flipped, a node left out, the nodes of another trie: for presence and for absence alike."""
    built, key = Built(content), asked(data, content)
    value, proof = built.prove(key)
    at = data.draw(st.integers(0, len(proof) - 1))
    place, bit = data.draw(st.integers(0, len(proof[at]) - 1)), data.draw(st.integers(0, 7))
    node = bytearray(proof[at])
    node[place] ^= 1 << bit
    other = Built(content | {key: b"else"}).prove(key)[1] if value != b"else" else []
    for bad in (proof[:at] + proof[at + 1 :], [*proof[:at], bytes(node), *proof[at + 1 :]], other, []):
        with pytest.raises(ProofInvalid):
            verify_lookup(built.root, key, value, bad)
        with pytest.raises(REFUSED):
            built.verify_there(key, bad)


@settings(max_examples=60)
@given(contents, st.data())
def test_both_refuse_another_keys_proof_or_both_answer_alike(
    content: dict[bytes, bytes], data: st.DataObject
) -> None:
    """The nodes on the way to one key may be all that another needs: then both give the true answer."""
    built, one, two = Built(content), asked(data, content), asked(data, content)
    _, proof = built.prove(one)
    try:
        there = built.verify_there(two, proof)
    except BadTrieProof:
        with pytest.raises(ProofInvalid):
            verify_lookup(built.root, two, content.get(two), proof)
    else:
        assert there == content.get(two)
        verify_lookup(built.root, two, there, proof)
