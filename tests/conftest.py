"""What all tests share."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# Time is no property of what is tested: a busy machine, or the tables of characters that hypothesis makes at
# its first use in a fresh clone, must not fail a test. What has to be fast is measured by `make bench`.
settings.register_profile("unhurried", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
