"""How things are measured here: medians over repetitions, memory of a whole process, a table at the end."""

from __future__ import annotations

import os
import platform
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Row:
    """One line of the table: what, what must be reached, what was measured, and the limit or peer beside it.

    `ratio` is measured to `limit` in the direction in which 1.0 means as good as the limit.
    """

    what: str
    must: str
    measured: str
    limit: str
    ratio: float | None
    good: bool


def rate(
    what: str, measured: float, *, must: float, limit: float, unit: str = "/s", limit_note: str = ""
) -> Row:
    """A rate: more is better."""
    note = f" ({limit_note})" if limit_note else ""
    return Row(
        what,
        f"{must:,.0f}{unit}",
        f"{measured:,.0f}{unit}",
        f"{limit:,.0f}{unit}{note}",
        measured / limit,
        measured >= must,
    )


def duration(
    what: str, measured_s: float, *, must_s: float, limit_s: float | None = None, limit_note: str = ""
) -> Row:
    """A time: less is better."""
    shown = "" if limit_s is None else f"{_seconds(limit_s)}{f' ({limit_note})' if limit_note else ''}"
    ratio = None if limit_s is None else limit_s / measured_s
    return Row(what, _seconds(must_s), _seconds(measured_s), shown, ratio, measured_s <= must_s)


def given(what: str, measured: float, *, limit: float, limit_note: str) -> Row:
    """A rate that is the machine's, not ours."""
    return Row(what, "", f"{measured:,.0f}/s", f"{limit:,.0f}/s ({limit_note})", measured / limit, good=True)


def plain(what: str, measured_s: float) -> Row:
    """A time that nobody asked for, shown because it is what a user waits for."""
    return Row(what, "", _seconds(measured_s), "", None, good=True)


def memory(what: str, measured_mb: float, *, must_mb: float) -> Row:
    """Peak memory: less is better."""
    return Row(what, f"under {must_mb:,.0f} MB", f"{measured_mb:,.0f} MB", "", None, measured_mb < must_mb)


def rate_of(work: Callable[[], object], count: int) -> float:
    """Return how often `work` runs in a second, on one core, over `count` calls: the limit beside a rate."""
    start = time.perf_counter()
    for _ in range(count):
        work()
    return count / (time.perf_counter() - start)


def _seconds(value: float) -> str:
    return f"{value:.3g} s" if value >= 1 else f"{value * 1000:.3g} ms"


def median_time(work: Callable[[], object], repetitions: int = 5) -> float:
    """Return the median time of `work` in seconds, after one run that is not counted."""
    work()
    times = []
    for _ in range(repetitions):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def median_times(work: Callable[[], object], repetitions: int = 5) -> tuple[float, float]:
    """Return the median time of `work` and of the processor that it took, in seconds, after a first run."""
    work()
    times, used = [], []
    for _ in range(repetitions):
        start, before = time.perf_counter(), time.process_time()
        work()
        times.append(time.perf_counter() - start)
        used.append(time.process_time() - before)
    return statistics.median(times), statistics.median(used)


def processor_time() -> float:
    """Return the seconds of processor time that this process and those it has ended used."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def median_process(
    command: list[str], cwd: Path, repetitions: int = 7, env: dict[str, str] | None = None
) -> float:
    """Return the median wall time of a whole process, which must succeed."""

    def once() -> None:
        subprocess.run(command, cwd=cwd, env={**os.environ, **(env or {})}, check=True, capture_output=True)

    return median_time(once, repetitions)


def peak_mb() -> float:
    """Return this process's peak memory so far, in MB; ru_maxrss would count that of who started it."""
    for line in _lines("/proc/self/status"):
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 2**10
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / (2**20 if sys.platform == "darwin" else 2**10)


@contextmanager
def stopwatch() -> Iterator[list[float]]:
    """Append the elapsed seconds to the list that it gives."""
    elapsed: list[float] = []
    start = time.perf_counter()
    yield elapsed
    elapsed.append(time.perf_counter() - start)


def machine() -> str:
    """Say what this ran on, as far as figures depend on it."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor() or platform.machine(),
    )
    system = f"{platform.system()} {platform.machine()}"
    return f"{model}, {os.cpu_count()} cores, {system}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []
