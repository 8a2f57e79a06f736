"""A headless Chromium, driven through a pipe by the Chrome DevTools Protocol: no port, no library.

Protocol: https://chromedevtools.github.io/devtools-protocol/ (JSON messages that end with a zero byte, on the
browser's file descriptors 3 and 4).
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import BufferedReader, BufferedWriter
from pathlib import Path
from typing import Any

_UNPACKED = Path(__file__).parent / "node_modules" / ".chromium"
_OPTIONS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--no-zygote",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)


def chromium_binary() -> Path | None:
    """What DATALEDGER_CHROMIUM names, or what `make browser` unpacked (for x86-64 Linux)."""
    named = os.environ.get("DATALEDGER_CHROMIUM")
    if named:
        return Path(named)
    ours = _UNPACKED / "chromium"
    runs_here = sys.platform == "linux" and platform.machine() == "x86_64"
    return ours if runs_here and ours.is_file() else None


class Page:
    """One page: what it asks the network for and complains about is kept."""

    def __init__(self, reading: BufferedReader, writing: BufferedWriter) -> None:
        self._reading = reading
        self._writing = writing
        self._last = 0
        self._waiting = b""
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._loaded = False
        target = self.call("Target.createTarget", {"url": "about:blank"})["targetId"]
        self._session = self.call("Target.attachToTarget", {"targetId": target, "flatten": True})["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    _session: str | None = None

    def call(self, method: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
        """Send a command and return its result."""
        self._last += 1
        message: dict[str, Any] = {"id": self._last, "method": method, "params": parameters or {}}
        if self._session:
            message["sessionId"] = self._session
        self._writing.write(json.dumps(message).encode() + b"\0")
        self._writing.flush()
        while True:
            answer = self._receive()
            if answer.get("id") == self._last:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def open(self, path: Path, *, width: int, height: int = 900, dark: bool = False) -> None:
        """Show a file at this width in CSS pixels, and wait until it is there."""
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", {"media": "screen", "features": [scheme]})
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", metrics)
        self.requests.clear()
        self.complaints.clear()
        self._loaded = False
        self.call("Page.navigate", {"url": path.as_uri()})
        while not self._loaded:
            self._receive()

    def evaluate(self, expression: str) -> Any:
        """Evaluate JavaScript of the test's (the page has none) and return its value."""
        found = self.call("Runtime.evaluate", {"expression": expression, "returnByValue": True})
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def screenshot(self) -> bytes:
        """Return the whole page as PNG."""
        whole = {**self.call("Page.getLayoutMetrics")["cssContentSize"], "scale": 1}
        shot = self.call("Page.captureScreenshot", {"clip": whole, "captureBeyondViewport": True})
        return base64.b64decode(shot["data"])

    def pdf(self) -> bytes:
        """Return the page as it is printed on A4."""
        paper = {"paperWidth": 8.27, "paperHeight": 11.69, "preferCSSPageSize": True}
        self.call("Emulation.setEmulatedMedia", {"media": ""})
        return base64.b64decode(self.call("Page.printToPDF", {**paper, "printBackground": True})["data"])

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._waiting:
            piece = self._reading.read1(1 << 20)
            assert piece, "the browser ended"
            self._waiting += piece
        line, _, self._waiting = self._waiting.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        self._note(message.get("method", ""), message.get("params", {}))
        return message

    def _note(self, event: str, details: dict[str, Any]) -> None:
        if event == "Page.loadEventFired":
            self._loaded = True
        elif event == "Network.requestWillBeSent":
            self.requests.append(details["request"]["url"])
        elif event == "Log.entryAdded":
            self.complaints.append(details["entry"]["text"])
        elif event in {"Runtime.consoleAPICalled", "Runtime.exceptionThrown"}:
            self.complaints.append(json.dumps(details))


_ON_3_AND_4 = """
import os, sys
reading, writing = (os.dup(int(each)) for each in sys.argv[1:3])
for end, number in ((reading, 3), (writing, 4)):
    os.dup2(end, number)
    os.set_inheritable(number, True)
os.execv(sys.argv[3], sys.argv[3:])
"""
"""Puts a pipe's ends where the browser looks for them, and becomes the browser."""


@contextlib.contextmanager
def browsing(binary: Path) -> Iterator[Page]:
    """Run a browser in a folder of its own and give a page of it."""
    to_browser, ours_out = os.pipe()
    ours_in, from_browser = os.pipe()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder,
        os.fdopen(ours_in, "rb") as reading,
        os.fdopen(ours_out, "wb") as writing,
    ):
        process = subprocess.Popen(
            [sys.executable, "-c", _ON_3_AND_4, str(to_browser), str(from_browser), str(binary), *_OPTIONS,
             f"--user-data-dir={folder}"],
            pass_fds=(to_browser, from_browser),
            env={**os.environ, **_environment(binary, Path(folder)), "HOME": folder},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        try:
            yield Page(reading, writing)
        finally:
            process.terminate()
            process.wait(10)


def _environment(binary: Path, folder: Path) -> dict[str, str]:
    """Name the libraries and fonts that came with the browser, if ours; the machine's fonts go first."""
    if binary.parent != _UNPACKED:
        return {}
    fonts = folder / "fonts.conf"
    fonts.write_text(
        '<?xml version="1.0"?><fontconfig><include ignore_missing="yes">/etc/fonts/fonts.conf</include>'
        f"<dir>{_UNPACKED / 'fonts'}</dir><cachedir>{folder}</cachedir></fontconfig>"
    )
    libraries = f"{_UNPACKED / 'lib'}:{_UNPACKED}"
    return {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(fonts)}
