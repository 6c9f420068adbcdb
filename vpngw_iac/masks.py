"""Values that nothing may show, in every form in which somebody may repeat them: one memory for a whole run."""

from __future__ import annotations

import base64
import dataclasses
import json
import re
import threading
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar, cast
from urllib.parse import quote, quote_plus

T = TypeVar("T")

STARS = "***"
WHOLE = 6
"""Characters from which on a value is masked wherever it stands. A shorter one would take words apart."""
QUOTED = 3
"""Values of so few characters are masked between quotes only: everything else would be full of stars."""


class Masks:
    """Every secret value that was resolved, made or echoed in a run. Safe between threads; it never shows itself."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        self._guard = threading.Lock()
        self._values: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self.add(*values)

    def __repr__(self) -> str:
        return f"Masks({len(self._values)})"

    def __iter__(self) -> Iterator[str]:
        """The values, for other masks only."""
        with self._guard:
            return iter(tuple(self._values))

    def add(self, *values: str) -> None:
        """From now on nobody sees these."""
        with self._guard:
            fresh = {value for value in values if value and not value.isspace()} - self._values
            if fresh:
                self._values |= fresh
                self._pattern = None

    def scrub(self, text: str) -> str:
        """The text without any of the values, also where they stand in JSON, in a URL, in HTML or in base64."""
        pattern = self._compiled()
        return text if pattern is None or not text else pattern.sub(STARS, text)

    def silence(self, error: BaseException) -> None:
        """Put stars into an exception, into what it says to people, and into what it was raised from."""
        left, known = [error], set[int]()
        while left:
            each = left.pop()
            if id(each) in known:
                continue
            known.add(id(each))
            each.args = self.scrubbed(each.args)
            each.__dict__.update(self.scrubbed(each.__dict__))
            if isinstance(each, OSError) and isinstance(each.strerror, str):
                each.strerror = self.scrub(each.strerror)
            left += [found for found in (each.__cause__, each.__context__) if found is not None]
            left += each.exceptions if isinstance(each, BaseExceptionGroup) else ()

    def scrubbed(self, value: T) -> T:
        """The same value without secrets in its texts: collections and dataclasses are looked through."""
        return cast("T", self._scrubbed(value))

    def _scrubbed(self, value: Any) -> Any:
        if type(value) is str:
            return self.scrub(value)
        if type(value) in (list, tuple, set, frozenset):
            made = type(value)(map(self._scrubbed, value))
            return made if made != value else value
        if type(value) is dict:
            return {key: self._scrubbed(inner) for key, inner in value.items()}
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            held = {each.name: getattr(value, each.name) for each in dataclasses.fields(value) if each.init}
            changed = {name: new for name, old in held.items() if (new := self._scrubbed(old)) != old}
            return dataclasses.replace(value, **changed) if changed else value
        return value

    def _compiled(self) -> re.Pattern[str] | None:
        with self._guard:
            if self._pattern is None and self._values:
                found = {alternative for value in self._values for alternative in _alternatives(value)}
                # The longest first: a value may be part of another one.
                self._pattern = re.compile("|".join(sorted(found, key=lambda each: (-len(each), each))))
            return self._pattern


def _alternatives(value: str) -> Iterator[str]:
    """Patterns of one value."""
    short = len(value.strip())
    for form in _forms(value):
        text = _any_hex(form)
        if short >= WHOLE:
            yield text
        elif short > QUOTED:
            yield rf"(?<![0-9A-Za-z]){text}(?![0-9A-Za-z])"
        else:
            yield rf"(?<=[\"'`]){text}(?=[\"'`])"
    if short >= WHOLE:
        yield from map(re.escape, _encoded(value))


def _forms(value: str) -> set[str]:
    """As it is; on one line, as messages are; and as it stands in JSON (.NET's too), in URLs, HTML and Python."""
    import html

    plain = {value, value.strip(), " ".join(value.split()), *_lines(value)}
    found = set(plain)
    for each in plain:
        inner = json.dumps(each, ensure_ascii=False)[1:-1]
        ascii_only = json.dumps(each)[1:-1]
        found |= {inner, ascii_only, inner.replace("/", "\\/"), ascii_only.replace("/", "\\/")}
        found |= {json.dumps(inner)[1:-1], _dotnet(each)}
        found |= {quote(each, safe=""), quote(each), quote_plus(each), quote(quote(each, safe=""), safe="")}
        found |= {html.escape(each), html.escape(each, quote=False), repr(each)[1:-1]}
    return {each for each in found if each}


def _lines(value: str) -> Iterator[str]:
    """Lines of a value of several; the long ones, which are secret by themselves."""
    yield from (line.strip() for line in value.splitlines() if len(line.strip()) >= 2 * WHOLE)


def _dotnet(value: str) -> str:
    """As System.Text.Json escapes: everything that could mean something in HTML."""
    inner = json.dumps(value)[1:-1].replace('\\"', "\\u0022")
    return re.sub("[&<>'+`]", lambda found: f"\\u{ord(found[0]):04X}", inner)


def _any_hex(form: str) -> str:
    """The pattern of a form; the digits of its escapes in either casing (``%2f``, ``%2F``)."""
    escaped = re.escape(form)
    both = r"%[0-9A-F]{2}|(?<=\\u)[0-9A-Fa-f]{4}"
    return re.sub(both, lambda found: f"(?i:{found[0]})", escaped)


def _encoded(value: str) -> Iterator[str]:
    """In base64, alone (with or without padding) or inside something longer, at each of its three beginnings."""
    data = value.encode()
    for skipped in range(3):
        whole = base64.b64encode(b"\0" * skipped + data).decode()
        first = -(-skipped * 8 // 6)
        certain = whole[first : (skipped + len(data)) * 8 // 6]
        if len(certain) >= WHOLE:
            yield certain
            yield certain.replace("+", "-").replace("/", "_")
    alone = base64.b64encode(data).decode()
    for each in (alone, alone.rstrip("=")):
        yield each
        yield each.replace("+", "-").replace("/", "_")
