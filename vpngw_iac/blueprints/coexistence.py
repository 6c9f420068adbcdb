"""ExpressRoute and VPN side by side in one hub: failover, or sites that are not on ExpressRoute."""

from collections.abc import Iterable, Iterator

from vpngw_iac.blueprints.base import Blueprint, contradiction
from vpngw_iac.blueprints.circuit import CircuitLink, GlobalReach
from vpngw_iac.blueprints.contribution import Contribution, PlacedPart
from vpngw_iac.blueprints.expressroute import Circuits, bare, joined, linked
from vpngw_iac.blueprints.gateway import AnyExpressRouteGateway, AnyVpnGateway
from vpngw_iac.blueprints.part import Many
from vpngw_iac.blueprints.peer import Spoke
from vpngw_iac.blueprints.site import Site
from vpngw_iac.blueprints.site_to_site import on_each, unknown_backups
from vpngw_iac.errors import Finding


class ExpressRouteCoexistence(Blueprint):
    """A hub with both gateways. Route exchange between them needs an Azure Route Server (R-ER-04).

    ``ExpressRouteCoexistence(name="hub", vpn=gateway, expressroute=er_gateway, sites=[berlin])``
    """

    vpn: AnyVpnGateway
    expressroute: AnyExpressRouteGateway
    circuits: Circuits = ()
    """`CircuitLink` for each connection of the ExpressRoute gateway; a bare `Circuit` gets no connection."""
    sites: Many[Site] = ()
    """Sites on the VPN gateway; those with `backup_of` are the failover path of a circuit."""
    spokes: Many[Spoke] = ()
    """Networks that use both gateways."""
    global_reach: Many[GlobalReach] = ()
    """Circuits that are joined to each other."""

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says."""
        yield Contribution(
            gateways=(
                PlacedPart(self.vpn, "vpn", self.name, self.tags),
                PlacedPart(self.expressroute, "expressroute", self.name, self.tags),
            ),
            sites=on_each(self, "sites", self.sites, (self.vpn,)),
            circuits=linked(self, self.circuits, (self.expressroute,)),
            bare_circuits=bare(self, self.circuits),
            reaches=joined(self, self.global_reach),
            spokes=on_each(self, "spokes", self.spokes, (self.vpn, self.expressroute)),
        )

    def contradictions(self) -> Iterator[Finding]:
        """Both gateways stand in one network; a failover path names its circuit."""
        yield from unknown_backups(
            self.sites, self.vpn, [link.name for link in self.circuits if isinstance(link, CircuitLink)]
        )
        one, two = self.vpn.network, self.expressroute.network
        if one is not None and two is not None and one != two:
            yield contradiction(
                "B-COEXISTENCE",
                f"ExpressRouteGateway/{self.expressroute.address_name}",
                "Coexisting gateways stand in two networks",
                f"{self.vpn.name} is in {one.name}, {self.expressroute.name} in {two.name}.",
                "Use one and the same network for both; they share its GatewaySubnet (R-ER-01).",
                "expressroute.network",
            )
