"""What a comment or an issue of ours hides from its readers: whose it is, and what was decided.

A mark is an HTML comment, which GitHub keeps in the text and does not show. Anybody can write one: a mark is a way to
find our own text again, and to tell people what differs; it never permits anything.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import zlib
from collections.abc import Iterable
from urllib.parse import quote, unquote

from vpngw_iac.late_dataclass import dataclass

PLAN, DRIFT = "vpngw-plan", "vpngw-drift"
_MOST_TEXT = 8_000
"""Characters of the decisions in words; more are left out, and the digest alone is compared."""
_MOST_READ = 1_000_000
_DECIDED = re.compile(r"<!-- vpngw-decisions ([^ ]*) ([0-9a-f]{64}) ([A-Za-z0-9_=-]*) -->")


def mark(kind: str, name: str) -> str:
    """The line that a text of ours begins with."""
    return f"<!-- {kind} {quote(name, safe='')} -->"


@dataclass(frozen=True, slots=True)
class Decided:
    """What a plan of a deployment decided, as a comment keeps it."""

    deployment: str
    digest: str
    lines: tuple[str, ...] = ()
    """Each decision in words; empty where they were too many."""

    def dump(self) -> str:
        """As a mark."""
        packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(self.lines).encode(), 9)).decode()
        return f"<!-- vpngw-decisions {quote(self.deployment, safe='')} {self.digest} {_short(packed)} -->"


def decided_in(text: str) -> tuple[Decided, ...]:
    """Every such mark of a text."""
    return tuple(
        Decided(unquote(name), digest, tuple(_lines(packed))) for name, digest, packed in _DECIDED.findall(text)
    )


def _short(packed: str) -> str:
    return packed if len(packed) <= _MOST_TEXT else ""


def _lines(packed: str) -> Iterable[str]:
    try:
        unpacked = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed), _MOST_READ)
        found = json.loads(unpacked) if packed else []
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return []
    return [line for line in found if isinstance(line, str)] if isinstance(found, list) else []
