"""The server did it and the client never heard: at a write of every type that we manage, nothing is sent twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.desk import Desk, failures
from vpngw_iac import (
    Circuit,
    CircuitLink,
    Diagnostics,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    GatewaySubnet,
    Maintenance,
    Nat,
    PrivatePeering,
    Route,
    RouteTable,
    Secret,
    Site,
    Spoke,
    VirtualNetwork,
    VpnGateway,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.resources import registry
from vpngw_iac.simulator.faults import BreakConnection

LOG = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-log/providers"
ENVIRONMENT = {"PSK_BERLIN": "0123456789abcBERLIN"}


def network(name: str, number: int, **more: Any) -> VirtualNetwork:
    space = [f"10.{number}.0.0/16"]
    return VirtualNetwork(name=name, location="westeurope", resource_group="rg-hub", address_space=space, **more)


def everything() -> Any:
    """A deployment that has a resource of every type."""
    table = RouteTable(name="rt-hub", routes=[Route(name="red", prefix="10.2.0.0/16", next_hop_ip="10.1.1.4")])
    hub = network("vnet-hub", 1, gateway_subnet=GatewaySubnet(prefix="10.1.255.0/26", route_table=table))
    circuit = Circuit(
        name="erc-line",
        location="westeurope",
        resource_group="rg-hub",
        provider="Equinix",
        peering_location="Amsterdam",
        bandwidth=200,
        sku="Standard_MeteredData",
        private_peering=PrivatePeering(asn=65110, primary="192.168.250.0/30", secondary="192.168.250.4/30", vlan=200),
        authorizations=["partner"],
    )
    berlin = Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.env("PSK_BERLIN"),
        nat=[Nat.ingress("berlin", "192.168.10.0/24", "172.20.10.0/24")],
    )
    vpn = VpnGateway(
        name="vgw-hub",
        network=hub,
        sku="VpnGw2AZ",
        lock="CanNotDelete",
        maintenance=Maintenance(start="02:00", time_zone="W. Europe Standard Time"),
        diagnostics=Diagnostics(workspace=f"{LOG}/Microsoft.OperationalInsights/workspaces/log"),
    )
    return ExpressRouteCoexistence(
        name="everything",
        vpn=vpn,
        expressroute=ExpressRouteGateway(name="ergw-hub", network=hub, sku="ErGw1AZ"),
        circuits=[CircuitLink(name="line", circuit=circuit)],
        sites=[berlin],
        spokes=[Spoke(network=network("vnet-red", 2))],
    )


def provider_says(desk: Desk, word: str) -> None:
    for identifier in desk.ids():
        if ArmId(identifier).type.lower() == "microsoft.network/expressroutecircuits":
            desk.simulator.provision_circuit(identifier, word)


def create(desk: Desk) -> None:
    """With a provider that does its part."""
    outcome = desk.apply(everything())
    assert outcome.outcome == "waiting", failures(outcome)
    provider_says(desk, "Provisioned")
    outcome = desk.apply(everything())
    assert outcome.outcome == "succeeded", failures(outcome)
    assert desk.plan(everything()).changes == ()


def destroy(desk: Desk) -> None:
    provider_says(desk, "NotProvisioned")
    outcome = desk.destroy(everything())
    assert outcome.outcome == "succeeded", failures(outcome)
    assert desk.ids() == set()


def heard(desk: Desk, method: str) -> Counter[str]:
    """How often Azure heard that method, by path."""
    return Counter(r.path.lower() for r in desk.simulator.requests if r.method == method)


def lost(desk: Desk, method: str) -> set[str]:
    """Types whose answer was lost."""
    return {ArmId(r.path).type.lower() for r in desk.simulator.requests if r.method == method and not r.status}


def test_creations_and_deletions(tmp_path: Path) -> None:
    """The answer to the first PUT and to the first DELETE of each type is lost."""
    undisturbed = Desk(tmp_path / "undisturbed", ENVIRONMENT)
    create(undisturbed)
    every = sorted(undisturbed.ids())
    destroy(undisturbed)
    one_of_each = {ArmId(path).type.lower(): path for path in every}
    assert set(one_of_each) == set(registry())

    desk = Desk(tmp_path / "disturbed", ENVIRONMENT)
    for path in one_of_each.values():
        desk.fault(BreakConnection(done=True), method="PUT", path=path)
        desk.fault(BreakConnection(done=True), method="DELETE", path=path)
    create(desk)
    destroy(desk)

    for method in ("PUT", "DELETE"):
        assert lost(desk, method) == set(registry())
        assert heard(desk, method) == heard(undisturbed, method)
