"""Which step may follow which: the states of agreements and deliveries.

Source: Dataspace Protocol 2025-1, the state machines of contract negotiation and transfer process
(https://eclipse-dataspace-protocol-base.github.io/DataspaceProtocol/). A first step may also be one that both
have agreed to elsewhere (docs/formats.md section 4). A step that may not follow is refused before it
is signed; found in a log it is authentic, so it stays, changes no state, and everyone who asks is told.
"""

from __future__ import annotations

from typing import Final, Protocol

from ledger.core.errors import Unauthorized
from ledger.core.findings import Finding
from ledger.core.records import Agreement, Delivery, Resource, Statement

NEXT: Final[dict[str, tuple[str, ...]]] = {
    "": ("REQUESTED", "OFFERED", "AGREED", "FINALIZED"),
    "REQUESTED": ("OFFERED", "AGREED", "TERMINATED"),
    "OFFERED": ("REQUESTED", "ACCEPTED", "TERMINATED"),
    "ACCEPTED": ("AGREED", "TERMINATED"),
    "AGREED": ("VERIFIED", "TERMINATED"),
    "VERIFIED": ("FINALIZED", "TERMINATED"),
    "FINALIZED": (),
    "TERMINATED": (),
}
"""Contract negotiation: state -> the states that may follow; "" is before the first step."""

NEXT_TRANSFER: Final[dict[str, tuple[str, ...]]] = {
    "": ("REQUESTED", "STARTED", "COMPLETED"),
    "REQUESTED": ("STARTED", "TERMINATED"),
    "STARTED": ("STARTED", "SUSPENDED", "COMPLETED", "TERMINATED"),
    "SUSPENDED": ("STARTED", "TERMINATED"),
    "COMPLETED": (),
    "TERMINATED": (),
}
"""Transfer process. STARTED may follow itself: each such step reports the units delivered since the last."""

Step = Agreement | Delivery


class Steps(Protocol):
    """What is known of the steps before, in anchor order; steps that were not allowed are not among them."""

    def said(self, record_id: bytes, /) -> Statement | None:
        """Give an accepted agreement or delivery by its record id (32 bytes)."""

    def follower(self, record_id: bytes, /) -> bytes | None:
        """Give the first step (record id) that names this one as the step before, and might follow it."""


def check_step(statement: Statement, record_id: bytes, steps: Steps) -> None:
    """Return if this step may follow the one it names; raise Unauthorized, `illegal-transition`, if not.

    `record_id` (32 bytes) is the step's own. For whoever is about to sign: an agreement that is void by its
    `anchor_before`, or one of another subject, is for `authority_rights`.
    """
    step = statement.predicate
    if not isinstance(step, Step):
        return
    before = _before(step, record_id, steps)
    _check_same(statement, before)
    allowed = NEXT if isinstance(step, Agreement) else NEXT_TRANSFER
    state = "" if before is None else _state(before)
    if step.state not in allowed[state]:
        raise _illegal(
            f"{step.state} can't follow {state or 'nothing'}, expected "
            f"{' or '.join(allowed[state]) or 'no further step'}"
        )
    if isinstance(step, Delivery) and negotiation_state(bytes.fromhex(step.agreement), steps) != "FINALIZED":
        raise _illegal(f"agreement {step.agreement} is not FINALIZED, nothing can be delivered under it")


def check_beginning(statement: Statement, begun: bytes | None) -> None:
    """Refuse (`illegal-transition`) to begin a transfer that another record (32 bytes) has begun before.

    That is one of the same `process` under the same agreement: what was delivered would be told twice.
    """
    step = statement.predicate
    if isinstance(step, Delivery) and not step.previous and begun is not None:
        raise _illegal(f"record {begun.hex()} began process {step.process} before, expected `previous`")


def negotiation_state(record_id: bytes, steps: Steps) -> str:
    """Give the state that an agreement or delivery has reached since the step with this record id (32 bytes).

    Empty if there is no such step.
    """
    state = ""
    following: bytes | None = record_id
    while following is not None:
        said = steps.said(following)
        if said is None or not isinstance(said.predicate, Step):
            break
        state = said.predicate.state
        following = steps.follower(following)
    return state


def transition_findings(
    statement: Statement, record_id: bytes, steps: Steps, begun: bytes | None = None
) -> list[Finding]:
    """List what `check_step` or `check_beginning` would have refused of an accepted record.

    Such a step changes no state.
    """
    try:
        check_step(statement, record_id, steps)
        check_beginning(statement, begun)
    except Unauthorized as error:
        return [Finding("illegal-transition", statement.subject[0].name, str(error))]
    return []


def _before(step: Step, record_id: bytes, steps: Steps) -> Statement | None:
    """Give the step before, None before the first."""
    if not step.previous:
        return None
    previous = bytes.fromhex(step.previous)
    before = steps.said(previous)
    if before is None:
        raise _illegal(f"the step before, record {step.previous}, is not known")
    past = before.predicate
    if isinstance(past, Step) and past.previous and steps.follower(bytes.fromhex(past.previous)) != previous:
        raise _illegal(f"the step before, record {step.previous}, was not allowed itself")
    follower = steps.follower(previous)
    if follower not in (None, record_id):
        raise _illegal(f"record {follower.hex()} followed {step.previous} before" if follower else "")
    return before


def _check_same(statement: Statement, before: Statement | None) -> None:
    """Refuse a step of another negotiation or transfer than the one before."""
    if before is None:
        return
    step, past = statement.predicate, before.predicate
    if isinstance(step, Agreement) and isinstance(past, Agreement):
        same = (step.negotiation, step.provider, step.consumer) == (
            past.negotiation,
            past.provider,
            past.consumer,
        ) and (step.terms is not None or _names(statement.subject) == _names(before.subject))
    else:
        same = (
            isinstance(step, Delivery)
            and isinstance(past, Delivery)
            and (step.process, step.agreement) == (past.process, past.agreement)
        )
    if not same:
        raise _illegal("the step before is one of another negotiation or transfer")


def _names(subject: list[Resource]) -> set[str]:
    return {each.name for each in subject}


def _state(statement: Statement) -> str:
    predicate = statement.predicate
    return predicate.state if isinstance(predicate, Step) else ""


def _illegal(text: str) -> Unauthorized:
    return Unauthorized(
        "illegal-transition", text, hint="look at the agreement or delivery, and take a step that may follow"
    )
