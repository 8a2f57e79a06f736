"""Logs: signing and appending durably; recomputing hashes and tree, and every signature."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

from measure import Row, given, processor_time, rate, rate_of

from ledger.audit.logs import StoredLog, audit_log
from ledger.audit.signatures import audit_signatures
from ledger.core import dsse, signing
from ledger.core.chain_facts import Checkpoint
from ledger.core.identity import format_did, format_keyid, log_id
from ledger.core.records import Resource, Version
from ledger.core.statement import build_statement
from ledger.index.verification import SIGNATURES, Verification
from ledger.service.envelopes import sign_records
from ledger.store.log import LogFolder

SEED = bytes(range(32))
ADDRESS = b"\x11" * 20
LOG = log_id(1337, b"\x22" * 20, ADDRESS, 0)
DID = format_did(1337, ADDRESS)
KEYID = format_keyid(DID, signing.public_key(SEED))
BATCH = 1000
BATCHES = 40


def payload(number: int) -> bytes:
    """A version record of some 600 bytes."""
    said = Version(
        ledger="ab" * 32,
        logs=[LOG.hex()],
        authors=[DID],
        time="2026-01-01T00:00:00Z",
        number=2,
        previous="cd" * 32,
        size=number,
    )
    return build_statement([Resource("bench/data@2", {"sha256": f"{number:064x}"})], said)


def sign_and_append() -> list[Row]:
    """Sign and append records in durable batches of 1,000, one process."""
    payloads = [payload(number) for number in range(BATCH * BATCHES)]
    signer = signing.signer(SEED)
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        log = LogFolder(Path(folder) / "public", LOG)
        for start in range(0, len(payloads), BATCH):
            begin = time.perf_counter()
            log.append(sign_records(payloads[start : start + BATCH], KEYID, signer), signer)
            rates.append(BATCH / (time.perf_counter() - begin))
    size = len(payloads[0])
    what = f"sign + append records of {size} B durably, batches of 1,000, one process"
    return [
        rate(
            what, statistics.median(rates), must=25_000, limit=39_000, limit_note="Ed25519 signing, one core"
        )
    ]


def audit_tree() -> list[Row]:
    """Recompute leaf hashes, stored tiles and the root."""
    entry = dsse.encode_envelope(payload(1), [dsse.Signature(KEYID, bytes(64))])
    rates = []
    with tempfile.TemporaryDirectory() as folder:
        log = LogFolder(Path(folder) / "public", LOG)
        for number in range(20):
            log.append(
                [entry[:-1] + b" %d}" % (number * 10_000 + i) for i in range(10_000)], signing.signer(SEED)
            )
        stored = StoredLog(log.size, log.tree.bundles, log.tree.tile)
        points = [Checkpoint(0, log.size, log.root, 1, 1)]
        processor = []
        for _ in range(5):
            begin, used = time.perf_counter(), time.process_time()
            assert audit_log(stored, points) == []
            rates.append(log.size / (time.perf_counter() - begin))
            processor.append(log.size / (time.process_time() - used))
    return [
        rate("audit, hashes + tree only", statistics.median(rates), must=250_000, limit=425_000),
        rate(
            "the same by the processor time that it took, as on an idle core",
            statistics.median(processor),
            must=250_000,
            limit=425_000,
        ),
    ]


def audit_signed() -> list[Row]:
    """Recompute a log with every signature: leaves, tiles, roots, and signatures on all cores.

    The limit is what the cores verify and do nothing else, measured in the same minute: what else runs on a
    machine slows both. It is counted in processor time, so that it is that of idle cores.
    """
    count = 60_000
    signer = signing.signer(SEED)
    with tempfile.TemporaryDirectory() as folder:
        log = LogFolder(Path(folder) / "public", LOG)
        for start in range(0, count, 10_000):
            batch = [payload(number) for number in range(start, start + 10_000)]
            log.append(sign_records(batch, KEYID, signer), signer)
        stored = StoredLog(log.size, log.tree.bundles, log.tree.tile)
        points = [Checkpoint(0, log.size, log.root, 1, 1)]
        one = verified_in_processor_time(signer)
        begin, used = time.perf_counter(), processor_time()
        with Verification(SIGNATURES) as verification:
            assert audit_log(stored, points) == []
            assert audit_signatures(stored, verification.submit).wrong == 0
        elapsed, used = time.perf_counter() - begin, processor_time() - used
    cores = os.cpu_count() or 1
    note = f"{cores} cores that only verify, measured beside it"
    return [
        rate(
            f"audit of a log with signatures, {count:,} records, {cores} cores",
            count / elapsed,
            must=25_000,
            limit=cores * one,
            limit_note=note,
        ),
        rate(
            "the same by the processor time that it took, as on idle cores",
            cores * count / used,
            must=25_000,
            limit=cores * one,
            limit_note=note,
        ),
    ]


def verified_in_processor_time(signer: signing.Signer) -> float:
    """Return how many signatures one core verifies in a second of its time."""
    message = payload(1)
    signature = signer.sign(message)
    rates = []
    for _ in range(5):
        begin = time.process_time()
        for _ in range(2000):
            signing.verify(signer.public_key, signature, message)
        rates.append(2000 / (time.process_time() - begin))
    return statistics.median(rates)


def machine_here() -> list[Row]:
    """How fast this machine is at what the limits rest on: the ratio scales every other one."""
    signer = signing.signer(SEED)
    message = payload(1)
    signature = signer.sign(message)
    signs = statistics.median(rate_of(lambda: signer.sign(message), 3000) for _ in range(5))
    verifies = statistics.median(
        rate_of(lambda: signing.verify(signer.public_key, signature, message), 2000) for _ in range(5)
    )
    note = "where the limits were measured"
    return [
        given("this machine: Ed25519 signing, one core", signs, limit=39_000, limit_note=note),
        given("this machine: Ed25519 verifying, one core", verifies, limit=20_000, limit_note=note),
    ]
