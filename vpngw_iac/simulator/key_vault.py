"""Secrets of key vaults over the wire: ``https://VAULT.vault.azure.net/secrets/NAME[/VERSION]``, beside ARM.

Evidence: azure-keyvault-secrets 4.12 (paths, bundle, the challenge before the first token) and
https://learn.microsoft.com/rest/api/keyvault/secrets; AKV10000 and its challenge in
hashicorp/terraform-provider-azurerm 19749, ``SecretDisabled`` in ansible-collections/azure 1989,
``ObjectIsDeletedButRecoverable`` in external-secrets/external-secrets 3519. A vault is there as soon as it is named,
and asks for data actions at ``/providers/Microsoft.KeyVault/vaults/VAULT``. Setting, getting, listing versions and
deleting are simulated; everything else is 501.
"""

from __future__ import annotations

import re

from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.refusal import not_simulated
from vpngw_iac.simulator.vault import SecretVersions
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_HOST = re.compile(r"https://(?P<vault>[a-z0-9-]+)\.(?P<suffix>vault\.[a-z.]+)(:\d+)?", re.IGNORECASE)
_PATH = re.compile(r"/secrets/(?P<name>[0-9A-Za-z-]{1,127})(/(?P<version>\w*))?/?")
_ACTIONS = {"GET": "getSecret", "PUT": "setSecret", "DELETE": "delete"}
_RBAC = "Microsoft.KeyVault/vaults/secrets"


def is_request(request: HttpRequest) -> bool:
    """Whether it is for a key vault, not for ARM."""
    return _HOST.fullmatch(request.host) is not None


def answer(cloud: CloudView, request: HttpRequest) -> HttpResponse:
    """The vault's answer; refusals too, since a vault writes them otherwise than ARM."""
    host, path = _HOST.fullmatch(request.host), _PATH.fullmatch(request.path)
    if host is None or path is None or request.method not in _ACTIONS:
        raise not_simulated(f"{request.method} {request.host}{request.path}")
    if "authorization" not in request.headers:
        told = f'Bearer authorization="https://login.microsoftonline.com/tenant", resource="https://{host["suffix"]}"'
        refused = _refused(401, "Unauthorized", "AKV10000: Request is missing a Bearer or PoP token.")
        return refused.with_headers(WWW_Authenticate=told)
    vault, name, version = host["vault"], path["name"], path["version"] or ""
    lists = version == "versions"
    action = f"{_RBAC}/{'readMetadata' if lists else _ACTIONS[request.method]}/action"
    scope = f"/providers/Microsoft.KeyVault/vaults/{vault}/secrets/{name}"
    if not cloud.governance.permits_data(scope, action, cloud.caller):
        told = f"Caller is not authorized to perform action on resource.\nAction: '{action}'\nResource: '{scope}'"
        return _refused(403, "Forbidden", told, "ForbiddenByRbac")
    secrets = SecretVersions(cloud.store)
    if request.method == "PUT":
        return _set(secrets, request, vault, name)
    found = [] if secrets.is_deleted(vault, name) else secrets.of(vault, name)
    if lists:
        return HttpResponse(200, {"value": [_item(request, name, each) for each in found], "nextLink": None})
    if request.method == "DELETE":
        return _delete(secrets, request, vault, name)
    return _get(request, name, [each for each in found if version in ("", each["version"])])


def _set(secrets: SecretVersions, request: HttpRequest, vault: str, name: str) -> HttpResponse:
    if secrets.is_deleted(vault, name):
        told = f"Secret {name} is currently in a deleted but recoverable state, and its name cannot be reused."
        return _refused(409, "Conflict", told, "ObjectIsDeletedButRecoverable")
    made = secrets.add(vault, name, str(read_body(request).get("value", "")))
    return HttpResponse(200, _bundle(request, name, made))


def _get(request: HttpRequest, name: str, found: list[Json]) -> HttpResponse:
    if not found:
        return _refused(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
    if not found[-1]["enabled"]:
        return _refused(403, "Forbidden", "Operation get is not allowed on a disabled secret.", "SecretDisabled")
    return HttpResponse(200, _bundle(request, name, found[-1]))


def _delete(secrets: SecretVersions, request: HttpRequest, vault: str, name: str) -> HttpResponse:
    found = secrets.of(vault, name)
    if not found or secrets.is_deleted(vault, name):
        return _refused(404, "SecretNotFound", f"A secret with (name/id) {name} was not found in this key vault.")
    secrets.delete(vault, name)
    recovery = f"{request.host}/deletedsecrets/{name}"
    return HttpResponse(200, {**_item(request, name, found[-1]), "recoveryId": recovery})


def _item(request: HttpRequest, name: str, version: Json) -> Json:
    attributes = {"enabled": version["enabled"], "recoveryLevel": "Recoverable+Purgeable", "recoverableDays": 90}
    return {"id": f"{request.host}/secrets/{name}/{version['version']}", "attributes": attributes}


def _bundle(request: HttpRequest, name: str, version: Json) -> Json:
    return {"value": version["value"], **_item(request, name, version)}


def _refused(status: int, code: str, message: str, inner: str = "") -> HttpResponse:
    error: Json = {"code": code, "message": message}
    return HttpResponse(status, {"error": error | ({"innererror": {"code": inner}} if inner else {})})
