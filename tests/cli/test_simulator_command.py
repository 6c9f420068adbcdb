"""The simulated cloud behind its door: served over HTTPS, found, trusted and used by the same program."""

from __future__ import annotations

import json
import os
import re
import signal
from pathlib import Path

import pytest
import requests

from tests.cli.conftest import SPEED, Shell, start


def test_a_served_simulator_is_used_over_https_with_what_it_prints(vpngw: Shell, environment: dict[str, str]) -> None:
    command = ("simulator", "serve", "--port", "0", "--speed", SPEED, "--dir", "served", "--json")
    with start(*command, env=dict(os.environ)) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        del environment["VPNGW_CLOUD"]
        environment.update(told["environment"])

        planned = vpngw("plan", "hub.yaml")
        applied = vpngw("apply", "hub.yaml", "--yes")
        drifted = vpngw("drift", "hub.yaml")

        server.send_signal(signal.SIGTERM)
        _, err = server.communicate(timeout=30)

    assert (planned.code, applied.code, drifted.code) == (0, 0, 0), planned.err + applied.err
    assert "the cloud at https://localhost:" in planned.out
    assert "Apply of hub complete" in applied.out
    assert server.returncode == 0
    assert "stopped" in err
    listed = vpngw("simulator", "show", "--dir", "served", code=0)
    assert re.search(r"virtualNetworkGateways/vgw-hub +Succeeded", listed.out)


def test_serve_prints_what_a_shell_can_read(vpngw: Shell) -> None:
    with start("simulator", "serve", "--port", "0", "--no-tls", env=dict(os.environ)) as server:
        assert server.stdout is not None
        lines = [server.stdout.readline() for _ in range(6)]
        server.send_signal(signal.SIGINT)
        server.communicate(timeout=30)

    assert lines[0].startswith("# The simulator answers at http://localhost:")
    assert lines[1].startswith("export VPNGW_CLOUD=http://localhost:")
    assert all(line.startswith("export ") for line in lines[1:])
    assert server.returncode == 0


def test_reset_empties_the_simulated_cloud(hub: Shell) -> None:
    before = hub("simulator", "show", "--json", code=0).document["documents"]
    told = hub("simulator", "reset", code=0)
    after = hub("simulator", "show", "--json", code=0).document["documents"]

    assert before
    assert f"{len(before)} resources are gone" in told.out
    assert after == {}


def test_load_puts_documents_there_as_they_are(vpngw: Shell) -> None:
    address = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/old"
    old = {
        "id": address,
        "location": "uksouth",
        "sku": {"name": "Basic"},
        "properties": {"provisioningState": "Failed"},
    }
    vpngw.write("estate.json", json.dumps({"name": "old", "documents": [old], "secrets": {}}))

    told = vpngw("simulator", "load", "estate.json", "--json", code=0).document["loaded"]
    documents = vpngw("simulator", "show", "--json", code=0).document["documents"]

    assert told == [address]
    assert documents[address] == old | {"type": "Microsoft.Network/publicIPAddresses"}
    vpngw.write("shown.json", json.dumps({"documents": documents}))
    vpngw("simulator", "reset", code=0)
    vpngw("simulator", "load", "shown.json", code=0)
    assert vpngw("simulator", "show", "--json", code=0).document["documents"] == documents


@pytest.mark.parametrize("text", ["{", "7", '[{"name": "x"}]', '{"documents": [{"id": "x"}]}'])
def test_load_tells_what_is_wrong_with_a_file(vpngw: Shell, text: str) -> None:
    vpngw.write("estate.json", text)
    answer = vpngw("simulator", "load", "estate.json", code=1)
    assert "ocument" in answer.err or "estate.json" in answer.err
    assert "bug" not in answer.err
    assert vpngw("simulator", "load", "missing.json", code=64).err


