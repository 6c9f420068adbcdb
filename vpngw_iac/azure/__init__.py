"""The real cloud. `connect` is the one gate to the SDK: nothing of it is imported before."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

    from vpngw_iac.engine.ports import Clock, Cloud
    from vpngw_iac.masks import Masks
    from vpngw_iac.secret import Fingerprint, SecretSource
    from vpngw_iac.state.model import Binding
    from vpngw_iac.state.store import Store

Send = Callable[[str, str, Mapping[str, str], bytes | None], tuple[int, Mapping[str, str], bytes]]
"""``send(method, url, headers, body)`` gives status, headers and body: what stands in for the network."""

NO_TENANT = "00000000-0000-0000-0000-000000000000"
"""Tenant of a cloud that nobody signs in to."""


def connect(
    cloud: str,
    *,
    subscription: str,
    tenant: str | None = None,
    credential: TokenCredential | None = None,
    transport: Send | None = None,
    key: Callable[[str], Fingerprint] | None = None,
    clock: Clock,
    correlation: str,
    tenants: Mapping[str, str] | None = None,
    masks: Masks | None = None,
    tell: Callable[[str], None] | None = None,
) -> Cloud:
    """Connect to `public`, `usgovernment`, `china`, `simulator` or ``https://ENDPOINT``, and sign in.

    `transport` stands in for the network (the simulator's door); then nobody signs in unless a `credential` is given.
    `key` fingerprints the secrets that answers echo; without it they are dropped. `tenants` names the tenant of other
    subscriptions. `masks` knows what no message may show; `tell` hears, from any thread, why a read takes long.
    Raises `UsageError` for an unknown cloud, `EndpointError` if nobody answers, `SignInFailed`.
    """
    from vpngw_iac.azure.gate import open_cloud

    return open_cloud(
        cloud,
        subscription=subscription,
        tenant=tenant,
        credential=credential,
        transport=transport,
        key=key,
        clock=clock,
        correlation=correlation,
        tenants=tenants or {},
        masks=masks,
        tell=tell,
    )


def key_vault_secrets(
    cloud: str,
    *,
    local: SecretSource,
    tenant: str | None = None,
    credential: TokenCredential | None = None,
    transport: Send | None = None,
    correlation: str = "",
    masks: Masks | None = None,
) -> SecretSource:
    """Secrets in the Key Vaults of this cloud; references that need no vault go to `local`.

    Nobody signs in before the first reference to a vault is resolved.
    """
    from vpngw_iac.azure.gate import open_vaults

    return open_vaults(
        cloud,
        local=local,
        tenant=tenant,
        credential=credential,
        transport=transport,
        correlation=correlation,
        masks=masks,
    )


def blob_state_store(
    url: str,
    cloud: str,
    deployment: str,
    binding: Binding | None,
    *,
    folder: str,
    tenant: str | None = None,
    credential: TokenCredential | None = None,
    environment: Mapping[str, str] | None = None,
) -> Store:
    """The state of one deployment in Azure Storage (``azblob://ACCOUNT/CONTAINER/PREFIX``); see `blob_store`.

    `folder` names the cloud below the prefix. Signs in only if no storage key is set.
    """
    from vpngw_iac.azure.blob_store import open_blob_store
    from vpngw_iac.azure.gate import signed_in

    return open_blob_store(
        url,
        folder,
        deployment,
        binding,
        credential=lambda: signed_in(cloud, tenant=tenant, credential=credential),
        environment=environment,
    )
