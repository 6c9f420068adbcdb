"""Connections and NAT rules as preflight sees them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from vpngw_iac.arm import ArmId
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.prefixes import Network as Prefix
from vpngw_iac.preflight.view.resource_view import (
    View,
    arm_id,
    flag,
    is_text,
    items,
    networks,
    number,
    reference,
    text,
    texts,
    value,
)

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.gateway import Gateway
    from vpngw_iac.preflight.view.network import Circuit


class LocalGateway(View):
    """A local network gateway: the device of a site, or another gateway of ours."""

    declared_ip = value("properties.gatewayIpAddress")
    ip = text("properties.gatewayIpAddress")
    fqdn = text("properties.fqdn")
    declared_prefixes = texts("properties.localNetworkAddressSpace.addressPrefixes")
    prefixes = networks("properties.localNetworkAddressSpace.addressPrefixes")
    asn = number("properties.bgpSettings.asn")
    peer_address = text("properties.bgpSettings.bgpPeeringAddress")

    @property
    def connections(self) -> tuple[Connection, ...]:
        """Connections that lead to it."""
        return self.topology.connections_to(self.resource.id)

    @cached_property
    def stands_for(self) -> ArmId | None:
        """The gateway of ours whose public IP it holds."""
        output = self.resource.output("properties.gatewayIpAddress")
        return None if output is None else self.topology.gateway_at(output.source)


class Connection(View):
    """A connection of a gateway."""

    declared_type = text("properties.connectionType")
    is_site = is_text("properties.connectionType", "ipsec")
    is_vnet = is_text("properties.connectionType", "vnet2vnet")
    is_expressroute = is_text("properties.connectionType", "expressroute")
    gateway_id = reference("properties.virtualNetworkGateway1")
    remote_id = reference("properties.virtualNetworkGateway2")
    local_id = reference("properties.localNetworkGateway2")
    circuit_id = reference("properties.peer")
    has_bgp = flag("properties.enableBgp")
    is_ikev1 = is_text("properties.connectionProtocol", "ikev1")
    is_ikev2 = is_text("properties.connectionProtocol", "ikev2")
    uses_certificate = is_text("properties.authenticationType", "certificate")
    policies = items("properties.ipsecPolicies")
    selectors = items("properties.trafficSelectorPolicies")
    has_policy_based_selectors = flag("properties.usePolicyBasedTrafficSelectors")
    uses_private_address = flag("properties.useLocalAzureIpAddress")
    has_fast_path = flag("properties.expressRouteGatewayBypass")

    @property
    def kind(self) -> str:
        """Its type in lower case; empty if it is none of the three above."""
        known = self.is_site or self.is_vnet or self.is_expressroute
        return (self.declared_type or "").lower() if known else ""

    @property
    def gateway(self) -> Gateway | None:
        """That gateway, if it is in the file."""
        return self.topology.gateway(self.gateway_id)

    @property
    def remote(self) -> Gateway | None:
        """That gateway, if it is in the file."""
        return self.topology.gateway(self.remote_id)

    @property
    def local(self) -> LocalGateway | None:
        """That local network gateway, if it is in the file."""
        return self.topology.local(self.local_id)

    @property
    def circuit(self) -> Circuit | None:
        """That circuit, if it is in the file."""
        wanted = self.circuit_id
        return next((circuit for circuit in self.topology.circuits if circuit.resource.id == wanted), None)

    @property
    def place(self) -> str:
        """What it leads to: the site as the compiler named it, else the local network gateway."""
        if self.resource.affects:
            return self.resource.affects[0]
        return (self.local_id or self.remote_id or self.resource.id).key

    @cached_property
    def twin(self) -> Connection | None:
        """The connection of the other end, if that end is one of our gateways and in the file."""
        back = self.remote_id if self.is_vnet else self._gateway_behind_local
        if back is None or self.gateway_id is None:
            return None
        others = self.topology.connections_of(back)
        if self.is_vnet:
            return next((c for c in others if c.is_vnet and c.remote_id == self.gateway_id), None)
        return next((c for c in others if c.is_site and c._gateway_behind_local == self.gateway_id), None)

    @property
    def _gateway_behind_local(self) -> ArmId | None:
        """The gateway of ours whose address the local network gateway holds."""
        return None if self.local is None or not self.is_site else self.local.stands_for

    @property
    def knows_policies(self) -> bool:
        """Whether its policies are known (also that there is none)."""
        return self.resource.knows("properties.ipsecPolicies")

    @property
    def is_private(self) -> bool:
        """Whether the tunnel starts at the gateway's private address."""
        gateway = self.gateway
        return bool(self.uses_private_address) or bool(gateway and gateway.is_high_bandwidth)

    @cached_property
    def nat_rules(self) -> tuple[NatRule, ...]:
        """NAT rules it is linked to and that are known."""
        wanted = (*self.resource.refs("properties.ingressNatRules"), *self.resource.refs("properties.egressNatRules"))
        return tuple(
            NatRule(resource, self.topology) for found in wanted if (resource := self.topology.find(found)) is not None
        )

    @property
    def ingress(self) -> tuple[NatRule, ...]:
        """NAT rules that translate the site."""
        return tuple(rule for rule in self.nat_rules if rule.is_ingress)

    @property
    def egress(self) -> tuple[NatRule, ...]:
        """NAT rules that translate Azure."""
        return tuple(rule for rule in self.nat_rules if not rule.is_ingress)

    @property
    def has_nat(self) -> bool:
        """Whether it is linked to any NAT rule."""
        return bool(self.resource.get("properties.ingressNatRules") or self.resource.get("properties.egressNatRules"))

    @property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Prefixes of the site as it writes them."""
        return () if self.local is None else self.local.prefixes

    @cached_property
    def translated(self) -> tuple[Prefix, ...]:
        """Prefixes of the site as Azure sees them, after ingress NAT."""
        pairs = [pair for rule in self.ingress for pair in zip(rule.internal, rule.external, strict=False)]
        if not pairs:
            return self.prefixes
        replaced = (_translated(prefix, pairs) for prefix in self.prefixes)
        return tuple(dict.fromkeys(prefix for found in replaced for prefix in found))

    @property
    def peer_address(self) -> str | None:
        """BGP address of the device, if this connection speaks BGP."""
        return self.local.peer_address if self.local is not None and self.has_bgp else None

    @property
    def peer_asn(self) -> int | None:
        """AS number of the other side, if this connection speaks BGP."""
        if not self.has_bgp:
            return None
        if self.is_vnet:
            return None if self.remote is None else self.remote.asn
        if self.local is None:
            return None
        output = self.local.resource.output("properties.bgpSettings.asn")
        far = self.topology.gateway(output.source) if output is not None else None
        return far.asn if far is not None else self.local.asn

    @cached_property
    def chosen_apipa(self) -> Mapping[str, str]:
        """Custom BGP address by name of the instance in lower case, as this connection chooses it."""
        found: dict[str, str] = {}
        for item in self.resource.items("properties.gatewayCustomBgpIpAddresses"):
            instance, address = arm_id(item.get("ipConfigurationId")), item.get("customBgpIpAddress")
            if instance is not None and isinstance(address, str):
                found[instance.name.lower()] = address
        return found

    @property
    def is_bound_to_one_instance(self) -> bool:
        """Whether only one instance of an active-active gateway is meant: its APIPA address shares the peer's /30.

        Azure wants an address for every instance (R-BGP-10), so the other one is named although it is never used.
        """
        chosen, peer = self.chosen_apipa, prefixes.address(self.peer_address)
        if len(chosen) == 1 or not chosen or peer is None or not prefixes.is_apipa(peer):
            return len(chosen) == 1
        block = prefixes.networks((f"{peer}/30",))
        return sum(prefixes.is_within(found, block) for found in map(prefixes.address, chosen.values()) if found) == 1


class NatRule(View):
    """A NAT rule of a gateway."""

    is_ingress = is_text("properties.mode", "ingresssnat")
    is_dynamic = is_text("properties.type", "dynamic")
    instance = reference("properties.ipConfigurationId")

    @cached_property
    def internal(self) -> tuple[Prefix, ...]:
        """Addresses before translation."""
        return self._spaces("properties.internalMappings")

    @cached_property
    def external(self) -> tuple[Prefix, ...]:
        """Addresses after translation."""
        return self._spaces("properties.externalMappings")

    def _spaces(self, path: str) -> tuple[Prefix, ...]:
        return prefixes.networks(item.get("addressSpace") for item in self.resource.items(path))

    def translated(self, address: prefixes.Address) -> prefixes.Address | None:
        """Where a static rule moves an address to; None if it does not say."""
        for source, target in zip(self.internal, self.external, strict=False):
            if prefixes.is_within(address, (source,)) and source.prefixlen == target.prefixlen:
                return target.network_address + (int(address) - int(source.network_address))
        return None

    @property
    def value(self) -> tuple[object, ...]:
        """What makes two rules the same rule on two instances."""
        return (self.is_ingress, self.is_dynamic, self.internal, self.external)


def _translated(prefix: Prefix, pairs: list[tuple[Prefix, Prefix]]) -> tuple[Prefix, ...]:
    """What a prefix looks like after translation; what no rule covers wholly stays as it is."""
    for internal, external in pairs:
        match prefixes.relation(prefix, internal):
            case "equal":
                return (external,)
            case "inside":
                return (prefixes.shifted(prefix, internal, external),)
    return (prefix,)
