"""A ledger with a million versions and three million edges, made for real: init, signed records, log, one
anchor.

Versions form families: in each, a version is made from three of the fifty before it, so the last one has the
whole family as ancestors, or nearly so. There is one family of 77,000, ten of 8,000, and the rest are of 90.
One activity makes up to 50 versions. It takes some minutes to make and is kept in the folder that
DATALEDGER_BENCH names, or made anew.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
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

VERSIONS = int(os.environ.get("DATALEDGER_BENCH_VERSIONS", "1000000"))
ASSETS = 10_000
GROUP = 50
SOURCES = 3
STEPS = 18
COMMIT = 10_000


def families(total: int) -> list[int]:
    """Return the sizes of the families, the large ones first."""
    sizes = [size for size in (77_001, *[8_001] * 10) if size < total // 2]
    while sum(sizes) > total // 2:
        sizes.pop(0)
    rest = total - sum(sizes)
    return sizes + [91] * (rest // 91) + ([rest % 91] if rest % 91 else [])


class Maker:
    """Writes the records of the big ledger as JSON text: building them one by one by hand would take
    longer."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.head = (
            f'"ledger":"{context.ledger_id.hex()}","logs":["{context.log_id.hex()}"],'
            f'"authors":["{context.party}"],"time":"2026-01-01T00:00:00Z"'
        )
        self.records: list[bytes] = []

    def name(self, number: int) -> tuple[str, int]:
        """Return asset and version number of version `number` of all."""
        return f"bench/a{number % ASSETS:05}", number // ASSETS + 1

    def resource(self, number: int) -> str:
        """Return a version as a resource."""
        asset, version = self.name(number)
        return f'{{"name":"{asset}@{version}","digest":{{"sha256":"{sha256(b"%d" % number).hexdigest()}"}}}}'

    def statement(self, kind: str, subject: str, predicate: str) -> bytes:
        """Return a payload."""
        return (
            f'{{"_type":"https://in-toto.io/Statement/v1","subject":[{subject}],'
            f'"predicateType":"{PREDICATE_BASE}{kind}/v1","predicate":{{{self.head}{predicate}}}}}'
        ).encode()

    def registrations(self, count: int) -> Iterator[bytes]:
        """Yield the registrations."""
        for number in range(count):
            asset = self.name(number)[0]
            digest = digests.asset_digest(self.context.ledger_id, asset)
            yield self.statement(
                "registration",
                f'{{"name":"{asset}","digest":{{"dataledger-asset-v1":"{digest}"}}}}',
                f',"title":"Asset {number}"',
            )

    def version(self, number: int) -> bytes:
        """Return a version's payload, which names the one before it."""
        _, version = self.name(number)
        previous = f',"previous":"{self.records[number - ASSETS].hex()}"' if version > 1 else ""
        payload = self.statement(
            "version", self.resource(number), f',"number":{version}{previous},"size":{number}'
        )
        self.records.append(dsse.record_id(payload))
        return payload

    def activity(self, outputs: range, first: int, chance: random.Random) -> bytes:
        """Return the payload of the activity that makes `outputs`, whose family begins at `first`."""
        inputs: dict[int, int] = {}
        edges = []
        for position, _ in enumerate(outputs):
            low = max(first, outputs.start - GROUP)
            for source in sorted(chance.sample(range(low, outputs.start), min(SOURCES, outputs.start - low))):
                edges.append(f"[{position},{inputs.setdefault(source, len(inputs))},2]")
        subject = ",".join(map(self.resource, outputs))
        said = f',"run_id":"run-{outputs.start}","component":{{"name":"bench"}},"outcome":"completed"'
        if inputs:
            said += f',"inputs":[{",".join(map(self.resource, inputs))}],"edges":[{",".join(edges)}]'
        return self.statement("activity", subject, said)

    def payloads(self, total: int) -> Iterator[bytes]:
        """Yield every payload in order."""
        yield from self.registrations(min(ASSETS, total))
        chance = random.Random(1)
        start = 0
        for size in families(total):
            # the first versions of a family come from nowhere; then groups, small ones in a small family
            step = min(GROUP, size // STEPS + 1)
            for group in range(start, start + size, step):
                outputs = range(group, min(group + step, start + size))
                yield from map(self.version, outputs)
                yield self.activity(outputs, start, chance)
            start += size


def write(context: Context, total: int) -> int:
    """Sign and append every record, anchor once, and return how many there are."""
    signer = signing.signer(context.record_seed)
    keyid = format_keyid(context.party, context.record_key)
    payloads = Maker(context).payloads(total)
    while batch := list(islice(payloads, COMMIT)):
        context.log.append(sign_records(batch, keyid, signer), signer)
        print(f"\rmade {context.log.size:,} records", end="", file=sys.stderr, flush=True)
    print(file=sys.stderr)
    anchor_pending(context)
    return context.log.size


@contextmanager
def big_ledger() -> Iterator[Path]:
    """Give a folder with the big ledger, made now unless DATALEDGER_BENCH keeps one."""
    kept = os.environ.get("DATALEDGER_BENCH")
    folder = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="dataledger-bench-"))
    try:
        if not (folder / "made.json").exists():
            folder.mkdir(parents=True, exist_ok=True)
            Ledger.init(folder, InitRequest(namespace="bench"), env={})
            context = Context.find(folder, env={})
            count = write(context, VERSIONS)
            context.close()
            (folder / "made.json").write_text(json.dumps({"records": count, "versions": VERSIONS}))
        yield folder
    finally:
        if not kept:
            shutil.rmtree(folder)


def last_of(size: int) -> int:
    """Return the number of the last version of the first family of this size, else of the largest below."""
    start, best = 0, (0, 0)
    for family in families(VERSIONS):
        start += family
        if best[0] < family <= size:
            best = (family, start - 1)
    return best[1]
