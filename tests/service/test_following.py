"""Others' logs: read from where the user says, not where a stranger leads; believed as far as anchored."""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from ledger.chain import contracts
from ledger.core.errors import Corrupt, NotFound, Unavailable, Usage
from ledger.service import publishing
from ledger.service.batch import Batch
from ledger.service.identity import LOCATION_ATTRIBUTE
from tests.service.conftest import Party, Stage


def verdicts(party: Party) -> list[tuple[str, str, str]]:
    return [(line.party_name, line.subject, line.verdict) for line in party.ledger.log().records]


def test_following_a_folder(stage: Stage) -> None:
    haina, jinlong = stage.haina, stage.jinlong
    jinlong.ledger.register("jinlong/parts", jinlong.folder / "parts.csv", title="Motor parts")
    done = haina.ledger.follow("jinlong", source=str(jinlong.folder))
    (followed,) = done.followed
    assert (followed.party, followed.name, followed.entries, followed.anchored) == (
        jinlong.party,
        "Jinlong",
        2,
        2,
    )
    assert (followed.trusted, followed.problem) == (False, "")
    assert followed.source.startswith("/")
    assert followed.source.endswith("/jinlong")
    assert haina.ledger.search("motor").hits[0].asset == "jinlong/parts"
    # what comes later is read by itself
    jinlong.put("parts.csv", "new\n")
    jinlong.ledger.version("jinlong/parts")
    assert haina.ledger.show("jinlong/parts@2").kind == "version"
    assert haina.ledger.followed().followed[0].entries == 3
    assert haina.ledger.audit().good
    assert [log.entries for log in haina.ledger.audit().logs] == [0, 3]


def test_before_anything_is_followed_a_log_is_unknown(stage: Stage) -> None:
    stage.jinlong.ledger.register("jinlong/parts", stage.jinlong.folder / "parts.csv")
    with pytest.raises(NotFound):
        stage.haina.ledger.show("jinlong/parts")
    found = stage.haina.ledger.verify(stage.jinlong.folder / "parts.csv")
    assert found.verdict == "unknown-content"
    assert stage.haina.finding_kinds() == ["log-unavailable"]


def test_trusting_and_stopping(story: Stage) -> None:
    haina = story.haina
    assert haina.ledger.follow("jinlong", trust=True).followed[0].trusted
    assert haina.ledger.follow("jinlong").followed[0].trusted  # following again takes no trust away
    assert haina.ledger.unfollow("jinlong").followed == []
    assert haina.context.config.trusted == []
    with pytest.raises(NotFound, match="is not followed"):
        haina.ledger.unfollow("jinlong")
    # what was read stays known; what comes later is not
    assert haina.ledger.show("jinlong/parts@1").kind == "version"
    story.jinlong.put("parts.csv", "new\n")
    story.jinlong.ledger.version("jinlong/parts")
    with pytest.raises(NotFound):
        haina.ledger.show("jinlong/parts@2")


def test_what_cannot_be_followed(stage: Stage, tmp_path: Path) -> None:
    haina, jinlong = stage.haina, stage.jinlong
    haina.ledger.register("haina/a")
    with pytest.raises(Usage, match="read anyway"):
        haina.ledger.follow("haina")
    with pytest.raises(Unavailable, match="announces nowhere") as caught:
        haina.ledger.follow("jinlong")
    assert "--from" in caught.value.hint
    with pytest.raises(NotFound, match="no such folder"):
        haina.ledger.follow("jinlong", source=str(tmp_path / "nothing"))
    with pytest.raises(NotFound, match="has no checkpoint"):
        haina.ledger.follow("jinlong", source=str(tmp_path))
    with pytest.raises(Usage, match="which is not one of Jinlong"):
        haina.ledger.follow("jinlong", source=str(haina.public))
    assert haina.context.config.follow == []
    assert jinlong.ledger.status().missing_logs == []


