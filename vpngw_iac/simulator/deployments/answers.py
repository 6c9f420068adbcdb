"""What a deployment answers: itself, its operations, its template."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from vpngw_iac.simulator.clock import stamp
from vpngw_iac.simulator.deployments.preparation import PreparedTemplate
from vpngw_iac.simulator.deployments.record import Deployment, Step
from vpngw_iac.simulator.deployments.surroundings import span
from vpngw_iac.simulator.kind import normal
from vpngw_iac.simulator.templates.errors import TemplateError
from vpngw_iac.simulator.templates.parameters import answered_type, is_secure
from vpngw_iac.simulator.templates.template import TemplateResource
from vpngw_iac.simulator.wire import Json

TYPE = "Microsoft.Resources/deployments"


def shape_of(prepared: PreparedTemplate) -> Json:
    """What is told of a template when nobody works it out any more."""
    return {
        "providers": _providers(prepared),
        "dependencies": _dependencies(prepared),
        "named": {each.key: _named(each) for each in prepared.instances},
    }


def show(deployment: Deployment, now: float) -> Json:
    """The deployment as GET and PUT answer it; values of secure parameters never."""
    template = deployment.template
    ended = deployment.ended if deployment.ended is not None else now
    properties: Json = {
        "templateHash": deployment.digest,
        "parameters": _typed(template.get("parameters") or {}, deployment.values),
        "mode": deployment.mode,
        "provisioningState": deployment.state,
        "timestamp": stamp(ended),
        "duration": span(ended - deployment.began),
        "correlationId": deployment.correlation,
        "providers": deployment.shape["providers"],
        "dependencies": deployment.shape["dependencies"],
    }
    if deployment.state == "Succeeded":
        properties["outputs"] = _outputs(deployment)
        properties["outputResources"] = [{"id": each} for each in sorted(_made(deployment))]
    if deployment.error is not None:
        properties["error"] = deployment.error
    head: Json = {"id": deployment.id, "name": deployment.name, "type": TYPE}
    if deployment.location:
        head["location"] = deployment.location
    if deployment.tags:
        head["tags"] = deployment.tags
    return head | {"properties": properties}


def _typed(told: Mapping[str, Mapping[str, Any]], values: Mapping[str, Any]) -> Json:
    shown: Json = {}
    for name, each in told.items():
        shown[name] = {"type": answered_type(each)}
        if not is_secure(each) and name.lower() in values:
            shown[name]["value"] = values[name.lower()]
    return shown


def _outputs(deployment: Deployment) -> Json:
    told = deployment.template.get("outputs") or {}
    shown: Json = {}
    for name, each in told.items():
        if name in deployment.outputs:
            shown[name] = {"type": answered_type(each), "value": deployment.outputs[name]}
        elif is_secure(each):
            shown[name] = {"type": answered_type(each)}
    return shown


def _made(deployment: Deployment) -> list[str]:
    named = deployment.shape["named"]
    done = ((key, step) for key, step in deployment.steps.items() if step.state == "Succeeded" and key in named)
    made = [named[key] for key, step in done if step.verb == "Create"]
    return [each["id"] for each in made if each["resourceType"].lower() != TYPE.lower()]


def _providers(prepared: PreparedTemplate) -> list[Json]:
    types: dict[str, dict[str, list[str]]] = defaultdict(dict)
    for instance in prepared.instances:
        namespace, _, rest = instance.type.partition("/")
        places = types[namespace].setdefault(rest, [])
        place = _location(prepared, instance)
        if place and place not in places:
            places.append(place)
    return [
        {
            "namespace": namespace,
            "resourceTypes": [{"resourceType": name, "locations": places or [None]} for name, places in each.items()],
        }
        for namespace, each in types.items()
    ]


def _location(prepared: PreparedTemplate, instance: TemplateResource) -> str | None:
    try:
        said = prepared.environment_of(instance).value(instance.told.get("location"))
    except TemplateError:
        return None
    return normal(said) if isinstance(said, str) else None


def _dependencies(prepared: PreparedTemplate) -> list[Json]:
    known = {instance.key: instance for instance in prepared.instances}
    return [
        {"dependsOn": [_named(known[need]) for need in prepared.needs[instance.key]], **_named(instance)}
        for instance in prepared.instances
        if prepared.needs[instance.key]
    ]


def _named(instance: TemplateResource) -> Json:
    return {"id": instance.id, "resourceType": instance.type, "resourceName": instance.name}


def show_operations(deployment: Deployment) -> list[Json]:
    """What became of each resource, what began last first; and the outputs."""
    named = deployment.shape["named"]
    begun = [(key, step) for key, step in deployment.steps.items() if step.number]
    shown = [
        _operation(deployment, step, named.get(key, {"id": key}))
        for key, step in sorted(begun, key=lambda each: each[1].began, reverse=True)
    ]
    if deployment.state == "Succeeded":
        last = Step("Succeeded", "EvaluateDeploymentOutput", deployment.ended or 0.0, deployment.ended, status="OK")
        last.number = deployment.polling
        shown.insert(0, _operation(deployment, last, None))
    return shown


def _operation(deployment: Deployment, step: Step, target: Json | None) -> Json:
    ended = step.ended if step.ended is not None else step.began
    properties: Json = {
        "provisioningOperation": step.verb,
        "provisioningState": "Running" if step.state == "Waiting" else step.state,
        "timestamp": stamp(ended),
        "duration": span(ended - step.began),
        "trackingId": deployment.correlation,
        "statusCode": step.status or "Accepted",
    }
    if step.error is not None:
        properties["statusMessage"] = {"error": step.error}
    if target is not None:
        properties["targetResource"] = target
    return {
        "id": f"{deployment.id}/operations/{step.number}",
        "operationId": step.number,
        "properties": properties,
    }
