"""Records on their way into the log: built in order, since each may name the one before it, and signed
together.

A batch knows what it has added (assets, versions), so that a run can register its outputs, record their first
versions and name them in its activity in one commit. Ids don't depend on signatures, so signing comes last,
on both cores (libsodium releases the GIL).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from ledger.core import digests, dsse, signing
from ledger.core.errors import NotFound, Usage
from ledger.core.identity import format_keyid
from ledger.core.names import check_asset, format_version, namespace_of
from ledger.core.records import (
    Activity,
    Alias,
    Attachment,
    Attestation,
    Digests,
    Field,
    Grant,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Transfer,
    Version,
)
from ledger.core.records_rights import Terms
from ledger.core.statement import build_statement
from ledger.service.context import Context
from ledger.service.envelopes import sign_records
from ledger.service.known import Added, added
from ledger.service.results import RecordRef
from ledger.service.syncing import current
from ledger.service.times import now


class Batch:
    """Records to be appended in one commit. What it checks, it checks against an index that is up to date."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._index = current(context)
        self._payloads: list[bytes] = []
        self._latest: dict[str, Added] = {}
        self._registered: set[str] = set()
        self._undo: list[Callable[[], object]] = []
        self.refs: list[RecordRef] = []

    def __len__(self) -> int:
        return len(self._payloads)

    def is_registered(self, asset: str) -> bool:
        """Tell whether the asset is registered, in the ledger or in this batch."""
        return asset in self._registered or self._index.registered(asset)

    def latest(self, asset: str) -> Added | None:
        """Return the newest version of the asset, in this batch or in the ledger."""
        if asset in self._latest:
            return self._latest[asset]
        known = self._index.latest_version(asset)
        return None if known is None else added(known)

    def register(
        self,
        asset: str,
        *,
        title: str = "",
        description: str = "",
        kind: str = "dataset",
        license: str = "",  # noqa: A002 - the predicate's word
        aliases: Iterable[Alias] = (),
        arbiter: str = "",
        attachments: Sequence[Attachment] = (),
    ) -> None:
        """Register an asset in a namespace of this party; `arbiter` (a DID) alone may freeze it. Raises Usage
        where it is registered, or not ours to register.
        """
        check_asset(asset)
        self.check_namespace(asset)
        if self.is_registered(asset):
            raise Usage(
                f"{asset} is registered already",
                hint=f"record a new version of it: dataledger version {asset} PATH",
            )
        predicate = Registration(
            **self._header(attachments),
            title=title,
            description=description,
            kind=kind,
            license=license,
            aliases=list(aliases),
            arbiter=arbiter,
        )
        self._add("registration", asset, [self.asset_resource(asset)], predicate)
        self._registered.add(asset)
        self._undo.append(lambda: self._registered.discard(asset))

    def version(
        self,
        asset: str,
        digest: Digests,
        *,
        size: int | None = None,
        media_type: str = "",
        fields: Sequence[Field] = (),
        declared: str = "",
        attachments: Sequence[Attachment] = (),
    ) -> Added:
        """Record the next version of an asset that this party holds, and return it."""
        self.check_holder(asset)
        if not self.is_registered(asset):
            raise NotFound(
                f"{asset} is not registered", hint=f"register it: dataledger register {asset} PATH"
            )
        before = self.latest(asset)
        number = 1 if before is None else before.number + 1
        predicate = Version(
            **self._header(attachments),
            number=number,
            previous="" if before is None else before.record.hex(),
            size=size,
            media_type=media_type,
            fields=list(fields),
            declared=declared,
        )
        name = format_version(asset, number)
        record = self._add("version", name, [Resource(name, digest)], predicate)
        made = Added(number, record, digest)
        self._set_latest(asset, made)
        return made

    def activity(
        self, subject: Sequence[Resource], attachments: Sequence[Attachment], predicate: dict[str, Any]
    ) -> bytes:
        """Record an activity; without a subject it is about the run itself. Returns the record id."""
        activity = Activity(**self._header(attachments), **predicate)
        about = list(subject) or [
            Resource(
                f"run:{activity.run_id}",
                {"dataledger-run-v1": digests.run_digest(self._context.ledger_id, activity.run_id)},
            )
        ]
        return self._add("activity", ", ".join(each.name for each in about), about, activity)

    def transfer(self, asset: str, receiver: str) -> bytes:
        """Record that this party hands an asset it holds to `receiver` (a DID). Returns the record id."""
        self.check_holder(asset)
        predicate = Transfer(**self._header(), giver=self._context.party, receiver=receiver)
        return self._add("transfer", asset, [self.asset_resource(asset)], predicate)

    def grant(self, subject: Sequence[Resource], to: str, terms: Terms, under: str) -> Grant:
        """Record that this party gives rights in the subject to a party (DID; empty: everybody)."""
        predicate = Grant(**self._header(), grantor=self._context.party, grantee=to, terms=terms, under=under)
        self._add("grant", ", ".join(each.name for each in subject), list(subject), predicate)
        return predicate

    def attestation(
        self, subject: Sequence[Resource], said: dict[str, Any], attachments: Sequence[Attachment] = ()
    ) -> tuple[bytes, Attestation]:
        """Record that this party says something of the subject. Returns the record id and what is said."""
        predicate = Attestation(**self._header(attachments), **said)
        names = ", ".join(each.name for each in subject)
        return self._add("attestation", names, list(subject), predicate), predicate

    def revocation(
        self, target: bytes, subject: Sequence[Resource], reason: str, effective: str = ""
    ) -> bytes:
        """Record that this party takes back its record `target` (32 bytes), now or from the time `effective`
        on. Returns the record id.
        """
        predicate = Revocation(**self._header(), target=target.hex(), reason=reason, effective=effective)
        return self._add("revocation", target.hex(), list(subject), predicate)

    def say(self, subject: Sequence[Resource], predicate: Predicate) -> bytes:
        """Record what a whole predicate says (see `header`) of the subject. Returns the record id."""
        about = ", ".join(each.name for each in subject)
        return self._add(type(predicate).__name__.lower(), about, list(subject), predicate)

    def asset_resource(self, asset: str) -> Resource:
        """Return an asset as a subject: by its name and its own digest."""
        return Resource(asset, {"dataledger-asset-v1": digests.asset_digest(self._context.ledger_id, asset)})

    def check_namespace(self, asset: str) -> None:
        """Raise Usage unless the namespace of `asset` is this party's."""
        namespace = namespace_of(asset)
        owner = self._index.namespace_owner(namespace)
        if owner is None:
            raise Usage(
                f"nobody owns the namespace {namespace}",
                hint=f"claim it: dataledger namespace claim {namespace}",
            )
        if owner != self._context.address:
            raise Usage(
                f"the namespace {namespace} belongs to {self._context.describe(owner)}, not to you",
                hint="register in a namespace of yours: dataledger namespace list",
            )

    def check_holder(self, asset: str) -> None:
        """Raise Usage unless this party holds the asset, registered or not."""
        check_asset(asset)
        holder = self._index.holder(asset)
        if holder is None:
            self.check_namespace(asset)
        elif holder != self._context.address:
            raise Usage(f"{asset} is held by {self._context.describe(holder)}, not by you")

    def entries(self) -> list[bytes]:
        """Sign every record and return the envelopes, in order."""
        keyid = format_keyid(self._context.party, self._context.record_key)
        return sign_records(self._payloads, keyid, signing.signer(self._context.record_seed))

    def clear(self) -> None:
        """Begin anew: the records are in the log, or not wanted; what they make is still known here."""
        self._payloads.clear()
        self._undo.clear()
        self.refs.clear()

    @contextmanager
    def all_or_none(self) -> Iterator[None]:
        """Take back what the body added, if it raises."""
        records, steps = len(self._payloads), len(self._undo)
        try:
            yield
        except BaseException:
            del self._payloads[records:], self.refs[records:]
            while len(self._undo) > steps:
                self._undo.pop()()
            raise

    def _set_latest(self, asset: str, added: Added) -> None:
        before = self._latest.get(asset)
        self._latest[asset] = added
        if before is None:
            self._undo.append(lambda: self._latest.pop(asset))
        else:
            self._undo.append(lambda: self._latest.update({asset: before}))

    def _header(self, attachments: Sequence[Attachment] = ()) -> dict[str, Any]:
        return header(self._context) | {"attachments": list(attachments)}

    def _add(self, type_: str, about: str, subject: list[Resource], predicate: Predicate) -> bytes:
        payload = build_statement(subject, predicate)
        record = dsse.record_id(payload)
        self._payloads.append(payload)
        self.refs.append(
            RecordRef(
                record=record.hex(), type=type_, subject=about, entry=-1, log=self._context.log_id.hex()
            )
        )
        return record


def header(context: Context) -> dict[str, Any]:
    """Return what every predicate of this party begins with: ledger, its log, itself as author, the time."""
    return {
        "ledger": context.ledger_id.hex(),
        "logs": [context.log_id.hex()],
        "authors": [context.party],
        "time": now(),
    }
