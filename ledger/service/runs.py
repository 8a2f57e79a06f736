"""Running a program and recording what it read and made.

Inputs are digested before, outputs after, and inputs once more after: one that changed meanwhile is recorded
as changed, which the index turns into a finding. The records of a run (new versions of own inputs,
registrations and versions of outputs, the activity) are one batch. A run that fails is recorded as failed,
without versions.
"""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from ledger.core.errors import LedgerError, Usage
from ledger.core.names import format_version
from ledger.core.records import BASIS_INPUTS, Attachment, Component, Edge, Resource
from ledger.service.asking import asked
from ledger.service.assets import add_version, anchors, observe
from ledger.service.attached import JSON, Sealing
from ledger.service.batch import Batch
from ledger.service.child import run_child
from ledger.service.context import Context
from ledger.service.paths import remember
from ledger.service.publishing import check_key, check_log, publish
from ledger.service.results import Receipt, RunReceipt
from ledger.service.run_plan import Input, Plan, make_plan
from ledger.service.times import now
from ledger.store.content import Content

COMPLETED, FAILED = "completed", "failed"

PATIENCE_S = 600.0
"""How long a run that is over waits for others to be done with the workspace: it can't be had again for
nothing.
"""


_ANYTHING = Content("sha256", "0" * 64, 1)


class Seen(Struct, frozen=True):
    """What came of a run: its exit code and times, inputs that changed (positions), what it made, what went
    wrong.
    """

    code: int
    started: str
    ended: str
    changed: list[int] = []
    made: dict[str, Content] = {}
    problems: list[str] = []
    missing: bool = False

    @property
    def outcome(self) -> str:
        """How the run is recorded: without all of its outputs it failed, whatever the program says."""
        return COMPLETED if self.code == 0 and not self.missing else FAILED


def run(
    context: Context,
    command: Sequence[str],
    *,
    inputs: Sequence[str] = (),
    outputs: Sequence[str] = (),
    component: str = "",
    title: str = "",
    anchor: bool = True,
) -> RunReceipt:
    """Run `command`, pass everything through, record it. Checks what can be checked before the program
    starts.

    If it can't be recorded, the error has the program's exit code, unless that is 0.
    """
    if not command:
        raise Usage("expected a program to run")
    plan = make_plan(context, inputs, outputs)
    run_ = _Run(context, plan, command, component, title)
    run_.rehearse(anchor=anchor)
    started = now()
    code = run_child(command)
    seen = _look(context, plan, Seen(code, started, now()))
    try:
        return run_.record(seen, anchor=anchor)
    except LedgerError as error:
        error.exit_code = code or error.exit_code
        context.notify(f"the program ended with exit code {code}; its run was not recorded")
        raise


class _Run:
    """A run on its way into the log."""

    def __init__(
        self, context: Context, plan: Plan, command: Sequence[str], component: str, title: str
    ) -> None:
        self._context = context
        self._plan = plan
        self._command = _described(command)
        self._component = Component(name=component or _program_name(command))
        self._title = title
        self._run_id = secrets.token_hex(16)

    def rehearse(self, *, anchor: bool) -> None:
        """Raise now what recording the run would raise, as far as it can be known; ask for the passphrase
        now.
        """
        check_key(self._context)
        check_log(self._context)
        made = {each.asset: _ANYTHING for each in self._plan.outputs}
        with asked():
            self._add(Batch(self._context), Seen(0, now(), now(), made=made), [])
        if self._context.record_seed and anchors(self._context, anchor):
            _ = self._context.account_key

    def record(self, seen: Seen, *, anchor: bool) -> RunReceipt:
        """Record what came of it, all at once."""
        context = self._context
        with context.writing(PATIENCE_S):
            batch, sealing = Batch(context), Sealing(context)
            command = sealing.seal("command", JSON, self._command)
            read, subject = self._add(batch, seen, [command])
            sealing.flush()
            done = publish(context, batch, anchor=anchors(context, anchor), notes=seen.problems)
            if seen.outcome == COMPLETED:
                remember(context.workspace, self._plan.places(), context.notify)
        return _receipt(seen, read, subject, done)

    def _add(
        self, batch: Batch, seen: Seen, attachments: Sequence[Attachment]
    ) -> tuple[list[Resource], list[Resource]]:
        """Add the records of the run; return its inputs and outputs."""
        named = [_input(self._context, batch, each) for each in self._plan.inputs]
        read = [each for i, each in enumerate(named) if each not in named[:i]]
        subject = self._outputs(batch, seen)
        predicate = {
            "run_id": self._run_id,
            "component": self._component,
            "outcome": seen.outcome,
            "inputs": read,
            "edges": _edges(subject, read) if seen.outcome == COMPLETED else [],
            "changed": sorted({read.index(named[position]) for position in seen.changed}),
            "started": seen.started,
            "ended": seen.ended,
        }
        batch.activity(subject, attachments, predicate)
        return read, subject

    def _outputs(self, batch: Batch, seen: Seen) -> list[Resource]:
        """Return the outputs: versions, recorded where they are new; of a failed run the assets alone."""
        if seen.outcome != COMPLETED:
            return [batch.asset_resource(each.asset) for each in self._plan.outputs]
        subject = []
        for each in self._plan.outputs:
            if not batch.is_registered(each.asset):
                batch.register(each.asset, title=self._title)
            content, newest = seen.made[each.asset], batch.latest(each.asset)
            if newest is None or newest.digest != {content.name: content.digest}:
                newest = add_version(batch, each.asset, each.path, content)
            subject.append(Resource(format_version(each.asset, newest.number), newest.digest))
        return subject


