"""Write docs/cli.md and docs/json.md from the commands and result shapes themselves.

    python docs/build.py            write both
    python docs/build.py --check    compare, write nothing; exit code 1 if one is not what its source says

Needs no workspace, and gives the same bytes everywhere: the width is fixed, the environment is not looked at.
"""

from __future__ import annotations

import argparse
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path

import click
from ledger_cli.declare import Command, Group
from ledger_cli.failure import Failure
from ledger_cli.failures import EXIT_CODES
from ledger_cli.main import cli
from ledger_cli.stories import results as stories
from msgspec import Struct
from msgspec import inspect as shapes

from ledger.core.lineage import LineageGraph
from ledger.core.verdict import Verdict
from ledger.formats import lineage_views
from ledger.service import results
from ledger.store.passphrase import PASSPHRASE_FILE_VARIABLE, PASSPHRASE_VARIABLE
from ledger.store.workspace import HOME_VARIABLE

HERE = Path(__file__).parent
WIDTH = 100
GENERATED = "<!-- Written by docs/build.py from the source; `make docs` writes it anew. -->"

VARIABLES = {
    HOME_VARIABLE: "The workspace: its folder `.dataledger`, or the folder that is in. "
    "Without it, the nearest one from the current folder upwards.",
    PASSPHRASE_VARIABLE: "The passphrase of encrypted keys.",
    PASSPHRASE_FILE_VARIABLE: "A file whose first line is the passphrase. "
    "Without either, it is asked for at the terminal.",
    "NO_COLOR": "If set, no colours.",
}

ERRORS = """\
`dataledger run` exits as the program that it wraps, unless that could not be started. An error is one message
on stderr: what was expected, what was found, what to do next. With `--json` it is one line of JSON, see
[json.md](json.md#errors).
"""

COMPLETION = """\
bash: `eval "$(_DATALEDGER_COMPLETE=bash_source dataledger)"` in `~/.bashrc`;
zsh: `zsh_source`; fish: `fish_source`.
"""


# --- docs/cli.md


def cli_page() -> Iterator[str]:
    """Yield the command reference in lines."""
    yield from ("# Commands", "", GENERATED, "", inspect.getdoc(cli.callback) or "", "")
    yield from ("```text", _usage_and_options(_context(cli)), "```", "")
    for title, names in cli.sections:
        links = ", ".join(f"[`{name}`](#dataledger-{name})" for name in names)
        yield from (f"- {title}: {links}",)
    yield from ("", "## Exit codes", "", "| code | meaning |", "|---|---|")
    yield from (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())
    yield from ("", *ERRORS.splitlines(), "")
    yield from ("## Environment", "", "| variable | meaning |", "|---|---|")
    yield from (f"| `{name}` | {meaning} |" for name, meaning in VARIABLES.items())
    yield from ("", "## Completion", "", COMPLETION)
    for command, context in _commands(cli, _context(cli)):
        yield from _command_section(command, context)


def _context(command: click.Command, parent: click.Context | None = None) -> click.Context:
    name = "dataledger" if parent is None else command.name
    settings = cli.context_settings | {"terminal_width": WIDTH, "max_content_width": WIDTH}
    return click.Context(command, info_name=name, parent=parent, **settings)


def _commands(group: click.Group, context: click.Context) -> Iterator[tuple[click.Command, click.Context]]:
    """Yield every command below a group, groups before what is in them."""
    for command in group.commands.values():
        inner = _context(command, context)
        yield command, inner
        if isinstance(command, click.Group):
            yield from _commands(command, inner)


def _command_section(command: click.Command, context: click.Context) -> Iterator[str]:
    level = context.command_path.count(" ") + 1
    yield from ("#" * level + " " + context.command_path, "", inspect.cleandoc(command.help or ""), "")
    if isinstance(command, Group):
        return
    assert isinstance(command, Command)
    yield from ("```console", *(f"$ {line}" for line in command.example.splitlines()), "```", "")
    yield from ("```text", _usage_and_options(context), "```", "")
    links = (f"[`{name}`](json.md#{_anchor(name)})" for name in map(format_of, _shapes(command.answers)))
    yield from (f"`--json` answers with {' or '.join(links)}.", "")


