"""Many lookups in one trie, each node said once.

In the order of their keys, the paths from the root to neighbouring keys begin with the same nodes. A lookup
is therefore written as how many nodes it keeps of the path before, and the nodes that follow:

    key 1   keep 0   [root, a, b]
    key 2   keep 2   [c]            its path is root, a, c
    key 3   keep 1   []             its path is root: the trie ends there, key 3 has no value

Once a path has left a node, no later key passes it: every node is written exactly once, and a reader holds
one path in memory, however many keys there are. There is one way to write a set of lookups: keys ascend, as
much is kept as can be, and no node is there that no path uses.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core import rlp
from ledger.core.errors import ProofInvalid
from ledger.core.hashing import keccak256
from ledger.core.mpt import decode_node, walk


class PathWriter:
    """Writes the paths of ascending keys."""

    def __init__(self) -> None:
        self._path: Sequence[bytes] = ()

    def next(self, nodes: Sequence[bytes]) -> tuple[int, list[bytes]]:
        """Return how many nodes of the path before are kept, and those that follow; `nodes` is root first."""
        keep = 0
        for ours, theirs in zip(self._path, nodes, strict=False):
            if ours != theirs:
                break
            keep += 1
        self._path = nodes
        return keep, list(nodes[keep:])


class PathReader:
    """Verifies what `PathWriter` wrote, against the trie's root (32 bytes)."""

    def __init__(self, root: bytes) -> None:
        self._root = root
        self._key = b""
        self._path: list[tuple[bytes, list[rlp.Item]]] = []

    def next(self, key: bytes, keep: int, nodes: Sequence[bytes]) -> bytes | None:
        """Return the value that `key` (32 bytes, hashed) has, None if the trie has no such key.

        Raises ProofInvalid unless the nodes lead from the root to the answer and are written as they have to.
        """
        if key <= self._key:
            raise ProofInvalid("trie paths: expected ascending keys")
        if keep > len(self._path):
            raise ProofInvalid(f"trie paths: expected at most {len(self._path)} nodes kept, got {keep}")
        added = [(keccak256(node), decode_node(node)) for node in nodes]
        if added and keep < len(self._path) and added[0][0] == self._path[keep][0]:
            raise ProofInvalid("trie paths: expected each node once, one is there again")
        self._key = key
        self._path = [*self._path[:keep], *added]
        return self._walk(key)

    def _walk(self, key: bytes) -> bytes | None:
        left = iter(self._path)

        def load(node_hash: bytes) -> list[rlp.Item]:
            found, node = next(left, (b"", []))
            if found != node_hash:
                raise ProofInvalid(
                    f"trie paths: expected a node with hash {node_hash.hex()}, got {found.hex() or 'none'}"
                )
            return node

        value = walk(self._root, key, load)
        if next(left, None) is not None:
            raise ProofInvalid("trie paths: expected no node that the path does not use")
        return value
