"""Runs: what a program read and made, how it ended, and that nothing of that gets lost or invented."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from ledger.core.errors import Corrupt, NotFound, Unauthorized, Usage
from ledger.service.attached import private_attachments
from ledger.service.child import run_child
from ledger.service.results import RunReceipt
from tests.service.conftest import PYTHON, Party, Stage

COPY = "import shutil, sys; shutil.copy(sys.argv[1], sys.argv[2])"


def python(code: str, *arguments: object) -> list[str]:
    return [PYTHON, "-c", code, *map(str, arguments)]


def copying(party: Party, source: str, target: str) -> list[str]:
    return python(COPY, party.folder / source, party.folder / target)


def activity(party: Party) -> dict:
    """The newest activity, as it was signed."""
    (line,) = party.ledger.log(type="activity", limit=1).records
    return json.loads(party.ledger.show(line.record).statement)


def makes(party: Party, name: str = "demand") -> str:
    return f"haina/{name}={party.folder / name}.csv"


def made(done: RunReceipt) -> list[str]:
    return [f"{each.type} {each.subject}" for each in done.receipt.records]


# --- what is recorded


def test_a_run_records_what_it_read_and_made(story: Stage) -> None:
    haina = story.haina
    done = haina.ledger.run(
        copying(haina, "orders.csv", "demand.csv"),
        inputs=["haina/orders"],
        outputs=[makes(haina)],
        title="Demand",
    )
    assert (done.exit_code, done.outcome) == (0, "completed")
    assert (done.inputs, done.outputs) == (["haina/orders@1"], ["haina/demand@1"])
    assert made(done) == ["registration haina/demand", "version haina/demand@1", "activity haina/demand@1"]
    assert done.receipt.block is not None
    graph = haina.ledger.lineage("haina/demand")
    assert [(edge.output, edge.input, edge.basis) for edge in graph.edges] == [
        ("haina/demand@1", "haina/orders@1", 2)
    ]
    assert graph.as_of_block == done.receipt.block
    said = activity(haina)
    assert said["predicate"]["component"]["name"] == Path(PYTHON).name
    assert said["predicate"]["started"] <= said["predicate"]["ended"]
    assert haina.finding_kinds() == []
    assert haina.ledger.verify(haina.folder / "demand.csv").verdict == "good"


def test_the_command_line_is_sealed(story: Stage) -> None:
    haina = story.haina
    haina.ledger.run(python("pass", "--password", "hunter2", os.fsdecode(b"\xff")))
    said = activity(haina)
    assert "hunter2" not in json.dumps(said)
    (attachment,) = said["predicate"]["attachments"]
    assert attachment["role"] == "command"
    sealed = private_attachments(haina.context).get(attachment["digest"]["dataledger-sealed-v1"])
    assert json.loads(sealed)["command"][-2:] == ["hunter2", "\\xff"]
    assert json.loads(sealed)["folder"] == str(Path.cwd())


def test_a_run_without_inputs_or_outputs_is_about_itself(story: Stage) -> None:
    done = story.haina.ledger.run(["true"], component="nightly check")
    assert made(done)[0].startswith("activity run:")
    said = activity(story.haina)
    assert said["predicate"]["component"]["name"] == "nightly check"
    assert list(said["subject"][0]["digest"]) == ["dataledger-run-v1"]


def test_an_own_input_that_changed_before_becomes_a_version_in_the_same_batch(story: Stage) -> None:
    haina = story.haina
    haina.put("orders.csv", "machine,count\nB,9\n")
    before = haina.ledger.status().entries
    done = haina.ledger.run(
        copying(haina, "orders.csv", "demand.csv"), inputs=["haina/orders"], outputs=[makes(haina)]
    )
    assert done.inputs == ["haina/orders@2"]
    assert made(done)[0] == "version haina/orders@2"
    assert [each.entry for each in done.receipt.records] == list(range(before, before + 4))
    assert haina.finding_kinds() == []


def test_an_own_input_with_the_content_of_an_older_version_is_that_version(story: Stage) -> None:
    haina = story.haina
    old = (haina.folder / "orders.csv").read_text()
    haina.put("orders.csv", "newer\n")
    haina.ledger.version("haina/orders")
    haina.put("orders.csv", old)
    assert haina.ledger.run(["true"], inputs=["haina/orders"]).inputs == ["haina/orders@1"]


def test_an_output_that_did_not_change_is_the_version_it_was(story: Stage) -> None:
    haina = story.haina
    command = copying(haina, "orders.csv", "demand.csv")
    haina.ledger.run(command, inputs=["haina/orders"], outputs=[makes(haina)])
    again = haina.ledger.run(command, inputs=["haina/orders"], outputs=["haina/demand"])
    assert made(again) == ["activity haina/demand@1"]
    assert len(haina.ledger.lineage("haina/demand").nodes) == 2


def test_anothers_input_with_known_and_with_unknown_content(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    known = haina.ledger.run(["true"], inputs=[f"jinlong/parts={jinlong.folder / 'parts.csv'}"])
    assert known.inputs == ["jinlong/parts@1"]
    assert haina.finding_kinds() == []
    observed = haina.ledger.run(["true"], inputs=[f"jinlong/parts={haina.put('parts.csv', 'other')}"])
    assert observed.inputs == ["jinlong/parts"]
    assert list(activity(haina)["predicate"]["inputs"][0]["digest"]) == ["sha256"]
    assert haina.finding_kinds() == ["input-unregistered"]
    # of an asset that nobody registered too, as long as it is not one's own to register
    unknown = haina.ledger.run(["true"], inputs=[f"jinlong/prices={haina.put('prices.csv', '1')}"])
    assert unknown.inputs == ["jinlong/prices"]
    assert haina.finding_kinds() == ["input-unregistered", "input-unregistered"]


def test_content_that_was_observed_is_the_version_that_is_registered_later(story: Stage) -> None:
    haina, jinlong = story.haina, story.jinlong
    path = jinlong.put("parts.csv", "early access\n")
    haina.ledger.run(
        copying(haina, "orders.csv", "demand.csv"),
        inputs=[f"jinlong/parts={path}"],
        outputs=[makes(haina)],
    )
    jinlong.ledger.version("jinlong/parts", path)
    nodes = {node.id for node in haina.reopen().lineage("haina/demand").nodes}
    assert "jinlong/parts@2" in nodes


def test_an_input_that_changes_while_it_is_used_is_a_finding(story: Stage) -> None:
    haina = story.haina
    path = haina.folder / "orders.csv"
    grow = python("import sys; open(sys.argv[1], 'a').write('more\\n')", path)
    done = haina.ledger.run(grow, inputs=["haina/orders"])
    assert done.outcome == "completed"
    assert activity(haina)["predicate"]["changed"] == [0]
    assert haina.finding_kinds() == ["input-changed"]
    gone = haina.ledger.run(["rm", str(path)], inputs=["haina/orders"])
    assert (gone.exit_code, gone.outcome) == (0, "completed")
    assert "haina/orders" in gone.receipt.notes[0]
    assert haina.finding_kinds() == ["input-changed", "input-changed"]


def test_one_path_read_and_written(story: Stage) -> None:
    haina = story.haina
    path = haina.folder / "orders.csv"
    sort = python("import sys; open(sys.argv[1], 'a').write('more\\n')", path)
    done = haina.ledger.run(sort, inputs=["haina/orders"], outputs=[f"haina/orders={path}"])
    assert (done.inputs, done.outputs) == (["haina/orders@1"], ["haina/orders@2"])
    assert haina.finding_kinds() == []  # it is an output: that it changed is no surprise
    same = haina.ledger.run(["true"], inputs=["haina/orders"], outputs=["haina/orders"])
    assert (same.inputs, same.outputs) == (["haina/orders@2"], ["haina/orders@2"])
    edges = haina.ledger.lineage("haina/orders@2").edges
    assert [(edge.output, edge.input) for edge in edges] == [("haina/orders@2", "haina/orders@1")]


def test_a_folder_made_and_read(story: Stage) -> None:
    haina = story.haina
    folder = haina.folder / "out"
    write = python("import sys, pathlib; p = pathlib.Path(sys.argv[1]); p.mkdir(); (p / 'a').touch()", folder)
    assert haina.ledger.run(write, outputs=[f"haina/out={folder}"]).outputs == ["haina/out@1"]
    assert haina.ledger.run(["true"], inputs=["haina/out"]).inputs == ["haina/out@1"]


# --- versions that are named


def test_a_version_that_is_named_is_that_version(story: Stage) -> None:
    haina = story.haina
    old = haina.put("old.csv", (haina.folder / "orders.csv").read_text())
    haina.put("orders.csv", "newer\n")
    haina.ledger.version("haina/orders")
    with pytest.raises(Usage, match="is not haina/orders@1: expected digest") as caught:
        haina.ledger.run(["true"], inputs=["haina/orders@1"])
    assert "haina/orders@1=PATH" in caught.value.hint
    assert haina.ledger.run(["true"], inputs=[f"haina/orders@1={old}"]).inputs == ["haina/orders@1"]
    assert haina.ledger.run(["true"], inputs=["haina/orders@latest"]).inputs == ["haina/orders@2"]
    both = haina.ledger.run(["true"], inputs=[f"haina/orders@1={old}", "haina/orders@2"])
    assert both.inputs == ["haina/orders@1", "haina/orders@2"]
    # where the asset was last is still where its newest version is
    assert haina.ledger.run(["true"], inputs=["haina/orders"]).inputs == ["haina/orders@2"]


def test_a_version_that_is_nowhere_here_is_taken_at_its_word(story: Stage) -> None:
    assert story.haina.ledger.run(["true"], inputs=["jinlong/parts@1"]).inputs == ["jinlong/parts@1"]
    with pytest.raises(NotFound, match="where jinlong/parts is on this machine is not known"):
        story.haina.ledger.run(["true"], inputs=["jinlong/parts"])
    with pytest.raises(NotFound, match="no version jinlong/parts@7"):
        story.haina.ledger.run(["true"], inputs=["jinlong/parts@7"])


# --- refused before the program starts


@pytest.mark.parametrize(
    ("inputs", "outputs", "says"),
    [
        (["haina/unknown"], [], "haina/unknown is not registered"),
        (["haina/unknown={x}"], [], "haina/unknown is not registered"),
        (["haina/orders={folder}/none.csv"], [], r"none\.csv"),
        (["haina/orders="], [], "expected a path behind"),
        (["haina/orders", "haina/orders"], [], "named twice"),
        ([], ["haina/a={x}", "haina/a={x}"], "named twice"),
        ([], ["haina/new"], "where haina/new is on this machine is not known"),
        ([], ["haina/orders@2={x}"], "name the asset alone"),
        ([], ["jinlong/parts={x}"], "is held by Jinlong"),
        ([], ["jinlong/new={x}"], "belongs to Jinlong"),
        ([], ["No Name={x}"], "expected NAMESPACE/PATH"),
    ],
)
def test_what_cannot_be_recorded_is_not_run(
    story: Stage, inputs: list[str], outputs: list[str], says: str
) -> None:
    haina = story.haina
    mark = haina.folder / "started"
    places = {"x": haina.put("x.csv"), "folder": haina.folder}
    with pytest.raises(Usage, match=says):
        haina.ledger.run(
            ["touch", str(mark)],
            inputs=[text.format(**places) for text in inputs],
            outputs=[text.format(**places) for text in outputs],
        )
    assert not mark.exists()
    assert haina.context.log.size == 2


def test_texts_that_no_record_holds_are_refused_before(story: Stage) -> None:
    haina = story.haina
    mark = haina.folder / "started"
    with pytest.raises(Usage, match="control characters"):
        haina.ledger.run(["touch", str(mark)], component="a\nb")
    with pytest.raises(Usage, match="control characters"):
        haina.ledger.run(["touch", str(mark)], outputs=[makes(haina)], title="a\x07")
    too_many = [f"jinlong/x{i}={haina.folder / 'orders.csv'}" for i in range(600)]
    with pytest.raises(Usage, match="expected at most"):
        haina.ledger.run(["touch", str(mark)], inputs=too_many)
    assert not mark.exists()


def test_a_key_that_is_revoked_is_told_before(story: Stage) -> None:
    haina = story.haina
    haina.ledger.revoke_key(haina.ledger.status().key)
    mark = haina.folder / "started"
    with pytest.raises(Unauthorized, match="was revoked"):
        haina.ledger.run(["touch", str(mark)])
    assert not mark.exists()


def test_programs_that_cannot_be_run(story: Stage) -> None:
    haina = story.haina
    with pytest.raises(NotFound, match="no program 'no-such-program'"):
        haina.ledger.run(["no-such-program"])
    with pytest.raises(Usage, match="can't be executed"):
        haina.ledger.run([str(haina.put("script.sh", "#!/bin/sh\n"))])
    with pytest.raises(Usage, match="expected a program"):
        haina.ledger.run([])
    assert haina.context.log.size == 2


# --- how it ends


def test_a_run_that_fails_is_recorded_as_failed_without_versions(story: Stage) -> None:
    haina = story.haina
    write = python(
        "import sys; open(sys.argv[1], 'w').write('half'); sys.exit(7)", haina.folder / "demand.csv"
    )
    done = haina.ledger.run(write, inputs=["haina/orders"], outputs=[makes(haina)])
    assert (done.exit_code, done.outcome, done.outputs) == (7, "failed", [])
    assert made(done) == ["activity haina/demand"]
    assert activity(haina)["predicate"]["outcome"] == "failed"
    assert haina.finding_kinds() == []
    with pytest.raises(NotFound):
        haina.ledger.lineage("haina/demand@1")


def test_an_output_that_is_missing_makes_it_a_failure(story: Stage) -> None:
    haina = story.haina
    one = f"haina/one={haina.folder / 'one.csv'}"
    done = haina.ledger.run(["touch", str(haina.folder / "one.csv")], outputs=[one, makes(haina)])
    assert (done.exit_code, done.outcome, done.outputs) == (1, "failed", [])
    assert "output haina/demand" in done.receipt.notes[0]
    assert "demand.csv" in done.receipt.notes[0]
    assert activity(haina)["predicate"]["outcome"] == "failed"


def test_a_program_that_is_killed_ends_as_in_a_shell(story: Stage) -> None:
    haina = story.haina
    done = haina.ledger.run(python("import os; os.kill(os.getpid(), 9)"))
    assert (done.exit_code, done.outcome) == (128 + 9, "failed")
    assert run_child(["sh", "-c", "exit 3"]) == 3
    assert run_child(["sh", "-c", "kill -TERM $$"]) == 128 + 15


@pytest.mark.parametrize("code", [0, 5])
def test_what_is_over_is_told_even_if_it_cannot_be_recorded(story: Stage, code: int) -> None:
    """The program takes away what is needed to record it: the log's checkpoint."""
    haina = story.haina
    wreck = "import os, sys; os.truncate(sys.argv[1], 3); sys.exit(int(sys.argv[2]))"
    with pytest.raises(Corrupt, match="checkpoint") as caught:
        haina.ledger.run(python(wreck, haina.public / "checkpoint", code), inputs=["haina/orders"])
    assert caught.value.exit_code == (code or 1)
    assert f"the program ended with exit code {code}; its run was not recorded" in haina.said


