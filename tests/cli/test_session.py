"""The first session of the README, and what comes after it, played through with two parties."""

from __future__ import annotations

import json
import shutil
import sys

import pytest

from ledger.service import Ledger

PYTHON = sys.executable


def records(dl, *options):
    return dl("log", "--json", *options).json["records"]


def demand(dl, *options):
    """Make the demand product as the story does."""
    inputs = ("-i", "haina/orders", "-i", "haina/sensors")
    return dl("run", *inputs, "-o", "haina/demand", *options, "--", PYTHON, "forecast.py")


# --- the first session


def test_init_makes_a_workspace(fresh):
    status = fresh("status", "--json").json
    assert status["namespaces"] == ["haina"]
    assert (status["entries"], status["pending"], status["name"]) == (0, 0, "Haina Appliances")
    assert {each.name for each in fresh.home.iterdir()} >= {
        "config.toml",
        "ledger.json",
        "keys",
        "public",
        "chain.db",
    }
    for key in (fresh.home / "keys").iterdir():
        assert key.stat().st_mode & 0o777 == 0o600


def test_register_anchors_by_itself(fresh):
    receipt = fresh("register", "haina/orders", "orders.csv", "--title", "Orders", "--json").json
    assert [each["type"] for each in receipt["records"]] == ["registration", "version"]
    assert receipt["block"] is not None
    assert {each["state"] for each in records(fresh)} <= {"anchored", "final"}


def test_trace_says_what_it_is_made_from(story):
    lineage = story("trace", "haina/demand", "--json").json
    assert lineage["roots"] == ["haina/demand@1"]
    assert {node["id"] for node in lineage["nodes"]} == {
        "haina/demand@1",
        "haina/orders@1",
        "haina/sensors@1",
    }
    assert {(edge["output"], edge["input"]) for edge in lineage["edges"]} == {
        ("haina/demand@1", "haina/orders@1"),
        ("haina/demand@1", "haina/sensors@1"),
    }
    tree = story("trace", "haina/demand").out
    assert "Washing-machine orders" in tree
    assert "传感器 counters" in tree


def test_impact_says_what_is_affected(story):
    lineage = story("impact", "haina/sensors", "--json").json
    assert {node["id"] for node in lineage["nodes"]} == {"haina/sensors@1", "haina/demand@1"}


def test_verify_the_file_in_my_hand(story):
    done = story("verify", "demand.csv")
    assert done.out.startswith("GOOD: demand.csv")
    assert "is haina/demand@1, claimed by Haina Appliances (did:ethr:" in done.out
    assert story("verify", "sensors", "--json").json["claims"][0]["version"] == "haina/sensors@1"


