"""What both sides sign: it travels as a file, and enters the logs once everybody has signed.

The side that proposes signs first, the other one looks, signs, and has it in its log; the file, complete now,
goes back, and the first side keeps it in its own log too: none of them can sit on what both signed. Whoever
signs checks it as the rules will: the keys as the chain has them now, what the provider has to give, the step
before, the block before which it has to be anchored.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from msgspec import structs

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core import dsse, signing
from ledger.core.authority_rights import check_revocation
from ledger.core.authority_signers import missing_signers
from ledger.core.digests import target_of_record
from ledger.core.errors import NotFound, Unauthorized, Unavailable, Usage, WrongLedger
from ledger.core.identity import format_keyid, parse_did
from ledger.core.records import Agreement, Revocation, Statement
from ledger.core.statement import build_statement
from ledger.service.asking import asked
from ledger.service.assets import anchors
from ledger.service.batch import header
from ledger.service.context import Context
from ledger.service.countersigning_file import WHAT, Draft, read_draft
from ledger.service.deals import Deal
from ledger.service.giving import next_place
from ledger.service.negotiated import agreed_step, log_in_use, said_before, step_of, steps_of
from ledger.service.negotiating import check_agreed, check_proposed, drafted
from ledger.service.negotiating_words import step_shown
from ledger.service.publishing import Kept, append, check_key, settle
from ledger.service.recorded import recorded
from ledger.service.results import Receipt, RecordRef, Signatory, Signed
from ledger.service.syncing import current
from ledger.service.times import start_of
from ledger.store.files import write_atomic, write_once

_BACK = "send the file back: whoever signed before keeps it too, with: dataledger agree sign FILE"


def propose(context: Context, deal: Deal, out: Path) -> Signed:
    """Sign what is to be agreed and write it, half signed, to `out`, which must not be there yet.

    After a step in the logs (`previous`) it is AGREED, on the terms of that step; else FINALIZED, negotiated
    elsewhere. Nothing enters a log. Raises Usage for what may not be agreed.
    """
    with context.writing():
        current(context)
        with asked():
            statement = _agreed(context, deal)
            payload = build_statement(statement.subject, statement.predicate)
        check_proposed(context, statement)
        return _begin(context, payload, statement, out)


def end(context: Context, digits: str, out: Path, *, reason: str = "", since: str = "") -> Signed:
    """Sign that an agreement is taken back, at once or from a date on, and write that to `out`.

    Both have to sign: it goes the same way as the agreement did.
    """
    effective = start_of(since) if since else ""
    with context.writing():
        index = current(context)
        chain = steps_of(recorded(context, digits, "agreement"), index.facts())
        agreed = agreed_step(chain)
        if chain[-1].said.state != "FINALIZED":
            raise Usage(
                f"agreement {digits} is {chain[-1].said.state}, not FINALIZED: there is nothing to take back",
                hint="a negotiation is broken off with: dataledger agree terminate RECORD",
            )
        if recorded(context, agreed.record.hex(), "agreement").row.revoked:
            raise Usage(f"agreement {digits} was taken back already")
        members = _of_both(context, agreed.said)
        with asked():
            predicate = Revocation(**members, target=agreed.record.hex(), reason=reason, effective=effective)
            payload = build_statement(agreed.statement.subject, predicate)
        return _begin(context, payload, Statement(agreed.statement.subject, predicate), out)


def sign(context: Context, path: Path, out: Path | None = None, *, anchor: bool = True) -> Signed:
    """Sign what is in the file, and once everybody has signed, keep it in the own log and anchor it.

    The file with the new signature is written to `out`, by default in its own place. A complete file is kept
    in the own log if it is not there yet. Raises what `read_draft` does, WrongLedger, Unauthorized for what
    the rules would refuse, Usage for what is not this party's to sign.
    """
    target = path if out is None else out
    with context.writing():
        current(context)
        found = read_draft(path)
        draft = _with_ours(context, found)
        missing = who_is_missing(context, draft)
        if not _is_anchored(context, draft.record):
            check_draft(context, draft)
        if missing:
            write_atomic(target, draft.encoded(), WHAT)
            return _result(context, draft, target, None)
        kept, note = _keep(context, draft), _BACK if draft is not found else ""
        write_atomic(target, draft.encoded(), WHAT)
        then, notes = _posting(context, draft), [note] if note else []
        anchor = anchors(context, anchor) or bool(then)
        return _result(context, draft, target, settle(context, kept, anchor=anchor, notes=notes, then=then))


def check_ours(context: Context, draft: Draft) -> None:
    """Raise WrongLedger or Usage for a file that is not for this ledger, this party or this log."""
    check_ledger(context, draft)
    said = draft.statement.predicate
    if context.party not in said.authors:
        who = " and ".join(_described(context, each) for each in said.authors)
        raise Usage(f"it is between {who}: you are neither of them")
    if context.log_id.hex() not in said.logs:
        raise Usage(
            f"your records go to log {context.log_id.hex()}, which it does not name",
            hint="have it proposed anew: your log has changed since",
        )


def check_ledger(context: Context, draft: Draft) -> None:
    """Raise WrongLedger for a file that is for another ledger."""
    ledger = draft.statement.predicate.ledger
    if ledger != context.ledger_id.hex():
        raise WrongLedger(
            f"it is for ledger {ledger}, this workspace belongs to {context.ledger_id.hex()}",
            hint="use the workspace that you have on that ledger",
        )


def check_draft(context: Context, draft: Draft) -> None:
    """Raise Unauthorized for what the rules would refuse once everybody has signed, Usage for a step that may
    not be taken.
    """
    said = draft.statement.predicate
    if said.attachments:
        roles = ", ".join(sorted({each.role for each in said.attachments}))
        raise Usage(
            f"it rests on attachments that are not in the file ({roles}): nothing is signed unseen",
            hint="have it proposed anew, with everything in its terms",
        )
    if isinstance(said, Agreement):
        try:
            check_agreed(context, draft.statement)
        except Unauthorized as error:
            if error.reason == "illegal-transition":
                raise Usage(str(error), hint=error.hint) from None
            raise _missed(context, draft.statement) or error from None
        return
    assert isinstance(said, Revocation)
    authors = [parse_did(each)[1] for each in said.authors]
    subject, place = draft.statement.subject, next_place(context)
    check_revocation(subject, said, authors, place, context.index.facts())
    _check_ends_agreement(context, said)


def ends_shown(said: Revocation) -> str:
    """Say from when on, and why, a revocation takes an agreement back."""
    taken_back = f"from {said.effective} on" if said.effective else "as soon as it is posted"
    return ", ".join(filter(None, (taken_back, said.reason)))


def who_is_missing(context: Context, draft: Draft) -> list[bytes]:
    """Return who has not signed yet (20 bytes each); raises Unauthorized for signatures that would not count
    now.
    """
    place = structs.replace(next_place(context), log=draft.statement.predicate.logs[0])
    return missing_signers(draft.statement, draft.keyids, place, context.index.facts())


def signatories(context: Context, draft: Draft) -> list[Signatory]:
    """List who has signed and who is missing."""
    missing = who_is_missing(context, draft)
    parties = [(each, parse_did(each)[1]) for each in draft.statement.predicate.authors]
    name = context.index.party_name
    return [
        Signatory(party=did, party_name=name(address), signed=address not in missing)
        for did, address in parties
    ]


def problem_of(context: Context, draft: Draft) -> str:
    """Say why what is in the file would be refused now; empty if it would not, or stands already."""
    try:
        if not _is_anchored(context, draft.record):
            check_draft(context, draft)
    except (Unauthorized, Usage) as error:
        return context.named(error)
    except Unavailable as error:
        return f"{error}; {error.hint}"
    return ""


def _check_ends_agreement(context: Context, said: Revocation) -> None:
    """Raise Usage unless it is what both agreed that is taken back: nothing else goes through two hands."""
    chain = steps_of(recorded(context, said.target, "agreement"), context.index.facts())
    if chain[-1].said.state != "FINALIZED" or agreed_step(chain).record.hex() != said.target:
        raise Usage(f"record {said.target} is not what was agreed for good: there is nothing to take back")


def _missed(context: Context, agreed: Statement) -> Unavailable | None:
    """Return what to raise for an asset that may be registered in a log that can't be had."""
    assets = (each.name.partition("@")[0] for each in agreed.subject)
    unknown = [context.known.unregistered(each) for each in assets if not context.index.registered(each)]
    return next((each for each in unknown if isinstance(each, Unavailable)), None)


