"""Reading story files: what is none is refused with its line."""

from __future__ import annotations

import pytest
from ledger_cli.stories.story import Said, Scene, Step, Twin, parse_story

from ledger.core.errors import FormatError

GOOD = """\
# A title

**Question.** What
is it?

**Answer.** That.

## First

Somebody says
something.

```console
gz$ dataledger may sky use gz/hourly \\
    --for risk
DENIED: ...
  because
[1]
sky$ cp a b
```

### Twin (dropped tail): It's gone!

```console
gz$ tamper drop 1
```

## Second

```console
gz$ dataledger status
...
```
"""


def test_a_story_is_read():
    story = parse_story("tale", GOOD)
    assert (story.name, story.title, story.question, story.answer) == (
        "tale", "A title", "What is it?", "That.",
    )  # fmt: skip
    ask = Step(14, "gz", "dataledger may sky use gz/hourly --for risk", ("DENIED: ...", "  because"), 1)
    twin = Twin("dropped tail", "It's gone!", (Step(25, "gz", "tamper drop 1", (), 0),))
    assert story.scenes == (
        Scene("First", (Said("Somebody says something."), ask, Step(19, "sky", "cp a b", (), 0)), (twin,)),
        Scene("Second", (Step(31, "gz", "dataledger status", ("...",), 0),), ()),
    )
    assert twin.name == "it-s-gone"
    assert story.twins == (twin,)
    assert (story.count(twins=True), story.count(twins=False)) == (4, 3)


@pytest.mark.parametrize(
    ("old", "new", "match"),
    [
        ("# A title\n", "", "line 2: expected '# Title' first"),
        ("# A title", "## A title", "expected a '# Title'"),
        ("**Answer.** That.", "", "Question"),
        ("**Answer.** That.", "**Answer.** That.\n\nAnd more.", "only a question and an answer"),
        ("```console\ngz$ dataledger status", "```sh\ngz$ dataledger status", "line 30: expected ```console"),
        ("gz$ tamper drop 1", "# tamper drop 1", r"line 25: expected FOLDER\$ COMMAND"),
        ("gz$ tamper drop 1\n", "", "expected FOLDER"),
        ("### Twin (dropped tail): It's gone!", "### Twin: It's gone!", "line 22: expected a '## Scene'"),
        ("## First", "### Twin (dropped tail): It's gone!", "line 8: expected a '## Scene'"),
        ("status\n...\n```\n", "status\n...\n", "line 30: expected ``` at the end"),
        ("## Second", "### Twin (dropped tail): Its gone?\n\n### Twin (a): It's gone.", "two of its twins"),
    ],
)  # fmt: skip
def test_what_is_no_story(old, new, match):
    assert old in GOOD
    with pytest.raises(FormatError, match=match):
        parse_story("tale", GOOD.replace(old, new))


@pytest.mark.parametrize("text", ["", "\n\n", "# T\n\n**Question.** Q\n\n**Answer.** A\n"])
def test_what_has_no_scene(text):
    with pytest.raises(FormatError):
        parse_story("tale", text)
