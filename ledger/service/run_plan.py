"""What a run is to read and make, found and checked before the program starts.

After the program has run for an hour is too late to find that an output is somebody else's or an input
unknown.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from ledger.core.errors import NotFound, Usage
from ledger.core.names import Reference, format_version, parse_reference
from ledger.service.asking import asked
from ledger.service.assets import observe
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.known import Added
from ledger.service.paths import Paths
from ledger.store.content import Content


class Input(Struct, frozen=True):
    """An input as asked for, with its content before the run.

    `version` is the version that was named, None if the asset alone was. Without a path (and content) it is
    taken from the record of that version.
    """

    said: str
    asset: str
    version: Added | None
    path: Path | None
    content: Content | None

    @property
    def name(self) -> str:
        """The asset, or the version that was named."""
        return self.asset if self.version is None else format_version(self.asset, self.version.number)


class Output(Struct, frozen=True):
    """An output as asked for: which asset, and where the program puts it."""

    asset: str
    path: Path


class Plan(Struct, frozen=True):
    """What a run is to read and make."""

    inputs: list[Input]
    outputs: list[Output]

    def places(self) -> dict[str, Path]:
        """Return where each asset is, as far as no version was named: that may lie elsewhere than the asset
        does.
        """
        found = {each.asset: each.path for each in self.inputs if each.path and each.version is None}
        return found | {each.asset: each.path for each in self.outputs}

    def is_output(self, path: Path) -> bool:
        """Tell whether a run writes this very file or folder."""
        return any(each.path.resolve() == path.resolve() for each in self.outputs)


def make_plan(context: Context, inputs: Sequence[str], outputs: Sequence[str]) -> Plan:
    """Read `NAME[@VERSION][=PATH]` of inputs and `NAME[=PATH]` of outputs; raises Usage and NotFound."""
    batch, paths = Batch(context), Paths(context.workspace)
    made = [_output(batch, paths, text) for text in outputs]
    read = [_input(context, paths, text) for text in inputs]
    _check_distinct("output", [each.asset for each in made])
    _check_distinct("input", [each.name for each in read])
    return Plan(read, made)


def _check_distinct(what: str, names: Sequence[str]) -> None:
    twice = sorted(name for name in set(names) if names.count(name) > 1)
    if twice:
        raise Usage(f"{what} {twice[0]} is named twice")


def _split(text: str) -> tuple[str, Path | None]:
    name, equals, path = text.partition("=")
    if equals and not path:
        raise Usage(f"{text!r}: expected a path behind '='")
    return name, Path(path) if equals else None


def _output(batch: Batch, paths: Paths, text: str) -> Output:
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


def _input(context: Context, paths: Paths, text: str) -> Input:
    name, given = _split(text)
    reference = context.known.reference(name)
    version = context.known.named_version(reference)
    _check_known(context, reference.asset, given)
    path = given or _last_seen(paths, reference.asset, version)
    if path is None and version is None:
        raise NotFound(
            f"where {name} is on this machine is not known",
            hint=f"name it: {name}=PATH, or name a version: {name}@1",
        )
    content = None if path is None else observe(context, path)
    found = Input(name, reference.asset, version, path, content)
    _check_content(found, reference)
    return found


def _check_known(context: Context, asset: str, given: Path | None) -> None:
    """An asset that nobody registered can be somebody else's, observed at a path that is given; not one's
    own.
    """
    if context.index.registered(asset) or (given and not context.known.holds(asset)):
        return
    own = context.known.holds(asset)
    hint = f"register it: dataledger register {asset} PATH" if own else f"say where it is: {asset}=PATH"
    raise NotFound(f"{asset} is not registered", hint=hint)


def _last_seen(paths: Paths, asset: str, version: Added | None) -> Path | None:
    """Return where the asset was last; a version that was named may be anywhere, so there it may be gone."""
    path = paths.get(asset)
    return None if path is not None and version is not None and not path.exists() else path


def _check_content(found: Input, reference: Reference) -> None:
    """An input that names a version is that version: other content at its path is an error, not a new
    version.
    """
    version, content = found.version, found.content
    if version is None or content is None or version.digest == {content.name: content.digest}:
        return
    name = format_version(found.asset, version.number)
    (expected,) = version.digest.values()
    raise Usage(
        f"{found.path} is not {name}: expected digest {expected[:12]}..., found {content.digest[:12]}...",
        hint=f"say where that version is, {reference}=PATH, or name the asset alone: {found.asset}",
    )