def _usage_and_options(context: click.Context) -> str:
    """Return the help without its prose: what stands around it here."""
    formatter = context.make_formatter()
    context.command.format_usage(context, formatter)
    options = [each for each in context.command.get_params(context) if isinstance(each, click.Option)]
    records = [each.get_help_record(context) for each in options]
    with formatter.section("Options"):
        formatter.write_dl([record for record in records if record])
    return formatter.getvalue().rstrip()


def _anchor(title: str) -> str:
    """Return the id that a heading gets: lower case, without punctuation."""
    return "".join(c for c in title.lower().replace(" ", "-") if c.isalnum() or c in "-_")


# --- docs/json.md


def json_page() -> Iterator[str]:
    """Yield the reference of the JSON shapes in lines."""
    yield from ("# JSON shapes", "", GENERATED, "", *JSON_PREFACE.splitlines(), "")
    answered = _answered_by()
    yield from ("| command | shape |", "|---|---|")
    for shape, paths in answered.items():
        yield f"| {', '.join(f'`{path}`' for path in paths)} | [`{format_of(shape)}`]{_link(shape)} |"
    yield ""
    parts: dict[type[Struct], None] = {}
    for shape in answered:
        if shape is LineageGraph:
            yield from _lineage_section()
        else:
            yield from _section(f"## {format_of(shape)}", shape)
            parts |= dict.fromkeys(each for each in _inner(shape) if not format_of(each))
    yield from ("## Parts", "", "What the answers above are made of.", "")
    for part in parts:
        yield from _section(f"### {part.__name__}", part)
    yield from _section("## Errors", Failure)
    yield from ("| exit code | meaning |", "|---|---|")
    yield from (f"| {code} | {meaning} |" for code, meaning in EXIT_CODES.items())


JSON_PREFACE = """\
With `--json`, every command answers with one JSON object on stdout, on one line (`trace` and `impact`: one
node, edge or column a line). `run` puts it on stderr, because stdout belongs to the program that it wraps.
Errors are one line on stderr, and nothing else of ours is there.

The member `format` names the shape. Members are only ever added; a change that would break a reader changes
`format`. Every member is always there. Hashes, digests and ids are lower-case hex; times are RFC 3339 in UTC;
a text that nobody gave is empty, a number that there is not is `null`; `..._unix_s` counts seconds. Times
called `claimed` are what a record says; blocks and their times are what the chain proves. Texts come from the
records of many parties: treat them as data. Characters that a terminal would obey or hide are written as
`\\uNNNN`.
"""


def _answered_by() -> dict[type[Struct], list[str]]:
    """Return for each result shape the commands that answer with it."""
    answered: dict[type[Struct], list[str]] = {}
    for command, context in _commands(cli, _context(cli)):
        if isinstance(command, Command):
            for shape in _shapes(command.answers):
                answered.setdefault(shape, []).append(context.command_path.partition(" ")[2])
    return answered


def _shapes(names: str) -> list[type[Struct]]:
    """Return the shapes that a command's `answers` names: one, or several with `|` between them."""
    return [_shape(name.strip()) for name in names.split("|")]


def _shape(name: str) -> type[Struct]:
    found: type[Struct] = _ELSEWHERE.get(name) or getattr(results, name)
    return found


_ELSEWHERE: dict[str, type[Struct]] = {
    shape.__name__: shape for shape in (LineageGraph, Verdict, stories.Stories, stories.Played)
}


def format_of(shape: type[Struct]) -> str:
    """Return the `format` of a result shape, empty for a part of one."""
    return lineage_views.JSON_FORMAT if shape is LineageGraph else str(shape.__struct_config__.tag or "")


