"""What is shipped of the contracts: made from the sources, complete, and where the formats say it stands."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from ledger.chain import artifacts
from ledger.core import releases
from ledger.core.errors import Corrupt, NotFound
from ledger.core.hashing import keccak256

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "contracts").rglob("*.vy"))


@pytest.fixture(scope="module")
def build():
    """contracts/build.py, which is a script."""
    spec = importlib.util.spec_from_file_location("contracts_build", ROOT / "contracts" / "build.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def built(build):
    return build.build()


def test_artifacts_are_those_of_the_sources(build, built):
    for name, text in built.items():
        assert (build.PACKAGE / name).read_text() == text, f"{name}: run python contracts/build.py"
    found = (build.PACKAGE / build.ARTIFACTS).glob("*.json")
    assert {f"{build.ARTIFACTS}/{path.name}" for path in found} | {build.KNOWN} == set(built)


def test_check_notices_and_build_mends(build, built, tmp_path, monkeypatch, capsys):
    for name, text in built.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    monkeypatch.setattr(build, "PACKAGE", tmp_path)
    monkeypatch.setattr(build, "build", lambda: built)
    monkeypatch.setattr(sys, "argv", ["build.py", "--check"])
    assert build.main() == 0
    anchors = f"{build.ARTIFACTS}/Anchors.json"
    (tmp_path / anchors).write_text("{}")
    (tmp_path / build.KNOWN).unlink()
    assert build.main() == 1
    assert f"{anchors}, {build.KNOWN}" in capsys.readouterr().err
    assert (tmp_path / anchors).read_text() == "{}"
    monkeypatch.setattr(sys, "argv", ["build.py"])
    assert build.main() == 0
    assert (tmp_path / anchors).read_text() == built[anchors]


def test_earlier_releases_stay_known(build):
    def artifact(code: str) -> dict:
        fields = {
            "init_code": code,
            "init_code_hash": f"hash of {code}",
            "runtime_code_hash": "",
            "storage_layout": {},
        }
        return {"name": "Anchors", **fields}

    known: dict = {}
    for release, code in [("0.1", "a"), ("0.1", "b"), ("0.2", "b"), ("0.3", "c"), ("0.4", "b"), ("0.3", "d")]:
        build.update_known(known, [artifact(code)], release)
    assert [(each["init_code"], each["releases"]) for each in known["Anchors"]] == [
        ("b", ["0.1", "0.2", "0.4"]),
        ("d", ["0.3"]),
    ]


@pytest.mark.parametrize("name", artifacts.CONTRACTS)
def test_shipped_contract_is_whole(name):
    shipped = artifacts.load(name)
    assert shipped.name == name
    assert shipped.compiler == "vyper 0.4.3"
    assert keccak256(shipped.init_code) == shipped.init_code_hash
    assert keccak256(shipped.runtime_code) == shipped.runtime_code_hash
    assert shipped.runtime_code in shipped.init_code
    assert len(shipped.runtime_code) <= 24_576
    known = releases.find_code(name, shipped.init_code_hash)
    assert known in releases.known_codes(name)
    assert (known.init_code, known.runtime_code_hash) == (shipped.init_code, shipped.runtime_code_hash)
    assert known.storage_layout == shipped.storage_layout
    assert releases.find_code(name, bytes(32)) is None
    for code in releases.known_codes(name):
        assert keccak256(code.init_code) == code.init_code_hash
        assert code.releases


def test_unknown_and_broken_artifacts(monkeypatch, tmp_path):
    for ask in (artifacts.load, releases.known_codes):
        with pytest.raises(NotFound, match="Anchors"):
            ask("../Anchors")
    monkeypatch.setattr(artifacts.resources, "files", lambda _: tmp_path)
    for content in (None, b"", b"{", b'{"name": 1}', b"\xff"):
        if content is not None:
            (tmp_path / "Anchors.json").write_bytes(content)
        with pytest.raises(Corrupt, match=r"Anchors\.json"):
            artifacts.load.__wrapped__("Anchors")


def test_loading_imports_no_chain_library():
    program = (
        "import sys; from ledger.chain import artifacts; artifacts.load('Anchors');"
        "print([m for m in ('web3', 'eth', 'eth_tester', 'eth_abi', 'rlp') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def documented_layout(contract: str) -> dict[str, tuple[int, int]]:
    """Variable -> (slot, number of keys), from the table in docs/formats.md."""
    text = (ROOT / "docs" / "formats.md").read_text()
    table = text.split(f"| {contract} | slot | keys | word |\n", 1)[1].split("\n\n", 1)[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[1:]]
    return {row[0].strip("`"): (int(row[1]), len(row[2].split(",")) if row[2] else 0) for row in rows}


@pytest.mark.parametrize("name", artifacts.CONTRACTS[1:])
def test_storage_layout_is_the_documented_one(name):
    layout = artifacts.load(name).storage_layout
    found = {variable: (place.slot, place.type.count("HashMap[")) for variable, place in layout.items()}
    assert found == documented_layout(name)
    assert all(place.n_slots == 1 for place in layout.values())


def test_deployer_keeps_nothing():
    assert artifacts.load("Deployer").storage_layout == {}


JUMPDEST, PUSH1, PUSH32 = 0x5B, 0x60, 0x7F
ENDS = {0x00, 0x56, 0xF3, 0xFD, 0xFE}  # STOP, JUMP, RETURN, REVERT, INVALID
FORBIDDEN = {0xF2: "CALLCODE", 0xF4: "DELEGATECALL", 0xFF: "SELFDESTRUCT"}
SURROUNDINGS = {
    0x31: "BALANCE", 0x32: "ORIGIN", 0x33: "CALLER", 0x3A: "GASPRICE", 0x3B: "EXTCODESIZE",
    0x3F: "EXTCODEHASH", 0x40: "BLOCKHASH", 0x41: "COINBASE", 0x42: "TIMESTAMP", 0x43: "NUMBER",
    0x44: "PREVRANDAO", 0x46: "CHAINID", 0x47: "SELFBALANCE", 0x54: "SLOAD", 0x5A: "GAS", 0xF0: "CREATE",
    0xF1: "CALL", 0xF5: "CREATE2", 0xFA: "STATICCALL", **FORBIDDEN,
}  # fmt: skip


def opcodes(code: bytes) -> set[int]:
    """The opcodes that can run: what follows an end or a jump is data, until the next jump destination."""
    found, at, runs = set(), 0, True
    while at < len(code):
        opcode = code[at]
        runs = runs or opcode == JUMPDEST
        if runs:
            found.add(opcode)
            runs = opcode not in ENDS
        at += 1 + (opcode - PUSH1 + 1 if PUSH1 <= opcode <= PUSH32 else 0)
    return found


@pytest.mark.parametrize("name", artifacts.CONTRACTS)
def test_code_can_not_be_replaced(name):
    shipped = artifacts.load(name)
    assert opcodes(shipped.runtime_code) >= {
        0x35,
        0x52,
        0xF3,
    }  # the sweep reads code: CALLDATALOAD, MSTORE, RETURN
    assert not {FORBIDDEN[op] for op in opcodes(shipped.runtime_code) & set(FORBIDDEN)}
    constructor = shipped.init_code[: shipped.init_code.index(shipped.runtime_code)]
    assert not {SURROUNDINGS[op] for op in opcodes(constructor) & set(SURROUNDINGS)}


def test_every_refusal_has_a_reason_and_every_reason_a_test():
    source = "".join(path.read_text() for path in SOURCES)
    reasons = re.findall(r'^ *(?:assert .*|\)), "([^"]+)"$', source, re.MULTILINE)
    assert len(reasons) == source.count("assert ") >= 40
    tests = "".join(path.read_text() for path in Path(__file__).parent.glob("test_*.py"))
    assert {reason for reason in reasons if f'"{reason}"' not in tests} == set()


def test_files_are_as_msgspec_reads_them():
    """Nothing in the files is left unread but the order: a field that was renamed would be noticed."""
    for name in artifacts.CONTRACTS:
        raw = msgspec.json.decode((ROOT / f"ledger/chain/artifacts/{name}.json").read_bytes())
        assert set(raw) == set(artifacts.Artifact.__struct_fields__)
