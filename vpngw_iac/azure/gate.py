"""Behind `connect`: settings of the cloud, the transport, the credential, and who we turn out to be."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from vpngw_iac.azure import NO_TENANT
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.cloud import AzureCloud
from vpngw_iac.azure.clouds import CloudSettings, Fetch, settings_of
from vpngw_iac.azure.key_vault import KeyVaultSecrets
from vpngw_iac.azure.sign_in import NoSignIn, Tokens, actor_of, claims_of, default_credential
from vpngw_iac.azure.translate import sign_in_failure, transport_failure
from vpngw_iac.azure.transport import CallableTransport, Send, https_transport
from vpngw_iac.engine.ports import Clock, CloudIdentity, Fingerprinter
from vpngw_iac.errors import AzureIds, UsageError
from vpngw_iac.masks import Masks
from vpngw_iac.secret import SecretSource

for _name in ("azure", "msal"):
    # Without a handler Python would print the SDK's warnings; what they say stands in our errors.
    logging.getLogger(_name).addHandler(logging.NullHandler())


def open_cloud(
    cloud: str,
    *,
    subscription: str,
    tenant: str | None,
    credential: TokenCredential | None,
    transport: Send | None,
    key: Fingerprinter | None,
    clock: Clock,
    correlation: str,
    tenants: Mapping[str, str],
    masks: Masks | None = None,
    tell: Callable[[str], None] | None = None,
) -> AzureCloud:
    """See `vpngw_iac.azure.connect`."""
    if cloud.lower() == "simulator" and transport is None:
        raise UsageError("The simulator is reached through a transport, and none was given.")
    wire = https_transport(tell) if transport is None else CallableTransport(transport)
    ids = AzureIds(correlation, at=clock.utc())
    settings = settings_of(cloud, _fetch(wire, ids))
    tokens = _tokens(settings, tenant, credential or (NoSignIn() if transport is not None else None))
    arm = Arm(settings, tokens, wire, clock=clock, correlation=correlation, tenants=tenants, masks=masks)
    identity = _identity(settings, tokens, subscription, tenant or tenants.get(subscription), ids)
    return AzureCloud(arm, identity, key=key, clock=clock, tell=tell)


def open_vaults(
    cloud: str,
    *,
    local: SecretSource,
    tenant: str | None,
    credential: TokenCredential | None,
    transport: Send | None,
    correlation: str,
    masks: Masks | None = None,
) -> SecretSource:
    """See `vpngw_iac.azure.key_vault_secrets`."""
    wire = https_transport() if transport is None else CallableTransport(transport)
    settings = settings_of(cloud, _fetch(wire, AzureIds(correlation)))

    def sign_in() -> Tokens:
        return _tokens(settings, tenant, credential)

    return KeyVaultSecrets(
        cache(sign_in), local, suffix=settings.vault_suffix, transport=wire, correlation=correlation, masks=masks
    )


def signed_in(cloud: str, *, tenant: str | None, credential: TokenCredential | None) -> TokenCredential:
    """The credential of this run for another service than ARM; the simulator's state lies in public Azure Storage."""
    settings = settings_of("public" if cloud == "simulator" else cloud, _fetch(https_transport(), AzureIds()))
    return _tokens(settings, tenant, credential)


def _tokens(settings: CloudSettings, tenant: str | None, credential: TokenCredential | None) -> Tokens:
    home = settings.tenant or tenant
    if credential is not None:
        return Tokens(credential, home)
    return Tokens(default_credential(settings), home, anew=lambda: default_credential(settings))


def _identity(
    settings: CloudSettings, tokens: Tokens, subscription: str, tenant: str | None, ids: AzureIds
) -> CloudIdentity:
    """Signs in at once: a wrong secret is told before anything is read, and the state is bound to the tenant."""
    try:
        token = tokens.of_tenant(settings.tenant or tenant).get_token(settings.scope).token
    except AzureError as error:
        raise sign_in_failure(error, ids) from None
    claims = claims_of(token)
    return CloudIdentity(
        name=settings.name,
        endpoint=settings.endpoint,
        tenant=tenant or str(claims.get("tid") or settings.tenant or NO_TENANT),
        subscription=subscription,
        actor=actor_of(claims),
    )


def _fetch(wire: Any, ids: AzureIds) -> Fetch:
    """A GET without a token, for the metadata of a cloud."""

    def fetch(url: str) -> Answer:
        client: PipelineClient[Any, Any] = PipelineClient(url, policies=[], transport=wire)
        try:
            response = client.send_request(HttpRequest("GET", url, headers={"Accept": "application/json"}))
            return Answer.of(response.status_code, response.headers, response.read())
        except AzureError as error:
            raise transport_failure(error, f"get {url}", ids, endpoint=url, reached=False) from None

    return fetch
