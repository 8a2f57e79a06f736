"""What all tests share."""

from __future__ import annotations

import os
import signal

from hypothesis import HealthCheck, settings

# Time is no property of what is tested: a busy machine, or the tables of characters that hypothesis makes at
# its first use in a fresh clone, must not fail a test. What has to be fast is measured by `make bench`.
# The default tests have to end within minutes: `make test-all` asks for more examples.
settings.register_profile(
    "unhurried",
    deadline=None,
    max_examples=int(os.environ.get("DATALEDGER_EXAMPLES", "30")),
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("unhurried")

# A shell starts what runs in the background with Ctrl-C ignored, and programs under test would inherit that.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
