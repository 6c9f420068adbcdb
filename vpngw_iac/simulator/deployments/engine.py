"""How a deployment proceeds: what can begin begins, what has ended is taken note of, until all is done.

What failed keeps what depends on it from beginning; the rest goes on, and the deployment is Failed at its end.
"""

from __future__ import annotations

import json
from typing import Any

from vpngw_iac.simulator.cloud_view import CloudView, with_plain_words
from vpngw_iac.simulator.deployments import removal
from vpngw_iac.simulator.deployments.preparation import PreparedTemplate, body_of, prepare
from vpngw_iac.simulator.deployments.record import CANCELED, FAILED, RUNNING, SUCCEEDED, Deployment, Step, error_of
from vpngw_iac.simulator.templates.errors import NotSimulatedFunction, TemplateError
from vpngw_iac.simulator.templates.parameters import check_value, is_secure
from vpngw_iac.simulator.templates.template import TemplateResource
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_PASSING = frozenset({429, 500, 502, 503, 504})
_PATIENCE = 30
"""How often a request is repeated that Azure says can be repeated."""
_PAUSE = 10.0
_DONE = frozenset({"Succeeded", "Skipped"})
_OVER = frozenset({"Succeeded", "Skipped", "Failed", "Canceled"})
_WHERE = "Please see https://aka.ms/arm-deployment-operations for usage details."


def progress(cloud: CloudView) -> None:
    """Let every deployment that runs go as far as it can go now; one that another has just begun has its turn."""
    if cloud.deploying:
        return
    cloud.deploying = True
    try:
        moved = True
        while moved:
            running = [each for each in cloud.store.deployments.values() if each.running]
            moved = any([_advance(cloud, each) for each in running])
    finally:
        cloud.deploying = False


def next_wake(cloud: CloudView) -> float | None:
    """When a deployment sends again what it was told to send again."""
    steps = (step for each in cloud.store.deployments.values() if each.running for step in each.steps.values())
    return min((step.again for step in steps if step.again is not None), default=None)


def send_again(cloud: CloudView) -> None:
    """Let nobody wait any longer before sending again."""
    for each in cloud.store.deployments.values():
        for step in each.steps.values():
            step.again = None if step.again is None else cloud.now


def cancel(cloud: CloudView, deployment: Deployment) -> None:
    """Begin nothing more; what runs in Azure runs on."""
    for key, step in deployment.steps.items():
        if step.state not in _OVER:
            inner = cloud.store.deployments.get(key)
            if inner is not None and inner.running:
                cancel(cloud, inner)
            step.state, step.again, step.ended = "Canceled", None, cloud.now
    _end(cloud, deployment, CANCELED)


def _advance(cloud: CloudView, deployment: Deployment) -> bool:
    """A deployment goes on with the rights of who began it, whoever asks meanwhile."""
    with cloud.acting(deployment.caller):
        return _go_on(cloud, deployment)


def _go_on(cloud: CloudView, deployment: Deployment) -> bool:
    prepared = _prepared(cloud, deployment)
    before = _standing(deployment)
    deployment.state = RUNNING
    for instance in prepared.instances:
        deployment.steps.setdefault(instance.key, Step())
    for instance in prepared.instances:
        step = deployment.steps[instance.key]
        if step.state == "Running" and step.verb == "Create":
            _look(cloud, instance, step)
        elif step.state == "Waiting":
            _consider(cloud, deployment, prepared, instance, step)
    blocked = _blocked(deployment, prepared)
    if all(each.key in blocked or _is_over(deployment.steps[each.key]) for each in prepared.instances):
        _finish(cloud, deployment, prepared)
    if moved := before != _standing(deployment):
        cloud.store.save_deployment(deployment)
    return moved


def _is_over(step: Step) -> bool:
    """Whether its part of the template is done; a deletion only begins when all are."""
    return step.state in _OVER or step.verb == "Delete"


def _standing(deployment: Deployment) -> tuple[Any, ...]:
    return deployment.state, [(step.state, step.tries) for step in deployment.steps.values()]


def _blocked(deployment: Deployment, prepared: PreparedTemplate) -> set[str]:
    """What will never begin: something that it needs has failed, or is blocked itself."""
    bad = {key for key, step in deployment.steps.items() if step.state in ("Failed", "Canceled")}
    waiting = {each.key for each in prepared.instances if deployment.steps[each.key].state == "Waiting"}
    blocked: set[str] = set()
    while more := {key for key in waiting - blocked if bad & set(prepared.needs[key])} if bad else set():
        blocked |= more
        bad |= more
    return blocked


def _prepared(cloud: CloudView, deployment: Deployment) -> PreparedTemplate:
    if deployment.prepared is None:
        deployment.prepared = prepare(cloud, deployment)
    found: PreparedTemplate = deployment.prepared
    return found


def _consider(
    cloud: CloudView, deployment: Deployment, prepared: PreparedTemplate, instance: TemplateResource, step: Step
) -> None:
    """Begin a resource whose turn has come."""
    if any(deployment.steps[need].state not in _DONE for need in prepared.needs[instance.key]):
        return
    if step.again is not None and step.again > cloud.now:
        return
    if instance.existing or not instance.active:
        step.state, step.ended = "Skipped", cloud.now
        return
    if not step.number:
        step.begin(cloud.guid(), cloud.now)
    step.tries, step.again = step.tries + 1, None
    try:
        body = body_of(prepared, instance)
    except (TemplateError, NotSimulatedFunction) as error:
        _fail(cloud, step, _unworkable(instance, error), "BadRequest")
        return
    if instance.is_nested and (body.get("properties") or {}).get("template") is not None:
        body["properties"] = _with_outer(prepared, deployment, body["properties"])
    request = HttpRequest("PUT", instance.id, {"api-version": instance.version}, {}, json.dumps(body).encode())
    _take(cloud, instance, step, cloud.send(request))


