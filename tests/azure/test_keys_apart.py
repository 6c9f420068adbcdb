"""The key of a state in blobs lies in a container of its own: who may read states need not be able to read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient, ContainerClient

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from tests.cli.conftest import HUB
from tests.workspace.conftest import Harness
from tests.worlds import hub_without_gateway, site
from vpngw_iac.cli.app import run
from vpngw_iac.errors import StateError, UsageError
from vpngw_iac.state_url import BlobPlace, read_state_url

PATH = "network/simulator/hub/key"


def keys(azurite: Azurite, container: str) -> ContainerClient:
    return ContainerClient(azurite.endpoint, f"{container}-keys", credential=ACCOUNT_KEY)


def states(azurite: Azurite, container: str) -> ContainerClient:
    return ContainerClient(azurite.endpoint, container, credential=ACCOUNT_KEY)


def as_before(azurite: Azurite, container: str) -> bytes:
    """The key where earlier versions had it."""
    with keys(azurite, container) as apart, states(azurite, container) as beside:
        key = apart.download_blob(PATH).readall()
        beside.upload_blob(PATH, key)
        apart.delete_container()
    return bytes(key)


def test_a_new_key_is_made_in_a_container_of_its_own(azurite: Azurite, container: str, harness: Harness) -> None:
    workspace = harness.workspace(state=azurite.url(container))

    plan = workspace.plan(hub_without_gateway("berlin"))
    workspace.save_plan(plan)

    with keys(azurite, container) as apart, states(azurite, container) as beside:
        assert [blob.name for blob in apart.list_blobs()] == [PATH]
        assert not any(blob.name.endswith("/key") for blob in beside.list_blobs())


def test_a_store_of_earlier_versions_is_read_and_told(azurite: Azurite, container: str, harness: Harness) -> None:
    deployment = hub_without_gateway("berlin")
    there = {"state": azurite.url(container)}
    workspace = harness.workspace(**there)
    workspace.apply(deployment)
    document = workspace.save_plan(workspace.plan(deployment.plus(site("rome", 9))))
    as_before(azurite, container)

    plan = harness.workspace(**there).plan(deployment)

    assert [f.rule for f in plan.findings if f.rule.startswith("V-STATE")] == ["V-STATE-06"]
    later = harness.workspace(**there)
    assert later.apply(later.load_plan(document)).outcome == "succeeded"
    with keys(azurite, container) as apart:
        assert not apart.exists()


def command(azurite: Azurite, container: str, capsys: Any, *arguments: str, code: int = 0) -> dict[str, Any]:
    capsys.readouterr()
    assert run([*arguments, "--json"]) == code
    return dict(json.loads(capsys.readouterr().out))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, value in {"VPNGW_CLOUD": "simulator", "AZURE_STORAGE_KEY": ACCOUNT_KEY, "BERLIN_PSK": "x" * 20}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "hub.yaml").write_text(HUB)
    return tmp_path


def test_state_init_makes_containers_key_and_lineage_once(azurite: Azurite, desk: Path, capsys: Any) -> None:
    url = f"azblob://{ACCOUNT}/made-by-init/network?endpoint={azurite.endpoint}"

    first = command(azurite, "made-by-init", capsys, "state", "init", url, "hub.yaml")
    second = command(azurite, "made-by-init", capsys, "state", "init", "hub.yaml", url)

    made = " ".join(first["made"])
    for what in ("the container made-by-init,", "the container made-by-init-keys,", "the key", "the lineage"):
        assert what in made
    assert second["made"] == []
    with keys(azurite, "made-by-init") as apart, states(azurite, "made-by-init") as beside:
        assert [blob.name for blob in apart.list_blobs()] == [PATH]
        stored = json.loads(beside.download_blob(PATH.replace("key", "state.json")).readall())
        assert str(stored["lineage"]) in made
    assert any("not versioned" in warning for warning in first["warnings"])
    assert any("made-by-init-keys" in hint for hint in first["hints"])


def test_state_init_lets_what_is_deleted_be_had_back(azurite: Azurite, desk: Path, capsys: Any) -> None:
    with BlobServiceClient(azurite.endpoint, credential=ACCOUNT_KEY) as service:
        service.set_service_properties(delete_retention_policy={"enabled": False})  # type: ignore[arg-type]
        container = azurite.new_container()

        made = command(azurite, container, capsys, "state", "init", azurite.url(container), "--deployment", "hub")

        assert any("soft delete" in text for text in made["made"])
        assert service.get_service_properties()["delete_retention_policy"].enabled


def test_state_init_moves_the_key_of_an_earlier_version(
    azurite: Azurite, container: str, desk: Path, capsys: Any, harness: Harness
) -> None:
    url = azurite.url(container)
    harness.workspace(state=url).apply(hub_without_gateway("berlin"))
    key = as_before(azurite, container)

    told = command(azurite, container, capsys, "state", "init", url, "--deployment", "hub")

    assert any(text.startswith("the key, moved from") for text in told["made"])
    assert any("resend-secrets" in warning for warning in told["warnings"])
    with keys(azurite, container) as apart, states(azurite, container) as beside:
        assert apart.download_blob(PATH).readall() == key
        assert not beside.get_blob_client(PATH).exists()
    plan = harness.workspace(state=url).plan(hub_without_gateway("berlin"))
    assert plan.changes == ()
    assert not any(finding.rule == "V-STATE-06" for finding in plan.findings)


def test_two_keys_are_told_and_neither_is_lost(
    azurite: Azurite, container: str, desk: Path, capsys: Any, harness: Harness
) -> None:
    url = azurite.url(container)
    harness.workspace(state=url).apply(hub_without_gateway("berlin"))
    with states(azurite, container) as beside:
        beside.upload_blob(PATH, b"0" * 64)

    told = command(azurite, container, capsys, "state", "init", url, "--deployment", "hub")

    assert any("which nobody uses" in warning for warning in told["warnings"])
    with keys(azurite, container) as apart, states(azurite, container) as beside:
        assert apart.download_blob(PATH).readall() != beside.download_blob(PATH).readall()


def test_a_container_that_was_never_made_says_how_to_make_it(azurite: Azurite, harness: Harness) -> None:
    workspace = harness.workspace(state=azurite.url("never-made"))

    with pytest.raises(StateError, match="has no container") as told:
        workspace.plan(hub_without_gateway("berlin"))
    assert "vpngw state init" in told.value.advice


def test_a_folder_keeps_its_key(desk: Path, capsys: Any) -> None:
    assert run(["state", "init", "hub.yaml"]) == 0
    assert "Made the key." in capsys.readouterr().out
    assert (desk / ".vpngw/state/simulator/hub/key").exists()


@pytest.mark.parametrize(
    ("url", "container"),
    [
        ("azblob://acct/tfstate/p", "tfstate-keys"),
        ("azblob://acct/tfstate/p?keys=other", "other"),
        ("azblob://acct/$web/p", "web-keys"),
        (f"azblob://acct/{'c' * 63}/p", f"{'c' * 49}-93378fde-keys"),
    ],
)
def test_the_container_of_the_keys_follows_from_the_state_or_is_named(url: str, container: str) -> None:
    place = read_state_url(url)
    assert isinstance(place, BlobPlace)
    assert place.keys_container == container
    assert len(container) <= 63


@pytest.mark.parametrize("keys", ["tfstate", "-x", "a/b"])
def test_the_container_of_the_keys_is_another_one(keys: str) -> None:
    with pytest.raises(UsageError, match="another container"):
        read_state_url(f"azblob://acct/tfstate/p?keys={keys}")
