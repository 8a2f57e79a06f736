"""Checkpoints: text, signature, and the log they speak of."""

from __future__ import annotations

import pytest

from ledger.core.checkpoint import (
    TreeHead,
    format_checkpoint,
    log_origin,
    open_checkpoint,
    parse_checkpoint,
    parse_origin,
    sign_checkpoint,
)
from ledger.core.encoding import b64encode
from ledger.core.errors import FormatError, SignatureInvalid, Usage, WrongLedger
from ledger.core.merkle import EMPTY_ROOT
from ledger.core.note import sign_note
from ledger.core.signing import signer

LOG = bytes(range(32))
ORIGIN = "dataledger/log/" + LOG.hex()
ROOT = b"\7" * 32
R = b64encode(ROOT)
SIGNER = signer(bytes(32))


def test_text() -> None:
    assert format_checkpoint("example.com/x", 12, ROOT) == f"example.com/x\n12\n{R}\n"
    assert parse_checkpoint(f"example.com/x\n12\n{R}\n") == ("example.com/x", 12, ROOT)
    assert parse_checkpoint(f"o\n0\n{b64encode(EMPTY_ROOT)}\nmore\nlines\n") == TreeHead("o", 0, EMPTY_ROOT)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "o\n1\n",
        f"o\n1\n{R}",
        f"\n1\n{R}\n",
        f"o\n\n{R}\n",
        "o\n1\n\n",
        f"o\n1\n{R}\n\n",
        f"o\n1\n{R}\n\nx\n",
        f"o\n01\n{R}\n",
        f"o\n-1\n{R}\n",
        f"o\n+1\n{R}\n",
        f"o\n1 \n{R}\n",
        f"o\n9223372036854775808\n{R}\n",
        f"o\n1\n{R[:-1]}\n",
        f"o\n1\n {R}\n",
        f"o\n1\n{R}=\n",
        "o\n1\nYQ==\n",
        f"o\n0\n{R}\n",
    ],
)
def test_text_refused(text: str) -> None:
    with pytest.raises(FormatError):
        parse_checkpoint(text)


@pytest.mark.parametrize(
    ("origin", "size", "root"), [("", 1, ROOT), ("a\nb", 1, ROOT), ("a", -1, ROOT), ("a", 1, b"")]
)
def test_not_formatted(origin: str, size: int, root: bytes) -> None:
    with pytest.raises(Usage):
        format_checkpoint(origin, size, root)


def test_origin() -> None:
    assert log_origin(LOG) == ORIGIN
    assert parse_origin(ORIGIN) == LOG
    for origin in ("", "example.com", "dataledger/log/", ORIGIN + "0", ORIGIN.upper(), "x" + ORIGIN):
        with pytest.raises(FormatError, match="origin"):
            parse_origin(origin)
    with pytest.raises(Usage):
        log_origin(LOG[1:])


def test_signed() -> None:
    data = sign_checkpoint(LOG, 12, ROOT, SIGNER)
    assert open_checkpoint(data, LOG, [b"\1" * 32, SIGNER.public_key]) == TreeHead(ORIGIN, 12, ROOT)
    with pytest.raises(SignatureInvalid):
        open_checkpoint(data, LOG, [signer(b"\1" * 32).public_key])
    with pytest.raises(SignatureInvalid):
        open_checkpoint(data, ROOT, [SIGNER.public_key])
    with pytest.raises(FormatError):
        open_checkpoint(data[:-1], LOG, [SIGNER.public_key])


def test_another_log_under_this_ones_key_name() -> None:
    data = sign_note(format_checkpoint(log_origin(ROOT), 12, ROOT), ORIGIN, SIGNER)
    with pytest.raises(WrongLedger, match=r"expected one of log .*0001"):
        open_checkpoint(data, LOG, [SIGNER.public_key])
