"""Attachments: named by their digest, checked when read, private ones sealed and forgettable."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.core.digests import seal
from ledger.core.errors import Corrupt, FormatError, Usage
from ledger.store import attachments
from ledger.store.attachments import PrivateAttachments, PublicAttachments


@pytest.fixture
def public(tmp_path: Path) -> PublicAttachments:
    return PublicAttachments(tmp_path / "public" / "attachments")


@pytest.fixture
def private(tmp_path: Path) -> PrivateAttachments:
    return PrivateAttachments(tmp_path / "private" / "attachments")


def test_public(public: PublicAttachments) -> None:
    digest = public.put(b"an event")
    assert digest == hashlib.sha256(b"an event").hexdigest()
    assert public.get(digest) == b"an event"
    assert public.has(digest)
    assert public.path(digest).read_bytes() == b"an event"
    assert public.path(digest).stat().st_mode & 0o777 == 0o644
    assert public.put(b"an event") == digest


def test_many_at_once(public: PublicAttachments, private: PrivateAttachments) -> None:
    contents = [b"%d" % (number % 150) for number in range(300)]
    digests = public.put_many(contents)
    assert [public.get(digest) for digest in digests] == contents
    assert len(list(public.folder.iterdir())) == 150
    sealed = private.put_many(contents)
    assert [private.get(digest) for digest in sealed] == contents
    assert private.digests() == sorted(set(sealed))
    assert len(private.digests()) == 300
    assert public.put_many([]) == []


def test_private(private: PrivateAttachments) -> None:
    digest = private.put(b"a price", b"\5" * 32)
    expected, preimage = seal(b"\5" * 32, b"a price")
    assert digest == expected
    assert private.get(digest) == b"a price"
    assert private.get_sealed(digest) == preimage
    assert private.path(digest).stat().st_mode & 0o777 == 0o600
    assert private.folder.stat().st_mode & 0o777 == 0o700
    assert private.put(b"a price") != digest


def test_handed_over(private: PrivateAttachments, tmp_path: Path) -> None:
    other = PrivateAttachments(tmp_path / "other")
    digest = private.put(b"a price")
    preimage = private.get_sealed(digest)
    assert preimage is not None
    assert other.put_sealed([preimage]) == [digest]
    assert other.get(digest) == b"a price"
    with pytest.raises(FormatError):
        other.put_sealed([b"anything else"])


def test_forgotten(private: PrivateAttachments) -> None:
    digest = private.put(b"a name")
    (private.folder / f".{digest}.1-0.tmp").write_bytes(b"left by a crash")
    kept = private.put(b"another name")
    private.forget({digest})
    private.forget({digest})
    assert private.get(digest) is None
    assert private.get(kept) == b"another name"
    private.forget({kept})
    assert list(private.folder.iterdir()) == []


def test_missing_is_none(public: PublicAttachments, private: PrivateAttachments) -> None:
    assert public.get("ab" * 32) is None
    assert private.get("ab" * 32) is None
    assert private.get_sealed("ab" * 32) is None
    assert not public.has("ab" * 32)
    assert public.digests() == []
    private.forget({"ab" * 32})


@pytest.mark.parametrize("digest", ["", "../../keys", "AB" * 32, "ab" * 31, "ab" * 33, "/" + "a" * 63])
def test_only_digests_are_names(public: PublicAttachments, private: PrivateAttachments, digest: str) -> None:
    for ask in (public.get, public.has, private.get):
        with pytest.raises(FormatError):
            ask(digest)
    with pytest.raises(FormatError):
        private.forget({digest})


def test_a_flipped_bit(public: PublicAttachments, private: PrivateAttachments) -> None:
    for store in (public, private):
        digest = store.put(b"content")
        path = store.path(digest)
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
        with pytest.raises(Corrupt, match=digest):
            store.get(digest)


def test_putting_mends_what_was_damaged(public: PublicAttachments) -> None:
    digest = public.put(b"content")
    public.path(digest).write_bytes(b"")
    assert public.put(b"content") == digest
    assert public.get(digest) == b"content"


def test_too_large(
    public: PublicAttachments, private: PrivateAttachments, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attachments, "MAX_ATTACHMENT", 10)
    for store in (public, private):
        store.put(b"x" * 10)
        with pytest.raises(Usage, match="at most 10 bytes"):
            store.put(b"x" * 11)


@given(st.binary(max_size=5000))
def test_anything_comes_back(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.getbasetemp() / "shared"
    for store in (PublicAttachments(folder / "a"), PrivateAttachments(folder / "b")):
        assert store.get(store.put(data)) == data
