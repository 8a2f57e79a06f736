"""Other ledgers, other logs, other processes: joined, followed or waited for, and never believed blindly."""

from __future__ import annotations

import contextlib
import fcntl

import pytest

from ledger.core import signing, tiles
from ledger.service.context import Context
from ledger.store import lock as store_lock


def brief(value: object) -> str:
    """Return a short name for a test, whatever the value."""
    return ascii(value)[:30]


# --- joining and starting


def test_a_second_init(steady):
    done = steady.fails(2, "init", "haina")
    assert "there is a workspace already" in done.err
    steady.fails(2, "init", "other")


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", 1),
        (b"{}", 1),
        (b'{"a":' * 100 + b"1" + b"}" * 100, 1),
        (b'{"format": "dataledger/ledger/v1", "format": 1}', 1),
        (b"\xff", 1),
    ],
    ids=brief,
)
def test_ledgers_that_cannot_be_joined(empty, data, code):
    (empty.folder / "ledger.json").write_bytes(data)
    empty.fails(code, "init", "haina", "--join", "ledger.json", "--chain", "chain.db")
    assert not empty.home.exists()


def test_joining_what_is_not_there(empty):
    assert "no ledger description" in empty.fails(2, "init", "haina", "--join", "none.json").err
    assert not empty.home.exists()


def test_joining_under_a_name_that_is_taken(story):
    other = story.at("other")
    other.folder.mkdir()
    done = other.fails(2, "init", "haina", "--join", "../haina/.dataledger/ledger.json")
    assert "the namespace haina belongs to" in done.err
    other("init", "other", "--join", "../haina/.dataledger/ledger.json")  # goes on with another name
    other("register", "other/x", "../haina/orders.csv")


@pytest.mark.parametrize(
    "chain", ["ftp://example.org", "http://", "https://127.0.0.1:1", "http://[::1"], ids=str
)
def test_chains_that_cannot_be_had(empty, chain):
    done = empty.run("init", "haina", "--chain", chain)
    assert done.code in (2, 3)
    assert done.err.startswith("error: ") or "error: " in done.err
    assert "Traceback" not in done.err


def test_a_chain_file_that_is_none(empty):
    (empty.folder / "chain.db").write_text("not a database, but long enough to be looked at " * 100)
    done = empty.run("init", "haina", "--chain", "chain.db")
    assert done.code in (1, 3)
    assert "Traceback" not in done.err


# --- other ledgers, other logs, other places


def replay(dl, entry: bytes) -> None:
    """Put an entry of somebody else's into a workspace's own log, as a forger with its keys would."""
    context = Context.find(dl.folder, env={})
    try:
        context.log.append([entry], signing.signer(context.record_seed))
    finally:
        context.close()


def first_entry(dl) -> bytes:
    """Return the first entry of a workspace's own log."""
    (bundle, *_) = sorted(
        (dl.home / "public" / "tile" / "entries" / "000.p").iterdir(), key=lambda p: int(p.name)
    )
    return tiles.decode_bundle(bundle.read_bytes(), int(bundle.name))[0]


def test_a_record_replayed_from_another_log(parties):
    replay(parties, first_entry(parties.at("jinlong")))
    parties("anchor")
    (rejected,) = parties("log", "--state", "rejected", "--json").json["records"]
    assert rejected["verdict"] == "rejected"
    assert "log" in rejected["reason"]
    parties.fails(2, "show", "jinlong/parts")
    assert parties("audit", "--json").json["good"]  # kept as rejected, with its reason: nothing is wrong


def test_a_record_replayed_from_another_ledger(story, elsewhere):
    elsewhere("init", "haina")
    elsewhere("register", "haina/theirs", "orders.csv")
    replay(story, first_entry(elsewhere))
    story("anchor")
    (rejected,) = story("log", "--state", "rejected", "--json").json["records"]
    assert "ledger" in rejected["reason"]
    story.fails(2, "show", "haina/theirs")


def test_a_record_twice_in_one_log_counts_once(story):
    replay(story, first_entry(story))
    story("anchor")
    (again,) = story("log", "--limit", "1", "--json").json["records"]
    assert (again["verdict"], again["reason"]) == ("duplicate", "duplicate-record")
    assert dict(story("show", "haina/orders", "--json").json["facts"])["proven"]
    assert story("audit", "--json").json["good"]


def test_what_is_no_record_is_kept_as_rejected(story):
    replay(story, b"not an envelope")
    story("anchor")
    (rejected,) = story("log", "--state", "rejected", "--json").json["records"]
    assert (rejected["record"], rejected["type"]) == ("", "unknown")
    assert "JSON" in rejected["reason"]
    story("trace", "haina/demand")


INSIDE = [
    "https://127.0.0.1/log",
    "https://localhost/log",
    "https://[::1]/",
    "https://169.254.169.254/",
    "https://10.0.0.1/",
]


@pytest.mark.parametrize("url", INSIDE)
def test_a_log_whose_address_points_inside_the_network(parties, url):
    parties.at("jinlong")("serve-at", url)
    done = parties.fails(3, "follow", "jinlong")
    assert "is not a public address" in done.err
    assert "log-unavailable" in done.out
    parties("trace", "haina/demand")


def test_following_what_is_no_log(steady):
    for place in ("sensors", "orders.csv", "none", "http://127.0.0.1:1/"):
        done = steady.run("follow", "0x" + "12" * 20, "--from", place)
        assert done.code in (1, 2, 3)
        assert "Traceback" not in done.err


def test_following_a_log_of_somebody_else(parties):
    before = parties("follow", "--json").json
    done = parties.run("follow", "jinlong", "--from", ".dataledger/public")
    assert done.code in (1, 2)
    assert "serves the log" in done.err
    assert parties("follow", "--json").json == before


# --- locks


class FastClock:
    """Time that flies: waiting for a lock ends at once."""

    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        self.now += 20
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def holding(steady, monkeypatch):
    """Hold a lock of the workspace as another process would; whoever waits for it gives up at once."""
    from ledger.chain.embedded import lock as chain_lock

    with contextlib.ExitStack() as stack:

        def hold(name: str) -> None:
            file = stack.enter_context((steady.home / name).open("a"))
            fcntl.flock(file, fcntl.LOCK_EX)
            for module in (store_lock, chain_lock):
                monkeypatch.setattr(module, "time", FastClock())

        yield hold
    monkeypatch.undo()


@pytest.mark.parametrize("held", ["workspace.lock", "public.lock"])
def test_a_workspace_that_another_process_holds(steady, holding, held):
    holding(held)
    done = steady.fails(3, "register", "haina/more", "orders.csv")
    assert "in use" in done.err
    assert "hint: Wait" in done.err
    steady("trace", "haina/demand")  # reading waits for nobody
    steady("verify", "demand.csv")


def test_a_chain_that_another_process_holds(steady, holding):
    holding("chain.db.lock")
    done = steady.fails(3, "namespace", "claim", "haina.more")
    assert "another process has been writing to the chain" in done.err
    steady("trace", "haina/demand")
    steady("verify", "demand.csv")


def test_a_locked_chain_leaves_records_pending(story, monkeypatch):
    from ledger.chain.embedded import lock as chain_lock

    with (story.home / "chain.db.lock").open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        monkeypatch.setattr(chain_lock, "time", FastClock())
        done = story.fails(3, "register", "haina/more", "orders.csv")
    assert "problem: recorded, but not anchored" in done.out
    assert "dataledger anchor does it later" in done.out
    story("anchor")
    story("verify", "orders.csv")