def _agreed(context: Context, deal: Deal) -> Statement:
    """Return what both are to sign."""
    if not deal.previous:
        statement = drafted(context, "FINALIZED", deal, None)
    else:
        if deal.rights or deal.names or deal.to:
            raise Usage("what is agreed after a step are its terms: name no asset, party or right beside it")
        before = recorded(context, deal.previous, "agreement")
        like = said_before(before, context.index.facts()).said
        statement = drafted(context, "AGREED", deal, before, like)
    step: Any = statement.predicate
    place = next_place(context)
    changed = structs.replace(step, **_of_both(context, step), anchor_before=place.block + deal.within)
    return Statement(statement.subject, changed)


def _of_both(context: Context, agreed: Agreement) -> dict[str, Any]:
    """Return the header of what both sign: both are authors, and the logs of both may hold it."""
    parties = [agreed.provider, agreed.consumer]
    logs = [log_in_use(context, each).hex() for each in parties]
    for party in parties:
        if not context.index.keys(parse_did(party)[1]):
            raise NotFound(f"{_described(context, party)} never published a key, and can't sign")
    return header(context) | {"authors": parties, "logs": logs}


def _begin(context: Context, payload: bytes, statement: Statement, out: Path) -> Signed:
    """Sign first, and write the file."""
    check_key(context)
    draft = Draft(payload, statement, dsse.record_id(payload), [_signature(context, payload)])
    if not write_once(out, draft.encoded(), WHAT):
        raise Usage(f"{out} is there already", hint="name another file with -o, or delete it")
    return _result(context, draft, out, None)


