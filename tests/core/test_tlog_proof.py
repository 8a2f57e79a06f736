"""Proof files: what a log gives out is what a reader checks."""

from __future__ import annotations

import pytest

from ledger.core.checkpoint import sign_checkpoint
from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, ProofInvalid, SignatureInvalid, Usage
from ledger.core.merkle import leaf_hashes, prove_inclusion, root_of
from ledger.core.signing import signer
from ledger.core.tlog_proof import TlogProof, format_tlog_proof, parse_tlog_proof, verify_tlog_proof

LOG = bytes(range(32))
SIGNER = signer(bytes(32))
ENTRIES = [b"entry %d" % number for number in range(11)]
LEAVES = leaf_hashes(ENTRIES)


def make(index: int, size: int, extra: bytes = b"") -> bytes:
    proof = prove_inclusion(index, size, lambda level, n: root_of(LEAVES[n << level : (n + 1) << level]))
    return format_tlog_proof(index, proof, sign_checkpoint(LOG, size, root_of(LEAVES[:size]), SIGNER), extra)


def test_every_entry_of_every_size() -> None:
    for size in range(1, 12):
        for index in range(size):
            data = make(index, size, b"x" * index)
            head = verify_tlog_proof(data, ENTRIES[index], LOG, [SIGNER.public_key])
            assert (head.size, head.root) == (size, root_of(LEAVES[:size]))
            with pytest.raises(ProofInvalid):
                verify_tlog_proof(data, ENTRIES[index - 1] + b"x", LOG, [SIGNER.public_key])
    with pytest.raises(SignatureInvalid):
        verify_tlog_proof(make(0, 3), ENTRIES[0], LOG, [])


def test_bytes() -> None:
    checkpoint = sign_checkpoint(LOG, 2, root_of(LEAVES[:2]), SIGNER)
    data = make(1, 2, b"extra")
    assert (
        data
        == f"c2sp.org/tlog-proof@v1\nextra ZXh0cmE=\nindex 1\n{b64encode(LEAVES[0])}\n\n".encode()
        + checkpoint
    )
    assert parse_tlog_proof(data) == TlogProof(1, [LEAVES[0]], checkpoint, b"extra")
    assert make(0, 1).startswith(b"c2sp.org/tlog-proof@v1\nindex 0\n\ndataledger/log/")


GOOD = make(4, 11)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/tlog-proof@v1", b"c2sp.org/tlog-proof@v2"),
        (b"c2sp.org/tlog-proof@v1\n", b""),
        (b"c2sp", b"\nc2sp"),
        (b"index 4", b"index 04"),
        (b"index 4", b"index -4"),
        (b"index 4", b"index  4"),
        (b"index 4", b"index"),
        (b"index 4", b"index "),
        (b"index 4", b"index \xb2"),
        (b"index 4", b"index 9223372036854775807"),
        (b"index 4\n", b""),
        (b"index 4\n", b"index 4\n\n"),
        (b"index 4", b"extra \nindex 4"),
        (b"index 4", b"extra ZXh0cmE\nindex 4"),
        (b"index 4", b"extra ZXh0cmE=\nextra ZXh0cmE=\nindex 4"),
        (b"index 4", b"index 4\nextra ZXh0cmE="),
        (b"index 4", b"index 4\nYQ=="),
        (b"index 4", b"index 4" + b"\n" + b"\n".join([b64encode(LOG).encode()] * 60)),
        (b"index 4\n", b"index 4\r\n"),
        (b"\n\n", b"\n"),
        (b"=\n\ndata", b"=\n\n\ndata"),
    ],
)
def test_refused(old: bytes, new: bytes) -> None:
    assert old in GOOD
    with pytest.raises(FormatError):
        verify_tlog_proof(GOOD.replace(old, new, 1), ENTRIES[4], LOG, [SIGNER.public_key])


def test_cut_anywhere() -> None:
    for end in range(len(GOOD)):
        with pytest.raises(FormatError):
            parse_tlog_proof(GOOD[:end])


def test_not_formatted() -> None:
    checkpoint = sign_checkpoint(LOG, 2, LOG, SIGNER)
    with pytest.raises(Usage):
        format_tlog_proof(-1, [], checkpoint)
    with pytest.raises(Usage):
        format_tlog_proof(0, [b"short"], checkpoint)
    with pytest.raises(Usage):
        format_tlog_proof(0, [LOG] * 64, checkpoint)
    with pytest.raises(Usage):
        format_tlog_proof(0, [], b"no checkpoint")
    with pytest.raises(FormatError, match="at most"):
        parse_tlog_proof(b"x" * 4_000_000)
