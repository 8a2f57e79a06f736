"""A lineage as long as one likes, made for real: one asset, each version made from the one before.

One registration, then a version and an activity in turn; some anchors on the way.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from itertools import islice
from pathlib import Path

from ledger.core import digests, dsse, signing
from ledger.core.identity import format_keyid
from ledger.core.records import PREDICATE_BASE
from ledger.service import InitRequest, Ledger
from ledger.service.context import Context
from ledger.service.envelopes import sign_records
from ledger.service.publishing import anchor_pending

ASSET = "bench/chain"
ANCHORS = 20


def payloads(context: Context, records: int) -> Iterator[bytes]:
    """Yield the payloads of so many records (an even number)."""
    head = (
        f'"ledger":"{context.ledger_id.hex()}","logs":["{context.log_id.hex()}"],'
        f'"authors":["{context.party}"],"time":"2026-01-01T00:00:00Z"'
    )

    def statement(kind: str, subject: str, rest: str) -> bytes:
        return (
            f'{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],'
            f'"predicateType":"{PREDICATE_BASE}{kind}/v1","predicate":{{{head}{rest}}}}}'
        ).encode()

    def resource(number: int) -> str:
        return f'{{"name":"{ASSET}@{number}","digest":{{"sha256":"{sha256(b"%d" % number).hexdigest()}"}}}}'

    digest = digests.asset_digest(context.ledger_id, ASSET)
    yield statement("registration", f'{{"name":"{ASSET}","digest":{{"dataledger-asset-v1":"{digest}"}}}}', "")
    previous = ""
    for number in range(1, records // 2 + 1):
        payload = statement("version", resource(number), f',"number":{number}{previous}')
        previous = f',"previous":"{dsse.record_id(payload).hex()}"'
        yield payload
        if number > 1:
            said = f',"run_id":"run-{number}","component":{{"name":"bench"}},"outcome":"completed"'
            said += f',"inputs":[{resource(number - 1)}],"edges":[[0,0,2]]'
            yield statement("activity", resource(number), said)


def make_chain(folder: Path, records: int) -> str:
    """Make the ledger in a folder; return the version that all of it leads to."""
    folder.mkdir(parents=True, exist_ok=True)
    Ledger.init(folder, InitRequest(namespace="bench"), env={})
    context = Context.find(folder, env={})
    signer = signing.signer(context.record_seed)
    keyid = format_keyid(context.party, context.record_key)
    every = payloads(context, records)
    while batch := list(islice(every, max(records // ANCHORS, 1))):
        context.log.append(sign_records(batch, keyid, signer), signer)
        anchor_pending(context)
    context.close()
    return f"{ASSET}@{records // 2}"
