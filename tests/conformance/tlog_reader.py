"""A reader of any C2SP tlog-tiles folder: it has the folder and a verifier key, and believes nothing else.

It knows nothing of this product's logs, and computes roots by the definition in RFC 6962, section 2.1, not by
what it is to check.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ledger.core.checkpoint import TreeHead, parse_checkpoint
from ledger.core.merkle import (
    leaf_hash,
    prove_consistency,
    prove_inclusion,
    verify_consistency,
    verify_inclusion,
)
from ledger.core.note import open_note, parse_vkey
from ledger.core.tiles import HashReader, bundles_between, decode_bundle, tiles_between
from ledger.core.tlog_proof import format_tlog_proof, parse_tlog_proof


def tree_hash(entries: list[bytes]) -> bytes:
    """RFC 6962's MTH, as defined there."""
    if not entries:
        return sha256().digest()
    if len(entries) == 1:
        return sha256(b"\0" + entries[0]).digest()
    split = 1 << (len(entries) - 1).bit_length() - 1
    return sha256(b"\1" + tree_hash(entries[:split]) + tree_hash(entries[split:])).digest()


class TlogReader:
    """A log in a folder, read as of one checkpoint (bytes) that a key signed."""

    def __init__(self, folder: Path, checkpoint: bytes, vkey: str) -> None:
        self.folder = folder
        self.checkpoint = checkpoint
        self.vkey = vkey
        self.head: TreeHead = parse_checkpoint(open_note(checkpoint, [parse_vkey(vkey)]))
        self.hashes = HashReader(self.head.size, lambda path: (folder / path).read_bytes())

    def entries(self) -> list[bytes]:
        """Every entry, out of the bundles."""
        return [
            entry
            for bundle in bundles_between(0, self.head.size)
            for entry in decode_bundle((self.folder / bundle.path).read_bytes(), bundle.width)
        ]

    def verify(self) -> None:
        """Check that all tiles are there, their hashes, and the root."""
        entries = self.entries()
        assert tree_hash(entries) == self.head.root
        names = [*tiles_between(0, self.head.size), *bundles_between(0, self.head.size)]
        assert [name.path for name in names if not (self.folder / name.path).is_file()] == []
        for level in range(self.head.size.bit_length()):
            for index in range(self.head.size >> level):
                leaves = entries[index << level : (index + 1) << level]
                assert self.hashes(level, index) == tree_hash(leaves)

    def prove(self, index: int) -> bytes:
        """Return a tlog-proof file of an entry."""
        proof = prove_inclusion(index, self.head.size, self.hashes)
        return format_tlog_proof(index, proof, self.checkpoint)

    def check(self, proof_file: bytes, entry: bytes) -> None:
        """Verify a tlog-proof file by the verifier key alone; raises."""
        proof = parse_tlog_proof(proof_file)
        head = parse_checkpoint(open_note(proof.checkpoint, [parse_vkey(self.vkey)]))
        verify_inclusion(leaf_hash(entry), proof.index, head.size, proof.hashes, head.root)

    def check_extends(self, older: TlogReader) -> None:
        """Verify that this log's first entries are the older one's; raises."""
        old, new = older.head, self.head
        assert old.origin == new.origin
        if old.size == 0:
            return  # the empty log begins every log, and there is no proof of it
        proof = prove_consistency(old.size, new.size, self.hashes)
        verify_consistency(old.size, new.size, proof, old.root, new.root)
