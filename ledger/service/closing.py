"""Ending a damaged log: it is closed on chain at a checkpoint, and another one of the party goes on.

A stolen key may have signed what the owner never said, a lost disk may have taken entries that are anchored:
nobody can take that back, the owner least of all. What was anchored before the closing block keeps its
effect, with a finding for the checkpoints that the owner does not stand by; what was not anchored is void.
The old log stays where it is, to be read, served and audited.

Each step looks before it acts: interrupted anywhere, the same command goes on where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec import Struct

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core import signing
from ledger.core.chain_facts import BlockRef, Closure
from ledger.core.encoding import unhex
from ledger.core.errors import LedgerError, Unavailable, Usage
from ledger.core.text import check_line
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.logs import MOST_LOGS, number_of, successor_word
from ledger.service.progress import Confirm
from ledger.service.publishing import sync_behind
from ledger.service.results import Done
from ledger.service.times import format_time
from ledger.store.log import LogFolder

CLOSED_ATTRIBUTE = b"dataledger/closed"
CLOSED_VALIDITY_S = 100 * 365 * 86400
MAX_REASON = 200
NEW = "new"


class _Plan(Struct, frozen=True):
    """What is to be done: close log `number` at checkpoint `at` of `count`; log `successor` goes on.

    `closure` is what the chain has of it by now, from an earlier try.
    """

    number: int
    at: int
    count: int
    successor: int
    reason: str
    closure: Closure | None


def close_log(context: Context, at: int, successor: str, *, reason: str = "", confirm: Confirm) -> Done:
    """Close the log that records go to; records go to `successor` (`new`, a number or an id) from now on.

    The owner stands by the checkpoints numbered below `at`. `confirm` is told what that means, and says
    whether to do it: it can't be undone. Raises Usage for what makes no sense. The old log need not be
    readable, nor the key that is in use valid: both may be why it is closed.
    """
    with asked():
        check_line(reason, what="reason", limit=MAX_REASON)
    with context.writing():
        plan = _plan(context, at, successor, reason)
        if plan.closure is None and not confirm(_warning(context, plan)):
            raise Usage("nothing was done: closing a log can't be undone", hint="add --yes to do it")
        _begin_successor(context, plan.successor)
        block = _close(context, plan)
        void = _void(context, plan)
        context.save_config(msgspec.structs.replace(context.config, log_number=plan.successor))
        notes = [void, _serve_note(context, plan), sync_behind(context)]
    at_words = f"at checkpoint {plan.at} of {plan.count}"
    return Done(
        what=f"closed log {plan.number} {at_words}; records go to log {plan.successor} from now on",
        block=block.number,
        block_time=format_time(block.time_unix_s),
        notes=[note for note in notes if note],
    )


def _plan(context: Context, at: int, successor: str, reason: str) -> _Plan:
    """Work out what there is to do, and check that it can be done."""
    number, log_id, reader = context.config.log_number, context.log_id, context.reader
    head, closure = reader.log_head(log_id), reader.closure(log_id)
    count = 0 if head is None else head.n + 1
    if closure is not None and closure.at != at:
        raise Usage(f"log {number} was closed already, at checkpoint {closure.at}")
    if not count:
        raise Usage(f"log {number} has no checkpoint on chain yet: there is nothing to close")
    if not 0 <= at <= count:
        raise Usage(f"log {number} has checkpoints 0 to {count - 1}: --at {count} is to stand by all of them")
    chosen = _chosen(context, successor, closure)
    if closure is not None and closure.successor != context.log_id_of(context.address, chosen):
        went_on = successor_word(context, closure.successor)
        raise Usage(f"log {number} was closed already, with the successor {went_on}")
    return _Plan(number, at, count, chosen, reason, closure)


def _chosen(context: Context, text: str, closure: Closure | None) -> int:
    """Return the number of the log that is to go on: one that was neither used nor closed."""
    if text == NEW:
        began = None if closure is None else number_of(context, context.address, closure.successor)
        numbers = range(context.config.log_number + 1, MOST_LOGS) if began is None else (began,)
        return next(number for number in numbers if began is not None or _is_unused(context, number))
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else _by_id(context, text)
    if number <= context.config.log_number or number >= MOST_LOGS:
        raise Usage(
            f"log {number} can't go on from log {context.config.log_number}: name a later one, or new"
        )
    if closure is None and not _is_unused(context, number):
        raise Usage(f"log {number} was used or closed before", hint="--successor new takes the next free one")
    return number


def _by_id(context: Context, text: str) -> int:
    with asked():
        number = number_of(context, context.address, unhex(text, 32, "successor: log id"))
    if number is None:
        raise Usage(f"{text} is no log of yours", hint="--successor new takes the next free one")
    return number


def _is_unused(context: Context, number: int) -> bool:
    log_id = context.log_id_of(context.address, number)
    return context.reader.log_head(log_id) is None and context.reader.closure(log_id) is None


def _warning(context: Context, plan: _Plan) -> str:
    disowned = plan.count - plan.at
    stands = f"You stand by its checkpoints below {plan.at}" + (
        f"; the {disowned} from there on keep their effect, with a finding." if disowned else ": all of them."
    )
    return (
        f"Close log {plan.number} ({context.log_id.hex()[:12]}) for good? {stands}"
        f" {_void(context, plan) or 'Nothing in it is pending.'}"
        f" Records go to log {plan.successor} from then on."
    )


def _void(context: Context, plan: _Plan) -> str:
    """Say how many entries were never anchored: they are void."""
    head = context.reader.log_head(context.log_id_of(context.address, plan.number))
    try:
        size = context.log.size
    except LedgerError as error:
        return f"The log can't be read whole: {error}"
    left = size - (head.size if head else 0)
    return f"{left} entries in it were never anchored and are void: record them again." if left > 0 else ""


def _begin_successor(context: Context, number: int) -> None:
    """Have the new log there, empty and signed, before anybody is told to look for it."""
    log_id = context.log_id_of(context.address, number)
    folder, lock = context.workspace.log_folder(number), context.workspace.log_lock(number)
    log = LogFolder(folder, log_id, lock_path=lock)
    log.append([], signing.signer(context.record_seed), on_wait=context.notify)


def _close(context: Context, plan: _Plan) -> BlockRef:
    """Close the log on chain, unless an earlier try did, and return the block that has it."""
    if plan.closure is not None:
        block = context.reader.block(plan.closure.block)
        if block is None:
            raise Unavailable(f"block {plan.closure.block}, which closed the log, is gone", hint="try again")
        return block
    with context.client() as client:
        return client.send_all(_calls(context, plan), context.account_key)


def _calls(context: Context, plan: _Plan) -> Sequence[Call]:
    ledger, address = context.descriptor, context.address
    successor = context.log_id_of(address, plan.successor)
    calls = [contracts.close_log(ledger, address, plan.number, at=plan.at, successor=successor)]
    if plan.reason:  # said first: whoever sees the log closed sees why
        said = f"#{plan.number} {plan.reason}".encode()
        why = contracts.set_attribute(ledger, address, CLOSED_ATTRIBUTE, said, CLOSED_VALIDITY_S)
        calls.insert(0, why)
    return calls


def _serve_note(context: Context, plan: _Plan) -> str:
    folder = context.workspace.log_folder(plan.successor)
    return f"whoever serves {context.workspace.public} serves the new log with it: it is in {folder}"
