"""Where each Azure cloud answers and who signs people in; and the discovery of clouds that we do not know.

Endpoints and scopes of the known clouds are azure-core's own (``azure.mgmt.core.tools.get_arm_endpoints``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.translate import not_arm, refusal
from vpngw_iac.errors import AzureIds, EndpointError, UsageError
from vpngw_iac.late_dataclass import dataclass

METADATA = "/metadata/endpoints?api-version=2022-09-01"


@dataclass(frozen=True, slots=True)
class CloudSettings:
    """What the SDK must be told about one cloud."""

    name: str
    endpoint: str
    """Of the resource manager, without a slash at the end."""
    scope: str
    authority: str = ""
    """Where tokens come from; empty when nobody signs in."""
    tenant: str = ""
    """Tenant that the cloud itself prescribes: ``adfs`` where AD FS is the authority."""
    instance_discovery: bool = True
    """False when Microsoft does not know the authority, so that MSAL must not ask."""
    vault_suffix: str = "vault.azure.net"
    federation_audience: str = "api://AzureADTokenExchange"
    logs: str = ""
    """Where queries of logs are answered (README of azure-monitor-query); empty where nobody says."""


KNOWN = {
    "public": CloudSettings(
        "public",
        "https://management.azure.com",
        "https://management.azure.com/.default",
        "https://login.microsoftonline.com",
        logs="https://api.loganalytics.io",
    ),
    "usgovernment": CloudSettings(
        "usgovernment",
        "https://management.usgovcloudapi.net",
        "https://management.core.usgovcloudapi.net/.default",
        "https://login.microsoftonline.us",
        vault_suffix="vault.usgovcloudapi.net",
        federation_audience="api://AzureADTokenExchangeUSGov",
        logs="https://api.loganalytics.us",
    ),
    "china": CloudSettings(
        "china",
        "https://management.chinacloudapi.cn",
        "https://management.chinacloudapi.cn/.default",
        "https://login.chinacloudapi.cn",
        vault_suffix="vault.azure.cn",
        federation_audience="api://AzureADTokenExchangeChina",
        logs="https://api.loganalytics.azure.cn",
    ),
    "simulator": CloudSettings(
        "simulator",
        "https://management.simulator.invalid",
        "https://management.simulator.invalid/.default",
        logs="https://management.simulator.invalid",
    ),
}

Fetch = Callable[[str], Answer]
"""One GET without a token."""


def settings_of(cloud: str, fetch: Fetch) -> CloudSettings:
    """Settings of a cloud by its name, or of the endpoint that its URL names."""
    known = KNOWN.get(cloud.lower())
    if known is not None:
        return known
    url = urlsplit(cloud)
    if url.scheme == "https" and url.hostname:
        return discover(f"https://{url.netloc}", fetch)
    if url.scheme == "http":
        raise UsageError(f"{cloud} is not https. Azure tokens are never sent over plain HTTP.")
    names = ", ".join(sorted(KNOWN))
    raise UsageError(f"{cloud!r} is not a cloud. Use one of {names}, or https://ENDPOINT.")


def discover(endpoint: str, fetch: Fetch) -> CloudSettings:
    """Read ``/metadata/endpoints``: an object, or a list in older api-versions."""
    doing = f"get {endpoint}{METADATA}"
    answer = fetch(endpoint + METADATA)
    if answer.status == 404 or (answer.status < 400 and not answer.is_json):
        raise not_arm(f"{endpoint} has no /metadata/endpoints", AzureIds(), answer.status)
    if answer.status >= 300:
        raise refusal(answer, doing, AzureIds())
    entry = _entry(answer.body, endpoint)
    sign_in = _dict(entry.get("authentication"))
    audiences = sign_in.get("audiences")
    if not isinstance(audiences, list) or not audiences or not sign_in.get("loginEndpoint"):
        raise not_arm(f"{endpoint}{METADATA} does not say who signs people in", AzureIds(), answer.status)
    authority, tenant = _authority(str(sign_in["loginEndpoint"]), str(sign_in.get("tenant") or ""))
    return CloudSettings(
        name="custom",
        endpoint=_resource_manager(entry, endpoint),
        scope=f"{str(audiences[0]).rstrip('/')}/.default",
        authority=authority,
        tenant=tenant,
        instance_discovery=authority in {known.authority for known in KNOWN.values()},
        vault_suffix=str(_dict(entry.get("suffixes")).get("keyVaultDns") or "vault.azure.net").lstrip("."),
    )


def _entry(body: Any, endpoint: str) -> Mapping[str, Any]:
    """The one document, or the list's entry for this endpoint (its first, if none names it)."""
    if isinstance(body, dict):
        return body
    entries = [item for item in body if isinstance(item, dict)] if isinstance(body, list) else []
    if not entries:
        raise EndpointError(f"{endpoint}{METADATA} answers neither an object nor a list.")
    host = urlsplit(endpoint).netloc.lower()
    return next((e for e in entries if urlsplit(str(e.get("resourceManager"))).netloc.lower() == host), entries[0])


def _resource_manager(entry: Mapping[str, Any], endpoint: str) -> str:
    """The endpoint named in the document if it is https, else the one we asked."""
    named = str(entry.get("resourceManager") or "").rstrip("/")
    return named if named.startswith("https://") else endpoint


def _authority(login: str, tenant: str) -> tuple[str, str]:
    """Authority without its path, and the tenant; AD FS is written as ``https://host/adfs`` and has no tenants."""
    url = urlsplit(login if "//" in login else f"https://{login}")
    path = url.path.strip("/")
    if path.lower() == "adfs":
        return f"https://{url.netloc}", "adfs"
    return f"https://{url.netloc}", "" if tenant.lower() in {"common", "organizations"} else tenant


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
