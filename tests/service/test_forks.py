"""Two heads that cannot both be true: met at a sync, kept with both signatures, shown until a person acts."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from ledger.core import signing
from ledger.core.checkpoint import open_checkpoint, sign_checkpoint
from ledger.core.errors import Corrupt
from ledger.service.results import Fork
from tests.cli.conftest import Cli
from tests.service.conftest import Party, Stage, kinds


def keys(party: Party) -> list[bytes]:
    return [party.context.record_key]


def sign(party: Party, size: int, root: bytes) -> bytes:
    return sign_checkpoint(party.context.log_id, size, root, signing.signer(party.context.record_seed))


def serve(story: Stage) -> Path:
    """Haina follows a copy of Jinlong's public folder, which can then say what it likes."""
    copy = story.path / "served"
    shutil.copytree(story.jinlong.public, copy)
    story.haina.ledger.follow("jinlong", source=str(copy))
    return copy


def forks_of(party: Party) -> list[Fork]:
    """The contradictions, which `status`, `findings` and `audit` must all show alike, again and again."""
    found = party.reopen().status().forks
    assert kinds(party.ledger.findings().findings) >= {fork.kind for fork in found}
    report = party.ledger.audit()
    assert report.forks == found
    assert kinds(report.failures) == {fork.kind for fork in found}
    assert report.good == (not found)
    assert report.state_digest  # the index is compared all the same
    return found


def signed_heads(fork: Fork, log_id: bytes, party: Party) -> list[tuple[int, bytes]]:
    """Open the signed notes of a proof as anybody could who has nothing else."""
    return [open_checkpoint(head.note.encode(), log_id, keys(party))[1:] for head in fork.heads if head.note]


def test_an_honest_server_is_no_fork(story: Stage) -> None:
    serve(story)
    story.haina.ledger.sync()
    assert forks_of(story.haina) == []
    assert not (story.haina.home / "forks").exists()


def test_the_same_size_with_another_root(story: Stage) -> None:
    """Both heads are signed by the party, and are kept byte for byte."""
    haina, jinlong = story.haina, story.jinlong
    copy = serve(story)
    honest = (copy / "checkpoint").read_bytes()
    forged = sign(jinlong, 2, b"\x07" * 32)
    (copy / "checkpoint").write_bytes(forged)
    haina.ledger.sync()
    (fork,) = forks_of(haina)
    assert (fork.kind, fork.log, fork.party) == (
        "fork-same-size",
        jinlong.context.log_id.hex(),
        jinlong.party,
    )
    assert [head.note.encode() for head in fork.heads] == [honest, forged]
    assert signed_heads(fork, jinlong.context.log_id, jinlong) == [
        (2, jinlong.context.log.root),
        (2, b"\x07" * 32),
    ]
    assert json.loads(Path(fork.path).read_bytes())["heads"][1]["note"].encode() == forged
    assert any("fork-same-size" in each for each in haina.said)
    # it stays, though the server has thought better of it
    (copy / "checkpoint").write_bytes(honest)
    haina.ledger.sync()
    assert forks_of(haina) == [fork]
    haina.close()
    command = Cli(haina.folder)
    audited = command.fails(1, "audit", "--json").json
    assert audited["forks"][0]["heads"][1]["note"].encode() == forged
    for shown in (command("status").out, command.fails(1, "audit").out):
        assert "fork-same-size" in shown
        assert all(line in shown for line in forged.decode().split("\n"))
    assert "fork-same-size" in command("findings").out
    Path(fork.path).unlink()
    assert forks_of(haina) == []


def branch(story: Stage, copy: Path, entries: int) -> bytes:
    """Let Jinlong, with its own keys, write another log under the same id into the served folder."""
    from ledger.store.log import LogFolder

    jinlong = story.jinlong
    other = story.path / "branch"
    log = LogFolder(other, jinlong.context.log_id)
    log.append([b'{"other":%d}' % n for n in range(entries)], signing.signer(jinlong.context.record_seed))
    shutil.rmtree(copy)
    shutil.copytree(other, copy)
    return log.checkpoint


@pytest.mark.parametrize("entries", [1, pytest.param(2, marks=pytest.mark.slow), 3, 300])
def test_another_log_under_the_same_id(story: Stage, entries: int) -> None:
    """Shorter, as long, longer: wherever the served log contradicts what was anchored, it is a fork."""
    haina, jinlong = story.haina, story.jinlong
    copy = serve(story)
    note = branch(story, copy, entries)
    haina.ledger.sync()
    (fork,) = forks_of(haina)
    assert fork.kind == ("fork-same-size" if entries == 2 else "fork")
    assert fork.heads[1].note.encode() == note
    assert len(signed_heads(fork, jinlong.context.log_id, jinlong)) == 2
    assert [log.entries for log in haina.ledger.audit().logs] == [2, 2]  # the verified copy is as it was


def test_a_fork_met_where_something_is_to_be_fetched(story: Stage) -> None:
    """The entries that were anchored are not there, and the party signed others in their place."""
    haina, jinlong = story.haina, story.jinlong
    copy = serve(story)
    branch(story, copy, 5)
    jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", "new"))
    haina.ledger.followed()  # any command that reads
    (fork,) = forks_of(haina)
    assert fork.kind == "fork"
    assert haina.ledger.followed().followed[0].problem == "log-unavailable"


