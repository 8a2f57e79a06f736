"""Commands about who may do what: key, namespace, delegate."""

from __future__ import annotations

import click

from . import render
from .common import Command, Group, Session, pass_session


@click.group(cls=Group)
def key() -> None:
    """The keys that sign your records."""


@key.command("list", cls=Command, example="dataledger key list")
@click.argument("party", required=False)
@pass_session
def key_list(session: Session, party: str | None) -> None:
    """List your record keys, or those of PARTY."""
    found = session.open().keys(party)
    session.answer(found, render.keys(found))


@key.command("rotate", cls=Command, example="dataledger key rotate")
@pass_session
def key_rotate(session: Session) -> None:
    """Publish a new key and sign with it from now on. What is pending is anchored first; the old key stays valid."""
    done = session.open().rotate_key()
    session.answer(done, render.done(done))


@key.command("revoke", cls=Command, example="dataledger key revoke 9c41...")
@click.argument("key_id", metavar="KEY")
@pass_session
def key_revoke(session: Session, key_id: str) -> None:
    """Revoke KEY (its hex digits, or the first of them) from the next block on. What is pending is anchored first."""
    done = session.open().revoke_key(key_id)
    session.answer(done, render.done(done))


@click.group(cls=Group)
def namespace() -> None:
    """Namespaces: where assets live."""


@namespace.command("list", cls=Command, example="dataledger namespace list")
@pass_session
def namespace_list(session: Session) -> None:
    """List the namespaces of this ledger and their owners."""
    found = session.open().namespaces()
    session.answer(found, render.namespaces(found))


@namespace.command("claim", cls=Command, example="dataledger namespace claim haina.europe")
@click.argument("name")
@pass_session
def namespace_claim(session: Session, name: str) -> None:
    """Claim NAME for yourself. A child (haina.europe) needs its parent's owner (haina)."""
    done = session.open().claim_namespace(name)
    session.answer(done, render.done(done))


@namespace.command("assign", cls=Command, example="dataledger namespace assign haina.parts jinlong")
@click.argument("name")
@click.argument("party")
@pass_session
def namespace_assign(session: Session, name: str, party: str) -> None:
    """Give a new namespace NAME, under one of yours, to PARTY (a DID, or a namespace it owns)."""
    done = session.open().assign_namespace(name, party)
    session.answer(done, render.done(done))


@namespace.command("transfer", cls=Command, example="dataledger namespace transfer haina.parts jinlong")
@click.argument("name")
@click.argument("party")
@pass_session
def namespace_transfer(session: Session, name: str, party: str) -> None:
    """Hand the namespace NAME, which is yours, to PARTY for good."""
    done = session.open().transfer_namespace(name, party)
    session.answer(done, render.done(done))


@click.group(cls=Group)
def delegate() -> None:
    """Who may act for you: `anchor` (send anchors, nothing else) or `record` (sign records with their own keys)."""


@delegate.command("list", cls=Command, example="dataledger delegate list")
@pass_session
def delegate_list(session: Session) -> None:
    """List your delegates."""
    found = session.open().delegates()
    session.answer(found, render.delegates(found))


@delegate.command("add", cls=Command, example="dataledger delegate add record jinlong --days 90")
@click.argument("type_", metavar="TYPE", type=click.Choice(("anchor", "record")))
@click.argument("party", metavar="PARTY|ADDRESS")
@click.option(
    "--days", type=click.IntRange(1, 36500), default=365, show_default=True, help="For how many days."
)
@pass_session
def delegate_add(session: Session, type_: str, party: str, days: int) -> None:
    """Let PARTY act for you. A delegation is made once: after a revocation, it needs another address."""
    done = session.open().add_delegate(type_, party, days=days)
    session.answer(done, render.done(done))


@delegate.command("revoke", cls=Command, example="dataledger delegate revoke record jinlong")
@click.argument("type_", metavar="TYPE", type=click.Choice(("anchor", "record")))
@click.argument("party", metavar="PARTY|ADDRESS")
@pass_session
def delegate_revoke(session: Session, type_: str, party: str) -> None:
    """End a delegation from the next block on."""
    done = session.open().revoke_delegate(type_, party)
    session.answer(done, render.done(done))


COMMANDS = (key, namespace, delegate)
