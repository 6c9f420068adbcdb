"""Hand-made deployments of a hub: declared resources by address, easy to edit, without a blueprint."""

from __future__ import annotations

import base64
import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.resources import type_of
from vpngw_iac.resources.base import Ref, Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Secret

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "rg-hub"
REGION = "westeurope"
N = "Microsoft.Network/"
GROUPS = "Microsoft.Resources/resourceGroups"


def rid(arm_type: str, *names: str, group: str = GROUP, subscription: str = SUBSCRIPTION) -> ArmId:
    """Id of a resource of Microsoft.Network."""
    return ArmId.build(subscription, group, N + arm_type, *names)


def group_id(name: str = GROUP, subscription: str = SUBSCRIPTION) -> ArmId:
    return ArmId.resource_group_of(subscription, name)


def make(address: str, identity: ArmId, properties: Mapping[str, Any] | None = None, **more: Any) -> Any:
    """A declared resource of the type that its id says."""
    model = type_of(identity.type)
    assert model is not None
    fields = {"address": address, "id": identity, **more}
    if properties is not None:
        fields["properties"] = properties
    return model.model_validate(fields)


def resource_group(name: str = GROUP, **more: Any) -> Any:
    return make(f"ResourceGroup/{name}", group_id(name), location=REGION, **more)


def network(name: str = "hub", prefix: str = "10.1.0.0/16", *, prefixes: Iterable[str] = (), **more: Any) -> Any:
    space = {"addressPrefixes": [prefix, *prefixes]}
    return make(
        f"VirtualNetwork/{name}",
        rid("virtualNetworks", f"vnet-{name}"),
        {"addressSpace": space},
        location=REGION,
        **more,
    )


def gateway_subnet(name: str = "hub", prefix: str = "10.1.255.0/27", **properties: Any) -> Any:
    identity = rid("virtualNetworks/subnets", f"vnet-{name}", "GatewaySubnet")
    return make(f"Subnet/{name}/GatewaySubnet", identity, {"addressPrefix": prefix, **properties})


def public_ip(name: str = "hub", number: int = 1, **more: Any) -> Any:
    return make(
        f"PublicIp/{name}/{number}",
        rid("publicIPAddresses", f"pip-{name}-{number}"),
        {"publicIPAllocationMethod": "Static"},
        location=REGION,
        sku={"name": "Standard"},
        zones=("1", "2", "3"),
        **more,
    )


def ip_configuration(name: str, number: int, network_name: str = "hub") -> dict[str, Any]:
    subnet = rid("virtualNetworks/subnets", f"vnet-{network_name}", "GatewaySubnet")
    address = rid("publicIPAddresses", f"pip-{network_name}-{number}")
    inner = {"subnet": Ref.to(subnet), "publicIPAddress": Ref.to(address)}
    return {"name": name, "properties": inner}


def gateway(
    name: str = "hub", sku: str = "VpnGw2AZ", ips: int = 1, more: Mapping[str, Any] | None = None, **properties: Any
) -> Any:
    return make(
        f"VpnGateway/{name}",
        rid("virtualNetworkGateways", f"vgw-{name}"),
        {
            "gatewayType": "Vpn",
            "vpnType": "RouteBased",
            "sku": {"name": sku},
            "ipConfigurations": [ip_configuration(f"ip{n}", n, name) for n in range(1, ips + 1)],
            **properties,
        },
        location=REGION,
        **(more or {}),
    )


def site(name: str, number: int = 0, *, hub: str = "hub", identity: str = "", **changes: Any) -> Any:
    """A local network gateway; `number` makes address and prefix its own."""
    properties = {
        "gatewayIpAddress": f"203.0.113.{10 + number}",
        "localNetworkAddressSpace": {"addressPrefixes": [f"192.168.{10 + number}.0/24"]},
    }
    more = {key: changes.pop(key) for key in ("tags", "derived_name", "protect", "on_removal") if key in changes}
    return make(
        f"LocalNetworkGateway/{hub}/{name}",
        rid("localNetworkGateways", identity or f"lgw-{name}"),
        properties | changes,
        location=REGION,
        **more,
    )


