"""Events of the contracts -> rows.

A slot of `Identities` is written once: the first publication of a key or delegate counts, and its revocation.
The contracts keep numbers below 2^63; what a foreign chain may say beyond that is clamped, not trusted.
"""

from __future__ import annotations

from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    BlockRef,
    DelegateChanged,
    EventBody,
    LogClosed,
    NamespaceChanged,
    OwnerChanged,
    Posted,
)
from ledger.index.writer import Interner, Writer

KEY_ATTRIBUTE = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")
_KEY_SIZE = 32
_MOST = 2**63 - 1


class ChainRows:
    """Applies the events of one block after another; `parties` and `logs` keep their ids."""

    def __init__(self, writer: Writer, parties: Interner[bytes], logs: Interner[bytes]) -> None:
        self._writer = writer
        self._parties = parties
        self._logs = logs

    def apply(self, block: BlockRef, body: EventBody) -> None:
        """Buffer the rows of one event; flushes first where the event depends on an earlier one."""
        add = self._writer.add
        match body:
            case OwnerChanged():
                add("owner", self._party(body.identity), body.owner)
            case DelegateChanged():
                self._delegate(block, body)
            case AttributeChanged():
                self._attribute(block, body)
            case NamespaceChanged():
                add("namespace", body.name, self._party(body.owner), body.n)
            case Anchored():
                log = self._logs.id(body.log, self._party(body.owner), min(body.number, _MOST))
                add("anchor", log, body.n, min(body.size, _MOST), body.root)
            case LogClosed():
                log = self._logs.id(body.log, None, None)
                add("log_closed", log, min(body.at, _MOST), body.successor)
            case Posted():
                add("posting", self._party(body.author), body.target, body.n, body.record)

    def _party(self, address: bytes) -> int:
        return self._parties.id(address)

    def _delegate(self, block: BlockRef, body: DelegateChanged) -> None:
        party = self._party(body.identity)
        kind = body.delegate_type.rstrip(b"\0").decode("utf-8", "replace")
        self._slot(
            "delegate", "party = ? AND type = ? AND delegate = ?", (party, kind, body.delegate), body, block
        )

    def _attribute(self, block: BlockRef, body: AttributeChanged) -> None:
        party = self._party(body.identity)
        if body.name == KEY_ATTRIBUTE and len(body.content) == _KEY_SIZE:
            self._slot("key", "party = ? AND key = ?", (party, body.content), body, block)
        else:
            valid_to = min(body.valid_to_unix_s, _MOST)
            self._writer.add("attribute", party, body.name, body.content, valid_to)

    def _slot(
        self,
        table: str,
        condition: str,
        values: tuple[object, ...],
        body: DelegateChanged | AttributeChanged,
        block: BlockRef,
    ) -> None:
        self._writer.flush()
        found = self._writer.database.scalar(f"SELECT id FROM {table} WHERE {condition}", *values)  # noqa: S608
        revoked = body.valid_to_unix_s <= block.time_unix_s
        if found is None and not revoked:
            self._writer.add(table, *values, min(body.valid_to_unix_s, _MOST))
        elif found is not None and revoked:
            self._writer.add(f"{table}_revoked", found)
