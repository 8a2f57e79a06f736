"""What a sealed attachment tells: neither its content nor its exact size, and only one preimage has it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ledger.core.digests import MIN_SEALED, SALT_SIZE, seal, unseal
from ledger.core.errors import FormatError
from ledger.core.hashing import sha256

salts = st.binary(min_size=SALT_SIZE, max_size=SALT_SIZE)
HEAD = len(b"dataledger/sealed/v1\0") + SALT_SIZE


@given(salts, st.integers(0, 5000), st.integers(0, 5000))
def test_sizes_are_powers_of_two(salt: bytes, one: int, two: int) -> None:
    """Contents of different lengths can't be told apart as long as one power of two holds both."""
    sizes = [len(seal(salt, b"x" * length)[1]) - HEAD for length in (one, two)]
    for size, length in zip(sizes, (one, two), strict=True):
        assert size & size - 1 == 0
        assert max(MIN_SEALED, 8 + length) <= size <= max(MIN_SEALED, 2 * (8 + length) - 1)
    if max(one, two) <= MIN_SEALED - 8:
        assert sizes[0] == sizes[1]


@given(salts, salts, st.binary(max_size=600))
def test_the_same_content_under_another_salt(one: bytes, two: bytes, content: bytes) -> None:
    """Who knows the content can't tell by the digest that it is this: there is no salt to try it with."""
    assume(one != two)
    assert seal(one, content)[0] != seal(two, content)[0] != sha256(content).hex()


@given(salts, st.binary(max_size=600), st.binary(max_size=600))
def test_one_digest_is_one_content(salt: bytes, one: bytes, two: bytes) -> None:
    assert (seal(salt, one)[0] == seal(salt, two)[0]) == (one == two)
    assert unseal(seal(salt, one)[1]) == one


@given(salts, st.binary(max_size=600), st.data())
def test_every_bit_counts(salt: bytes, content: bytes, data: st.DataObject) -> None:
    """A flipped bit is refused as no preimage, or it is another digest's; padding is never free to choose."""
    digest, preimage = seal(salt, content)
    at = data.draw(st.integers(0, len(preimage) - 1))
    flipped = preimage[:at] + bytes([preimage[at] ^ 1 << data.draw(st.integers(0, 7))]) + preimage[at + 1 :]
    assert sha256(flipped).hex() != digest
    if at >= HEAD + 8 + len(content):
        with pytest.raises(FormatError, match="padding of zero bytes"):
            unseal(flipped)
