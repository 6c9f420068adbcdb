"""The simulated key vault behind the real client: versions, what was deleted, what is disabled, who may."""

from __future__ import annotations

import pytest

from vpngw_iac.azure import CloudClient
from vpngw_iac.azure.key_vault import KeyVaultSecrets
from vpngw_iac.errors import SecretError
from vpngw_iac.secret import LocalSecrets, Secret
from vpngw_iac.simulator import Governance, Simulator
from vpngw_iac.simulator.governance import Grant

VAULT = "/providers/Microsoft.KeyVault/vaults/kv-hub"
PSK = Secret.key_vault("kv-hub", "psk")


def secrets(simulator: Simulator) -> KeyVaultSecrets:
    return CloudClient("simulator", transport=simulator.send).secrets(LocalSecrets({}))


def test_versions_are_kept_and_the_newest_counts() -> None:
    simulator = Simulator()
    for value in ("old", "new"):
        simulator.vault.put("kv-hub", "psk", value)

    newest = secrets(simulator).resolve(PSK)
    assert (newest.value, simulator.vault.get("KV-HUB", "PSK")) == ("new", "new")
    assert secrets(simulator).resolve(Secret.key_vault("kv-hub", "psk", newest.version)).value == "new"


def test_a_generated_secret_is_made_over_the_wire_once_and_hands_see_it() -> None:
    simulator, made = Simulator(), Secret.generated("kv-hub", "psk")

    for _ in range(2):
        secrets(simulator).prepare(made)

    assert secrets(simulator).resolve(made).value == simulator.vault.get("kv-hub", "psk")
    assert simulator.vault.names() == ("kv-hub/psk",)


def test_a_disabled_secret_exists_and_is_not_read() -> None:
    simulator = Simulator()
    simulator.vault.put("kv-hub", "psk", "value")
    simulator.vault.enable("kv-hub", "psk", enabled=False)

    secrets(simulator).prepare(Secret.generated("kv-hub", "psk"))
    with pytest.raises(SecretError, match="Forbidden"):
        secrets(simulator).resolve(PSK)
    assert simulator.vault.get("kv-hub", "psk") == "value"


def test_a_deleted_secret_holds_its_name_until_it_is_purged() -> None:
    simulator = Simulator()
    simulator.vault.put("kv-hub", "psk", "value")
    with (
        CloudClient("simulator", transport=simulator.send)
        .vault_keys()
        .vaults.client("https://kv-hub.vault.azure.net") as client
    ):
        client.begin_delete_secret("psk")

    with pytest.raises(SecretError, match="There is no secret"):
        secrets(simulator).resolve(PSK)
    with pytest.raises(SecretError, match="deleted but recoverable"):
        secrets(simulator).prepare(Secret.generated("kv-hub", "psk"))
    simulator.vault.recover("kv-hub", "psk")
    assert secrets(simulator).resolve(PSK).value == "value"
    simulator.vault.purge("kv-hub", "psk")
    secrets(simulator).prepare(Secret.generated("kv-hub", "psk"))


@pytest.mark.parametrize(
    ("actions", "scope", "reads"),
    [
        (("Microsoft.KeyVault/vaults/secrets/getSecret/action",), VAULT, True),
        (("Microsoft.KeyVault/vaults/secrets/*",), f"{VAULT}/secrets/psk", True),
        (("Microsoft.KeyVault/vaults/secrets/*",), f"{VAULT}/secrets/other", False),
        (("Microsoft.KeyVault/vaults/secrets/readMetadata/action",), VAULT, False),
        ((), "/", False),
    ],
)
def test_data_actions_decide_who_reads(actions: tuple[str, ...], scope: str, reads: bool) -> None:
    simulator = Simulator()
    simulator.vault.put("kv-hub", "psk", "value")
    simulator.governance = Governance(grants=(Grant(), Grant(scope=scope, actions=(), data_actions=actions)))

    if reads:
        assert secrets(simulator).resolve(PSK).value == "value"
    else:
        with pytest.raises(SecretError, match="may not be read"):
            secrets(simulator).resolve(PSK)


def test_what_is_not_simulated_says_so() -> None:
    status, _, _ = Simulator().send("GET", "https://kv-hub.vault.azure.net/keys/x?api-version=7.6", {})

    assert status == 501
