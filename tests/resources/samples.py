"""Typical resources of one small hub, and strategies that fill any model with legal values."""

from __future__ import annotations

import types
import typing
from typing import Annotated, Any, TypeVar

from hypothesis import strategies as st
from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.resources.base import Output, Ref, Resource, TextRef
from vpngw_iac.resources.connection import Connection, ConnectionProperties
from vpngw_iac.resources.express_route_circuit import (
    CircuitProperties,
    CircuitSku,
    ExpressRouteCircuit,
    ServiceProvider,
)
from vpngw_iac.resources.local_network_gateway import LocalNetworkGateway, LocalNetworkGatewayProperties
from vpngw_iac.resources.nat_rule import NatMapping, NatRule, NatRuleProperties
from vpngw_iac.resources.parts import AddressSpace, PeerBgpSettings
from vpngw_iac.resources.public_ip import PublicIp, PublicIpProperties, PublicIpSku
from vpngw_iac.resources.subnet import Subnet, SubnetProperties
from vpngw_iac.resources.virtual_network import VirtualNetwork, VirtualNetworkProperties
from vpngw_iac.resources.virtual_network_gateway import (
    GatewayProperties,
    GatewaySku,
    IpConfiguration,
    IpConfigurationProperties,
    VirtualNetworkGateway,
)
from vpngw_iac.resources.virtual_network_peering import PeeringProperties, VirtualNetworkPeering
from vpngw_iac.secret import EnvironmentSecret, FileSecret, GeneratedSecret, KeyVaultSecret, Secret

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
GROUP = "rg-hub"
R = TypeVar("R", bound=Resource)


def arm_id(model: type[Resource], *names: str) -> ArmId:
    """Id of a resource in the sample group."""
    return ArmId.build(SUBSCRIPTION, GROUP, model.arm_type, *names)


def ref(model: type[R], *names: str) -> Ref[R]:
    """Reference to a resource in the sample group."""
    return Ref.to(arm_id(model, *names))


def named(model: type[Resource], *names: str) -> dict[str, Any]:
    """Address and id of a sample."""
    return {"address": f"{model.kind}/{'/'.join(names)}", "id": arm_id(model, *names)}


GATEWAY_SUBNET = ref(Subnet, "vnet-hub", "GatewaySubnet")


def network(name: str = "vnet-hub") -> VirtualNetwork:
    return VirtualNetwork(
        **named(VirtualNetwork, name),
        location="West Europe",
        properties=VirtualNetworkProperties(address_space=AddressSpace(address_prefixes=("10.1.0.0/16",))),
    )


def gateway_subnet() -> Subnet:
    return Subnet(
        **named(Subnet, "vnet-hub", "GatewaySubnet"), properties=SubnetProperties(address_prefix="10.1.255.0/27")
    )


def public_ip(name: str = "pip-0") -> PublicIp:
    return PublicIp(
        **named(PublicIp, name),
        location="westeurope",
        sku=PublicIpSku(name="Standard"),
        zones=("1", "2", "3"),
        properties=PublicIpProperties(public_ip_allocation_method="Static"),
    )


def ip_configuration(name: str, public_ip_name: str) -> IpConfiguration:
    return IpConfiguration(
        name=name,
        properties=IpConfigurationProperties(subnet=GATEWAY_SUBNET, public_ip_address=ref(PublicIp, public_ip_name)),
    )


def gateway(*configurations: str, sku: str = "VpnGw2AZ", **properties: Any) -> VirtualNetworkGateway:
    names = configurations or ("default",)
    return VirtualNetworkGateway(
        **named(VirtualNetworkGateway, "vgw-hub"),
        location="westeurope",
        properties=GatewayProperties(
            gateway_type="Vpn",
            vpn_type="RouteBased",
            sku=GatewaySku(name=sku),
            ip_configurations=tuple(ip_configuration(name, f"pip-{name}") for name in names),
            **properties,
        ),
    )


def nat_rule(name: str = "in") -> NatRule:
    return NatRule(
        **named(NatRule, "vgw-hub", name),
        properties=NatRuleProperties(
            type="Static",
            mode="IngressSnat",
            internal_mappings=(NatMapping(address_space="10.9.0.0/24"),),
            external_mappings=(NatMapping(address_space="172.16.9.0/24"),),
        ),
    )


def site() -> LocalNetworkGateway:
    return LocalNetworkGateway(
        **named(LocalNetworkGateway, "lgw-berlin"),
        location="westeurope",
        properties=LocalNetworkGatewayProperties(
            gateway_ip_address="203.0.113.10",
            local_network_address_space=AddressSpace(address_prefixes=("192.168.10.0/24",)),
            bgp_settings=PeerBgpSettings(asn=65050, bgp_peering_address="192.168.10.254"),
        ),
    )


def connection(**properties: Any) -> Connection:
    return Connection(
        **named(Connection, "con-berlin"),
        location="westeurope",
        properties=ConnectionProperties(
            **{
                "connection_type": "IPsec",
                "virtual_network_gateway1": ref(VirtualNetworkGateway, "vgw-hub"),
                "local_network_gateway2": ref(LocalNetworkGateway, "lgw-berlin"),
                "shared_key": Secret.env("BERLIN_PSK"),
                **properties,
            }
        ),
    )


def spoke_peering(*, transit: bool = True) -> VirtualNetworkPeering:
    return VirtualNetworkPeering(
        **named(VirtualNetworkPeering, "vnet-spoke", "to-hub"),
        needs=(ref(VirtualNetworkGateway, "vgw-hub"),),
        properties=PeeringProperties(
            remote_virtual_network=ref(VirtualNetwork, "vnet-hub"), use_remote_gateways=transit
        ),
    )


