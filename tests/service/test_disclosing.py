"""Private attachments: disclosed by choice, handed over, taken in; and what is refused on the way."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.core.digests import SALT_SIZE, SEALED, seal, unseal
from ledger.core.errors import Corrupt, FormatError, Invalid, LedgerError, NotFound, Usage
from ledger.core.evidence import MAX_DISCLOSED
from ledger.core.hashing import sha256
from ledger.core.records import Attachment
from ledger.service import disclosing
from ledger.service.attached import private_attachments
from ledger.service.batch import Batch
from ledger.service.disclosing import disclosed, forgotten, sealed
from ledger.service.publishing import publish
from ledger.service.results.private import Disclosures
from tests.service.conftest import PYTHON, Party, Stage, copied

SECRET = "the-price-is-4711"
TAG = len(b"dataledger/sealed/v1\0")


@pytest.fixture(scope="module")
def _busy(_story: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each party ran a program with a secret on its command line; Haina follows Jinlong."""
    story = next(copied(_story, tmp_path_factory.mktemp("busy") / "stage"))
    for party, asset in ((story.jinlong, "jinlong/stock"), (story.haina, "haina/demand")):
        made = party.folder / "made.csv"
        command = [PYTHON, "-c", "import sys; open(sys.argv[1], 'w').write('7')", str(made), SECRET]
        party.ledger.run(
            command, inputs=[f"{asset.split('/')[0]}/{_first(party)}"], outputs=[f"{asset}={made}"]
        )
    story.haina.ledger.sync()
    story.close()
    return story.path


@pytest.fixture
def busy(_busy: Path, tmp_path: Path) -> Iterator[Stage]:
    yield from copied(_busy, tmp_path / "stage")


def _first(party: Party) -> str:
    return "orders" if (party.folder / "orders.csv").exists() else "parts"


def only(found: Disclosures) -> str:
    """The digest of the one attachment found."""
    (each,) = found.attachments
    return each.digest


def state(party: Party, what: str) -> list[str]:
    """What `show` says of the attachments."""
    return [
        row[3]
        for each in party.ledger.show(what).sections
        if each.title == "attachments"
        for row in each.rows
    ]


def test_without_a_yes_nothing_is_marked(busy: Stage) -> None:
    haina = busy.haina
    found = haina.ledger.disclose(["haina/demand@1"])
    assert found.action == "to-disclose"
    (each,) = found.attachments
    assert (each.role, each.media_type, each.type, each.subject, each.state) == (
        "command",
        "application/json",
        "activity",
        "haina/demand@1",
        "private",
    )
    assert each.size
    assert each.preview.startswith('{"command":')
    assert disclosed(haina.context) == frozenset()
    assert not haina.context.workspace.marks_path.exists()


def test_marking_listing_and_withdrawing(busy: Stage) -> None:
    ledger, context = busy.haina.ledger, busy.haina.context
    digest = only(ledger.disclose(["haina/demand@1"], confirmed=True))
    assert disclosed(busy.haina.reopen()._context) == {digest}
    assert context.workspace.marks_path.stat().st_mode & 0o777 == 0o600
    assert state(busy.haina, "haina/demand@1") == ["disclosed"]
    assert only(busy.haina.ledger.disclosures()) == digest
    preimage = sealed(busy.haina.context, digest)
    assert preimage is not None
    assert sha256(preimage).hex() == digest
    assert SECRET.encode() in unseal(preimage)
    done = busy.haina.ledger.withdraw([digest[:12]])
    assert "stays handed out" in done.notes[0]
    assert disclosed(busy.haina.context) == frozenset()
    assert busy.haina.ledger.disclosures().attachments == []
    assert state(busy.haina, "haina/demand@1") == ["private"]
    with pytest.raises(NotFound, match="nothing of that is disclosed"):
        busy.haina.ledger.withdraw(["haina/demand@1"])


def test_what_may_be_named(busy: Stage) -> None:
    ledger = busy.haina.ledger
    (line,) = ledger.log(type="activity", party="haina", limit=1).records
    digest = only(ledger.disclose(["haina/demand@1"]))
    for what in ("haina/demand", "haina/demand@latest", line.record, line.record[:8], digest, digest[:8]):
        assert only(ledger.disclose([what])) == digest
    assert only(ledger.disclose([f"dataledger-sealed-v1:{digest}", "haina/demand@1"])) == digest
    assert only(ledger.disclose(["haina/demand"], roles=["command", "event"])) == digest
    with pytest.raises(NotFound, match=r"role event; roles: command"):
        ledger.disclose(["haina/demand"], roles=["event"])


def test_what_used_an_asset_does_not_speak_of_it(busy: Stage) -> None:
    with pytest.raises(NotFound, match="haina/orders has no private attachment"):
        busy.haina.ledger.disclose(["haina/orders"])


