"""Records that were written, by whichever command."""

from __future__ import annotations

from msgspec import Struct


class RecordRef(Struct, frozen=True, kw_only=True):
    """One record: its id, its type, what it speaks of, and its place in the log."""

    record: str
    type: str
    subject: str
    entry: int
    log: str


class Receipt(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/receipt/v1"):
    """What was written: the records, and the block that anchors them (none yet: `block` is null).

    `size` is that of the log. `problem` says what was asked for and could not be done now: the records are
    kept all the same, and the command exits with 3.
    """

    records: list[RecordRef]
    log: str
    size: int
    block: int | None = None
    block_time: str = ""
    notes: list[str] = []
    problem: str = ""


class RunReceipt(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/run/v1"):
    """A wrapped run: the program's exit code, what became of it, and what was written.

    `exit_code` is 1 where the program reports success and an output is missing. A receipt's problem does not
    change it.
    """

    exit_code: int
    outcome: str
    inputs: list[str]
    outputs: list[str]
    receipt: Receipt


class Setup(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/init/v1"):
    """A workspace that is ready: who, on which ledger, with which log."""

    workspace: str
    party: str
    namespace: str
    name: str
    ledger: str
    log: str
    key: str
    chain: str
    embedded: bool
    joined: bool
    namespace_claimed: bool
    notes: list[str] = []


class Done(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/done/v1"):
    """Something was done on chain or in the workspace: what, and in which block."""

    what: str
    block: int | None = None
    block_time: str = ""
    notes: list[str] = []


class Refused(Struct, frozen=True, kw_only=True):
    """What was not imported: where it stands (or which run it is), and why."""

    source: str
    position: str
    reason: str


class Imported(Struct, frozen=True, kw_only=True, tag_field="format", tag="dataledger/import/v1"):
    """What an import made of the events: runs recorded and runs known already, datasets, events refused.

    `refused` and `registered` list the first thousand each; `refused_count` and `registered_count` count all.
    `dropped_facets` names what was not carried over, with how often; the sealed originals keep it. `receipt`
    is null where nothing was written.
    """

    events: int
    runs: int
    runs_known: int
    datasets: int
    registered: list[str]
    registered_count: int
    refused: list[Refused]
    refused_count: int
    dropped_facets: list[str]
    dry_run: bool = False
    receipt: Receipt | None = None
