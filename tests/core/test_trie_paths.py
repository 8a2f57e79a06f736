"""Many lookups in one trie, each node once: against py-trie's tries, and against whoever changes a path."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from trie import HexaryTrie

from ledger.core import rlp
from ledger.core.errors import LedgerError, ProofInvalid
from ledger.core.hashing import keccak256
from ledger.core.mpt import EMPTY_TRIE, lookup
from ledger.core.trie_paths import PathReader, PathWriter

numbers = st.sets(st.integers(0, 2000), max_size=60)


def made(present: set[int]) -> HexaryTrie:
    """Return a trie of hashed keys, as storage has."""
    trie = HexaryTrie({})
    for number in present:
        trie[key(number)] = rlp.encode(b"\1" + number.to_bytes(2, "big"))
    return trie


def key(number: int) -> bytes:
    return keccak256(number.to_bytes(32, "big"))


def written(trie: HexaryTrie, asked: list[bytes]) -> list[tuple[bytes, int, list[bytes]]]:
    """Return the paths to these keys, which ascend."""
    writer, paths = PathWriter(), []
    for each in asked:
        _, nodes = lookup(trie.root_hash, each, trie.db.__getitem__)
        paths.append((each, *writer.next(nodes)))
    return paths


@given(numbers, numbers)
def test_what_is_there_and_what_is_not(present: set[int], asked: set[int]) -> None:
    trie, reader = made(present), None
    keys = {key(number): number for number in asked}
    reader = PathReader(trie.root_hash)
    paths = written(trie, sorted(keys))
    for each, keep, nodes in paths:
        value = reader.next(each, keep, nodes)
        assert value == (trie[each] if keys[each] in present else None)
    nodes = [node for _, _, added in paths for node in added]
    assert len(nodes) == len(set(nodes))


@given(st.sets(st.integers(0, 500), min_size=2, max_size=40), st.data())
def test_a_changed_path_is_refused(present: set[int], data: st.DataObject) -> None:
    trie = made(present)
    paths = written(trie, sorted(map(key, present)))
    place = data.draw(st.integers(0, len(paths) - 1))
    each, keep, nodes = paths[place]
    change = data.draw(st.sampled_from(["flip", "drop", "more", "keep less", "keep more", "again"]))
    if change == "flip" and nodes:
        flipped = bytearray(nodes[0])
        flipped[data.draw(st.integers(0, len(flipped) - 1))] ^= 1
        nodes = [bytes(flipped), *nodes[1:]]
    elif change == "drop" and nodes:
        nodes = nodes[:-1]
    elif change == "more":
        nodes = [*nodes, rlp.encode([b"\x20", b"x"])]
    elif change == "keep less" and keep:
        keep -= 1
    elif change == "keep more":
        keep += 1
    elif change == "again" and place:
        each = paths[place - 1][0]
    else:
        return
    reader = PathReader(trie.root_hash)
    for before in paths[:place]:
        reader.next(*before)
    with pytest.raises(LedgerError):
        reader.next(each, keep, nodes)


def test_the_empty_trie_has_nothing() -> None:
    reader = PathReader(EMPTY_TRIE)
    assert reader.next(key(1), 0, []) is None
    with pytest.raises(ProofInvalid, match="ascending"):
        reader.next(key(1), 0, [])
    with pytest.raises(ProofInvalid, match="does not use"):
        PathReader(EMPTY_TRIE).next(key(1), 0, [rlp.encode([b"\x20", b"x"])])


def test_a_node_is_not_said_twice() -> None:
    trie = made(set(range(40)))
    first, second = written(trie, sorted(map(key, range(2))))
    _, whole = lookup(trie.root_hash, second[0], trie.db.__getitem__)
    reader = PathReader(trie.root_hash)
    reader.next(*first)
    with pytest.raises(ProofInvalid, match="each node once"):
        reader.next(second[0], 0, whole)
