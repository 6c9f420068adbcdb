"""Hand-made values for the reports: a hub with sites, clients and a spoke, as declared resources and as a plan."""

from __future__ import annotations

from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.order.order import order
from vpngw_iac.engine.plan.change import Action, Change, Difference, OutageStatement
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import Attached, CloudIdentity, Observed, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.resources.connection import Connection
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway
from vpngw_iac.resources.public_ip import PublicIp
from vpngw_iac.resources.resource_group import ResourceGroup
from vpngw_iac.resources.subnet import Subnet
from vpngw_iac.resources.virtual_network import VirtualNetwork
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.virtual_network_peering import VirtualNetworkPeering
from vpngw_iac.secret import Secret
from vpngw_iac.state.model import Binding, State

SUBSCRIPTION = "11111111-1111-1111-1111-111111111111"
GROUP = "rg-hub"
NETWORK = "Microsoft.Network/virtualNetworks"
GATEWAY = "Microsoft.Network/virtualNetworkGateways"
SITE = "Microsoft.Network/localNetworkGateways"
CONNECTION = "Microsoft.Network/connections"
PUBLIC_IP = "Microsoft.Network/publicIPAddresses"


def rid(arm_type: str, *names: str) -> ArmId:
    return ArmId.build(SUBSCRIPTION, GROUP, f"{arm_type}", *names)


def _ref(resource_id: ArmId) -> dict[str, str]:
    return {"id": str(resource_id)}


def network(name: str, prefix: str) -> VirtualNetwork:
    return VirtualNetwork.model_validate(
        {
            "address": f"VirtualNetwork/{name}",
            "id": rid(NETWORK, name),
            "location": "westeurope",
            "properties": {"addressSpace": {"addressPrefixes": [prefix]}},
        }
    )


def gateway_subnet(network_name: str, prefix: str) -> Subnet:
    return Subnet.model_validate(
        {
            "address": f"Subnet/{network_name}/GatewaySubnet",
            "id": rid(NETWORK + "/subnets", network_name, "GatewaySubnet"),
            "properties": {"addressPrefix": prefix},
        }
    )


def public_ip(name: str) -> PublicIp:
    return PublicIp.model_validate(
        {
            "address": f"PublicIp/{name}",
            "id": rid(PUBLIC_IP, name),
            "location": "westeurope",
            "sku": {"name": "Standard"},
            "zones": ["1", "2", "3"],
            "properties": {"publicIPAllocationMethod": "Static"},
        }
    )


def gateway(name: str, network_name: str, *ips: str, clients: bool = False, **more: Any) -> VirtualNetworkGateway:
    properties: dict[str, Any] = {
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "sku": {"name": "VpnGw2AZ", "tier": "VpnGw2AZ"},
        "activeActive": len(ips) > 1,
        "enableBgp": True,
        "bgpSettings": {"asn": 65010},
        "ipConfigurations": [
            {
                "name": f"ip{number}",
                "properties": {
                    "subnet": _ref(rid(NETWORK + "/subnets", network_name, "GatewaySubnet")),
                    "publicIPAddress": _ref(rid(PUBLIC_IP, ip)),
                },
            }
            for number, ip in enumerate(ips)
        ],
    }
    if clients:
        properties["vpnClientConfiguration"] = {
            "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
            "vpnClientProtocols": ["OpenVPN", "IkeV2"],
            "vpnAuthenticationTypes": ["Certificate"],
        }
    document = {
        "address": f"VpnGateway/{name}",
        "id": rid(GATEWAY, name),
        "location": "westeurope",
        "properties": properties | more,
    }
    return VirtualNetworkGateway.model_validate(document)


def site(name: str, address: str, *prefixes: str) -> LocalNetworkGateway:
    return LocalNetworkGateway.model_validate(
        {
            "address": f"LocalNetworkGateway/vgw-hub/{name}",
            "id": rid(SITE, f"lgw-{name}"),
            "location": "westeurope",
            "properties": {
                "gatewayIpAddress": address,
                "localNetworkAddressSpace": {"addressPrefixes": list(prefixes)},
            },
        }
    )


