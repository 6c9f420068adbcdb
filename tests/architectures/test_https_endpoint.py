"""The same life over HTTPS: an ARM endpoint that is discovered, a private certificate, a service principal."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.architectures.conftest import FOLDER, differences_of
from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import EndpointError, SignInFailed
from vpngw_iac.simulator import ScaledTime, Simulator
from vpngw_iac.simulator.server import Server
from vpngw_iac.usecases.workspace import Workspace

CLIENT, SECRET = "00000000-0000-0000-0000-0000000000bb", "the-right-secret"
TENANT = "00000000-0000-0000-0000-0000000000aa"
SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@pytest.fixture
def principal(monkeypatch: pytest.MonkeyPatch, environment: Mapping[str, str]) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AZURE_TENANT_ID", TENANT)
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)


def test_a_hub_lives_its_life_through_an_https_endpoint(
    tmp_path: Path, principal: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator = Simulator(tmp_path / "content", time=ScaledTime(5000))
    with Server(simulator, certificate_directory=tmp_path, clients={CLIENT: SECRET}) as server:
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(server.certificate))
        blueprint = load(FOLDER / "one_site.py").blueprint
        workspace = Workspace(server.url, subscription=SUBSCRIPTION, directory=tmp_path)

        outcome = workspace.apply(blueprint)

        assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
        assert differences_of(workspace.plan(blueprint, None)) == []
        assert workspace.drift(blueprint).items == ()
        folder = next((tmp_path / ".vpngw" / "state").iterdir()).name
        assert folder.startswith("localhost-")
        assert workspace.destroy(blueprint).outcome == "succeeded"
        assert simulator.documents() == {}

        monkeypatch.setenv("AZURE_CLIENT_SECRET", "a-wrong-one")
        with pytest.raises(SignInFailed) as wrong:
            Workspace(server.url, subscription=SUBSCRIPTION, directory=tmp_path).plan(blueprint)
        assert "a-wrong-one" not in str(wrong.value)
        assert wrong.value.exit_code == 3


def test_an_endpoint_that_is_down_is_told_as_such(tmp_path: Path, principal: None) -> None:
    blueprint = load(FOLDER / "one_site.py").blueprint

    with pytest.raises(EndpointError) as down:
        Workspace("https://localhost:1", subscription=SUBSCRIPTION, directory=tmp_path).plan(blueprint)

    assert "localhost:1" in str(down.value)
