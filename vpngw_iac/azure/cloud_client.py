"""The door: settings of the cloud, the transport, the credential, and who we turn out to be."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from azure.core import PipelineClient
from azure.core.credentials import TokenCredential
from azure.core.exceptions import AzureError
from azure.core.rest import HttpRequest

from vpngw_iac.azure import NO_TENANT, Send
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.budget import Budget
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.cloud import AzureCloud
from vpngw_iac.azure.clouds import CloudSettings, Fetch, settings_of
from vpngw_iac.azure.key_vault import KeyVaultSecrets, Vaults
from vpngw_iac.azure.sign_in import NoSignIn, Tokens, actor_of, claims_of, default_credential
from vpngw_iac.azure.translate import sign_in_failure, transport_failure
from vpngw_iac.azure.transport import CallableTransport, https_transport
from vpngw_iac.call_threads import CallThreads
from vpngw_iac.engine.ports import Clock, CloudIdentity, Fingerprinter
from vpngw_iac.errors import AzureIds, UsageError
from vpngw_iac.masks import Masks
from vpngw_iac.secret import SecretSource

if TYPE_CHECKING:
    from vpngw_iac.azure.key_in_vault import VaultKeys
    from vpngw_iac.azure.logs import Logs

for _name in ("azure", "msal"):
    # Without a handler Python would print the SDK's warnings; what they say stands in our errors.
    logging.getLogger(_name).addHandler(logging.NullHandler())


class CloudClient:
    """A cloud as one process sees it: one credential and its tokens, one connection pool, one account of the quota.

    Sessions share it; each has a client of its own. Safe between threads.
    """

    def __init__(
        self,
        cloud: str,
        *,
        tenant: str | None = None,
        credential: TokenCredential | None = None,
        transport: Send | None = None,
        threads: CallThreads | None = None,
    ) -> None:
        """`cloud` is ``public``, ``usgovernment``, ``china``, ``simulator`` or ``https://ENDPOINT``.

        `transport` stands in for the network (the simulator's door); then nobody signs in unless a `credential` is
        given. `threads` make what is read at once. Nothing is asked and nobody signs in before a client is made.
        """
        if cloud.lower() == "simulator" and transport is None:
            raise UsageError("The simulator is reached through a transport, and none was given.")
        self._cloud, self._tenant, self._send = cloud, tenant, transport
        self._credential = credential or (NoSignIn() if transport is not None else None)
        self._budget = Budget()
        self._threads = threads or CallThreads()
        self._guard = threading.RLock()
        self._pool: Any = None
        self._settings: CloudSettings | None = None
        self._tokens: Tokens | None = None

    def cloud(
        self,
        *,
        subscription: str,
        key: Fingerprinter | None = None,
        clock: Clock,
        correlation: str,
        tenants: Mapping[str, str] | None = None,
        masks: Masks | None = None,
        tell: Callable[[str], None] | None = None,
    ) -> AzureCloud:
        """A client of a session, signed in.

        `key` fingerprints the secrets that answers echo; without it they are dropped. `tenants` names the tenant of
        other subscriptions. `masks` knows what no message may show; `tell` hears, from any thread, why a read takes
        long. Raises `UsageError` for an unknown cloud, `EndpointError` if nobody answers, `SignInFailed`.
        """
        wire, ids, tenants = self._wire(tell), AzureIds(correlation, at=clock.utc()), tenants or {}
        settings, tokens = self._opened(wire, ids), self.tokens(ids)
        arm = Arm(
            settings,
            tokens,
            wire,
            clock=clock,
            correlation=correlation,
            tenants=tenants,
            masks=masks,
            budget=self._budget,
            threads=self._threads,
        )
        identity = _identity(settings, tokens, subscription, self._tenant or tenants.get(subscription), ids)
        return AzureCloud(arm, identity, key=key, clock=clock, tell=tell)

    def secrets(self, local: SecretSource, correlation: str = "", masks: Masks | None = None) -> KeyVaultSecrets:
        """Secrets in the Key Vaults of this cloud; references that need no vault go to `local`.

        Nobody signs in before the first reference to a vault is resolved. `masks` knows what no message may show.
        """
        wire = self._wire()
        suffix = self._opened(wire, AzureIds(correlation)).vault_suffix
        return KeyVaultSecrets(self.tokens, local, suffix=suffix, transport=wire, correlation=correlation, masks=masks)

    def vault_keys(self, correlation: str = "", masks: Masks | None = None) -> VaultKeys:
        """Keys of states in the Key Vaults of this cloud. Nobody signs in before the first is asked for."""
        from vpngw_iac.azure.key_in_vault import VaultKeys

        wire, ids = self._wire(), AzureIds(correlation)
        vaults = Vaults(self.tokens, suffix=self._opened(wire, ids).vault_suffix, transport=wire)
        return VaultKeys(vaults, ids, masks or Masks())

    def logs(self, correlation: str = "", masks: Masks | None = None) -> Logs:
        """Logs of gateways in this cloud; nothing is asked before the first query."""
        from vpngw_iac.azure.logs import Logs

        wire = self._wire()
        return Logs(self.tokens, self._opened(wire, AzureIds(correlation)).logs, wire, masks)

    def tokens(self, ids: AzureIds | None = None) -> Tokens:
        """Tokens of this cloud, for whatever service: one credential, made when first needed."""
        with self._guard:
            if self._tokens is None:
                settings = self._opened(self._wire(), ids or AzureIds())
                home, given = settings.tenant or self._tenant, self._credential
                anew = None if given is not None else partial(default_credential, settings)
                self._tokens = Tokens(given or default_credential(settings), home, anew=anew)
            return self._tokens

    def _opened(self, wire: Any, ids: AzureIds) -> CloudSettings:
        with self._guard:
            if self._settings is None:
                self._settings = settings_of(self._cloud, _fetch(wire, ids))
            return self._settings

    def _wire(self, tell: Callable[[str], None] | None = None) -> Any:
        """The pool that all clients share, and who hears of a late answer to this one."""
        if self._send is not None:
            return CallableTransport(self._send)
        from vpngw_iac.azure.limits import session  # and with it requests, of which the simulator needs nothing

        with self._guard:
            self._pool = self._pool or session()
        return https_transport(tell, self._pool)


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