def test_a_log_that_was_forged_is_not_believed(story: Stage) -> None:
    """Somebody serves other entries under Jinlong's checkpoint, which Jinlong signed."""
    haina, jinlong = story.haina, story.jinlong
    forged = story.path / "forged"
    shutil.copytree(jinlong.public, forged)
    haina.ledger.follow("jinlong", source=str(forged))
    jinlong.put("parts.csv", "new\n")
    jinlong.ledger.version("jinlong/parts")
    shutil.copytree(jinlong.public, forged, dirs_exist_ok=True)
    bundle = forged / "tile" / "entries" / "000.p" / "3"
    data = bundle.read_bytes()
    bundle.write_bytes(data[:-5] + bytes([data[-5] ^ 1]) + data[-4:])
    (followed,) = haina.ledger.followed().followed
    assert (followed.entries, followed.anchored, followed.problem) == (2, 3, "log-unavailable")
    assert any("Jinlong" in each and "anchored is root" in each for each in haina.said)
    with pytest.raises(NotFound):
        haina.ledger.show("jinlong/parts@2")
    # the true one is read as soon as it can be had, though the chain did not move
    haina.ledger.follow("jinlong", source=str(jinlong.public))
    assert haina.ledger.show("jinlong/parts@2").kind == "version"
    assert haina.finding_kinds() == []


# --- what is announced on chain


def announce(party: Party, url: str) -> None:
    """Announce any address at all, as a stranger could."""
    context = party.context
    call = contracts.set_attribute(
        context.descriptor, context.address, LOCATION_ATTRIBUTE, url.encode(), 10**6
    )
    with context.client() as client:
        client.send(call, context.account_key)


