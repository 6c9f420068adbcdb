"""The key of a state in a key vault: made once, moved there, read by who may, and told where it cannot be."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import ContainerClient

from tests.azure.azurite import ACCOUNT, ACCOUNT_KEY, Azurite
from tests.cli.conftest import HUB
from tests.workspace.conftest import Harness
from tests.worlds import Deployment, hub_without_gateway, site
from vpngw_iac.azure.key_in_vault import KeyPlace
from vpngw_iac.cli.app import run
from vpngw_iac.errors import Refused, StateError
from vpngw_iac.simulator import Governance, Simulator
from vpngw_iac.simulator.governance import Grant
from vpngw_iac.simulator.vault import SecretVersions
from vpngw_iac.state_url import key_secret_name
from vpngw_iac.usecases.locking import LockWait
from vpngw_iac.usecases.state_init import StatePlace, init_state

PATH = "network/simulator/hub/key"
VAULT, OTHER = "https://kv-keys.vault.azure.net", "https://kv-other.vault.azure.net"


def blob(azurite: Azurite, container: str, path: str = PATH) -> bytes | None:
    with ContainerClient(azurite.endpoint, container, credential=ACCOUNT_KEY) as client:
        found = client.get_blob_client(path)
        return bytes(found.download_blob().readall()) if client.exists() and found.exists() else None


def put_blob(azurite: Azurite, container: str, data: bytes) -> None:
    with ContainerClient(azurite.endpoint, container, credential=ACCOUNT_KEY) as client:
        client.upload_blob(PATH, data, overwrite=True)


def place(azurite: Azurite, container: str) -> KeyPlace:
    found = KeyPlace.of(blob(azurite, container), "key")
    assert found is not None
    return found


def secret_name(container: str) -> str:
    return key_secret_name("hub", f"azblob://{ACCOUNT}/{container}/network/simulator/hub")


def versions(simulator: Simulator, container: str, vault: str = "kv-keys") -> list[str]:
    return [each["value"] for each in SecretVersions(simulator._store).of(vault, secret_name(container))]


def init(harness: Harness, url: str, vault: str = VAULT, **settings: Any) -> StatePlace:
    return init_state(harness.workspace(state=url, **settings).session_named("hub"), LockWait(), vault)


def plan_key(harness: Harness, url: str) -> str | None:
    """Id of the key with which a plan is sealed."""
    key = harness.workspace(state=url).session_named("hub").key()
    return key.key_id if key else None


# --- making it -------------------------------------------------------------------------------------------------------


def test_a_new_key_is_made_in_the_vault_once_and_only_its_place_lies_beside_the_state(
    azurite: Azurite, container: str, harness: Harness
) -> None:
    url = azurite.url(container)

    first = init(harness, url)
    key = plan_key(harness, url)
    again = init(harness, url), init(harness, url, vault="")

    assert first.key == place(azurite, container).name
    assert first.key.startswith(f"{VAULT}/secrets/vpngw-key-hub-")
    assert [each.made for each in again] == [(), ()]
    assert plan_key(harness, url) == key
    (value,) = versions(harness.simulator, container)
    assert value.encode() not in (blob(azurite, container) or b"")
    assert blob(azurite, f"{container}-keys") is None
    assert any("'Key Vault Secrets User' on the secret" in hint for hint in first.hints)


def test_a_plan_is_sealed_with_it_and_applied(azurite: Azurite, container: str, harness: Harness) -> None:
    url, deployment = azurite.url(container), hub_without_gateway("berlin")
    init(harness, url)
    workspace = harness.workspace(state=url)

    document = workspace.save_plan(workspace.plan(deployment))

    assert document["sealed"] is True
    later = harness.workspace(state=url)
    assert later.apply(later.load_plan(document)).outcome == "succeeded"
    plan = harness.workspace(state=url).plan(deployment)
    assert plan.changes == ()
    assert [finding.rule for finding in plan.findings if finding.rule.startswith("V-STATE")] == []


class Busy(Simulator):
    """While the first secret is on its way, somebody else does something."""

    def __init__(self, simulator: Simulator) -> None:
        super().__init__(time=simulator.time)
        self.meanwhile: Callable[[], object] | None = None

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        meanwhile = self.meanwhile
        if meanwhile and method == "PUT" and ".vault." in url:
            self.meanwhile = None
            meanwhile()
        return super().send(method, url, headers, body)


def test_of_two_who_make_it_at_once_one_has_made_it_for_both(
    azurite: Azurite, container: str, harness: Harness
) -> None:
    url = azurite.url(container)
    harness.simulator = busy = Busy(harness.simulator)
    busy.meanwhile = lambda: init(harness, url)

    told = init(harness, url)

    first, second = versions(busy, container)
    assert first != second
    assert harness.workspace(state=url).session_named("hub").required_key().secret.hex() == first
    assert told.key == place(azurite, container).name
    assert init(harness, url).made == ()


def test_a_key_whose_maker_died_before_he_wrote_down_where_is_the_key(
    azurite: Azurite, container: str, harness: Harness
) -> None:
    url = azurite.url(container)
    harness.simulator.vault.put("kv-keys", secret_name(container), "ab" * 32)

    init(harness, url)

    assert versions(harness.simulator, container) == ["ab" * 32]
    assert harness.workspace(state=url).session_named("hub").required_key().secret.hex() == "ab" * 32


def test_a_version_that_somebody_adds_changes_nothing(azurite: Azurite, container: str, harness: Harness) -> None:
    url = azurite.url(container)
    init(harness, url)
    key = plan_key(harness, url)

    harness.simulator.vault.put("kv-keys", secret_name(container), "cd" * 32)

    assert plan_key(harness, url) == key


def test_a_secret_that_is_no_key_is_told_and_stays(azurite: Azurite, container: str, harness: Harness) -> None:
    harness.simulator.vault.put("kv-keys", secret_name(container), "somebody's password")

    with pytest.raises(StateError, match="is no key of a state") as told:
        init(harness, azurite.url(container))

    assert "password" not in str(told.value)
    assert versions(harness.simulator, container) == ["somebody's password"]


def test_a_deployment_under_a_new_name_has_its_key_in_the_same_vault(
    azurite: Azurite, container: str, harness: Harness
) -> None:
    url, deployment = azurite.url(container), hub_without_gateway("berlin")
    init(harness, url)
    harness.workspace(state=url).apply(deployment)
    key = plan_key(harness, url)

    renamed = Deployment("harbour", deployment.items, formerly="hub")
    assert harness.workspace(state=url).apply(renamed).outcome == "succeeded"

    session = harness.workspace(state=url).session_named("harbour")
    assert session.required_key().key_id == key
    assert session.store().key_name.startswith(f"{VAULT}/secrets/vpngw-key-harbour-")
    assert blob(azurite, f"{container}-keys", PATH.replace("hub", "harbour")) is None


# --- moving it -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["container", "beside", "vault"])
def test_a_key_that_is_elsewhere_is_moved_and_stays_the_key(
    azurite: Azurite, container: str, harness: Harness, where: str
) -> None:
    url, deployment = azurite.url(container), hub_without_gateway("berlin")
    if where == "vault":
        init(harness, url, OTHER)
    harness.workspace(state=url).apply(deployment)
    if where == "beside":
        put_blob(azurite, container, blob(azurite, f"{container}-keys") or b"")
        ContainerClient(azurite.endpoint, f"{container}-keys", credential=ACCOUNT_KEY).delete_container()
    workspace = harness.workspace(state=url)
    document = workspace.save_plan(workspace.plan(deployment.plus(site("rome", 9))))

    told = init(harness, url)

    assert any(text.startswith("the key, moved from") for text in told.made)
    assert told.warnings
    assert place(azurite, container).vault == VAULT
    assert blob(azurite, f"{container}-keys") is None
    assert init(harness, url).made == ()
    assert harness.workspace(state=url).plan(deployment).changes == ()
    later = harness.workspace(state=url)
    assert later.apply(later.load_plan(document)).outcome == "succeeded"


def test_a_move_that_was_interrupted_is_ended(azurite: Azurite, container: str, harness: Harness) -> None:
    url = azurite.url(container)
    init(harness, url, vault="")
    key = blob(azurite, f"{container}-keys")
    init(harness, url)
    put_blob(azurite, f"{container}-keys", key or b"")

    told = init(harness, url)

    assert any("gone from" in text for text in told.made)
    assert blob(azurite, f"{container}-keys") is None


# --- who may read it, and what stands in the way ---------------------------------------------------------------------

NO_VAULT = Governance(grants=(Grant(),))


def test_who_may_not_read_it_plans_unsealed(azurite: Azurite, container: str, harness: Harness) -> None:
    url, deployment = azurite.url(container), hub_without_gateway("berlin")
    init(harness, url)
    harness.workspace(state=url).apply(deployment)
    harness.simulator.governance = NO_VAULT
    reader = harness.workspace(state=url)

    plan = reader.plan(deployment.plus(site("rome", 9)))
    document = reader.save_plan(plan)

    assert document["sealed"] is False
    (told,) = [finding for finding in plan.findings if finding.rule == "V-STATE-05"]
    assert f"It is {place(azurite, container).name}." in told.detail
    harness.simulator.governance = Governance()
    writer = harness.workspace(state=url)
    with pytest.raises(Refused, match="seal"):
        writer.apply(writer.load_plan(document))


def command(capsys: Any, *arguments: str, code: int) -> dict[str, Any]:
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


@pytest.mark.parametrize(
    ("happens", "told", "advice"),
    [
        ("delete", "is not there any more", "az keyvault secret recover --vault-name kv-keys --name vpngw-key-hub"),
        ("purge", "is not there any more", "vpngw apply --resend-secrets"),
        ("disable", "is disabled", "--enabled true"),
    ],
)
def test_a_key_that_is_gone_is_told_with_the_way_out_and_none_takes_its_place(
    azurite: Azurite, container: str, desk: Path, capsys: Any, happens: str, told: str, advice: str
) -> None:
    url = azurite.url(container)
    command(capsys, "state", "init", url, "hub.yaml", "--key-vault", VAULT, code=0)
    vault, name = Simulator(desk / ".vpngw/simulator").vault, secret_name(container)
    if happens == "disable":
        vault.enable("kv-keys", name, enabled=False)
    else:
        getattr(vault, happens)("kv-keys", name)

    for arguments in (["plan", "hub.yaml", "--state", url], ["state", "init", url, "hub.yaml"]):
        error = command(capsys, *arguments, code=1)
        assert told in error["message"]
        assert f"{VAULT}/secrets/{name}" in error["message"]
        assert advice in error["advice"]

    assert blob(azurite, f"{container}-keys") is None
    if happens == "delete":
        vault.recover("kv-keys", name)
        command(capsys, "plan", "hub.yaml", "--state", url, code=0)


def test_a_deleted_secret_of_that_name_is_told(azurite: Azurite, container: str, desk: Path, capsys: Any) -> None:
    vault = Simulator(desk / ".vpngw/simulator").vault
    vault.put("kv-keys", secret_name(container), "ab" * 32)
    vault.delete("kv-keys", secret_name(container))

    error = command(capsys, "state", "init", azurite.url(container), "hub.yaml", "--key-vault", "kv-keys", code=1)

    assert "A deleted secret has the name" in error["message"]


def test_a_vault_that_nobody_reaches_is_told(azurite: Azurite, container: str, harness: Harness) -> None:
    class Gone(Simulator):
        def send(self, method: str, url: str, *more: Any, **options: Any) -> tuple[int, dict[str, str], bytes]:
            if ".vault." in url:
                raise ConnectionError("Name or service not known")
            return super().send(method, url, *more, **options)

    url = azurite.url(container)
    init(harness, url)
    harness.simulator = Gone(time=harness.simulator.time)

    with pytest.raises(StateError, match=f"The vault {VAULT}.*cannot be reached") as told:
        harness.workspace(state=url).plan(hub_without_gateway("berlin"))
    assert "az keyvault recover --name kv-keys" in told.value.advice


@pytest.mark.parametrize(
    ("state", "vault", "told"),
    [
        ("here", VAULT, "stays where it is"),
        ("azblob", "https://kv.vault.azure.cn", "not a key vault of this cloud"),
        ("azblob", "http://kv-keys.vault.azure.net", "not a key vault of this cloud"),
        ("azblob", "https://vault.azure.net.evil.example", "not a key vault of this cloud"),
        ("azblob", "https://user@kv-keys.vault.azure.net", "not a key vault of this cloud"),
        ("azblob", "kv keys", "not a key vault of this cloud"),
    ],
)
def test_what_is_no_vault_for_a_key_is_refused_before_anything_is_made(
    azurite: Azurite, container: str, desk: Path, capsys: Any, state: str, vault: str, told: str
) -> None:
    url = azurite.url(container) if state == "azblob" else state

    error = command(capsys, "state", "init", url, "hub.yaml", "--key-vault", vault, code=64)

    assert told in error["message"]
    assert blob(azurite, container) is None


@pytest.mark.parametrize(
    "data", [b"{", b"{}", b'{"format": 2, "kind": "key-place", "vault": "x", "secret": "y", "version": "1"}']
)
def test_a_place_that_cannot_be_read_is_told(azurite: Azurite, container: str, harness: Harness, data: bytes) -> None:
    url = azurite.url(container)
    put_blob(azurite, container, data)

    with pytest.raises(StateError, match="is damaged, or a newer version wrote it"):
        harness.workspace(state=url).plan(hub_without_gateway("berlin"))


def test_a_place_of_another_cloud_gets_no_token(azurite: Azurite, container: str, harness: Harness) -> None:
    url = azurite.url(container)
    init(harness, url)
    evil = place(azurite, container).model_copy(update={"vault": "https://kv-keys.vault.azure.net.evil.example"})
    put_blob(azurite, container, evil.dump())

    with pytest.raises(StateError, match="no key vault of this cloud: no token is sent"):
        harness.workspace(state=url).plan(hub_without_gateway("berlin"))


# --- it is shown nowhere ---------------------------------------------------------------------------------------------


def test_the_key_is_in_the_vault_and_nowhere_else(azurite: Azurite, container: str, desk: Path, capsys: Any) -> None:
    url = azurite.url(container)
    said = []
    for arguments in (
        ["state", "init", url, "hub.yaml", "--key-vault", VAULT],
        ["plan", "hub.yaml", "-o", "plan.json"],
        ["apply", "plan.json"],
        ["state", "init", url, "hub.yaml", "--key-vault", OTHER],
        ["state", "pull", "hub.yaml"],
        ["log", "hub.yaml"],
        ["plan", "hub.yaml", "--verbose"],
    ):
        chosen = [] if arguments[1] == "init" else ["--state", url]
        capsys.readouterr()
        assert run([*arguments, *chosen]) == 0
        out = capsys.readouterr()
        said += [out.out, out.err]

    (key,) = versions(Simulator(desk / ".vpngw/simulator"), container)
    assert [text for text in said if key in text] == []
    kept = [path for path in desk.rglob("*") if path.is_file() and key in path.read_text(errors="replace")]
    assert {path.relative_to(desk).parts[:2] for path in kept} == {(".vpngw", "simulator")}
    with ContainerClient(azurite.endpoint, container, credential=ACCOUNT_KEY) as client:
        stored = [client.download_blob(found.name).readall() for found in client.list_blobs()]
    assert [data for data in stored if key.encode() in data] == []
