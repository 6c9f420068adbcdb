"""Markdown that fits: what is too long for a page is cut at a line, with everything closed that was open."""

from __future__ import annotations

import re
from collections.abc import Callable

SUMMARY_BYTES = 900 * 1024
"""GitHub drops a step's summary whole above 1 MiB
(https://docs.github.com/actions/reference/workflows-and-actions/workflow-commands, step isolation and limits)."""

COMMENT_CHARACTERS = 60_000
"""GitHub refuses a comment above 65,536 characters; the markers and what is added later need room too."""

_FENCE = re.compile(r"(`{3,})(?:\w+)?")


def in_bytes(text: str) -> int:
    """The size of a text as UTF-8."""
    return len(text.encode("utf-8", "surrogatepass"))


def limited(text: str, most: int, note: str, size: Callable[[str], int] = len) -> str:
    """The text, or as many whole lines of it as fit with the `note`; open fences and ``<details>`` are closed."""
    if size(text) <= most:
        return text
    kept: list[str] = []
    room = most - size(f"\n{note}\n")
    opened = _Open()
    for line in text.split("\n"):
        after = opened.after(line)
        if size(line) + 1 + size(after.closing) > room:
            break
        kept.append(line)
        room -= size(line) + 1
        opened = after
    return "\n".join(kept) + opened.closing + f"\n{note}\n"


class _Open:
    """What is open at the end of a line: a fence of code, and so many ``<details>``."""

    def __init__(self, fence: str = "", details: int = 0) -> None:
        self._fence, self._details = fence, details

    def after(self, line: str) -> _Open:
        """What is open after one more line."""
        if self._fence:
            return _Open("" if line == self._fence else self._fence, self._details)
        if match := _FENCE.fullmatch(line):
            return _Open(match[1], self._details)
        return _Open("", max(0, self._details + line.count("<details>") - line.count("</details>")))

    @property
    def closing(self) -> str:
        """The lines that close it."""
        return (f"\n{self._fence}" if self._fence else "") + "\n\n</details>" * self._details + "\n"
