"""An income to be split, and its split: out of what was asked for, or of a settlement that was recorded.

The lineage and the grants are those as of the end of one block. The grants that count are those at one
moment: the last of the period for which the income is, but never later than that block; so an income of last
year is split by last year's grants, and a grant that came later changes nothing.
"""

from __future__ import annotations

import re

from msgspec import Struct, structs

from ledger.core.earnings import HELD, RightsEarnings
from ledger.core.errors import NotFound, Usage
from ledger.core.instants import NANOSECONDS, instant_ns
from ledger.core.metering import Bill
from ledger.core.money import parse_amount
from ledger.core.names import format_version
from ledger.core.records import Settlement, Statement
from ledger.core.records_rights import Money
from ledger.core.rights import Part, right_to
from ledger.core.rights_facts import Question, RightsFacts
from ledger.core.rights_level import natures
from ledger.core.settlement import Split, split_income
from ledger.core.settling import agreement_bill, income_of, period_of, shown_money
from ledger.core.shapes_rights import check_regions
from ledger.core.terms import terms_of
from ledger.service.asking import asked
from ledger.service.context import Context
from ledger.service.negotiated import agreed_step, steps_of
from ledger.service.parties import party_address
from ledger.service.recorded import recorded
from ledger.service.times import end_of, start_of

_block_number = re.compile("[0-9]{1,15}").fullmatch


class Income(Struct, frozen=True, kw_only=True):
    """What is to be split, as it was asked for.

    `product` is an asset or version. `revenue` and `currency` may be left out where the deliveries under
    `agreement` (a record id, or its first digits) say it. `period` is `FROM..UNTIL`, dates or times, either
    of them may be left out, a date's day is in it. `seller` is who has the income (empty: this party, if it
    may offer the product, else the product's holder), `at` a block (empty: the last one), `escrow` the
    address of a contract.
    """

    product: str
    revenue: str = ""
    currency: str = ""
    period: str = ""
    purpose: str = ""
    region: str = ""
    agreement: str = ""
    escrow: str = ""
    seller: str = ""
    at: str = ""


class Sale(Struct, frozen=True, kw_only=True):
    """An income whose split is determined: `seller` is a DID, `agreement` a record id in hex, or empty."""

    name: str
    seller: str
    total: Money
    block: int
    purpose: str = ""
    region: str = ""
    start: str = ""
    until: str = ""
    agreement: str = ""
    bill: Bill | None = None


class Splitting(Struct, frozen=True):
    """A split, by which grant the seller offers the product (none: it holds it, or has none), what was used
    without a grant by whom, and what could not be had.
    """

    split: Split
    under: str
    refused: dict[tuple[str, str], Part]
    unknown: list[str]
    facts: RightsFacts
    at_ns: int


def sale_asked_for(context: Context, income: Income, seller: str = "") -> Sale:
    """Read what was asked for; `seller` (a DID) outweighs what it says of that."""
    if income.region:
        with asked():
            check_regions([income.region])
    start, until = parse_period(income.period)
    block = _block(context, income.at)
    name = _product(context, income.product)
    agreement, bill, total = "", None, None
    if income.agreement:
        record = agreement_record(context, income.agreement)
        agreement = record.hex()
        bill, total = billed(context, record, block, start, until)
    sale = Sale(
        name=name,
        seller=seller or _named_seller(context, income.seller),
        total=_revenue(income, total),
        block=block,
        purpose=income.purpose,
        region=income.region,
        start=start,
        until=until,
        agreement=agreement,
        bill=bill,
    )
    return sale if sale.seller else _with_seller(context, sale)


def sale_recorded(context: Context, statement: Statement) -> Sale:
    """Return the income that a settlement splits, as of the block that it names."""
    said = statement.predicate
    assert isinstance(said, Settlement)
    bill = None
    if said.agreement:
        bill, _ = billed(context, bytes.fromhex(said.agreement), said.as_of, said.start, said.until)
    return Sale(
        name=statement.subject[0].name,
        seller=said.payer,
        total=said.total,
        block=said.as_of,
        purpose=said.purpose,
        region=said.region,
        start=said.start,
        until=said.until,
        agreement=said.agreement,
        bill=bill,
    )


