r"""What people and Azure wrote, made harmless before it is shown.

A name, a tag, a reason or a message may hold line breaks, terminal codes, characters that turn the direction of a line
or that nobody sees, and commands to the runner of a pipeline. `plain` shows all of these as JSON writes them
(``\n``, ``\u001b``), so that one value is one line and looks like what it is. `neutral` does so everywhere in a
structure, and `report` for all that a report is given: it is the one place where values enter a report. `guarded` is
for a whole output: it keeps its line breaks and our own colours, and no line of it begins a command.

GitHub's runner obeys ``::command::`` at the beginning of a line, after spaces too, and ``##[command]`` anywhere in a
line (actions/runner, src/Runner.Common/ActionCommand.cs, TryParseV2 and TryParse); the agent of Azure DevOps
``##vso[command]`` (microsoft/azure-pipelines-agent, docs/preview/outputvariable.md).
"""

from __future__ import annotations

import copy
import dataclasses
import functools
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from typing import Any, ParamSpec, TypeVar, cast

T = TypeVar("T")
P = ParamSpec("P")

_MISLEADING = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f"  # C0 but for the line feed, DEL, C1
    "\u00ad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0"  # shown as nothing
    "\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"  # zero width, line separators, direction
    "\ufeff\ufff9-\uffff\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
    "\ud800-\udfff"  # half of a character
)
_JOINERS = r"(?<![^\x00-\x7f])[\u200c\u200d]|[\u200c\u200d](?![^\x00-\x7f])"
"""They belong between letters of some scripts and within emoji, never beside ASCII."""
_LEGACY = r"(?<=##)\[|(?<=##vso)\["
_WORDS = r"(?<!\S):(?=:[a-z][\w-]*(?:::|\s))"
"""A command that would begin a line if the text were wrapped before it."""

_IN_OUTPUT = f"(?i)[{_MISLEADING}]|{_JOINERS}|{_LEGACY}"
_IN_VALUE = f"(?i)[\n{_MISLEADING}]|{_JOINERS}|{_LEGACY}|{_WORDS}"
_COLOUR = r"(\x1b\[(?:0|(?:[12]|3[1-6])(?:;(?:[12]|3[1-6]))*)m)"
"""The codes that `Style.paint` writes, and no others."""
_COMMAND = r"(?m)^((?:[^\S\n]|\x1b\[[0-9;]*m)*):(?=:)"

_compiled = functools.cache(re.compile)
"""Patterns are compiled when the first text needs them: most texts are harmless at a glance."""


def plain(text: str) -> str:
    """A value as one line that looks like what it is."""
    harmless = text.isascii() and text.isprintable() and "::" not in text and "##" not in text
    return text if harmless else _compiled(_IN_VALUE).sub(_escaped, text)


def guarded(text: str) -> str:
    """A whole output: line breaks and our own colours stay, everything else that misleads is shown as JSON writes it.

    Within a JSON document this changes no value.
    """
    harmless = text.isascii() and text.replace("\n", "").isprintable() and "##" not in text
    if not harmless and _compiled(_IN_OUTPUT).search(text):
        pieces = _compiled(_COLOUR).split(text)
        pieces[::2] = [_compiled(_IN_OUTPUT).sub(_escaped, piece) for piece in pieces[::2]]
        text = "".join(pieces)
    return _compiled(_COMMAND).sub(r"\1\\u003a", text) if "::" in text else text


def _escaped(match: re.Match[str]) -> str:
    import json  # only where something is wrong

    return f"\\u{ord(match[0]):04x}" if match[0] in "[:\x7f" else json.dumps(match[0])[1:-1]


