"""Running a program and recording what it read and made.

Inputs are digested before, outputs after, and inputs once more after: one that changed meanwhile is recorded as
changed, which the index turns into a finding. The records of a run (new versions of own inputs, registrations and
versions of outputs, the activity) are one batch. A run that fails is recorded as failed, without versions.
"""

from __future__ import annotations

import secrets
import shlex
from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from ledger.core.errors import LedgerError, NotFound, Usage
from ledger.core.names import Reference, format_version, parse_reference
from ledger.core.records import BASIS_INPUTS, Attachment, Component, Digests, Edge, Resource
from ledger.core.text import check_line
from ledger.service.asked import asked
from ledger.service.assets import add_version, observe
from ledger.service.attached import seal
from ledger.service.batch import Batch
from ledger.service.child import run_child
from ledger.service.context import Context
from ledger.service.paths import Paths
from ledger.service.publishing import check_key, publish
from ledger.service.results import RunReceipt
from ledger.service.times import now
from ledger.store.content import Content

MAX_WORDS = 2048
"""How long a program's name or a title may be: what a record takes (`records.Line`)."""


class Input(Struct, frozen=True):
    """An input as asked for: which asset or version, and where its content is (None: taken from the record)."""

    reference: Reference
    path: Path | None
    content: Content | None


class Output(Struct, frozen=True):
    """An output as asked for: which asset, and where the program puts it."""

    asset: str
    path: Path


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
    """Run `command`, pass everything through, record it. Checks what can be checked before the program starts."""
    with asked():
        check_line(component, what="--name", limit=MAX_WORDS)
        check_line(title, what="--title", limit=MAX_WORDS)
    paths = Paths(context.workspace)
    batch = Batch(context)
    check_key(context)
    wanted = [_parse_output(batch, paths, text) for text in outputs]
    read = [_parse_input(context, paths, text) for text in inputs]
    _check_distinct(read, wanted)
    started = now()
    code = run_child(command)
    ended = now()
    outcome = "completed" if code == 0 else "failed"
    problems: list[str] = []
    changed = [i for i, each in enumerate(read) if _changed(context, each, problems)]
    made = _observe_outputs(context, wanted, problems) if code == 0 else {}
    if problems and code == 0:
        outcome = "failed"
    with context.writing():
        batch = Batch(context)
        resources = [_input_resource(context, batch, each) for each in read]
        subject = _outputs(batch, wanted, made, title, outcome)
        edges = [Edge(o, i, BASIS_INPUTS) for o in range(len(subject)) for i in range(len(resources))]
        batch.activity(
            subject,
            [_command_attachment(context, command)],
            {
                "run_id": secrets.token_hex(16),
                "component": Component(name=component or _program_name(command)),
                "outcome": outcome,
                "inputs": resources,
                "edges": edges if outcome == "completed" else [],
                "changed": changed,
                "started": started,
                "ended": ended,
            },
        )
        receipt = publish(context, batch, anchor=anchor, notes=problems)
    paths.remember({each.asset: each.path for each in wanted if each.asset in made})
    return RunReceipt(
        exit_code=code if code or not problems else 1,
        outcome=outcome,
        inputs=[each.name for each in resources],
        outputs=[each.name for each in subject] if outcome == "completed" else [],
        receipt=receipt,
    )


def _split(text: str) -> tuple[str, Path | None]:
    name, equals, path = text.partition("=")
    if equals and not path:
        raise Usage(f"{text!r}: expected a path behind '='")
    return name, Path(path) if equals else None


def _parse_output(batch: Batch, paths: Paths, text: str) -> Output:
    name, path = _split(text)
    with asked():
        reference = parse_reference(name)
    if str(reference) != reference.asset:
        raise Usage(f"output {name!r}: an output's version is made by the run; name the asset alone")
    if batch.is_registered(reference.asset):
        batch.check_holder(reference.asset)
    else:
        batch.check_namespace(reference.asset)
    return Output(reference.asset, paths.require(reference.asset, path))