def test_a_signal_sent_to_the_wrapper_reaches_the_program(story: Stage) -> None:
    haina = story.haina
    program = python(
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(4))\n"
        "print('ready', flush=True)\n"
        "for _ in range(600): time.sleep(0.1)"
    )
    with haina.start("run", "-i", "haina/orders", "--", *program) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        _, err = process.communicate(timeout=60)
    assert process.returncode == 4, err
    assert "failed: haina/orders@1" in err
    assert activity(haina)["predicate"]["outcome"] == "failed"


def test_a_signal_that_ends_the_program_is_its_exit_code(story: Stage) -> None:
    haina = story.haina
    program = python("import time; print('ready', flush=True); time.sleep(60)")
    with haina.start("run", "--", *program) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert process.returncode == 128 + signal.SIGTERM
    assert activity(haina)["predicate"]["outcome"] == "failed"


def test_output_passes_through_untouched(story: Stage) -> None:
    haina = story.haina
    program = python(
        "import sys; data = sys.stdin.read(); print(data.upper(), end=''); print('e', file=sys.stderr)"
    )
    process = haina.start("run", "--", *program, stdin=subprocess.PIPE)
    out, err = process.communicate("quiet\n", timeout=60)
    assert (process.returncode, out) == (0, "QUIET\n")
    assert err.startswith("e\n")


