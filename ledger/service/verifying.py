"""Is this file a version that somebody who counts stands behind?

Every claimant of the content is listed. The verdict is good only if one of them is this workspace's party, a party
that it trusts, or holds the asset that was asked for, and if that claim holds when its entry, signatures, inclusion,
anchor and key are checked again. The trust root is the workspace's own chain.
"""

from __future__ import annotations

from pathlib import Path

from ledger.core.errors import Invalid, LedgerError
from ledger.index.views import VersionView
from ledger.service.assets import observe
from ledger.service.context import Context
from ledger.service.paths import Paths
from ledger.service.rechecking import recheck
from ledger.service.results import Claim, FileVerdict
from ledger.service.times import format_time


def verify(context: Context, path: Path, *, asset: str | None = None) -> FileVerdict:
    """Digest a file or folder, find who claims it, and check each claim again."""
    if asset is not None:
        asset = context.known.asset(asset)
    content = observe(context, path)
    index = context.fresh()
    claims = [
        _claim(context, found, content.name, content.digest)
        for found in index.find_by_digest(content.name, bytes.fromhex(content.digest))
    ]
    wanted = [
        claim
        for claim in claims
        if (claim.trusted if asset is None else claim.version.partition("@")[0] == asset)
    ]
    verdict, reason = _verdict(context, path, claims, wanted, asset)
    return FileVerdict(
        path=str(path),
        digest=f"{content.name}:{content.digest}",
        verdict=verdict,
        claims=claims,
        reason=reason,
        trust_root=trust_root(context),
        notes=["an embedded chain proves nothing to a third party"] if context.embedded else [],
    )


def trust_root(context: Context) -> str:
    """Say against which chain, and up to which block, claims were checked."""
    head = context.reader.head()
    return f"block {head.number} (0x{head.hash.hex()}) of chain {context.descriptor.chain_id} at {context.reader.location}"


def _claim(context: Context, found: VersionView, digest_name: str, digest: str) -> Claim:
    """Check one claim again and put it in words."""
    problem, good, block, block_time = "", False, None, ""
    try:
        checked = recheck(context, found.log, found.idx, found.record)
        if all(each.digest != {digest_name: digest} for each in checked.statement.subject):
            raise Invalid("the record speaks of other content")
        good, block, block_time = True, checked.checkpoint.block, format_time(checked.checkpoint.time_unix_s)
    except LedgerError as error:
        problem = str(error)
    did = context.did(found.party)
    return Claim(
        version=f"{found.asset}@{found.number}",
        party=did,
        party_name=context.index.party_name(found.party),
        record=found.record.hex(),
        state=found.state,
        good=good,
        trusted=found.party == context.address or did in context.config.trusted,
        problem=problem,
        block=block,
        block_time=block_time,
        claimed_time=found.claimed,
    )


def _verdict(
    context: Context, path: Path, claims: list[Claim], wanted: list[Claim], asset: str | None
) -> tuple[str, str]:
    if any(claim.good for claim in wanted):
        return "good", ""
    if not claims:
        return "unknown-content", _explain_unknown(context, path, asset)
    if not wanted:
        if asset is not None:
            return "untrusted-claimant", f"no version of {asset} has this content"
        return (
            "untrusted-claimant",
            "none of its claimants is you or a party you trust: name the asset you expect with --as, or dataledger follow PARTY --trust",
        )
    if all(claim.state == "pending" for claim in wanted):
        return "unconfirmed", "the claim is in the log and not anchored yet: dataledger anchor"
    return "invalid", "the claim does not hold"


def _explain_unknown(context: Context, path: Path, asset: str | None) -> str:
    """Say which asset was last seen at this path, and that this is not it any more."""
    names = (
        [asset]
        if asset
        else [name for name, known in Paths(context.workspace).items() if known.resolve() == path.resolve()]
    )
    for name in names:
        latest = context.index.latest_version(name)
        if latest is not None:
            return f"this is not {name}@{latest.number}, whose content is {latest.alg}:{latest.digest.hex()}: the file was changed, or it is a new version"
    missing = context.index.missing_logs()
    if missing:
        return f"no version with this content is known here; {len(missing)} logs are missing, so somebody may still claim it"
    return "no version with this content is known here"
