"""The README tells the truth: its console session is typed into an empty folder, and prints what it says.

A block fenced as `console` is a session: lines behind `$ ` are typed (with the here-documents they begin),
the lines below are what appears. A line `...` stands for any lines, `...` in a line for anything; numbers and
hashes may be others, and columns may be wider.
"""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent.parent
README = ROOT / "README.md"
_BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEREDOC = re.compile(r"<<-?\s*(['\"]?)(\w+)\1")
MEASURED = {"docs/benchmarks.md"}  # written by `make bench`, on the machine that it speaks of
_MARK = "=== exit code {} ==="


@dataclass
class Step:
    """What is typed, and what is expected to appear."""

    typed: list[str]
    expected: list[str] = field(default_factory=list)


def session_of(text: str) -> list[Step]:
    """Return the steps of every console block of a page."""
    steps: list[Step] = []
    until = ""
    for block in _BLOCK.findall(text):
        for line in block.splitlines():
            if until:
                steps[-1].typed.append(line)
                until = "" if line.strip() == until else until
            elif line.startswith("$ "):
                steps.append(Step([line[2:]]))
                found = _HEREDOC.search(line)
                until = found[2] if found else ""
            else:
                assert steps, f"output before the first command: {line!r}"
                steps[-1].expected.append(line)
    return steps


def replay(steps: list[Step], folder: Path) -> list[tuple[str, int]]:
    """Type all steps into one shell, and return for each what appeared and its exit code."""
    script = "exec 2>&1\n"
    for step in steps:
        typed = "\n".join(step.typed)
        script += f'{typed}\necho "{_MARK.format("$?")}"\n'
    done = subprocess.run(
        ["bash", "--noprofile", "--norc"],
        input=script,
        cwd=folder,
        check=False,
        text=True,
        stdout=subprocess.PIPE,
    )
    parts = re.split(r"=== exit code (\d+) ===\n", done.stdout)
    return [(parts[i], int(parts[i + 1])) for i in range(0, len(parts) - 1, 2)]


def plain(text: str) -> str:
    """Return a text without what differs between two runs: numbers, hashes, width of columns."""
    text = re.sub(r"\b(0x)?[0-9a-f]{8,}\b", "HASH", text)
    text = re.sub(r"\d+", "N", text)
    return re.sub(r"[ \t]+", " ", text)


def pattern(expected: list[str]) -> re.Pattern[str]:
    """Return what matches the expected lines."""
    parts = []
    for line in expected:
        if line.strip() == "...":
            parts.append(r"(?:.*\n)*?")
        else:
            parts.append(".*?".join(map(re.escape, plain(line).rstrip().split("..."))) + r" ?\n")
    return re.compile("".join(parts))


def check(steps: list[Step], folder: Path) -> None:
    """Replay a session and compare it with what is printed."""
    found = replay(steps, folder)
    assert len(found) == len(steps)
    for step, (appeared, code) in zip(steps, found, strict=True):
        command = "\n".join(step.typed)
        assert code == 0, f"exit code {code}: {command}\n{appeared}"
        wanted = "\n".join(step.expected)
        assert pattern(step.expected).fullmatch(plain(appeared)), (
            f"$ {command}\n{appeared}--- expected\n{wanted}"
        )


SAMPLE = """
Text, and `code`.

```console
$ printf 'a,b\\n1,2\\n' > data.csv; mkdir -p below
$ cat > program.py <<'EOF'
print("units", sum([1, 2]))
$ not a command
EOF
$ cat data.csv
a,b
9,9
$ cat program.py
print(...
...
$ false || echo "exit code $?"
exit code 1
$ cd below && VALUE=kept
$ echo "$VALUE  in ${PWD##*/}" 0123456789abcdef; echo more; echo end
kept in below fedcba9876543210
...
end
```

```python
$ not this
```
"""


def test_a_session_is_read():
    steps = session_of(SAMPLE)
    assert [step.typed[0].split()[0] for step in steps] == [
        "printf",
        "cat",
        "cat",
        "cat",
        "false",
        "cd",
        "echo",
    ]
    assert steps[1].typed[-1] == "EOF"
    assert steps[2].expected == ["a,b", "9,9"]


def test_a_session_is_replayed(tmp_path):
    check(session_of(SAMPLE), tmp_path)
    assert (tmp_path / "program.py").read_text().startswith("print")


@pytest.mark.parametrize(
    "wrong",
    [
        "$ echo one\ntwo",
        "$ echo one",
        "$ true\nsomething",
        "$ false",
        "$ echo one; echo two\none",
        "$ echo one; echo two\n...\none",
        "$ echo x >&2\ny",
    ],
)
def test_a_session_that_is_not_true_is_found(tmp_path, wrong):
    with pytest.raises(AssertionError):
        check(session_of(f"```console\n{wrong}\n```\n"), tmp_path)


@pytest.mark.parametrize(
    ("expected", "appeared"),
    [
        (["..."], ""),
        (["...", "end"], "a\nb\nend\n"),
        (["a ... z"], "a b c z\n"),
        (
            ["version haina/orders@1  record e55b972220a4"],
            "version       haina/orders@1  record 0123456789ab\n",
        ),
        (["in block 4 (2026-11-22T02:49:10Z)"], "in block 1,234 (2031-01-02T03:04:05Z)\n"),
    ],
)
def test_what_may_differ(expected, appeared):
    appeared = appeared.replace(",", "") if "1,234" in appeared else appeared
    assert pattern(expected).fullmatch(plain(appeared))


@pytest.mark.slow
@pytest.mark.skipif(not README.exists(), reason="no README beside the tests")
def test_the_session_of_the_readme(tmp_path):
    steps = session_of(README.read_text())
    assert any("dataledger verify" in line for step in steps for line in step.typed)
    check(steps, tmp_path)


@pytest.mark.skipif(not README.exists(), reason="no README beside the tests")
def test_links_of_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#:]+)\)", README.read_text()):
        assert (ROOT / target).exists() or target in MEASURED, target
