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
from collections.abc import Iterable, Iterator, Sequence
from itertools import takewhile
from urllib.parse import quote, unquote

from vpngw_iac.late_dataclass import dataclass

PLAN, DRIFT = "vpngw-plan", "vpngw-drift"
_MOST_MARKS = 24_000
"""Characters of all such marks of one comment, which has to show something too."""
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

    def dump(self, most: int = _MOST_TEXT) -> str:
        """As a mark, with the decisions in words where they take `most` characters or fewer."""
        packed = base64.urlsafe_b64encode(zlib.compress(json.dumps(self.lines).encode(), 9)).decode()
        words = packed if len(packed) <= most else ""
        return f"<!-- vpngw-decisions {quote(self.deployment, safe='')} {self.digest} {words} -->"


def dumped(plans: Sequence[Decided]) -> Iterator[str]:
    """The marks of one comment, each with its share of the room: digests before words, and none that does not fit."""
    room = _MOST_MARKS
    for decided in plans:
        text = decided.dump(min(_MOST_TEXT, _MOST_MARKS // len(plans)))
        room -= len(text)
        if room < 0:
            return
        yield text


def decided_in(text: str) -> tuple[Decided, ...]:
    """Every such mark that a text begins with: what names and values further down look like is no mark."""
    head = takewhile(lambda line: line.startswith("<!-- "), text.splitlines())
    found = (match for line in head if (match := _DECIDED.fullmatch(line)))
    return tuple(Decided(unquote(match[1]), match[2], tuple(_lines(match[3]))) for match in found)


def _lines(packed: str) -> Iterable[str]:
    try:
        unpacked = zlib.decompressobj().decompress(base64.urlsafe_b64decode(packed), _MOST_READ)
        found = json.loads(unpacked) if packed else []
    except (binascii.Error, zlib.error, ValueError, RecursionError):
        return []
    return [line for line in found if isinstance(line, str)] if isinstance(found, list) else []
