"""The server did it and the client never heard: at a write of every type that we manage, nothing is sent twice."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

from tests.chaos.chaos_harness import ChaosHarness, failures
from vpngw_iac import (
    Circuit,
    CircuitLink,
    Diagnostics,
    ExpressRouteCoexistence,
    ExpressRouteGateway,
    GatewaySubnet,
    GlobalReach,
    Maintenance,
    Nat,
    PrivatePeering,
    RoleAssignment,
    Route,
    RouteTable,
    Secret,
    SecurityGroup,
    Site,
    Spoke,
    Subnet,
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
    hub = network(
        "vnet-hub",
        1,
        gateway_subnet=GatewaySubnet(prefix="10.1.255.0/26", route_table=table),
        subnets=[Subnet(name="web", prefixes=["10.1.1.0/24"], security_group=SecurityGroup(name="nsg-web"))],
    )
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
    other = circuit.model_copy(
        update={
            "name": "erc-other",
            "authorizations": (),
            "private_peering": PrivatePeering(
                asn=65111, primary="192.168.251.0/30", secondary="192.168.251.4/30", vlan=201
            ),
        }
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
        access=[RoleAssignment(role="Reader", principal="11111111-2222-4333-8444-555555555555")],
        maintenance=Maintenance(start="02:00", time_zone="W. Europe Standard Time"),
        diagnostics=Diagnostics(workspace=f"{LOG}/Microsoft.OperationalInsights/workspaces/log"),
    )
    return ExpressRouteCoexistence(
        name="everything",
        vpn=vpn,
        expressroute=ExpressRouteGateway(name="ergw-hub", network=hub, sku="ErGw1AZ"),
        circuits=[CircuitLink(name="line", circuit=circuit)],
        global_reach=[GlobalReach(a=circuit, b=other, prefix="192.168.252.0/29")],
        sites=[berlin],
        spokes=[Spoke(network=network("vnet-red", 2))],
    )


def provider_says(harness: ChaosHarness, word: str) -> None:
    for identifier in harness.ids():
        if ArmId(identifier).type.lower() == "microsoft.network/expressroutecircuits":
            harness.simulator.provision_circuit(identifier, word)


def create(harness: ChaosHarness) -> None:
    """With a provider that does its part."""
    outcome = harness.apply(everything())
    assert outcome.outcome == "waiting", failures(outcome)
    provider_says(harness, "Provisioned")
    outcome = harness.apply(everything())
    assert outcome.outcome == "succeeded", failures(outcome)
    assert harness.plan(everything()).changes == ()


def destroy(harness: ChaosHarness) -> None:
    provider_says(harness, "NotProvisioned")
    outcome = harness.destroy(everything())
    assert outcome.outcome == "succeeded", failures(outcome)
    assert harness.ids() == set()


def heard(harness: ChaosHarness, method: str) -> Counter[str]:
    """How often Azure heard that method, by path."""
    return Counter(r.path.lower() for r in harness.simulator.requests if r.method == method)


def lost(harness: ChaosHarness, method: str) -> set[str]:
    """Types whose answer was lost."""
    return {ArmId(r.path).type.lower() for r in harness.simulator.requests if r.method == method and not r.status}


def test_creations_and_deletions(tmp_path: Path) -> None:
    """The answer to the first PUT and to the first DELETE of each type is lost."""
    undisturbed = ChaosHarness(tmp_path / "undisturbed", ENVIRONMENT)
    create(undisturbed)
    every = sorted(undisturbed.ids())
    destroy(undisturbed)
    one_of_each = {ArmId(path).type.lower(): path for path in every}
    assert set(one_of_each) == set(registry())

    harness = ChaosHarness(tmp_path / "disturbed", ENVIRONMENT)
    for path in one_of_each.values():
        harness.fault(BreakConnection(done=True), method="PUT", path=path)
        harness.fault(BreakConnection(done=True), method="DELETE", path=path)
    create(harness)
    destroy(harness)

    for method in ("PUT", "DELETE"):
        assert lost(harness, method) == set(registry())
        assert heard(harness, method) == heard(undisturbed, method)
