"""The other end of a connection as data: what each state of it does to what Azure answers."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from azure.core.exceptions import HttpResponseError
from azure.mgmt.network import NetworkManagementClient

from tests.simulator.conftest import GROUP, NETWORK, configuration, connection, gateway, site
from vpngw_iac.simulator import Governance, Grant, Simulator, VirtualTime
from vpngw_iac.simulator.other_end import MISMATCHES, OTHER_ENDS, happened

Hub = Callable[..., None]
CONNECTION = f"{NETWORK}/connections/con-berlin"
GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw-hub"
HALF_A_DAY = 12 * 3600.0


@pytest.fixture
def berlin(hub: Hub, simulator: Simulator, time: VirtualTime) -> None:
    """Berlin with BGP on an active-active hub, up for half an hour."""
    hub()
    two = [configuration("default", "pip-1"), configuration("activeActive", "pip-2")]
    simulator.put(GATEWAY, gateway(*two, activeActive=True, enableBgp=True, bgpSettings={"asn": 65010}))
    speaker = {"asn": 65101, "bgpPeeringAddress": "192.168.10.1"}
    simulator.put(f"{NETWORK}/localNetworkGateways/lgw-berlin", site(bgpSettings=speaker))
    simulator.put(CONNECTION, connection(enableBgp=True))
    time.advance(1800)


def tunnels(client: NetworkManagementClient) -> list[tuple[str | None, bool]]:
    """Status of each tunnel, and whether it was ever up."""
    found = client.virtual_network_gateway_connections.get("rg-hub", "con-berlin").tunnel_connection_status or []
    return [(each.connection_status, bool(each.last_connection_established_utc_time)) for each in found]


def peers(client: NetworkManagementClient) -> set[tuple[str | None, str | None]]:
    found = client.virtual_network_gateways.begin_get_bgp_peer_status("rg-hub", "vgw-hub").result().value or []
    return {(row.neighbor, row.state) for row in found if row.asn != 65010}


def learned(client: NetworkManagementClient) -> set[tuple[str | None, str | None]]:
    found = client.virtual_network_gateways.begin_get_learned_routes("rg-hub", "vgw-hub").result().value or []
    return {(row.network, row.origin) for row in found}


@pytest.mark.usefixtures("berlin")
@pytest.mark.parametrize("word", OTHER_ENDS)
def test_each_state_of_the_other_end_shows_as_it_does_in_azure(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime, word: str
) -> None:
    end = OTHER_ENDS[word]

    simulator.set(CONNECTION, {"other-end": word})
    time.advance(HALF_A_DAY)

    waiting = "Connecting" if end.packets else "NotConnected"
    assert {("Connected" if end.tunnel else waiting, word != "never-came-up")} == set(tunnels(client))
    spoken = end.tunnel and end.session
    assert {("192.168.10.1", "Connected" if spoken else "Connecting")} == peers(client)
    assert (("192.168.10.0/24", "EBgp") in learned(client)) == (spoken and end.routes)


@pytest.mark.usefixtures("berlin")
def test_pfs_on_one_side_shows_at_the_first_rekey(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime
) -> None:
    simulator.set(CONNECTION, {"other-end": "pfs"})
    time.advance(3600)
    before = tunnels(client)
    simulator.set(CONNECTION, {"happens": "rekey"})
    time.advance(60)

    assert before == [("Connected", True), ("Connected", True)]
    assert tunnels(client) == [("Connecting", True), ("Connecting", True)]


@pytest.mark.usefixtures("berlin")
def test_a_failover_interrupts_one_instance_for_a_while_and_is_told(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime
) -> None:
    simulator.set(GATEWAY, {"happens": "failover"})
    during = tunnels(client)
    health = f"{GATEWAY}/providers/Microsoft.ResourceHealth/availabilityStatuses/current?api-version=2023-10-01-preview"
    sick = json.loads(simulator.send("GET", health)[2])["properties"]
    time.advance(120)
    well = json.loads(simulator.send("GET", health)[2])["properties"]

    assert [status for status, _ in during] == ["Connecting", "Connected"]
    assert [status for status, _ in tunnels(client)] == ["Connected", "Connected"]
    assert (sick["availabilityState"], sick["reasonType"]) == ("Unavailable", "Planned")
    assert well["availabilityState"] == "Available"
    assert "2026-01-01T" in well["recentlyResolved"]["resolvedTime"]


@pytest.mark.usefixtures("berlin")
def test_a_mended_end_is_up_from_then_on_and_idle_ones_carry_nothing(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime
) -> None:
    carried = client.virtual_network_gateway_connections.get("rg-hub", "con-berlin").ingress_bytes_transferred
    simulator.set(CONNECTION, {"other-end": "silence"})
    time.advance(600)
    simulator.set(CONNECTION, {"other-end": "idle"})
    time.advance(10)

    mended = client.virtual_network_gateway_connections.get("rg-hub", "con-berlin")

    assert carried
    assert (mended.connection_status, mended.ingress_bytes_transferred) == ("Connected", 0)


@pytest.mark.usefixtures("berlin")
def test_a_link_to_one_instance_has_one_tunnel(client: NetworkManagementClient, simulator: Simulator) -> None:
    simulator.set(CONNECTION, {"instance": 1})

    assert tunnels(client) == [("Connecting", False), ("Connected", True)]


@pytest.mark.usefixtures("berlin")
def test_wrong_values_name_the_valid_words(simulator: Simulator) -> None:
    with pytest.raises(ValueError, match=r"other-end=broken is not known: it is one of up, idle, .*ike-version\."):
        simulator.set(CONNECTION, {"other-end": "broken"})
    with pytest.raises(ValueError, match="rekey, keep-sa"):
        simulator.set(CONNECTION, {"happens": "failover"})
    with pytest.raises(ValueError, match="has no other-end: it takes happens, log-lag, clients beside paths"):
        simulator.set(GATEWAY, {"other-end": "up"})
    with pytest.raises(ValueError, match="has no other-ends"):
        simulator.set(CONNECTION, {"other-ends": "up"})
    with pytest.raises(ValueError, match="log-lag=soon"):
        simulator.set(GATEWAY, {"log-lag": "soon"})


@pytest.mark.usefixtures("berlin")
def test_what_happened_tells_when_where_and_why(simulator: Simulator, time: VirtualTime) -> None:
    since = time.now()
    simulator.set(CONNECTION, {"other-end": "wrong-key"})
    time.advance(60)
    cloud = simulator._cloud
    found = list(happened(cloud, simulator._found(CONNECTION), since, time.now()))

    assert {"disconnected", "attempt"} == {one.what for one in found}
    assert {"wrong-key"} == {one.mismatch for one in found if one.what == "attempt"}
    assert {0, 1} == {one.instance for one in found}
    assert sorted(one.moment for one in found) == [one.moment for one in found]
    assert all(since <= one.moment <= time.now() for one in found)


@pytest.mark.usefixtures("berlin")
def test_neighbours_are_told_the_networks_and_no_default_route(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime
) -> None:
    simulator.put(f"{NETWORK}/localNetworkGateways/lgw-oslo", site("203.0.113.20", bgpSettings=_speaker("10.9.9.9")))
    simulator.put(f"{NETWORK}/connections/con-oslo", connection(to="lgw-oslo", enableBgp=True))
    simulator.set(f"{NETWORK}/connections/con-oslo", {"announces": "0.0.0.0/0, 10.9.0.0/16"})
    time.advance(300)

    told = client.virtual_network_gateways.begin_get_advertised_routes("rg-hub", "vgw-hub", peer="192.168.10.1")

    assert {"10.1.0.0/16", "10.9.0.0/16"} == {row.network for row in told.result().value or ()}


@pytest.mark.usefixtures("berlin")
def test_an_association_can_outlive_a_change_of_policy(
    client: NetworkManagementClient, simulator: Simulator, time: VirtualTime
) -> None:
    simulator.set(CONNECTION, {"happens": "keep-sa"})
    policy = {
        "saLifeTimeSeconds": 27000, "saDataSizeKilobytes": 1024, "ipsecEncryption": "GCMAES256",
        "ipsecIntegrity": "GCMAES256", "ikeEncryption": "GCMAES256", "ikeIntegrity": "SHA384",
        "dhGroup": "ECP384", "pfsGroup": "ECP384",
    }  # fmt: skip
    simulator.set(CONNECTION, {"properties.ipsecPolicies": [policy]})
    time.advance(120)
    old = _association(client)
    simulator.set(CONNECTION, {"happens": "rekey"})
    time.advance(120)
    new = _association(client)

    assert (old["DhGroup"], new["DhGroup"]) == ("DHGroup2", "ECP384")
    assert old["ElapsedTimeInseconds"] > 1800
    assert new["QuickModeSAs"][0]["PfsGroupId"] == "ECP384"


@pytest.mark.usefixtures("berlin")
def test_a_reader_reads_and_does_not_ask(client: NetworkManagementClient, simulator: Simulator) -> None:
    simulator.governance = Governance(grants=(Grant(actions=("*/read",)),))

    assert tunnels(client) == [("Connected", True)] * 2
    with pytest.raises(HttpResponseError, match="AuthorizationFailed"):
        client.virtual_network_gateways.begin_get_bgp_peer_status("rg-hub", "vgw-hub")


@pytest.mark.usefixtures("berlin")
def test_the_activity_log_tells_what_was_written(simulator: Simulator) -> None:
    subscription = GROUP.split("/")[2]
    wanted = f"eventTimestamp ge '2026-01-01T00:00:00Z' and resourceUri eq '{CONNECTION}'"
    path = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management/values"
    url = f"{path}?api-version=2015-04-01&$filter={wanted.replace(' ', '%20')}"

    rows = json.loads(simulator.send("GET", url)[2])["value"]

    assert {"Microsoft.Network/connections/write"} == {row["operationName"]["value"] for row in rows}
    assert {"Started", "Succeeded"} == {row["status"]["value"] for row in rows}


@pytest.mark.usefixtures("berlin")
def test_a_machine_sees_the_prefixes_of_the_sites(client: NetworkManagementClient, simulator: Simulator) -> None:
    subnet = {"subnet": {"id": f"{NETWORK}/virtualNetworks/vnet-hub/subnets/GatewaySubnet"}}
    inner = {"ipConfigurations": [{"name": "one", "properties": subnet}]}
    simulator.load([{"id": f"{NETWORK}/networkInterfaces/nic-1", "location": "westeurope", "properties": inner}])

    found = client.network_interfaces.begin_get_effective_route_table("rg-hub", "nic-1").result().value or []

    assert {("VirtualNetworkGateway", "192.168.10.0/24"), ("VnetLocal", "10.1.0.0/16")} == {
        (row.next_hop_type, prefix) for row in found for prefix in row.address_prefix or ()
    }


def test_there_are_twelve_mismatches() -> None:
    assert len(MISMATCHES) == 12


def _speaker(address: str) -> dict[str, object]:
    return {"asn": 65102, "bgpPeeringAddress": address}


def _association(client: NetworkManagementClient) -> dict[str, object]:
    told = client.virtual_network_gateway_connections.begin_get_ike_sas("rg-hub", "con-berlin").result()
    found: dict[str, object] = json.loads(str(told))["IkeSAs"][0]
    return found
