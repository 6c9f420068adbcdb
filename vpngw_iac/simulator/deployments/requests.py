"""What is asked for with a deployment: the body of a PUT, of validate and of whatIf."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.deployments.answers import shape_of
from vpngw_iac.simulator.deployments.preparation import InvalidTemplate, check_resources, digest, prepare
from vpngw_iac.simulator.deployments.record import Deployment
from vpngw_iac.simulator.refusal import Refusal, front_door
from vpngw_iac.simulator.wire import HttpRequest, Json

_MODES = {"incremental": "Incremental", "complete": "Complete"}


def asked_for(cloud: CloudView, request: HttpRequest, identifier: str) -> Deployment:
    """The deployment that a request describes, read and checked, and nothing begun; raises `Refusal`."""
    body = read_body(request)
    properties = body.get("properties")
    if not isinstance(properties, dict):
        raise _content("The request content was invalid: it has no 'properties'.")
    mode = _MODES.get(str(properties.get("mode", "")).lower())
    if mode is None:
        raise _content("The deployment mode must be 'Incremental' or 'Complete'.")
    in_group = "/resourcegroups/" in identifier.lower()
    if not in_group and not body.get("location"):
        raise front_door(
            400,
            "LocationRequired",
            "The location property is required for this definition.",
        )
    if not in_group and mode == "Complete":
        raise _content("Complete mode is only supported for deployments at resource group scope.")
    template = _template(properties)
    deployment = Deployment(
        id=identifier,
        correlation=request.headers.get("x-ms-correlation-request-id") or cloud.guid(),
        template=template,
        values={},
        mode=mode,
        location=str(body.get("location") or ""),
        tags=_tags(body),
        api_version=request.api_version,
        began=cloud.now,
        digest=digest(template),
        polling=f"0858{cloud.store.next_number():016d}",
        outer=properties.get("$outer") if cloud.deploying else None,
        caller=cloud.caller,
    )
    if properties.get("parametersLink"):
        raise _content("This simulator downloads nothing: put the parameters themselves into 'parameters'.")
    given = _values(cloud, properties.get("parameters") or {})
    deployment.prepared = prepare(cloud, deployment, given)
    deployment.shape = shape_of(deployment.prepared)
    check_resources(cloud, deployment.prepared, deployment.name)
    return deployment


def _tags(body: Json) -> Json:
    tags = body.get("tags") or {}
    if not isinstance(tags, dict):
        raise _content("The request content was invalid: 'tags' must be an object.")
    return dict(tags)


def _content(message: str) -> Refusal:
    return front_door(400, "InvalidRequestContent", message)


def _template(properties: Mapping[str, Any]) -> Json:
    link = properties.get("templateLink") or {}
    if link:
        link = link if isinstance(link, dict) else {"uri": link}
        where = link.get("uri") or link.get("id") or link.get("relativePath") or ""
        raise front_door(
            400,
            "InvalidContentLink",
            f"Unable to download deployment content from '{where}'. This simulator downloads nothing: put the template "
            "itself into 'template'.",
        )
    template = properties.get("template")
    if not isinstance(template, dict):
        raise _content("The request content was invalid: 'properties' has no 'template'.")
    return template


def _values(cloud: CloudView, told: Any) -> Json:
    """The parameters of a request; references to a key vault are looked up in the simulated one."""
    if not isinstance(told, dict) or not all(isinstance(each, dict) for each in told.values()):
        raise _content("The deployment parameters must be an object of objects with 'value' or 'reference'.")
    return {
        name: _secret(cloud, name, each["reference"]) if "reference" in each else each.get("value")
        for name, each in told.items()
    }


def _secret(cloud: CloudView, name: str, reference: Any) -> str:
    holder = reference.get("keyVault") if isinstance(reference, dict) else None
    vault = str(holder.get("id") or "") if isinstance(holder, dict) else ""
    secret = str(reference.get("secretName") or "") if isinstance(reference, dict) else ""
    if not vault or not secret:
        raise InvalidTemplate(f"The key vault reference of parameter '{name}' needs 'keyVault.id' and 'secretName'.")
    value = cloud.store.vault.get(f"{vault.rsplit('/', 1)[-1]}/{secret}".lower())
    if value is None:
        raise front_door(
            400,
            "KeyVaultParameterReferenceSecretRetrieveFailed",
            f"The secret of KeyVault parameter '{name}' cannot be retrieved. Http status code: 'NotFound'. Error "
            f"message: 'A secret with (name/id) {secret} was not found in this key vault.'. Please see "
            "https://aka.ms/arm-keyvault for usage details.",
        )
    return value
