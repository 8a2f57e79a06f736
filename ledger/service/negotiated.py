"""A negotiation as the logs have it: its steps, the one that says what was agreed, and where it stands."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from ledger.core.errors import Usage
from ledger.core.identity import parse_did
from ledger.core.records import Agreement, Statement
from ledger.core.terms import terms_of
from ledger.service.context import Context
from ledger.service.recorded import Recorded


class Steps(Protocol):
    """What the index knows of steps (`core.negotiation.Steps`)."""

    def said(self, record_id: bytes, /) -> Statement | None:
        """Give an accepted step."""

    def follower(self, record_id: bytes, /) -> bytes | None:
        """Give the step that follows another."""


class Step(NamedTuple):
    """A step of a negotiation: its record id (32 bytes), what it is about, and what it says."""

    record: bytes
    statement: Statement
    said: Agreement


def step_of(record: bytes, statement: Statement | None) -> Step | None:
    """Return a record as a step of a negotiation, None if it is none."""
    if statement is None or not isinstance(statement.predicate, Agreement):
        return None
    return Step(record, statement, statement.predicate)


def steps_of(found: Recorded, steps: Steps) -> list[Step]:
    """Return the steps that were allowed of the negotiation to which a step belongs, the first one first.

    One that was not allowed stands alone behind those that it followed.
    """
    first = _before(found, steps)
    chain = [first[0]]
    while (record := steps.follower(chain[-1].record)) is not None:
        following = step_of(record, steps.said(record))
        if following is None:
            break
        chain.append(following)
    return chain if any(each.record == found.record for each in chain) else first


def said_before(found: Recorded, steps: Steps) -> Step:
    """Return the step with the terms of which a step speaks: its own, or those of the last one before it."""
    return next(step for step in reversed(_before(found, steps)) if step.said.terms is not None)


def agreed_step(chain: list[Step]) -> Step:
    """Return the step by which something was agreed, as long as there is none the last one with terms."""
    bound = [step for step in chain if terms_of(step.said) is not None]
    return (bound or [step for step in chain if step.said.terms is not None])[-1]


def _before(found: Recorded, steps: Steps) -> list[Step]:
    """Return a step and those before it, the first one first."""
    last = step_of(found.record, found.statement)
    assert last is not None, "only agreements are asked for"
    chain = [last]
    while chain[0].said.previous:
        record = bytes.fromhex(chain[0].said.previous)
        before = step_of(record, steps.said(record))
        if before is None:
            break
        chain.insert(0, before)
    return chain


def log_in_use(context: Context, party: str) -> bytes:
    """Return the log (32 bytes) to which the records of a party (DID) go, as far as is known here."""
    if party == context.party:
        return context.log_id
    log_id, seen = context.log_id_of(parse_did(party)[1], 0), set[bytes]()
    while (view := context.index.log(log_id)) is not None and view.closed_block is not None:
        seen.add(log_id)
        if view.successor is None or view.successor in seen:
            raise Usage(f"the log of {party} was closed, and none goes on", hint="ask the party for its log")
        log_id = view.successor
    return log_id
