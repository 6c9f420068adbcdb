"""Key Vault behind its real client: read, made once, never overwritten, never shown."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError

from tests.azure.test_sign_in import Credential
from vpngw_iac.azure import CloudClient
from vpngw_iac.errors import SecretError, SignInFailed
from vpngw_iac.masks import Masks
from vpngw_iac.secret import KeyVaultCertificate, LocalSecrets, Secret, SecretReference, SecretSource

CANARY = "c4nary-value"


class Vaults:
    """Key Vault's wire protocol for secrets: a challenge, then values by version."""

    def __init__(self, suffix: str = "vault.azure.net") -> None:
        self.suffix = suffix
        self.values: dict[tuple[str, str], list[str]] = {}
        self.disabled: set[str] = set()
        self.refusal: tuple[int, str] | None = None
        self.writes = 0
        self.hosts: set[str] = set()

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        found = re.fullmatch(r"https://([^/]+)/secrets/([^/?]+)/?([^?]*)\?.*", url)
        assert found is not None, url
        host, name, version = found.groups()
        self.hosts.add(host)
        if "Authorization" not in headers:
            challenge = f'Bearer authorization="https://login.example/t", resource="https://{self.suffix}"'
            return 401, {"WWW-Authenticate": challenge}, b""
        if self.refusal:
            return self._error(*self.refusal)
        return self._answer(method, host, name, version, body)

    def _answer(
        self, method: str, host: str, name: str, version: str, body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        versions = self.values.setdefault((host, name), [])
        if method == "PUT":
            self.writes += 1
            versions.append(json.loads(body or b"{}")["value"])
        if version == "versions":
            items = [{"id": f"https://{host}/secrets/{name}/{n}"} for n in range(len(versions))]
            return self._json(200, {"value": items})
        number = int(version) if version else len(versions) - 1
        if not 0 <= number < len(versions):
            return self._error(404, "SecretNotFound")
        if name in self.disabled:
            return self._error(403, "Forbidden")
        return self._json(200, {"value": versions[number], "id": f"https://{host}/secrets/{name}/{number}"})

    def _error(self, status: int, code: str) -> tuple[int, Mapping[str, str], bytes]:
        return self._json(status, {"error": {"code": code, "message": f"said the vault of {CANARY}"}})

    @staticmethod
    def _json(status: int, body: Any) -> tuple[int, Mapping[str, str], bytes]:
        return status, {"Content-Type": "application/json"}, json.dumps(body).encode()


def source(vaults: Vaults, cloud: str = "public", **options: Any) -> SecretSource:
    local = LocalSecrets({"BERLIN_PSK": "from-env"})
    masks, door = options.pop("masks", None), {"transport": vaults.send, "credential": Credential()}
    return CloudClient(cloud, **(door | options)).secrets(local, masks=masks)


def held(vaults: Vaults, *values: str, host: str = "kv-hub.vault.azure.net", name: str = "psk") -> Vaults:
    vaults.values[host, name] = list(values)
    return vaults


@pytest.mark.parametrize("vault", ["kv-hub", "KV-Hub", "https://kv-hub.vault.azure.net/", "kv-hub.vault.azure.net"])
def test_the_newest_version_is_read_and_named(vault: str) -> None:
    found = source(held(Vaults(), "old", CANARY)).resolve(Secret.key_vault(vault, "psk"))

    assert (found.value, found.version) == (CANARY, "1")


def test_a_public_certificate_is_read_as_a_secret_is() -> None:
    found = source(held(Vaults(), "old", "new")).resolve(KeyVaultCertificate(vault="kv-hub", name="psk", version="0"))

    assert (found.value, found.version) == ("old", "0")


def test_a_pinned_version_is_read() -> None:
    found = source(held(Vaults(), "old", "new")).resolve(Secret.key_vault("kv-hub", "psk", "0"))

    assert (found.value, found.version) == ("old", "0")


@pytest.mark.parametrize(
    ("cloud", "suffix"),
    [("public", "vault.azure.net"), ("usgovernment", "vault.usgovcloudapi.net"), ("china", "vault.azure.cn")],
)
def test_a_vault_by_name_is_one_of_this_cloud(cloud: str, suffix: str) -> None:
    vaults = held(Vaults(suffix), CANARY, host=f"kv-hub.{suffix}")

    source(vaults, cloud).resolve(Secret.key_vault("kv-hub", "psk"))

    assert vaults.hosts == {f"kv-hub.{suffix}"}


@pytest.mark.parametrize(
    "vault", ["https://kv-hub.evil.example", "http://kv-hub.vault.azure.net", "https://vault.azure.net.evil.example"]
)
def test_no_token_goes_to_a_vault_of_somebody_else(vault: str) -> None:
    vaults = Vaults()

    with pytest.raises(SecretError, match="is not a vault of this cloud"):
        source(vaults).resolve(Secret.key_vault(vault, "psk"))

    assert vaults.hosts == set()


def test_references_without_a_vault_need_no_sign_in() -> None:
    credential = Credential(failure=ClientAuthenticationError(message="nobody"))

    found = source(Vaults(), credential=credential)

    assert found.resolve(Secret.env("BERLIN_PSK")).value == "from-env"
    found.prepare(Secret.env("BERLIN_PSK"))
    assert credential.asked == []


def test_a_generated_secret_is_made_once_and_then_kept() -> None:
    vaults = Vaults()
    secrets = source(vaults)
    reference = Secret.generated("kv-hub", "psk-berlin")

    secrets.prepare(reference)
    first = secrets.resolve(reference).value
    secrets.prepare(reference)

    assert re.fullmatch(r"[A-Za-z0-9]{40,128}", first)
    assert secrets.resolve(reference).value == first
    assert vaults.writes == 1


def test_two_generated_secrets_differ() -> None:
    vaults = Vaults()
    secrets = source(vaults)

    for name in ("a", "b"):
        secrets.prepare(Secret.generated("kv-hub", name))

    assert secrets.resolve(Secret.generated("kv-hub", "a")) != secrets.resolve(Secret.generated("kv-hub", "b"))


def test_a_disabled_secret_exists_and_is_not_overwritten() -> None:
    vaults = held(Vaults(), CANARY, name="psk-berlin")
    vaults.disabled.add("psk-berlin")

    source(vaults).prepare(Secret.generated("kv-hub", "psk-berlin"))

    assert vaults.writes == 0


def test_a_secret_of_somebody_is_never_prepared() -> None:
    vaults = Vaults()

    source(vaults).prepare(Secret.key_vault("kv-hub", "psk"))

    assert vaults.writes == 0


@pytest.mark.parametrize(
    ("reference", "refusal", "message", "advice"),
    [
        (Secret.key_vault("kv-hub", "psk"), None, "There is no secret key-vault:kv-hub/psk.", "Check the name"),
        (Secret.generated("kv-hub", "psk"), None, "There is no secret generated:kv-hub/psk.", "vpngw apply"),
        (Secret.key_vault("kv-hub", "psk"), (403, "Forbidden"), "may not be read by us", "Key Vault Secrets User"),
        (Secret.key_vault("kv-hub", "psk"), (400, "BadParameter"), "cannot be read: BadParameter", ""),
    ],
)
def test_what_cannot_be_read_names_the_reference(
    reference: SecretReference, refusal: tuple[int, str] | None, message: str, advice: str
) -> None:
    vaults = Vaults()
    vaults.refusal = refusal

    with pytest.raises(SecretError, match=message) as caught:
        source(vaults).resolve(reference)

    assert str(reference) in str(caught.value)
    assert advice in caught.value.advice


def test_an_empty_secret_is_no_secret() -> None:
    with pytest.raises(SecretError, match="is empty"):
        source(held(Vaults(), "")).resolve(Secret.key_vault("kv-hub", "psk"))


def test_a_missing_right_to_make_secrets_is_told_with_the_role() -> None:
    vaults = Vaults()
    vaults.refusal = (403, "Forbidden")

    with pytest.raises(SecretError) as caught:
        source(vaults).prepare(Secret.generated("kv-hub", "psk"))

    assert "Key Vault Secrets" in caught.value.advice


def test_a_vault_that_repeats_other_secrets_in_its_error_is_silenced() -> None:
    vaults = Vaults()
    vaults.refusal = (400, "BadParameter")
    masks = Masks([CANARY])

    with pytest.raises(SecretError) as caught:
        source(vaults, masks=masks).resolve(Secret.key_vault("kv-hub", "psk"))

    assert "said the vault of ***" in caught.value.message


def test_a_failed_sign_in_is_that_and_not_a_missing_secret() -> None:
    credential = Credential(failure=ClientAuthenticationError(message="AADSTS7000215: Invalid client secret"))

    with pytest.raises(SignInFailed, match="AADSTS7000215"):
        source(Vaults(), credential=credential).resolve(Secret.key_vault("kv-hub", "psk"))


def test_a_vault_that_cannot_be_reached_is_named() -> None:
    def broken(*request: Any) -> Any:
        raise ConnectionRefusedError("Connection refused")

    secrets = CloudClient("public", credential=Credential(), transport=broken).secrets(LocalSecrets({}))

    with pytest.raises(SecretError, match="cannot be used"):
        secrets.resolve(Secret.key_vault("kv-hub", "psk"))
