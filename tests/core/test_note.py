"""Signed notes: the specification's rules, each broken once."""

from __future__ import annotations

import base64

import pytest

from ledger.core.errors import FormatError, SignatureInvalid, Usage
from ledger.core.note import (
    MAX_NOTE,
    NoteSignature,
    Verifier,
    format_vkey,
    key_id,
    open_note,
    parse_note,
    parse_vkey,
    sign_note,
)
from ledger.core.signing import signer

NAME = "example.com/log"
SIGNER = signer(bytes(32))
VERIFIER = Verifier(NAME, SIGNER.public_key)
TEXT = "first line\n\nsecond \u2014 line\n"
NOTE = sign_note(TEXT, NAME, SIGNER)
LINE = NOTE.decode().splitlines()[-1]


def test_sign_and_open() -> None:
    assert open_note(NOTE, [VERIFIER]) == TEXT
    note = parse_note(NOTE)
    assert note.text == TEXT
    signature = SIGNER.sign(TEXT.encode())
    assert note.signatures == [NoteSignature(NAME, key_id(NAME, SIGNER.public_key), signature)]
    encoded = base64.b64encode(key_id(NAME, SIGNER.public_key) + signature).decode()
    assert NOTE.decode() == f"{TEXT}\n\u2014 {NAME} {encoded}\n"


def test_unknown_signatures_are_ignored() -> None:
    other = signer(b"\1" * 32)
    stranger = "\u2014 witness.example " + base64.b64encode(b"abcd" + bytes(5000)).decode() + "\n"
    same_name = sign_note(TEXT, NAME, other)[len(TEXT.encode()) + 1 :].decode()
    note = NOTE + (stranger + same_name).encode()
    assert open_note(note, [VERIFIER]) == TEXT
    assert open_note(note, [Verifier(NAME, other.public_key)]) == TEXT
    assert open_note(note, [Verifier("else", bytes(32)), VERIFIER]) == TEXT
    for verifiers in ([], [Verifier("example.com", SIGNER.public_key)], [Verifier(NAME, b"\2" * 32)]):
        with pytest.raises(
            SignatureInvalid, match=r"expected a signature by a known key, got ones by .*example"
        ):
            open_note(note, verifiers)


def test_a_known_key_must_verify() -> None:
    changed = NOTE.replace(b"first", b"First")
    with pytest.raises(SignatureInvalid):
        open_note(changed, [VERIFIER])
    twice = (
        NOTE
        + ("\u2014 " + NAME + " " + base64.b64encode(key_id(*VERIFIER) + bytes(64)).decode() + "\n").encode()
    )
    with pytest.raises(SignatureInvalid):
        open_note(twice, [VERIFIER])
    short = f"{TEXT}\n\u2014 {NAME} {base64.b64encode(key_id(*VERIFIER) + b'x').decode()}\n".encode()
    with pytest.raises(SignatureInvalid, match="a signature of 64 bytes"):
        open_note(short, [VERIFIER])


def test_two_keys_of_one_id(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ledger.core.note.key_id", lambda name, public_key: b"same")
    other = signer(b"\1" * 32)
    both = [VERIFIER, Verifier(NAME, other.public_key)]
    for each in (SIGNER, other):
        assert open_note(sign_note(TEXT, NAME, each), both) == TEXT
    with pytest.raises(SignatureInvalid):
        open_note(sign_note(TEXT, NAME, signer(b"\2" * 32)), both)


@pytest.mark.parametrize(
    "note",
    [
        "",
        "\n",
        "\n\n",
        TEXT,
        TEXT + "\n",
        f"{TEXT}{LINE}\n",
        f"{TEXT}\n{LINE}",
        f"{TEXT}\n{LINE}\n\n",
        f"{TEXT}\n{LINE}\nx\n",
        f"{TEXT}\n{LINE}\n{LINE.replace(' ', '  ', 1)}\n",
        f"{TEXT}\n{LINE} \n",
        f"{TEXT}\n{LINE[1:]}\n",
        f"{TEXT}\n-- {LINE[2:]}\n",
        f"{TEXT}\n{LINE.rstrip('=')[:-1]}\n",
        f"{TEXT}\n\u2014 {NAME}\n",
        f"{TEXT}\n\u2014 {NAME} \n",
        f"{TEXT}\n\u2014  {LINE.split()[-1]}\n",
        f"{TEXT}\n\u2014 a+b {LINE.split()[-1]}\n",
        f"{TEXT}\n\u2014 a\u2003b {LINE.split()[-1]}\n",
        f"{TEXT}\n\u2014 {NAME} YWJjZA==\n",
        f"\r{TEXT}\n{LINE}\n",
        f"\t{TEXT}\n{LINE}\n",
        f"\0{TEXT}\n{LINE}\n",
        f"{TEXT}\r\n{LINE}\n",
        f"{TEXT}\n{LINE}\r\n",
        f"{TEXT}\n" + f"{LINE}\n" * 101,
        "x" * MAX_NOTE + "\n\n" + LINE + "\n",
    ],
)
def test_refused(note: str) -> None:
    with pytest.raises(FormatError):
        open_note(note.encode(), [VERIFIER])


def test_refused_when_not_utf8() -> None:
    with pytest.raises(FormatError):
        open_note(NOTE.replace(b"first", b"\xff"), [VERIFIER])


@pytest.mark.parametrize("text", ["", "x", "x\ty\n", "x\r\n", "\ud800\n", "\x1f\n"])
def test_no_such_text_is_signed(text: str) -> None:
    with pytest.raises(Usage):
        sign_note(text, NAME, SIGNER)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\tb", "\ud800"])
def test_no_such_name_signs(name: str) -> None:
    with pytest.raises(Usage):
        sign_note(TEXT, name, SIGNER)


def test_verifier_keys() -> None:
    text = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"  # Go's documentation has it
    verifier = parse_vkey(text)
    assert verifier.name == "PeterNeumann"
    assert format_vkey(verifier) == text
    # ... and this note by it
    note = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n\n"
        "\u2014 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpR"
        "Zb6KE6RyyBwJnAM=\n"
    )
    assert open_note(note.encode(), [verifier]).startswith("If you think")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PeterNeumann",
        "PeterNeumann+c74f20a3",
        "PeterNeumann+c74f20a4+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+Ahpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10Q=",
        "+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "Peter Neumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
        "\ud800+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW",
    ],
)
def test_verifier_keys_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_vkey(text)
