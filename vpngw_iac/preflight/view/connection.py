"""Connections and NAT rules as preflight sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.prefixes import Network as Prefix
from vpngw_iac.preflight.view.gateway import local_prefixes
from vpngw_iac.preflight.view.resource_view import Thing, arm_id

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.gateway import Gateway
    from vpngw_iac.preflight.view.network import Circuit
    from vpngw_iac.preflight.view.topology import Topology


@dataclass(frozen=True, eq=False)
class Connection:
    """A connection of a gateway."""

    thing: Thing
    topology: Topology = field(repr=False)

    @cached_property
    def kind(self) -> Literal["ipsec", "vnet2vnet", "expressroute", ""]:
        """Its type in lower case; empty if it is not known."""
        match (self.thing.text("properties.connectionType") or "").lower():
            case "ipsec":
                return "ipsec"
            case "vnet2vnet":
                return "vnet2vnet"
            case "expressroute":
                return "expressroute"
        return ""

    @property
    def is_site(self) -> bool:
        """Whether it is an IPsec connection to a local network gateway."""
        return self.kind == "ipsec"

    @property
    def is_vnet(self) -> bool:
        """Whether it joins two gateways."""
        return self.kind == "vnet2vnet"

    @property
    def is_expressroute(self) -> bool:
        """Whether it leads to a circuit."""
        return self.kind == "expressroute"

    @cached_property
    def gateway_id(self) -> ArmId | None:
        """The gateway it starts at."""
        return self.thing.ref("properties.virtualNetworkGateway1")

    @property
    def gateway(self) -> Gateway | None:
        """That gateway, if it is in the file."""
        return self.topology.gateway(self.gateway_id)

    @cached_property
    def remote_id(self) -> ArmId | None:
        """The other gateway of a VNet-to-VNet connection."""
        return self.thing.ref("properties.virtualNetworkGateway2")

    @property
    def remote(self) -> Gateway | None:
        """That gateway, if it is in the file."""
        return self.topology.gateway(self.remote_id)

    @cached_property
    def local_id(self) -> ArmId | None:
        """The local network gateway."""
        return self.thing.ref("properties.localNetworkGateway2")

    @property
    def local(self) -> Thing | None:
        """That local network gateway, if it is in the file."""
        return self.topology.find(self.local_id)

    @property
    def circuit_id(self) -> ArmId | None:
        """The circuit of an ExpressRoute connection."""
        return self.thing.ref("properties.peer")

    @property
    def circuit(self) -> Circuit | None:
        """That circuit, if it is in the file."""
        wanted = self.circuit_id
        return next((circuit for circuit in self.topology.circuits if circuit.thing.id == wanted), None)

    @property
    def place(self) -> str:
        """What it leads to: the site as the compiler named it, else the local network gateway."""
        if self.thing.affects:
            return self.thing.affects[0]
        return (self.local_id or self.remote_id or self.thing.id).key

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

    @cached_property
    def _gateway_behind_local(self) -> ArmId | None:
        """The gateway of ours whose address the local network gateway holds."""
        output = None if self.local is None or not self.is_site else self.local.output("properties.gatewayIpAddress")
        if output is None:
            return None
        return self.topology.gateway_at(output.source)

    @property
    def knows_policies(self) -> bool:
        """Whether its policies are known (also that there is none)."""
        return self.thing.knows("properties.ipsecPolicies")

    @property
    def has_bgp(self) -> bool | None:
        """Whether BGP is on for it."""
        return self.thing.flag("properties.enableBgp")

    @property
    def is_ikev1(self) -> bool:
        """Whether it is known to use IKEv1."""
        return (self.thing.text("properties.connectionProtocol") or "").lower() == "ikev1"

    @property
    def uses_certificate(self) -> bool:
        """Whether it authenticates by certificate."""
        return (self.thing.text("properties.authenticationType") or "").lower() == "certificate"

    @property
    def policies(self) -> tuple[Mapping[str, Any], ...]:
        """Custom IPsec policies."""
        return self.thing.items("properties.ipsecPolicies")

    @property
    def has_policy_based_selectors(self) -> bool | None:
        """``usePolicyBasedTrafficSelectors``."""
        return self.thing.flag("properties.usePolicyBasedTrafficSelectors")

    @property
    def is_private(self) -> bool:
        """Whether the tunnel starts at the gateway's private address."""
        gateway = self.gateway
        return bool(self.thing.flag("properties.useLocalAzureIpAddress")) or bool(
            gateway and gateway.thing.flag("properties.enableHighBandwidthVpnGateway")
        )

    @cached_property
    def nat_rules(self) -> tuple[NatRule, ...]:
        """NAT rules it is linked to and that are known."""
        wanted = (*self.thing.refs("properties.ingressNatRules"), *self.thing.refs("properties.egressNatRules"))
        return tuple(NatRule(thing) for found in wanted if (thing := self.topology.find(found)) is not None)

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
        return bool(self.thing.get("properties.ingressNatRules") or self.thing.get("properties.egressNatRules"))

    @cached_property
    def prefixes(self) -> tuple[Prefix, ...]:
        """Prefixes of the site as it writes them."""
        local = self.local
        return () if local is None else local_prefixes(local)

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
        local = self.local
        return local.text("properties.bgpSettings.bgpPeeringAddress") if local is not None and self.has_bgp else None

    @property
    def peer_asn(self) -> int | None:
        """AS number of the other side, if this connection speaks BGP."""
        if not self.has_bgp:
            return None
        if self.is_vnet:
            return None if self.remote is None else self.remote.asn
        if self.local is None:
            return None
        output = self.local.output("properties.bgpSettings.asn")
        far = self.topology.gateway(output.source) if output is not None else None
        return far.asn if far is not None else self.local.number("properties.bgpSettings.asn")

    @cached_property
    def chosen_apipa(self) -> Mapping[str, str]:
        """Custom BGP address by name of the instance in lower case, as this connection chooses it."""
        found: dict[str, str] = {}
        for item in self.thing.items("properties.gatewayCustomBgpIpAddresses"):
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


@dataclass(frozen=True, eq=False)
class NatRule:
    """A NAT rule of a gateway."""

    thing: Thing

    @property
    def is_ingress(self) -> bool:
        """Whether it translates the site's addresses."""
        return (self.thing.text("properties.mode") or "").lower() == "ingresssnat"

    @property
    def is_dynamic(self) -> bool:
        """Whether it is many to few."""
        return (self.thing.text("properties.type") or "").lower() == "dynamic"

    @property
    def instance(self) -> ArmId | None:
        """The ipConfiguration it is bound to."""
        return self.thing.ref("properties.ipConfigurationId")

    @cached_property
    def internal(self) -> tuple[Prefix, ...]:
        """Addresses before translation."""
        return self._spaces("properties.internalMappings")

    @cached_property
    def external(self) -> tuple[Prefix, ...]:
        """Addresses after translation."""
        return self._spaces("properties.externalMappings")

    def _spaces(self, path: str) -> tuple[Prefix, ...]:
        return prefixes.networks(item.get("addressSpace") for item in self.thing.items(path))

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
