"""Faults are data, and each does what it says, seen from the real SDK."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError, ServiceResponseError
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import NETWORK, connection, gateway, network_client, site
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import Fault, Simulator, Switches, VirtualTime, read_faults

Hub = Callable[..., None]
GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
VERSION = "?api-version=2026-03-01"


def fault(**values: Any) -> Fault:
    return Fault.model_validate(values)


def test_the_nth_request_of_a_kind_gets_another_answer(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub()
    simulator.faults.add(
        fault(
            method="GET",
            path="*/virtualNetworkGateways/*",
            nth=2,
            effect={"do": "answer", "status": 429, "code": "SubscriptionRequestsThrottled", "retry_after": 7},
        )
    )

    client.virtual_network_gateways.get("rg-hub", "vgw-hub")
    with pytest.raises(HttpResponseError) as caught:
        client.virtual_network_gateways.get("rg-hub", "vgw-hub")
    client.virtual_network_gateways.get("rg-hub", "vgw-hub")

    assert caught.value.status_code == 429
    assert caught.value.response is not None
    assert caught.value.response.headers["Retry-After"] == "7"


def test_an_html_page_instead_of_json_is_possible(simulator: Simulator, hub: Hub) -> None:
    hub()
    simulator.faults.add(fault(effect={"do": "answer", "status": 503, "html": True}))

    status, headers, body = simulator.send("GET", GATEWAY + VERSION)

    assert (status, headers["Content-Type"]) == (503, "text/html")
    assert body.startswith(b"<!DOCTYPE html>")


@pytest.mark.parametrize("done", [False, True])
def test_a_connection_breaks_before_or_after_the_deed(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator, done: bool
) -> None:
    hub()
    simulator.faults.add(fault(method="PUT", path="*/connections/*", effect={"do": "break", "done": done}))

    with pytest.raises(ServiceResponseError):
        client.virtual_network_gateway_connections.begin_create_or_update("rg-hub", "con-berlin", connection())

    assert (f"{NETWORK}/connections/con-berlin" in simulator.documents()) is done


def test_an_operation_fails_late_and_leaves_a_failed_resource_that_can_be_put_again(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator
) -> None:
    hub(with_gateway=False)
    simulator.faults.add(
        fault(method="PUT", path="*/virtualNetworkGateways/*", effect={"do": "fail", "code": "VmProvisioningFailed"})
    )

    with pytest.raises(HttpResponseError) as caught:
        client.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", gateway()).result()

    assert caught.value.error is not None
    assert caught.value.error.code == "VmProvisioningFailed"
    assert client.virtual_network_gateways.get("rg-hub", "vgw-hub").provisioning_state == "Failed"
    repaired = client.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", gateway()).result()
    assert repaired.provisioning_state == "Succeeded"


def test_an_operation_url_may_vanish_while_the_work_goes_on(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator, time: VirtualTime
) -> None:
    hub()
    simulator.faults.add(fault(method="PUT", path="*/connections/*", effect={"do": "lose-operation"}))

    with pytest.raises(HttpResponseError) as caught:
        client.virtual_network_gateway_connections.begin_create_or_update("rg-hub", "con", connection()).result()
    time.advance(60)

    assert caught.value.status_code == 404
    assert client.virtual_network_gateway_connections.get("rg-hub", "con").provisioning_state == "Succeeded"


def test_a_quota_refuses_what_comes_too_fast(simulator: Simulator, hub: Hub, time: VirtualTime) -> None:
    hub()
    simulator.faults.add(fault(method="GET", times=None, effect={"do": "quota", "per_minute": 3}))

    first = [simulator.send("GET", GATEWAY + VERSION)[0] for _ in range(5)]
    time.advance(61)
    later = simulator.send("GET", GATEWAY + VERSION)[0]

    assert first == [200, 200, 200, 429, 429]
    assert later == 200


def test_a_gateway_may_take_one_write_at_a_time(time: VirtualTime) -> None:
    simulator = Simulator(time=time, switches=Switches(parallel_writes=1))
    _with_sites(simulator, 2)

    answers = [_put_connection(simulator, number) for number in (1, 2)]

    assert [answer[0] for answer in answers] == [201, 409]
    assert json.loads(answers[1][2])["error"]["code"] == "AnotherOperationInProgress"


def test_late_contention_fails_the_one_whose_sibling_ran(time: VirtualTime) -> None:
    simulator = Simulator(time=time)
    _with_sites(simulator, 2)
    simulator.faults.add(fault(method="PUT", path="*/connections/con-2", effect={"do": "sibling"}))

    _put_connection(simulator, 1)
    _put_connection(simulator, 2)
    time.advance(60)

    states = [
        simulator.documents()[f"{NETWORK}/connections/con-{n}"]["properties"]["provisioningState"] for n in (1, 2)
    ]
    assert states == ["Succeeded", "Failed"]


def test_a_delete_may_stay_in_use_for_a_while(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator, time: VirtualTime
) -> None:
    hub(with_gateway=False)
    simulator.faults.add(
        fault(method="DELETE", path="*/subnets/*", times=None, effect={"do": "in-use", "seconds": 300})
    )

    with pytest.raises(HttpResponseError) as caught:
        client.subnets.begin_delete("rg-hub", "vnet-hub", "GatewaySubnet")
    time.advance(301)
    client.subnets.begin_delete("rg-hub", "vnet-hub", "GatewaySubnet").result()

    assert caught.value.error is not None
    assert caught.value.error.code == "InUseSubnetCannotBeDeleted"


def test_a_service_that_does_not_echo_secrets(time: VirtualTime) -> None:
    simulator = Simulator(time=time, switches=Switches(echo_secrets=False))
    _with_sites(simulator, 1)
    _put_connection(simulator, 1)
    time.advance(60)
    client = network_client(simulator, time)

    assert client.virtual_network_gateway_connections.get("rg-hub", "con-1").shared_key is None
    assert client.virtual_network_gateway_connections.get_shared_key("rg-hub", "con-1").value == "key1"


def test_a_slow_answer_and_a_lingering_operation_take_their_time(
    client: NetworkManagementClient, hub: Hub, simulator: Simulator, time: VirtualTime
) -> None:
    hub()
    simulator.faults.add(
        fault(method="PUT", effect={"do": "slow", "seconds": 50}),
        fault(method="PUT", effect={"do": "linger", "factor": 10}),
    )
    before = time.now()

    client.virtual_network_gateway_connections.begin_create_or_update("rg-hub", "con", connection()).result()

    assert time.now() - before >= 200


def test_an_expired_token_is_told_as_azure_tells_it(simulator: Simulator, hub: Hub) -> None:
    hub()
    simulator.faults.add(fault(effect={"do": "expire-token"}))

    status, headers, body = simulator.send("GET", GATEWAY + VERSION)

    assert (status, json.loads(body)["error"]["code"]) == (401, "ExpiredAuthenticationToken")
    assert "invalid_token" in headers["WWW-Authenticate"]


def test_chance_follows_the_seed(time: VirtualTime) -> None:
    def struck(seed: int) -> list[int]:
        faulty = fault(times=None, chance=0.5, effect={"do": "answer", "status": 500})
        simulator = Simulator(time=time, faults=[faulty], seed=seed)
        return [simulator.send("GET", "/subscriptions/s" + VERSION)[0] for _ in range(20)]

    assert struck(1) == struck(1)
    assert struck(1) != struck(2)
    assert set(struck(1)) == {200, 500}


def test_faults_are_read_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("- method: PUT\n  path: '*/connections/*'\n  nth: 3\n  effect: {do: break, done: true}\n")

    faults = read_faults(file)

    assert faults == [fault(method="PUT", path="*/connections/*", nth=3, effect={"do": "break", "done": True})]


def test_a_file_with_an_unknown_effect_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "faults.yaml"
    file.write_text("- effect: {do: explode}\n")

    with pytest.raises(SimulatorError, match=r"faults\.yaml"):
        read_faults(file)


def _with_sites(simulator: Simulator, count: int) -> None:
    from tests.simulator.conftest import GROUP, REGION, public_ip, vnet

    simulator.put(GROUP, {"location": REGION})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", public_ip())
    simulator.put(GATEWAY, gateway())
    for number in range(1, count + 1):
        body = site(f"203.0.113.{number}", f"192.168.{number}.0/24")
        simulator.put(f"{NETWORK}/localNetworkGateways/lgw-{number}", body)


def _put_connection(simulator: Simulator, number: int) -> tuple[int, dict[str, str], bytes]:
    body = json.dumps(connection(f"lgw-{number}", f"key{number}")).encode()
    return simulator.send("PUT", f"{NETWORK}/connections/con-{number}{VERSION}", {}, body)
