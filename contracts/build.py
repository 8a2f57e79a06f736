"""Compile the contracts and write what the product ships of them.

    python contracts/build.py            write ledger/chain/artifacts/*.json and ledger/core/releases.json
    python contracts/build.py --check    compile and compare, write nothing; exit code 1 if something differs

`<Name>.json` is one contract as the current release deploys it. `releases.json` holds, for every
contract, each distinct code that any release has shipped, so that ledgers of earlier releases can go on being
checked: what is compiled goes under the version in pyproject.toml, and what belongs to other versions is
never touched.

The compiler appends nothing to the code (no metadata): a changed comment changes no address and no code hash.
Needs the packages `vyper` (the pinned version) and `safe-pysha3`.
"""

from __future__ import annotations

import argparse
import json
import sys
import tomllib
from pathlib import Path
from typing import Any

import sha3
import vyper
from vyper.compiler import compile_from_file_input
from vyper.compiler.input_bundle import FilesystemInputBundle

CONTRACTS = ("Deployer", "Identities", "Directory", "Anchors", "Revocations", "Settlement")
COMPILER = "0.4.3"
EVM_VERSION = "cancun"
OPTIMIZE = "gas"

SOURCES = Path(__file__).resolve().parent
PACKAGE = SOURCES.parent / "ledger"
ARTIFACTS = "chain/artifacts"
PYPROJECT = SOURCES.parent / "pyproject.toml"
KNOWN = "core/releases.json"
KNOWN_FIELDS = ("init_code_hash", "runtime_code_hash", "init_code", "storage_layout")


Known = dict[str, list[dict[str, Any]]]


def keccak_hex(code: bytes) -> str:
    """The keccak256 of code, 0x-prefixed."""
    return "0x" + sha3.keccak_256(code).hexdigest()


def compile_contract(name: str) -> dict[str, Any]:
    """Compile `<name>.vy` to an artifact; its settings are the pragmas in the source."""
    bundle = FilesystemInputBundle([SOURCES])
    out = compile_from_file_input(
        bundle.load_file(f"{name}.vy"),
        bundle,
        output_formats=["abi", "bytecode", "bytecode_runtime", "layout", "settings_dict"],
        no_bytecode_metadata=True,
    )
    settings = out["settings_dict"]
    if (settings.get("evm_version"), str(settings.get("optimize")).lower()) != (EVM_VERSION, OPTIMIZE):
        raise SystemExit(f"{name}.vy: expected pragmas {EVM_VERSION} and {OPTIMIZE}, found {settings}")
    init_code, runtime_code = out["bytecode"], out["bytecode_runtime"]
    return {
        "name": name,
        "compiler": f"vyper {COMPILER}",
        "settings": {"evm_version": EVM_VERSION, "optimize": OPTIMIZE, "bytecode_metadata": False},
        "init_code_hash": keccak_hex(bytes.fromhex(init_code[2:])),
        "runtime_code_hash": keccak_hex(bytes.fromhex(runtime_code[2:])),
        "storage_layout": {
            variable: {
                **place,
                "type": Path(place["type"]).stem if ".vyi" in place["type"] else place["type"],
            }
            for variable, place in out["layout"].get("storage_layout", {}).items()
        },
        "abi": out["abi"],
        "init_code": init_code,
        "runtime_code": runtime_code,
    }


def update_known(known: Known, artifacts: list[dict[str, Any]], release: str) -> None:
    """Make `release` ship exactly `artifacts`; a code that no release ships any more is dropped."""
    for artifact in artifacts:
        codes = known.setdefault(artifact["name"], [])
        for code in codes:
            code["releases"] = [r for r in code["releases"] if r != release]
        current = next((c for c in codes if c["init_code_hash"] == artifact["init_code_hash"]), None)
        if current is None:
            current = {"releases": []}
            codes.append(current)
        current.update({field: artifact[field] for field in KNOWN_FIELDS})
        current["releases"].append(release)
        known[artifact["name"]] = [code for code in codes if code["releases"]]


def build() -> dict[str, str]:
    """Compile everything; path under `PACKAGE` -> text, as it should stand there."""
    if vyper.__version__.split("+")[0] != COMPILER:
        raise SystemExit(f"vyper: expected {COMPILER}, found {vyper.__version__}")
    artifacts = [compile_contract(name) for name in CONTRACTS]
    known_path = PACKAGE / KNOWN
    known = json.loads(known_path.read_text()) if known_path.exists() else {}
    update_known(known, artifacts, tomllib.loads(PYPROJECT.read_text())["project"]["version"])
    files = {f"{ARTIFACTS}/{artifact['name']}.json": artifact for artifact in artifacts} | {KNOWN: known}
    return {name: json.dumps(content, indent=1) + "\n" for name, content in files.items()}


def main() -> int:
    """Write the artifacts, or compare them; returns the exit code."""
    parser = argparse.ArgumentParser(description="Compile the contracts and write their artifacts.")
    parser.add_argument("--check", action="store_true", help="compare with what is there and write nothing")
    check = parser.parse_args().check
    stale = []
    for name, text in build().items():
        path = PACKAGE / name
        if path.exists() and path.read_text() == text:
            continue
        stale.append(name)
        if not check:
            path.write_text(text)
    if check and stale:
        sys.stderr.write(f"differ from the sources: {', '.join(stale)}; run python contracts/build.py\n")
        return 1
    sys.stderr.write(f"written: {', '.join(stale)}\n" if stale else "artifacts are those of the sources\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
