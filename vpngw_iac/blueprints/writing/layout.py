"""Python source as a formatter would leave it: one line where it fits, else one entry a line with a trailing comma."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import field

from vpngw_iac.late_dataclass import dataclass

WIDTH = 88
"""What formatters take if nobody says otherwise."""


@dataclass(frozen=True, slots=True)
class Expression:
    """An atom (`text`), or a bracket with entries, each with what stands before it and perhaps a comment above."""

    text: str
    closing: str = ""
    entries: tuple[Argument, ...] = field(default=())

    @property
    def flat(self) -> str | None:
        """On one line; None where a comment needs lines of its own."""
        parts = []
        for entry in self.entries:
            inner = entry.value.flat
            if inner is None or entry.comment:
                return None
            parts.append(entry.before + inner)
        return self.text + ", ".join(parts) + self.closing

    def lines(self, first: str, last: str, indent: str) -> list[str]:
        """The expression after `first` and before `last`, exploded where it does not fit."""
        flat = self.flat
        if flat is not None and (not self.entries or len(indent + first + flat + last) <= WIDTH):
            return [f"{indent}{first}{flat}{last}"]
        found = [f"{indent}{first}{self.text}"]
        for entry in self.entries:
            found += comment_lines(entry.comment, indent + "    ")
            found += entry.value.lines(entry.before, ",", indent + "    ")
        return [*found, f"{indent}{self.closing}{last}"]


@dataclass(frozen=True, slots=True)
class Argument:
    """One entry of a bracket."""

    value: Expression
    before: str = ""
    comment: tuple[str, ...] = ()


def call(name: str, arguments: Iterable[Argument]) -> Expression:
    """``name(...)``."""
    return Expression(f"{name}(", ")", tuple(arguments))


def listed(entries: Iterable[Argument], brackets: str = "[]") -> Expression:
    """``[...]``, or another bracket; a tuple of one keeps its comma."""
    found = tuple(entries)
    return Expression(brackets[0], brackets[1], found)


def text(value: str) -> Expression:
    """A string literal: the quotes of which it has fewer, and what misleads the eye escaped."""
    quote = "'" if value.count('"') > value.count("'") else '"'
    return Expression(quote + "".join(_escaped(c, quote) for c in value) + quote)


def _escaped(character: str, quote: str) -> str:
    if character in ("\\", quote):
        return f"\\{character}"
    if character.isprintable():
        return character
    if character == "\n":
        return "\\n"
    number = ord(character)
    return f"\\x{number:02x}" if number < 256 else f"\\u{number:04x}" if number < 65536 else f"\\U{number:08x}"


def comment_lines(sentences: Sequence[str], indent: str = "") -> list[str]:
    """Sentences as comments, each begun on a line of its own."""
    width = max(WIDTH - len(indent), 40)
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            "".join(c if c.isprintable() else " " for c in sentence),
            width,
            initial_indent=f"{indent}# ",
            subsequent_indent=f"{indent}# ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]