def key_name(name: str) -> str:
    return f"PSK_{name.upper()}"


def connection(name: str, *, hub: str = "hub", identity: str = "", to: str = "", **changes: Any) -> Any:
    """A pre-shared-key connection to the site of that name."""
    properties = {
        "connectionType": "IPsec",
        "virtualNetworkGateway1": Ref.to(rid("virtualNetworkGateways", f"vgw-{hub}")),
        "localNetworkGateway2": Ref.to(rid("localNetworkGateways", to or f"lgw-{name}")),
        "sharedKey": Secret.env(key_name(name)),
    }
    more = {k: changes.pop(k) for k in ("tags", "derived_name", "protect", "on_removal", "affected") if k in changes}
    return make(
        f"VpnConnection/{hub}/{name}",
        rid("connections", identity or f"con-{name}"),
        properties | changes,
        location=REGION,
        **({"affected": (name,)} | more),
    )


def nat_rule(name: str, *, hub: str = "hub", internal: str = "10.50.0.0/24", **changes: Any) -> Any:
    properties = {
        "type": "Static",
        "mode": "IngressSnat",
        "internalMappings": [{"addressSpace": internal}],
        "externalMappings": [{"addressSpace": "172.20.0.0/24"}],
    }
    identity = rid("virtualNetworkGateways/natRules", f"vgw-{hub}", name)
    return make(f"NatRule/{hub}/{name}", identity, properties | changes)


def peering(local: str, remote: str, *, uses: str = "", lends: bool = False, **more: Any) -> Any:
    """One side of a peering; `uses` is the hub whose gateway it uses, `lends` says that it lends its own."""
    properties: dict[str, Any] = {"remoteVirtualNetwork": Ref.to(rid("virtualNetworks", f"vnet-{remote}"))}
    needs: tuple[Ref[Any], ...] = ()
    if uses:
        properties["useRemoteGateways"] = True
        needs = (Ref.to(rid("virtualNetworkGateways", f"vgw-{uses}")),)
        needs += (Ref.to(rid("virtualNetworks/virtualNetworkPeerings", f"vnet-{remote}", f"to-{local}")),)
    if lends:
        properties["allowGatewayTransit"] = True
    identity = rid("virtualNetworks/virtualNetworkPeerings", f"vnet-{local}", f"to-{remote}")
    return make(f"Peering/{local}/{remote}", identity, properties, needs=needs, **more)


