"""What a well-formed record of each type looks like, beyond the types of its members.

Source: docs/formats.md section 4. These rules need nothing but the record itself: no chain, no other record.
Each says what was expected and what was found. Lengths and ranges stand in `records` and are checked while
decoding; the characters of human text are checked on the payload's bytes, in `statement`. That the content
has the digest is for whoever has the content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.core import digests
from ledger.core.errors import FormatError
from ledger.core.identity import parse_did
from ledger.core.names import is_asset, parse_version
from ledger.core.records import (
    Activity,
    Agreement,
    Attachment,
    Attestation,
    ColumnEdge,
    Component,
    Delivery,
    Edge,
    Grant,
    Header,
    Predicate,
    Registration,
    Resource,
    Revocation,
    Settlement,
    Transfer,
    Version,
)
from ledger.core.shape_parts import (
    check_asset_or_version,
    check_asset_resource,
    check_content,
    check_hex,
    check_time,
    check_unique,
    parts_of,
    sole,
)
from ledger.core.shapes_rights import (
    check_agreement,
    check_attestation,
    check_delivery,
    check_grant,
    check_settlement,
)
from ledger.core.text import shown

RUN_PREFIX = "run:"
"""What stands before the run id in the subject of an activity without outputs."""


def check_shape(subject: Sequence[Resource], predicate: Predicate) -> None:
    """Refuse (FormatError) a record whose parts don't fit its type or one another."""
    _check_header(predicate)
    for resource in subject:
        check_hex(next(iter(resource.digest.values())), "subject digest")
    _CHECKS[type(predicate)](subject, predicate)


def _check_header(predicate: Header) -> None:
    check_hex(predicate.ledger, "ledger")
    for log in predicate.logs:
        check_hex(log, "logs")
    for author in predicate.authors:
        parse_did(author)
    check_unique(predicate.logs, "logs")
    check_unique(predicate.authors, "authors")
    check_time(predicate.time, "time")
    for attachment in predicate.attachments:
        _check_attachment(attachment)


def _check_attachment(attachment: Attachment) -> None:
    ((name, digest),) = attachment.digest.items()
    check_hex(digest, "attachment digest")
    if name == digests.SEALED:
        if attachment.size is not None:  # the padding hides it; saying it would undo that
            raise FormatError("attachment: expected no size for a private one")
    elif name != digests.FILE:
        raise FormatError(
            f"attachment: expected digest {digests.FILE} or {digests.SEALED}, got {shown(name)}"
        )


def _check_run(ledger: str, run_id: str, name: str, digest_name: str, digest: str) -> None:
    if name != f"{RUN_PREFIX}{run_id}" or digest_name != digests.RUN:
        raise FormatError(
            f"run: expected {shown(RUN_PREFIX + run_id)} with {digests.RUN}, "
            f"got {shown(name)} with {shown(digest_name)}"
        )
    expected = digests.run_digest(bytes.fromhex(ledger), run_id)
    if digest != expected:
        raise FormatError(f"{shown(name)}: expected {digests.RUN} {expected}, got {digest}")


def _check_registration(subject: Sequence[Resource], predicate: Registration) -> None:
    check_asset_resource(predicate.ledger, *sole(subject, "registration"))
    if len({(alias.scheme, alias.namespace, alias.name) for alias in predicate.aliases}) != len(
        predicate.aliases
    ):
        raise FormatError("registration: expected each alias once")
    if predicate.arbiter:
        parse_did(predicate.arbiter)


def _check_version(subject: Sequence[Resource], predicate: Version) -> None:
    name, digest_name, digest = sole(subject, "version")
    asset, number = parse_version(name)
    check_content(name, digest_name)
    if number != predicate.number:
        raise FormatError(f"version: the subject is number {number}, the predicate number {predicate.number}")
    if (number > 1) != bool(predicate.previous):
        raise FormatError(f"version {number}: expected `previous` exactly from number 2 on")
    if predicate.previous:
        check_hex(predicate.previous, "previous")
    if (digest_name == digests.DECLARED) != bool(predicate.declared):
        raise FormatError(f"version: expected `declared` exactly with digest {digests.DECLARED}")
    if predicate.declared:
        expected = digests.declared_digest(bytes.fromhex(predicate.ledger), asset, predicate.declared)
        if digest != expected:
            raise FormatError(f"{name}: expected {digests.DECLARED} {expected}, got {digest}")


