"""Commands about who may do what: key, namespace, delegate."""

from __future__ import annotations

import click

from .declare import command, count_option, group, pass_session
from .render import identity, writing
from .session import Session


@group()
def key() -> None:
    """The keys that sign your records."""


@command("list", group=key, answers="Keys", example="dataledger key list")
@click.argument("party", required=False)
@pass_session
def key_list(session: Session, party: str | None) -> None:
    """List your record keys, or those of PARTY."""
    found = session.open().keys(party)
    session.answer(found, identity.keys)


@command("rotate", group=key, answers="Done", example="dataledger key rotate")
@pass_session
def key_rotate(session: Session) -> None:
    """Publish a new key and sign with it from now on.

    What is pending is anchored first. The old key stays valid: revoke it if it may have been stolen.
    """
    done = session.open().rotate_key()
    session.answer(done, writing.done)


@command("revoke", group=key, answers="Done", example="dataledger key revoke 9c41...")
@click.argument("key_id", metavar="KEY")
@pass_session
def key_revoke(session: Session, key_id: str) -> None:
    """Revoke a key from the next block on.

    KEY is given by its hex digits or the first of them. What is pending is anchored first; what was
    anchored before stays valid.
    """
    done = session.open().revoke_key(key_id)
    session.answer(done, writing.done)


@group()
def namespace() -> None:
    """Namespaces: where assets live."""


@command("list", group=namespace, answers="Namespaces", example="dataledger namespace list")
@pass_session
def namespace_list(session: Session) -> None:
    """List the namespaces of this ledger and their owners."""
    found = session.open().namespaces()
    session.answer(found, identity.namespaces)


@command("claim", group=namespace, answers="Done", example="dataledger namespace claim haina.europe")
@click.argument("name")
@pass_session
def namespace_claim(session: Session, name: str) -> None:
    """Claim a namespace for yourself.

    A child (haina.europe) needs its parent's owner (haina).
    """
    done = session.open().claim_namespace(name)
    session.answer(done, writing.done)


@command("assign", group=namespace, answers="Done", example="dataledger namespace assign haina.parts jinlong")
@click.argument("name")
@click.argument("party")
@pass_session
def namespace_assign(session: Session, name: str, party: str) -> None:
    """Give a new namespace under one of yours to another party.

    PARTY is a DID, or a namespace that the party owns.
    """
    done = session.open().assign_namespace(name, party)
    session.answer(done, writing.done)


@command(
    "transfer", group=namespace, answers="Done", example="dataledger namespace transfer haina.parts jinlong"
)
@click.argument("name")
@click.argument("party")
@pass_session
def namespace_transfer(session: Session, name: str, party: str) -> None:
    """Hand a namespace of yours to another party for good.

    PARTY is a DID, or a namespace that the party owns. With it go the assets whose holder is the
    namespace's owner.
    """
    done = session.open().transfer_namespace(name, party)
    session.answer(done, writing.done)


@group()
def delegate() -> None:
    """Who may act for you.

    `anchor` delegates send anchors and nothing else; `record` delegates sign records for you with their own
    keys.
    """


@command("list", group=delegate, answers="Delegates", example="dataledger delegate list")
@pass_session
def delegate_list(session: Session) -> None:
    """List your delegates."""
    found = session.open().delegates()
    session.answer(found, identity.delegates)


@command("add", group=delegate, answers="Done", example="dataledger delegate add record jinlong --days 90")
@click.argument("type_", metavar="TYPE", type=click.Choice(("anchor", "record")))
@click.argument("party", metavar="PARTY|ADDRESS")
@count_option("--days", "For how many days.", default=365, maximum=36_500)
@pass_session
def delegate_add(session: Session, type_: str, party: str, days: int) -> None:
    """Let another party act for you.

    A delegation is made once: after a revocation, it needs another address.
    """
    done = session.open().add_delegate(type_, party, days=days)
    session.answer(done, writing.done)


@command("revoke", group=delegate, answers="Done", example="dataledger delegate revoke record jinlong")
@click.argument("type_", metavar="TYPE", type=click.Choice(("anchor", "record")))
@click.argument("party", metavar="PARTY|ADDRESS")
@pass_session
def delegate_revoke(session: Session, type_: str, party: str) -> None:
    """End a delegation from the next block on."""
    done = session.open().revoke_delegate(type_, party)
    session.answer(done, writing.done)


COMMANDS = (key, namespace, delegate)