@functools.cache
def certificate(name: str) -> str:
    """A self-signed root in base-64 on one line."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(who, who, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=3650))
    signed = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    der = signed.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)
    return base64.b64encode(der).decode()


def root(name: str) -> dict[str, Any]:
    return {"name": name, "properties": {"publicCertData": certificate(name)}}


def clients(*roots: str, **more: Any) -> dict[str, Any]:
    """Point-to-site with certificates, as properties of a gateway."""
    inner = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["Certificate"],
        "vpnClientRootCertificates": [root(name) for name in roots],
    }
    return {"vpnClientConfiguration": inner | more}


def radius(reference: Any, **more: Any) -> dict[str, Any]:
    """Point-to-site with a RADIUS server."""
    inner = {
        "vpnClientAddressPool": {"addressPrefixes": ["172.16.0.0/24"]},
        "vpnClientProtocols": ["OpenVPN"],
        "vpnAuthenticationTypes": ["Radius"],
        "radiusServerAddress": "10.1.0.10",
        "radiusServerSecret": reference,
    }
    return {"vpnClientConfiguration": inner | more}


def circuit(name: str = "line", **more: Any) -> Any:
    provider = {"serviceProviderName": "Equinix", "peeringLocation": "Amsterdam", "bandwidthInMbps": 200}
    return make(
        f"Circuit/{name}",
        rid("expressRouteCircuits", f"erc-{name}"),
        {"serviceProviderProperties": provider},
        location=REGION,
        sku={"name": "Standard_MeteredData", "tier": "Standard", "family": "MeteredData"},
        **more,
    )


def circuit_connection(name: str = "line", *, hub: str = "hub") -> Any:
    properties = {
        "connectionType": "ExpressRoute",
        "virtualNetworkGateway1": Ref.to(rid("virtualNetworkGateways", f"vgw-{hub}")),
        "peer": Ref.to(rid("expressRouteCircuits", f"erc-{name}")),
    }
    return make(f"Connection/{hub}/{name}", rid("connections", f"con-{name}"), properties, location=REGION)


def public_ip_output(name: str = "hub", number: int = 1) -> Output:
    """The address that Azure gave a public IP."""
    return Output(rid("publicIPAddresses", f"pip-{name}-{number}"), "properties.ipAddress")


@dataclass(frozen=True)
class Deployment:
    """What a workspace takes for a blueprint: a name, and resources that are there already."""

    name: str
    items: tuple[Resource | Existing, ...]
    moved: Mapping[str, str] = field(default_factory=dict)
    formerly: str | None = None
    waive: Mapping[str, str] = field(default_factory=dict)

    def resources(self, scope: Scope) -> tuple[Resource | Existing, ...]:
        del scope
        return self.items

    def but(self, *changed: Resource) -> Deployment:
        """The same, with these resources in place of those of their addresses."""
        new = {item.address: item for item in changed}
        kept = [new.pop(item.address, item) for item in self.items]
        assert not new, f"nothing to change at {', '.join(new)}"
        return replace(self, items=tuple(kept))

    def without(self, *addresses: str) -> Deployment:
        """The same, less these."""
        missing = set(addresses) - {item.address for item in self.items}
        assert not missing, f"nothing to remove at {', '.join(missing)}"
        return replace(self, items=tuple(item for item in self.items if item.address not in addresses))

    def plus(self, *items: Resource | Existing) -> Deployment:
        """The same, and these."""
        return replace(self, items=(*self.items, *items))

    def at(self, address: str) -> Any:
        """The item of an address."""
        return next(item for item in self.items if item.address == address)

    def named(self, **changes: Any) -> Deployment:
        """The same under another name, or with moves."""
        return replace(self, **changes)


def base(hub: str = "hub", prefix: str = "10.1.0.0/16", subnet: str = "10.1.255.0/27", ips: int = 1) -> tuple[Any, ...]:
    """Group, network, GatewaySubnet and public IPs."""
    addresses = [public_ip(hub, number) for number in range(1, ips + 1)]
    return (resource_group(), network(hub, prefix), gateway_subnet(hub, subnet), *addresses)


def hub(*sites: str, name: str = "hub", sku: str = "VpnGw2AZ", **gateway_properties: Any) -> Deployment:
    """A hub with a VPN gateway and one short-form site per name."""
    pairs = [(site(s, number), connection(s)) for number, s in enumerate(sites)]
    branch = [item for pair in pairs for item in pair]
    return Deployment(name, (*base(), gateway(sku=sku, **gateway_properties), *branch))


def hub_without_gateway(*sites: str, name: str = "hub") -> Deployment:
    """Only what is quick to make: group, network, and local network gateways."""
    return Deployment(name, (resource_group(), network(), *(site(s, n) for n, s in enumerate(sites))))


def hub_with_spokes(*spokes: str, sku: str = "VpnGw2AZ") -> Deployment:
    """A hub that lends its gateway to spokes."""
    deployment = hub("berlin", sku=sku)
    for number, spoke in enumerate(spokes):
        deployment = deployment.plus(
            network(spoke, f"10.{10 + number}.0.0/16"),
            peering("hub", spoke, lends=True),
            peering(spoke, "hub", uses="hub"),
        )
    return deployment
