"""A template as Azure reads it: what it is made of, and the resources that it comes to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.templates import addresses
from vpngw_iac.simulator.templates.checks import is_type, type_name
from vpngw_iac.simulator.templates.errors import TemplateError
from vpngw_iac.simulator.templates.evaluation import Environment, Surroundings
from vpngw_iac.simulator.templates.limits import check_depth
from vpngw_iac.simulator.templates.parameters import parameter_values
from vpngw_iac.simulator.wire import Json

DEPLOYMENTS = "microsoft.resources/deployments"
GROUPS = "microsoft.resources/resourcegroups"
MOST_RESOURCES = 800
_SECTIONS = frozenset(
    {
        "$schema",
        "contentversion",
        "languageversion",
        "apiprofile",
        "metadata",
        "definitions",
        "parameters",
        "variables",
        "functions",
        "resources",
        "outputs",
        "extensions",
        "imports",
    }
)


@dataclass(frozen=True, slots=True)
class TemplateResource:
    """One resource that a template comes to: one turn of a loop, one child."""

    id: str
    type: str
    name: str
    version: str
    """The api-version."""
    told: Json
    """As the template says it, not worked out."""
    loops: Mapping[str, int]
    symbol: str = ""
    """Its name in a template whose resources are an object."""
    loop: str = ""
    """The loop that made it."""
    turn: int = 0
    batch: int = 0
    """Of a serial loop: how many turns may run at a time; none waits when it is 0."""
    existing: bool = False
    """Used, not deployed."""
    active: bool = True
    """Whether its condition holds."""

    @property
    def key(self) -> str:
        """The id in lower case."""
        return self.id.lower()

    @property
    def is_nested(self) -> bool:
        """Whether it is a deployment itself."""
        return self.type.lower() == DEPLOYMENTS


@dataclass(frozen=True, slots=True)
class Template:
    """A template's sections."""

    parameters: Mapping[str, Mapping[str, Any]]
    variables: Mapping[str, Any]
    functions: Mapping[str, Mapping[str, Any]]
    resources: Sequence[Json]
    outputs: Mapping[str, Mapping[str, Any]]

    @classmethod
    def read(cls, document: Any) -> Template:
        """From its JSON; raises `TemplateError` for what is no template."""
        if not isinstance(document, dict):
            raise TemplateError("The template is not a JSON object.")
        sections = {name.lower(): value for name, value in document.items()}
        if strange := [name for name in document if name.lower() not in _SECTIONS]:
            raise TemplateError(
                f"Could not find member '{strange[0]}' on object of type 'Template'. Path '{strange[0]}'."
            )
        for name in ("$schema", "contentversion", "resources"):
            if name not in sections:
                raise TemplateError(f"Required property '{name}' not found in JSON. Path ''.")
        check_depth(document)
        _check_sections(sections)
        return cls(
            sections.get("parameters") or {},
            _lower(sections.get("variables") or {}),
            dict(_own_functions(sections.get("functions") or [])),
            list(_resources(sections["resources"])),
            sections.get("outputs") or {},
        )

    def environment(
        self, surroundings: Surroundings, given: Mapping[str, Any], values: Mapping[str, Any] | None = None
    ) -> Environment:
        """The names that its expressions may use; `values` are those of an earlier look. Raises `TemplateError`."""

        def still(known: Mapping[str, Any]) -> Environment:
            return Environment(surroundings, known, functions=self.functions, running=False)

        if values is None:
            values = parameter_values(self.parameters, given, lambda known, told: still(known).value(told))
        named = still(values)
        variables = dict(self.variables)
        for loop in variables.pop("copy", []) if isinstance(self.variables.get("copy"), list) else []:
            variables |= _lower(named.looped(loop))
        return Environment(surroundings, values, variables, self.functions)


