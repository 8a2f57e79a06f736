"""What a report shows: every part of a verdict, told apart, and the same page for the same verdict."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import typing

import msgspec
import pytest

from ledger.core.lineage import Kind
from ledger.core.verdict import AttachmentShown, AttachmentState, Conclusion, EvidenceView
from ledger.formats import report_verdict
from ledger.formats.report_style import DARK, LIGHT
from tests.formats import report_views as views
from tests.formats.report_reading import CONFIRMED, Reading, page_of, read

# --- the same gives the same


@pytest.mark.parametrize("view", [views.washing_machine(), views.many(400)], ids=["few", "many"])
def test_the_order_of_nodes_and_edges_does_not_matter(view: EvidenceView) -> None:
    expected = page_of(view)
    for seed in range(4):
        chance = random.Random(seed)
        nodes = chance.sample(view.graph.nodes, len(view.graph.nodes))
        edges = chance.sample(view.graph.edges, len(view.graph.edges))
        graph = msgspec.structs.replace(view.graph, nodes=nodes, edges=edges)
        assert page_of(msgspec.structs.replace(view, graph=graph)) == expected


def test_another_process_writes_the_same_bytes() -> None:
    code = (
        "import sys; from tests.formats import report_reading as r, report_views as v;"
        "sys.stdout.buffer.write(r.page_of(v.washing_machine()).encode())"
    )
    written = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True).stdout
    assert written == page_of(views.washing_machine()).encode()


def test_the_layout_is_loaded_only_where_a_page_is_made() -> None:
    code = "import sys, ledger.formats.report, ledger_cli.main; print('graphlay' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert loaded == "False\n"


# --- everything that matters is there


def test_every_part_of_a_view_is_on_the_page() -> None:
    view = views.washing_machine()
    verdict, reading = view.verdict, read(view)
    text = reading.text
    expected = [
        verdict.trust_root,
        verdict.ledger,
        verdict.block.hash,
        verdict.digest,
        f"id {verdict.chain_id}",
        "48,211 bytes",
        *verdict.proven,
        *verdict.claimed,
        *verdict.declared,
        *verdict.unknown,
        CONFIRMED,
    ]
    expected += [text for each in verdict.roots for text in (each.version, each.digest)]
    expected += [text for each in verdict.parties for text in (each.did, each.name)]
    expected += [text for each in verdict.findings for text in (each.kind, each.subject, each.text)]
    expected += [text for each in verdict.outside for text in (each.name, each.digest, each.why)]
    expected += [text for each in verdict.attachments for text in (each.role, each.media_type, each.digest)]
    expected += [text for each in view.records for text in (each.record, each.type, each.log)]
    for number, each in enumerate(view.records, 1):
        log = list(dict.fromkeys(r.log for r in view.records)).index(each.log) + 1
        expected += [
            f"{number} · {each.type}",
            f"block {each.block}, checkpoint {each.checkpoint} (size {each.size})",
            f"log {log}, entry {each.index}",
            each.claimed_time.replace("T", " "),
        ]
    expected += [text for each in view.graph.nodes for text in (each.label, each.title, each.digest)]
    expected += [each.label for each in view.graph.edges]
    expected += [
        text for each in view.graph.columns for text in (each.output_field, each.input_field, each.how)
    ]
    assert [each for each in expected if each not in text] == []


@pytest.mark.parametrize("verdict", typing.get_args(Conclusion))
def test_each_verdict_is_told_by_word_sign_and_frame(verdict: Conclusion) -> None:
    reading = read(views.with_verdict(views.washing_machine(), verdict=verdict, reason="because of this"))
    word, meaning = report_verdict.WORDS[verdict]
    text = reading.text
    assert text.index(word) < text.index(meaning) < text.index("because of this") < text.index("Trust root")
    assert text.lstrip().startswith(f"{word}: demand.evidence")
    assert f"verdict {verdict}" in reading.values("class")
    assert f".verdict.{verdict}" in reading.style
    signs = {
        page_of(views.with_verdict(views.washing_machine(), verdict=each)).split('class="sign"')[1][:200]
        for each in typing.get_args(Conclusion)
    }
    assert len(signs) == len(typing.get_args(Conclusion))


def test_what_is_proven_claimed_declared_and_unknown_stands_apart() -> None:
    page = page_of(views.washing_machine())
    verdict = views.washing_machine().verdict
    for part in ("proven", "claimed", "declared", "unknown"):
        inside = page.split(f'<section id="{part}"')[1].split("</section>")[0]
        text = Reading(inside.partition(">")[2]).text
        for other in ("proven", "claimed", "declared", "unknown"):
            for sentence in getattr(verdict, other):
                assert (sentence in text) == (other == part)


def test_without_a_trust_root_the_page_says_so_first_and_how_to_get_one() -> None:
    page = page_of(views.unconfirmed(), "dataledger verify demand.evidence")
    reading = Reading(page)
    text = reading.text
    assert text.index("Not confirmed") < text.index("nothing says that its chain is the real one")
    assert "Trust root: none" in text
    assert "dataledger verify demand.evidence --block HASH" in text
    assert "dataledger verify demand.evidence --rpc URL" in text
    assert "Proven, if the chain is the real one" in text
    assert 'content:"NOT CONFIRMED"' in reading.style
    commands = [each.split("</pre>")[0] for each in page.split("<pre>")[1:]]
    assert len(commands) == 3
    assert not [each for each in commands if views.unconfirmed().verdict.block.hash in each]


@pytest.mark.parametrize("verdict", ["unknown", "revoked", "wrong-file"])
def test_other_verdicts_without_a_trust_root_say_so_too(verdict: Conclusion) -> None:
    reading = read(views.with_verdict(views.washing_machine(), verdict=verdict, trust_root=""))
    assert "Trust root: none" in reading.text
    assert "The evidence holds" not in reading.text
    assert "unrooted" in reading.values("class")
    words = sorted(["NOT CONFIRMED", verdict.upper().replace("-", " ")])
    assert f'content:"{", ".join(words)}"' in reading.style


def test_a_good_page_has_no_warning_at_its_foot() -> None:
    reading = read(views.washing_machine())
    assert 'content:""' in reading.style
    assert "unrooted" not in reading.values("class")


def test_a_file_that_is_none_of_the_versions() -> None:
    given = views.washing_machine()
    file = msgspec.structs.replace(given.verdict.file, version="", digest=views.file_digest("other"))
    text = read(views.with_verdict(given, verdict="wrong-file", file=file)).text
    assert "This file is none of the versions." in text
    assert views.file_digest("other") in text


def test_rows_and_boxes_lead_to_each_other() -> None:
    reading = read(views.washing_machine())
    links, places = set(reading.values("href")), set(reading.values("id"))
    for number in range(1, 12):
        assert {f"#version-{number}", f"#drawn-{number}"} <= links
        assert {f"version-{number}", f"drawn-{number}"} <= places
    assert {f"#record-{number}" for number in (3, 5, 6, 7, 8, 9, 10, 11, 12)} <= links
    assert {"#party-1", "#party-2", "#party-3", "#log-1", "#log-2", "#log-3"} <= links


def test_two_parties_of_one_name_are_told_apart() -> None:
    given = views.washing_machine()
    same = tuple(msgspec.structs.replace(each, name="Haina Appliances") for each in given.verdict.parties)
    text = read(views.with_verdict(given, parties=same)).text
    assert {"P1 Haina Appliances", "P2 Haina Appliances", "P3 Haina Appliances"} <= set(text.split("\n"))


def test_a_revoked_source_catches_the_eye_in_drawing_and_table() -> None:
    reading = read(views.washing_machine())
    assert "observed · revoked" in reading.text
    assert any("lost" in each.split() for each in reading.values("class"))


def test_each_kind_has_a_shape_of_its_own() -> None:
    page = page_of(views.washing_machine())
    legend = page.split('class="legend"')[1].split("</ul>")[0]
    shapes = re.findall(r'<path d="([^"]*)" class="shape ([a-z]*)"', legend)
    assert {kind for _, kind in shapes} == set(typing.get_args(Kind))
    assert len({shape for shape, _ in shapes}) == len(shapes)


# --- attachments


def attached(content: bytes | None, state: AttachmentState = "disclosed", count: int = 1) -> list[str]:
    """What a page shows of attachments with this content: the texts of the last column."""
    given = views.washing_machine()
    shown = tuple(
        AttachmentShown(
            record=given.records[9].record,
            role="note",
            media_type="text/plain",
            digest=views.file_digest(f"{at}"),
            state=state,
            content=content,
        )
        for at in range(count)
    )
    page = page_of(views.with_verdict(given, attachments=shown))
    (table,) = re.findall(r'<table class="attachments".*?</table>', page, re.DOTALL)
    assert f"{count} {state}." in page
    assert views.file_digest("0") in Reading(table).text
    cells = re.findall(r'data-label="Content"><div>(.*?)</div></td>', table, re.DOTALL)
    return [Reading(cell).text.strip() for cell in cells]


def test_a_disclosed_text_is_shown_line_by_line() -> None:
    shown = attached("price: 7 €\n\tper unit\u202e\r\n".encode())
    assert shown == ["27 bytes of text\nprice: 7 €\n    per unit\\u202e"]


def test_disclosed_bytes_are_shown_as_digits() -> None:
    (shown,) = attached(b"\xff\x00" * 4_000)
    assert shown == "8.0 kB (8,000 bytes) of bytes, the start of it\n" + "ff 00 " * 127 + "ff 00…"


def test_long_contents_are_cut_and_many_run_out_of_room() -> None:
    note = "9.0 kB (9,000 bytes)"
    shown = attached(b"x" * 9_000, count=40)
    assert shown[:25] == [f"{note} of text, the start of it\n{'x' * 4_000}…"] * 25
    assert shown[25:] == [f"{note}, not shown: the page has enough contents."] * 15


def test_a_long_column_of_lines_is_cut_too() -> None:
    (shown,) = attached(b"a\n" * 1_000)
    assert shown == "2.0 kB (2,000 bytes) of text, the start of it\n" + "a\n" * 79 + "a…"


@pytest.mark.parametrize("state", ["public", "withheld", "forgotten"])
def test_what_is_not_in_the_file_is_named_all_the_same(state: AttachmentState) -> None:
    assert attached(None, state) == []


# --- limits


def test_what_is_left_out_is_counted() -> None:
    view = views.many(1_500)
    page = page_of(view)
    text = Reading(page).text
    assert "500 of 1,500 records shown" in text
    assert "500 of 1,500 versions shown" in text
    assert "1,500 versions are too many to draw: one box stands for all versions of an asset." in text
    assert "Drawn are the 60 of 1,000 that are nearest to what was asked for." in text
    assert page.count('<tr id="record-') == 500
    assert len(page) < 1_500_000


def test_records_that_do_not_stand_are_never_left_out() -> None:
    view = views.many(1_500)
    view.records[1_400] = msgspec.structs.replace(view.records[1_400], state="revoked")
    assert '<tr id="record-1401"' in page_of(view)


@pytest.mark.slow
def test_a_hundred_thousand_records_make_a_page_of_a_bearable_size() -> None:
    page = page_of(views.many(100_000))
    assert len(page) < 1_500_000
    assert "500 of 100,000 records shown" in Reading(page).text


# --- colours


def luminance(colour: str) -> float:
    """WCAG 2.2, relative luminance."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_stands_out_from_every_ground_it_may_be_on(colours: dict[str, str]) -> None:
    texts = ("ink", "dim", "link", "good", "warn", "bad", "odd")
    grounds = ("page", "sheet", "soft", "good-soft", "warn-soft", "bad-soft", "odd-soft")
    low = {}
    for text in texts:
        for ground in grounds:
            one, two = sorted((luminance(colours[text]), luminance(colours[ground])), reverse=True)
            low[text, ground] = (one + 0.05) / (two + 0.05)
    assert {pair: ratio for pair, ratio in low.items() if ratio < 4.5} == {}
