"""Column edges that did not fit into their record: read from public attachments, whenever those turn up.

An attachment is not part of the ledger's state: it may be missing here and there elsewhere. What is read from
one is kept apart, and one that is missing or wrong is reported, never ignored.
"""

from __future__ import annotations

from ledger.core.digests import CONTENT_DIGESTS, FILE
from ledger.core.dsse import decode_envelope
from ledger.core.encoding import decode_json
from ledger.core.errors import FormatError, Unavailable
from ledger.core.hashing import sha256
from ledger.core.identity import parse_did
from ledger.core.records import Activity, ColumnEdge, Resource, Statement
from ledger.core.statement import parse_statement
from ledger.index.database import Database, Row, insert_sql
from ledger.index.feeds import LogFeed
from ledger.index.kinds import CODE, UNVERSIONED
from ledger.index.schema import spread

READ, MISSING, INVALID = "read", "missing", "invalid"
ROLE = "columns"
_MAX_BYTES = 64 << 20


def read_attachments(database: Database, logs: LogFeed) -> None:
    """Read what was never tried and what was missing; in the caller's transaction."""
    for attachment, log, index, digest, block in database.rows(_WANTED, MISSING, ROLE, FILE):
        data = logs.attachment(log, digest.hex())
        if data is None:
            _note(database, attachment, MISSING, "", block)
            continue
        try:
            rows = _columns(database, _statement(logs, log, index), data, digest, block)
        except FormatError as error:
            _note(database, attachment, INVALID, str(error), block)
        except Unavailable:
            _note(database, attachment, MISSING, "", block)
        else:
            columns = [(*row, attachment, block) for row in rows]
            database.write(insert_sql("attached_column", with_id=False), columns)
            _note(database, attachment, READ, "", block)


def _statement(logs: LogFeed, log: bytes, index: int) -> Statement:
    """Return the record that names the attachment: its edges speak of positions in there."""
    for entry in logs.entries(log, index, index + 1):
        return parse_statement(decode_envelope(entry).payload)
    raise Unavailable(f"log {log.hex()}: entry {index} is not there any more")


def _note(database: Database, attachment: int, state: str, text: str, block: int) -> None:
    database.execute("DELETE FROM attachment_read WHERE attachment = ?", attachment)
    database.write(insert_sql("attachment_read", with_id=False), [(attachment, state, text, block)])


def _columns(database: Database, statement: Statement, data: bytes, digest: bytes, block: int) -> list[Row]:
    """Return the rows of an attachment's column edges."""
    if sha256(data) != digest:
        raise FormatError(f"attachment: expected SHA-256 {digest.hex()}, got {sha256(data).hex()}")
    predicate = statement.predicate
    if not isinstance(predicate, Activity):
        raise FormatError("attachment: column edges belong to an activity")
    edges = decode_json(data, list[ColumnEdge], what="attachment", max_bytes=_MAX_BYTES)
    # of an output that was never made only the asset (or the run) is named: nothing came from anything
    outputs = [
        _node(database, each, block) if set(each.digest) <= set(CONTENT_DIGESTS) else None
        for each in statement.subject
    ]
    inputs = [_node(database, each, block) for each in predicate.inputs]
    author = parse_did(predicate.authors[0])[1]
    activity = database.scalar(_ACTIVITY, predicate.run_id, author)
    rows = []
    for edge in edges:
        if edge.output >= len(outputs) or edge.input >= len(inputs):
            raise FormatError(f"attachment: there is no output {edge.output} or no input {edge.input}")
        output, source = outputs[edge.output], inputs[edge.input]
        if output is not None and source is not None:
            rows.append((output, edge.output_field, source, edge.input_field, edge.how, activity))
    return rows


def _node(database: Database, resource: Resource, block: int) -> int | None:
    """Find the node that the record's own edges use for this resource."""
    ((alg, digest),) = resource.digest.items()
    name, _, number = resource.name.partition("@")
    content = bytes.fromhex(digest)
    key = (spread(content), name, CODE[alg], content)
    node = database.scalar(_NODE, *key, int(number or UNVERSIONED))
    if node is None and not number:
        node = database.scalar(_VERSION, *key, block)
    found: int | None = node
    return found


_WANTED = """
SELECT t.id, l.log, e.idx, t.digest, t.block FROM attachment t JOIN entry e ON e.id = t.entry
JOIN log l ON l.id = e.log
WHERE (t.id > (SELECT ifnull(max(attachment), 0) FROM attachment_read)
       OR t.id IN (SELECT attachment FROM attachment_read WHERE state = ?))
  AND t.role = (SELECT id FROM text WHERE value = ?) AND t.alg = (SELECT id FROM text WHERE value = ?)
ORDER BY t.id
"""
_ACTIVITY = "SELECT a.id FROM activity a JOIN party p ON p.id = a.party WHERE a.run = ? AND p.address = ?"
_NODE = """
SELECT n.id FROM node n JOIN asset a ON a.id = n.asset
WHERE n.short = ? AND a.name = ? AND n.alg = ? AND n.digest = ? AND n.number = ?
"""
_VERSION = """
SELECT n.id FROM node n JOIN asset a ON a.id = n.asset JOIN version v ON v.node = n.id
WHERE n.short = ? AND a.name = ? AND n.alg = ? AND n.digest = ? AND v.block <= ?
ORDER BY v.number DESC LIMIT 1
"""