def test_without_what_was_served_before_the_anchored_head_is_the_other_side(story: Stage) -> None:
    haina = story.haina
    copy = serve(story)
    (haina.home / "mirrors" / story.jinlong.context.log_id.hex() / "seen").unlink()
    branch(story, copy, 3)
    haina.ledger.sync()
    (fork,) = forks_of(haina)
    assert (fork.heads[0].block, fork.heads[0].note) == (
        story.jinlong.context.reader.log_head(story.jinlong.context.log_id).block,
        "",
    )
    assert fork.heads[1].note


def test_what_is_no_fork(story: Stage) -> None:
    """Lagging behind, damaged on the way, signed by somebody else: none of it proves anything of anybody."""
    haina, jinlong = story.haina, story.jinlong
    copy = serve(story)
    old = (copy / "checkpoint").read_bytes()
    jinlong.ledger.version("jinlong/parts", jinlong.put("parts.csv", "new"))
    shutil.copytree(jinlong.public, copy, dirs_exist_ok=True)
    haina.ledger.sync()
    tile = copy / "tile" / "0" / "000.p" / "3"
    jinlong.ledger.register("jinlong/pending", anchor=False)
    longer = (jinlong.public / "checkpoint").read_bytes()
    for served, damage in (
        (old, b""),
        (sign(haina, 3, b"\x07" * 32), b""),
        (b"nonsense", b""),
        (longer, b"\x07" * 96),
        (old[:-10], b""),
    ):
        (copy / "checkpoint").write_bytes(served)
        good = tile.read_bytes()
        tile.write_bytes(damage or good)
        haina.ledger.sync()
        tile.write_bytes(good)
        assert forks_of(haina) == [], served


def test_a_proof_that_was_altered_is_found(story: Stage) -> None:
    copy = serve(story)
    (copy / "checkpoint").write_bytes(sign(story.jinlong, 2, b"\x07" * 32))
    story.haina.ledger.sync()
    (path,) = (story.haina.home / "forks").iterdir()
    path.write_bytes(path.read_bytes().replace(b"fork-same-size", b"fork-no-size"))
    with pytest.raises(Corrupt, match="was altered"):
        story.haina.reopen().findings()


def test_a_stranger_cannot_fill_the_disk_with_forks(story: Stage) -> None:
    copy = serve(story)
    for each in range(12):
        (copy / "checkpoint").write_bytes(sign(story.jinlong, 2, bytes([each]) * 32))
        story.haina.ledger.sync()
    assert len(list((story.haina.home / "forks").iterdir())) == 8


def test_the_own_log_as_it_is_served(story: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An audit looks at what its own server says; here, a server that has another log."""
    from ledger.service import logs
    from ledger.store.source import open_source

    haina = story.haina
    served = story.path / "own"
    shutil.copytree(haina.public, served)
    haina.ledger.serve_at("https://haina.example/log")

    def opened(location: str, *, named: bool, below: str = "", budget: object = None) -> object:
        if location.startswith("https://haina.example"):
            assert (location, named) == ("https://haina.example/log", False)
            return open_source(str(served), named=True, below=below)
        return open_source(location, named=named, below=below)

    monkeypatch.setattr(logs, "open_source", opened)
    assert haina.ledger.audit().verdict == "good"
    (served / "checkpoint").write_bytes(sign(haina, 2, b"\x07" * 32))
    report = haina.ledger.audit()
    (fork,) = report.forks
    assert (fork.kind, fork.party) == ("fork-same-size", haina.party)
    assert fork.heads[0].note.encode() == haina.context.log.checkpoint
    assert fork.heads[1].note.encode() == (served / "checkpoint").read_bytes()
    assert haina.reopen().status().forks == [fork]


# --- the chain


def chain_files(party: Party) -> dict[Path, bytes]:
    party.close()
    return {
        each: each.read_bytes() for each in party.home.glob("chain.db*") if not each.name.endswith("lock")
    }


def put_back(party: Party, files: dict[Path, bytes]) -> None:
    party.close()
    for each in party.home.glob("chain.db*"):
        each.unlink()
    for each, data in files.items():
        each.write_bytes(data)


def test_a_chain_that_was_put_back(story: Stage) -> None:
    haina = story.haina
    old = chain_files(haina)
    before = haina.context.reader.head().number
    haina.ledger.register("haina/more")
    put_back(haina, old)
    (fork,) = forks_of(haina)
    assert fork.kind == "chain-rolled-back"
    assert [head.block for head in fork.heads] == [before + 1, before]
    assert [head.size for head in fork.heads] == [3, 2]  # the anchored heads of the own log, there and here
    assert "put back to an older state" in fork.text
    haina.ledger.anchor()
    assert haina.ledger.audit().forks == [fork]  # what was forgotten is anchored again, and still it is said


def test_a_chain_that_went_on_otherwise(story: Stage) -> None:
    """Two answers for one block: with the hash that was final here, and the one that is there now."""
    haina, jinlong = story.haina, story.jinlong
    old = chain_files(haina)
    haina.ledger.register("haina/more")
    known = haina.context.reader.head()
    put_back(haina, old)
    jinlong.reopen().register("jinlong/other")
    assert jinlong.context.reader.head().number == known.number
    haina.ledger.sync()
    (fork,) = forks_of(haina)
    assert fork.kind == "chain-fork"
    now = haina.context.reader.block(known.number)
    assert [head.block_hash for head in fork.heads] == [f"0x{known.hash.hex()}", f"0x{now.hash.hex()}"]
    assert [head.size for head in fork.heads] == [3, 2]
