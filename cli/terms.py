"""The terms of a grant or an agreement as options: what may be done, for what, how long, for how much."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import click

from .declare import Decorated

RIGHTS = ("hold", "use", "operate")
LEVELS = ("general", "important", "core")

_OPTIONS = (
    click.option("--purpose", "purposes", multiple=True, help="For this purpose only; may be repeated."),
    click.option(
        "--region", "regions", multiple=True, metavar="CN|CN-44", help="In this region only; repeatable."
    ),
    click.option("--from", "start", default="", metavar="DATE|TIME", help="From when on. Default: at once."),
    click.option("--until", default="", metavar="DATE|TIME", help="Until when, the day included."),
    click.option("--level", type=click.Choice(LEVELS), help="For data up to this level only."),
    click.option(
        "--share",
        default="",
        metavar="600bps|6%",
        help="The giver's part of the income from what is made of it.",
    ),
    click.option("--sublicensable", is_flag=True, help="It may be passed on."),
    click.option(
        "--price-cap", default="", metavar="'AMOUNT CUR'", help="The most that may be asked for a unit."
    ),
    click.option(
        "--free-for", multiple=True, metavar="PURPOSE", help="Nothing may be asked for it; repeatable."
    ),
    click.option(
        "--condition",
        "conditions",
        multiple=True,
        metavar="KIND:TOPIC[,by=PARTY][,every=DAYS]",
        help="What has to be attested, by whom (default: the taker), how often; may be repeated.",
    ),
    click.option("--arbiter", default="", metavar="PARTY", help="Who alone may freeze it in a dispute."),
    click.option(
        "--under",
        default="",
        metavar="RECORD",
        help="The grant or agreement on which the giver's right rests. Default: the first.",
    ),
)


def terms_options(*, required: bool) -> Callable[[Decorated], Decorated]:
    """Declare the options of which `Offer` consists; `required`: some right has to be named."""
    rights = click.option(
        "--rights",
        multiple=True,
        required=required,
        type=click.Choice(RIGHTS),
        help="Keep a copy; process and use; offer products of it to others. May be repeated.",
    )

    def declare(function: Decorated) -> Decorated:
        return reduce(lambda made, option: option(made), reversed((rights, *_OPTIONS)), function)

    return declare