@pytest.mark.parametrize(
    "what", ["haina/nothing", "haina/demand@9", "ffffffffffff", "dataledger-sealed-v1:ffff"]
)
def test_what_is_not_there(busy: Stage, what: str) -> None:
    for ask in (busy.haina.ledger.disclose, busy.haina.ledger.withdraw, busy.haina.ledger.forget):
        with pytest.raises(NotFound):
            ask([what])


def test_digits_that_begin_several(busy: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    index = busy.haina.context.index
    monkeypatch.setattr(type(index), "sealed_digests", lambda _, prefix: [f"{prefix}0", f"{prefix}1"])
    with pytest.raises(Usage, match="several"):
        busy.haina.ledger.disclose(["abcd"])


def test_somebody_elses_is_withheld_until_it_is_handed_over(busy: Stage) -> None:
    haina, jinlong = busy.haina, busy.jinlong
    assert state(haina, "jinlong/stock@1") == ["withheld"]
    with pytest.raises(NotFound, match="it is withheld"):
        haina.ledger.disclose(["jinlong/stock@1"], confirmed=True)
    folder = busy.path / "for haina"
    shown = jinlong.ledger.disclose(["jinlong/stock@1"], folder=folder)
    assert shown.action == "to-hand-out"
    assert not folder.exists()
    done = jinlong.ledger.disclose(["jinlong/stock@1"], folder=folder, confirmed=True)
    (file,) = folder.iterdir()
    digest = only(done)
    assert (file.name, file.stat().st_mode & 0o777) == (f"{digest}.sealed", 0o600)
    assert disclosed(jinlong.context) == frozenset()  # handed to one, not put into evidence for all

    received = haina.ledger.receive([file])
    (each,) = received.attachments
    assert (each.digest, each.state, each.party, each.ours) == (digest, "private", jinlong.party, False)
    assert state(haina, "jinlong/stock@1") == ["private"]
    assert sealed(haina.context, digest) == file.read_bytes() == sealed(jinlong.context, digest)
    kept = private_attachments(haina.context).path(digest)
    assert kept.stat().st_mode & 0o777 == 0o600
    assert only(haina.ledger.receive([file])) == digest


def test_handing_out_never_overwrites(busy: Stage) -> None:
    folder = busy.path / "out"
    digest = only(busy.haina.ledger.disclose(["haina/demand"], folder=folder, confirmed=True))
    busy.haina.ledger.disclose(["haina/demand"], folder=folder, confirmed=True)
    (folder / f"{digest}.sealed").write_text("mine")
    with pytest.raises(Usage, match="other content"):
        busy.haina.ledger.disclose(["haina/demand"], folder=folder, confirmed=True)
    assert (folder / f"{digest}.sealed").read_text() == "mine"


def flipped(position: int) -> Callable[[bytes], bytes]:
    def flip(data: bytes) -> bytes:
        at = position % len(data)
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]

    return flip


def salted_anew(data: bytes) -> bytes:
    return seal(secrets.token_bytes(SALT_SIZE), unseal(data))[1]


def with_other_content(data: bytes) -> bytes:
    salt = data[TAG : TAG + SALT_SIZE]
    return seal(salt, unseal(data).replace(b"4711", b"4712"))[1]


@pytest.mark.parametrize(
    ("damage", "error", "says"),
    [
        (salted_anew, Invalid, "no accepted record"),
        (with_other_content, Invalid, "no accepted record"),
        (flipped(0), FormatError, "tag"),
        (flipped(TAG), Invalid, "no accepted record"),  # the salt
        (flipped(TAG + SALT_SIZE + 8), Invalid, "no accepted record"),  # the content
        (flipped(TAG + SALT_SIZE), FormatError, "bytes"),  # the length
        (flipped(-1), FormatError, "padding of zero bytes"),
        (lambda data: data[:-1], FormatError, "padding"),
        (lambda data: data + bytes(256), FormatError, "padding"),
        (lambda _: b"", FormatError, "tag"),
        (unseal, FormatError, "tag"),
    ],
)  # fmt: skip
def test_what_is_not_what_the_record_names(
    busy: Stage, damage: Callable[[bytes], bytes], error: type[LedgerError], says: str
) -> None:
    """One bad file, and none of the good ones beside it is kept."""
    haina, folder = busy.haina, busy.path / "out"
    busy.jinlong.ledger.disclose(["jinlong/stock"], folder=folder, confirmed=True)
    (good,) = folder.iterdir()
    bad = folder / "bad.sealed"
    bad.write_bytes(damage(good.read_bytes()))
    before = private_attachments(haina.context).digests()
    with pytest.raises(error, match=says) as caught:
        haina.ledger.receive([good, bad])
    assert type(caught.value) is error
    assert caught.value.exit_code == 1
    assert str(bad) in str(caught.value)
    assert private_attachments(haina.context).digests() == before


