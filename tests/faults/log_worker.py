"""What the fault tests run under strace: appends batches to a log and reports each one when it is done.

    log_worker.py FOLDER REPORT

A line of REPORT is `<size> done`, or `<error class>` for a batch that failed; such a batch is tried once
more.
"""

import contextlib
import os
import sys
from pathlib import Path

from ledger.core.errors import LedgerError
from ledger.core.signing import signer
from ledger.store.log import LogFolder

LOG = bytes(range(32))
ALICE = signer(b"\1" * 32)
MARKER = "/dev/null/here-it-begins"
START, BATCHES = 250, [8, 300]  # the first completes a tile, the second one and a half more


def entries(start: int, stop: int) -> list[bytes]:
    return [b"entry %d" % number for number in range(start, stop)]


def work(folder: Path, report: int) -> None:
    log = LogFolder(folder, LOG, keys=[ALICE.public_key])
    with contextlib.suppress(OSError):
        os.open(MARKER, os.O_RDONLY)
    for count in BATCHES:
        for _ in range(2):
            try:
                log.append(entries(log.size, log.size + count), ALICE, wait_s=5)
                log.keep_checkpoint()
            except LedgerError as error:
                os.write(report, f"{type(error).__name__}\n".encode())
                log.refresh()
            else:
                break
        os.write(report, f"{log.size} done\n".encode())


if __name__ == "__main__":
    work(Path(sys.argv[1]), os.open(sys.argv[2], os.O_WRONLY | os.O_APPEND | os.O_CREAT))
