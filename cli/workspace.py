"""Commands about the workspace itself: init, status, sync, anchor, follow."""

from __future__ import annotations

from pathlib import Path

import click

from .declare import command, pass_session
from .render import browsing, writing
from .session import UNSETTLED, Session


@command(
    answers="Setup",
    example="""
dataledger init haina --name "Haina Appliances"
dataledger init jinlong --join ../haina/.dataledger/ledger.json --chain ../haina/.dataledger/chain.db
dataledger init acme --chain http://127.0.0.1:8545 --encrypt""",
)
@click.argument("namespace")
@click.option(
    "--name", default="", help="The party's display name, published on chain: a claim, like all names."
)
@click.option(
    "--chain",
    "chain",
    metavar="PATH|URL",
    help="An embedded chain's file, or a node. Default: a new embedded chain here.",
)
@click.option(
    "--join",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="LEDGER.JSON",
    help="Join this ledger instead of deploying a new one.",
)
@click.option(
    "--registrar",
    metavar="DID|self",
    help="Let this party alone assign top-level namespaces (new ledgers only).",
)
@click.option(
    "--encrypt",
    is_flag=True,
    help="Encrypt the keys of an embedded chain too. On a real chain keys always are.",
)
@pass_session
def init(
    session: Session,
    namespace: str,
    name: str,
    chain: str | None,
    join: Path | None,
    registrar: str | None,
    encrypt: bool,
) -> None:
    """Make a workspace: keys, chain, contracts, your namespace.

    It is the folder .dataledger here, or where DATALEDGER_HOME says. Interrupted, or without funds on a
    real chain, the same command goes on where it stopped.
    """
    from ledger.service.request import InitRequest

    request = InitRequest(
        namespace=namespace,
        name=name,
        chain=chain,
        join=join,
        registrar=registrar,
        encrypt=encrypt,
    )
    session.answer(session.init(request), writing.setup)


@command(answers="Status", example="dataledger status")
@pass_session
def status(session: Session) -> None:
    """Show where this workspace stands and what wants attention."""
    found = session.open().status()
    session.answer(found, browsing.status)


@command(answers="Synced", example="dataledger sync\ndataledger sync --rebuild")
@click.option("--rebuild", is_flag=True, help="Forget the index and build it anew from chain and logs.")
@click.option("--digest", is_flag=True, help="Also print the state digest, which two auditors can compare.")
@pass_session
def sync(session: Session, rebuild: bool, digest: bool) -> None:
    """Bring the index up to date with the chain and the logs."""
    done = session.open().sync(rebuild=rebuild, digest=digest)
    session.answer(done, writing.synced)


@command(answers="Receipt", example="dataledger anchor")
@pass_session
def anchor(session: Session) -> int:
    """Anchor all pending records in one transaction."""
    done = session.open().anchor()
    return session.settle(done)


@command(
    answers="Follows",
    example="""
dataledger follow jinlong --from ../jinlong/.dataledger/public
dataledger follow gz.weather --from https://weather.example/log
dataledger follow""",
)
@click.argument("party", required=False)
@click.option(
    "--from",
    "source",
    metavar="FOLDER|URL",
    help="Where the log is. Default: where the party says on chain that it is served.",
)
@click.option("--trust", is_flag=True, help="Count this party's claims in `verify` as good.")
@click.option("--stop", is_flag=True, help="Stop following this party.")
@pass_session
def follow(session: Session, party: str | None, source: str | None, trust: bool, stop: bool) -> int:
    """Follow another party's log, or list those followed.

    PARTY is a DID, or a namespace that the party owns. Its log is read at once; exits with 3 if
    that fails, and tries again at every sync.
    """
    ledger = session.open()
    code = 0
    if party is None:
        if source or trust or stop:
            raise click.UsageError("--from, --trust and --stop need a PARTY")
        found = ledger.followed()
    elif stop:
        found = ledger.unfollow(party)
    else:
        found = ledger.follow(party, source=source, trust=trust)
        code = UNSETTLED if found.followed[-1].problem else 0
    session.answer(found, browsing.follows)
    return code


@command(answers="Done", example="dataledger serve-at https://data.haina.example/log")
@click.argument("url")
@pass_session
def serve_at(session: Session, url: str) -> None:
    """Publish on chain where your log is served.

    URL is where a web server serves the folder .dataledger/public, so that others find it.
    """
    done = session.open().serve_at(url)
    session.answer(done, writing.done)


COMMANDS = (sync, anchor, follow, serve_at)
