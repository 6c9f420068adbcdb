"""Point-to-site: one VPN gateway that clients dial into."""

from collections.abc import Iterable

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.contribution import Contribution, GatewayAttachment, PlacedPart
from vpngw_iac.blueprints.gateway import AnyVpnGateway, VpnGateway
from vpngw_iac.blueprints.part import Many
from vpngw_iac.blueprints.peer import Spoke
from vpngw_iac.blueprints.site_to_site import on_each
from vpngw_iac.errors import Finding


class PointToSite(ClientAccess, Blueprint):
    """A VPN gateway with what it offers to clients. With sites on the same gateway: `Topology`.

    ``PointToSite(name="clients", gateway=gateway, protocols="OpenVPN", address_pool="172.16.0.0/24")``
    """

    gateway: AnyVpnGateway
    spokes: Many[Spoke] = ()
    """Networks that clients reach through this gateway (R-PEER-06)."""

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says."""
        access: PlacedPart[ClientAccess] = PlacedPart(self.access(), "protocols", self.name, self.tags)
        yield Contribution(
            gateways=(PlacedPart(self.gateway, "gateway", self.name, self.tags),),
            clients=(GatewayAttachment((self.gateway,), access),),
            spokes=on_each(self, "spokes", self.spokes, (self.gateway,)),
        )

    def access(self) -> ClientAccess:
        """The client side alone."""
        return ClientAccess.model_construct(**{name: getattr(self, name) for name in ClientAccess.model_fields})

    def contradictions(self) -> Iterable[Finding]:
        """Clients are a setting of the gateway itself: it must be ours."""
        if not isinstance(self.gateway, VpnGateway):
            yield Finding(
                rule="B-CLIENTS",
                address=f"VpnGateway/{self.gateway.address_name}",
                summary="Point-to-site on a gateway that is not ours",
                detail="The client configuration is part of the gateway's own settings, and this gateway is only used.",
                advice="Declare the gateway here and take it over with --adopt, or set it up where it is managed.",
                location="gateway",
            )
