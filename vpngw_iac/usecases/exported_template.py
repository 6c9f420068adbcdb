"""An exported resource group: a template whose resources have expressions where documents have ids."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from vpngw_iac.arm import ArmId, InvalidArmId

_TOKEN = re.compile(r"\s*(?:'((?:[^']|'')*)'|([A-Za-z]\w*)\s*\(|([(),]))")


class _Unknown(Exception):
    """An expression that says something else than names and ids."""


def is_template(value: Any) -> bool:
    """Whether a document is a template."""
    return isinstance(value, Mapping) and "$schema" in value and isinstance(value.get("resources"), list)


def documents_of(template: Mapping[str, Any], home: ArmId) -> Iterator[dict[str, Any]]:
    """The resources of a template as documents of a resource group; what cannot be told is left as it is."""
    parameters = {
        name: said.get("defaultValue")
        for name, said in (template.get("parameters") or {}).items()
        if isinstance(said, Mapping)
    }
    reader = _Reader(parameters, home)
    for resource in template["resources"]:
        whole = reader.value({k: v for k, v in resource.items() if k not in ("apiVersion", "dependsOn", "scale")})
        try:
            identity = reader.identity(str(whole.get("type")), str(whole.get("name")))
        except InvalidArmId:
            continue
        yield {**whole, "id": str(identity), "name": identity.name}


class _Reader:
    """Works out expressions: ``parameters``, ``resourceId`` and ``concat``, which is all that exports use."""

    def __init__(self, parameters: Mapping[str, Any], home: ArmId) -> None:
        self._parameters, self._home = parameters, home

    def identity(self, arm_type: str, name: str) -> ArmId:
        """Id of a resource of the group; names of children are joined by slashes."""
        return ArmId.build(self._home.subscription, self._home.name, arm_type, *name.split("/"))

    def value(self, value: Any) -> Any:
        """A value with its expressions worked out."""
        if isinstance(value, Mapping):
            return {name: self.value(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, str) and value.startswith("[") and value.endswith("]") and not value.startswith("[["):
            try:
                return self._expression(value[1:-1])
            except (_Unknown, InvalidArmId):
                return value
        return value

    def _expression(self, text: str) -> Any:
        tokens = [(m[1], m[2], m[3]) for m in _TOKEN.finditer(text)]
        if "".join(m[0] for m in _TOKEN.finditer(text)).strip() != text.strip():
            raise _Unknown
        found, rest = self._term(tokens)
        if rest:
            raise _Unknown
        return found

    def _term(self, tokens: list[tuple[str | None, str | None, str | None]]) -> tuple[Any, list[Any]]:
        if not tokens:
            raise _Unknown
        (literal, function, _), *rest = tokens
        if function is None:
            if literal is None:
                raise _Unknown
            return literal.replace("''", "'"), rest
        arguments: list[Any] = []
        while rest and rest[0][2] != ")":
            if rest[0][2] == ",":
                rest = rest[1:]
            argument, rest = self._term(rest)
            arguments.append(argument)
        return self._called(function.lower(), arguments), rest[1:]

    def _called(self, function: str, arguments: list[Any]) -> Any:
        if function == "parameters" and arguments and arguments[0] in self._parameters:
            return self._parameters[arguments[0]]
        if function == "concat":
            return "".join(map(str, arguments))
        if function == "resourceid" and len(arguments) > 1:
            return str(self.identity(str(arguments[0]), "/".join(map(str, arguments[1:]))))
        raise _Unknown