def _check_transfer(subject: Sequence[Resource], predicate: Transfer) -> None:
    check_asset_resource(predicate.ledger, *sole(subject, "transfer"))
    parse_did(predicate.giver)
    if not any(parse_did(predicate.receiver)[1]):
        raise FormatError("transfer: the zero address is no party that could receive")
    if predicate.giver == predicate.receiver:
        raise FormatError("transfer: giver and receiver are the same party")
    if predicate.giver not in predicate.authors:
        raise FormatError("transfer: expected the giver among the authors")


def _check_activity(subject: Sequence[Resource], predicate: Activity) -> None:
    outputs = _check_outputs(subject, predicate)
    for each in predicate.inputs:
        _check_input(predicate.ledger, each)
    if len({parts_of(each) for each in predicate.inputs}) != len(predicate.inputs):
        raise FormatError("activity: expected each input once")
    _check_edges(predicate, outputs, len(predicate.inputs))
    _check_component(predicate.component)
    if predicate.started:
        check_time(predicate.started, "started")
    if predicate.ended:
        check_time(predicate.ended, "ended")


def _check_edges(predicate: Activity, outputs: int, inputs: int) -> None:
    """Refuse positions that are out of range, and edges or changes that are named twice."""
    edges: Sequence[Edge | ColumnEdge]
    for edges in (predicate.edges, predicate.columns):
        for edge in edges:
            if edge.output >= outputs or edge.input >= inputs:
                raise FormatError(
                    f"activity: edge {edge.output} <- {edge.input} is out of range, "
                    f"there are {outputs} outputs and {inputs} inputs"
                )
    if len({(edge.output, edge.input) for edge in predicate.edges}) != len(predicate.edges):
        raise FormatError("activity: expected each edge once")
    changed = predicate.changed
    if changed and (max(changed) >= inputs or len(set(changed)) != len(changed)):
        raise FormatError(f"activity: `changed` names an input twice, or one beyond the {inputs} there are")


def _check_outputs(subject: Sequence[Resource], predicate: Activity) -> int:
    """Check the subject of an activity and count its outputs: none if the subject is the run itself."""
    if len(subject) == 1 and subject[0].name.startswith(RUN_PREFIX):
        _check_run(predicate.ledger, predicate.run_id, *parts_of(subject[0]))
        return 0
    for resource in subject:  # an asset is what it was to make, or dropped
        check_asset_or_version(predicate.ledger, resource)
    if len({resource.name for resource in subject}) != len(subject):
        raise FormatError("activity: expected each output once")
    return len(subject)


def _check_input(ledger: str, resource: Resource) -> None:
    """Refuse an input unless it is a version, or an asset of unknown version with what is known of it.

    Without a version record no description is known, so an asset can't come with a declared digest.
    """
    name, digest_name, digest = parts_of(resource)
    check_hex(digest, "input digest")
    if "@" in name:
        parse_version(name)
        check_content(name, digest_name)
    elif digest_name not in (digests.FILE, digests.TREE) or not is_asset(name):
        check_asset_resource(ledger, name, digest_name, digest)


def _check_component(component: Component) -> None:
    for name, digest in component.digest.items():
        check_hex(digest, "component digest")
        if name not in (digests.FILE, digests.TREE):
            raise FormatError(
                f"component: expected digest {digests.FILE} or {digests.TREE}, got {shown(name)}"
            )


def _check_revocation(subject: Sequence[Resource], predicate: Revocation) -> None:
    check_hex(predicate.target, "target")
    for resource in subject:  # that it is what the target spoke of, `authority` judges
        name, digest_name, digest = parts_of(resource)
        if digest_name == digests.RUN:
            _check_run(predicate.ledger, name.removeprefix(RUN_PREFIX), name, digest_name, digest)
        else:
            check_asset_or_version(predicate.ledger, resource)
    if len({resource.name for resource in subject}) != len(subject):
        raise FormatError("revocation: expected each subject once")
    if predicate.effective:
        check_time(predicate.effective, "effective")


_CHECKS: dict[type[Predicate], Callable[[Sequence[Resource], Any], None]] = {
    Registration: _check_registration,
    Version: _check_version,
    Transfer: _check_transfer,
    Activity: _check_activity,
    Revocation: _check_revocation,
    Grant: check_grant,
    Agreement: check_agreement,
    Delivery: check_delivery,
    Settlement: check_settlement,
    Attestation: check_attestation,
}
