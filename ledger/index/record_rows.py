"""Accepted registrations and versions -> rows, and what every record brings with it.

Whether a record counts has been judged before; here it takes effect. Activities are written by
`activity_rows`, transfers and revocations by `effects`.
"""

from __future__ import annotations

from msgspec import Struct

from ledger.core.encoding import encode_json
from ledger.core.records import Predicate, Registration, Version
from ledger.index.kinds import UNVERSIONED
from ledger.index.memory import Memory
from ledger.index.prepared import Named, Prepared
from ledger.index.writer import Writer


class Entry(Struct, frozen=True, gc=False):
    """Where a record stands (row id of its entry), its id, and its first author (row id)."""

    row: int
    record: bytes
    party: int


class RecordRows:
    """Writes registrations and versions, and the attachments of all records."""

    def __init__(self, writer: Writer, memory: Memory) -> None:
        self._writer = writer
        self._memory = memory

    def apply(self, entry: Entry, record: Prepared) -> None:
        """Buffer the rows of an accepted record."""
        predicate = record.statement.predicate
        if isinstance(predicate, Version):
            self._version(entry, record.subject[0], predicate)
        elif isinstance(predicate, Registration):
            self._registration(entry, record.subject[0].asset, predicate)
        if predicate.attachments:
            self._attachments(entry, predicate)

    def _registration(self, entry: Entry, name: str, predicate: Registration) -> None:
        add = self._writer.add
        asset = self._memory.assets.make(name)
        asset.registration = entry.record
        title, text = predicate.title, predicate.description
        add(
            "registration",
            asset.id,
            entry.row,
            entry.party,
            title,
            text,
            predicate.kind,
            predicate.license,
        )
        for alias in predicate.aliases:
            add("alias", entry.party, alias.scheme, alias.namespace, alias.name, asset.id, entry.row)
        aliases = " ".join(f"{alias.namespace} {alias.name}" for alias in predicate.aliases)
        add("document", asset.id, entry.row, f"{name} {aliases}".rstrip(), title, text, "")

    def _version(self, entry: Entry, named: Named, predicate: Version) -> None:
        asset = self._memory.assets.make(named.asset)
        nodes = self._memory.nodes
        node = nodes.id((asset.id, named.number, named.code, named.content))
        fields = encode_json(predicate.fields) if predicate.fields else None
        self._writer.add(
            "version",
            node,
            asset.id,
            named.number,
            entry.row,
            predicate.size,
            predicate.media_type or None,
            predicate.declared or None,
            fields,
        )
        nodes.register(node)
        if fields is not None and fields != asset.fields:
            names = " ".join(f"{field.name} {field.type}" for field in predicate.fields)
            self._writer.add("document", asset.id, entry.row, "", "", "", names)
        if named.number > asset.number:
            asset.number, asset.record, asset.fields = named.number, entry.record, fields
        observed = nodes.get((asset.id, UNVERSIONED, named.code, named.content))
        if observed is not None:
            self._link(observed, node)

    def _link(self, observed: int, node: int) -> None:
        """Join content that was used before its version was known to the first version that has it."""
        self._writer.flush()
        query = "SELECT 1 FROM edge WHERE output = ? AND activity = 0"
        if self._writer.database.one(query, observed) is None:
            self._writer.add("edge", observed, node, 0, 0)

    def _attachments(self, entry: Entry, predicate: Predicate) -> None:
        text = self._memory.texts.id
        for attachment in predicate.attachments:
            ((alg, digest),) = attachment.digest.items()
            self._writer.add(
                "attachment",
                entry.row,
                text(attachment.role),
                text(alg),
                bytes.fromhex(digest),
                attachment.size,
                attachment.media_type,
            )