def workflow_data(text: str) -> str:
    """Text as the data of a workflow command: what would end the line is encoded (actions/toolkit, command.ts)."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def logging_data(text: str) -> str:
    """The same for a logging command of Azure Pipelines, which encodes ``%`` in a way of its own."""
    return text.replace("%", "%AZP25").replace("\r", "%0D").replace("\n", "%0A")


# --- words -----------------------------------------------------------------------------------------------------------


MOST = 5
"""So many of several are named; the rest is counted."""


def listed(items: Iterable[object], separator: str = ", ", *, most: int = MOST) -> str:
    """``a, b and 3 more``, in the order given."""
    texts = [str(item) for item in items]
    return separator.join(texts[:most]) + (f" and {len(texts) - most} more" if len(texts) > most else "")


def plural(count: int, noun: str) -> str:
    """``1 operation``, ``3 operations``."""
    many = noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
    return f"{count} {noun if count == 1 else many}"


_SPELLED = {
    "vpn": "VPN", "ip": "IP", "nat": "NAT", "bgp": "BGP", "vnet": "VNet", "ipsec": "IPsec",
    "express route": "ExpressRoute",
}  # fmt: skip


def in_words(noun: str) -> str:
    """``VpnConnection`` as people say it: ``VPN connection``."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", noun).lower()
    return re.sub(rf"\b({'|'.join(_SPELLED)})\b", lambda word: _SPELLED[word[0]], words)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word that was probably meant, or an empty text; casing does not count."""
    from difflib import get_close_matches  # only where something is wrong

    folded = {name.lower(): name for name in sorted(known)}
    return next((folded[name] for name in get_close_matches(word.lower(), folded, n=1)), "")


def suggestion(word: str, known: Iterable[str]) -> str:
    """``Did you mean 'sku'?``, or nothing if no known word is close."""
    close = nearest(word, known)
    return f"Did you mean {close!r}?" if close else ""


def suggestion_among(word: str, known: Iterable[str], nothing: str) -> str:
    """The same; where no known word is close ``It has: berlin, oslo.``, or `nothing`."""
    every = sorted(known)
    return suggestion(word, every) or f"It has: {listed(every) or nothing}."


# --- structures ------------------------------------------------------------------------------------------------------


def neutral(value: T) -> T:
    """The same value with every text in it made plain; what needs nothing is returned as it is."""
    return cast("T", _neutral(value))


def _neutral(value: Any) -> Any:
    if isinstance(value, str):
        return value if isinstance(value, Enum) else plain(value)
    if value is None or isinstance(value, int | float | Enum):
        return value
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple | set | frozenset):
        return _collection(value)
    if isinstance(value, Iterator):
        return map(_neutral, value)
    return _thing(value)


def _mapping(value: Mapping[Any, Any]) -> Mapping[Any, Any]:
    made = {_neutral(key): _neutral(item) for key, item in value.items()}
    same = all(new is item and key is old for (old, item), (key, new) in zip(value.items(), made.items(), strict=False))
    return value if same and len(made) == len(value) else made


def _collection(value: Any) -> Any:
    made = [_neutral(item) for item in value]
    if all(new is old for new, old in zip(made, value, strict=True)):
        return value
    return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)


def _thing(value: Any) -> Any:
    """An ARM id, a dataclass, a model or an error: a copy whose fields are neutral, made without judging them again."""
    from vpngw_iac.arm import ArmId

    if isinstance(value, ArmId):
        text = plain(value.text)
        return value if text == value.text else ArmId(text)
    if isinstance(value, BaseException):
        names: tuple[str, ...] = tuple(value.__dict__)
    else:
        names = _fields(value.__class__)
    changed = {name: new for name in names if (new := _neutral(old := getattr(value, name))) is not old}
    if not changed:
        return value
    if isinstance(value, BaseException):
        twin: Any = type(value).__new__(type(value), *value.args)
        twin.__dict__.update(value.__dict__)
    else:
        twin = copy.copy(value)
    for name, new in changed.items():
        object.__setattr__(twin, name, new)
    return twin


@functools.cache
def _fields(kind: type) -> tuple[str, ...]:
    """Names of what a value of this kind holds; nothing for what is neither a dataclass nor a model."""
    if dataclasses.is_dataclass(kind):
        return tuple(field.name for field in dataclasses.fields(kind))
    return tuple(getattr(kind, "model_fields", ()))


def report(function: Callable[P, str]) -> Callable[P, str]:
    """A report: everything that it is given is made neutral, and what it says is guarded."""

    @functools.wraps(function)
    def neutralised(*args: P.args, **kwargs: P.kwargs) -> str:
        told = [_neutral(value) for value in args]
        return guarded(function(*told, **{name: _neutral(value) for name, value in kwargs.items()}))

    return neutralised


def duration(seconds: float) -> str:
    """``40 s``, ``10 min``, ``3 h``, ``2 days``."""
    for unit, word in ((86_400.0, "days"), (3600.0, "h"), (60.0, "min")):
        if seconds >= 2 * unit:
            return f"{seconds / unit:.0f} {word}"
    return f"{max(1.0, seconds):.0f} s"