def connection(name: str, gateway_name: str = "vgw-hub") -> Connection:
    return Connection.model_validate(
        {
            "address": f"VpnConnection/{gateway_name}/{name}",
            "id": rid(CONNECTION, f"con-{name}"),
            "location": "westeurope",
            "properties": {
                "connectionType": "IPsec",
                "virtualNetworkGateway1": _ref(rid(GATEWAY, gateway_name)),
                "localNetworkGateway2": _ref(rid(SITE, f"lgw-{name}")),
                "sharedKey": Secret.env(f"{name.upper().replace('-', '_')}_PSK"),
            },
        }
    )


def peering(here: str, there: str, **flags: bool) -> VirtualNetworkPeering:
    return VirtualNetworkPeering.model_validate(
        {
            "address": f"Peering/{here}/{there}",
            "id": rid(NETWORK + "/virtualNetworkPeerings", here, f"to-{there}"),
            "properties": {"remoteVirtualNetwork": _ref(rid(NETWORK, there)), **flags},
        }
    )


def hub(sites: int = 2) -> Graph:
    """An active-active gateway with sites, clients and one spoke."""
    names = ["berlin", "munich", *(f"site-{number:02}" for number in range(3, sites + 1))][:sites]
    return Graph.of(
        [
            ResourceGroup(
                address="ResourceGroup/rg-hub", id=ArmId.resource_group_of(SUBSCRIPTION, GROUP), location="westeurope"
            ),
            network("vnet-hub", "10.1.0.0/16"),
            network("vnet-spoke", "10.2.0.0/16"),
            gateway_subnet("vnet-hub", "10.1.255.0/27"),
            public_ip("pip-vgw-hub-1"),
            public_ip("pip-vgw-hub-2"),
            gateway("vgw-hub", "vnet-hub", "pip-vgw-hub-1", "pip-vgw-hub-2", clients=True),
            *(site(name, f"203.0.113.{n + 10}", f"192.168.{n + 10}.0/24") for n, name in enumerate(names)),
            *(connection(name) for name in names),
            peering("vnet-hub", "vnet-spoke", allowGatewayTransit=True),
            peering("vnet-spoke", "vnet-hub", useRemoteGateways=True),
        ]
    )


def empty_state() -> State:
    return State(
        deployment="contoso-hub",
        lineage="22222222-2222-2222-2222-222222222222",
        binding=Binding(cloud="public", endpoint="https://management.azure.com", tenant="tenant"),
    )


def identity(name: str = "public") -> CloudIdentity:
    return CloudIdentity(name, "https://management.azure.com", "tenant", SUBSCRIPTION)


def plan_of(graph: Graph, *changes: Change, **more: Any) -> Plan:
    values: dict[str, Any] = {
        "deployment": "contoso-hub",
        "identity": identity(),
        "state_url": "file:.vpngw/state/public/contoso-hub",
        "changes": changes,
        "findings": (),
        "unread": (),
        "unmanaged": (),
        "graph": graph,
        "state": empty_state(),
        "snapshot": Snapshot(),
        "options": Options(),
    }
    return Plan(**(values | more))


def creation(graph: Graph) -> Plan:
    """Everything is new."""
    changes = [Change(address, resource.id, Action.CREATE) for address, resource in graph.resources.items()]
    return plan_of(graph, *changes)


