"""Functions of texts ("String functions for ARM templates")."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, unquote, urljoin

from vpngw_iac.simulator.templates import hashes
from vpngw_iac.simulator.templates.checks import arguments, as_text, texts
from vpngw_iac.simulator.templates.errors import NotSimulatedFunction, TemplateError, wrong_arguments
from vpngw_iac.simulator.templates.limits import LARGEST, too_large

_HOLE = re.compile(r"\{\{|\}\}|\{(\d+)(?::([^}]*))?\}")


def _format(found: Sequence[Any]) -> str:
    """Composite formatting of .NET, as far as templates use it."""
    if not found or not isinstance(found[0], str):
        raise wrong_arguments("format", "the first argument must be a format string.")
    pattern, *values = found

    def filled(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if int(match[1]) >= len(values):
            raise wrong_arguments("format", f"the format item '{match[0]}' has no argument.")
        return _formatted(values[int(match[1])], match[2] or "")

    return _HOLE.sub(filled, pattern)


def _formatted(value: Any, how: str) -> str:
    if not how:
        return as_text(value)
    if re.match(r"[A-Za-z]\d{3}", how):
        raise wrong_arguments("format", f"the format '{how[:40]}' is too long.")
    if isinstance(value, int) and not isinstance(value, bool):
        if re.fullmatch(r"0+", how):
            return f"{value:0{len(how)}d}"
        if (digits := re.fullmatch(r"[dD](\d*)", how)) is not None:
            return f"{value:0{int(digits[1] or 1)}d}"
        if (digits := re.fullmatch(r"([xX])(\d*)", how)) is not None:
            return f"{value:0{int(digits[2] or 1)}{digits[1]}}"
        if (digits := re.fullmatch(r"[nN](\d*)", how)) is not None:
            return f"{value:,.{int(digits[1] or 2)}f}"
    raise NotSimulatedFunction(f"format with '{how}'")


def _pad_left(found: Sequence[Any]) -> str:
    value, length, *fill = arguments("padLeft", found, None, int, str, least=2)
    if length > LARGEST:
        raise too_large()
    if fill and len(fill[0]) != 1:
        raise wrong_arguments("padLeft", "the padding must be one character.")
    return as_text(value).rjust(length, fill[0] if fill else " ")


def _split(found: Sequence[Any]) -> list[str]:
    text, marks = arguments("split", found, str, None)
    marks = [marks] if isinstance(marks, str) else marks
    if not isinstance(marks, list) or not all(isinstance(mark, str) and mark for mark in marks):
        raise wrong_arguments("split", "the delimiter must be a string or an array of strings.")
    return re.split("|".join(map(re.escape, marks)), text)


def _substring(found: Sequence[Any]) -> str:
    text, start, *length = arguments("substring", found, str, int, int, least=2)
    end = start + length[0] if length else len(text)
    if start < 0 or end < start or end > len(text):
        raise TemplateError(
            "The template language function 'substring' parameters are not valid: 'index' and 'length' must refer to "
            f"a location within the string. The function parameters: 'index' '{start}', 'length' '{end - start}'; the "
            f"length of the string parameter: '{len(text)}'. Please see https://aka.ms/arm-functions for usage details."
        )
    return str(text[start:end])


def _decoded(name: str, found: Sequence[Any]) -> str:
    (text,) = arguments(name, found, str)
    try:
        return base64.b64decode(text, validate=True).decode()
    except ValueError:
        raise wrong_arguments(name, "the argument is not base64 of a text.") from None


def _json(found: Sequence[Any]) -> Any:
    (text,) = arguments("json", found, str)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        raise wrong_arguments("json", "the argument is not a valid JSON text.") from None


def _join(found: Sequence[Any]) -> str:
    values, mark = arguments("join", found, list, str)
    return str(mark).join(as_text(value) for value in values)


def _about(name: str, does: Callable[[str, str], Any]) -> Callable[[Sequence[Any]], Any]:
    """A function of two texts; Azure compares texts without case here."""

    def called(found: Sequence[Any]) -> Any:
        text, part = arguments(name, found, str, str)
        return does(text.lower(), part.lower())

    return called


def _one(name: str, does: Callable[[str], Any]) -> Callable[[Sequence[Any]], Any]:
    def called(found: Sequence[Any]) -> Any:
        (text,) = arguments(name, found, str)
        return does(text)

    return called


def _replace(found: Sequence[Any]) -> str:
    text, old, new = arguments("replace", found, str, str, str)
    if not old:
        raise wrong_arguments("replace", "the text to look for must not be empty.")
    if text.count(old) * len(new) > LARGEST:
        raise too_large()
    return str(text.replace(old, new))


def _uri(found: Sequence[Any]) -> str:
    base, relative = arguments("uri", found, str, str)
    try:
        return str(urljoin(base, relative))
    except ValueError:
        raise wrong_arguments("uri", "the arguments make no valid URI.") from None


FUNCTIONS: Mapping[str, Callable[[Sequence[Any]], Any]] = {
    "base64": _one("base64", lambda text: base64.b64encode(text.encode()).decode()),
    "base64tojson": lambda found: _json([_decoded("base64ToJson", found)]),
    "base64tostring": lambda found: _decoded("base64ToString", found),
    "endswith": _about("endsWith", str.endswith),
    "format": _format,
    "guid": lambda found: hashes.guid(texts("guid", found)),
    "join": _join,
    "json": _json,
    "padleft": _pad_left,
    "replace": _replace,
    "split": _split,
    "startswith": _about("startsWith", str.startswith),
    "string": lambda found: as_text(arguments("string", found, None)[0]),
    "substring": _substring,
    "tolower": _one("toLower", str.lower),
    "toupper": _one("toUpper", str.upper),
    "trim": _one("trim", str.strip),
    "uniquestring": lambda found: hashes.unique_string(texts("uniqueString", found)),
    "uri": _uri,
    "uricomponent": _one("uriComponent", lambda text: quote(text, safe="~()*!.'-_")),
    "uricomponenttostring": _one("uriComponentToString", unquote),
}
