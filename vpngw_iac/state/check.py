"""What a valid state is, in full: every invariant between the entries, and what may never be written into one.

Pure. Checked at each load and before each document is written; a state that breaks one of these is never written.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator, Mapping
from graphlib import CycleError, TopologicalSorter
from typing import Any

from pydantic import ValidationError

from vpngw_iac.arm import ArmId, InvalidArmId
from vpngw_iac.errors import UsageError
from vpngw_iac.paths import is_deeper, join
from vpngw_iac.resources import shape_at
from vpngw_iac.resources.shape import UNKNOWN, Shape
from vpngw_iac.secret import load_reference
from vpngw_iac.state.model import Entry, State

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9_-])?")
_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10))})
DEPTH = 60
"""Levels of a stored document; Azure's own have about ten."""
_HMAC = re.compile(r"[0-9a-f]{64}")
_SECRET_NAMES = frozenset({"sharedkey", "presharedkey", "radiusserversecret", "authorizationkey", "privatekey"})
"""Properties that hold a secret in Microsoft.Network; they count even where no type of ours describes the place."""


def is_safe_name(name: str) -> bool:
    """Whether a deployment's or a cloud's name can be the name of a folder (and of a blob) anywhere."""
    return _NAME.fullmatch(name) is not None and name.partition(".")[0].lower() not in _DEVICES


def checked_name(name: str, what: str = "deployment") -> str:
    """The name, if it can name a folder; raises `UsageError` that says what is allowed."""
    if not is_safe_name(name):
        raise UsageError(
            f"{name!r} cannot be the name of a {what}.",
            advice="Use at most 64 letters, digits, '-', '_' and '.'; begin with a letter or digit, end without '.'.",
        )
    return name


def check(state: State, previous: State | None = None) -> tuple[str, ...]:
    """Every broken invariant in one sentence each, in a stable order; empty for a valid state.

    `previous` is the document that this state follows: its lineage stays, its serial never grows smaller.
    """
    return tuple(
        problem for rule in (_identity, _addresses, _unique_ids, _needs, _cycle, _contents) for problem in rule(state)
    ) + tuple(_succession(state, previous) if previous else ())


def _identity(state: State) -> Iterator[str]:
    if not is_safe_name(state.deployment):
        yield f"The deployment {state.deployment!r} has no valid name."
    try:
        uuid.UUID(state.lineage)
    except ValueError:
        yield f"The lineage {state.lineage!r} is not a UUID."
    if state.serial < 0:
        yield f"The serial {state.serial} is negative."
    if not is_safe_name(state.binding.cloud):
        yield f"The binding names the cloud {state.binding.cloud!r}, which is not a name of a cloud."
    for field in ("endpoint", "tenant"):
        if not getattr(state.binding, field).strip():
            yield f"The binding names no {field}."


def _succession(state: State, previous: State) -> Iterator[str]:
    if state.lineage != previous.lineage:
        yield f"The lineage is {state.lineage}, the stored state's is {previous.lineage}: they are different states."
    elif state.serial < previous.serial:
        yield f"The serial {state.serial} is below the stored state's {previous.serial}: it is an older state."


def _addresses(state: State) -> Iterator[str]:
    for key, entry in sorted(state.entries.items()):
        if key != entry.address:
            yield f"The entry {key!r} says that its address is {entry.address!r}."
        kind, slash, rest = entry.address.partition("/")
        if not (kind and slash and rest):
            yield f"{entry.address!r} is not an address of the form Kind/name."


def _unique_ids(state: State) -> Iterator[str]:
    seen: dict[ArmId, str] = {}
    for key, entry in sorted(state.entries.items()):
        first = seen.setdefault(entry.id, key)
        if first != key:
            yield f"{first} and {key} have the same id {entry.id}."


def _needs(state: State) -> Iterator[str]:
    known = {entry.id for entry in state.entries.values()}
    for key, entry in sorted(state.entries.items()):
        for needed in entry.needs:
            if needed not in known:
                yield f"{key} needs {needed}, which is not an entry."