def busy_plan() -> Plan:
    """One change of each kind, with findings, something unread and a foreign connection."""
    graph = hub()
    ids = {address: resource.id for address, resource in graph.resources.items()}
    berlin, munich = "VpnConnection/vgw-hub/berlin", "VpnConnection/vgw-hub/munich"
    seconds = OutageStatement("seconds", ("berlin",))
    changes = (
        Change(
            "LocalNetworkGateway/vgw-hub/berlin",
            ids["LocalNetworkGateway/vgw-hub/berlin"],
            Action.UPDATE,
            (
                Difference(
                    "properties.localNetworkAddressSpace.addressPrefixes",
                    "edit",
                    ["192.168.10.0/24", "192.168.20.0/24"],
                    ["192.168.10.0/24", "192.168.30.0/24"],
                    ["192.168.10.0/24", "192.168.30.0/24"],
                ),
                Difference("properties.gatewayIpAddress", "drift", "203.0.113.10", "203.0.113.10", "203.0.113.99"),
            ),
            seconds,
        ),
        Change("LocalNetworkGateway/vgw-hub/munich", ids["LocalNetworkGateway/vgw-hub/munich"], Action.ADOPT),
        Change(
            "PublicIp/pip-old",
            rid(PUBLIC_IP, "pip-old"),
            Action.DELETE,
        ),
        Change("PublicIp/pip-vgw-hub-1", ids["PublicIp/pip-vgw-hub-1"], Action.CREATE),
        Change(
            "Subnet/vnet-hub/GatewaySubnet",
            ids["Subnet/vnet-hub/GatewaySubnet"],
            Action.MOVE,
            previous="Subnet/old-hub/GatewaySubnet",
        ),
        Change(
            berlin,
            ids[berlin],
            Action.UPDATE,
            (Difference("properties.sharedKey", "edit", "(sensitive)", "(sensitive)", "(sensitive)"),),
            seconds,
            only_secret=True,
        ),
        Change(
            munich,
            ids[munich],
            Action.REPAIR,
            (Difference("properties.routingWeight", "edit and drift", 20, 10, 15),),
            reason="Failed in Azure",
        ),
        Change(
            "VpnGateway/vgw-hub",
            ids["VpnGateway/vgw-hub"],
            Action.REPLACE,
            (
                Difference("properties.sku.name", "edit", "VpnGw2AZ", "VpnGw2", "VpnGw2"),
                Difference("properties.vpnGatewayGeneration", "edit", "Generation2", None, None),
            ),
            OutageStatement("minutes", ("berlin", "clients of vgw-hub", "munich"), profiles_stale=True),
            reason="VpnGw2 and VpnGw2AZ are of different families.",
            known_after=("PublicIp/pip-vgw-hub-1",),
        ),
    )
    observed = Observed(rid(PUBLIC_IP, "pip-old"), {"properties": {"ipAddress": "20.1.2.3"}})
    return plan_of(
        graph,
        *changes,
        findings=(
            Finding(
                "R-IPSEC-02",
                "warning",
                berlin,
                "Weak proposal",
                detail="DHGroup2 has 1024 bits.",
                advice="Use ipsec=IpsecPolicy.strong().",
                location="blueprint.py:14",
                source="https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-compliance-crypto",
            ),
            Finding("R-LNG-06", "error", munich, "Prefix overlaps", detail="On purpose.", waived="migration until May"),
        ),
        unread=(f"{munich}: properties.sharedKey",),
        unmanaged=(
            Attached(ids["VpnGateway/vgw-hub"], "connection", "con-foreign", rid(CONNECTION, "con-foreign"), "other"),
        ),
        snapshot=Snapshot({observed.id: observed}, unverified=("VpnConnection/hub/berlin: properties.sharedKey",)),
        running="ada on runner-7, process 11, `vpngw apply` since 2026-01-01T00:00:00Z",
    )


def schedule_of(plan: Plan) -> Schedule:
    return order(plan.graph, plan.state, plan.changes, plan.snapshot)


def schedule_or_none(plan: Plan) -> Schedule:
    """The schedule, where every changed resource is declared; hand-made deletes of others have none."""
    known = plan.graph.resources
    return schedule_of(plan) if all(change.address in known for change in plan.changes) else Schedule()