def split_sale(context: Context, sale: Sale) -> Splitting:
    """Split an income; raises Unsettled for what can't be split, Unavailable for a block not known here."""
    facts = context.index.rights(sale.block)
    question = _question(context, sale)
    earnings = RightsEarnings(question, facts)
    split = split_income(sale.total.amount, sale.name, earnings)
    ungranted = {node.removesuffix(HELD) for node in split.ungranted}
    refused = {pair: part for pair, part in earnings.refused.items() if pair[1] in ungranted}
    holder = facts.holder(sale.name.partition("@")[0], question.at_ns)
    under = "" if holder == sale.seller else earnings.uses(sale.name)[0].grant or ""
    return Splitting(split, under, refused, sorted(earnings.doubts()), facts, question.at_ns)


def billed(
    context: Context, agreement: bytes, block: int, start: str, until: str
) -> tuple[Bill, Money | None]:
    """Return the bill of an agreement (32-byte id) for a period, and the income that it comes to."""
    steps = context.index.steps()
    found = agreement_bill(agreement, block, period_of(start, until), steps)
    return found, income_of(agreement, found, steps)


def agreement_record(context: Context, digits: str) -> bytes:
    """Return the id (32 bytes) of the step with the terms of an agreement, of which any step is named."""
    step = agreed_step(steps_of(recorded(context, digits, "agreement"), context.index.facts()))
    if terms_of(step.said) is None:
        raise Usage(
            f"record {digits}: nothing is agreed yet, the last that was said is {step.said.state}",
            hint="dataledger agree show says which steps are left",
        )
    return step.record


def parse_period(text: str) -> tuple[str, str]:
    """Read `FROM..UNTIL` as records state times; raises Usage."""
    if not text:
        return "", ""
    start, dots, until = text.partition("..")
    if not dots or not (start or until):
        raise Usage(f"period {text!r}: expected FROM..UNTIL, such as 2026-01-01..2026-12-31")
    bounds = start_of(start) if start else "", end_of(until) if until else ""
    if all(bounds) and not instant_ns(bounds[0]) < instant_ns(bounds[1]):
        raise Usage(f"period {text!r}: expected it to begin before it ends")
    return bounds


def _question(context: Context, sale: Sale) -> Question:
    at_ns = (context.index.block_time(sale.block) + 1) * NANOSECONDS - 1
    if sale.until:
        at_ns = min(at_ns, instant_ns(sale.until) - 1)
    return Question(sale.seller, "operate", sale.name, at_ns, sale.purpose, sale.region)


def _with_seller(context: Context, sale: Sale) -> Sale:
    """Name the seller: this party if it may offer the product, else the product's holder."""
    facts = context.index.rights(sale.block)
    own = structs.replace(sale, seller=context.party)
    question = _question(context, own)
    asset = sale.name.partition("@")[0]
    holder = facts.holder(asset, question.at_ns)
    if holder in (None, context.party):
        return own
    # whether the data is too sensitive for a grant takes its whole lineage: looked at only where there is one
    is_granted = any(each.taker in (context.party, "") for each in facts.grants(asset, context.party))
    if is_granted:
        nature = natures(question.name, question.at_ns, facts)[question.name]
        if right_to(question, facts, nature).verdict == "permitted":
            return own
    return structs.replace(sale, seller=holder)


def _named_seller(context: Context, text: str) -> str:
    return context.did(party_address(context, text)) if text else ""


def _product(context: Context, text: str) -> str:
    """Return the registered asset or version that is meant."""
    reference = context.known.reference(text)
    version = context.known.named_version(reference)
    if not context.index.registered(reference.asset):
        raise context.known.unregistered(reference.asset)
    return reference.asset if version is None else format_version(reference.asset, version.number)


def _block(context: Context, at: str) -> int:
    head = context.index.head
    if head is None:
        raise NotFound("the index has no block yet", hint="run `dataledger sync`")
    if at and not _block_number(at):
        raise Usage(f"block {at!r}: expected a number", hint="dataledger log shows the blocks of records")
    return int(at) if at else head.number


def _revenue(income: Income, billed: Money | None) -> Money:
    """Return the income to be split: what was said, or what an agreement's deliveries come to."""
    if not income.revenue:
        if billed is None:
            raise Usage(
                "expected --revenue and --currency"
                + (": no price and no charge of this agreement is recorded" if income.agreement else ""),
                hint="or --agreement RECORD: the bill of what was delivered under it",
            )
        if income.currency not in ("", billed.currency):
            raise Usage(f"currency: the agreement's deliveries come to {shown_money(billed)}")
        return billed
    currency = income.currency or ("" if billed is None else billed.currency)
    if not currency:
        raise Usage("expected a currency for the revenue", hint="for example: --currency CNY")
    with asked():
        return Money(currency, parse_amount(income.revenue, currency))
