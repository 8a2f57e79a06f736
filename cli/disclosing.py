"""Commands about private attachments: disclose, forget, import disclosed."""

from __future__ import annotations

from pathlib import Path

import click

from ledger.core.errors import Usage

from .assets import import_
from .declare import command, pass_session
from .render import disclosing
from .session import Session

a_role = click.option(
    "--role",
    "roles",
    metavar="ROLE",
    multiple=True,
    help="Only attachments with this role, such as command or event. Repeatable.",
)
yes = click.option("--yes", is_flag=True, help="Do it. Without this, only show what it would concern.")


@command(
    answers="Disclosures",
    example="""
dataledger disclose haina/demand@2 --role command
dataledger disclose haina/demand@2 --role command --yes
dataledger disclose 3f9a2c -o for-the-auditor --yes
dataledger disclose --withdraw haina/demand@2
dataledger disclose --list""",
)
@click.argument("whats", metavar="[WHAT]...", nargs=-1)
@a_role
@click.option(
    "-o",
    "--to",
    "folder",
    metavar="FOLDER",
    type=click.Path(path_type=Path, file_okay=False),
    help="Write them as files into FOLDER, to hand to whom they concern; mark nothing.",
)
@click.option("--withdraw", is_flag=True, help="Take the mark back.")
@click.option("--list", "list_", is_flag=True, help="List what is marked.")
@yes
@pass_session
def disclose(
    session: Session,
    whats: tuple[str, ...],
    roles: tuple[str, ...],
    folder: Path | None,
    withdraw: bool,
    list_: bool,
    yes: bool,
) -> None:
    """Choose which private attachments go into evidence files.

    Command lines, parameters and original events are private. WHAT is an asset or a version (all records
    about it), a record, or an attachment's digest; of the last two the first digits do. What is marked goes
    into every evidence file made here that holds its record. Without --yes, this shows what would be
    disclosed. A mark can be taken back; what somebody has got cannot.
    """
    _check(whats, others=bool(roles or folder or withdraw or yes), list_=list_)
    if withdraw and (folder or yes):
        raise Usage("--withdraw takes a mark back: it goes with neither --to nor --yes")
    ledger = session.open()
    if list_:
        found = ledger.disclosures()
    elif withdraw:
        found = ledger.withdraw(whats, roles=roles)
    else:
        found = ledger.disclose(whats, roles=roles, folder=folder, confirmed=yes)
    session.answer(found, disclosing.disclosures)


def _check(whats: tuple[str, ...], *, others: bool, list_: bool) -> None:
    if list_ and (whats or others):
        raise Usage("--list stands alone: it lists everything that is marked")
    if not list_ and not whats:
        raise Usage("expected WHAT to disclose, or --list", hint="dataledger disclose --help")


@command(
    answers="Disclosures",
    example="""
dataledger forget haina/demand@2 --role command
dataledger forget 3f9a2c --yes""",
)
@click.argument("whats", metavar="WHAT...", nargs=-1, required=True)
@a_role
@yes
@pass_session
def forget(session: Session, whats: tuple[str, ...], roles: tuple[str, ...], yes: bool) -> None:
    """Delete private attachments for good.

    WHAT is an asset or a version (all records about it), a record, or an attachment's digest. Content and
    salt are deleted, so that nobody can ever show or guess what they were; the records stay, and every proof
    of them still verifies. Copies elsewhere are not reached: backups, files handed out, evidence files.
    Without --yes, this shows what would be deleted.
    """
    found = session.open().forget(whats, roles=roles, confirmed=yes)
    session.answer(found, disclosing.disclosures)


@command(
    answers="Disclosures",
    group=import_,
    example="dataledger import disclosed from-jinlong/*.sealed",
)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@pass_session
def disclosed(session: Session, files: tuple[Path, ...]) -> None:
    """Keep private attachments that somebody handed to you.

    FILES are what `disclose --to` wrote. Each is checked against the digest that an accepted record names,
    and kept privately; if one is refused, none is kept.
    """
    found = session.open().receive(files)
    session.answer(found, disclosing.disclosures)


COMMANDS = (disclose, forget)