def test_what_no_record_names_though_it_is_well_made(busy: Stage) -> None:
    """A stranger's secret, sealed as it has to be: nothing here speaks of it."""
    file = busy.haina.put("stranger.sealed")
    file.write_bytes(seal(bytes(32), b"plant this")[1])
    with pytest.raises(Invalid, match="no accepted record"):
        busy.haina.ledger.receive([file])


def test_an_author_who_padded_with_something_else(busy: Stage) -> None:
    """His record names the digest of bytes that no reader takes for content: naming does not make it so."""
    jinlong, file = busy.jinlong, busy.haina.put("padded.sealed")
    preimage = seal(bytes(32), b"seven words and one hidden behind")[1][:-6] + b"hidden"
    file.write_bytes(preimage)
    with jinlong.context.writing():
        batch = Batch(jinlong.context)
        note = Attachment("note", "text/plain", {SEALED: sha256(preimage).hex()})
        batch.register("jinlong/padded", attachments=[note])
        publish(jinlong.context, batch, anchor=True)
    busy.haina.ledger.sync()
    assert state(busy.haina, "jinlong/padded") == ["withheld"]
    with pytest.raises(FormatError, match="padding of zero bytes"):
        busy.haina.ledger.receive([file])
    assert state(busy.haina, "jinlong/padded") == ["withheld"]


def test_files_that_are_none(busy: Stage) -> None:
    ledger, folder = busy.haina.ledger, busy.haina.folder
    with pytest.raises(NotFound, match="no such file"):
        ledger.receive([folder / "nothing.sealed"])
    with pytest.raises(Usage, match="is a folder"):
        ledger.receive([folder])


def swap(one: Path, two: Path) -> None:
    aside = one.with_name("aside")
    for source, target in ((one, aside), (two, one), (aside, two)):
        shutil.move(source, target)


def test_a_swapped_disclosure(busy: Stage) -> None:
    """Two private files change their names: neither is shown, marked, handed out or believed."""
    haina = busy.haina
    first = only(haina.ledger.disclose(["haina/demand@1"], confirmed=True))
    made = haina.folder / "made.csv"
    haina.ledger.run(
        [PYTHON, "-c", "pass", "other"], inputs=["haina/orders"], outputs=[f"haina/demand={made}"]
    )
    store = private_attachments(haina.context)
    (second,) = set(store.digests()) - {first}
    swap(store.path(first), store.path(second))
    for digest in (first, second):
        with pytest.raises(Corrupt, match=digest):
            sealed(haina.context, digest)
        with pytest.raises(NotFound, match="it is damaged"):
            haina.ledger.disclose([digest], confirmed=True)
        with pytest.raises(NotFound, match="it is damaged"):
            haina.ledger.disclose([digest], folder=busy.path / "out", confirmed=True)
    assert not haina.ledger.audit().good


def test_what_no_evidence_file_holds(busy: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Too large for one: it is said when it is to be marked, and it can still be handed over."""
    ledger = busy.haina.ledger
    (each,) = ledger.disclose(["haina/demand"]).attachments
    assert each.size
    monkeypatch.setattr(disclosing, "_MOST_IN_EVIDENCE", each.size - 1)
    with pytest.raises(NotFound, match=r"too large for an evidence file: hand it over with --to"):
        ledger.disclose(["haina/demand"], confirmed=True)
    assert disclosed(busy.haina.context) == frozenset()
    ledger.disclose(["haina/demand"], folder=busy.path / "out", confirmed=True)
    monkeypatch.setattr(disclosing, "_MOST_IN_EVIDENCE", each.size)
    assert ledger.disclose(["haina/demand"], confirmed=True).notes == []


def test_the_largest_that_is_marked_fits() -> None:
    largest = disclosing._MOST_IN_EVIDENCE
    assert len(seal(bytes(32), bytes(largest))[1]) <= MAX_DISCLOSED
    assert len(seal(bytes(32), bytes(largest + 1))[1]) > MAX_DISCLOSED


def test_some_can_be_disclosed_and_some_not(busy: Stage) -> None:
    haina = busy.haina
    haina.ledger.run([PYTHON, "-c", "pass"], inputs=["haina/demand"])
    rows = haina.ledger.log(type="activity", party="haina").records
    digests = [only(haina.ledger.disclose([each.record])) for each in rows]
    haina.ledger.forget([digests[0]], confirmed=True)
    done = haina.ledger.disclose(digests, confirmed=True)
    assert [each.digest for each in done.attachments] == digests[1:]
    assert disclosed(haina.context) == set(digests[1:])
    assert forgotten(haina.context) == {digests[0]}
    assert done.notes == ["1 can't be: see the state"]
