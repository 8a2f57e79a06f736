"""Where the command begins: a Ctrl-C while the program still loads ends it like any other."""

from __future__ import annotations

import sys

INTERRUPTED = 130


def main() -> int:
    """Load the command line, run it, and return its exit code."""
    try:
        from .main import run

        return run()
    except KeyboardInterrupt:
        if sys.stderr is not None:
            sys.stderr.write("dataledger: interrupted\n")
        return INTERRUPTED
