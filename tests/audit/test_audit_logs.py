"""Every stored byte of a log counts: each kind of damage is found and named, and a sound log passes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import pytest

from ledger.audit import signatures
from ledger.audit.logs import StoredLog, audit_log
from ledger.audit.signatures import audit_signatures
from ledger.core import dsse, signing
from ledger.core.chain_facts import Checkpoint
from ledger.core.errors import Corrupt
from ledger.core.merkle import leaf_hashes, level_above, root_of
from ledger.index.verification import check_signatures

SIZE = 600
SEED = bytes(range(32))
KEYID = f"did:ethr:0x1:0x{'ab' * 20}#{signing.public_key(SEED).hex()}"


def entry(number: int) -> bytes:
    payload = b'{"n":%d}' % number
    return dsse.encode_envelope(payload, [dsse.Signature(KEYID, signing.sign(SEED, dsse.pae(payload)))])


ENTRIES = [entry(number) for number in range(SIZE)]


class Memory:
    """A log in memory, with its tiles as a writer would have stored them."""

    def __init__(self) -> None:
        self.entries = list(ENTRIES)
        self.tiles: dict[tuple[int, int], bytes] = {}
        hashes = leaf_hashes(self.entries)
        level = 0
        while hashes:
            for number in range(0, len(hashes), 256):
                self.tiles[level, number // 256] = b"".join(hashes[number : number + 256])
            for _ in range(8):
                hashes = level_above(hashes[: len(hashes) // 2 * 2])
            level += 1

    def stored(self) -> StoredLog:
        return StoredLog(len(self.entries), self.bundles, self.tile)

    def bundles(self, start: int, stop: int) -> Iterator[list[bytes]]:
        for first in range(start, stop, 256):
            yield self.entries[first : min(stop, first + 256)]

    def tile(self, level: int, number: int) -> bytes:
        return self.tiles[level, number]


def anchored(*sizes: int) -> list[Checkpoint]:
    return [
        Checkpoint(n, size, root_of(leaf_hashes(ENTRIES[:size])), 10 + n, 1_000 + n)
        for n, size in enumerate(sizes)
    ]


def kinds(log: Memory, checkpoints: list[Checkpoint]) -> list[tuple[str, int | None]]:
    return [(failure.kind, failure.entry) for failure in audit_log(log.stored(), checkpoints)]


def in_turn(entries: Sequence[bytes]) -> Callable[[], list[str]]:
    """Verify a batch when its result is asked for."""
    return lambda: check_signatures(entries)


def badly_signed(log: Memory, start: int = 0) -> list[tuple[str, int | None]]:
    found = audit_signatures(log.stored(), in_turn, start=start)
    assert (found.entries, found.wrong) == (len(log.entries) - start, len(found.failures))
    return [(failure.kind, failure.entry) for failure in found.failures]


def test_a_sound_log_passes() -> None:
    assert kinds(Memory(), anchored(1, 255, 256, 257, 512, SIZE)) == []


def test_a_log_that_was_never_anchored_passes() -> None:
    assert kinds(Memory(), []) == []


def test_an_empty_log_passes() -> None:
    log = Memory()
    log.entries, log.tiles = [], {}
    assert kinds(log, []) == []


@pytest.mark.parametrize("at", [0, 255, 256, SIZE - 1])
def test_a_flipped_bit_in_an_entry(at: int) -> None:
    log = Memory()
    log.entries[at] = log.entries[at][:-40] + bytes([log.entries[at][-40] ^ 1]) + log.entries[at][-39:]
    found = kinds(log, anchored(at + 1, SIZE))
    assert ("tile-mismatch", at) in found
    assert ("root-mismatch", at) in found
    assert badly_signed(log) == [("entry-invalid", at)]


def test_an_entry_replaced_by_another_authentic_one() -> None:
    log = Memory()
    log.entries[7] = entry(SIZE + 1)
    assert kinds(log, anchored(SIZE)) == [
        ("tile-mismatch", 0),
        ("tile-mismatch", 7),
        ("root-mismatch", SIZE - 1),
    ]


def test_a_bad_signature_is_found_where_the_tree_agrees() -> None:
    log = Memory()
    forged = dsse.encode_envelope(b'{"n":3}', [dsse.Signature(KEYID, signing.sign(SEED, b"something else"))])
    log.entries[3] = forged
    rebuilt = Memory()
    rebuilt.entries = log.entries
    points = [Checkpoint(0, SIZE, root_of(leaf_hashes(log.entries)), 1, 1)]
    assert badly_signed(rebuilt) == badly_signed(rebuilt, 3) == [("entry-invalid", 3)]
    assert badly_signed(rebuilt, 4) == []
    assert all(kind == "tile-mismatch" for kind, _ in kinds(rebuilt, points))


@pytest.mark.parametrize(("level", "number", "entry_at"), [(0, 0, 5), (0, 2, 512), (1, 0, 256)])
def test_a_flipped_bit_in_a_tile(level: int, number: int, entry_at: int) -> None:
    log = Memory()
    offset = {(0, 0): 5 * 32, (0, 2): 0, (1, 0): 32}[level, number]
    tile = bytearray(log.tiles[level, number])
    tile[offset] ^= 0x80
    log.tiles[level, number] = bytes(tile)
    assert kinds(log, anchored(SIZE)) == [("tile-mismatch", entry_at)]


def test_a_dropped_tail() -> None:
    log = Memory()
    log.entries = log.entries[:512]
    log.tiles = {key: data[: 32 * 256] for key, data in log.tiles.items() if key != (0, 2)}
    assert ("tail-missing", 512) in kinds(log, anchored(512, SIZE))


def test_a_true_root_under_a_wrong_size() -> None:
    (good,) = anchored(SIZE)
    wrong = Checkpoint(0, SIZE - 1, good.root, good.block, good.time_unix_s)
    assert kinds(Memory(), [wrong]) == [("wrong-size", SIZE - 2)]
    (failure,) = audit_log(Memory().stored(), [wrong])
    assert f"is anchored at size {SIZE - 1}" in failure.text
    assert f"the true root of the first {SIZE} entries" in failure.text
    assert failure.checkpoint == 0


def test_a_true_root_under_a_size_that_the_log_never_had() -> None:
    """It is not a tail that is missing: nothing is."""
    first, good = anchored(SIZE - 7, SIZE)
    wrong = Checkpoint(1, SIZE + 9, good.root, good.block, good.time_unix_s)
    assert kinds(Memory(), [first, wrong]) == [("wrong-size", SIZE + 8)]
    unknown = Checkpoint(2, SIZE + 10, b"\7" * 32, good.block, good.time_unix_s)
    assert kinds(Memory(), [first, wrong, unknown]) == [("tail-missing", SIZE), ("wrong-size", SIZE + 8)]


def test_another_root_at_the_same_size() -> None:
    (good,) = anchored(SIZE)
    other = Checkpoint(0, SIZE, b"\7" * 32, good.block, good.time_unix_s)
    assert kinds(Memory(), [other]) == [("root-mismatch", SIZE - 1)]


def test_an_unreadable_bundle_ends_the_audit_of_that_log() -> None:
    log = Memory()
    good: Callable[[int, int], Iterator[list[bytes]]] = log.bundles

    def broken(start: int, stop: int) -> Iterator[list[bytes]]:
        yield next(good(start, stop))
        raise Corrupt("bundle 1: expected 256 entries")

    stored = StoredLog(SIZE, broken, log.tile)
    found = [(f.kind, f.entry) for f in audit_log(stored, anchored(SIZE))]
    assert found == [("unreadable", 256)]
    verified = audit_signatures(stored, in_turn)  # as far as it can be read
    assert (verified.entries, verified.wrong) == (256, 0)


def test_batches_are_under_way_and_few_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "BATCH", 256)
    monkeypatch.setattr(signatures, "AHEAD", 2)
    under_way: list[int] = []
    most: list[int] = []

    def verify(entries: Sequence[bytes]) -> Callable[[], list[str]]:
        under_way.append(len(entries))
        most.append(len(under_way))

        def result() -> list[str]:
            return [""] * under_way.pop(0)

        return result

    seen: list[tuple[int, int]] = []
    log = Memory()
    log.entries = log.entries * 3
    found = audit_signatures(log.stored(), verify, progress=lambda done, total: seen.append((done, total)))
    assert (found.wrong, max(most), seen[-1]) == (0, 3, (3 * SIZE, 3 * SIZE))


def test_progress_reaches_the_end() -> None:
    seen: list[tuple[int, int]] = []
    audit_log(Memory().stored(), [], progress=lambda done, total: seen.append((done, total)))
    assert seen[-1] == (SIZE, SIZE)


def test_of_many_that_are_wrong_the_first_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "MOST", 5)
    log = Memory()
    log.entries = [b"{}"] * SIZE
    found = audit_signatures(log.stored(), in_turn)
    assert (found.wrong, [each.entry for each in found.failures]) == (SIZE, [0, 1, 2, 3, 4])


def test_large_entries_make_small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signatures, "BATCH_BYTES", 1000)
    sizes: list[int] = []

    def verify(entries: Sequence[bytes]) -> Callable[[], list[str]]:
        sizes.append(len(entries))
        return lambda: [""] * len(entries)

    assert audit_signatures(Memory().stored(), verify).entries == SIZE
    assert sizes == [256, 256, SIZE - 512]