def _look(context: Context, plan: Plan, seen: Seen) -> Seen:
    """Look at what the program left: outputs, if it says that all went well, and inputs."""
    made: dict[str, Content] = {}
    problems: list[str] = []
    for each in plan.outputs if seen.code == 0 else []:
        try:
            made[each.asset] = observe(context, each.path)
        except LedgerError as error:
            problems.append(f"output {each.asset}: {error}")
    missing = bool(problems)
    changed = [i for i, each in enumerate(plan.inputs) if _has_changed(context, plan, each, problems)]
    return msgspec.structs.replace(seen, changed=changed, made=made, problems=problems, missing=missing)


def _has_changed(context: Context, plan: Plan, each: Input, problems: list[str]) -> bool:
    """Tell whether an input's content is another one than before the run, and not because it is an output
    too.
    """
    if each.path is None or each.content is None or plan.is_output(each.path):
        return False
    try:
        now_there = observe(context, each.path)
    except LedgerError as error:
        problems.append(f"input {each.said}: {error}")
        return True
    return (now_there.name, now_there.digest) != (each.content.name, each.content.digest)


def _input(context: Context, batch: Batch, each: Input) -> Resource:
    """Name an input in the record: the version that its content is, a new one of our own, or observed
    content.
    """
    if each.version is not None:
        return Resource(format_version(each.asset, each.version.number), each.version.digest)
    assert each.content is not None
    assert each.path is not None
    digest = {each.content.name: each.content.digest}
    newest = batch.latest(each.asset)
    known = newest if newest and newest.digest == digest else context.known.version_with(each.asset, digest)
    if known is None and context.known.holds(each.asset):
        known = add_version(batch, each.asset, each.path, each.content)
    return Resource(each.asset if known is None else format_version(each.asset, known.number), digest)


def _edges(subject: Sequence[Resource], read: Sequence[Resource]) -> list[Edge]:
    """Say that every output came from every input; what was left as it was did not come from itself."""
    return [
        Edge(output, source, BASIS_INPUTS)
        for output in range(len(subject))
        for source in range(len(read))
        if subject[output] != read[source]
    ]


def _receipt(seen: Seen, read: Sequence[Resource], subject: Sequence[Resource], done: Receipt) -> RunReceipt:
    return RunReceipt(
        exit_code=1 if seen.code == 0 and seen.missing else seen.code,
        outcome=seen.outcome,
        inputs=[each.name for each in read],
        outputs=[each.name for each in subject] if seen.outcome == COMPLETED else [],
        receipt=done,
    )


def _described(command: Sequence[str]) -> bytes:
    """Put the command line in words, to be sealed: it may hold paths, names and secrets, so it is private."""
    line = [os.fsencode(each).decode("utf-8", "backslashreplace") for each in (*command, str(Path.cwd()))]
    *words, folder = line
    return msgspec.json.encode({"command": words, "shell": shlex.join(words), "folder": folder})


def _program_name(command: Sequence[str]) -> str:
    """Name what ran by file names alone, `python forecast.py`: arguments may be private."""
    names = [Path(word).name for word in command[:1]]
    if len(command) > 1 and Path(command[1]).is_file():
        names.append(Path(command[1]).name)
    return " ".join(names)
