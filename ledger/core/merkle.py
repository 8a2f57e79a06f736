"""The Merkle tree of a log: roots, inclusion proofs, consistency proofs.

Source: RFC 6962 section 2.1 and RFC 9162 section 2.1 over SHA-256. The verifiers are the iterative ones of
RFC 9162 (2.1.3.2, 2.1.4.2), as the contract has them; the provers follow the recursive definitions of PATH
and SUBPROOF. A hash is 32 bytes; a leaf is hashed behind 0x00, a node behind 0x01, so that neither can pass
for the other.

A proof binds its sizes only together with roots: the same root can fit another size. Whoever calls a verifier
takes size and root from one signed or anchored place. Where hashes are kept is left to callers (`hash_at`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import sha256

from ledger.core.errors import ProofInvalid, Usage
from ledger.core.hashing import HASH_SIZE

EMPTY_ROOT = sha256(b"").digest()
"""The root of a tree without leaves."""

MAX_SIZE = 2**63 - 1
"""The most leaves a tree may have: sizes are signed 64-bit numbers in SQLite and elsewhere."""

HashAt = Callable[[int, int], bytes]
"""`hash_at(level, index)`: the root of complete subtree number `index` of 2^level leaves."""

_BLOCK = 1 << 13  # leaves that extend() hashes at a time: enough to amortise, few enough for the cache


def leaf_hash(entry: bytes) -> bytes:
    """Return the 32-byte hash of a leaf: SHA-256(0x00 || entry)."""
    return sha256(b"\0" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Return the hash of each leaf, in order; the fast way to hash many."""
    hashed = sha256
    return [hashed(b"\0" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the 32-byte hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\1" + left + right).digest()


def level_above(hashes: Sequence[bytes]) -> list[bytes]:
    """Return the hashes of the parents of an even run of neighbours that starts at an even place."""
    hashed = sha256
    neighbours = iter(hashes)
    return [hashed(b"\1" + left + right).digest() for left, right in zip(neighbours, neighbours, strict=True)]


def root_of(leaf_hashes: Iterable[bytes]) -> bytes:
    """Return the root over these leaf hashes, EMPTY_ROOT if there are none."""
    tree = CompactTree()
    tree.extend(leaf_hashes)
    return tree.root()


class CompactTree:
    """A tree that only grows and keeps its frontier: the roots of the complete subtrees it falls into.

    Memory is one hash a level. `append` and `extend` take leaf hashes of 32 bytes.
    """

    __slots__ = ("_levels", "size")

    def __init__(self) -> None:
        self.size = 0
        self._levels: list[bytes] = []  # by level; meaningful where that bit of size is set

    @classmethod
    def from_frontier(cls, size: int, hashes: Sequence[bytes]) -> CompactTree:
        """Return the tree of `size` leaves whose `frontier()` is `hashes`; another number raises Usage."""
        if not 0 <= size <= MAX_SIZE or len(hashes) != size.bit_count():
            raise Usage(f"frontier: {len(hashes)} hashes do not make a tree of {size} leaves")
        tree = cls()
        tree.size = size
        remaining = list(hashes)
        for level in range(size.bit_length()):
            tree._levels.append(remaining.pop() if size >> level & 1 else b"")
        return tree

    def copy(self) -> CompactTree:
        """Return an independent tree with the same leaves."""
        return CompactTree.from_frontier(self.size, self.frontier())

    def frontier(self) -> list[bytes]:
        """Return the roots of the complete subtrees, largest (leftmost) first."""
        return [self._levels[level] for level in reversed(range(len(self._levels))) if self.size >> level & 1]

    def append(self, leaf_hash: bytes) -> None:
        """Add one leaf."""
        self._add([leaf_hash])

    def extend(self, leaf_hashes: Iterable[bytes]) -> None:
        """Add leaves in order: much faster than one by one."""
        hashes = leaf_hashes if isinstance(leaf_hashes, list) else list(leaf_hashes)
        for start in range(0, len(hashes), _BLOCK):
            self._add(hashes[start : start + _BLOCK])

    def append_subtree(self, level: int, root: bytes) -> None:
        """Add 2^level leaves at once by their root; raises Usage unless the size is a multiple of so many."""
        if self.size & ((1 << level) - 1):
            raise Usage(f"tree: a subtree of {1 << level} leaves can't begin at leaf {self.size}")
        self._levels += [b""] * (level - len(self._levels))
        self._add([root], level)

    def root(self) -> bytes:
        """Return the root of the tree as it is now."""
        return fold(self.frontier())

    def _add(self, hashes: list[bytes], level: int = 0) -> None:
        before = self.size
        self.size += len(hashes) << level
        while hashes:
            if level == len(self._levels):
                self._levels.append(b"")
            if before >> level & 1:
                hashes = [self._levels[level], *hashes]
            if len(hashes) & 1:
                self._levels[level] = hashes.pop()
            hashes = level_above(hashes)
            level += 1


def fold(frontier: Sequence[bytes]) -> bytes:
    """Return the root over the roots of complete subtrees, largest first; EMPTY_ROOT over none."""
    if not frontier:
        return EMPTY_ROOT
    root = frontier[-1]
    for left in reversed(frontier[:-1]):
        root = node_hash(left, root)
    return root


def root_at(size: int, hash_at: HashAt) -> bytes:
    """Return the root of the first `size` leaves of a tree that has at least that many."""
    return _range_root(0, size, hash_at) if size else EMPTY_ROOT


def frontier_at(size: int, hash_at: HashAt) -> list[bytes]:
    """Return the frontier of the first `size` leaves: what `CompactTree.from_frontier` goes on from."""
    return [hash_at(level, index) for level, index in subtrees(0, size)]


def prove_inclusion(index: int, size: int, hash_at: HashAt) -> list[bytes]:
    """Return the proof that leaf `index` is in the tree of `size` leaves, lowest hash first (PATH).

    `0 <= index < size`, anything else raises Usage.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise Usage(f"inclusion proof: there is no leaf {index} in a tree of {size}")
    proof = []
    start, stop = 0, size
    while stop - start > 1:
        middle = start + _split(stop - start)
        if index < middle:
            proof.append(_range_root(middle, stop, hash_at))
            stop = middle
        else:
            proof.append(_range_root(start, middle, hash_at))
            start = middle
    proof.reverse()
    return proof


def verify_inclusion(leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Raise ProofInvalid unless `proof` shows the leaf at `index` of the tree of `size` under `root`."""
    if not 0 <= index < size <= MAX_SIZE:
        raise ProofInvalid(f"inclusion proof: there is no leaf {index} in a tree of {size}")
    _check_hashes("inclusion proof", [leaf_hash, root, *proof])
    place, last = index, size - 1
    computed = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofInvalid(
                f"inclusion proof: {len(proof)} hashes are too many for leaf {index} of {size}"
            )
        if place & 1 or place == last:
            computed = node_hash(sibling, computed)
            while not place & 1 and place:  # no right sibling on these levels
                place >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        place >>= 1
        last >>= 1
    if last:
        raise ProofInvalid(f"inclusion proof: {len(proof)} hashes are too few for leaf {index} of {size}")
    if computed != root:
        raise ProofInvalid(
            f"inclusion proof: expected root {root.hex()} at size {size}, "
            f"got {computed.hex()} from leaf {index}"
        )


def prove_consistency(old_size: int, size: int, hash_at: HashAt) -> list[bytes]:
    """Return the proof that the first `old_size` of `size` leaves are the tree of `old_size` (SUBPROOF).

    `0 < old_size <= size`, anything else raises Usage; equal sizes have the empty proof.
    """
    if not 0 < old_size <= size <= MAX_SIZE:
        raise Usage(f"consistency proof: a tree of {size} leaves does not extend one of {old_size}")
    proof = []
    start, stop = 0, size
    while stop != old_size:
        middle = start + _split(stop - start)
        if old_size <= middle:
            proof.append(_range_root(middle, stop, hash_at))
            stop = middle
        else:
            proof.append(_range_root(start, middle, hash_at))
            start = middle
    if start:  # else the old root itself, which the verifier has
        proof.append(_range_root(start, stop, hash_at))
    proof.reverse()
    return proof


def verify_consistency(
    old_size: int, size: int, proof: Sequence[bytes], old_root: bytes, root: bytes
) -> None:
    """Raise ProofInvalid unless `proof` shows that the tree of `size` under `root` extends the old one.

    An old size of 0 is refused: every tree extends the empty one, and there is nothing to prove.
    """
    if not 0 < old_size <= size <= MAX_SIZE:
        raise ProofInvalid(f"consistency proof: a tree of {size} leaves does not extend one of {old_size}")
    if old_size == size:
        if proof or old_root != root:
            raise ProofInvalid(f"consistency proof: two trees of {size} leaves, and not the same root")
        return  # equal roots of whatever length: there is nothing to compute
    _check_hashes("consistency proof", [old_root, root, *proof])
    if not proof:
        raise ProofInvalid(f"consistency proof: no hashes, from size {old_size} to {size}")
    whole = (
        old_size & (old_size - 1) == 0
    )  # the old tree is one subtree of the new: its root is the first hash
    hashes = [old_root, *proof] if whole else proof
    old_computed, computed = _roots_of_consistency(old_size, size, hashes)
    if old_computed != old_root or computed != root:
        raise ProofInvalid(
            f"consistency proof: expected roots {old_root.hex()} at {old_size} and {root.hex()} at {size}, "
            f"got {old_computed.hex()} and {computed.hex()}"
        )


def subtrees(start: int, stop: int) -> list[tuple[int, int]]:
    """Return (level, index) of the complete subtrees that leaves `start` to `stop` fall into, largest first.

    `start` is a multiple of a power of two that is at least `stop - start`, as in every range of a proof.
    """
    found = []
    width = stop - start
    for level in reversed(range(width.bit_length())):
        if width >> level & 1:
            found.append((level, start >> level))
            start += 1 << level
    return found


def _roots_of_consistency(old_size: int, size: int, proof: Sequence[bytes]) -> tuple[bytes, bytes]:
    place, last = old_size - 1, size - 1
    while place & 1:
        place >>= 1
        last >>= 1
    # RFC 9162 2.1.4.2 step 2 is done by the caller: the first hash is the old root where it is one subtree
    old_computed = computed = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            raise ProofInvalid(f"consistency proof: too many hashes from size {old_size} to {size}")
        if place & 1 or place == last:
            old_computed = node_hash(sibling, old_computed)
            computed = node_hash(sibling, computed)
            while not place & 1 and place:  # no right sibling on these levels
                place >>= 1
                last >>= 1
        else:
            computed = node_hash(computed, sibling)
        place >>= 1
        last >>= 1
    if last:
        raise ProofInvalid(f"consistency proof: too few hashes from size {old_size} to {size}")
    return old_computed, computed


def _range_root(start: int, stop: int, hash_at: HashAt) -> bytes:
    return fold([hash_at(level, index) for level, index in subtrees(start, stop)])


def _split(width: int) -> int:
    """Return the largest power of two smaller than `width` (>= 2): where RFC 6962 splits a tree."""
    return 1 << (width - 1).bit_length() - 1


def _check_hashes(what: str, hashes: Sequence[bytes]) -> None:
    for each in hashes:
        if len(each) != HASH_SIZE:
            raise ProofInvalid(f"{what}: expected hashes of 32 bytes, got one of {len(each)}")