def _link(shape: type[Struct]) -> str:
    return f"(#{_anchor(format_of(shape) or shape.__name__)})"


def _section(title: str, shape: type[Struct]) -> Iterator[str]:
    yield from (title, "", *_struct_body(shape), "| member | type |", "|---|---|")
    if format_of(shape):
        yield f'| `format` | `"{format_of(shape)}"` |'
    yield from (f"| `{name}` | {_words(kind)} |" for name, kind in _members(shape))
    yield ""


def _members(shape: type[Struct]) -> Iterator[tuple[str, shapes.Type]]:
    info = shapes.type_info(shape)
    assert isinstance(info, shapes.StructType)
    for each in info.fields:
        yield each.encode_name, each.type


def _struct_body(shape: type[Struct]) -> Iterator[str]:
    yield from (*inspect.cleandoc(shape.__doc__ or "").splitlines(), "")


_PLAIN = {
    shapes.StrType: "text",
    shapes.IntType: "integer",
    shapes.BoolType: "true or false",
    shapes.NoneType: "null",
    shapes.BytesType: "bytes, in base64",
}


def _words(kind: shapes.Type) -> str:
    """Return a type in words of JSON."""
    if type(kind) in _PLAIN:
        return _PLAIN[type(kind)]
    match kind:
        case shapes.Metadata():
            return _words(kind.type)
        case shapes.LiteralType():
            return "one of " + ", ".join(f"`{value}`" for value in kind.values)
        case shapes.StructType():
            return f"[{format_of(kind.cls) or kind.cls.__name__}]{_link(kind.cls)}"
        case shapes.ListType() | shapes.VarTupleType():
            return f"list of {_words(kind.item_type)}"
        case shapes.DictType():
            return f"object of {_words(kind.value_type)}"
        case shapes.TupleType():
            return f"({', '.join(map(_words, kind.item_types))})"
        case shapes.UnionType():
            return " or ".join(map(_words, kind.types))
    raise TypeError(f"no words for {kind!r}: add them to docs/build.py")


def _inner(shape: type[Struct]) -> Iterator[type[Struct]]:
    """Yield the shapes within a shape, in order of their members."""
    waiting = [kind for _, kind in _members(shape)]
    while waiting:
        kind = waiting.pop(0)
        match kind:
            case shapes.StructType():
                yield kind.cls
                yield from _inner(kind.cls)
            case shapes.ListType() | shapes.VarTupleType():
                waiting.insert(0, kind.item_type)
            case shapes.UnionType() | shapes.TupleType():
                waiting[:0] = kind.types if isinstance(kind, shapes.UnionType) else kind.item_types


def _lineage_section() -> Iterator[str]:
    """The lineage document: its layout is the view's, what its texts mean the Structs'."""
    yield from (f"## {lineage_views.JSON_FORMAT}", "")
    source = inspect.cleandoc(lineage_views.__doc__ or "")
    block = source.split("```")[1].strip("\n")
    yield from ("```text", block, "```", "")
    yield from (source.split("```")[2].strip(), "")
    graph: type[Struct] = LineageGraph
    for shape in dict.fromkeys([graph, *_inner(graph)]):
        yield from (f"### {shape.__name__}", "", *_struct_body(shape))


# --- both


def page(lines: Iterator[str]) -> str:
    """Return a page: single empty lines, one line end at its end."""
    text = "\n".join(lines)
    while "\n\n\n" in text:
        text = text.replace("\n\n\n", "\n\n")
    return text.rstrip("\n") + "\n"


def main() -> int:
    """Write or compare; return the exit code."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    check = parser.parse_args().check
    stale = []
    for name, text in (("cli.md", page(cli_page())), ("json.md", page(json_page()))):
        path = HERE / name
        if not check:
            path.write_text(text, encoding="utf-8")
        elif not path.is_file() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    for name in stale:
        print(f"docs/{name} is not what docs/build.py writes: run make docs", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
