"""The embedded chain: one file, several processes, sudden death."""

from __future__ import annotations

import os
import secrets
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from ledger.chain.connect import open_reader, open_sender
from ledger.chain.deploy import deploy
from ledger.chain.embedded.chain import EmbeddedChain, create_embedded
from ledger.chain.embedded.check import verify_chain_db
from ledger.chain.embedded.lock import exclusive
from ledger.chain.embedded.reader import EmbeddedReader
from ledger.chain.interface import Call
from ledger.chain.options import Options
from ledger.chain.transactions import address_of, created_address
from ledger.core.descriptor import format_descriptor
from ledger.core.errors import Corrupt, Locked, Rejected, Unavailable, Usage

ROOT = Path(__file__).parents[2]
SINK = b"\x22" * 20


def pay(amount_wei: int = 1) -> Call:
    return Call(SINK, b"", "paying", amount_wei)


def run(script: str, *arguments: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *map(str, arguments)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_each_chain_is_its_own(new_chain):
    one, two = (EmbeddedReader(new_chain()) for _ in range(2))
    assert one.chain_id != two.chain_id
    assert one.genesis != two.genesis
    assert one.faucet() != two.faucet()
    for reader in (one, two):
        assert 2**32 <= reader.chain_id < 2**53
        assert reader.balance_wei(address_of(reader.faucet())) == 10**27
        reader.close()


def test_creating_never_overwrites(new_chain):
    path = new_chain()
    content = path.read_bytes()
    with pytest.raises(Usage, match="one exists"):
        create_embedded(path)
    assert path.read_bytes() == content
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name]


def test_creating_in_a_missing_folder(tmp_path):
    with pytest.raises(Unavailable):
        create_embedded(tmp_path / "missing" / "chain.db")


def test_time_is_set_before_the_first_transaction(new_chain):
    path, key = new_chain(), secrets.token_bytes(32)
    chain = EmbeddedChain(path)
    chain.fund(address_of(key))
    time.sleep(2.1)
    # init code that stores block.timestamp in slot 0
    block = chain.send_all([Call(b"", bytes.fromhex("42600055"), "a clock")], key)
    stored = chain.storage(created_address(address_of(key), 0), bytes(32))
    assert int.from_bytes(stored, "big") == block.time_unix_s
    assert abs(block.time_unix_s - time.time()) <= 1
    chain.close()


def test_a_block_is_all_or_nothing(new_chain):
    path, key = new_chain(), secrets.token_bytes(32)
    chain = EmbeddedChain(path)
    chain.fund(address_of(key))
    before, size = chain.head(), verify_chain_db(path)
    with pytest.raises(Rejected, match="bad: refused"):
        chain.send_all([pay(), Call(b"", bytes.fromhex("60006000fd"), "bad"), pay()], key)
    assert chain.head() == before
    assert chain.balance_wei(SINK) == 0
    assert verify_chain_db(path) == size
    assert chain.send_all([pay(), pay()], key).number == before.number + 1
    chain.close()


def test_what_the_evm_refuses_is_rejected(new_chain):
    path, key = new_chain(), secrets.token_bytes(32)
    chain = EmbeddedChain(path)
    chain.fund(address_of(key))
    with pytest.raises(Rejected):
        chain.send_all([Call(b"", bytes(60_000), "too much init code")], key)
    with pytest.raises(Rejected):
        chain.send_all([Call(b"", b"\xfe", "an invalid instruction")], key)
    with pytest.raises(Rejected):
        chain.send_all([Call(b"", b"\x60\0\x7f" + b"\xff" * 32 + b"\x52", "out of gas")], key)
    chain.close()


def test_waiting_for_the_lock_says_so_and_ends(new_chain):
    path, told = new_chain(), []
    chain = EmbeddedChain(path, wait_s=0.7, on_wait=told.append)
    with exclusive(path.with_name(path.name + ".lock"), wait_s=0, on_wait=told.append):
        with pytest.raises(Locked, match="another process") as caught:
            chain.fund(SINK)
        assert caught.value.exit_code == 3
        assert chain.head().number == 0  # reading does not wait
    assert len(told) == 1
    chain.fund(SINK)
    chain.close()


def test_the_lock_follows_a_symbolic_link(new_chain, tmp_path):
    path = new_chain()
    link = tmp_path / "elsewhere" / "link.db"
    link.parent.mkdir()
    link.symlink_to(path)
    chain = EmbeddedChain(link, wait_s=0)
    with (
        exclusive(path.with_name(path.name + ".lock"), wait_s=0, on_wait=print),
        pytest.raises(Locked),
    ):
        chain.fund(SINK)
    chain.close()


