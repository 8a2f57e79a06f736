"""What shapes are made of: digits, times, and resources under the digests that belong to them.

Source: docs/formats.md section 4. Everything here raises FormatError and says what was expected and found.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime

from ledger.core import digests
from ledger.core.errors import FormatError
from ledger.core.names import is_asset, parse_version
from ledger.core.record_parts import HEX_PATTERN, TIME_PATTERN, Resource
from ledger.core.text import shown

_hex = re.compile(HEX_PATTERN.strip("^$")).fullmatch
_time = re.compile(TIME_PATTERN.strip("^$")).fullmatch


def check_hex(text: str, what: str) -> None:
    """Refuse anything but 32 bytes in lower-case hex."""
    if _hex(text) is None:
        raise FormatError(f"{what}: expected 64 lower-case hex digits, got {shown(text)}")


def check_time(text: str, what: str) -> None:
    """Refuse anything but an RFC 3339 time in UTC, at most nine decimals, whose date exists."""
    try:
        if _time(text) is not None:
            datetime.fromisoformat(text)
            return
    except ValueError:
        pass  # the pattern holds, the date does not exist
    raise FormatError(f"{what}: expected a time such as 2025-01-31T12:00:00Z, got {shown(text)}")


def sole(subject: Sequence[Resource], what: str) -> tuple[str, str, str]:
    """Give the one subject's name, digest name and digest."""
    if len(subject) != 1:
        raise FormatError(f"{what}: expected one subject, got {len(subject)}")
    return parts_of(subject[0])


def parts_of(resource: Resource) -> tuple[str, str, str]:
    """Give a resource's name, digest name and digest."""
    ((digest_name, digest),) = resource.digest.items()
    return resource.name, digest_name, digest


def check_asset_resource(ledger: str, name: str, digest_name: str, digest: str) -> None:
    """Refuse a resource unless it is an asset under its own digest, which binds it to this ledger."""
    if not is_asset(name) or digest_name != digests.ASSET:
        raise FormatError(
            f"expected an asset with digest {digests.ASSET}, got {shown(name)} with {shown(digest_name)}"
        )
    expected = digests.asset_digest(bytes.fromhex(ledger), name)
    if digest != expected:
        raise FormatError(f"{name}: expected {digests.ASSET} {expected}, got {digest}")


def check_content(name: str, digest_name: str) -> None:
    """Refuse a digest that identifies no content."""
    if digest_name not in digests.CONTENT_DIGESTS:
        raise FormatError(
            f"{shown(name)}: expected one of {', '.join(digests.CONTENT_DIGESTS)}, got {shown(digest_name)}"
        )


def check_asset_or_version(ledger: str, each: Resource) -> None:
    """Refuse a resource unless it is an asset under its own digest, or a version with a content digest."""
    name, digest_name, digest = parts_of(each)
    if digest_name == digests.ASSET:
        check_asset_resource(ledger, name, digest_name, digest)
    else:
        parse_version(name)
        check_content(name, digest_name)


def check_unique(items: Sequence[object], what: str) -> None:
    """Refuse a list in which something stands twice."""
    if len(items) > 1 and len(set(items)) != len(items):
        raise FormatError(f"{what}: expected each once")
