"""Which Ed25519 signatures are valid, pinned: another libsodium with another rule must fail here.

The rule (docs/formats.md section 4): S below the order, R and A canonical and not of small order, and
S B = R + h A exactly, without the cofactor.
"""

from __future__ import annotations

import pytest

from ledger.core.errors import SignatureInvalid
from ledger.core.signing import verify
from tests.conformance import edwards as curve

SECRET, NONCE = 0x1234567890ABCDEF, 0xFEDCBA0987654321


def accepted(a: bytes, r: bytes, s: int, message: bytes) -> bool:
    try:
        verify(a, r + s.to_bytes(32, "little"), message)
    except SignatureInvalid:
        return False
    return True


@pytest.mark.parametrize("a_torsion", range(8))
@pytest.mark.parametrize("r_torsion", range(8))
def test_equation_without_cofactor(a_torsion: int, r_torsion: int) -> None:
    """A key or R outside the prime-order group is judged by the exact equation, for every combination."""
    a = curve.encode(curve.add(curve.multiply(SECRET, curve.BASE), curve.SMALL_ORDER[a_torsion]))
    r = curve.encode(curve.add(curve.multiply(NONCE, curve.BASE), curve.SMALL_ORDER[r_torsion]))
    for number in range(12):
        message = b"message %d" % number
        h = curve.challenge(r, a, message)
        s = (NONCE + h * SECRET) % curve.ORDER
        assert accepted(a, r, s, message) == ((r_torsion + h * a_torsion) % 8 == 0)


def spellings(point: curve.Point) -> list[bytes]:
    """Return all that a lenient decoder takes for the point: y or y + p, and for x = 0 either sign."""
    ys = [y for y in (point[1], point[1] + curve.P) if y < 2**255]
    signs = (0, 1) if point[0] == 0 else (point[0] & 1,)
    return [(y | sign << 255).to_bytes(32, "little") for y in ys for sign in signs]


SMALL = sorted({spelling for point in curve.SMALL_ORDER for spelling in spellings(point)})


def test_there_are_fourteen_spellings_of_small_order() -> None:
    assert len(curve.SMALL_ORDER) == len(set(curve.SMALL_ORDER)) == 8
    assert len(SMALL) == 14


@pytest.mark.parametrize("a", SMALL, ids=bytes.hex)
def test_keys_of_small_order_are_refused(a: bytes) -> None:
    for r in [curve.encode(curve.multiply(NONCE, curve.BASE)), *SMALL]:
        for number in range(16):  # for some of these the equation holds: h A vanishes
            assert not accepted(a, r, NONCE, b"%d" % number)
            assert not accepted(a, r, 0, b"%d" % number)


@pytest.mark.parametrize("r", SMALL, ids=bytes.hex)
def test_r_of_small_order_is_refused(r: bytes) -> None:
    a = curve.encode(curve.multiply(SECRET, curve.BASE))
    for number in range(16):
        message = b"%d" % number
        h = curve.challenge(r, a, message)
        assert not accepted(a, r, h * SECRET % curve.ORDER, message)


def test_s_beyond_the_order_is_refused() -> None:
    a, r = (curve.encode(curve.multiply(k, curve.BASE)) for k in (SECRET, NONCE))
    s = (NONCE + curve.challenge(r, a, b"m") * SECRET) % curve.ORDER
    assert accepted(a, r, s, b"m")
    for factor in range(1, 16):
        if s + factor * curve.ORDER < 2**256:
            assert not accepted(a, r, s + factor * curve.ORDER, b"m")


def test_non_canonical_encodings_are_refused() -> None:
    """Nobody knows the logarithm of such a point, so the encoding alone decides."""
    good = curve.encode(curve.multiply(NONCE, curve.BASE))
    for y in range(19):
        for sign in (0, 1):
            bad = (y + curve.P | sign << 255).to_bytes(32, "little")
            assert not accepted(bad, good, NONCE, b"m")
            with pytest.raises(SignatureInvalid, match="R is not canonical"):
                verify(good, bad + bytes(32), b"m")
    largest = (curve.P - 1).to_bytes(32, "little")  # canonical: refused for its order, not for its encoding
    with pytest.raises(SignatureInvalid, match="is not one by key"):
        verify(good, largest + bytes(32), b"m")


def test_keys_that_are_no_points_are_refused() -> None:
    bad = [y for y in range(2, 40) if curve.recover_x(y, 0) is None]
    assert bad
    for y in bad:
        assert not accepted(y.to_bytes(32, "little"), curve.encode(curve.BASE), 1, b"m")
