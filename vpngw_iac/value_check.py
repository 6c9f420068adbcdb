"""What callers of the library give, checked where it comes in: a wrong value is a `UsageError`, never a traceback."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from vpngw_iac.errors import UsageError

P = ParamSpec("P")
R = TypeVar("R")

_TEXTS = "a text", lambda v: isinstance(v, str)
_SEVERAL = "a list of texts", lambda v: isinstance(v, list | tuple) and all(isinstance(text, str) for text in v)
_PATHS = "a path", lambda v: isinstance(v, str | Path)
_SWITCHES = "True or False", lambda v: isinstance(v, bool)
_FUNCTIONS = "a function", callable
_SECONDS = "a number of seconds", lambda v: _is_number(v) and v >= 0
_BLUEPRINTS = "a blueprint", lambda v: not isinstance(v, type) and hasattr(v, "name") and _is_source(v)
_PLANNABLE = "a blueprint or a plan", lambda v: not isinstance(v, type) and (hasattr(v, "graph") or _BLUEPRINTS[1](v))
_EXPECTED: dict[str, tuple[str, Callable[[Any], bool]]] = {
    **dict.fromkeys(("cloud", "subscription", "tenant", "resource_group", "state", "deployment"), _TEXTS),
    **dict.fromkeys(("simulator_dir", "profile", "max_outage", "verify_keys", "not_before", "not_after"), _TEXTS),
    **dict.fromkeys(("allowed_subscriptions", "allowed_tenants"), _SEVERAL),
    **dict.fromkeys(("directory", "secret_directory"), _PATHS),
    **dict.fromkeys(("on_notice", "on_event", "confirm"), _FUNCTIONS),
    **dict.fromkeys(("timeout", "lock_timeout"), _SECONDS),
    **dict.fromkeys(("deep", "verify", "detach"), _SWITCHES),
    **dict.fromkeys(("blueprint", "blueprints"), _BLUEPRINTS),
    "what": _PLANNABLE,
    "simulator_speed": ("a number above 0", lambda v: _is_number(v) and v > 0),
    "environment": (
        "a mapping of texts",
        lambda v: isinstance(v, Mapping) and all(isinstance(t, str) for pair in v.items() for t in pair),
    ),
    "options": ("Options(...)", lambda v: hasattr(v, "max_outage")),
    "document": ("the mapping of a saved plan or graph", lambda v: isinstance(v, Mapping)),
    "file": ("a path or a loaded file", lambda v: isinstance(v, str | Path) or hasattr(v, "path")),
    "credential": ("a credential of azure-identity", lambda v: hasattr(v, "get_token")),
    "simulator": ("a Simulator", lambda v: hasattr(v, "send")),
    "clock": ("a clock", lambda v: hasattr(v, "utc")),
    "settings": ("a SettingsSource", lambda v: hasattr(v, "home")),
    "stop": ("a Stop", lambda v: hasattr(v, "ends")),
}
"""By the name of a parameter, which means the same everywhere: what is taken, and whether a value is that."""


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_source(value: Any) -> bool:
    return callable(getattr(value, "resources", None))


def check(name: str, value: Any) -> None:
    """Raise `UsageError` if a value is not what a parameter of that name takes; the value itself is not shown."""
    takes, holds = _EXPECTED.get(name, ("", bool))
    if not takes or holds(value):
        return
    is_number = _is_number(value)
    got = str(value) if value is None or is_number else f"the class {value.__name__}" if isinstance(value, type) else ""
    advice = f"Give {takes}."
    if takes.startswith("a blueprint"):
        advice = 'Give a blueprint; that of a file is load("hub.py").blueprint.'
    raise UsageError(f"{name} takes {takes}, got {got or f'a value of type {type(value).__name__}'}.", advice=advice)


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The same function; each value that it is given is checked by the name of its parameter, None where it may be."""
    whole = inspect.signature(function)

    @functools.wraps(function)
    def call(*args: P.args, **values: P.kwargs) -> R:
        try:
            given = whole.bind(*args, **values).arguments
        except TypeError:
            return function(*args, **values)  # Python's own words for a call that cannot be
        for name, value in given.items():
            parameter = whole.parameters[name]
            for each in value if parameter.kind is parameter.VAR_POSITIONAL else (value,):
                if each is not None or parameter.default is not None:
                    check(name, each)
        return function(*args, **values)

    return call
