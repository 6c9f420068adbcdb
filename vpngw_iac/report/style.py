"""How text looks: a width, and colours by plain ANSI codes. Knows nothing of what is being said."""

from __future__ import annotations

import os
import re
import shutil
import textwrap
from collections.abc import Iterable, Mapping
from typing import IO

from vpngw_iac.late_dataclass import dataclass

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_CODES = {"red": "31", "green": "32", "yellow": "33", "blue": "34", "magenta": "35", "cyan": "36"}


@dataclass(frozen=True, slots=True)
class Style:
    """Without `colour` every text is returned as it came."""

    colour: bool = False
    width: int = 100

    def paint(self, text: str, *kinds: str) -> str:
        """Text in a colour (``red``, ``green``, ``yellow``, ``blue``, ``magenta``, ``cyan``), ``bold`` or ``dim``."""
        if not self.colour or not text:
            return text
        codes = [{"bold": "1", "dim": "2"}.get(kind) or _CODES[kind] for kind in kinds]
        return f"\x1b[{';'.join(codes)}m{text}\x1b[0m"

    def wrap(self, text: str, indent: str = "") -> list[str]:
        """Lines no longer than the width; an address or a path is never broken in two."""
        lines: list[str] = []
        for paragraph in text.splitlines() or [""]:
            lines += textwrap.wrap(
                paragraph,
                width=max(40, self.width),
                initial_indent=indent,
                subsequent_indent=indent,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [""]
        return lines


def style_for(stream: IO[str], *, no_color: bool = False, environment: Mapping[str, str] | None = None) -> Style:
    """The style of a stream: colours on a terminal unless ``--no-color``, ``NO_COLOR`` or ``CI`` say otherwise."""
    variables = os.environ if environment is None else environment
    terminal = is_terminal(stream)
    plain = no_color or bool(variables.get("NO_COLOR")) or bool(variables.get("CI")) or variables.get("TERM") == "dumb"
    width = min(120, max(60, shutil.get_terminal_size((100, 24)).columns)) if terminal else 100
    return Style(colour=terminal and not plain, width=width)


def is_terminal(stream: IO[str]) -> bool:
    """Whether somebody watches this stream; a closed one is watched by nobody."""
    try:
        return stream.isatty()
    except ValueError:
        return False


def columns(rows: Iterable[tuple[str, ...]], indent: str = "", gap: int = 2, widest: int = 60) -> list[str]:
    """Rows with their cells aligned; the last cell is free, a cell wider than `widest` does not push the others."""
    table = [tuple(row) for row in rows]
    if not table:
        return []
    count = max(len(row) for row in table)
    widths = [
        max((size for row in table if len(row) > i + 1 and (size := visible(row[i])) <= widest), default=0)
        for i in range(count)
    ]
    return [(indent + "".join(_padded(row[:-1], widths, gap)) + row[-1]).rstrip() for row in table]


def visible(text: str) -> int:
    """Characters that a terminal shows of a text."""
    return len(_ANSI.sub("", text))


def _padded(cells: Iterable[str], widths: list[int], gap: int) -> Iterable[str]:
    for cell, width in zip(cells, widths, strict=False):
        yield cell + " " * max(gap, width + gap - visible(cell))
