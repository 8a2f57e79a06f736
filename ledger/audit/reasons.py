"""Why an evidence file is refused: stable codes, for programs, tests and whoever asks what was wrong."""

from __future__ import annotations

from typing import Final

from ledger.core.authority import REASONS as AUTHORITY_REASONS

REASONS: Final = AUTHORITY_REASONS | {
    "not-evidence": "the file is no evidence file",
    "unsupported-format": "the file has a format that this release does not know",
    "truncated": "the file ends too early",
    "trailing-data": "there is something behind the end",
    "line-too-long": "a line is longer than any can be",
    "bad-line": "a line is no line of an evidence file",
    "not-canonical": "a line is not written as it has to be",
    "wrong-order": "lines are not in the order that they have to be in",
    "wrong-count": "there are more or fewer lines than the end says",
    "bad-question": "the question about rights is none, or not one that the block can answer",
    "bad-rules": "the list of border rules is none, or not in force when it is asked for",
    "bad-ledger": "the ledger's description is none",
    "unknown-code": "the ledger's contracts are none that a release shipped",
    "wrong-address": "a contract's address does not follow from its code",
    "wrong-code": "other code runs at a contract's address",
    "bad-header": "the block's header is none",
    "wrong-block": "the block is not the one that is trusted",
    "wrong-ledger": "the ledger is not the one that is trusted, or a record is of another one",
    "bad-state-proof": "a proof does not lead from the block to what it should prove",
    "missing-slot": "something that the verdict rests on is not proven",
    "unneeded-slot": "something is proven that nothing rests on",
    "bad-checkpoint": "a signed checkpoint is not what its log's owner signed",
    "wrong-anchor": "a record's checkpoint is not the first that covers it",
    "not-included": "a record is not in the log under its checkpoint",
    "bad-envelope": "an entry is no envelope",
    "bad-record": "a payload is no well-formed record",
    "duplicate-record": "a record is there twice",
    "root-missing": "there is no record of a version that was asked for",
    "lineage-incomplete": "a source is neither there nor listed as outside",
    "unneeded-outside": "something is listed as outside that is not",
    "unneeded-record": "a record is no part of the lineage",
    "unneeded-line": "a line says something that nothing needs",
    "wrong-disclosure": "a disclosed attachment is not what a record names",
}
"""Why a file is refused: stable codes, those of `authority` among them, and what they say."""
