"""Secrets in Azure Key Vault: read at apply, and made once where a blueprint asks for a generated one."""

from __future__ import annotations

import secrets
import string
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from vpngw_iac.azure.translate import sign_in_failure
from vpngw_iac.errors import AzureIds, SecretError
from vpngw_iac.masks import Masks
from vpngw_iac.secret import GeneratedSecret, KeyVaultSecret, SecretReference, SecretSource, SecretValue

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

T = TypeVar("T")

LENGTH = 48
ALPHABET = string.ascii_letters + string.digits
"""What every device accepts in a pre-shared key; 48 characters of it hold 285 bits."""

_ADVICE = {
    "read": "Give the identity of this run the role `Key Vault Secrets User` on the vault.",
    "made": "Give the identity of this run the role `Key Vault Secrets Officer` on the vault.",
}


class Vaults:
    """The key vaults of one cloud, each opened when first needed. Safe between threads."""

    def __init__(
        self, credential: Callable[[], Any], *, suffix: str = "vault.azure.net", transport: Any = None
    ) -> None:
        self.suffix = suffix
        self._credential = credential
        self._transport = transport
        self._guard = threading.Lock()
        self._clients: dict[str, SecretClient] = {}

    def url_of(self, vault: str) -> str | None:
        """Address of a vault by its name or its URL; none for what is no vault of this cloud, which gets no token."""
        if "/" not in vault and "." not in vault:
            return f"https://{vault.lower()}.{self.suffix}"
        url = urlsplit(vault if "//" in vault else f"https://{vault}")
        host = (url.hostname or "").lower()
        if url.scheme != "https" or not host.endswith(f".{self.suffix}"):
            return None
        return f"https://{url.netloc}".lower()

    def client(self, url: str) -> SecretClient:
        """The client of a vault."""
        with self._guard:
            from azure.keyvault.secrets import SecretClient  # one thread alone: see `plain_url`

            if url not in self._clients:
                chosen = {} if self._transport is None else {"transport": self._transport}
                self._clients[url] = SecretClient(url, self._credential(), **chosen)
            return self._clients[url]


class KeyVaultSecrets:
    """Resolves references to Key Vault; hands all others to `local`. The vaults are opened when first needed."""

    def __init__(
        self,
        credential: Callable[[], Any],
        local: SecretSource,
        *,
        suffix: str = "vault.azure.net",
        transport: Any = None,
        correlation: str = "",
        masks: Masks | None = None,
    ) -> None:
        """`masks` knows what no message may show; a value that is made here is added to it."""
        self._vaults = Vaults(credential, suffix=suffix, transport=transport)
        self._local = local
        self._ids = AzureIds(correlation)
        self._masks = masks or Masks()

    def resolve(self, reference: SecretReference) -> SecretValue:
        """The value now, with the version it has."""
        match reference:
            case KeyVaultSecret(vault=vault, name=name, version=version):
                return self._read(reference, vault, name, version)
            case GeneratedSecret(vault=vault, name=name):
                return self._read(reference, vault, name, None)
            case _:
                return self._local.resolve(reference)

    def prepare(self, reference: SecretReference) -> None:
        """Make a `generated` secret if it is absent. An existing one, even a disabled one, is never overwritten."""
        if not isinstance(reference, GeneratedSecret):
            self._local.prepare(reference)
            return
        client = self._client(reference, reference.vault)
        present = self._ask(reference, "read", lambda: _exists(client, reference.name))
        if not present:
            value = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
            self._masks.add(value)
            self._make(client, reference, value)

    def keep(self, reference: KeyVaultSecret, value: str) -> None:
        """Store a value under a name that is free; raises `SecretError` where another value is there already."""
        client = self._client(reference, reference.vault)
        if self._ask(reference, "read", lambda: _exists(client, reference.name)):
            if self.resolve(reference).value != value:
                raise _other_value(reference)
            return
        self._make(client, reference, value)

    def _make(self, client: SecretClient, reference: GeneratedSecret | KeyVaultSecret, value: str) -> None:
        name, tags = reference.name, {"made-by": "vpngw"}
        self._ask(reference, "made", lambda: client.set_secret(name, value, content_type="text/plain", tags=tags))

    def _read(self, reference: SecretReference, vault: str, name: str, version: str | None) -> SecretValue:
        client = self._client(reference, vault)
        found = self._ask(reference, "read", lambda: client.get_secret(name, version))
        if not found.value:
            raise SecretError(f"The secret {reference} is empty.")
        return SecretValue(found.value, found.properties.version)

    def _ask(self, reference: SecretReference, doing: str, ask: Callable[[], T]) -> T:
        """The vault's answer; its failures name the reference, never a value."""
        try:
            return ask()
        except ResourceNotFoundError:
            made = isinstance(reference, GeneratedSecret)
            advice = "It is made by the first `vpngw apply`." if made else "Check the name and the version."
            raise SecretError(f"There is no secret {reference}.", advice=advice) from None
        except ClientAuthenticationError as error:
            raise sign_in_failure(error, self._ids, self._masks) from None
        except HttpResponseError as error:
            raise _refused(reference, doing, error, self._masks) from None
        except (AzureError, ValueError, NotImplementedError) as error:
            # azure-keyvault reports a vault whose challenge names another domain as ValueError.
            said = self._masks.scrub(" ".join(str(error).split()))[:300]
            raise SecretError(
                f"The vault of {reference} cannot be used: {said}", advice="Check the vault's name and its firewall."
            ) from None

    def _client(self, reference: SecretReference, vault: str) -> SecretClient:
        url = self._vaults.url_of(vault)
        if url is None:
            suffix = self._vaults.suffix
            raise SecretError(f"{reference}: {vault} is not a vault of this cloud (https://NAME.{suffix}).")
        return self._vaults.client(url)


def _refused(reference: SecretReference, doing: str, error: HttpResponseError, masks: Masks) -> SecretError:
    code = getattr(error.error, "code", "") or f"HTTP {error.status_code}"
    if error.status_code == 403:
        return SecretError(f"The secret {reference} may not be {doing} by us ({code}).", advice=_ADVICE[doing])
    said = masks.scrub(" ".join((error.message or "").split()))[:300]
    advice = "Recover or purge the deleted secret first." if error.status_code == 409 else ""
    return SecretError(f"The secret {reference} cannot be {doing}: {code}. {said}".strip(), advice=advice)


def _other_value(reference: KeyVaultSecret) -> SecretError:
    return SecretError(
        f"The secret {reference} holds another value; it is never overwritten.",
        advice="Name another vault with --read-secrets, or remove that secret.",
    )


def _exists(client: SecretClient, name: str) -> bool:
    """A disabled secret cannot be read (403), but its versions are listed: it exists."""
    try:
        client.get_secret(name)
    except ResourceNotFoundError:
        return False
    except HttpResponseError as error:
        if error.status_code == 403 and any(True for _ in client.list_properties_of_secret_versions(name)):
            return True
        raise
    return True
