"""What is authentic and yet improper: found at the end of each block.

Only then is known what else the block brought: an output's version may stand behind the activity that made
it, an input's version in another log that the same block anchors.
"""

from __future__ import annotations

from ledger.index.database import Database
from ledger.index.kinds import ALGORITHMS, CODE, INPUT, UNVERSIONED
from ledger.index.writer import Writer


class Findings:
    """Collects what looked suspicious in a block, and judges it when the block is complete."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self._database: Database = writer.database
        self._versions = writer.next_id("version")
        self._suspects = 0
        self._database.execute("CREATE TEMP TABLE IF NOT EXISTS suspect (entry, node, role)")
        self.reset()

    def reset(self) -> None:
        """Start anew: after a rollback, at the start of a sync."""
        self._database.execute("DELETE FROM temp.suspect")
        self._suspects = 0
        self._versions = self._writer.next_id("version")

    def suspect(self, rows: list[tuple[int, int, int]]) -> None:
        """Note (entry, node, role) to look at later, and empty the list."""
        if rows:
            self._database.write("INSERT INTO temp.suspect VALUES (?, ?, ?)", rows)
            self._suspects += len(rows)
            rows.clear()

    def end_block(self) -> None:
        """Write the findings of the block; everything else of it was added to `writer`."""
        if not self._suspects and self._versions == self._writer.next_id("version"):
            return
        self._writer.flush()
        if self._suspects:
            for entry, role, name, number, alg, digest, asset, registered in self._database.stream(_SUSPECTS):
                self._judge(entry, role, name, number, alg, digest, asset, registered)
            self._database.execute("DELETE FROM temp.suspect")
            self._suspects = 0
        for entry, name, number, other in self._database.stream(_SAME_CONTENT, self._versions):
            text = f"the same content was claimed before, as {other}"
            self._writer.add("finding", "same-content-other-claimant", entry, None, f"{name}@{number}", text)
        self._versions = self._writer.next_id("version")

    def _judge(
        self,
        entry: int,
        role: int,
        name: str,
        number: int,
        alg: int,
        digest: bytes,
        asset: int,
        registered: int | None,
    ) -> None:
        shown = name if number == UNVERSIONED else f"{name}@{number}"
        other = None if number == UNVERSIONED else self._database.one(_OTHER, asset, number)
        if role == INPUT and other is not None:
            kind = "input-digest-mismatch"
            text = f"used with {ALGORITHMS[alg]}:{digest.hex()}, registered with {_digest(*other)}"
        elif role == INPUT and number == UNVERSIONED and alg == CODE["dataledger-asset-v1"]:
            if registered is not None:
                return
            kind, text = "input-unregistered", "nobody registered this asset"
        else:
            kind = "input-unregistered" if role == INPUT else "output-unregistered"
            text = f"no version with {ALGORITHMS[alg]}:{digest.hex()} was registered"
            if other is not None:
                text += f"; this number has {_digest(*other)}"
        self._writer.add("finding", kind, entry, None, shown, text)


def _digest(alg: int, digest: bytes) -> str:
    return f"{ALGORITHMS[alg]}:{digest.hex()}"


# Suspects without a version by now, each once for its entry.
_SUSPECTS = """
SELECT s.entry, s.role, a.name, n.number, n.alg, n.digest, n.asset,
  (SELECT r.id FROM registration r WHERE r.asset = n.asset)
FROM temp.suspect s JOIN node n ON n.id = s.node JOIN asset a ON a.id = n.asset
WHERE NOT EXISTS (SELECT 1 FROM version v WHERE v.node = s.node)
  AND NOT EXISTS (SELECT 1 FROM edge e WHERE e.output = s.node AND e.activity = 0)
GROUP BY s.entry, s.role, s.node ORDER BY min(s.rowid)
"""

_OTHER = """
SELECT n.alg, n.digest FROM version v JOIN node n ON n.id = v.node WHERE v.asset = ? AND v.number = ?
"""

# New versions whose content another party claimed earlier. Only the first few claims are looked at: content
# that everybody has (an empty file) must not cost more the more often it is claimed.
_SAME_CONTENT = """
SELECT v.entry, a.name, v.number, oa.name || '@' || ov.number
FROM version v JOIN node n ON n.id = v.node JOIN asset a ON a.id = v.asset JOIN entry e ON e.id = v.entry
JOIN version ov ON ov.id = (
  SELECT w.id FROM (SELECT m.id FROM node m WHERE m.short = n.short AND m.digest = n.digest AND m.alg = n.alg
                    ORDER BY m.id LIMIT 4) f JOIN version w ON w.node = f.id ORDER BY w.id LIMIT 1)
JOIN entry oe ON oe.id = ov.entry JOIN asset oa ON oa.id = ov.asset
WHERE v.id >= ? AND ov.id < v.id AND oe.party <> e.party AND n.alg < 2
ORDER BY v.id
"""
