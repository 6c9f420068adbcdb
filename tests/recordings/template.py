"""Resources that a template deployment makes: the azure-cli creates connections in no other way.

Understands the few expressions that clients write (parameters, variables, resourceId, concat); a resource with any
other one is told as not understood.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from vpngw_iac.arm import ArmId

_REFERENCE = re.compile(r"^\[reference\(\s*'(?P<name>[^']+)'\s*\)\]$")
_CALL = re.compile(r"^(?P<name>\w+)\((?P<arguments>.*)\)(?P<rest>(\.\w+)*)$", re.DOTALL)


class NotUnderstood(Exception):
    """An expression that is not evaluated here."""


@dataclass(frozen=True, slots=True)
class Deployed:
    """One resource of a template."""

    id: ArmId
    body: dict[str, Any]


@dataclass(frozen=True, slots=True)
class _Scope:
    group: ArmId
    parameters: Mapping[str, Any]
    variables: Mapping[str, Any]


def resources(group: ArmId, deployment: Any) -> Iterator[Deployed | str]:
    """Every resource of a deployment's request body; a text for each that is not understood."""
    properties = deployment.get("properties") or {}
    template = properties.get("template") or {}
    given = {name: value.get("value") for name, value in (properties.get("parameters") or {}).items()}
    defaults = {name: value.get("defaultValue") for name, value in (template.get("parameters") or {}).items()}
    parameters = {name: given.get(name, default) for name, default in defaults.items()}
    scope = _Scope(group, parameters, template.get("variables") or {})
    for raw in template.get("resources") or ():
        try:
            yield _deployed(raw, scope)
        except (NotUnderstood, KeyError, AttributeError, TypeError) as error:
            yield f"{raw.get('type')} {raw.get('name')}: {type(error).__name__} {error}"


def outputs(deployment: Any) -> dict[str, str]:
    """Outputs that show a whole resource as a GET would: their names, and the names of the resources."""
    template = (deployment.get("properties") or {}).get("template") or {}
    found = {name: _REFERENCE.match(str(value.get("value"))) for name, value in (template.get("outputs") or {}).items()}
    return {name: match["name"] for name, match in found.items() if match}


def _deployed(raw: dict[str, Any], scope: _Scope) -> Deployed:
    plain = evaluated(raw, scope)
    names = str(plain["name"]).split("/")
    arm_id = ArmId.build(scope.group.subscription, str(scope.group.group), plain["type"], *names)
    about_the_template = {"type", "name", "apiVersion", "dependsOn", "condition", "copy", "comments", "resources"}
    return Deployed(arm_id, {key: value for key, value in plain.items() if key not in about_the_template})


def evaluated(value: Any, scope: _Scope) -> Any:
    """A copy with each expression replaced by its value."""
    if isinstance(value, dict):
        return {key: evaluated(item, scope) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluated(item, scope) for item in value]
    if isinstance(value, str) and value.startswith("[[") and value.endswith("]"):
        return value[1:]
    if isinstance(value, str) and value.startswith("[") and value.endswith("]"):
        return _evaluate(value[1:-1].strip(), scope)
    return value


def _evaluate(text: str, scope: _Scope) -> Any:
    if text.startswith("'") and text.endswith("'") and "'" not in text[1:-1].replace("''", ""):
        return text[1:-1].replace("''", "'")
    if re.fullmatch(r"-?\d+", text):
        return int(text)
    call = _CALL.match(text)
    if call is None:
        raise NotUnderstood(text)
    arguments = [_evaluate(part, scope) for part in _split(call["arguments"])]
    value = _apply(call["name"].lower(), arguments, scope)
    for name in filter(None, call["rest"].split(".")):
        value = value[name]
    return value


def _apply(name: str, arguments: list[Any], scope: _Scope) -> Any:
    match name:
        case "parameters" if arguments[0] in scope.parameters:
            return scope.parameters[arguments[0]]
        case "variables" if arguments[0] in scope.variables:
            return evaluated(scope.variables[arguments[0]], scope)
        case "concat" if all(isinstance(part, str) for part in arguments):
            return "".join(arguments)
        case "resourcegroup":
            return {"id": str(scope.group), "name": scope.group.group}
        case "subscription":
            return {"subscriptionId": scope.group.subscription}
        case "resourceid":
            first = next(index for index, part in enumerate(arguments) if "/" in part)
            outer = [scope.group.subscription, str(scope.group.group)]
            place = outer[: 2 - first] + arguments[:first] if first < 2 else arguments[:2]
            return str(ArmId.build(place[0], place[1], arguments[first], *arguments[first + 1 :]))
    raise NotUnderstood(f"{name}({', '.join(map(str, arguments))})")


def _split(text: str) -> list[str]:
    """Arguments at the outermost level."""
    parts, depth, quoted, start = [], 0, False, 0
    for index, letter in enumerate(text):
        if letter == "'":
            quoted = not quoted
        elif not quoted:
            depth += {"(": 1, "[": 1, ")": -1, "]": -1}.get(letter, 0)
            if letter == "," and depth == 0:
                parts.append(text[start:index].strip())
                start = index + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts
