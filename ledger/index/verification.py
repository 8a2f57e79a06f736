"""Verifying entries: signatures, and that the payload is a well-formed record.

This is most of the work of a sync, and of an audit, and none of its state, so for long logs it is done by
processes of its own (threads would wait for Python's lock: parsing holds it). They get entries on standard
input and answer on standard output, each message a u32 length and MessagePack; they end when the input ends.
Few entries are verified here.
"""

from __future__ import annotations

import contextlib
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from types import TracebackType
from typing import IO, Any, Generic, Self, TypeVar

import msgspec
from msgspec import Struct

from ledger.core.dsse import record_id, verify_envelope
from ledger.core.errors import FormatError, SignatureInvalid
from ledger.core.records import PREDICATE_TYPES, Resource, Statement
from ledger.core.statement import parse_statement

_SPAWN_FROM = 4000  # entries after which starting processes (a quarter of a second each) pays
_MOST_WORKERS = 4
_SWITCH_S = 0.0005
_SERVE = "from ledger.index.verification import serve; serve()"


class Checked(Struct, frozen=True, array_like=True, gc=False):
    """An entry as verified: the payload, its record id and who signed (key ids); or why it was refused.

    `reason` is empty, `bad-signature` or `bad-format`; then `message` says more, and of the others only
    `record` may be there.
    """

    record: bytes = b""
    payload: bytes = b""
    signers: list[str] = []
    reason: str = ""
    message: str = ""


T = TypeVar("T")

Promise = Callable[[], list[T]]
"""Gives the result of a submitted batch, one item an entry, waiting for it where that is needed."""


def check(entry: bytes) -> Checked:
    """Verify one entry: format of the envelope, every signature, format of the payload, in this order."""
    try:
        envelope = verify_envelope(entry)
    except SignatureInvalid as error:
        return Checked(reason="bad-signature", message=str(error))
    except FormatError as error:
        return Checked(reason="bad-format", message=str(error))
    record = record_id(envelope.payload)
    try:
        parse_statement(envelope.payload)
    except FormatError as error:
        return Checked(record, reason="bad-format", message=str(error))
    return Checked(record, envelope.payload, [signature.keyid for signature in envelope.signatures])


def check_all(entries: Sequence[bytes]) -> list[Checked]:
    """Verify a batch."""
    return [check(entry) for entry in entries]


def check_signatures(entries: Sequence[bytes]) -> list[str]:
    """Verify the signatures of a batch, and nothing else; say of each entry what is wrong, or nothing."""
    return [_fault(entry) for entry in entries]


def _fault(entry: bytes) -> str:
    try:
        verify_envelope(entry)
    except (SignatureInvalid, FormatError) as error:
        return str(error) or type(error).__name__
    return ""


class Task(Struct, Generic[T], frozen=True):
    """Something to be done with batches of entries, and how its results come back from a process."""

    name: str
    work: Callable[[Sequence[bytes]], list[T]]
    answers: msgspec.msgpack.Decoder[list[T]]


RECORDS = Task("records", check_all, msgspec.msgpack.Decoder(list[Checked]))
SIGNATURES = Task("signatures", check_signatures, msgspec.msgpack.Decoder(list[str]))
_WORK: dict[str, Callable[[Sequence[bytes]], list[Any]]] = {
    task.name: task.work for task in (RECORDS, SIGNATURES)
}


def decode_checked(payload: bytes) -> Statement:
    """Decode a payload that `check` found well-formed: the types again, but not the checks."""
    wire = _WIRE.decode(payload)
    return Statement(wire.subject, _PREDICATES[wire.predicate_type].decode(wire.predicate))


class Verification(Generic[T]):
    """Does a task with batches, ahead of their use where they are many; use it in a `with`."""

    def __init__(self, task: Task[T], workers: int | None = None) -> None:
        self._task = task
        self._wanted = min(os.cpu_count() or 1, _MOST_WORKERS) if workers is None else workers
        self._submitted = 0
        self._threads: ThreadPoolExecutor | None = None
        self._idle: SimpleQueue[_Worker[T]] = SimpleQueue()
        self._workers: list[_Worker[T]] = []
        self._interval = sys.getswitchinterval()

    def submit(self, entries: Sequence[bytes]) -> Promise[T]:
        """Take a batch; the promise gives its results in the order of the entries."""
        self._submitted += len(entries)
        if self._threads is None and self._wanted and self._submitted >= _SPAWN_FROM and sys.executable:
            self._start()
        if self._threads is None:
            return lambda: self._task.work(entries)
        return self._threads.submit(self._by_worker, entries).result

    @property
    def depth(self) -> int:
        """How many batches are worth submitting before the first is asked for."""
        return 2 * len(self._workers) + 1 if self._workers else 1

    def close(self) -> None:
        """End the processes."""
        if self._threads is not None:
            sys.setswitchinterval(self._interval)
            for worker in self._workers:
                worker.close()
            self._threads.shutdown(wait=True, cancel_futures=True)
            self._threads = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self) -> None:
        try:
            for _ in range(self._wanted):
                worker = _Worker(self._task)
                self._workers.append(worker)
                self._idle.put(worker)
        except OSError:
            self._wanted = len(self._workers)  # no room for (more) processes: go on with what there is
        if self._workers:
            self._threads = ThreadPoolExecutor(len(self._workers), thread_name_prefix="verify")
            sys.setswitchinterval(_SWITCH_S)  # the threads only move bytes, but must get to it in time

    def _by_worker(self, entries: Sequence[bytes]) -> list[T]:
        worker = self._idle.get()
        try:
            return worker.check(entries)
        except (OSError, EOFError, msgspec.MsgspecError):
            return self._task.work(entries)  # it was killed: the work still has to be done
        finally:
            self._idle.put(worker)


class _Worker(Generic[T]):
    """One process that does a task."""

    def __init__(self, task: Task[T]) -> None:
        self._answers = task.answers
        # its own session: Ctrl-C is for us, and when we end, so does its input
        self._process = subprocess.Popen(  # noqa: S603 - this very interpreter
            [sys.executable, "-c", _SERVE, task.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)},
        )

    def check(self, entries: Sequence[bytes]) -> list[T]:
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        _send(stdin, msgspec.msgpack.encode(entries))
        return self._answers.decode(_receive(stdout))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):  # what was buffered for a process that is gone
                    stream.close()


def serve() -> None:
    """Answer batches on standard input until it ends: what a process of `Verification` does.

    The argument is the name of its task.
    """
    work = _WORK[sys.argv[1]]
    gc.freeze()  # what was imported stays; batches make few cycles, so looking for them may wait
    gc.set_threshold(100_000)
    batches = msgspec.msgpack.Decoder(list[bytes])
    encoder = msgspec.msgpack.Encoder()
    while True:
        try:
            batch = _receive(sys.stdin.buffer)
        except EOFError:
            return
        _send(sys.stdout.buffer, encoder.encode(work(batches.decode(batch))))


def _send(stream: IO[bytes], message: bytes) -> None:
    stream.write(len(message).to_bytes(4, "big"))
    stream.write(message)
    stream.flush()


def _receive(stream: IO[bytes]) -> bytes:
    head = stream.read(4)
    if len(head) < 4:
        raise EOFError
    size = int.from_bytes(head, "big")
    message = stream.read(size)
    if len(message) < size:
        raise EOFError
    return message


class _Wire(Struct, frozen=True, gc=False):
    subject: list[Resource]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: msgspec.Raw


_WIRE = msgspec.json.Decoder(_Wire)
_PREDICATES = {name: msgspec.json.Decoder(kind) for name, kind in PREDICATE_TYPES.items()}