def test_a_client_that_stays_open_goes_on_after_others(new_chain):
    path = new_chain()
    one, two = EmbeddedChain(path), EmbeddedChain(path)
    for n in range(1, 4):
        assert one.fund(SINK, 1).number == 2 * n - 1
        assert two.fund(SINK, 1).number == 2 * n
    assert one.balance_wei(SINK) == 6
    one.close()
    two.close()


def test_readers_see_whole_blocks_while_somebody_writes(new_chain):
    path = new_chain()
    done = threading.Event()
    problems = []

    def read() -> None:
        reader = EmbeddedReader(path)
        try:
            while not done.is_set():
                head = reader.head()
                assert reader.balance_wei(SINK) % 2 == 0  # each block pays 1 twice
                assert reader.block(head.number) == head
        except (Corrupt, Unavailable, AssertionError) as error:
            problems.append(error)
        finally:
            reader.close()

    def start() -> threading.Thread:
        thread = threading.Thread(target=read)
        thread.start()
        return thread

    writer = EmbeddedChain(path)
    threads = [start() for _ in range(2)]
    for _ in range(30):
        writer.send_all([pay(), pay()], writer.faucet())
    done.set()
    for thread in threads:
        thread.join()
    writer.close()
    assert problems == []
    assert verify_chain_db(path).blocks == 31


WRITER = """
import sys
from pathlib import Path
from ledger.chain.embedded.chain import EmbeddedChain
from ledger.chain.interface import Call
path, account_key, count = Path(sys.argv[1]), bytes.fromhex(sys.argv[2]), int(sys.argv[3])
chain = EmbeddedChain(path)
for n in range(count):
    chain.send_all([Call(bytes([34]) * 20, b"", "paying", 1)], account_key)
    print(n + 1, flush=True)
"""


def test_two_processes_lose_nothing(new_chain):
    path, key = new_chain(), secrets.token_bytes(32)
    chain = EmbeddedChain(path)
    chain.fund(address_of(key))
    # the same account in both: nonces must not collide either
    processes = [run(WRITER, path, key.hex(), 20) for _ in range(2)]
    for process in processes:
        _, errors = process.communicate(timeout=120)
        assert process.returncode == 0, errors
    assert chain.balance_wei(SINK) == 40
    assert chain.transaction_count(address_of(key)) == 40
    assert chain.head().number == 41
    assert verify_chain_db(path).blocks == 42
    chain.close()


@pytest.mark.parametrize("rounds", [2, pytest.param(10, marks=pytest.mark.slow)])
def test_killed_at_any_moment(new_chain, rounds):
    path, key = new_chain(), secrets.token_bytes(32)
    chain = EmbeddedChain(path)
    chain.fund(address_of(key), 10**20)
    reported = 0
    for _ in range(rounds):
        process = run(WRITER, path, key.hex(), 10**6)
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        time.sleep(secrets.randbelow(400) / 1000)
        os.kill(process.pid, signal.SIGKILL)
        output, errors = process.communicate(timeout=30)
        assert process.returncode == -signal.SIGKILL, errors
        reported += 1 + len(output.splitlines())
        # nothing that was reported is lost, and the chain goes on at once
        assert chain.balance_wei(SINK) >= reported
        reported = chain.balance_wei(SINK)
        verify_chain_db(path)
    number = chain.head().number
    assert chain.send_all([pay()], key).number == number + 1
    chain.close()


def test_interrupted_by_a_signal_writes_nothing(new_chain):
    path = new_chain()
    chain = EmbeddedChain(path)
    chain.fund(SINK, 1)

    class Interrupting(Call, frozen=True):
        @property
        def data(self) -> bytes:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        chain.send_all([pay(), Interrupting(SINK, b"", "Ctrl-C", 1)], chain.faucet())
    assert chain.balance_wei(SINK) == 1
    chain.fund(SINK, 1)
    assert chain.head().number == 2
    chain.close()