def _cycle(state: State) -> Iterator[str]:
    sorter = TopologicalSorter({entry.id: entry.needs for entry in state.entries.values()})
    try:
        sorter.prepare()
    except CycleError as error:
        by_id = state.by_id()
        around = [by_id[found].address if found in by_id else str(found) for found in reversed(error.args[1])]
        yield f"The entries need each other in a circle: {' needs '.join(around)}."


def _contents(state: State) -> Iterator[str]:
    for key, entry in sorted(state.entries.items()):
        yield from (f"{key} {problem}" for problem in check_entry(entry))


def check_entry(entry: Entry) -> Iterator[str]:
    """What is wrong with what stands in an entry's documents."""
    if any(is_deeper(value, DEPTH - 1) for value in (entry.applied, entry.overruled, entry.adopted)):
        yield f"is nested more than {DEPTH} levels deep."
        return
    shape = shape_at(entry.id.type)
    for path in (*_exposed(entry.applied, shape, ""), *_exposed_by_path(entry.overruled | entry.adopted, shape)):
        yield f"holds something at {path} that may be a secret's value."
    for path in _bad_outputs(entry.applied, ""):
        yield f"holds something at {path} that is not the name of an output."
    for path, said in sorted(entry.fingerprints.items()):
        if not ({"key", "hmac"} <= set(said) <= {"key", "hmac", "version"} and _HMAC.fullmatch(said["hmac"])):
            yield f"holds something at {path} that is not a fingerprint."


def _bad_outputs(value: Any, path: str) -> Iterator[str]:
    """Paths of marks that stand for an output and name none."""
    if isinstance(value, Mapping):
        inner = value.get("$output")
        if set(value) == {"$output"} and isinstance(inner, Mapping) and "source" in inner:
            yield from () if _is_output(inner) else (path,)
            return
        for name, item in value.items():
            yield from _bad_outputs(item, join(path, name))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _bad_outputs(item, f"{path}[{index}]")


def _is_output(inner: Mapping[str, Any]) -> bool:
    try:
        ArmId(inner["source"])
    except (InvalidArmId, AttributeError, TypeError):
        return False
    return isinstance(inner.get("path"), str)


def _exposed(value: Any, shape: Shape, path: str) -> Iterator[str]:
    """Paths of an applied document where a secret's value may stand."""
    if isinstance(value, Mapping):
        if "$secret" in value:
            yield from () if _is_reference(value) else (path,)
            return
        for name, item in value.items():
            place = join(path, name)
            if _is_secret_place(name, shape.at(name)) and not path.endswith("tags"):
                yield from () if item is None or _is_reference(item) else (place,)
            else:
                yield from _exposed(item, shape.at(name), place)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _exposed(item, shape.item or UNKNOWN, f"{path}[{index}]")
    elif isinstance(value, str) and "PRIVATE KEY-----" in value:
        yield path


def _exposed_by_path(values: Mapping[str, Any], shape: Shape) -> Iterator[str]:
    for path, value in values.items():
        *_, place = shape.along(path)
        name = re.sub(r"\[[^\]]*\]", "", path).rpartition(".")[2]
        if _is_secret_place(name, place):
            yield path
        else:
            yield from _exposed(value, place, path)


def _is_secret_place(name: str, shape: Shape) -> bool:
    return shape.write_only or name.lower() in _SECRET_NAMES


def _is_reference(value: Any) -> bool:
    """Whether it is a secret reference or the name of an output: nothing else may stand in a secret's place."""
    if not isinstance(value, Mapping) or len(value) != 1:
        return False
    ((tag, inner),) = value.items()
    if tag == "$output":
        return True
    if tag != "$secret" or not isinstance(inner, Mapping):
        return False
    try:
        load_reference(inner)
    except ValidationError:
        return False
    return True
