"""Finding assets by their texts: names, titles, descriptions, aliases, columns.

SQLite's full-text index cuts words at spaces and punctuation, and ignores case and accents. Scripts that
write without spaces (Chinese, Japanese, Thai) are searched as they stand.
"""

from __future__ import annotations

import re

from ledger.index.database import Database
from ledger.index.queries import holder
from ledger.index.schema import SEARCHED
from ledger.index.views import Hit

_word = re.compile(r"\w+").findall
_unspaced = re.compile("[\u0e00-\u0e7f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]").search
_MOST_WORDS = 16
_WEIGHTS = "10.0, 5.0, 1.0, 1.0"  # of the columns of SEARCHED


def search(database: Database, text: str, *, limit: int = 20) -> tuple[list[Hit], bool]:
    """Return the assets of which some text holds all words of `text` (or words that begin so), best first.

    The second value says whether `limit` cut the list.
    """
    words = _word(text)[:_MOST_WORDS]
    if not words:
        return [], False
    if _unspaced(text):
        rows = database.rows(_LIKE, *[f"%{_escaped(text.strip())}%"] * len(SEARCHED), limit + 1)
        found = [_hit(database, asset, snippet) for asset, snippet in rows[:limit]]
    else:
        match = " ".join(f'"{word}"*' for word in words)
        rows = database.rows(_MATCH, match, limit + 1)
        found = [
            _hit(database, asset, database.scalar(_SNIPPET, match, document))
            for asset, document, _ in rows[:limit]
        ]
    return found, len(rows) > limit


def _hit(database: Database, asset: int, snippet: str) -> Hit:
    row = database.one(
        "SELECT a.name, ifnull((SELECT r.title FROM registration r WHERE r.asset = a.id), ''), "
        "(SELECT max(v.number) FROM version v WHERE v.asset = a.id) FROM asset a WHERE a.id = ?",
        asset,
    )
    assert row is not None
    name, title, latest = row
    return Hit(asset=name, title=title, holder=holder(database, name), latest=latest, snippet=snippet)


def _escaped(text: str) -> str:
    return re.sub(r"([\\%_])", r"\\\1", text)


# SQLite gives ranks outside of a grouping only: the inner LIMIT keeps the two queries apart
_MATCH = f"""
SELECT asset, id, min(rank) FROM (
  SELECT d.asset, d.id, bm25(document_fts, {_WEIGHTS}) AS rank
  FROM document_fts CROSS JOIN document d ON d.id = document_fts.rowid WHERE document_fts MATCH ? LIMIT -1)
GROUP BY asset ORDER BY min(rank), asset LIMIT ?
"""  # noqa: S608 - constants of ours
_SNIPPET = """
SELECT snippet(document_fts, -1, '', '', '…', 12) FROM document_fts WHERE document_fts MATCH ? AND rowid = ?
"""
_LIKE = f"""
SELECT asset, substr(name || ' ' || title || ' ' || text, 1, 80) FROM document
WHERE {" OR ".join(f"{column} LIKE ? ESCAPE '{chr(92)}'" for column in SEARCHED)}
GROUP BY asset ORDER BY asset LIMIT ?
"""  # noqa: S608
