"""Who may say what about rights: grants, agreements, deliveries, settlements, attestations, revocations.

Pure rules (docs/formats.md section 4) over `Facts`, as in `authority`. Whether a step may follow the one
before is no matter of authority: a step that may not is applied and flagged (`negotiation`).
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.core.authority_facts import Facts, Place, address_of, check_active, check_holder
from ledger.core.errors import Unauthorized
from ledger.core.identity import parse_did
from ledger.core.negotiation import negotiation_state
from ledger.core.records import (
    Agreement,
    Attestation,
    Delivery,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Settlement,
    Statement,
    Transfer,
)
from ledger.core.records_rights import Terms
from ledger.core.terms import MAX_LINKS, covers, gift_of, giver_of, link_fault, taker_of, terms_of


def is_kept(predicate: Predicate) -> bool:
    """Tell whether what such a record says is asked for again (`Facts.said`)."""
    if isinstance(predicate, Registration):
        return bool(predicate.arbiter)
    return isinstance(predicate, Grant | Agreement | Delivery | Settlement | Attestation)


def check_in_time(name: str, before: int | None, place: Place) -> None:
    """Refuse what was anchored in the block until which it was offered, or later."""
    if before is not None and place.block >= before:
        raise Unauthorized(
            "anchored-too-late", f"{name}: offered before block {before}, anchored in {place.block}"
        )


def check_grant(
    subject: Sequence[Resource], predicate: Grant, _: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse a grant of what the grantor does not have, or may not pass on."""
    check_in_time(subject[0].name, predicate.anchor_before, place)
    if predicate.grantee:
        check_active(address_of(predicate.grantee, place), place, facts)
    _check_giver(Statement(list(subject), predicate), predicate.terms, place, facts)