class Watched(http.server.SimpleHTTPRequestHandler):
    """Serves a folder and notes who asked."""

    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def served(story: Stage) -> Iterator[tuple[str, list[str]]]:
    """Jinlong's log behind http on the loopback."""
    Watched.asked.clear()
    handler = partial(Watched, directory=str(story.jinlong.public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", Watched.asked
        server.shutdown()
        thread.join()


def needs_jinlongs_log(stage: Stage) -> None:
    """Make Jinlong's log one that the lineage of Haina's assets needs."""
    haina, jinlong = stage.haina, stage.jinlong
    haina.ledger.unfollow("jinlong")
    shutil.rmtree(haina.home / "mirrors")
    out = haina.folder / "out"
    haina.ledger.run(
        ["touch", str(out)],
        inputs=[f"jinlong/parts={jinlong.put('parts.csv', 'new')}"],
        outputs=[f"haina/out={out}"],
    )
    jinlong.ledger.version("jinlong/parts")


@pytest.mark.parametrize(
    "url",
    ["{served}", "https://127.0.0.1:{port}", "https://localhost:{port}", "https://10.0.0.1", "{folder}"],
)
def test_an_address_inside_the_network_is_not_fetched(
    story: Stage, served: tuple[str, list[str]], url: str
) -> None:
    base, asked = served
    needs_jinlongs_log(story)
    port = base.rpartition(":")[2]
    announce(story.jinlong, url.format(served=base, port=port, folder=story.jinlong.public))
    story.haina.reopen().sync()
    assert asked == []
    assert story.haina.ledger.status().missing_logs == [story.jinlong.context.log_id.hex()]
    assert any("Jinlong" in each for each in story.haina.said)
    with pytest.raises(NotFound):
        story.haina.ledger.show("jinlong/parts@2")


def test_an_address_that_the_user_names_is_fetched(story: Stage, served: tuple[str, list[str]]) -> None:
    base, asked = served
    shutil.rmtree(story.haina.home / "mirrors")
    followed = story.haina.ledger.follow("jinlong", source=base).followed[0]
    assert (followed.entries, followed.source) == (2, base)
    assert asked


def test_a_successor_is_fetched_from_below_the_same_address(
    story: Stage, served: tuple[str, list[str]]
) -> None:
    """Whoever serves the folder of the first log serves the later ones with it."""
    base, asked = served
    haina, jinlong = story.haina, story.jinlong
    shutil.rmtree(haina.home / "mirrors")
    haina.ledger.follow("jinlong", source=base)
    jinlong.ledger.close_log(1, "new", confirm=lambda _: True)
    jinlong.ledger.register("jinlong/more")
    asked.clear()
    assert haina.ledger.show("jinlong/more").kind == "asset"
    assert "/logs/1/checkpoint" in asked
    assert haina.ledger.audit().good
    jinlong.ledger.register("jinlong/again")
    assert haina.reopen().show("jinlong/again").kind == "asset"
    # from the folder of the later log alone only that is read: the user said so
    haina.ledger.unfollow("jinlong")
    shutil.rmtree(haina.home / "mirrors")
    (haina.home / "index.db").unlink()
    haina.ledger.follow("jinlong", source=f"{base}/logs/1")
    assert [each.entries for each in haina.ledger.followed().followed] == [2]
    assert haina.finding_kinds() == ["log-unavailable"]


# --- records that do not belong where they stand


def replay(party: Party, entry: bytes) -> None:
    """Put somebody's entry into a party's own log, as a forger with its keys would."""
    with party.context.writing():
        publishing.append(party.context, [entry])
        publishing.publish(party.context, Batch(party.context), anchor=True)


def test_a_record_replayed_from_another_log_is_rejected(stage: Stage) -> None:
    haina, jinlong = stage.haina, stage.jinlong
    jinlong.ledger.register("jinlong/parts", jinlong.folder / "parts.csv")
    replay(haina, jinlong.entries()[0])
    (newest,) = haina.ledger.log().records
    assert newest.verdict == "rejected"
    assert "log" in newest.reason
    with pytest.raises(NotFound):
        haina.ledger.show("jinlong/parts")
    # once the log that it belongs to is read, the record counts there
    haina.ledger.follow("jinlong", source=str(jinlong.public))
    assert haina.ledger.show("jinlong/parts").kind == "asset"
    assert haina.ledger.audit().good


def test_a_record_replayed_from_another_ledger_is_rejected(story: Stage, stage_elsewhere: Stage) -> None:
    haina, other = story.haina, stage_elsewhere.haina
    other.ledger.register("haina/theirs")
    replay(haina, other.entries()[0])
    newest = haina.ledger.log().records[0]
    assert newest.verdict == "rejected"
    assert "ledger" in newest.reason
    with pytest.raises(NotFound):
        haina.ledger.show("haina/theirs")


@pytest.fixture
def stage_elsewhere(tmp_path: Path) -> Iterator[Stage]:
    """A ledger of its own."""
    from ledger.service import InitRequest, Ledger

    stage = Stage(tmp_path / "elsewhere")
    stage.haina.folder.mkdir(parents=True)
    Ledger.init(stage.haina.folder, InitRequest(namespace="haina"), env={})
    yield stage
    stage.close()


def test_a_record_twice_counts_once(story: Stage) -> None:
    haina = story.haina
    replay(haina, haina.entries()[0])
    assert [line.verdict for line in haina.ledger.log(party="haina").records] == ["accepted", "accepted"]
    assert haina.ledger.log().records[0].verdict == "duplicate"
    haina.ledger.version("haina/orders", haina.put("orders.csv", "goes on"))


def test_what_is_no_record_is_rejected_and_nothing_stops(story: Stage) -> None:
    haina = story.haina
    for junk in (b"{}", b"\xff" * 10, b'{"payload":"","payloadType":"","signatures":[]}'):
        replay(haina, junk)
    assert [line.verdict for line in haina.ledger.log(limit=3).records] == ["rejected"] * 3
    haina.ledger.version("haina/orders", haina.put("orders.csv", "goes on"))
    report = haina.ledger.audit()
    assert report.good  # the bytes are those that were anchored; that they are no records is said
    assert any("3 entries" in note and "rejected" in note for note in report.notes)


def test_an_own_log_that_was_damaged_gives_no_answers(story: Stage) -> None:
    haina = story.haina
    bundle = next((haina.public / "tile" / "entries").glob("000.p/*"))
    good = bundle.read_bytes()
    bundle.write_bytes(good[:100] + bytes([good[100] ^ 1]) + good[101:])
    (haina.home / "index.db").unlink()
    for ask in (
        lambda: haina.reopen().lineage("haina/orders"),
        lambda: haina.ledger.show("haina/orders"),
        lambda: haina.ledger.register("haina/more"),
    ):
        with pytest.raises(Corrupt, match="your own log: of 2 anchored entries 0 can be read") as caught:
            ask()
        assert "dataledger audit" in caught.value.hint
    assert any("log-mismatch" in note for note in haina.ledger.status().notes)
    bundle.write_bytes(good)
    haina.ledger.sync()
    haina.ledger.register("haina/more")