@pytest.mark.parametrize(("option", "status"), [((), 400), (("--allow-retired",), 201)])
def test_a_served_simulator_takes_retired_skus_when_told_to(vpngw: Shell, option: tuple[str, ...], status: int) -> None:
    network = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network"
    space = {"addressSpace": {"addressPrefixes": ["10.0.0.0/16"]}}
    subnet = {"name": "GatewaySubnet", "properties": {"addressPrefix": "10.0.0.0/27"}}
    address = {"id": f"{network}/publicIPAddresses/pip", "location": "uksouth", "sku": {"name": "Standard"}}
    home = {"id": f"{network}/virtualNetworks/vnet", "location": "uksouth", "properties": space | {"subnets": [subnet]}}
    vpngw.write("estate.json", json.dumps([address, home]))
    vpngw("simulator", "load", "estate.json", "--dir", "served", code=0)
    inner = {"subnet": {"id": f"{home['id']}/subnets/GatewaySubnet"}, "publicIPAddress": {"id": address["id"]}}
    gateway = {
        "location": "uksouth",
        "properties": {"sku": {"name": "VpnGw1"}, "ipConfigurations": [{"name": "default", "properties": inner}]},
    }
    command = ("simulator", "serve", "--port", "0", "--no-tls", *option, "--dir", "served", "--json")
    with start(*command, env=dict(os.environ)) as server:
        assert server.stdout is not None
        told = json.loads(server.stdout.readline())
        client = {"client_id": told["environment"]["AZURE_CLIENT_ID"], "client_secret": "simulator"}
        form = {"grant_type": "client_credentials", **client}
        token = requests.post(f"{told['url']}/common/oauth2/v2.0/token", data=form, timeout=10).json()["access_token"]
        path = f"{network}/virtualNetworkGateways/vgw?api-version=2024-05-01"
        answer = requests.put(
            told["url"] + path, json=gateway, headers={"Authorization": f"Bearer {token}"}, timeout=10
        )
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)
    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("text", ["- {do: nonsense}", "{", "7"])
def test_wrong_faults_are_told(vpngw: Shell, text: str) -> None:
    vpngw.write("faults.yaml", text)

    answer = vpngw("simulator", "serve", "--port", "0", "--faults", "faults.yaml", code=1)

    assert "faults.yaml" in answer.err
    assert "bug" not in answer.err


def test_a_port_that_is_taken_is_told(vpngw: Shell) -> None:
    import socket

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()

        answer = vpngw("simulator", "serve", "--no-tls", "--port", str(taken.getsockname()[1]), code=1)

    assert "cannot listen" in answer.err


def test_a_circuit_is_provisioned_by_name_and_apply_goes_past_its_gate(vpngw: Shell) -> None:
    folder = Path(__file__).parents[2] / "blueprints"
    blueprint = ("--env-file", str(folder / "example.env"), str(folder / "expressroute_failover.py"))
    vpngw("apply", *blueprint, "--yes", code=6)

    unknown = vpngw("simulator", "provision", "no-such-circuit", code=64)
    circuit = unknown.err.split("It has: ")[1].split(".")[0]
    vpngw("simulator", "provision", circuit, code=0)

    assert "Apply of expressroute-failover complete" in vpngw("apply", *blueprint, "--yes", code=0).out


def test_content_that_cannot_be_read_any_more_can_be_reset(vpngw: Shell, tmp_path: Path) -> None:
    vpngw("simulator", "show", code=0)
    (tmp_path / ".vpngw" / "simulator" / "content.jsonl").write_text("{broken\n{}\n")
    vpngw("simulator", "show", code=1)

    vpngw("simulator", "reset", code=0)

    vpngw("simulator", "show", code=0)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("simulator show --dir hub.yaml/below", "cannot keep its content"),
        ("simulator reset --dir hub.yaml/below", "cannot keep its content"),
        ("simulator serve --faults nowhere.yaml", "There is no file nowhere.yaml."),
        ("simulator serve --governance nowhere.yaml", "There is no file nowhere.yaml."),
    ],
)
def test_what_the_simulator_cannot_use_is_told_with_what_to_do(vpngw: Shell, line: str, told: str) -> None:
    vpngw.write("hub.yaml", "")

    answer = vpngw(*line.split(), code=64)

    assert told in answer.err
    assert "Do: " in answer.err
