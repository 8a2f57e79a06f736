from __future__ import annotations

import pytest

from ledger.core import names
from ledger.core.errors import FormatError
from ledger.core.hashing import keccak256

LEDGER = "ab" * 32
DIGEST = "cd" * 32


@pytest.mark.parametrize(
    "text", ["a", "acme", "gz.weather", "0", "a-b.c--d", "a" * 63, ".".join(["a" * 63, "b" * 63])]
)
def test_namespaces(text: str) -> None:
    names.check_namespace(text)
    assert names.node(text) == keccak256(text.encode())


@pytest.mark.parametrize(
    "text",
    ["", ".", "a.", ".a", "a..b", "-a", "a-", "A", "a_b", "a/b", "a b", "ä", "a\n", "a" * 64,
     ".".join(["a" * 63, "b" * 63, "c"]), "a\u0131", "\u0661"],
)  # fmt: skip
def test_not_namespaces(text: str) -> None:
    with pytest.raises(FormatError, match="namespace"):
        names.check_namespace(text)
    with pytest.raises(FormatError):
        names.node(text)


@pytest.mark.parametrize(
    "text",
    ["a/b", "acme/orders", "gz.weather/stations/hourly", "a/_x", "a/1.csv", "a/b-_.", "a/" + "x" * 253],
)
def test_assets(text: str) -> None:
    names.check_asset(text)
    assert names.is_asset(text)
    assert names.namespace_of(text) == text[: text.index("/")]


@pytest.mark.parametrize(
    "text",
    ["", "a", "a/", "/a", "a//b", "a/.b", "a/..", "a/../b", "a/-b", "a/B", "a/b@1", "a/b:c", "a/b c", "a/b\n",
     "A/b", "a_/b", "a/é", "a/" + "x" * 254, "a." * 63 + "aa/b"],
)  # fmt: skip
def test_not_assets(text: str) -> None:
    assert not names.is_asset(text)
    with pytest.raises(FormatError, match="asset"):
        names.check_asset(text)


def test_parent() -> None:
    assert names.parent_of("gz.weather.north") == "gz.weather"
    assert names.parent_of("gz") is None


@pytest.mark.parametrize("number", [1, 2, 10, 2**53 - 1])
def test_version(number: int) -> None:
    text = names.format_version("acme/orders", number)
    assert text == f"acme/orders@{number}"
    assert names.parse_version(text) == ("acme/orders", number)


@pytest.mark.parametrize("number", [0, -1, 2**53])
def test_version_number_out_of_bounds(number: int) -> None:
    with pytest.raises(FormatError, match="version number"):
        names.format_version("acme/orders", number)


@pytest.mark.parametrize(
    "text",
    ["acme/orders", "acme/orders@", "acme/orders@0", "acme/orders@01", "acme/orders@-1", "acme/orders@1.0",
     "acme/orders@1@2", "acme/orders@latest", "acme/orders@9007199254740992", "acme/orders@99999999999999999",
     "acme/orders@\u0661", "acme@1"],
)  # fmt: skip
def test_not_versions(text: str) -> None:
    with pytest.raises(FormatError):
        names.parse_version(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a/b", names.Reference("a/b")),
        ("a/b@7", names.Reference("a/b", number=7)),
        ("a/b@latest", names.Reference("a/b", latest=True)),
        (f"a/b@sha256:{DIGEST}", names.Reference("a/b", digest=("sha256", DIGEST))),
        (f"a/b@dataledger-tree-v1:{DIGEST}", names.Reference("a/b", digest=("dataledger-tree-v1", DIGEST))),
        (
            f"a/b@dataledger-declared-v1:{DIGEST}",
            names.Reference("a/b", digest=("dataledger-declared-v1", DIGEST)),
        ),
        (f"dataledger:{LEDGER}/a/b", names.Reference("a/b", ledger=LEDGER)),
        (f"dataledger:{LEDGER}/a/b@3", names.Reference("a/b", number=3, ledger=LEDGER)),
    ],
)
def test_references(text: str, expected: names.Reference) -> None:
    assert names.parse_reference(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    "text",
    ["", "a", "@1", "a/b@", "a/b@Latest", "a/b@latest@1", f"a/b@sha512:{DIGEST}", f"a/b@sha256:{DIGEST[1:]}",
     f"a/b@sha256:{DIGEST.upper()}", f"a/b@sha256:{DIGEST}\n", f"a/b@dataledger-asset-v1:{DIGEST}",
     "dataledger:a/b", f"dataledger:{LEDGER}", f"dataledger:{LEDGER}/a", f"dataledger:{LEDGER.upper()}/a/b",
     f"dataledger:{LEDGER}//a/b", f"Dataledger:{LEDGER}/a/b"],
)  # fmt: skip
def test_not_references(text: str) -> None:
    with pytest.raises(FormatError):
        names.parse_reference(text)


def test_message_is_bounded_and_escaped() -> None:
    with pytest.raises(FormatError) as caught:
        names.check_asset("\x1b[2J" * 100_000)
    assert len(str(caught.value)) < 400
    assert "\x1b" not in str(caught.value)
