"""What expressions of a template may ask of this cloud."""

from __future__ import annotations

import json
import re
from datetime import datetime
from typing import Any

from vpngw_iac.simulator.clock import utc
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.identity import TENANT
from vpngw_iac.simulator.services.subscriptions import subscription
from vpngw_iac.simulator.templates.dependencies import Index
from vpngw_iac.simulator.templates.errors import NotSimulatedFunction, TemplateError
from vpngw_iac.simulator.wire import PUBLIC, HttpRequest, Json

_PATTERN = re.compile(r"yyyy|yy|MM|M|dd|d|HH|hh|mm|ss|fff+|'[^']*'|\\.|[A-Za-z]|.", re.DOTALL)
_STRFTIME = {"yyyy": "%Y", "yy": "%y", "MM": "%m", "dd": "%d", "HH": "%H", "hh": "%I", "mm": "%M", "ss": "%S"}


def span(seconds: float) -> str:
    """A duration as Azure writes it."""
    minutes, rest = divmod(max(0.0, seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    return (
        "PT"
        + (f"{hours}H" if hours else "")
        + (f"{minutes}M" if minutes else "")
        + f"{rest:.7f}".rstrip("0").rstrip(".")
        + "S"
    )


class CloudSurroundings:
    """The cloud as the expressions of one deployment see it."""

    def __init__(self, cloud: CloudView, scope: str, told: Json) -> None:
        self._cloud, self._scope, self._told = cloud, scope, told
        self.index = Index([])
        """The resources of the template, once they are known."""

    def subscription(self) -> Json:
        """What ``subscription()`` answers."""
        found = subscription(self._scope.strip("/").split("/")[1])
        return {name: found[name] for name in ("id", "subscriptionId", "tenantId", "displayName")}

    def resource_group(self) -> Json:
        """What ``resourceGroup()`` answers; there is none at subscription scope."""
        group = self._cloud.find(self._scope)
        if "/resourcegroups/" not in self._scope.lower():
            raise TemplateError(
                "The template function 'resourceGroup' is not expected at this location: the deployment is at "
                "subscription scope. Please see https://aka.ms/arm-functions for usage details."
            )
        if group is None:
            raise TemplateError(f"The resource group '{self._scope.rsplit('/', 1)[-1]}' could not be found.")
        return {
            "id": group.id,
            "name": group.name,
            "type": "Microsoft.Resources/resourceGroups",
            "location": group.body.get("location"),
            "tags": group.body.get("tags") or {},
            "properties": {"provisioningState": group.state},
        }

    def deployment(self) -> Json:
        """What ``deployment()`` answers."""
        return self._told

    def environment(self) -> Json:
        """What ``environment()`` answers: the public cloud's names."""
        return {
            "name": "AzureCloud",
            "resourceManager": PUBLIC,
            "portal": "https://portal.azure.com",
            "authentication": {
                "loginEndpoint": "https://login.microsoftonline.com/",
                "audiences": [f"{PUBLIC}/"],
                "tenant": TENANT,
                "identityProvider": "AAD",
            },
            "suffixes": {"storage": "core.windows.net", "keyvaultDns": ".vault.azure.net"},
        }

    def scope(self) -> str:
        """What ids begin with."""
        return self._scope

    def moment(self, pattern: str) -> str:
        """The simulated time in a format of .NET."""
        now = utc(self._cloud.now)
        fixed = {
            "o": "yyyy-MM-ddTHH:mm:ss.fffffffZ",
            "u": "yyyy-MM-dd HH:mm:ssZ",
            "d": "MM/dd/yyyy",
            "s": "yyyy-MM-ddTHH:mm:ss",
        }
        return "".join(_written(now, part) for part in _PATTERN.findall(fixed.get(pattern, pattern)))

    def new_guid(self) -> str:
        """A new GUID."""
        return self._cloud.guid()

    def reference(self, target: str, version: str, *, full: bool) -> Any:
        """The properties of a resource of the template by name, or of any resource by id and api-version."""
        identifier, known = self._resolved(target)
        answer = self._asked("GET", identifier, version or known, "reference")
        if not full:
            return answer.get("properties") or {}
        parts = identifier.strip("/").split("/")
        group = {"resourceGroupName": parts[3]} if parts[2].lower() == "resourcegroups" else {}
        head = {name: value for name, value in answer.items() if name not in ("id", "name", "type", "etag")}
        about = {"apiVersion": version or known, "resourceId": identifier, "subscriptionId": parts[1]}
        return head | about | group

    def listed(self, function: str, target: str, version: str, body: Any) -> Any:
        """What a POST below a resource answers."""
        identifier, _ = self._resolved(target)
        return self._asked("POST", f"{identifier}/{function}", version, function, body or {})

    def _resolved(self, target: str) -> tuple[str, str]:
        found = self.index.asked(target)
        if found is not None:
            return found.id, found.version
        return target, ""

    def _asked(self, method: str, path: str, version: str, function: str, body: Any = None) -> Json:
        if not version:
            raise TemplateError(
                f"The template function '{function}' needs an api-version for '{path}', which is not in this template. "
                "Please see https://aka.ms/arm-function-reference for usage details."
            )
        content = None if body is None else json.dumps(body).encode()
        answer = self._cloud.send(HttpRequest(method, path, {"api-version": version}, {}, content))
        if answer.status >= 400:
            error = (answer.body or {}).get("error") or {} if isinstance(answer.body, dict) else {}
            raise TemplateError(f"{error.get('code', answer.status)}: {error.get('message', 'no answer')}")
        found: Json = answer.body if isinstance(answer.body, dict) else {}
        return found


def _written(now: datetime, part: str) -> str:
    if part in _STRFTIME:
        return now.strftime(_STRFTIME[part])
    if set(part) == {"f"}:
        return f"{now.microsecond:06d}0"[: len(part)]
    if part in ("M", "d"):
        return str(now.month if part == "M" else now.day)
    if part[0] in "'\\":
        return part.strip("'\\")
    if part.isalpha() and part not in "TZ":
        raise NotSimulatedFunction(f"utcNow with '{part}'")
    return part
