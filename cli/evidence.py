"""Commands that prove: verify, evidence, report, trust."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, Unpack

import click

from .declare import command, pass_session
from .mistakes import perhaps_an_asset
from .render import asking, proving
from .session import UNSETTLED, Session
from .terms import RIGHTS

if TYPE_CHECKING:
    from ledger.core.records_rights import Right
    from ledger.core.verdict import Conclusion, RightsConclusion
    from ledger.service.evidence_checking import TrustRoot

Decorated = TypeVar("Decorated", bound=Callable[..., Any])

SUFFIX = ".evidence"
PAGE = ".html"


class Held(TypedDict):
    """What evidence is held against: the block that is real, by one of three ways, and a file."""

    block: str
    rpc: str
    trust: Path | None
    file: Path | None


def held_against(function: Decorated) -> Decorated:
    """Add the options of `Held`."""
    file = click.Path(path_type=Path, dir_okay=False)
    options = (
        click.option("--block", default="", metavar="HASH", help="The hash of the block that is real."),
        click.option("--rpc", default="", metavar="URL", help="Ask this node whether it has the block."),
        click.option("--trust", type=file, help="A file that lists blocks which are real."),
        click.option(
            "--file",
            type=click.Path(path_type=Path),
            help="Evidence: good only if this file or folder is one of its versions.",
        ),
    )
    for option in reversed(options):
        function = option(function)
    return function


def trust_root(held: Held) -> TrustRoot:
    """Return what these options say of the block."""
    from ledger.service.evidence_checking import TrustRoot

    return TrustRoot(held["block"], held["trust"], held["rpc"])


def exit_code(*verdicts: Conclusion | RightsConclusion) -> int:
    """Return the exit code of verdicts on evidence: one no is a no, else what is unknown is unknown."""
    codes = {"good": 0, "permitted": 0, "unconfirmed": UNSETTLED, "unknown": UNSETTLED}
    found = [codes.get(verdict, 1) for verdict in verdicts]
    return 1 if 1 in found else max(found)


@command(
    answers="FileVerdict | Verdict",
    example="""
dataledger verify demand.csv
dataledger verify parts.csv --as jinlong/parts
dataledger verify demand.evidence --block 0x5f1c... --file demand.csv
dataledger verify demand.evidence --rpc https://node.example""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--as", "asset", metavar="ASSET", help="Good only if this asset has a version with this content."
)
@held_against
@pass_session
def verify(session: Session, path: Path, asset: str | None, **held: Unpack[Held]) -> int:
    """Say which version a file is, or what evidence proves.

    Of a data file: exits with 0 only if a version of yours, of a party you trust, or of the asset named with
    --as has this very content, and its record, signature, key, inclusion and anchor all hold.

    Of an evidence file: needs no workspace and no network. Exits with 0 only if everything in it holds, a
    trust root (--block, --trust or --rpc) confirms its block, and what it asks about rights is permitted; 3
    without a trust root.

    1: it does not hold, or is denied; 3: not anchored yet, not confirmed, or unknown.
    """
    from ledger.service.evidence_checking import check_evidence, looks_like_evidence

    if asset is not None and any(held.values()):
        raise click.UsageError("--as is for data files; --block, --rpc, --trust and --file are for evidence")
    if any(held.values()) or (asset is None and looks_like_evidence(path)):
        verdict = check_evidence(path, trust_root(held), file=held["file"], progress=session.progress).verdict
        session.answer(verdict, proving.verdict)
        return exit_code(verdict.verdict, *([verdict.rights.verdict] if verdict.rights else []))
    with perhaps_an_asset(path):
        found = session.open().verify(path, asset=asset)
    session.answer(found, asking.file_verdict)
    return {"good": 0, "unconfirmed": UNSETTLED}.get(found.verdict, 1)


