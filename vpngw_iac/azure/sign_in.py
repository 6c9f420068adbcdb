"""Who we are: which credential is used in which cloud, tokens shared by all threads, and what a token tells.

A GitHub ID token lives for minutes and a gateway takes most of an hour: the assertion is requested anew for every
refresh (Azure/login#180, AADSTS700024).
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from azure.core import PipelineClient
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import AzureError, ClientAuthenticationError
from azure.core.pipeline.policies import HeadersPolicy, RetryPolicy
from azure.core.rest import HttpRequest

from vpngw_iac.azure.clouds import CloudSettings
from vpngw_iac.azure.transport import https_transport

MARGIN = 300.0
"""Seconds before its end at which a token is replaced."""

_EXPLICIT = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE")
_GITHUB = ("ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "AZURE_CLIENT_ID", "AZURE_TENANT_ID")

_PIPELINES = (
    "SYSTEM_OIDCREQUESTURI",
    "SYSTEM_ACCESSTOKEN",
    "AZURESUBSCRIPTION_CLIENT_ID",
    "AZURESUBSCRIPTION_TENANT_ID",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID",
)
"""What a task of Azure Pipelines with a service connection knows, once `SYSTEM_ACCESSTOKEN` is mapped."""


class Tokens:
    """A credential whose tokens are shared between threads and clients, one per scope and tenant.

    Without it each client of each subscription would start `az` once per thread.
    """

    def __init__(
        self,
        credential: TokenCredential,
        tenant: str | None = None,
        now: Callable[[], float] = time.time,
        anew: Callable[[], TokenCredential] | None = None,
    ) -> None:
        """`anew` makes the credential once more: azure-identity keeps tokens itself until they end."""
        self._credential = credential
        self._anew = anew
        self._tenant = tenant
        self._now = now
        self._guard = threading.Lock()
        self._kept: dict[tuple[tuple[str, ...], str | None], AccessToken] = {}

    def of_tenant(self, tenant: str | None) -> TenantTokens:
        """The same tokens, asked for in one tenant."""
        return TenantTokens(self, tenant)

    def forget(self) -> None:
        """Ask for new tokens from now on: Azure does not accept what we have, however long it should count."""
        with self._guard:
            self._kept.clear()
            if self._anew is not None:
                self._credential = self._anew()

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        """A token with at least five minutes to live; an older one if it cannot be renewed yet still lives."""
        tenant = tenant_id or self._tenant
        place = (scopes, tenant)
        with self._guard:
            kept = self._kept.get(place)
            if kept is not None and claims is None and kept.expires_on - self._now() > MARGIN:
                return kept
            try:
                fresh = self._request(scopes, claims, tenant, options)
            except AzureError:
                if kept is None or claims is not None or kept.expires_on <= self._now():
                    raise
                return kept
            self._kept[place] = fresh
            return fresh

    def _request(
        self, scopes: tuple[str, ...], claims: str | None, tenant: str | None, options: dict[str, Any]
    ) -> AccessToken:
        wanted: dict[str, Any] = {"claims": claims, "tenant_id": tenant}
        given = {name: value for name, value in wanted.items() if value is not None}
        try:
            return self._credential.get_token(*scopes, **given, **options)
        except ValueError as error:
            # azure-identity reports malformed settings (tenant ids, certificates) as ValueError.
            raise ClientAuthenticationError(message=str(error)) from error


class TenantTokens:
    """Tokens for the subscriptions of one tenant."""

    def __init__(self, tokens: Tokens, tenant: str | None) -> None:
        self._tokens = tokens
        self._tenant = tenant

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        """A token of this tenant unless another one is asked for."""
        return self._tokens.get_token(*scopes, claims=claims, tenant_id=tenant_id or self._tenant, **options)


class NoSignIn:
    """The token of somebody who needs none: the simulator checks its presence only."""

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        """A constant."""
        return AccessToken("simulated", int(time.time()) + 24 * 3600)


def default_credential(settings: CloudSettings, environment: Mapping[str, str] | None = None) -> TokenCredential:
    """The ID token of a job in GitHub Actions or Azure Pipelines where it has one.

    Else azure-identity's default chain without the browser.
    """
    env = os.environ if environment is None else environment
    authority = env.get("AZURE_AUTHORITY_HOST") or settings.authority
    if all(env.get(name) for name in _GITHUB) and not any(env.get(name) for name in _EXPLICIT):
        return github_credential(settings, authority, env, transport=https_transport())
    if all(env.get(name) for name in _PIPELINES) and not any(env.get(name) for name in _EXPLICIT):
        return _pipelines_credential(settings, authority, env)
    if settings.tenant and env.get("AZURE_CLIENT_ID") and env.get("AZURE_CLIENT_SECRET"):
        return _client_secret(settings, authority, env)
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(
        transport=https_transport(),
        authority=authority,
        exclude_interactive_browser_credential=True,
        additionally_allowed_tenants=["*"],
        disable_instance_discovery=not settings.instance_discovery,
    )


def _client_secret(settings: CloudSettings, authority: str, env: Mapping[str, str]) -> TokenCredential:
    """AD FS has one tenant, which is called ``adfs`` whatever AZURE_TENANT_ID says."""
    from azure.identity import ClientSecretCredential

    return ClientSecretCredential(
        settings.tenant,
        env["AZURE_CLIENT_ID"],
        env["AZURE_CLIENT_SECRET"],
        authority=authority,
        disable_instance_discovery=True,
        transport=https_transport(),
    )


def _pipelines_credential(settings: CloudSettings, authority: str, env: Mapping[str, str]) -> TokenCredential:
    """Signs in with the service connection's ID token, requested anew each time: one lives ten minutes.

    https://learn.microsoft.com/python/api/azure-identity/azure.identity.azurepipelinescredential
    """
    from azure.identity import AzurePipelinesCredential

    return AzurePipelinesCredential(
        tenant_id=env["AZURESUBSCRIPTION_TENANT_ID"],
        client_id=env["AZURESUBSCRIPTION_CLIENT_ID"],
        service_connection_id=env["AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"],
        system_access_token=env["SYSTEM_ACCESSTOKEN"],
        authority=authority,
        additionally_allowed_tenants=["*"],
        disable_instance_discovery=not settings.instance_discovery,
        transport=https_transport(),
    )


def github_credential(
    settings: CloudSettings, authority: str, env: Mapping[str, str], **options: Any
) -> TokenCredential:
    """Signs in with the job's ID token, requested anew each time Azure's token must be renewed."""
    from azure.identity import ClientAssertionCredential

    return ClientAssertionCredential(
        env["AZURE_TENANT_ID"],
        env["AZURE_CLIENT_ID"],
        GithubIdToken(env, settings.federation_audience, options.get("transport")),
        authority=authority,
        additionally_allowed_tenants=["*"],
        disable_instance_discovery=not settings.instance_discovery,
        **options,
    )


class GithubIdToken:
    """Asks GitHub for a new ID token at each call."""

    def __init__(self, environment: Mapping[str, str], audience: str, transport: Any = None) -> None:
        self._url = f"{environment['ACTIONS_ID_TOKEN_REQUEST_URL']}&audience={quote(audience, safe='')}"
        self._bearer = environment["ACTIONS_ID_TOKEN_REQUEST_TOKEN"]
        chosen = {} if transport is None else {"transport": transport}
        self._client: PipelineClient[Any, Any] = PipelineClient(
            "", policies=[HeadersPolicy(), RetryPolicy(retry_total=3)], **chosen
        )

    def __call__(self) -> str:
        """The token; a job without the permission ``id-token: write`` gets none."""
        headers = {"Authorization": f"Bearer {self._bearer}", "Accept": "application/json"}
        response = self._client.send_request(HttpRequest("GET", self._url, headers=headers))
        try:
            value = response.json().get("value") if response.status_code == 200 else None
        except (ValueError, AttributeError):
            value = None
        if not isinstance(value, str) or not value:
            raise ClientAuthenticationError(
                message=f"GitHub gave no ID token (HTTP {response.status_code}). "
                "Does the job have `permissions: id-token: write`?"
            )
        return value


def claims_of(token: str) -> dict[str, Any]:
    """What a JWT says about its bearer, unverified: for the log and the tenant only. Empty if it is not a JWT."""
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, binascii.Error):
        return {}
    return claims if isinstance(claims, dict) else {}


def actor_of(claims: Mapping[str, Any]) -> str:
    """The user or application that a token speaks for."""
    return str(next((claims[name] for name in ("upn", "appid", "azp", "oid", "sub") if claims.get(name)), ""))