def check_agreement(
    subject: Sequence[Resource], predicate: Agreement, _: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse an agreement about what the provider does not have; a proposal may still be about anything."""
    check_in_time(subject[0].name, predicate.anchor_before, place)
    for party in (predicate.provider, predicate.consumer):
        check_active(address_of(party, place), place, facts)
    terms = terms_of(predicate)
    if terms is not None:
        _check_giver(Statement(list(subject), predicate), terms, place, facts)


def check_delivery(
    _: Sequence[Resource], predicate: Delivery, authors: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse a step that is not this party's to take: the consumer asks, the provider begins and counts."""
    agreement = _agreement(predicate.agreement, facts)
    provider, consumer = (address_of(each, place) for each in (agreement.provider, agreement.consumer))
    wanted = [provider, consumer]
    if predicate.state == "REQUESTED":
        wanted = [consumer]
    elif not predicate.previous or predicate.units or predicate.charged:
        wanted = [provider]
    if not set(wanted) & set(authors):
        who = " or ".join(f"0x{each.hex()}" for each in wanted)
        raise Unauthorized("not-party", f"{predicate.state}: expected {who} among the authors")


def check_settlement(
    subject: Sequence[Resource], predicate: Settlement, _: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse a settlement of income from what the payer may not offer."""
    name = subject[0].name
    payer = address_of(predicate.payer, place)
    for payout in predicate.payouts:
        address_of(payout.party, place)
    if predicate.agreement:
        agreement = _agreement(predicate.agreement, facts)
        if predicate.payer not in (agreement.provider, agreement.consumer):
            raise Unauthorized("not-party", f"agreement {predicate.agreement}: {predicate.payer} is no party")
    if not predicate.under:
        check_holder(name.partition("@")[0], [payer], place, facts)
        return
    parent, terms = _parent(predicate.under, facts, place)
    assert isinstance(parent.predicate, Grant | Agreement)
    if taker_of(parent.predicate) != predicate.payer or "operate" not in terms.rights:
        raise Unauthorized("not-operator", f"record {predicate.under} does not let the payer operate")
    if not covers(gift_of(parent, terms).names, name):
        raise Unauthorized("not-operator", f"record {predicate.under} is not about {name}")


def check_attestation(
    _: Sequence[Resource], predicate: Attestation, authors: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse what only some may say: that an incident is over, that something arrived, that all stands still.

    Everything else anybody may claim; who has to believe it is judged where it matters.
    """
    if predicate.kind == "acknowledgement":
        _check_addressee(predicate.target, authors, place, facts)
    elif predicate.outcome == "closed":
        target = facts.said(bytes.fromhex(predicate.target))
        opened = None if target is None else target.predicate
        if not isinstance(opened, Attestation) or opened.outcome != "open":
            raise Unauthorized("target-unknown", f"record {predicate.target} opens no incident")
        if not {parse_did(each)[1] for each in opened.authors} & set(authors):
            raise Unauthorized("not-author", f"incident {predicate.target} is not one of the authors'")
    elif predicate.outcome in ("frozen", "lifted"):
        _check_arbiter(predicate.target, authors, place, facts)


def check_revocation(
    _: Sequence[Resource], predicate: Revocation, authors: list[bytes], place: Place, facts: Facts
) -> None:
    """Refuse to take back what others said; a holder may also take back what earlier holders granted."""
    record = bytes.fromhex(predicate.target)
    target = facts.record(record)
    if target is None:
        raise Unauthorized("target-unknown", f"record {predicate.target} is not known")
    if target.type in (Transfer, Revocation):
        raise Unauthorized(
            "not-revocable",
            f"record {predicate.target} is a {target.type.__name__.lower()}",
            hint="a transfer is undone by a transfer back, a revocation by recording anew",
        )
    for author in authors:
        if author not in target.authors and not _holds(record, author, place, facts):
            raise Unauthorized("not-author", f"0x{author.hex()} is no author of record {predicate.target}")
    if target.type is Agreement and not set(target.authors) <= set(authors):
        raise Unauthorized("needs-all-parties", f"agreement {predicate.target} binds all who signed it")


def _holds(grant: bytes, party: bytes, place: Place, facts: Facts) -> bool:
    """Tell whether the party holds all that this grant, one by a holder, is about."""
    said = facts.said(grant)
    if said is None or not isinstance(said.predicate, Grant) or said.predicate.under:
        return False
    assets = {each.name.partition("@")[0] for each in said.subject}
    return all(facts.holder(asset, place.block) == party for asset in assets)


def _check_giver(given: Statement, terms: Terms, place: Place, facts: Facts) -> None:
    """Refuse unless the giver holds every asset, or has these rights and may pass them on."""
    predicate = given.predicate
    assert isinstance(predicate, Grant | Agreement)
    for asset in {each.name.partition("@")[0]: None for each in given.subject}:
        if facts.asset(asset) is None:
            raise Unauthorized("asset-unknown", f"{asset} is not registered")
        if not predicate.under:
            check_holder(asset, [address_of(giver_of(predicate), place)], place, facts)
    if not predicate.under:
        return
    parent, limits = _parent(predicate.under, facts, place)
    assert isinstance(parent.predicate, Grant | Agreement)
    fault = link_fault(
        giver_of(predicate), gift_of(given, terms), taker_of(parent.predicate), gift_of(parent, limits)
    )
    if fault is not None:
        raise Unauthorized(fault[0], f"record {predicate.under}: {fault[1]}")
    _check_length(parent, facts)


def _check_length(parent: Statement, facts: Facts) -> None:
    """Refuse one more link than a chain may have."""
    link: Statement | None = parent
    for _ in range(MAX_LINKS - 1):
        above = "" if link is None else getattr(link.predicate, "under", "")
        if not above:
            return
        link = facts.said(bytes.fromhex(above))
    raise Unauthorized("chain-too-long", f"it rests on {MAX_LINKS} others already, which is the most")


def _parent(under: str, facts: Facts, place: Place) -> tuple[Statement, Terms]:
    """Give the grant or agreement on which something rests, and its terms."""
    record = bytes.fromhex(under)
    parent = facts.said(record)
    terms = None if parent is None else terms_of(parent.predicate)
    if parent is None or terms is None:
        raise Unauthorized("grant-unknown", f"record {under} is no grant or agreement that is known")
    if isinstance(parent.predicate, Agreement) and negotiation_state(record, facts) != "FINALIZED":
        raise Unauthorized("grant-unknown", f"agreement {under} is not FINALIZED")
    revoked = facts.revoked_block(record)
    if revoked is not None and revoked < place.block:
        raise Unauthorized("grant-revoked", f"record {under} was taken back in block {revoked}")
    return parent, terms


def _agreement(record: str, facts: Facts) -> Agreement:
    said = facts.said(bytes.fromhex(record))
    if said is None or not isinstance(said.predicate, Agreement) or terms_of(said.predicate) is None:
        raise Unauthorized("agreement-unknown", f"record {record} is no agreement that is known")
    return said.predicate


def _check_addressee(target: str, authors: list[bytes], place: Place, facts: Facts) -> None:
    """Refuse to acknowledge what was sent to others; a notice to nobody in particular went to everybody."""
    said = facts.said(bytes.fromhex(target))
    sent = None if said is None else said.predicate
    if isinstance(sent, Delivery):
        to = [_agreement(sent.agreement, facts).consumer]
    elif isinstance(sent, Attestation) and sent.kind == "notice":
        to = sent.to
    else:
        raise Unauthorized("target-unknown", f"record {target} is no notice or delivery that is known")
    if to and not {address_of(each, place) for each in to} & set(authors):
        raise Unauthorized("not-addressee", f"record {target} went to {', '.join(to)}")


def _check_arbiter(target: str, authors: list[bytes], place: Place, facts: Facts) -> None:
    """Refuse a freeze by anybody but the arbiter whom the record names that is to be frozen."""
    said = facts.said(bytes.fromhex(target))
    if said is None:
        raise Unauthorized("target-unknown", f"record {target} is not known")
    predicate = said.predicate
    terms = terms_of(predicate)
    arbiter = predicate.arbiter if isinstance(predicate, Registration) else terms.arbiter if terms else ""
    if not arbiter or authors != [address_of(arbiter, place)]:  # a co-author's posting nobody would look for
        raise Unauthorized("not-arbiter", f"record {target}: its arbiter is {arbiter or 'nobody'}")