def _with_outer(prepared: PreparedTemplate, deployment: Deployment, properties: Json) -> Json:
    """Expressions of a nested template are its parent's, unless it says otherwise."""
    scope = str((properties.get("expressionEvaluationOptions") or {}).get("scope", "outer")).lower()
    if scope != "outer":
        return properties
    environment = prepared.environment
    outer = {
        "home": deployment.outer["home"] if deployment.outer else deployment.scope,
        "values": dict(environment.parameters),
        "variables": dict(environment.variables),
        "functions": dict(environment.functions),
    }
    return properties | {"$outer": outer}


def _unworkable(instance: TemplateResource, error: Exception) -> Json:
    if isinstance(error, NotSimulatedFunction):
        return _not_simulated(error)
    return {
        "code": "InvalidTemplate",
        "message": f"Unable to process template language expressions for resource '{instance.id}'. '{error}'",
    }


def _not_simulated(error: NotSimulatedFunction) -> Json:
    return {"code": "NotSimulated", "message": f"This simulator does not know the template function '{error}'."}


def _take(cloud: CloudView, instance: TemplateResource, step: Step, answer: HttpResponse) -> None:
    if answer.status in _PASSING and step.tries < _PATIENCE:
        told = next((value for name, value in answer.headers.items() if name.lower() == "retry-after"), "")
        step.again = cloud.now + (max(1.0, float(told)) if told.isdecimal() else _PAUSE)
        return
    if answer.status >= 400:
        _fail(cloud, step, error_of(answer), str(answer.status))
        return
    step.status = "Created" if answer.status == 201 else "OK"
    document = cloud.find(with_plain_words(instance.id))
    step.operation = document.operation if document is not None else None
    if step.operation is None and not instance.is_nested:
        step.state, step.ended = "Succeeded", cloud.now
    else:
        step.state = "Running"


def _fail(cloud: CloudView, step: Step, error: Json, status: str) -> None:
    step.state, step.ended, step.error, step.status = "Failed", cloud.now, error, step.status or status


def _look(cloud: CloudView, instance: TemplateResource, step: Step) -> None:
    """See whether what runs has ended."""
    if instance.is_nested:
        inner = cloud.store.deployments.get(instance.key)
        if inner is None or inner.running:
            return
        if inner.state == SUCCEEDED:
            step.state, step.ended = "Succeeded", cloud.now
        else:
            _fail(
                cloud, step, inner.error or {"code": "DeploymentCanceled", "message": "It was cancelled."}, "Conflict"
            )
        return
    operation = cloud.store.operations.get(str(step.operation))
    if operation is not None and operation.running:
        return
    error = operation.error if operation is not None else None
    if error is None:
        step.state, step.ended = "Succeeded", cloud.now
    else:
        _fail(cloud, step, _terminal(instance.id, error), "Conflict")


def _terminal(identifier: str, error: Json) -> Json:
    return {
        "code": "ResourceDeploymentFailure",
        "target": identifier,
        "message": "The resource write operation failed to complete successfully, because it reached terminal "
        "provisioning state 'Failed'.",
        "details": [error],
    }


def _finish(cloud: CloudView, deployment: Deployment, prepared: PreparedTemplate) -> None:
    created = (step for step in deployment.steps.values() if step.verb == "Create" and step.state == "Failed")
    failed = [step.error for step in created if step.error is not None]
    if not failed and deployment.mode == "Complete":
        left = removal.advance(cloud, deployment, prepared)
        if left is None:
            return
        failed = left
    if not failed:
        failed = _tell(deployment, prepared)
    if failed:
        deployment.error = {
            "code": "DeploymentFailed",
            "target": deployment.id,
            "message": f"At least one resource deployment operation failed. Please list deployment operations for "
            f"details. {_WHERE}",
            "details": failed,
        }
    _end(cloud, deployment, FAILED if failed else SUCCEEDED)


def _tell(deployment: Deployment, prepared: PreparedTemplate) -> list[Json]:
    """Work out the outputs; what is wrong with them fails the deployment."""
    told: dict[str, Any] = {}
    try:
        for name, output in prepared.template.outputs.items():
            if prepared.environment.value(output.get("condition", True)) is not True:
                continue
            if "copy" in output:
                value = prepared.environment.looped({"name": name, **output["copy"]})[name]
            else:
                value = prepared.environment.value(output.get("value"))
            check_value(f"template output '{name}'", {**output, "nullable": True}, value)
            told[name] = value
    except TemplateError as error:
        wrong = f"The template output '{name}' is not valid: {error}"
        return [{"code": "DeploymentOutputEvaluationFailed", "target": name, "message": wrong}]
    except NotSimulatedFunction as error:
        return [_not_simulated(error)]
    deployment.outputs = told
    return []


def _end(cloud: CloudView, deployment: Deployment, state: str) -> None:
    """Over: secure values are forgotten."""
    deployment.state, deployment.ended = state, cloud.now
    told = {name.lower(): each for name, each in (deployment.template.get("parameters") or {}).items()}
    deployment.values = {
        name: value for name, value in deployment.values.items() if name in told and not is_secure(told[name])
    }
    deployment.outputs = {
        name: value for name, value in deployment.outputs.items() if not is_secure(deployment.template["outputs"][name])
    }
    deployment.outer, deployment.prepared = None, None
    cloud.store.save_deployment(deployment)
