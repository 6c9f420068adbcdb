"""Estates made by hand, document by document, for what no real one shows."""

from __future__ import annotations

from typing import Any

from tests.estates.desk import SUBSCRIPTION

Body = dict[str, Any]

REGION = "westeurope"


def rid(kind: str, name: str, *inner: str, group: str = "rg-hub", subscription: str = SUBSCRIPTION) -> str:
    """An id; `kind` is of Microsoft.Network, `inner` are pairs of a type and a name."""
    provider = kind if "/" in kind else f"Microsoft.Network/{kind}"
    home = f"/subscriptions/{subscription}/resourceGroups/{group}/providers/{provider}/{name}"
    return "/".join((home, *inner))


def document(identity: str, *, tags: Any = None, head: Body | None = None, **properties: Any) -> Body:
    """A document as GET answers it."""
    parts = identity.split("/")
    provider, kinds = parts[6], parts[7::2]
    state = {"provisioningState": "Succeeded"}
    said = {"tags": tags} if tags else {}
    return {
        "id": identity, "name": parts[-1], "type": "/".join((provider, *kinds)), "location": REGION,
        **said, **(head or {}), "properties": {**state, **properties},
    }  # fmt: skip


def network(name: str, space: str, *, group: str = "rg-hub", subnets: Any = None, **properties: Any) -> Body:
    """A network, with a GatewaySubnet unless others are given."""
    identity = rid("virtualNetworks", name, group=group)
    prefixes = {"GatewaySubnet": space.replace(".0.0/16", ".255.0/27")} if subnets is None else subnets
    inner = [
        document(f"{identity}/subnets/{each}", **(prefix if isinstance(prefix, dict) else {"addressPrefix": prefix}))
        for each, prefix in prefixes.items()
    ]
    for subnet in inner:
        del subnet["location"]
    space_of = {"addressPrefixes": [space]}
    return document(identity, addressSpace=space_of, subnets=inner, virtualNetworkPeerings=[], **properties)


def address(name: str, *, group: str = "rg-hub", **head: Any) -> Body:
    """A zone-redundant public address."""
    return document(
        rid("publicIPAddresses", name, group=group),
        head={"sku": {"name": "Standard", "tier": "Regional"}, "zones": ["1", "2", "3"], **head},
        publicIPAllocationMethod="Static", publicIPAddressVersion="IPv4", idleTimeoutInMinutes=4,
        ipAddress="20.0.0.4",
    )  # fmt: skip


def gateway(
    name: str, home: str, *, group: str = "rg-hub", instances: int = 1, sku: str = "VpnGw2AZ", tags: Any = None,
    **properties: Any,
) -> list[Body]:  # fmt: skip
    """A VPN gateway in a network of its group, with its addresses."""
    identity = rid("virtualNetworkGateways", name, group=group)
    addresses = [address(f"{name}-pip{number}", group=group) for number in range(1, instances + 1)]
    configurations = [
        {
            "id": f"{identity}/ipConfigurations/default{number}", "name": f"default{number}",
            "properties": {
                "privateIPAllocationMethod": "Dynamic",
                "subnet": {"id": f"{rid('virtualNetworks', home, group=group)}/subnets/GatewaySubnet"},
                "publicIPAddress": {"id": each["id"]},
            },
        }
        for number, each in enumerate(addresses, 1)
    ]  # fmt: skip
    whole = document(
        identity, tags=tags, gatewayType="Vpn", vpnType="RouteBased", enableBgp=False,
        activeActive=instances > 1, sku={"name": sku, "tier": sku, "capacity": 2},
        vpnGatewayGeneration="Generation2" if "2" in sku else "Generation1", ipConfigurations=configurations,
    )  # fmt: skip
    whole["properties"] |= properties
    return [*addresses, whole]


def expressroute_gateway(name: str, home: str, *, group: str = "rg-hub", **properties: Any) -> Body:
    """An ExpressRoute gateway without an address of its own."""
    identity = rid("virtualNetworkGateways", name, group=group)
    subnet = {"id": f"{rid('virtualNetworks', home, group=group)}/subnets/GatewaySubnet"}
    part = {"privateIPAllocationMethod": "Dynamic", "subnet": subnet}
    return document(
        identity, gatewayType="ExpressRoute", vpnType="RouteBased", sku={"name": "ErGw1AZ", "tier": "ErGw1AZ"},
        ipConfigurations=[{"id": f"{identity}/ipConfigurations/default", "name": "default", "properties": part}],
        **properties,
    )  # fmt: skip


def local(
    name: str, public_ip: str, *prefixes: str, group: str = "rg-hub", tags: Any = None, **properties: Any
) -> Body:
    """A local network gateway."""
    space = {"addressPrefixes": list(prefixes)}
    identity = rid("localNetworkGateways", name, group=group)
    return document(identity, tags=tags, gatewayIpAddress=public_ip, localNetworkAddressSpace=space, **properties)


def connection(
    name: str, start: str, end: str, *, kind: str = "IPsec", group: str = "rg-hub", tags: Any = None, **properties: Any
) -> Body:
    """A connection of a gateway to what an id says."""
    far = {"IPsec": "localNetworkGateway2", "Vnet2Vnet": "virtualNetworkGateway2", "ExpressRoute": "peer"}[kind]
    return document(
        rid("connections", name, group=group), tags=tags, connectionType=kind,
        virtualNetworkGateway1={"id": start}, **{far: {"id": end}}, **properties,
    )  # fmt: skip


def hub(number: int = 1, *, group: str = "rg-hub", **more: Any) -> list[Body]:
    """A group with a network and a gateway in it."""
    home = {"id": f"/subscriptions/{SUBSCRIPTION}/resourceGroups/{group}", "name": group, "location": REGION,
            "type": "Microsoft.Resources/resourceGroups", "properties": {"provisioningState": "Succeeded"}}  # fmt: skip
    inside = network(f"vnet-{number}", f"10.{number}.0.0/16", group=group)
    return [home, inside, *gateway(f"vgw-{number}", f"vnet-{number}", group=group, **more)]


def branch(
    name: str, number: int, *, start: str = rid("virtualNetworkGateways", "vgw-1"), group: str = "rg-hub", **more: Any
) -> list[Body]:
    """A local network gateway and a connection to it."""
    device = local(f"lgw-{name}", f"203.0.113.{number}", f"192.168.{number}.0/24", group=group)
    return [device, connection(f"con-{name}", start, device["id"], group=group, **more)]
