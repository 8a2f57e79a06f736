"""Agreements and deliveries, as text: terms in words, who has signed, what was delivered, what is due."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from . import writing
from .layout import MORE, anchored, bad, count, good, money, pairs, short, table, unsure, who

if TYPE_CHECKING:
    from ledger.service import results as r


def signed(done: r.Signed) -> Iterator[str]:
    """`agree propose`, `agree sign`, `agree end`."""
    about = f"{done.what} about {', '.join(done.agreement.subject)}, record {short(done.record)}"
    mark = good("SIGNED BY ALL", f": {about}") if done.complete else unsure("HALF SIGNED", f": {about}")
    yield mark
    if done.agreement.ends:
        yield f"  takes it back {done.agreement.ends}"
    yield from pairs(_facts(done.agreement), indent="  ")
    yield from _improper(done.agreement)
    yield from _signatures(done.signatories)
    yield f"  written to {done.path}"
    if done.receipt is None:
        missing = " and ".join(_name(each) for each in done.signatories if not each.signed)
        yield f"  send it to {missing}, to be signed with: dataledger agree sign FILE"
        return
    yield from writing.receipt(done.receipt)


def agreement(found: r.AgreementShown) -> Iterator[str]:
    """`agree show` of one."""
    mark = {"FINALIZED": good, "TERMINATED": bad}.get(found.state, unsure)
    if not found.complete and not found.ends:
        yield unsure("PROPOSED", f": record {short(found.record)}, to become {found.state}")
    else:
        ended = f", taken back {found.ended}" if found.ended else ""
        yield mark(found.state, f": record {short(found.record)}{ended}")
    if found.ends:
        yield f"  {found.path} takes it back {found.ends}"
    yield from pairs(_facts(found), indent="  ")
    yield from _improper(found)
    yield from _signatures(found.signatories)
    if found.problem:
        yield bad("REFUSED", f" if it were signed now: {found.problem}")
    yield from _steps(found.steps)
    yield from _deliveries(found)
    for kind in found.findings:
        yield f"finding {kind}: see dataledger findings"


def _facts(found: r.AgreementShown) -> list[tuple[str, object]]:
    price = f"{_amount(found.unit_price)} for each {found.unit}" if found.unit_price else ""
    return [
        ("provider", who(found.provider_name, found.provider)),
        ("consumer", who(found.consumer_name, found.consumer)),
        ("about", ", ".join(found.subject)),
        ("may be done", _rights(found.terms)),
        ("term", _term(found.terms)),
        ("income", f"{found.terms.share_bps}bps of it are the provider's" if found.terms.share_bps else ""),
        ("price", price),
        ("at most", f"{_amount(found.terms.price_cap)} for a unit" if found.terms.price_cap else ""),
        ("free for", ", ".join(found.terms.free_for)),
        ("demands", ", ".join(_duty(each) for each in found.terms.conditions)),
        ("passing on", "allowed" if found.terms.sublicensable else "not allowed"),
        ("arbiter", found.terms.arbiter),
        ("rests on", f"record {short(found.under)}" if found.under else ""),
        ("negotiation", found.negotiation),
        ("void unless anchored before block", found.anchor_before if not found.complete else ""),
        ("may follow", _next(found)),
    ]


def _improper(found: r.AgreementShown) -> Iterator[str]:
    for each in found.improper:
        yield unsure("IMPROPER", f": {each}")


def _rights(terms: r.AgreedTerms) -> str:
    """Put rights, purposes, regions and level in words."""
    purpose = f" for {' or '.join(terms.purposes)}" if terms.purposes else ""
    region = f" in {' or '.join(terms.regions)}" if terms.regions else ""
    level = f", data up to level {terms.level}" if terms.level else ""
    return f"{' and '.join(terms.rights)}{purpose}{region}{level}"


def _term(terms: r.AgreedTerms) -> str:
    start = f"from {terms.start}" if terms.start else "from its anchor on"
    return f"{start} until {terms.until}" if terms.until else f"{start}, without end"


def _duty(duty: r.Duty) -> str:
    by = f" by {' or '.join(duty.by)}" if duty.by else ""
    every = f" every {duty.every_days} days" if duty.every_days else ""
    return f"{duty.kind} {duty.topic}{by}{every}"


def _next(found: r.AgreementShown) -> str:
    if not found.complete:
        return ""
    if found.state == "FINALIZED":
        return "deliveries under it" if not found.ended else ""
    return " or ".join(found.next)


def _signatures(signers: Sequence[r.Signatory]) -> Iterator[str]:
    for each in signers:
        word = "signed by" if each.signed else "not signed yet by"
        yield f"  {word} {who(each.party_name, each.party)}"


def _name(signer: r.Signatory) -> str:
    return signer.party_name or signer.party


def _steps(steps: Sequence[r.NegotiationStep]) -> Iterator[str]:
    rows = (
        (
            _where(each),
            each.state,
            " and ".join(name or party for name, party in zip(each.party_names, each.parties, strict=True)),
            short(each.record),
            "" if each.counts else "NOT ALLOWED: changes nothing",
        )
        for each in steps
    )
    yield from table(("STEP IN", "STATE", "SIGNED BY", "RECORD", ""), rows)


def _deliveries(found: r.AgreementShown) -> Iterator[str]:
    rows = (
        (
            _where(each),
            each.state,
            ", ".join(each.subject),
            f"{each.units:,}" if each.units else "",
            _amount(each.charged) if each.charged else "",
            each.purpose,
            each.region,
            short(each.record),
            f"acknowledged by record {short(each.acknowledged)}" if each.acknowledged else "",
            ", ".join(each.findings),
        )
        for each in found.deliveries
    )
    left_out = found.deliveries_count - len(found.deliveries)
    if left_out:
        yield f"{count(left_out, 'earlier step')} of deliveries left out: raise --limit"
    head = ("DELIVERED IN", "STATE", "WHAT", "UNITS", "CHARGED", "FOR", "TO", "RECORD", "ARRIVED", "FINDINGS")
    yield from table(head, rows)
    bill = found.bill
    if bill is not None and found.deliveries:
        due = f": due {money(bill.due, bill.currency)}, charged {money(bill.charged, bill.currency)}"
        yield f"{count(bill.units, 'unit')} delivered{due if bill.currency else ''}"


def _where(step: r.NegotiationStep | r.DeliveryStep) -> str:
    return step.anchored if step.block is None else anchored(step.block, step.block_time)


def agreements(found: r.Agreements) -> Iterator[str]:
    """`agree show` without an argument."""
    rows = (
        (
            short(each.record),
            f"{each.state}, taken back {each.ended}" if each.ended else each.state,
            each.side,
            each.other_name or each.other,
            ", ".join(each.subject),
            each.until,
        )
        for each in found.agreements
    )
    yield from table(("AGREEMENT", "STATE", "YOU ARE", "WITH", "ABOUT", "ENDS"), rows)
    if not found.agreements:
        yield "no agreements; dataledger agree propose begins one"
    if found.truncated:
        yield MORE


def _amount(price: r.Price) -> str:
    return money(price.amount, price.currency)