# --- while others write


def test_what_others_wrote_meanwhile_is_seen(story: Stage) -> None:
    """While the program runs, another process records a newer version of the input, and of the output."""
    haina = story.haina
    haina.put("demand.csv", "before\n")
    haina.ledger.register("haina/demand", haina.folder / "demand.csv")
    haina.put("orders.csv", "read by the run\n")
    waiting = python(
        "import pathlib, sys, time\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "(folder / 'started').touch()\n"
        "while not (folder / 'go').exists(): time.sleep(0.02)\n"
        "(folder / 'demand.csv').write_text('made by the run')\n",
        haina.folder,
    )
    with haina.start("run", "-i", "haina/orders", "-o", "haina/demand", "--json", "--", *waiting) as process:
        while not (haina.folder / "started").exists():
            time.sleep(0.02)
        (haina.folder / "new.csv").write_text("newer\n")
        haina.ledger.version("haina/orders", haina.folder / "new.csv")
        haina.ledger.version("haina/demand", haina.folder / "new.csv")
        (haina.folder / "go").touch()
        _, err = process.communicate(timeout=60)
    done = json.loads(err)
    assert (done["inputs"], done["outputs"]) == (["haina/orders@3"], ["haina/demand@3"])
    assert {line.verdict for line in haina.reopen().log().records} == {"accepted"}
    assert haina.ledger.audit().good
