"""Virtual networks, their peerings, and circuits, as preflight sees them."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from vpngw_iac.arm import ArmId
from vpngw_iac.paths import value_at
from vpngw_iac.preflight.view.resource_view import View, flag, networks, number, reference, text, texts

if TYPE_CHECKING:
    from vpngw_iac.preflight.view.gateway import Gateway


class Network(View):
    """A virtual network."""

    declared_prefixes = texts("properties.addressSpace.addressPrefixes")
    prefixes = networks("properties.addressSpace.addressPrefixes")  # empty if that is not known
    dns_servers = texts("properties.dhcpOptions.dnsServers")

    @property
    def peerings(self) -> tuple[Peering, ...]:
        """The sides of peerings that hang on it."""
        return self.topology.peerings_of(self.resource.id)

    @property
    def gateways(self) -> tuple[Gateway, ...]:
        """Gateways that stand in it."""
        return self.topology.gateways_in(self.resource.id)

    @cached_property
    def reach(self) -> tuple[Network, ...]:
        """Networks that reach its gateways through peering, as far as both the peering and the network are known."""
        found = {self.resource.id: self}
        for peering in self.peerings:
            if peering.remote is not None:
                found.setdefault(peering.remote.resource.id, peering.remote)
        for peering in self.topology.peerings:
            if peering.remote_id == self.resource.id and peering.network is not None:
                found.setdefault(peering.network.resource.id, peering.network)
        del found[self.resource.id]
        return tuple(found[key] for key in sorted(found))


class Peering(View):
    """One side of a peering: it hangs on `network` and leads to `remote`."""

    remote_id = reference("properties.remoteVirtualNetwork")
    lends = flag("properties.allowGatewayTransit")  # the hub's side
    borrows = flag("properties.useRemoteGateways")  # the spoke's side

    @property
    def network_id(self) -> ArmId | None:
        """The network it hangs on."""
        return self.resource.id.parent

    @property
    def network(self) -> Network | None:
        """The network it hangs on, if it is in the file."""
        return self.topology.network(self.network_id)

    @property
    def remote(self) -> Network | None:
        """The network it leads to, if it is in the file."""
        return self.topology.network(self.remote_id)

    @cached_property
    def other_side(self) -> Peering | None:
        """The other side of the same peering, if it is known."""
        if self.remote_id is None:
            return None
        return next((p for p in self.topology.peerings_of(self.remote_id) if p.remote_id == self.network_id), None)


class Circuit(View):
    """An ExpressRoute circuit."""

    provider = text("properties.serviceProviderProperties.serviceProviderName")
    location = text("properties.serviceProviderProperties.peeringLocation")  # a Direct port has none here
    provider_megabits = number("properties.serviceProviderProperties.bandwidthInMbps")

    @property
    def tier(self) -> str | None:
        """Standard, Premium or Local; the name of a SKU begins with it."""
        name = value_at(self.resource.document, "sku.name")
        return name.partition("_")[0] if isinstance(name, str) else self.resource.text("sku.tier")

    @property
    def is_direct(self) -> bool:
        """Whether it sits on a port of its own."""
        return self.resource.ref("properties.expressRoutePort") is not None

    @property
    def megabits(self) -> int | None:
        """Bandwidth: of a provider, or of a Direct port in Gbps."""
        direct = value_at(self.resource.document, "properties.bandwidthInGbps")
        if isinstance(direct, int | float) and direct:
            return int(direct * 1000)
        return self.provider_megabits

    @property
    def peering_kinds(self) -> tuple[str, ...]:
        """Names of its peerings in lower case, as far as they are known."""
        children = self.topology.children(self.resource.id, "microsoft.network/expressroutecircuits/peerings")
        return tuple((child.text("properties.peeringType") or child.name).lower() for child in children)