def _check_sections(sections: Mapping[str, Any]) -> None:
    for name in ("parameters", "variables", "outputs"):
        if not isinstance(sections.get(name) or {}, dict):
            raise TemplateError(f"The template section '{name}' must be an object.")
    for section, what in (("parameters", "parameter"), ("outputs", "output")):
        for name, each in (sections.get(section) or {}).items():
            if not isinstance(each, dict):
                raise TemplateError(f"The template {what} '{name}' is not valid: it must be an object.")
            _check_declared(f"template {what} '{name}'", each)


def _check_declared(what: str, told: Mapping[str, Any]) -> None:
    wanted = {"allowedValues": list, **dict.fromkeys(("minLength", "maxLength", "minValue", "maxValue"), int)}
    for name, kind in (wanted | {"copy": dict}).items():
        if told.get(name) is not None and not is_type(told[name], kind):
            known = {list: "an array", int: "an integer", dict: "an object"}[kind]
            raise TemplateError(f"The {what} is not valid: its '{name}' must be {known}.")


def _lower(section: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): value for name, value in section.items()}


def _own_functions(told: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for space in told if isinstance(told, list) else []:
        members = space.get("members") or {} if isinstance(space, dict) else None
        if not isinstance(members, dict):
            raise TemplateError("The template functions must be objects with the properties 'namespace' and 'members'.")
        for name, function in members.items():
            if not _is_function(function):
                raise TemplateError(
                    f"The template function '{name}' is not valid: it must be an object with 'parameters', an array of "
                    "objects, and 'output', an object."
                )
            yield f"{space.get('namespace')}.{name}".lower(), function


def _is_function(told: Any) -> bool:
    if not isinstance(told, dict) or not isinstance(told.get("output"), dict):
        return False
    parameters = told.get("parameters") or []
    return isinstance(parameters, list) and all(isinstance(each, dict) for each in parameters)


def _resources(told: Any) -> Iterator[Json]:
    """The resources of a list, or of an object whose names are symbols."""
    listed = list(told.values()) if isinstance(told, dict) else told
    if not isinstance(listed, list) or not all(isinstance(resource, dict) for resource in listed):
        raise TemplateError("The template resources must be an array or an object of resources.")
    if isinstance(told, dict):
        yield from ({**resource, "$symbol": symbol} for symbol, resource in told.items())
    else:
        yield from listed


def instances(resources: Sequence[Json], environment: Environment, scope: str) -> list[TemplateResource]:
    """Every resource that there will be; raises `TemplateError` in Azure's words.

    What is conditioned away is there too, and says so.
    """
    found = [each for resource in resources for each in _named(resource, environment, scope)]
    if len(found) > MOST_RESOURCES:
        raise TemplateError(
            f"The number of template resources limit exceeded. Limit: '{MOST_RESOURCES}' and actual: '{len(found)}'. "
            "Please see https://aka.ms/arm-limits for usage details."
        )
    seen: set[str] = set()
    for instance in found:
        if instance.existing or not instance.active:
            continue
        if instance.key in seen:
            raise TemplateError(
                f"The resource '{instance.type}/{instance.name}' is defined multiple times in a template. Please see "
                "https://aka.ms/arm-syntax-resources for usage details."
            )
        seen.add(instance.key)
    return [each for each in found if each.active or each.key not in seen]


def _named(resource: Json, environment: Environment, scope: str) -> list[TemplateResource]:
    try:
        return list(_expanded(resource, environment, scope, "", ""))
    except TemplateError as error:
        raise TemplateError(f"The template resource '{resource.get('name', '')}' is not valid: {error}") from None


def _expanded(
    told: Json, environment: Environment, scope: str, type_above: str, name_above: str
) -> Iterator[TemplateResource]:
    environment = replace(environment, running=False)  # names, conditions and counts are known before anything runs
    loop = told.get("copy")
    if loop is None:
        yield from _one(told, environment, scope, type_above, name_above)
        return
    if not isinstance(loop, dict) or not loop.get("name") or "count" not in loop:
        raise TemplateError("The template copy definition must have the properties 'name' and 'count'.")
    name = str(environment.value(loop["name"]))
    serial = str(loop.get("mode", "")).lower() == "serial"
    batch = environment.value(loop.get("batchSize", 1)) if serial else 0
    if serial and (not is_type(batch, int) or batch < 1):
        raise TemplateError(f"The value of the template copy property 'batchSize' must be at least 1, not '{batch}'.")
    for turn in range(environment.count(loop)):
        inside = environment.inside(name, turn)
        yield from _one(told, inside, scope, type_above, name_above, loop=name, turn=turn, batch=batch)


def _one(
    told: Json, environment: Environment, scope: str, type_above: str, name_above: str, **looped: Any
) -> Iterator[TemplateResource]:
    for needed in ("type", "name"):
        if not told.get(needed):
            raise TemplateError(f"The template resource '{told.get('name', '')}' has no property '{needed}'.")
    own_type, own_name = (_text(told, word, environment) for word in ("type", "name"))
    if not told.get("apiVersion"):
        raise TemplateError(
            f"The template resource '{own_name}' of type '{own_type}' is not valid. The api-version is required."
        )
    version = _text(told, "apiVersion", environment)
    arm_type = f"{type_above}/{own_type}" if type_above and "." not in own_type.split("/", maxsplit=1)[0] else own_type
    name = f"{name_above}/{own_name}" if name_above and arm_type != own_type else own_name
    if arm_type.count("/") != name.count("/") + 1:
        raise TemplateError(
            f"The template resource '{name}' for type '{arm_type}' has incorrect segment lengths. A nested resource "
            "type must have identical number of segments as its resource name. A root resource type must have segment "
            "length one greater than its resource name. Please see https://aka.ms/arm-syntax-resources for usage "
            "details."
        )
    identifier = addresses.nested(_scope(told, environment, scope, arm_type), arm_type, name)
    symbol = str(told.get("$symbol", ""))
    existing = told.get("existing") is True
    active = environment.value(told.get("condition", True))
    if not isinstance(active, bool):
        raise TemplateError("The value of 'condition' must be a boolean.")
    yield TemplateResource(
        identifier, arm_type, name, version, told, environment.loops, symbol, existing=existing, active=active, **looped
    )
    if arm_type.lower() == DEPLOYMENTS:
        _check_nested(told)
    for child in _resources(told.get("resources") or []):
        yield from _expanded(child, environment, scope, arm_type, name)


def _text(told: Json, word: str, environment: Environment) -> str:
    """A property that is a text; a number is written as one, as Azure does for parameters."""
    value = environment.value(told[word])
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise TemplateError(f"The property '{word}' must be a string, and is of type '{type_name(value)}'.")
    return str(value)


def _check_nested(told: Json) -> None:
    properties = told.get("properties")
    options = properties.get("expressionEvaluationOptions") if isinstance(properties, dict) else None
    if not isinstance(properties, dict) or not isinstance(options or {}, dict):
        raise TemplateError("A nested deployment needs 'properties', an object with 'mode' and 'template'.")


def _scope(told: Json, environment: Environment, scope: str, arm_type: str) -> str:
    """What a resource lies in: what is deployed to, what its ``scope`` names, or another group or subscription."""
    parts = scope.strip("/").split("/")
    if told.get("scope"):
        wanted = str(environment.value(told["scope"]))
        return _absolute(wanted, scope)
    if arm_type.lower() != DEPLOYMENTS:
        return scope
    subscription = str(environment.value(told.get("subscriptionId") or parts[1]))
    group = environment.value(told.get("resourceGroup") or (parts[3] if len(parts) > 3 else ""))
    if told.get("subscriptionId") and not told.get("resourceGroup"):
        group = ""
    return f"/subscriptions/{subscription}" + (f"/resourceGroups/{group}" if group else "")


def _absolute(wanted: str, scope: str) -> str:
    """A scope in full: ``Microsoft.Network/virtualNetworks/hub`` is below what is deployed to."""
    if wanted.startswith("/subscriptions/") or wanted == "/":
        return wanted.rstrip("/")
    if "/providers/" in f"/{wanted}":
        return f"{scope}/{wanted.lstrip('/')}"
    return f"{scope}/providers/{wanted.strip('/')}"
