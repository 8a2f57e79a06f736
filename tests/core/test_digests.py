"""Content digests: the bytes of docs/formats.md sections 3 and 8, and what is refused."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest

from ledger.core.digests import (
    ASSET,
    CONTENT_DIGESTS,
    DECLARED,
    DIGEST_NAMES,
    FILE,
    RUN,
    SEALED,
    TREE,
    ManifestEntry,
    asset_digest,
    declared_digest,
    decode_manifest,
    encode_manifest,
    is_content,
    is_declared,
    run_digest,
    seal,
    sealed_frame,
    target_of_asset,
    target_of_record,
    tree_digest,
    unseal,
)
from ledger.core.errors import FormatError, Usage

LEDGER = bytes(range(32))
EMPTY = sha256(b"").hexdigest()
ONE = sha256(b"1").hexdigest()


def test_names() -> None:
    assert {FILE, TREE, DECLARED, ASSET, RUN, SEALED} == DIGEST_NAMES
    assert CONTENT_DIGESTS == ("sha256", "dataledger-tree-v1", "dataledger-declared-v1")
    assert [name for name in sorted(DIGEST_NAMES) if is_content(name)] == sorted(CONTENT_DIGESTS)
    assert [name for name in DIGEST_NAMES if is_declared(name)] == [DECLARED]


def test_tagged_digests() -> None:
    assert asset_digest(LEDGER, "a/b") == sha256(b"dataledger/asset/v1\0" + LEDGER + b"a/b").hexdigest()
    assert (
        run_digest(LEDGER, "läuft") == sha256(b"dataledger/run/v1\0" + LEDGER + "läuft".encode()).hexdigest()
    )
    declared = sha256(b"dataledger/declared/v1\0" + LEDGER + b"\0\3a/b" + b"text").hexdigest()
    assert declared_digest(LEDGER, "a/b", "text") == declared
    assert declared_digest(LEDGER, "a/bt", "ext") != declared
    assert target_of_record(LEDGER) == sha256(b"dataledger/target/record/v1\0" + LEDGER).digest()
    assert target_of_asset(LEDGER.hex()) == sha256(b"dataledger/target/asset/v1\0" + LEDGER).digest()


def test_wrong_arguments() -> None:
    for size in (0, 31, 33):
        with pytest.raises(Usage):
            asset_digest(bytes(size), "a/b")
        with pytest.raises(Usage):
            target_of_record(bytes(size))
        with pytest.raises(Usage):
            target_of_asset(bytes(size).hex())
        with pytest.raises(Usage):
            seal(bytes(size), b"")
    with pytest.raises(Usage):
        declared_digest(LEDGER, "a" * 65536, "")
    with pytest.raises(FormatError, match="run id"):
        run_digest(LEDGER, "\ud800")


ENTRIES = [
    ManifestEntry("f", ONE, 1, "b"),
    ManifestEntry("d", EMPTY, 0, "a/empty"),
    ManifestEntry("f", EMPTY, 0, "a-x"),
    ManifestEntry("l", ONE, 1, "é\nü"),
    ManifestEntry("f", ONE, 1, "a/ b "),
]
MANIFEST = f"f {EMPTY} 0 a-x\0f {ONE} 1 a/ b \0d {EMPTY} 0 a/empty\0f {ONE} 1 b\0l {ONE} 1 é\nü\0".encode()


def test_manifest() -> None:
    assert encode_manifest(ENTRIES) == encode_manifest(reversed(ENTRIES)) == MANIFEST
    assert sorted(decode_manifest(MANIFEST)) == sorted(ENTRIES)
    assert tree_digest(ENTRIES) == sha256(b"dataledger/tree/v1\0" + MANIFEST).hexdigest()
    assert encode_manifest([]) == b""
    assert decode_manifest(b"") == []
    assert tree_digest([]) == sha256(b"dataledger/tree/v1\0").hexdigest()


def test_paths_go_by_bytes_not_by_code_points_or_segments() -> None:
    paths = ["a", "a.b", "b/c", "b0", "\uffee", "\U0001f600"]
    entries = [ManifestEntry("f", ONE, 1, path) for path in paths]
    assert [entry.path for entry in decode_manifest(encode_manifest(entries))] == paths


@pytest.mark.parametrize(
    "entries",
    [
        [("f", ONE, 1, "")],
        [("f", ONE, 1, "/a")],
        [("f", ONE, 1, "a/")],
        [("f", ONE, 1, "a//b")],
        [("f", ONE, 1, ".")],
        [("f", ONE, 1, "a/..")],
        [("f", ONE, 1, "../a")],
        [("f", ONE, 1, "a\0b")],
        [("f", ONE, 1, "\udcff")],
        [("f", ONE, 1, "a" * 4097)],
        [("x", ONE, 1, "a")],
        [("", ONE, 1, "a")],
        [("f", ONE.upper(), 1, "a")],
        [("f", ONE[1:], 1, "a")],
        [("f", ONE, -1, "a")],
        [("f", ONE, 2**63, "a")],
        [("f", ONE, 0, "a")],
        [("f", EMPTY, 1, "a")],
        [("d", ONE, 1, "a")],
        [("l", EMPTY, 0, "a")],
        [("f", ONE, 1, "a"), ("f", ONE, 1, "a")],
        [("f", ONE, 1, "a"), ("d", EMPTY, 0, "a")],
        [("f", ONE, 1, "a"), ("f", ONE, 1, "a-b"), ("f", ONE, 1, "a/b")],
        [("l", ONE, 1, "a"), ("f", ONE, 1, "a/b/c")],
        [("d", EMPTY, 0, "a/b"), ("f", ONE, 1, "a/b/c")],
    ],
)
def test_what_no_folder_holds(entries: list[Any]) -> None:
    with pytest.raises(FormatError, match="manifest"):
        encode_manifest(ManifestEntry(*entry) for entry in entries)


@pytest.mark.parametrize(
    "data",
    [
        b"\0",
        MANIFEST[:-1],
        MANIFEST + b"\0",
        MANIFEST + MANIFEST,
        b"\0" + MANIFEST,
        f"f {ONE} 1 b\0f {ONE} 1 a\0".encode(),
        f"f {ONE} 01 a\0".encode(),
        f"f {ONE} +1 a\0".encode(),
        f"f {ONE} 9223372036854775808 a\0".encode(),
        f"f {ONE} 1  a\0f {ONE} 1 a\0".encode()[:-1],
        f"f  {ONE} 1 a\0".encode(),
        f"f {ONE} 1 \0".encode(),
        f"f {ONE} 1 ".encode() + b"\xff\0",
    ],
)
def test_manifest_refused(data: bytes) -> None:
    with pytest.raises(FormatError, match="manifest"):
        decode_manifest(data)


@pytest.mark.parametrize(
    ("length", "padded"), [(0, 256), (1, 256), (248, 256), (249, 512), (504, 512), (505, 1024)]
)
def test_seal(length: int, padded: int) -> None:
    content = b"\1" * length
    digest, preimage = seal(LEDGER, content)
    framed = length.to_bytes(8, "big") + content
    assert preimage == b"dataledger/sealed/v1\0" + LEDGER + framed + bytes(padded - len(framed))
    assert digest == sha256(preimage).hexdigest()
    assert unseal(preimage) == content
    head, tail = sealed_frame(LEDGER, length)
    assert head + content + tail == preimage


def test_unseal_refuses_what_seal_does_not_make() -> None:
    _, preimage = seal(LEDGER, b"content")
    start = len(b"dataledger/sealed/v1\0") + 32
    for bad in (
        b"",
        preimage[:start],
        preimage[:-1],
        preimage + b"\0",
        preimage[:-1] + b"\1",
        b"x" + preimage[1:],
        preimage[:start] + (8).to_bytes(8, "big")[:7] + b"\xff" + preimage[start + 8 :],
        preimage[:start] + b"\xff" * 8 + preimage[start + 8 :],
        preimage + bytes(256),
        preimage[: start + 8 + 7],
    ):
        with pytest.raises(FormatError, match="sealed attachment"):
            unseal(bad)
