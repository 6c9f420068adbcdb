"""``Microsoft.Resources/deployments`` of groups and subscriptions: put, read, list, validate, what-if, cancel, delete.

Evidence: REST reference "Deployments" and "Deployment Operations" (2025-04-01); ``test_network_vpn_connection_ipsec``
(201, ``operationStatuses``); people report the code and the words of the 404 for `az deployment group show`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator import lists
from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.deployments import answers, engine
from vpngw_iac.simulator.deployments.preparation import digest
from vpngw_iac.simulator.deployments.record import SUCCEEDED, Deployment
from vpngw_iac.simulator.deployments.requests import asked_for
from vpngw_iac.simulator.deployments.what_if import what_if
from vpngw_iac.simulator.document import DELETING
from vpngw_iac.simulator.refusal import Refusal, front_door, group_being_deleted, group_not_found, not_simulated
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

_PATH = ["providers", "microsoft.resources", "deployments"]
_PAUSE = "15"
"""Seconds between polls: not recorded. Without it clients wait for half a minute of their own."""
_EXPIRES = 7 * 24 * 3600.0
"""Seconds after which a deployment that does not end counts as ended (modern-web-app-pattern-dotnet issue 143)."""
_NAME = re.compile(r"[\w.()-]{1,64}")


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """Everything below ``.../providers/Microsoft.Resources/deployments``."""
    if list(parts) == ["providers", "microsoft.resources", "calculatetemplatehash"]:
        return _hash(request)
    in_group = list(parts[2:3]) == ["resourcegroups"]
    path = request.path.strip("/").split("/")
    head = 4 if in_group else 2
    rest = list(parts[head:])
    if in_group and rest[:1] == ["deployments"]:  # deployment operations are asked for at this older path
        path[head:head], rest = ["providers", "Microsoft.Resources"], ["providers", "microsoft.resources", *rest]
    if rest[:3] != _PATH or parts[0] != "subscriptions":
        return None
    scope = "/" + "/".join(path[:head])
    if in_group:
        scope = _group(cloud, request, scope)
    names = path[head + 3 :]
    if not names:
        return _list(cloud, request, scope)
    identifier = f"{scope}/providers/Microsoft.Resources/deployments/{names[0]}"
    return _one(cloud, request, identifier, names[1:])


def _group(cloud: CloudView, request: HttpRequest, scope: str) -> str:
    group = cloud.find(ArmId(scope))
    if group is None:
        raise group_not_found(scope.rsplit("/", 1)[-1])
    if group.state == DELETING and request.method == "PUT":
        raise group_being_deleted(group.name)
    return group.id


def _list(cloud: CloudView, request: HttpRequest, scope: str) -> HttpResponse:
    if request.method != "GET":
        raise not_simulated(f"{request.method} on the list of deployments")
    found = [each for each in cloud.store.deployments.values() if each.scope.lower() == scope.lower()]
    wanted = re.fullmatch(r"\s*provisioningState\s+eq\s+'(\w+)'\s*", request.query.get("$filter", ""))
    if request.query.get("$filter") and wanted is None:
        raise not_simulated(f"the filter {request.query['$filter']!r}")
    found = [each for each in found if wanted is None or each.state.lower() == wanted[1].lower()]
    found.sort(key=lambda each: (-each.began, each.key))
    if request.query.get("$top", "").isdigit():
        found = found[: int(request.query["$top"])]
    return lists.page(cloud, request, [answers.show(each, cloud.now) for each in found])


def _one(cloud: CloudView, request: HttpRequest, identifier: str, rest: Sequence[str]) -> HttpResponse:
    asked = (request.method, rest[0].lower() if rest else "")
    if asked == ("PUT", ""):
        return _put(cloud, request, identifier)
    if asked == ("POST", "validate"):
        return _validate(cloud, request, identifier)
    if asked == ("POST", "whatif"):
        return _what_if(cloud, request, identifier)
    deployment = cloud.store.deployments.get(identifier.lower())
    if asked == ("DELETE", ""):
        return _delete(cloud, deployment)
    if asked == ("HEAD", ""):
        return HttpResponse(404 if deployment is None else 204)
    if deployment is None:
        name = identifier.rsplit("/", 1)[-1]
        raise front_door(404, "DeploymentNotFound", f"Deployment '{name}' could not be found.")
    known: Mapping[tuple[str, str], Callable[[], HttpResponse]] = {
        ("GET", ""): lambda: HttpResponse(200, answers.show(deployment, cloud.now)),
        ("GET", "operationstatuses"): lambda: _status(deployment, rest),
        ("GET", "operations"): lambda: _operations(cloud, request, deployment, rest),
        ("POST", "cancel"): lambda: _cancel(cloud, deployment),
        ("POST", "exporttemplate"): lambda: HttpResponse(200, {"template": deployment.template}),
    }
    if asked not in known:
        raise not_simulated(f"{request.method} {'/'.join(rest) or 'deployment'} of a deployment")
    return known[asked]()


def _put(cloud: CloudView, request: HttpRequest, identifier: str) -> HttpResponse:
    name = identifier.rsplit("/", 1)[-1]
    if not _NAME.fullmatch(name):
        raise front_door(
            400,
            "InvalidDeploymentName",
            f"The deployment name '{name}' is not valid: it takes 1 to 64 letters, digits, '-', '_', '.', '(' and ')'.",
        )
    before = cloud.store.deployments.get(identifier.lower())
    if before is not None and before.running:
        raise front_door(
            409,
            "DeploymentActive",
            f"Unable to edit or replace deployment '{name}': previous deployment from '{_moment(before.began)}' is "
            f"still active (expiration time is '{_moment(before.began + _EXPIRES)}'). Please see "
            "https://aka.ms/arm-deploy-resources for usage details.",
        )
    deployment = asked_for(cloud, request, identifier)
    shown = answers.show(deployment, cloud.now)
    cloud.store.save_deployment(deployment)
    engine.progress(cloud)
    where = f"{request.host}{identifier}/operationStatuses/{deployment.polling}?api-version={request.api_version}"
    return HttpResponse(200 if before else 201, shown, {"Azure-AsyncOperation": where, "Retry-After": _PAUSE})


def _moment(seconds: float) -> str:
    """As the front door writes a time in its messages: 4/18/2023 9:04:41 PM."""
    moment = utc(seconds)
    return f"{moment.month}/{moment.day}/{moment.year} {moment.hour % 12 or 12}:{moment:%M:%S %p}"


def _status(deployment: Deployment, rest: Sequence[str]) -> HttpResponse:
    if len(rest) != 2 or rest[1] != deployment.polling:
        raise Refusal(404, "OperationNotFound", "The operation could not be found.")
    error = {"error": deployment.error} if deployment.error is not None else {}
    headers = {"Retry-After": _PAUSE} if deployment.running else {}
    return HttpResponse(200, {"status": deployment.state, **error}, headers)


def _validate(cloud: CloudView, request: HttpRequest, identifier: str) -> HttpResponse:
    deployment = asked_for(cloud, request, identifier)
    shown = answers.show(deployment, cloud.now)
    ids = [{"id": each.id} for each in deployment.prepared.instances if each.active]
    shown["properties"] |= {"provisioningState": SUCCEEDED, "validatedResources": ids}
    return HttpResponse(200, shown)


def _what_if(cloud: CloudView, request: HttpRequest, identifier: str) -> HttpResponse:
    deployment = asked_for(cloud, request, identifier)
    settings = read_body(request)["properties"].get("whatIfSettings") or {}
    if not isinstance(settings, dict):
        raise front_door(400, "InvalidRequestContent", "The request content was invalid: 'whatIfSettings'.")
    ids_only = str(settings.get("resultFormat", "")).lower() == "resourceidonly"
    return HttpResponse(200, what_if(cloud, deployment, ids_only=ids_only))


def _operations(cloud: CloudView, request: HttpRequest, deployment: Deployment, rest: Sequence[str]) -> HttpResponse:
    shown = answers.show_operations(deployment)
    if len(rest) == 1:
        return lists.page(cloud, request, shown)
    found = next((each for each in shown if each["operationId"].lower() == rest[1].lower()), None)
    if found is None:
        raise front_door(404, "DeploymentOperationNotFound", f"The operation '{rest[1]}' could not be found.")
    return HttpResponse(200, found)


def _cancel(cloud: CloudView, deployment: Deployment) -> HttpResponse:
    if not deployment.running:
        raise front_door(
            409,
            "DeploymentCannotBeCancelled",
            f"The deployment '{deployment.name}' cannot be cancelled: its state is '{deployment.state}'.",
        )
    engine.cancel(cloud, deployment)
    return HttpResponse(204)


def _delete(cloud: CloudView, deployment: Deployment | None) -> HttpResponse:
    """Out of the history; what was deployed stays."""
    if deployment is None:
        return HttpResponse(204)
    if deployment.running:
        raise front_door(
            409,
            "DeploymentCannotBeDeleted",
            f"The deployment '{deployment.name}' cannot be deleted while it runs: cancel it first.",
        )
    cloud.store.remove_deployment(deployment.key)
    return HttpResponse(204)


def _hash(request: HttpRequest) -> HttpResponse:
    template = read_body(request)
    return HttpResponse(200, {"minifiedTemplate": "", "templateHash": digest(template)})
