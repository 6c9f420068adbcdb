"""A template, read and checked before anything begins: what Azure refuses at once, in its words."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import guard
from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words
from vpngw_iac.simulator.deployments.record import Deployment
from vpngw_iac.simulator.deployments.surroundings import CloudSurroundings
from vpngw_iac.simulator.kind import kinds
from vpngw_iac.simulator.refusal import Refusal, not_simulated
from vpngw_iac.simulator.templates.dependencies import Index, check_outputs, needs
from vpngw_iac.simulator.templates.errors import NotSimulatedFunction, TemplateError, unknown_function
from vpngw_iac.simulator.templates.evaluation import NOT_HERE, Environment, is_known
from vpngw_iac.simulator.templates.limits import StepBudget
from vpngw_iac.simulator.templates.syntax import FunctionCall, Literal, calls, is_expression, parse
from vpngw_iac.simulator.templates.template import DEPLOYMENTS, GROUPS, Template, TemplateResource, instances
from vpngw_iac.simulator.wire import HttpRequest, Json

_NOT_SENT = frozenset(
    {"type", "name", "apiversion", "dependson", "condition", "copy", "scope", "resources", "comments", "$symbol"}
    | {"existing", "metadata", "import"}
)


class InvalidTemplate(Refusal):
    """400 with what Azure adds for tools: where the template is wrong (microservices-reference-implementation 217)."""

    def __init__(self, text: str) -> None:
        first = "language expression evaluation" if _is_about_language(text) else "validation"
        ending = (
            ". Please see https://aka.ms/arm-template-expressions for usage details." if "aka.ms" not in text else "."
        )
        super().__init__(400, "InvalidTemplate", f"Deployment template {first} failed: '{text}'{ending}", details=None)

    def error(self) -> Json:
        """The value of ``error`` in the body."""
        info = {"lineNumber": 0, "linePosition": 0, "path": ""}
        return super().error() | {"additionalInfo": [{"type": "TemplateViolation", "info": info}]}


def _is_about_language(text: str) -> bool:
    return text.startswith(("Unable to parse language", "The language expression"))


@dataclass(frozen=True, slots=True)
class PreparedTemplate:
    """What a deployment comes to."""

    template: Template
    instances: tuple[TemplateResource, ...]
    needs: Mapping[str, tuple[str, ...]]
    environment: Environment

    def environment_of(self, instance: TemplateResource) -> Environment:
        """The names that the expressions of one resource may use."""
        return replace(self.environment, loops=instance.loops, budget=StepBudget())


def prepare(cloud: CloudView, deployment: Deployment, given: Mapping[str, Any] | None = None) -> PreparedTemplate:
    """Read the template; `given` are parameters as sent, none those worked out before. Raises `Refusal`."""
    try:
        return _prepared(cloud, deployment, given)
    except TemplateError as error:
        raise InvalidTemplate(str(error)) from None
    except NotSimulatedFunction as error:
        raise not_simulated(f"the template function '{error}'") from None
    except RecursionError:
        raise InvalidTemplate("The template is nested too deeply.") from None


def _prepared(cloud: CloudView, deployment: Deployment, given: Mapping[str, Any] | None) -> PreparedTemplate:
    outer = deployment.outer
    home = str(outer["home"]) if outer else deployment.scope
    surroundings = CloudSurroundings(cloud, home, _told(deployment))
    template = Template.read(deployment.template)
    if outer:
        environment = Environment(surroundings, outer["values"], outer["variables"], outer["functions"])
    else:
        environment = template.environment(surroundings, given or {}, None if given is not None else deployment.values)
        deployment.values = dict(environment.parameters)
    found = instances(template.resources, environment, deployment.scope)
    _check_expressions(template, environment)
    surroundings.index = Index(found)
    check_outputs(template.outputs, found, replace(environment, running=False))
    return PreparedTemplate(template, tuple(found), needs(found, environment), environment)


def _told(deployment: Deployment) -> Json:
    """What ``deployment()`` answers."""
    properties = {"template": deployment.template, "parameters": {}, "mode": deployment.mode}
    told: Json = {"name": deployment.name, "properties": properties | {"provisioningState": "Accepted"}}
    return told | ({"location": deployment.location} if deployment.location else {})


def _check_expressions(template: Template, environment: Environment) -> None:
    """Every expression can be read, and calls functions that there are; in resources the resource is named."""
    places = [
        *(("variable", name, value) for name, value in template.variables.items()),
        *(("resource", resource.get("name"), resource) for resource in template.resources),
        *(("output", name, output) for name, output in template.outputs.items()),
    ]
    for what, name, value in places:
        try:
            _check(value, environment)
        except TemplateError as error:
            if _is_about_language(str(error)):
                raise
            raise TemplateError(f"The template {what} '{name}' is not valid: {error}") from None


def _check(value: Any, own: Environment) -> None:
    nested = isinstance(value, Mapping) and str(value.get("type")).lower() == DEPLOYMENTS
    for text in _texts(value):
        if is_expression(text):
            for call in calls(parse(text)):
                _check_call(call, own.functions)
                if not nested:
                    _check_name(call, own)


def _check_name(call: FunctionCall, own: Environment) -> None:
    """What is named is there; the names of a nested template are its own affair."""
    name, named = call.name.lower(), [each.value for each in call.arguments if isinstance(each, Literal)]
    if len(named) != 1 or not isinstance(named[0], str):
        return
    if name == "parameters":
        own.require_parameter(named[0])
    elif name == "variables":
        own.require_variable(named[0])


def _check_call(call: FunctionCall, own: Mapping[str, Any]) -> None:
    name = call.name.lower()
    if "." in name or name in own or is_known(name):
        return
    if name in NOT_HERE:
        raise NotSimulatedFunction(call.name)
    raise unknown_function(call.name)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for name, item in value.items():
            yield str(name)
            yield from _texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)


def body_of(prepared: PreparedTemplate, instance: TemplateResource, *, running: bool = True) -> Json:
    """What is sent for a resource; raises `TemplateError`."""
    environment = replace(prepared.environment_of(instance), running=running)
    told = {name: value for name, value in instance.told.items() if name.lower() not in _NOT_SENT}
    if not instance.is_nested:
        body: Json = environment.value(told)
        return body
    place = {"resourceGroup", "subscriptionId"}
    properties = dict(told.pop("properties", None) or {})
    template = properties.pop("template", None)
    body = environment.value({name: value for name, value in told.items() if name not in place})
    body["properties"] = environment.value(properties)
    if template is not None:
        body["properties"]["template"] = template
    return body


def _check_known(instance: TemplateResource) -> None:
    """501 for a type that is not simulated: better before than in the middle."""
    namespace, *segments = with_plain_words(instance.id).rpartition("/providers/")[2].split("/")
    arm_type = "/".join([namespace, *segments[::2]])
    if arm_type.lower() not in kinds():
        raise not_simulated(f"the resource type {arm_type}")


def check_resources(cloud: CloudView, prepared: PreparedTemplate, name: str) -> None:
    """What Azure checks of each resource before the deployment begins: types, rights, policies. Raises `Refusal`."""
    refused: list[tuple[TemplateResource, Refusal]] = []
    for instance in prepared.instances:
        if not instance.active or instance.existing or instance.type.lower() in (DEPLOYMENTS, GROUPS):
            continue
        _check_known(instance)
        try:
            body = body_of(prepared, instance, running=False)
        except TemplateError:
            continue  # asks what is known only when it runs
        request = HttpRequest("PUT", instance.id, {"api-version": instance.version}, {}, json.dumps(body).encode())
        try:
            guard.check(cloud, request)
        except Refusal as refusal:
            refused.append((instance, refusal))
    if refused:
        raise _not_valid(name, refused)


def _not_valid(name: str, refused: list[tuple[TemplateResource, Refusal]]) -> Refusal:
    policy = all(refusal.code == "RequestDisallowedByPolicy" for _, refusal in refused)
    errors = [refusal.error() | {"target": instance.name} for instance, refusal in refused]
    if policy:
        message = "The template deployment failed because of policy violation. Please see details for more information."
    else:
        said = "; ".join(f"{instance.type}/{instance.name}: {refusal.message}" for instance, refusal in refused)
        message = f"The template deployment '{name}' is not valid according to the validation procedure: {said}"
    status = 403 if all(refusal.status == 403 for _, refusal in refused) and not policy else 400
    return Refusal(status, "InvalidTemplateDeployment", message, errors)


def digest(template: Json) -> str:
    """A template's hash, as a number; whatever Azure hashes, the same template gives the same one."""
    text = json.dumps(template, sort_keys=True, separators=(",", ":"))
    return str(int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big"))
