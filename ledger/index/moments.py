"""When a block was, as SQL: nanoseconds since 1970, blocks of the same second told apart by their order.

Two nanoseconds lie between such blocks: what takes effect with a block comes one after what is anchored in
it.
"""

from __future__ import annotations

from ledger.core.instants import NANOSECONDS


def moment_of(block: str) -> str:
    """Return an expression for the moment of the block whose number this expression gives; 0 if unknown."""
    return f"""ifnull((
  SELECT b.time * {NANOSECONDS} + 2 * (SELECT count(*) FROM block c WHERE c.number < b.number
    AND c.number > ifnull((SELECT d.number FROM block d WHERE d.number < b.number AND d.time < b.time
                           ORDER BY d.number DESC LIMIT 1), -1))
  FROM block b WHERE b.number = {block}), 0)"""  # noqa: S608 - expressions of ours