@command(
    answers="EvidenceMade",
    example="""
dataledger evidence haina/demand@2 -o demand.evidence
dataledger evidence haina/demand haina/forecast -o both.evidence
dataledger evidence haina/orders@2 --may jinlong --right use --for planning --region CN -o may.evidence""",
)
@click.argument("versions", nargs=-1, required=True, metavar="VERSION...")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file to write. Default: the asset's last name and {SUFFIX}.",
)
@click.option("--may", "party", default="", metavar="PARTY", help="Whether this party may do it, as well.")
@click.option("--right", type=click.Choice(RIGHTS), help="With --may: what the party would do with it.")
@click.option("--for", "purpose", default="", metavar="PURPOSE", help="With --may: what for.")
@click.option("--region", default="", metavar="CN|CN-44", help="With --may: where.")
@click.option("--at", default="", metavar="DATE|TIME|BLOCK", help="With --may: when. Default: now.")
@click.option(
    "--rules",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="With --may: rules for data that crosses borders; of several lists the one in force counts.",
)
@pass_session
def evidence(
    session: Session,
    versions: tuple[str, ...],
    output: Path | None,
    party: str,
    right: Right | None,
    purpose: str,
    region: str,
    at: str,
    rules: tuple[Path, ...],
) -> int:
    """Write what proves a version's lineage into one file.

    Whoever gets the file checks it with `dataledger verify`: offline, without this workspace, trusting
    nobody but a block's hash. VERSION is as for `trace`; an asset means its newest version.

    With --may it is about one version, and proves what `may` answers, too: the grants that permit it, and
    that nobody had taken them back. A no is only as complete as the file.

    Exits with 3 if something about it can't be told.
    """
    from ledger.service.evidence_inquiry import MayInquiry

    if bool(party) != bool(right):
        raise click.UsageError("--may and --right go together: who, and what")
    if not party and (purpose or region or at or rules):
        raise click.UsageError("--for, --region, --at and --rules go with --may")
    inquiry = right and MayInquiry(
        party=party, right=right, purpose=purpose, region=region, at=at, rules=rules
    )
    out = output or Path(versions[0].partition("@")[0].rpartition("/")[2] + SUFFIX)
    made = session.open().evidence(versions, out, inquiry or None)
    session.answer(made, proving.evidence_made)
    return UNSETTLED if made.unknown else 0


@command(
    answers="ReportMade",
    example="""
dataledger report demand.evidence --block 0x5f1c... -o demand.html
dataledger report demand.evidence --rpc https://node.example --file demand.csv""",
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help=f"The file to write. Default: the evidence's name, with {PAGE}.",
)
@held_against
@pass_session
def report(session: Session, path: Path, output: Path | None, **held: Unpack[Held]) -> int:
    """Verify evidence and write the verdict as a page.

    The page is one HTML file, to read and to print. It needs no network, and making it no workspace.

    Exits as `verify` does: 0 only if the evidence holds and its block is confirmed; 3 without a trust root,
    and the page says so first. Evidence that does not hold is refused, and no page is written.
    """
    from ledger.service.reporting import report as write

    out = output or path.with_name(path.name.removesuffix(SUFFIX) + PAGE)
    made = write(path, out, trust_root(held), file=held["file"], progress=session.progress)
    session.answer(made, proving.report_made)
    return exit_code(made.verdict, *([made.rights] if made.rights else []))


@command(
    answers="TrustFile",
    example="""
dataledger trust
dataledger trust 1204 1310""",
)
@click.argument("blocks", nargs=-1, type=click.IntRange(0), metavar="[BLOCK]...")
@pass_session
def trust(session: Session, blocks: tuple[int, ...]) -> None:
    """Print a trust file: blocks as your own chain has them.

    It is JSON, to be kept in a file for `verify --trust`, on a machine that is offline. Without BLOCK it is
    about the last final block. Hand it over by another way than the evidence: it is what the evidence is held
    against.
    """
    found = session.open().trust(blocks)
    session.answer(found, proving.trust_file)


COMMANDS = (evidence, report, trust)