def test_verify_a_file_changed_by_one_byte(story):
    product = story.folder / "demand.csv"
    good = product.read_bytes()
    for position in (0, len(good) // 2, len(good) - 1):
        product.write_bytes(good[:position] + bytes([good[position] ^ 1]) + good[position + 1 :])
        done = story.fails(1, "verify", "demand.csv")
        assert done.out.startswith("UNKNOWN-CONTENT: demand.csv")
        assert "this is not haina/demand@1" in done.out
    product.write_bytes(good)
    story("verify", "demand.csv")


def test_a_file_added_to_a_folder_makes_it_another(story):
    (story.folder / "sensors" / "line-2.csv").write_text("x")
    story.fails(1, "verify", "sensors")


def test_a_new_version(story):
    (story.folder / "orders.csv").write_text("model,units\ndrum-8kg,41\n")
    assert any("haina/orders" in line for line in story("status", "--json").json["changed_files"])
    receipt = story("version", "haina/orders", "--json").json  # its path is known
    assert [each["subject"] for each in receipt["records"]] == ["haina/orders@2"]
    again = story("version", "haina/orders", "orders.csv", "--json").json
    assert again["records"] == []
    assert "nothing to record" in again["notes"][0]
    assert story("trace", "haina/orders@1", "--json").json["roots"] == ["haina/orders@1"]


def test_audit_of_a_good_workspace(story):
    report = story("audit", "--json").json
    assert (report["good"], report["failures"], report["findings"]) == (True, [], [])
    assert story("audit").out.startswith("GOOD: ")


def test_audit_and_sync_agree_on_the_state(story):
    assert (
        story("audit", "--json").json["state_digest"]
        == story("sync", "--digest", "--json").json["state_digest"]
    )


def test_batches_without_anchors(fresh):
    fresh("register", "haina/orders", "orders.csv", "--no-anchor")
    fresh("register", "haina/sensors", "sensors", "--no-anchor")
    assert {each["state"] for each in records(fresh)} == {"pending"}
    assert fresh.fails(3, "verify", "orders.csv").out.startswith("UNCONFIRMED: orders.csv")
    receipt = fresh("anchor", "--json").json
    assert (receipt["size"], receipt["block"] is not None) == (4, True)
    fresh("verify", "orders.csv")
    assert fresh("anchor", "--json").json["block"] is None


def test_rebuilding_the_index_loses_nothing(story):
    before = story("sync", "--digest", "--json").json["state_digest"]
    assert story("sync", "--rebuild", "--digest", "--json").json["state_digest"] == before
    for each in story.home.glob("index.db*"):
        each.unlink()
    assert story("sync", "--digest", "--json").json["state_digest"] == before


def test_show(story):
    asset = story("show", "haina/orders")
    assert "title         Washing-machine orders" in asset.out
    version = story("show", "haina/orders@1", "--json").json
    assert version["kind"] == "version"
    record = dict(version["facts"])["record"]
    for prefix in (record, record[:8]):
        shown = story("show", prefix, "--json").json
        assert (shown["kind"], shown["title"]) == ("record", f"record {record}")
        assert json.loads(shown["statement"])["predicateType"].endswith("/version/v1")
    assert story("show", "haina", "--json").json["kind"] == "party"


def test_search(story):
    assert [hit["asset"] for hit in story("search", "washing", "--json").json["hits"]] == ["haina/orders"]
    assert [hit["asset"] for hit in story("search", "demand", "--json").json["hits"]] == ["haina/demand"]
    assert story("search", "nothing-like-this").out == "nothing found\n"


def test_log_filters(story):
    assert len(records(story)) == 7
    assert [each["type"] for each in records(story, "--type", "activity")] == ["activity"]
    assert {each["subject"].partition("@")[0] for each in records(story, "haina/orders")} >= {"haina/orders"}
    assert records(story, "--state", "pending") == []
    assert records(story, "--party", "haina") == records(story)
    limited = story("log", "--limit", "2", "--json").json
    assert (len(limited["records"]), limited["truncated"]) == (2, True)
    assert "there is more" in story("log", "--limit", "2").out


# --- runs


def test_run_again_records_the_new_product(story):
    (story.folder / "orders.csv").write_text("model,units\ndrum-8kg,100\n")
    done = demand(story)
    assert "completed: haina/orders@2, haina/sensors@1 -> haina/demand@2" in done.err
    assert "haina/orders@2" in story("trace", "haina/demand@2").out


def test_run_that_changes_nothing_makes_no_version(story):
    before = len(records(story))
    demand(story)
    assert [each["type"] for each in records(story)[: -before or None]] == ["activity"]


def test_run_that_fails_is_recorded_as_failed(story):
    done = story.run("run", "-o", "haina/plan=plan.csv", "--", PYTHON, "-c", "raise SystemExit(42)")
    assert done.code == 42
    assert "dataledger: failed" in done.err
    assert records(story, "--type", "activity")[0]["verdict"] == "accepted"
    assert story.fails(2, "verify", "plan.csv").err.startswith("error: no such file")


def test_run_that_does_not_make_its_output_fails(story):
    done = story.run("run", "-o", "haina/plan=plan.csv", "--", "true")
    assert done.code == 1
    assert "plan.csv" in done.err


def test_an_input_that_changes_meanwhile_is_a_finding(story):
    program = "open('orders.csv', 'a').write('more\\n'); open('plan.csv', 'w').write('x')"
    story("run", "-i", "haina/orders", "-o", "haina/plan=plan.csv", "--", PYTHON, "-c", program)
    found = story("findings", "--json").json["findings"]
    assert [each["kind"] for each in found] == ["input-changed"]
    assert "input-changed" in story("trace", "haina/plan").out


def test_a_version_named_as_input_is_honoured(story):
    (story.folder / "old.csv").write_bytes((story.folder / "orders.csv").read_bytes())
    (story.folder / "orders.csv").write_text("model,units\n")
    story("version", "haina/orders")
    named = ("-i", "haina/orders@1=old.csv", "-o", "haina/plan=plan.csv")
    story("run", *named, "--", PYTHON, "-c", "open('plan.csv', 'w').write('x')")
    edges = story("trace", "haina/plan", "--json").json["edges"]
    assert [edge["input"] for edge in edges] == ["haina/orders@1"]
    wrong = story.fails(2, "run", "-i", "haina/orders@1=orders.csv", "--", "true")
    assert "is not haina/orders@1" in wrong.err


def test_the_command_line_of_a_run_stays_private(story):
    story("run", "--", "echo", "s3cret-parameter")
    public = b"".join(each.read_bytes() for each in (story.home / "public").rglob("*") if each.is_file())
    assert b"s3cret" not in public


# --- two parties


@pytest.fixture
def both(parties):
    """Haina, following Jinlong's log."""
    parties("follow", "jinlong", "--from", "../jinlong/.dataledger/public")
    return parties


def test_a_second_party_joins(parties):
    jinlong = parties.at("jinlong")
    ours, theirs = parties("status", "--json").json, jinlong("status", "--json").json
    assert ours["ledger"] == theirs["ledger"]
    assert ours["party"] != theirs["party"]
    assert [each["name"] for each in jinlong("namespace", "list", "--json").json["namespaces"]] == [
        "haina",
        "jinlong",
    ]


def test_what_is_not_followed_is_not_known(parties):
    done = parties.fails(1, "verify", "../jinlong/parts.csv")
    assert done.out.startswith("UNKNOWN-CONTENT")


def test_another_partys_data_is_an_input(both):
    made = ("-i", "haina/orders", "-i", "jinlong/parts=../jinlong/parts.csv", "-o", "haina/plan=plan.csv")
    both("run", *made, "--", PYTHON, "-c", "open('plan.csv', 'w').write('x')")
    lineage = both("trace", "haina/plan", "--json").json
    parties = {node["id"]: node["party_name"] for node in lineage["nodes"]}
    assert parties["jinlong/parts@1"] == "Jinlong Motors"
    assert parties["haina/orders@1"] == "Haina Appliances"
    assert both("findings", "--json").json["findings"] == []
    assert "haina/plan" in both("impact", "jinlong/parts").out
    assert both("audit", "--json").json["good"]


def test_a_claim_counts_only_from_those_who_are_trusted(both):
    done = both.fails(1, "verify", "../jinlong/parts.csv")
    assert done.out.startswith("UNTRUSTED-CLAIMANT")
    assert "not a party you trust" in done.out
    both("verify", "../jinlong/parts.csv", "--as", "jinlong/parts")
    both.fails(1, "verify", "../jinlong/parts.csv", "--as", "haina/orders")
    both("follow", "jinlong", "--trust")
    both("verify", "../jinlong/parts.csv")


def test_an_unknown_digest_is_recorded_as_observed(both):
    (both.folder / "parts.csv").write_text("somebody changed it\n")
    made = ("-i", "jinlong/parts=parts.csv", "-o", "haina/plan=plan.csv")
    both("run", *made, "--", PYTHON, "-c", "open('plan.csv', 'w').write('x')")
    assert both("findings", "--json").json["findings"]
    assert "!" in both("trace", "haina/plan").out


def test_stop_following(both):
    followed = both("follow", "--json").json["followed"]
    assert [(each["name"], each["anchored"], each["problem"]) for each in followed] == [
        ("Jinlong Motors", 2, "")
    ]
    assert both("follow", "jinlong", "--stop", "--json").json["followed"] == []


def test_two_indexes_of_the_same_have_the_same_digest(both):
    jinlong = both.at("jinlong")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    one, other = (dl("sync", "--digest", "--json").json for dl in (both, jinlong))
    assert one["state_digest"] == other["state_digest"]
    assert one["to_block"] == other["to_block"]


def test_transfer_of_an_asset(both):
    jinlong = both.at("jinlong")
    jinlong("follow", "haina", "--from", "../haina/.dataledger/public")
    both("transfer", "haina/orders", "jinlong")
    assert "held by" in both("show", "haina/orders").out
    assert "Jinlong" in dict(both("show", "haina/orders", "--json").json["facts"])["held by"]
    (both.folder / "orders.csv").write_text("x")
    assert "is held by Jinlong Motors" in both.fails(2, "version", "haina/orders").err
    shutil.copy(both.folder / "orders.csv", jinlong.folder / "orders.csv")
    receipt = jinlong("version", "haina/orders", "orders.csv", "--json").json
    assert receipt["records"][0]["subject"] == "haina/orders@2"
    both("sync")
    assert both("show", "haina/orders@2", "--json").json["kind"] == "version"


def test_a_namespace_somebody_else_owns(both):
    done = both.fails(2, "register", "jinlong/mine", "orders.csv")
    assert "the namespace jinlong belongs to Jinlong Motors" in done.err
    assert "belongs to" in both.fails(2, "namespace", "claim", "jinlong").err


def test_a_namespace_is_assigned_and_handed_over(both):
    jinlong = both.at("jinlong")
    both("namespace", "assign", "haina.parts", "jinlong")
    jinlong("register", "haina.parts/motors", "parts.csv")
    jinlong("namespace", "transfer", "haina.parts", "haina")
    jinlong.fails(2, "register", "haina.parts/more", "parts.csv")
    both("register", "haina.parts/more", "orders.csv")
    owners = {each["name"]: each["ours"] for each in both("namespace", "list", "--json").json["namespaces"]}
    assert owners == {"haina": True, "haina.parts": True, "jinlong": False}


def test_taking_a_record_back(story):
    record = dict(story("show", "haina/orders@1", "--json").json["facts"])["record"]
    story("revoke", record[:10], "--reason", "wrong file")
    assert dict(story("show", record, "--json").json["facts"])["verdict"] == "revoked"
    done = story.run("verify", "orders.csv")
    assert done.code == 1
    assert "taken back" in story.fails(2, "revoke", record).err
    story.fails(2, "revoke", "00000000")
    assert story("audit", "--json").json["good"]


# --- keys and delegates


def test_rotate_and_revoke_a_key(story):
    story("register", "haina/one", "orders.csv")
    old = story("key", "list", "--json").json["keys"][0]["key"]
    story("key", "rotate")
    story("register", "haina/two", "orders.csv")
    story("key", "revoke", old[:8])
    story("register", "haina/three", "orders.csv")
    keys = {each["key"]: each for each in story("key", "list", "--json").json["keys"]}
    assert keys[old]["revoked_block"] is not None
    assert sum(each["current"] for each in keys.values()) == 1
    assert {each["verdict"] for each in records(story)} == {
        "accepted"
    }  # anchored before the revocation: stays
    assert story("audit", "--json").json["good"]
    assert "keys begin with" in story.fails(2, "key", "revoke", "00" * 32).err


def test_delegates_come_and_go(both):
    both("delegate", "add", "record", "jinlong", "--days", "30")
    (one,) = both("delegate", "list", "--json").json["delegates"]
    assert (one["type"], one["revoked_block"]) == ("record", None)
    both("delegate", "revoke", "record", "jinlong")
    (one,) = both("delegate", "list", "--json").json["delegates"]
    assert one["revoked_block"] is not None
    both.fails(2, "delegate", "add", "owner", "jinlong")


@pytest.mark.slow
def test_encrypted_keys(empty, monkeypatch):
    monkeypatch.setenv("DATALEDGER_PASSPHRASE", "correct horse")
    empty("init", "haina", "--encrypt")
    assert not any(b"seed" in each.read_bytes() for each in (empty.home / "keys").iterdir())
    empty("register", "haina/orders", "orders.csv")
    monkeypatch.setenv("DATALEDGER_PASSPHRASE", "wrong")
    assert "passphrase" in empty.run("register", "haina/more", "orders.csv").err
    monkeypatch.delenv("DATALEDGER_PASSPHRASE")
    done = empty.fails(3, "register", "haina/more", "orders.csv")
    assert "no passphrase" in done.err
    assert "DATALEDGER_PASSPHRASE" in done.err
    empty("trace", "haina/orders")  # reading needs no key


# --- as a library


def test_the_python_example_of_the_readme(story):
    with Ledger.open(story.folder) as ledger:
        graph = ledger.lineage("haina/demand")
    assert [node.label for node in graph.nodes]