def test_a_full_disk_is_reported_and_loses_nothing(new_chain):
    path = new_chain()
    chain = EmbeddedChain(path)
    chain.fund(SINK, 1)
    assert chain._writer is not None
    (pages,) = chain._writer.execute("PRAGMA page_count").fetchone()
    chain._writer.execute(f"PRAGMA max_page_count = {pages}")
    with pytest.raises(Unavailable, match="full"):
        chain.send_all([pay()] * 200, chain.faucet())
    head = chain.head()
    chain._writer.execute("PRAGMA max_page_count = 1000000")
    assert chain.fund(SINK, 1).number == head.number + 1
    chain.close()
    verify_chain_db(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_reading_from_a_folder_that_can_not_be_written(new_chain):
    path = new_chain()
    path.parent.chmod(0o555)
    try:
        reader = EmbeddedReader(path)
        assert reader.head().number == 0
        reader.close()
        with pytest.raises(Unavailable):
            EmbeddedChain(path).fund(SINK)
    finally:
        path.parent.chmod(0o755)


def test_what_is_no_chain(tmp_path):
    with pytest.raises(Unavailable, match="there is none"):
        open_sender(tmp_path / "chain.db")
    with pytest.raises(Unavailable, match="there is none"):
        open_sender(tmp_path)


READ_ONLY = """
import sys
import ledger.chain.interface, ledger.chain.connect, ledger.chain.contracts
from pathlib import Path
from ledger.core.descriptor import parse_descriptor
reader = ledger.chain.connect.open_reader(sys.argv[1], parse_descriptor(Path(sys.argv[2]).read_bytes()))
list(reader.events(0, 10**9))
reader.log_head(bytes(32))
reader.proof(bytes(20), [bytes(32)], reader.head().number)
heavy = {"web3", "eth", "eth_tester", "eth_account", "eth_abi", "eth_utils", "requests", "coincurve"}
print(sorted(heavy & set(sys.modules)))
"""


def test_reading_imports_no_evm(new_chain, tmp_path):
    path = new_chain()
    chain = EmbeddedChain(path)
    ledger = deploy(chain, chain.faucet())
    chain.close()
    described = tmp_path / "ledger.json"
    described.write_bytes(format_descriptor(ledger))
    output, errors = run(READ_ONLY, path, described).communicate(timeout=60)
    assert output.strip() == "[]", errors
    reader = open_reader(path, ledger, Options(wait_s=0))
    reader.close()


@pytest.mark.slow
def test_opening_and_sending_stay_fast_with_many_blocks(new_chain):
    path = new_chain()
    chain = EmbeddedChain(path)
    key = chain.faucet()
    chain.send_all([pay()], key)
    for _ in range(1500):
        chain.send_all([pay()], key)
    chain.close()
    started = time.perf_counter()
    chain = EmbeddedChain(path)
    chain.send_all([pay()], key)
    assert time.perf_counter() - started < 0.25  # py-evm is imported already
    chain.close()
    started = time.perf_counter()
    assert verify_chain_db(path).blocks == 1503
    assert time.perf_counter() - started < 30


def test_the_file_is_a_sqlite_database_with_an_application_id(new_chain):
    connection = sqlite3.connect(new_chain())
    assert connection.execute("PRAGMA application_id").fetchone() == (0x444C4348,)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()


DEEP_JSON = """
import sys, secrets
from pathlib import Path
from ledger.chain.embedded.chain import EmbeddedChain, create_embedded
limit = sys.getrecursionlimit()
chain = EmbeddedChain(create_embedded(Path(sys.argv[1])).path)
chain.fund(bytes([1]) * 20)
chain.close()
assert sys.getrecursionlimit() == limit
import json
try:
    json.loads("[" * 200_000)
except RecursionError:
    print("refused")
"""


def test_the_evm_does_not_lift_the_recursion_limit_for_others(tmp_path):
    """py-evm's libraries raise it so far that deep JSON, from anybody, would crash the process."""
    output, errors = run(DEEP_JSON, tmp_path / "chain.db").communicate(timeout=60)
    assert output == "refused\n", errors


def test_contracts_that_call_themselves(new_chain):
    """The EVM's own bound on calls is reached, not the interpreter's."""
    path = new_chain()
    chain = EmbeddedChain(path)
    key = chain.faucet()
    # runtime: CALL(gas, address(), 0, 0, 0, 0, 0), until the gas or the depth ends
    runtime = bytes.fromhex("5f5f5f5f5f305af100")
    creation = bytes([0x60, len(runtime), 0x80, 0x60, 0x0B, 0x5F, 0x39, 0x5F, 0xF3, 0, 0]) + runtime
    address = created_address(address_of(key), 0)
    chain.send_all([Call(b"", creation, "creating")], key)
    assert chain.code(address) == runtime
    chain.send_all([Call(address, b"", "calling")], key)
    chain.close()


def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    """It holds the faucet's key; what SQLite keeps beside it has the same mode, whatever the umask."""
    before = os.umask(0)
    try:
        made = create_embedded(tmp_path / "chain.db")
        chain = EmbeddedChain(made.path)
        chain.fund(b"\x01" * 20)
        modes = {
            each.name: each.stat().st_mode & 0o777 for each in tmp_path.iterdir() if each.suffix != ".lock"
        }
        chain.close()
    finally:
        os.umask(before)
    assert set(modes) >= {"chain.db", "chain.db-wal"}
    assert {mode for name, mode in modes.items() if not name.endswith(".lock")} == {0o600}
