"""A party of the market: its workspace, and records on their way into its log."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from ledger.chain import contracts
from ledger.chain.interface import Call
from ledger.core import digests, dsse, signing
from ledger.core.identity import format_keyid
from ledger.core.records import TYPE_OF, Predicate, Resource, Revocation
from ledger.core.statement import parse_statement
from ledger.service import InitRequest, Ledger
from ledger.service.context import Context
from ledger.service.publishing import anchor_pending

COMMIT = 10_000
PART = 250
POSTS = 100
"""Postings in one block."""

Waiting = tuple[bytes, tuple["Member", ...]]


class _Statement(Struct, frozen=True, gc=False):
    """What `core.statement` writes, without its checks: those are made of the first record of each type."""

    type: str = msgspec.field(name="_type")
    subject: Sequence[Resource]
    predicate_type: str = msgspec.field(name="predicateType")
    predicate: Predicate


_ENCODER = msgspec.json.Encoder()


class Member:
    """A party with a namespace `m<number>`, on the first one's embedded chain."""

    def __init__(self, folder: Path, number: int, first: Member | None) -> None:
        folder.mkdir(parents=True)
        join = None if first is None else first.context.workspace.ledger_json
        Ledger.init(
            folder, InitRequest(namespace=f"m{number:02}", name=f"Member {number}", join=join), env={}
        )
        self.context = context = Context.find(folder, env={})
        self.did = context.party
        self.chain_id = context.descriptor.chain_id
        self.signer = signing.signer(context.record_seed)
        self.keyid = format_keyid(context.party, context.record_key)
        self._head = {
            "ledger": context.ledger_id.hex(),
            "logs": [context.log_id.hex()],
            "time": "2026-01-01T00:00:00Z",
        }
        self._waiting: list[Waiting] = []
        self._posts: list[Call] = []
        self._seen: set[type[Predicate]] = set()
        self.asset = lru_cache(maxsize=10_000)(self._asset)
        self.version = lru_cache(maxsize=10_000)(self._version)

    @property
    def size(self) -> int:
        """How many records there are."""
        return self.context.log.size + len(self._waiting)

    def _asset(self, name: str) -> Resource:
        return Resource(name, {digests.ASSET: digests.asset_digest(self.context.ledger_id, name)})

    def _version(self, asset: str, number: int) -> Resource:
        name = f"{asset}@{number}"
        return Resource(name, {digests.FILE: sha256(name.encode()).hexdigest()})

    def say(self, subject: list[Resource], kind: type[Predicate], /, *others: Member, **members: Any) -> str:
        """Say something in the own log, signed by the others too, and return the record's id in hex."""
        signers = (self, *others)
        said = kind(authors=[each.did for each in signers], **self._head, **members)
        payload = _ENCODER.encode(_Statement("https://in-toto.io/Statement/v1", subject, TYPE_OF[kind], said))
        if kind not in self._seen:
            assert parse_statement(payload).predicate == said
            self._seen.add(kind)
        self._waiting.append((payload, signers))
        if len(self._waiting) >= COMMIT:
            self._append()
        return dsse.record_id(payload).hex()

    def take_back(self, subject: list[Resource], target: str) -> None:
        """Revoke a record, and post that with the next anchor."""
        record = self.say(subject, Revocation, target=target, reason="no longer")
        about = digests.target_of_record(bytes.fromhex(target))
        context = self.context
        self._posts.append(contracts.post(context.descriptor, context.address, about, bytes.fromhex(record)))

    def anchor(self) -> None:
        """Put into the log what was said, anchor it, and post what is to be posted."""
        self._append()
        anchor_pending(self.context, self._posts[:POSTS])
        for start in range(POSTS, len(self._posts), POSTS):
            anchor_pending(self.context, self._posts[start : start + POSTS])
        self._posts.clear()

    def _append(self) -> None:
        parts = [self._waiting[start : start + PART] for start in range(0, len(self._waiting), PART)]
        with ThreadPoolExecutor(2) as pool:  # libsodium signs without Python's lock
            entries = [entry for part in pool.map(_sealed, parts) for entry in part]
        if entries:
            self.context.log.append(entries, self.signer)
        self._waiting.clear()

    def close(self) -> None:
        """Close the workspace."""
        self.context.close()


def _sealed(part: list[Waiting]) -> list[bytes]:
    return [
        dsse.encode_envelope(
            payload, [dsse.Signature(each.keyid, each.signer.sign(dsse.pae(payload))) for each in signers]
        )
        for payload, signers in part
    ]
