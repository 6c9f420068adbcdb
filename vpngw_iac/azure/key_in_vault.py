"""The key of a state as a secret of a key vault, and where the store remembers that it is there.

A vault lets everybody who may set a secret add a version, and has no "only if absent". So the store names the version:
whoever writes that down first has made the key, and a version that is added later changes nothing.
"""

import re
from collections.abc import Callable
from typing import Annotated, Any, Literal, TypeVar

from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError, ResourceNotFoundError
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from vpngw_iac.azure.key_vault import Vaults
from vpngw_iac.azure.translate import sign_in_failure
from vpngw_iac.errors import AzureIds, Forbidden, StateError, UsageError, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.masks import Masks
from vpngw_iac.state_url import vault_name

T = TypeVar("T")

READER, WRITER = "Key Vault Secrets User", "Key Vault Secrets Officer"
"""Built-in roles (https://learn.microsoft.com/azure/key-vault/general/rbac-guide)."""

_KEY = re.compile(rb"[0-9a-fA-F]{64}")


class KeyPlace(BaseModel):
    """Where a key is: it lies beside the state in place of the key, and is no secret."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    format: Literal[1] = 1
    kind: Literal["key-place"] = "key-place"
    vault: Annotated[str, Field(min_length=1)]
    """Its address."""
    secret: Annotated[str, Field(pattern=r"^[0-9A-Za-z-]{1,127}$")]
    version: Annotated[str, Field(pattern=r"^[0-9A-Za-z]+$")]

    @classmethod
    def of(cls, data: bytes | None, name: str) -> "KeyPlace | None":
        """What the blob beside the state says; none where it is a key. Raises `StateError` for what is damaged."""
        if data is None or not data.lstrip().startswith(b"{"):
            return None
        try:
            return cls.model_validate_json(data)
        except ValidationError:
            raise StateError(
                f"{name}, which says in which vault the key is, is damaged, or a newer version wrote it.",
                advice="Restore an earlier version of that blob.",
            ) from None

    @property
    def name(self) -> str:
        """How people find it."""
        return f"{self.vault}/secrets/{self.secret}/{self.version}"

    def dump(self) -> bytes:
        """As it is kept."""
        return self.model_dump_json(indent=2).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class VaultKeys:
    """Reads and writes keys of states; what fails names vault and secret, never a value."""

    vaults: Vaults
    ids: AzureIds
    masks: Masks

    def url_of(self, vault: str) -> str:
        """The address of a vault; raises `UsageError` for what is none of this cloud."""
        url = self._known(vault)
        if url is None:
            raise UsageError(
                f"{vault!r} is not a key vault of this cloud.",
                advice=f"Write --key-vault https://NAME.{self.vaults.suffix}.",
            )
        return url

    def read(self, place: KeyPlace) -> bytes:
        """The key. Raises `Forbidden` for whoever may not read it, `StateError` if it is gone, disabled or damaged."""
        found = self._ask("reading", place.vault, place.secret, lambda c: c.get_secret(place.secret, place.version))
        return _key_in(found.value, place.name)

    def find(self, vault: str, secret: str) -> tuple[KeyPlace, bytes] | None:
        """The newest version of a key that a run has made which died before it could write that down."""
        try:
            found = self._ask("reading", vault, secret, lambda client: client.get_secret(secret))
        except _Gone:
            return None
        place = KeyPlace(vault=vault, secret=secret, version=found.properties.version)
        return place, _key_in(found.value, place.name)

    def write(self, vault: str, secret: str, key: bytes) -> KeyPlace:
        """Add a version with this key; none that is there is changed."""
        told: dict[str, Any] = {"content_type": "text/plain", "tags": {"made-by": "vpngw"}}
        made = self._ask("writing", vault, secret, lambda c: c.set_secret(secret, key.decode("ascii"), **told))
        return KeyPlace(vault=vault, secret=secret, version=made.properties.version)

    def _known(self, vault: str) -> str | None:
        url = self.vaults.url_of(vault)
        return url if url and re.fullmatch(r"https://[a-z0-9-]+\.[a-z0-9.-]+(:\d+)?", url) else None

    def _ask(self, doing: str, vault: str, secret: str, ask: Callable[[Any], T]) -> T:
        url = self._known(vault)
        if url is None:
            raise StateError(
                f"The key of the state is said to be in {vault}, no key vault of this cloud: no token is sent there.",
                advice="Look at --cloud, and at who may write the blob `key` beside the state.",
            )
        try:
            return ask(self.vaults.client(url))
        except ResourceNotFoundError:
            raise _gone(url, secret) from None
        except ClientAuthenticationError as error:
            raise sign_in_failure(error, self.ids, self.masks) from None
        except HttpResponseError as error:
            raise self._refused(error, doing, url, secret) from None
        except (AzureError, ValueError, NotImplementedError) as error:
            # azure-keyvault reports a vault whose challenge names another domain as ValueError.
            raise StateError(
                f"The vault {url}, where the key of the state is, cannot be reached: {self._said(error)}",
                advice="If it was deleted: `az keyvault recover --name "
                f"{vault_name(url)}`. Else look at its name, its firewall and the network.",
            ) from None

    def _refused(self, error: HttpResponseError, doing: str, url: str, secret: str) -> VpngwError:
        inner = _inner_code(error)
        code = inner or getattr(error.error, "code", "") or f"HTTP {error.status_code}"
        key, vault = f"the key {url}/secrets/{secret}", vault_name(url)
        if inner == "SecretDisabled":
            return StateError(
                f"T{key[1:]} is disabled.",
                advice=f"`az keyvault secret set-attributes --vault-name {vault} --name {secret} --enabled true`.",
            )
        if error.status_code == 403:
            role = READER if doing == "reading" else WRITER
            return Forbidden(
                f"The vault forbids {doing} {key} ({code}).",
                status=403,
                code=code,
                advice=f"Give the identity of this run the role `{role}` on that secret or its vault; with "
                "ForbiddenByFirewall or ForbiddenByConnection the network of this run is shut out.",
            )
        if error.status_code == 409:
            return StateError(
                f"A deleted secret has the name of {key} ({code}).",
                advice=f"`az keyvault secret recover --vault-name {vault} --name {secret}`, or purge it.",
            )
        return StateError(f"{doing.capitalize()} {key} failed: {code}. {self._said(error)}")

    def _said(self, error: Exception) -> str:
        return self.masks.scrub(" ".join(str(error).split()))[:300]


class _Gone(StateError):
    """There is no such secret, or no such version of it."""


def _gone(url: str, secret: str) -> _Gone:
    vault = vault_name(url)
    return _Gone(
        f"The key {url}/secrets/{secret} is not there any more.",
        advice=f"`az keyvault secret recover --vault-name {vault} --name {secret}` has a deleted one back. If it is "
        "lost for good: remove the blob `key` beside the state, `vpngw state init --key-vault` again, then "
        "`vpngw apply --resend-secrets`.",
    )


def _key_in(value: str | None, name: str) -> bytes:
    data = (value or "").strip().encode("ascii", "replace")
    if not _KEY.fullmatch(data):
        raise StateError(
            f"The secret {name} is no key of a state.",
            advice="Restore its version that was one, or name another vault.",
        )
    return data


def _inner_code(error: HttpResponseError) -> str:
    """``innererror.code``, which alone tells a disabled secret from a missing right."""
    inner = getattr(error.error, "innererror", None) or {}
    return str(inner.get("code", "")) if isinstance(inner, dict) else ""