def circuit(**properties: Any) -> ExpressRouteCircuit:
    provider = ServiceProvider(service_provider_name="Equinix", peering_location="Amsterdam", bandwidth_in_mbps=200)
    return ExpressRouteCircuit(
        **named(ExpressRouteCircuit, "erc-hub"),
        location="westeurope",
        sku=CircuitSku(name="Standard_MeteredData", tier="Standard", family="MeteredData"),
        properties=CircuitProperties(**(properties or {"service_provider_properties": provider})),
    )


# --- any model, filled with legal values -----------------------------------------------------------------------------

_NAMES = st.sampled_from(["a", "default", "berlin", "x-1", "Ärger", "$secret"])
_CONSTRAINED = {
    "_cidr": st.sampled_from(["10.1.0.0/16", "192.168.10.0/24", "0.0.0.0/0", "fd00::/64"]),
    "_ipv4": st.sampled_from(["203.0.113.10", "198.51.100.7"]),
    "_ip": st.sampled_from(["203.0.113.10", "fd00::1"]),
    "_fqdn": st.sampled_from(["vpn.example.com", "berlin.example.org"]),
    "_region": st.sampled_from(["westeurope", "northeurope"]),
}
_IDS = st.sampled_from(["hub", "Spoke", "other"]).map(lambda name: arm_id(PublicIp, name))
_LEAVES: dict[Any, st.SearchStrategy[Any]] = {
    str: _NAMES,
    bool: st.booleans(),
    int: st.integers(0, 70_000),
    float: st.sampled_from([1.0, 5.0, 10.0]),
    ArmId: _IDS,
    EnvironmentSecret: st.builds(EnvironmentSecret, name=st.sampled_from(["A", "B_2"])),
    FileSecret: st.builds(FileSecret, path=st.sampled_from(["a.txt", "/run/key"])),
    KeyVaultSecret: st.builds(
        KeyVaultSecret, vault=st.just("kv"), name=st.just("key"), version=st.none() | st.just("v1")
    ),
    GeneratedSecret: st.builds(GeneratedSecret, vault=st.just("kv"), name=st.just("key")),
    Output: st.builds(Output, source=_IDS, path=st.just("properties.x[0]"), secret=st.booleans()),
}


def values_of(annotation: Any, metadata: Any = ()) -> st.SearchStrategy[Any]:
    """Legal values of an annotation, constrained types included."""
    for marker in metadata:
        known = _CONSTRAINED.get(getattr(getattr(marker, "func", None), "__name__", ""))
        if known is not None:
            return known
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return values_of(arguments[0], arguments[1:])
    if origin in (typing.Union, types.UnionType):
        return st.one_of([values_of(part) for part in arguments if part is not type(None)])
    if origin is typing.Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=2).map(tuple)
    if origin is dict:
        return st.dictionaries(_NAMES, values_of(arguments[1]), max_size=2)
    if origin in (Ref, TextRef):
        names = len(arguments[0].arm_type.split("/")) - 1
        return st.sampled_from(["one", "Two"]).map(lambda name: origin.to(arm_id(arguments[0], *[name] * names)))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel) and annotation not in _LEAVES:
        return models(annotation)
    return _LEAVES[annotation]


def models(model: type[BaseModel]) -> st.SearchStrategy[Any]:
    """Instances of a wire model; what may be left out is left out now and then."""
    fields: dict[str, st.SearchStrategy[Any]] = {}
    for name, info in model.model_fields.items():
        if info.exclude or info.annotation is type(None):
            continue
        present = values_of(info.annotation, info.metadata)
        fields[name] = present if info.is_required() else st.none() | present
        if info.default_factory is not None or (info.default not in (None, ...) and not info.is_required()):
            fields[name] = present
    return st.fixed_dictionaries(fields).map(lambda chosen: model(**chosen))


def resources(model: type[R]) -> st.SearchStrategy[R]:
    """Instances of a resource type with everything around the body."""
    names = len(model.arm_type.split("/")) - 1 if model.arm_type.startswith("Microsoft.Network") else 0
    own = arm_id(model, *["own"] * names) if names else ArmId.resource_group_of(SUBSCRIPTION, GROUP)
    text = st.lists(_NAMES, max_size=2).map(tuple)
    envelope: dict[str, st.SearchStrategy[Any]] = {
        "needs": st.lists(_IDS.map(Ref.to), max_size=2).map(tuple),
        "affected": text,
        "expected": text,
        "protect": st.booleans(),
        "derived_name": st.booleans(),
        "on_removal": st.sampled_from(["delete", "forget"]),
        "tenant": st.none() | st.just("11111111-1111-1111-1111-111111111111"),
    }
    inside: dict[str, st.SearchStrategy[Any]] = {}
    for name, info in model.model_fields.items():
        if info.exclude or info.annotation is type(None) or (not model.taggable and name in ("tags", "location")):
            continue
        present = values_of(info.annotation, info.metadata)
        inside[name] = present if info.is_required() or info.default_factory else st.none() | present
    identity = st.fixed_dictionaries({"address": st.just(f"{model.kind}/own"), "id": st.just(own)})
    return st.tuples(identity, st.fixed_dictionaries(envelope), st.fixed_dictionaries(inside)).map(
        lambda parts: model(**parts[0], **parts[1], **parts[2])
    )
