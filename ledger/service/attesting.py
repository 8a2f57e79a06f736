"""Saying something about data: a review, a valuation, a consent, an objection; freezing, and lifting it.

Anybody may attest; what only some may say is refused before it is signed, by the rules that would reject it
in a log. A freeze binds from its posting on chain, so it is anchored and posted at once.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from ledger.chain import contracts
from ledger.core import digests
from ledger.core.authority_rights import check_attestation
from ledger.core.digests import target_of_record
from ledger.core.errors import NotFound, Unauthorized, Usage
from ledger.core.records import Attachment, Attestation, Resource
from ledger.core.records_rights import Kind, Level
from ledger.core.shapes_rights import MEMBERS, OUTCOMES
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.attached import Sealing
from ledger.service.batch import Batch
from ledger.service.context import Context
from ledger.service.giving import next_place, subject_of
from ledger.service.offers import parse_money, parse_share
from ledger.service.parties import party_address
from ledger.service.publishing import publish
from ledger.service.rechecking import statement_at
from ledger.service.recorded import record_id
from ledger.service.results import Receipt
from ledger.service.times import end_of, start_of
from ledger.store.attachments import MAX_ATTACHMENT
from ledger.store.files import read_small

REPORT: Final = "report"
"""The role of the attachment that says more."""

FROZEN, LIFTED = "frozen", "lifted"

_WORDS: Final = {
    "description": "text", "target": "about", "score_bps": "score", "sample_bps": "sample",
    "purposes": "purpose", "regions": "region", "start": "from",
}  # fmt: skip
"""What the members of a record are called where people name them."""


class Assertion(Struct, frozen=True, kw_only=True):
    """What is to be attested, as it was asked for; texts are read by `attest`.

    `names` are assets and versions; without any, what record `about` is about. `amount` is an amount and its
    currency, `score` and `sample` are shares (`98.5%`, `9850bps`), `start`, `until` and `due` dates or times,
    `until` and `due` meaning the end of a date. `to` names parties. `report` is a file, kept beside the log
    for everybody, or sealed with `private`.
    """

    kind: Kind
    names: Sequence[str] = ()
    topic: str = ""
    text: str = ""
    outcome: str = ""
    amount: str = ""
    score: str = ""
    sample: str = ""
    level: Level | None = None
    purposes: Sequence[str] = ()
    regions: Sequence[str] = ()
    start: str = ""
    until: str = ""
    about: str = ""
    to: Sequence[str] = ()
    due: str = ""
    report: Path | None = None
    private: bool = False


def attest(context: Context, assertion: Assertion, *, anchor: bool = True) -> Receipt:
    """Say something about assets, versions or a record. Raises Usage for what a kind does not need, or lacks,
    and for what this party has no right to say.
    """
    report = _report(assertion)
    with context.writing():
        batch, sealing = Batch(context), Sealing(context)
        target = _target(context, assertion)
        subject = _subject(context, assertion.names, target)
        said = read_assertion(context, assertion, target)
        begun = _begun(context, assertion, subject, target)
        attached = [] if report is None else [_attach(sealing, assertion, report)]
        record = begun or add_attestation(context, batch, subject, said, attached)
        sealing.flush()
        if assertion.outcome == FROZEN:
            return _post(context, batch, target, record)
        return publish(context, batch, anchor=anchors(context, anchor))


def add_attestation(
    context: Context,
    batch: Batch,
    subject: Sequence[Resource],
    said: dict[str, Any],
    attached: Sequence[Attachment] = (),
) -> bytes:
    """Add an attestation to a batch and return its record id; Usage for what the rules would refuse."""
    with asked(), batch.all_or_none():
        record, predicate = batch.attestation(subject, said, attached)
        check_may_attest(context, subject, predicate)
    return record


def check_may_attest(context: Context, subject: Sequence[Resource], predicate: Attestation) -> None:
    """Refuse what the rules would reject once it is anchored."""
    try:
        check_attestation(subject, predicate, [context.address], next_place(context), context.index.facts())
    except Unauthorized as error:
        raise Usage(
            f"that is not yours to say ({error.reason}): {context.named(error)}", hint=error.hint
        ) from None


def read_assertion(context: Context, assertion: Assertion, target: bytes = b"") -> dict[str, Any]:
    """Return the members of an attestation; Usage for one that its kind has no use for, or lacks."""
    with asked():
        said: dict[str, Any] = {
            "kind": assertion.kind,
            "topic": assertion.topic,
            "description": assertion.text,
            "target": target.hex(),
            "outcome": assertion.outcome or None,
            "amount": parse_money(assertion.amount) if assertion.amount else None,
            "score_bps": parse_share(assertion.score) if assertion.score else None,
            "sample_bps": parse_share(assertion.sample) if assertion.sample else None,
            "level": assertion.level,
            "purposes": list(assertion.purposes),
            "regions": list(assertion.regions),
            "start": start_of(assertion.start) if assertion.start else "",
            "until": end_of(assertion.until) if assertion.until else "",
            "to": [context.did(party_address(context, each)) for each in assertion.to],
            "due": end_of(assertion.due) if assertion.due else "",
        }
    _check_members(assertion.kind, said)
    return said


def _check_members(kind: Kind, said: dict[str, Any]) -> None:
    """Say what a kind needs and what has no place in it, in the words of who asked."""
    needed, possible = MEMBERS[kind]
    there = {name for name, value in said.items() if value not in (None, "", []) and name != "kind"}
    takes = f"it needs {_words(needed)}" + (f" and may have {_words(possible)}" if possible else "")
    if kind in OUTCOMES:
        takes += f"; outcome is {' or '.join(each for each in OUTCOMES[kind] if each)}"
    if lacking := needed - there:
        raise Usage(f"{kind}: expected {_words(lacking)}", hint=takes)
    if strange := there - needed - possible - {"description", "target"}:
        raise Usage(f"{kind}: {_words(strange)} has no place in it", hint=takes)
    if kind in OUTCOMES and said["outcome"] not in OUTCOMES[kind]:
        raise Usage(f"{kind}: {said['outcome']} is no outcome of it", hint=takes)


def _words(members: Iterable[str]) -> str:
    return ", ".join(sorted(_WORDS.get(each, each) for each in members))


# --- what it is about


def _target(context: Context, assertion: Assertion) -> bytes:
    """Return the record that it is about; of a freeze without one, the registration of the asset."""
    if assertion.about:
        return _frozen_by(context, record_id(context, assertion.about), assertion.outcome)
    if assertion.outcome not in (FROZEN, LIFTED):
        return b""
    if len(assertion.names) != 1:
        raise Usage("name the registration, grant or agreement that is meant", hint="--about RECORD")
    name = context.known.asset(assertion.names[0])
    asset = context.index.asset(name)
    if asset is None or asset.registration is None:
        raise context.known.unregistered(name)
    return asset.registration.record


def _frozen_by(context: Context, record: bytes, outcome: str) -> bytes:
    """Return what a freeze froze where it is to be lifted, any other record as it is."""
    found = context.index.said(record) if outcome == LIFTED else None
    said = None if found is None else found.statement.predicate
    if isinstance(said, Attestation) and said.outcome == FROZEN:
        return bytes.fromhex(said.target)
    return record


def _subject(context: Context, names: Sequence[str], target: bytes) -> list[Resource]:
    """Return the subject: what was named, else what the record is about."""
    if names:
        return subject_of(context, names)
    if not target:
        raise Usage("what is it about?", hint="name assets or versions, or a record with --about")
    said = context.index.said(target)
    row = context.index.find_records(target.hex())[0]
    statement = said.statement if said else statement_at(context, row.log, row.idx)
    about = [each for each in statement.subject if digests.RUN not in each.digest]
    if not about:
        raise Usage(
            f"record {target.hex()[:12]} names no asset or version", hint="name what your statement is about"
        )
    return about


def _begun(context: Context, assertion: Assertion, subject: Sequence[Resource], target: bytes) -> bytes:
    """Return the record of a freeze that got no further than the log; Usage where there is nothing to freeze
    or to lift.
    """
    if assertion.outcome not in (FROZEN, LIFTED):
        return b""
    if context.index.said(target) is None:
        raise Usage(
            f"record {target.hex()[:12]} names no arbiter: nobody may freeze it",
            hint="an arbiter is named when an asset is registered, or rights are granted: --arbiter",
        )
    if assertion.outcome == FROZEN:
        return context.index.unposted_freeze(target, context.address) or b""
    _check_is_frozen(context, subject, target)
    return b""


def _check_is_frozen(context: Context, subject: Sequence[Resource], target: bytes) -> None:
    """Refuse to lift where nothing is frozen."""
    head = context.index.head
    facts = None if head is None else context.index.rights(head.number)
    given = None if facts is None else facts.given(target.hex())
    spans = given.frozen if given else facts.frozen(subject[0].name.partition("@")[0]) if facts else ()
    if all(span.until_ns is not None for span in spans):
        raise Usage(f"record {target.hex()[:12]} is not frozen: there is nothing to lift")


# --- what goes with it


def _report(assertion: Assertion) -> bytes | None:
    if assertion.report is None:
        if assertion.private:
            raise Usage("only a report file can be private", hint="name it with --file")
        return None
    data = read_small(assertion.report, MAX_ATTACHMENT, "report")
    if data is None:
        raise NotFound(f"{assertion.report}: there is no such file")
    return data


def _attach(sealing: Sealing, assertion: Assertion, report: bytes) -> Attachment:
    assert assertion.report is not None
    media_type = mimetypes.guess_type(assertion.report.name)[0] or "application/octet-stream"
    put = sealing.seal if assertion.private else sealing.publish
    return put(REPORT, media_type, report)


def _post(context: Context, batch: Batch, target: bytes, record: bytes) -> Receipt:
    """Publish a freeze and post it behind its anchor: from there on it binds."""
    post = contracts.post(context.descriptor, context.address, target_of_record(target), record)
    done = publish(context, batch, anchor=True, then=[post])
    if done.block is None:
        context.notify("it does not bind yet: run the same command again to post it")
    return done
