from __future__ import annotations

import pytest

from ledger.core import identity
from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256

ADDRESS = bytes(range(20))
DID = "did:ethr:0x539:0x" + ADDRESS.hex()
KEY = bytes(range(100, 132))


@pytest.mark.parametrize("chain_id", [1, 15, 16, 1337, 2**256 - 1])
def test_did(chain_id: int) -> None:
    did = identity.format_did(chain_id, ADDRESS)
    assert did == f"did:ethr:{hex(chain_id)}:0x{ADDRESS.hex()}"
    assert identity.parse_did(did) == (chain_id, ADDRESS)


@pytest.mark.parametrize(
    "did",
    ["", DID + "\n", " " + DID, DID[:-1], DID + "0", DID.replace("0x539", "0x0539"),
     DID.replace("0x539", "0x0"),
     DID.replace("0x539", "1337"), DID.replace("0x539", "0x53G"), DID.replace("0x539", "0x" + "1" * 65),
     DID.replace("ethr", "web"), DID.upper(), DID.replace("0a0b", "0A0b"), DID + "#" + "0" * 64,
     "did:ethr:0x" + ADDRESS.hex(), "did:ethr:mainnet:0x" + ADDRESS.hex()],
)  # fmt: skip
def test_not_dids(did: str) -> None:
    with pytest.raises(FormatError, match="party"):
        identity.parse_did(did)


@pytest.mark.parametrize(
    ("chain_id", "address"), [(0, ADDRESS), (-1, ADDRESS), (2**256, ADDRESS), (1, ADDRESS[1:]), (1, b"")]
)
def test_did_out_of_bounds(chain_id: int, address: bytes) -> None:
    with pytest.raises(FormatError, match="party"):
        identity.format_did(chain_id, address)


def test_keyid() -> None:
    keyid = identity.format_keyid(DID, KEY)
    assert keyid == f"{DID}#{KEY.hex()}"
    assert identity.parse_keyid(keyid) == (DID, KEY)


@pytest.mark.parametrize(
    "keyid",
    ["", DID, DID + "#", f"{DID}#{KEY.hex()[1:]}", f"{DID}#{KEY.hex().upper()}", f"{DID}#{KEY.hex()}\n",
     f"#{KEY.hex()}", f"{DID}##{KEY.hex()}", f"{DID}#delegate-1"],
)  # fmt: skip
def test_not_keyids(keyid: str) -> None:
    with pytest.raises(FormatError):
        identity.parse_keyid(keyid)


def test_keyid_out_of_bounds() -> None:
    with pytest.raises(FormatError, match="key id"):
        identity.format_keyid(DID, KEY[1:])
    with pytest.raises(FormatError, match="party"):
        identity.format_keyid(DID[1:], KEY)


def test_log_id_is_the_abi_encoding() -> None:
    anchors = b"\xaa" * 20
    words = [(1337).to_bytes(32, "big"), anchors.rjust(32, b"\0"), ADDRESS.rjust(32, b"\0")]
    words.append((7).to_bytes(32, "big"))
    assert identity.log_id(1337, anchors, ADDRESS, 7) == keccak256(b"".join(words))


def test_log_id_binds_everything() -> None:
    anchors = b"\xaa" * 20
    ids = {
        identity.log_id(1337, anchors, ADDRESS, 0),
        identity.log_id(1338, anchors, ADDRESS, 0),
        identity.log_id(1337, ADDRESS, ADDRESS, 0),
        identity.log_id(1337, anchors, anchors, 0),
        identity.log_id(1337, anchors, ADDRESS, 1),
    }
    assert len(ids) == 5


@pytest.mark.parametrize(
    ("chain_id", "anchors", "owner", "number"),
    [
        (0, 20, 20, 0),
        (2**256, 20, 20, 0),
        (1, 19, 20, 0),
        (1, 20, 32, 0),
        (1, 20, 20, -1),
        (1, 20, 20, 2**256),
    ],
)
def test_log_id_out_of_bounds(chain_id: int, anchors: int, owner: int, number: int) -> None:
    with pytest.raises(FormatError, match="log"):
        identity.log_id(chain_id, bytes(anchors), bytes(owner), number)