def _parse_input(context: Context, paths: Paths, text: str) -> Input:
    """Find an input's content and digest it, as it is before the program runs."""
    name, path = _split(text)
    reference = context.known.reference(name)
    if not context.index.registered(reference.asset) and not path:
        raise NotFound(
            f"{reference.asset} is not registered",
            hint=f"register it, or say where its content is: {reference.asset}=PATH",
        )
    if path is None:
        path = paths.get(reference.asset)
    if path is None and reference.number is None and reference.digest is None:
        raise NotFound(
            f"where {name} is on this machine is not known",
            hint=f"name it: {name}=PATH, or name a version: {name}@1",
        )
    content = None if path is None else observe(context, path)
    each = Input(reference, path, content)
    _check_named_version(context, each)
    return each


def _check_named_version(context: Context, each: Input) -> None:
    """An input that names a version is that version: other content at its path is an error, not a new version."""
    named = context.known.named_version(each.reference)
    if named is None or each.content is None:
        return
    if named.digest != {each.content.name: each.content.digest}:
        name = format_version(each.reference.asset, named.number)
        raise Usage(
            f"{each.path} is not {name}: its digest is {each.content.digest[:12]}..., that of {name} is {next(iter(named.digest.values()))[:12]}...",
            hint=f"restore that version, or name the asset alone: -i {each.reference.asset}",
        )


def _check_distinct(read: Sequence[Input], wanted: Sequence[Output]) -> None:
    for what, names in (
        ("input", [str(each.reference) for each in read]),
        ("output", [each.asset for each in wanted]),
    ):
        twice = {name for name in names if names.count(name) > 1}
        if twice:
            raise Usage(f"{what} {sorted(twice)[0]} is named twice")


def _changed(context: Context, each: Input, problems: list[str]) -> bool:
    """Tell whether an input's content is another one than before the run."""
    if each.path is None or each.content is None:
        return False
    try:
        return observe(context, each.path).digest != each.content.digest
    except LedgerError as error:
        problems.append(f"input {each.reference}: {error}")
        return True


def _observe_outputs(context: Context, wanted: Sequence[Output], problems: list[str]) -> dict[str, Content]:
    made = {}
    for each in wanted:
        try:
            made[each.asset] = observe(context, each.path)
        except LedgerError as error:
            problems.append(f"output {each.asset}: {error}")
    return made


def _input_resource(context: Context, batch: Batch, each: Input) -> Resource:
    """Name an input in the record: the version that its content is, a new one of our own, or observed content."""
    asset = each.reference.asset
    named = context.known.named_version(each.reference)
    if named is not None:
        return Resource(format_version(asset, named.number), named.digest)
    assert each.content is not None
    digest: Digests = {each.content.name: each.content.digest}
    latest = batch.latest(asset)
    if latest is not None and latest.digest == digest:
        return Resource(format_version(asset, latest.number), digest)
    if context.known.holds(asset):
        assert each.path is not None
        added = add_version(batch, asset, each.path, each.content)
        return Resource(format_version(asset, added.number), digest)
    known = context.known.version_with(asset, digest)
    return Resource(asset if known is None else format_version(asset, known.number), digest)


def _outputs(
    batch: Batch, wanted: Sequence[Output], made: dict[str, Content], title: str, outcome: str
) -> list[Resource]:
    if outcome != "completed":
        return [batch.asset_resource(each.asset) for each in wanted]
    subject = []
    for each in wanted:
        content = made[each.asset]
        if not batch.is_registered(each.asset):
            batch.register(each.asset, title=title)
        latest = batch.latest(each.asset)
        if latest is None or latest.digest != {content.name: content.digest}:
            latest = add_version(batch, each.asset, each.path, content)
        subject.append(Resource(format_version(each.asset, latest.number), latest.digest))
    return subject


def _command_attachment(context: Context, command: Sequence[str]) -> Attachment:
    """Seal the command line: it may hold paths, names and secrets, so it is private."""
    data = msgspec.json.encode(
        {"command": list(command), "shell": shlex.join(command), "folder": str(Path.cwd())}
    )
    return seal(context, "command", "application/json", data)


def _program_name(command: Sequence[str]) -> str:
    """Name what ran by its file names alone: `python forecast.py`, not the arguments, which may be private."""
    names = [Path(command[0]).name]
    if len(command) > 1 and Path(command[1]).is_file():
        names.append(Path(command[1]).name)
    return " ".join(names)
