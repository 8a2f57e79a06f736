"""Measure, print the table, and write it to docs/benchmarks.md. Figures, not tests: nothing fails on a slow
machine.

python tests/bench/run.py [NAME ...]     only these groups, printed and not written
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "benchmarks.md"
GROUPS = {
    "machine": ("logs", "machine_here"),
    "append": ("logs", "sign_and_append"),
    "audit": ("logs", "audit_tree"),
    "audit-signed": ("logs", "audit_signed"),
    "audit-all": ("syncing", "audit_all"),
    "digests": ("content", "digests"),
    "sync": ("syncing", "sync_from_nothing"),
    "import": ("importing", "import_memory"),
    "trace": ("tracing", "trace"),
    "evidence": ("proving", "evidence"),
    "evidence-large": ("proving", "large"),
    "start": ("tracing", "start"),
    "rights-sync": ("rights", "sync_market"),
    "rights-may": ("rights", "may_rows"),
    "rights-settlement": ("rights", "settlement"),
    "rights-recall": ("rights", "recall"),
}

SCALES = ("DATALEDGER_BENCH_VERSIONS", "DATALEDGER_BENCH_ASSETS", "DATALEDGER_BENCH_RUNS")
"""Variables of the environment that set how large the ledgers are."""


def child(group: str) -> None:
    """Run one group in this process and print its rows as JSON."""
    sys.path.insert(0, str(HERE))
    sys.path.insert(0, str(ROOT))
    module, function = GROUPS[group]
    rows = getattr(__import__(module), function)()
    print(json.dumps([asdict(row) for row in rows]))


def measure(group: str) -> list[dict[str, object]]:
    """Run one group in a process of its own, so that memory and caches are its own."""
    print(f"measuring {group} ...", file=sys.stderr, flush=True)
    done = subprocess.run(
        [sys.executable, __file__, "--child", group], check=True, stdout=subprocess.PIPE, text=True
    )
    rows: list[dict[str, object]] = json.loads(done.stdout.splitlines()[-1])
    return rows


def table(rows: list[dict[str, object]]) -> str:
    """Return the rows as a Markdown table."""
    lines = ["| what | must reach | measured | limit or peer | ratio | |", "|---|---|---|---|---|---|"]
    for row in rows:
        ratio = "" if row["ratio"] is None else f"{row['ratio']:.2f}"
        verdict = ("reached" if row["good"] else "**missed**") if row["must"] else ""
        lines.append(
            f"| {row['what']} | {row['must']} | {row['measured']} | {row['limit']} | {ratio} | {verdict} |"
        )
    return "\n".join(lines)


def scale() -> str:
    """Say how large the ledgers were, where that was chosen."""
    chosen = [f"`{name}={os.environ[name]}`" for name in SCALES if name in os.environ]
    return f"Measured with {', '.join(chosen)}.\n\n" if chosen else ""


def main(arguments: list[str]) -> None:
    """Measure the groups named, or all of them."""
    if arguments[:1] == ["--child"]:
        child(arguments[1])
        return
    sys.path.insert(0, str(HERE))
    from measure import machine

    with tempfile.TemporaryDirectory(prefix="dataledger-bench-") as folder:
        os.environ.setdefault("DATALEDGER_BENCH", folder)  # the big ledger is made once for all groups
        rows = [row for group in arguments or GROUPS for row in measure(group)]
    text = table(rows)
    print(text)
    if not arguments:
        head = (
            "# Benchmarks\n\nWritten by `make bench`: medians. The limits are what the libraries underneath "
            "reach, measured on a machine of the same kind."
        )
        PAGE.write_text(f"{head}\n\nMachine: {machine()}\n\n{scale()}{text}\n")


if __name__ == "__main__":
    main(sys.argv[1:])