def _with_ours(context: Context, draft: Draft) -> Draft:
    """Return the draft with our signature; raises Usage where only the other one's is missing."""
    check_ours(context, draft)
    missing = who_is_missing(context, draft)
    if context.address in missing:
        check_key(context)
        return draft.signed(_signature(context, draft.payload))
    if missing:
        who = " and ".join(context.describe(each) for each in missing)
        raise Usage(f"you have signed it; the signature of {who} is missing", hint="send the file there")
    return draft


def _signature(context: Context, payload: bytes) -> dsse.Signature:
    keyid = format_keyid(context.party, context.record_key)
    return dsse.Signature(keyid, signing.sign(context.record_seed, dsse.pae(payload)))


def _keep(context: Context, draft: Draft) -> Kept:
    """Have what everybody has signed in the own log; where it is there already, nothing is recorded."""
    if _is_kept(context, draft.record):
        return Kept([], context.log.size)
    check_key(context)
    start, stop = append(context, [draft.encoded()])
    ref = RecordRef(
        record=draft.record.hex(),
        type=type(draft.statement.predicate).__name__.lower(),
        subject=", ".join(each.name for each in draft.statement.subject),
        entry=start,
        log=context.log_id.hex(),
    )
    return Kept([ref], stop)


def _is_kept(context: Context, record: bytes) -> bool:
    """Tell whether a record stands in the own log, as good or as a second copy."""
    rows = context.index.find_records(record.hex())
    return any(row.log == context.log_id and row.verdict != "rejected" for row in rows)


def _is_anchored(context: Context, record: bytes) -> bool:
    """Tell whether a record counts already, in whatever log: then nothing can be wrong with it any more."""
    rows = context.index.find_records(record.hex())
    return any(row.verdict == "accepted" and row.block is not None for row in rows)


def _posting(context: Context, draft: Draft) -> list[Call]:
    """Return what makes the end of an agreement bind, unless somebody did that: its posting on chain."""
    said = draft.statement.predicate
    if not isinstance(said, Revocation):
        return []
    target = bytes.fromhex(said.target)
    if any(row.revoked for row in context.index.find_records(said.target)):
        return []
    return [contracts.post(context.descriptor, context.address, target_of_record(target), draft.record)]


def _described(context: Context, did: str) -> str:
    return context.describe(parse_did(did)[1])


def _result(context: Context, draft: Draft, path: Path, receipt: Receipt | None) -> Signed:
    said = draft.statement.predicate
    signers = signatories(context, draft)
    what, step = "agreement", step_of(draft.record, draft.statement)
    if isinstance(said, Revocation):
        target = bytes.fromhex(said.target)
        what, step = "end of an agreement", step_of(target, context.index.facts().said(target))
    assert step is not None, "it was checked before it was signed"
    complete = all(each.signed for each in signers)
    shown = step_shown(context, step, step.said.state)
    if isinstance(said, Revocation):
        shown = structs.replace(shown, ends=ends_shown(said))
    return Signed(
        path=str(path),
        record=draft.record.hex(),
        what=what,
        agreement=shown if complete else structs.replace(shown, complete=False),
        signatories=signers,
        complete=complete,
        anchor_before=said.anchor_before if isinstance(said, Agreement) else None,
        receipt=receipt,
    )
