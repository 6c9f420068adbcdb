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
        _, said = server.communicate(timeout=30)

    assert "leave --no-tls out" in said, "vpngw itself refuses such a URL"
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
    assert vpngw("simulator", "load", "shown.json", code=0).out == "2 documents loaded.\n"
    assert vpngw("simulator", "show", "--json", code=0).document["documents"] == documents
    assert vpngw("simulator", "load", "estate.json", code=0).out == "1 document loaded.\n"


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


NETWORK = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg/providers/Microsoft.Network"
CIRCUIT = f"{NETWORK}/expressRouteCircuits/erc-ams"


def a_circuit(vpngw: Shell) -> None:
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": 50}
    state = {"provisioningState": "Succeeded", "serviceProviderProvisioningState": "Provisioned"}
    circuit = {
        "id": CIRCUIT,
        "location": "westeurope",
        "sku": {"name": "Standard_MeteredData"},
        "properties": {"serviceProviderProperties": provider, **state},
    }
    machine = {"id": CIRCUIT.replace("Network/expressRouteCircuits/erc-ams", "Compute/virtualMachines/vm")}
    vpngw.write("estate.json", json.dumps([circuit, machine]))
    vpngw("simulator", "load", "estate.json", code=0)


def test_a_circuit_goes_once_its_provider_has_let_go(vpngw: Shell) -> None:
    a_circuit(vpngw)
    refused = vpngw("simulator", "delete", "erc-ams", code=1)
    assert "Ask the provider to deprovision it first" in refused.err
    told = vpngw("simulator", "deprovision", "erc-ams", "--json", code=0).document
    assert told["deprovisioned"] == [CIRCUIT]
    vpngw("simulator", "delete", CIRCUIT.upper(), code=0)
    assert CIRCUIT not in vpngw("simulator", "show", "--json", code=0).document["documents"]
    assert "no circuit 'erc-ams'" in vpngw("simulator", "deprovision", "erc-ams", code=64).err


def test_a_foreign_hand_changes_values_and_drift_finds_it(hub: Shell) -> None:
    documents = hub("simulator", "show", "--json", code=0).document["documents"]
    connection = next(identifier for identifier in documents if "/connections/" in identifier)
    before = documents[connection]["properties"]["routingWeight"]

    hub(
        "simulator",
        "set",
        connection,
        f"properties.routingWeight={before + 7}",
        "properties.dpdTimeoutSeconds=33",
        code=0,
    )
    after = hub("simulator", "show", "--json", code=0).document["documents"][connection]
    quiet = hub("drift", "hub.yaml", code=0)
    site = next(identifier for identifier in documents if "/localNetworkGateways/" in identifier)
    hub("simulator", "set", site, "properties.localNetworkAddressSpace.addressPrefixes.0=10.99.0.0/16", code=0)
    drift = hub("drift", "hub.yaml", code=2)

    assert after["properties"]["routingWeight"] == before + 7
    assert after["properties"]["dpdTimeoutSeconds"] == 33
    assert "No drift" in quiet.out, "what nobody manages may change, and the key stayed"
    assert "10.99.0.0/16" in drift.out


def test_a_foreign_hand_changes_tags_and_foreign_types(vpngw: Shell) -> None:
    a_circuit(vpngw)
    vpngw("simulator", "set", "erc-ams", "tags.owner=somebody", code=0)
    vpngw("simulator", "set", "vm", "properties.size=large", "location=uksouth", code=0)
    documents = vpngw("simulator", "show", "--json", code=0).document["documents"]
    machine = next(document for identifier, document in documents.items() if identifier.endswith("/vm"))
    assert documents[CIRCUIT]["tags"] == {"owner": "somebody"}
    assert (machine["properties"], machine["location"]) == ({"size": "large"}, "uksouth")
    vpngw("simulator", "set", "erc-ams", "tags.owner=", code=0)
    assert vpngw("simulator", "show", "--json", code=0).document["documents"][CIRCUIT]["tags"] == {}


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (("set", "erc-ams", "sku"), 64, "is not a change"),
        (("set", "erc-ams", "=1"), 64, "is not a change"),
        (("set", "nobody", "a=1"), 64, "no resource 'nobody'"),
        (("set", "erc-ams", "sku.name=Local_UnlimitedData"), 1, "BandwidthNotSupported"),
        (("set", "erc-ams", "location.x=1"), 1, "refuses it"),
        (("set", "erc-ams", "properties.peerings.x.y=1"), 1, "refuses it"),
        (("delete", "nobody"), 64, "no resource 'nobody'"),
    ],
)
def test_a_foreign_hand_is_told_what_is_wrong(vpngw: Shell, arguments: tuple[str, ...], code: int, told: str) -> None:
    a_circuit(vpngw)
    answer = vpngw("simulator", *arguments, code=code)
    assert told in answer.err
    assert "bug" not in answer.err


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


def test_the_other_end_is_set_by_one_word_and_wrong_words_are_corrected(hub: Shell) -> None:
    wrong = hub("simulator", "set", "con-berlin", "other-end=broken", code=1)
    hub("simulator", "set", "con-berlin", "other-end=silence", code=0)

    assert "other-end=broken is not known: it is one of up, idle, never-came-up, wrong-key" in wrong.err
    assert "NotConnected" in hub("show", "hub.yaml", code=0).out
