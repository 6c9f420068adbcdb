"""Working out expressions: what names stand for, which function is called, and what only the cloud knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any, Protocol

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.templates import addresses, text_functions, value_functions
from vpngw_iac.simulator.templates.checks import arguments, is_type
from vpngw_iac.simulator.templates.errors import (
    NotSimulatedFunction,
    TemplateError,
    unknown_function,
    wrong_arguments,
)
from vpngw_iac.simulator.templates.limits import LARGEST, StepBudget, weight
from vpngw_iac.simulator.templates.syntax import Expression, FunctionCall, Literal, is_expression, parse, unescaped

NOT_HERE = frozenset(
    {
        "cidrhost",
        "cidrsubnet",
        "parsecidr",
        "datauri",
        "datauritostring",
        "datetimeadd",
        "datetimefromepoch",
        "datetimetoepoch",
        "deployer",
        "fail",
        "filter",
        "groupby",
        "lambda",
        "lambdavariables",
        "managementgroup",
        "managementgroupresourceid",
        "map",
        "mapvalues",
        "pickzones",
        "providers",
        "reduce",
        "references",
        "shallowmerge",
        "sort",
        "tenant",
        "toobject",
    }
)
"""Functions that Azure has and this cloud has not."""


class Surroundings(Protocol):
    """What an expression may ask of the deployment it stands in."""

    def subscription(self) -> dict[str, Any]:
        """The subscription that is deployed to."""
        ...

    def resource_group(self) -> dict[str, Any]:
        """The resource group; raises `TemplateError` where there is none."""
        ...

    def deployment(self) -> dict[str, Any]:
        """The deployment itself."""
        ...

    def environment(self) -> dict[str, Any]:
        """The cloud: names and endpoints."""
        ...

    def scope(self) -> str:
        """Id of the group or the subscription that ids begin with."""
        ...

    def moment(self, pattern: str) -> str:
        """The time, in a format of .NET."""
        ...

    def new_guid(self) -> str:
        """One that nobody had before."""
        ...

    def reference(self, target: str, version: str, *, full: bool) -> Any:
        """What a resource says of itself; raises `TemplateError` for what is not there."""
        ...

    def listed(self, function: str, target: str, version: str, body: Any) -> Any:
        """What a resource answers to a POST whose name begins with ``list``."""
        ...


@dataclass(frozen=True, slots=True)
class Environment:
    """The names an expression may use. Variables are worked out when they are asked for."""

    surroundings: Surroundings
    parameters: Mapping[str, Any] = field(default_factory=dict)
    variables: Mapping[str, Any] = field(default_factory=dict)
    functions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """The template's own: ``namespace.name`` in lower case, and what it says."""
    loops: Mapping[str, int] = field(default_factory=dict)
    """Copy loops around the expression and how far they are; the innermost is also at the empty name."""
    running: bool = True
    """Whether resources may be asked (``reference``, ``list...``)."""
    open: tuple[str, ...] = ()
    """Variables and functions that are being worked out."""
    worked_out: dict[str, Any] = field(default_factory=dict)
    """Variables that were asked for: none depends on a loop or on what runs."""
    budget: StepBudget = field(default_factory=StepBudget)

    def inside(self, loop: str, index: int) -> Environment:
        """The same, one turn of a loop further in."""
        return replace(self, loops={**self.loops, loop.lower(): index, "": index})

    def value(self, value: Any) -> Any:
        """A value of a template with every expression in it worked out, names of members too."""
        self.budget.spend()
        if isinstance(value, str):
            return self.expression(parse(value)) if is_expression(value) else unescaped(value)
        if isinstance(value, list):
            return [self.value(item) for item in value]
        if isinstance(value, dict):
            return self._object(value)
        return value

    def _object(self, value: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for name, item in value.items():
            if name.lower() == "copy" and isinstance(item, list):
                for loop in item:
                    found |= self.looped(loop)
            else:
                found[str(self.value(name))] = self.value(item)
        return found

    def looped(self, loop: Any) -> dict[str, list[Any]]:
        """What a loop inside an object makes: one list under the loop's name."""
        if not isinstance(loop, dict) or not {"name", "count", "input"} <= loop.keys():
            raise TemplateError("The template copy definition must have the properties 'name', 'count' and 'input'.")
        name = str(self.value(loop["name"]))
        found: list[Any] = []
        room = LARGEST
        for turn in range(self.count(loop)):
            found.append(self.inside(name, turn).value(loop["input"]))
            room -= weight(found[-1], room)
        return {name: found}

    def count(self, loop: Mapping[str, Any]) -> int:
        """How often a loop turns; raises `TemplateError` unless it is between 0 and 800."""
        number = self.value(loop.get("count"))
        if not is_type(number, int) or not 0 <= number <= 800:
            raise TemplateError(
                f"The value of the template copy property 'count' must be an integer between 0 and 800, not '{number}'."
            )
        return int(number)

    def expression(self, expression: Expression) -> Any:
        """The value of a parsed expression."""
        self.budget.spend()
        if isinstance(expression, Literal):
            return expression.value
        if isinstance(expression, FunctionCall):
            return self._called(expression)
        return value_functions.member(self.expression(expression.owner), self.expression(expression.key))

    def _called(self, call: FunctionCall) -> Any:
        name = call.name.lower()
        special = _SPECIAL.get(name)
        if special is not None:
            return special(self, call)
        found = [self.expression(argument) for argument in call.arguments]
        plain = text_functions.FUNCTIONS.get(name) or value_functions.FUNCTIONS.get(name)
        if plain is not None:
            weight(found)
            result = plain(found)
            weight(result)
            return result
        if name in self.functions:
            return self._own(name, found)
        if name in _CLOUD:
            return _CLOUD[name](self, found)
        if name.startswith("list") and "." not in name:
            return self._listed(call.name, found)
        if name in NOT_HERE:
            raise NotSimulatedFunction(call.name)
        raise unknown_function(call.name)

    def _own(self, name: str, found: Sequence[Any]) -> Any:
        """A function that the template defines: sees its parameters and nothing else."""
        told = self.functions[name]
        if name in self.open:
            raise TemplateError(f"The template function '{name}' is not valid: it calls itself.")
        names = [str(each.get("name")).lower() for each in told.get("parameters") or []]
        if len(names) != len(found):
            raise wrong_arguments(name, f"the function requires {len(names)} argument(s).")
        given = dict(zip(names, found, strict=True))
        within = (*self.open, name)
        inner = replace(self, parameters=given, variables={}, worked_out={}, loops={}, running=False, open=within)
        result = inner.value(told["output"].get("value"))
        weight(result)
        return result

    def _listed(self, name: str, found: Sequence[Any]) -> Any:
        self._runs(name)
        target, version, *body = arguments(name, found, str, str, dict, least=2)
        return self.surroundings.listed(name, target, version, body[0] if body else None)

    def _runs(self, name: str) -> None:
        if not self.running:
            raise TemplateError(
                f"The template function '{name}' is not expected at this location. "
                "Please see https://aka.ms/arm-functions for usage details."
            )

    def parameter(self, found: Sequence[Any]) -> Any:
        """The value of a parameter."""
        (name,) = arguments("parameters", found, str)
        self.require_parameter(name)
        return self.parameters[name.lower()]

    def require_parameter(self, name: str) -> None:
        """Raise `TemplateError` for a name that no parameter has."""
        if name.lower() not in self.parameters:
            raise TemplateError(
                f"The template parameter '{name}' is not found. Please see https://aka.ms/arm-syntax-parameters for "
                "usage details."
            )

    def variable(self, found: Sequence[Any]) -> Any:
        """The value of a variable."""
        (name,) = arguments("variables", found, str)
        key = name.lower()
        if key in self.open:
            raise TemplateError(
                f"The template variable '{name}' is not valid: it refers to itself. Please see "
                "https://aka.ms/arm-syntax-variables for usage details."
            )
        self.require_variable(name)
        if key not in self.worked_out:
            within = replace(self, open=(*self.open, key), loops={}, running=False)
            found_value = within.value(self.variables[key])
            weight(found_value)
            self.worked_out[key] = found_value
        return self.worked_out[key]

    def require_variable(self, name: str) -> None:
        """Raise `TemplateError` for a name that no variable has."""
        if name.lower() not in self.variables:
            raise TemplateError(
                f"The template variable '{name}' is not found. Please see https://aka.ms/arm-syntax-variables for "
                "usage details."
            )

    def copy_index(self, found: Sequence[Any]) -> int:
        """How far a loop is, counted from 0 or from what is given."""
        name = found[0] if found and isinstance(found[0], str) else ""
        (start,) = arguments("copyIndex", found[1 if name else 0 :] or [0], int)
        if name.lower() not in self.loops:
            raise TemplateError(
                "The template function 'copyIndex' is not expected at this location. The function can only be used in "
                "a resource with copy specified. Please see https://aka.ms/arm-copy for usage details."
            )
        return int(self.loops[name.lower()] + start)

    def referred(self, found: Sequence[Any]) -> Any:
        """What a resource says of itself."""
        self._runs("reference")
        target, version, *how = arguments("reference", [*found, ""][: max(2, len(found))], str, str, str, least=2)
        return self.surroundings.reference(target, version, full=bool(how) and how[0].lower() == "full")


def _if(environment: Environment, call: FunctionCall) -> Any:
    """Only the branch that is taken is worked out."""
    if len(call.arguments) != 3:
        raise wrong_arguments("if", "the function requires 3 argument(s).")
    asked, yes, no = call.arguments
    (holds,) = arguments("if", [environment.expression(asked)], bool)
    return environment.expression(yes if holds else no)


def _all(environment: Environment, call: FunctionCall) -> bool:
    return not _some(environment, call, "and", wanted=False)


def _any(environment: Environment, call: FunctionCall) -> bool:
    return _some(environment, call, "or", wanted=True)


def _some(environment: Environment, call: FunctionCall, name: str, *, wanted: bool) -> bool:
    if len(call.arguments) < 2:
        raise wrong_arguments(name, "the function requires at least 2 argument(s).")
    return any(arguments(name, [environment.expression(each)], bool)[0] is wanted for each in call.arguments)


def _coalesce(environment: Environment, call: FunctionCall) -> Any:
    values = (environment.expression(each) for each in call.arguments)
    return next((value for value in values if value is not None), None)


_SPECIAL: Mapping[str, Callable[[Environment, FunctionCall], Any]] = {
    "if": _if,
    "and": _all,
    "or": _any,
    "coalesce": _coalesce,
}
_CLOUD: Mapping[str, Callable[[Environment, Sequence[Any]], Any]] = {
    "parameters": Environment.parameter,
    "variables": Environment.variable,
    "copyindex": Environment.copy_index,
    "reference": Environment.referred,
    "resourcegroup": lambda env, found: arguments("resourceGroup", found) or env.surroundings.resource_group(),
    "subscription": lambda env, found: arguments("subscription", found) or env.surroundings.subscription(),
    "deployment": lambda env, found: arguments("deployment", found) or env.surroundings.deployment(),
    "environment": lambda env, found: arguments("environment", found) or env.surroundings.environment(),
    "newguid": lambda env, found: arguments("newGuid", found) or env.surroundings.new_guid(),
    "utcnow": lambda env, found: env.surroundings.moment(*arguments("utcNow", found or ["yyyyMMddTHHmmssZ"], str)),
    "resourceid": lambda env, found: addresses.resource_id(env.surroundings.scope(), found),
    "subscriptionresourceid": lambda env, found: addresses.subscription_resource_id(env.surroundings.scope(), found),
    "tenantresourceid": lambda _, found: addresses.tenant_resource_id(found),
    "extensionresourceid": lambda _, found: addresses.extension_resource_id(found),
}


def is_known(name: str) -> bool:
    """Whether a function is there; its name in lower case."""
    plain = (text_functions.FUNCTIONS, value_functions.FUNCTIONS, _SPECIAL, _CLOUD)
    return any(name in each for each in plain) or (name.startswith("list") and name != "list")
