"""Is this file a version that somebody who counts stands behind?

Every claimant of the content is listed. The verdict is good only if one of them is this workspace's party, a
party that it trusts, or holds the asset that was asked for, and if that claim holds when its entry,
signatures, inclusion, anchor and key are checked again. The trust root is the workspace's own chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec

from ledger.core.errors import Invalid, LedgerError, Unavailable
from ledger.core.names import namespace_of
from ledger.core.records import Resource, Version
from ledger.index import Index
from ledger.index.views import LogView, VersionView
from ledger.service.assets import observe
from ledger.service.context import Context
from ledger.service.paths import Paths
from ledger.service.rechecking import Rechecked, recheck
from ledger.service.results import Claim, FileVerdict
from ledger.service.syncing import fresh
from ledger.service.times import format_time

GOOD, INVALID, UNCONFIRMED = "good", "invalid", "unconfirmed"
UNKNOWN, UNTRUSTED = "unknown-content", "untrusted-claimant"

Verdict = tuple[str, str]
"""The verdict and its reason; of good there is none to be given."""

_MOST_NAMED = 4

EMBEDDED_NOTE = "an embedded chain proves nothing to a third party"


def verify(context: Context, path: Path, *, asset: str | None = None) -> FileVerdict:
    """Digest a file or folder, find who claims it, and check each claim again."""
    content = observe(context, path)
    index = fresh(context)
    wanted_asset = None if asset is None else context.known.asset(asset)
    found = index.find_by_digest(content.name, bytes.fromhex(content.digest))
    claims = [_claim(context, each) for each in found]
    wanted = [claim for claim in claims if _counts(claim, wanted_asset)]
    verdict, reason = _verdict(wanted)
    if not wanted:
        verdict, reason = _nobody(context, index, path, claims, wanted_asset)
    return FileVerdict(
        path=str(path),
        digest=f"{content.name}:{content.digest}",
        verdict=verdict,
        claims=claims,
        reason=reason,
        trust_root=trust_root(context),
        to_block=index.summary().head,
        notes=[EMBEDDED_NOTE] if context.embedded else [],
    )


def trust_root(context: Context) -> str:
    """Say against which chain, and up to which block, claims were checked."""
    head, chain = context.reader.head(), context.reader
    return f"block {head.number} (0x{head.hash.hex()}) of chain {chain.chain_id} at {chain.location}"


def _claim(context: Context, found: VersionView) -> Claim:
    """Check one claim again and put it in words."""
    did = context.did(found.party)
    claim = Claim(
        version=f"{found.asset}@{found.number}",
        party=did,
        party_name=context.index.party_name(found.party),
        record=found.record.hex(),
        state=found.state,
        verdict=GOOD,
        trusted=found.party == context.address or did in context.config.trusted,
        claimed_time=found.claimed,
    )
    try:
        checked = recheck(context, found.log, found.idx, found.record)
        _check_says(checked, found, did)
    except LedgerError as error:
        verdict = UNCONFIRMED if isinstance(error, Unavailable) else INVALID
        return msgspec.structs.replace(claim, verdict=verdict, problem=str(error))
    block, time_unix_s = checked.checkpoint.block, checked.checkpoint.time_unix_s
    return msgspec.structs.replace(claim, good=True, block=block, block_time=format_time(time_unix_s))


def _check_says(checked: Rechecked, found: VersionView, did: str) -> None:
    """Raise Invalid unless the record says what the index made of it: version, content and party."""
    predicate = checked.statement.predicate
    said = Resource(f"{found.asset}@{found.number}", {found.alg: found.digest.hex()})
    if not isinstance(predicate, Version) or checked.statement.subject != [said]:
        raise Invalid("the record does not say that this content is that version")
    if did not in predicate.authors:
        raise Invalid(f"the record is not by {did}")


def _counts(claim: Claim, asset: str | None) -> bool:
    """Tell whether a claim is one that is asked for: of the asset named, else of a party that counts here."""
    return claim.trusted if asset is None else claim.version.partition("@")[0] == asset


def _verdict(wanted: Sequence[Claim]) -> Verdict:
    """Judge the claims that count: one that holds is enough, and what could not be checked is not wrong."""
    for verdict in (GOOD, INVALID, UNCONFIRMED):
        for claim in wanted:
            if claim.verdict == verdict:
                return verdict, claim.problem
    return UNKNOWN, ""


def _nobody(
    context: Context, index: Index, path: Path, claims: Sequence[Claim], asset: str | None
) -> Verdict:
    """Say why there is no claim that counts."""
    if asset is not None and claims:
        return UNTRUSTED, f"no version of {asset} has this content"
    if claims:
        return UNTRUSTED, (
            "none of its claimants is you or a party you trust: name the asset you expect with --as,"
            " or dataledger follow PARTY --trust"
        )
    return UNKNOWN, _explain_unknown(context, index, path, asset)


def _explain_unknown(context: Context, index: Index, path: Path, asset: str | None) -> str:
    """Say which asset was last seen at this path, and that this is not it any more."""
    names = [asset] if asset else _seen_at(context, path)
    for newest in filter(None, map(index.latest_version, names)):
        expected = f"{newest.asset}@{newest.number}, whose content is {newest.alg}:{newest.digest.hex()}"
        return f"this is not {expected}: the file was changed, or it is a new version"
    missing = [each for each in index.logs() if each.problem and _may_claim(context, index, each, asset)]
    also = "; ".join(
        [
            "",
            *(
                f"the log {each.log.hex()[:12]} of {_whose(context, each)} can't be read here, so"
                " it may claim it"
                for each in missing[:_MOST_NAMED]
            ),
        ]
    )
    return f"no version with this content is known here{also}"


def _may_claim(context: Context, index: Index, log: LogView, asset: str | None) -> bool:
    """Tell whether a log may hold a claim that would count here: of a party that does, or of the asset's."""
    if log.party is None:
        return False
    if asset is not None:
        return log.party in (index.holder(asset), index.namespace_owner(namespace_of(asset)))
    return log.party == context.address or context.did(log.party) in context.config.trusted


def _whose(context: Context, log: LogView) -> str:
    return "yours" if log.party == context.address else context.describe(log.party or b"")


def _seen_at(context: Context, path: Path) -> list[str]:
    there = path.resolve()
    return [name for name, known in Paths(context.workspace).items() if known.resolve() == there]
