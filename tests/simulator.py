"""A whole ledger in memory, for tests and benches: chain, parties, keys, logs, real signatures and roots.

What it says is what honest contracts and logs would say; tests then bend it (withhold, flip, drop, fork).
Records are built by the real core, events are the values of `chain_facts`, and a `World` is both feeds of the
index.

    world = World()
    acme = world.party("acme")                      # key published, namespace claimed, in blocks of their own
    acme.register("acme/orders")
    acme.version("acme/orders", b"content")
    acme.anchor()
    index.sync(world.chain, world.logs)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from ledger.core import digests
from ledger.core.chain_facts import (
    Anchored,
    AttributeChanged,
    BlockRef,
    ChainEvent,
    DelegateChanged,
    EventBody,
    LogClosed,
    NamespaceChanged,
    OwnerChanged,
    Posted,
)
from ledger.core.descriptor import Contract, LedgerDescriptor
from ledger.core.dsse import Signature, encode_envelope, pae, record_id
from ledger.core.errors import Unavailable
from ledger.core.identity import format_did, format_keyid, log_id
from ledger.core.merkle import CompactTree, leaf_hash
from ledger.core.names import node
from ledger.core.records import (
    Activity,
    Component,
    Edge,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Transfer,
    Version,
)
from ledger.core.signing import public_key, sign
from ledger.core.statement import build_statement

CHAIN_ID = 1337
START_UNIX_S = 1_700_000_000
YEARS_S = 10 * 365 * 86400
KEY_NAME = b"did/pub/Ed25519/veriKey".ljust(32, b"\0")


def digest_of(*parts: object) -> bytes:
    """Return 32 bytes that depend on the parts."""
    return sha256(repr(parts).encode()).digest()


@dataclass
class Chain:
    """Blocks in memory. `final_depth` blocks at the top are not final."""

    final_depth: int = 2
    salt: str = ""
    blocks: list[tuple[BlockRef, list[EventBody]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if not self.blocks:
            self.mine()

    def mine(self, *bodies: EventBody, seconds: int = 10) -> BlockRef:
        """Add a block with these events."""
        parent = self.blocks[-1][0] if self.blocks else None
        number = 0 if parent is None else parent.number + 1
        time = START_UNIX_S if parent is None else parent.time_unix_s + seconds
        parent_hash = bytes(32) if parent is None else parent.hash
        ref = BlockRef(number, digest_of(number, parent_hash, self.salt, bodies), parent_hash, time)
        self.blocks.append((ref, list(bodies)))
        return ref

    def fork(self, number: int, salt: str = "fork") -> list[list[EventBody]]:
        """Forget the blocks after `number`; return the events that they had."""
        gone = [bodies for ref, bodies in self.blocks if ref.number > number]
        del self.blocks[number + 1 :]
        self.salt = salt
        return gone

    @property
    def next_time(self) -> int:
        return self.blocks[-1][0].time_unix_s + 10

    def head(self) -> BlockRef:
        return self.blocks[-1][0]

    def final_number(self) -> int:
        return max(-1, self.head().number - self.final_depth)

    def block(self, number: int) -> BlockRef | None:
        return self.blocks[number][0] if 0 <= number < len(self.blocks) else None

    def events(self, start: int, stop: int) -> Iterator[ChainEvent]:
        for ref, bodies in self.blocks[start:stop]:
            for index, body in enumerate(bodies):
                yield ChainEvent(ref.number, index, body)


class Log:
    """The entries of one log, and how much of it is anchored."""

    def __init__(self, log: bytes, owner: bytes, number: int) -> None:
        self.id = log
        self.owner = owner
        self.number = number
        self.entries: list[bytes] = []
        self.anchors: list[tuple[int, bytes]] = []
        self._tree = CompactTree()

    def root(self) -> bytes:
        """Return the root over all entries, those appended since the last call included."""
        self._tree.extend([leaf_hash(entry) for entry in self.entries[self._tree.size :]])
        return self._tree.root()


class Logs:
    """The logs as one reader sees them: `own` are written by the reader, `withheld` can't be had.

    `shown` replaces what a log shows by other entries: for tampering.
    """

    def __init__(self, logs: dict[bytes, Log], own: Sequence[bytes] = ()) -> None:
        self._logs = logs
        self.own = list(own)
        self.withheld: set[bytes] = set()
        self.shown: dict[bytes, list[bytes]] = {}
        self.attachments: dict[str, bytes] = {}
        self.fetched = 0

    def available(self, log_id: bytes) -> bool:
        return log_id in self._logs and log_id not in self.withheld

    def entries(self, log_id: bytes, start: int, stop: int) -> Iterator[bytes]:
        if not self.available(log_id):
            raise Unavailable(f"log {log_id.hex()} is withheld")
        entries = self.shown.get(log_id, self._logs[log_id].entries)
        if stop > len(entries):
            raise Unavailable(f"log {log_id.hex()}: {len(entries)} entries, {stop} were asked for")
        self.fetched += stop - start
        return iter(entries[start:stop])

    def attachment(self, log_id: bytes, sha256_hex: str) -> bytes | None:
        return self.attachments.get(sha256_hex)

    def own_logs(self) -> Sequence[bytes]:
        return self.own

    def pending(self, log_id: bytes) -> tuple[int, int] | None:
        if log_id not in self.own:
            return None
        log = self._logs[log_id]
        return (log.anchors[-1][0] if log.anchors else 0, len(log.entries))


class World:
    """A ledger with its chain and all of its logs."""

    def __init__(self, *, chain_id: int = CHAIN_ID, name: str = "world") -> None:
        names = ("Identities", "Directory", "Anchors", "Revocations")
        contracts = {
            each: Contract(digest_of(name, each)[:20], digest_of("code", each), b"", bytes(32))
            for each in names
        }
        self.descriptor = LedgerDescriptor(chain_id, digest_of(name, "genesis"), bytes(20), contracts)
        self.chain = Chain()
        self.all_logs: dict[bytes, Log] = {}
        self.logs = Logs(self.all_logs)
        self.namespaces: dict[str, int] = {}

    @property
    def ledger_id(self) -> bytes:
        return self.descriptor.ledger_id

    def party(self, name: str, *, own: bool = False, namespace: bool = True) -> Party:
        """Make a party with a published key, and with the namespace of its name."""
        party = Party(self, name)
        if own:
            self.logs.own.append(party.log.id)
        self.chain.mine(party.key_event())
        if namespace:
            self.chain.mine(self.claim(name, party))
        return party

    def view(self, *own: Party) -> Logs:
        """Return the logs as another reader sees them."""
        return Logs(self.all_logs, [party.log.id for party in own])

    def claim(self, name: str, party: Party) -> NamespaceChanged:
        """Return the event that makes `party` the owner of a namespace."""
        n = self.namespaces.get(name, 0)
        self.namespaces[name] = n + 1
        return NamespaceChanged(node(name), name, party.address, n)


class Party:
    """Somebody with a key and a log. Methods that make records append them and return the record id."""

    def __init__(self, world: World, name: str) -> None:
        self.world = world
        self.name = name
        self.address = digest_of("address", name)[:20]
        self.seed = digest_of("seed", name)
        self.log = self.new_log(0)
        self.posts: dict[bytes, int] = {}
        self.latest: dict[str, tuple[int, bytes]] = {}

    @property
    def did(self) -> str:
        return format_did(self.world.descriptor.chain_id, self.address)

    @property
    def key(self) -> bytes:
        return public_key(self.seed)

    def new_log(self, number: int) -> Log:
        """Begin a log; it becomes the one that records go to once it is set as `log`."""
        descriptor = self.world.descriptor
        log = log_id(descriptor.chain_id, descriptor.address("Anchors"), self.address, number)
        made = self.world.all_logs[log] = Log(log, self.address, number)
        return made

    # events

    def key_event(self, *, valid_s: int = YEARS_S, seed: bytes | None = None) -> AttributeChanged:
        key = self.key if seed is None else public_key(seed)
        return AttributeChanged(self.address, KEY_NAME, key, self.world.chain.next_time + valid_s)

    def revoke_key_event(self) -> AttributeChanged:
        return AttributeChanged(self.address, KEY_NAME, self.key, 0)

    def name_event(self, name: str, content: str) -> AttributeChanged:
        valid_to = self.world.chain.next_time + YEARS_S
        return AttributeChanged(self.address, name.encode().ljust(32, b"\0"), content.encode(), valid_to)

    def delegate_event(self, kind: str, delegate: Party, *, valid_s: int = YEARS_S) -> DelegateChanged:
        valid_to = self.world.chain.next_time + valid_s
        return DelegateChanged(self.address, kind.encode().ljust(32, b"\0"), delegate.address, valid_to)

    def deactivate_event(self) -> OwnerChanged:
        return OwnerChanged(self.address, bytes(20))

    def anchor_event(self, *, size: int | None = None, root: bytes | None = None) -> Anchored:
        log = self.log
        size = len(log.entries) if size is None else size
        root = log.root() if root is None else root
        log.anchors.append((size, root))
        return Anchored(log.id, self.address, log.number, len(log.anchors) - 1, size, root)

    def close_event(self, at: int, successor: bytes = bytes(32)) -> LogClosed:
        return LogClosed(self.log.id, at, successor)

    def post_event(self, target: bytes, record: bytes) -> Posted:
        n = self.posts.get(target, 0)
        self.posts[target] = n + 1
        return Posted(self.address, target, n, record)

    # blocks

    def anchor(self) -> BlockRef:
        """Anchor all entries in a block of its own."""
        return self.world.chain.mine(self.anchor_event())

    def post_asset(self, asset: str, record: bytes) -> BlockRef:
        digest = digests.asset_digest(self.world.ledger_id, asset)
        return self.world.chain.mine(self.post_event(digests.target_of_asset(digest), record))

    def post_record(self, target: bytes, record: bytes) -> BlockRef:
        return self.world.chain.mine(self.post_event(digests.target_of_record(target), record))

    # records

    def header(self, **changes: Any) -> dict[str, Any]:
        header = {
            "ledger": self.world.ledger_id.hex(),
            "logs": [self.log.id.hex()],
            "authors": [self.did],
            "time": "2025-01-31T12:00:00Z",
        }
        return header | changes

    def envelope(self, payload: bytes, *signers: Party) -> bytes:
        """Sign a payload, by this party unless others are named."""
        signatures = [
            Signature(format_keyid(signer.did, signer.key), sign(signer.seed, pae(payload)))
            for signer in (signers or (self,))
        ]
        return encode_envelope(payload, signatures)

    def append(self, entry: bytes) -> int:
        """Append raw bytes to the log and return their position."""
        self.log.entries.append(entry)
        return len(self.log.entries) - 1

    def record(self, subject: Sequence[Resource], predicate: Predicate, *signers: Party) -> bytes:
        payload = build_statement(subject, predicate)
        self.append(self.envelope(payload, *signers))
        return record_id(payload)

    def asset_resource(self, asset: str) -> Resource:
        return Resource(asset, {digests.ASSET: digests.asset_digest(self.world.ledger_id, asset)})

    def register(self, asset: str, *signers: Party, **members: Any) -> bytes:
        return self.record([self.asset_resource(asset)], Registration(**(self.header() | members)), *signers)

    def version(
        self, asset: str, content: bytes | str, *signers: Party, number: int | None = None, **members: Any
    ) -> bytes:
        """Record the next version: bytes are hashed, text is declared."""
        last, previous = self.latest.get(asset, (0, b""))
        number = last + 1 if number is None else number
        resource = self.resource(f"{asset}@{number}", content)
        declared = {"declared": content} if isinstance(content, str) else {}
        before = {"previous": previous.hex()} if number > 1 else {}
        predicate = Version(**(self.header() | {"number": number} | before | declared | members))
        record = self.record([resource], predicate, *signers)
        self.latest[asset] = (number, record)
        return record

    def resource(self, name: str, content: bytes | str | None = None) -> Resource:
        """Return a version (or asset) by its content: bytes hashed, text declared, None: the asset."""
        asset = name.partition("@")[0]
        if content is None:
            return self.asset_resource(asset)
        if isinstance(content, str):
            digest = digests.declared_digest(self.world.ledger_id, asset, content)
            return Resource(name, {digests.DECLARED: digest})
        return Resource(name, {digests.FILE: sha256(content).hexdigest()})

    def activity(
        self,
        run: str,
        outputs: Sequence[Resource],
        inputs: Sequence[Resource],
        *signers: Party,
        edges: Sequence[tuple[int, int, int]] | None = None,
        **members: Any,
    ) -> bytes:
        """Record a run; without `edges` every output came from every input."""
        if edges is None:
            edges = [(o, i, 2) for o in range(len(outputs)) for i in range(len(inputs))]
        subject = list(outputs) or [
            Resource(f"run:{run}", {digests.RUN: digests.run_digest(self.world.ledger_id, run)})
        ]
        said = {
            "run_id": run,
            "component": Component("job"),
            "outcome": "completed",
            "inputs": list(inputs),
            "edges": [Edge(*edge) for edge in edges],
        }
        return self.record(subject, Activity(**(self.header() | said | members)), *signers)

    def transfer(self, asset: str, receiver: Party, *signers: Party, **members: Any) -> bytes:
        said = {"giver": self.did, "receiver": receiver.did}
        predicate = Transfer(**(self.header() | said | members))
        return self.record([self.asset_resource(asset)], predicate, *signers)

    def revoke(self, target: bytes, subject: Sequence[Resource], *signers: Party, **members: Any) -> bytes:
        predicate = Revocation(**(self.header() | {"target": target.hex()} | members))
        return self.record(subject, predicate, *signers)
