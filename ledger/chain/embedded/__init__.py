"""The embedded chain: an EVM in process, its whole state in one SQLite file, no daemon.

It is for trying out, for tests and for CI. Whoever can write the file can write the history: it proves
nothing to a third party, and says so.
"""

from __future__ import annotations

CAVEAT = "an embedded chain proves nothing to others: whoever has its file can rewrite it"
