"""Site-to-site: one VPN gateway, any number of sites, perhaps spokes behind it."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Annotated, TypeVar

from vpngw_iac.blueprints.base import Blueprint, contradiction
from vpngw_iac.blueprints.contribution import Contribution, GatewayAttachment, GatewayLike, PlacedPart
from vpngw_iac.blueprints.gateway import AnyVpnGateway
from vpngw_iac.blueprints.part import Many, listed
from vpngw_iac.blueprints.peer import Spoke
from vpngw_iac.blueprints.site import LocalGateway, Site
from vpngw_iac.errors import Finding
from vpngw_iac.text import suggestion

P = TypeVar("P")


class SiteToSite(Blueprint):
    """A VPN gateway with its sites: ``SiteToSite(name="offices", gateway=gateway, sites=[berlin])``."""

    gateway: AnyVpnGateway
    sites: Many[Site] = ()
    spokes: Many[Spoke] = ()
    """Networks that reach the sites through this gateway."""
    local_gateways: Annotated[Many[LocalGateway], listed] = ()
    """Local network gateways without a connection."""

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says."""
        yield Contribution(
            gateways=(PlacedPart(self.gateway, "gateway", self.name, self.tags),),
            sites=on_each(self, "sites", self.sites, (self.gateway,)),
            local_gateways=on_each(self, "local_gateways", self.local_gateways, (self.gateway,)),
            spokes=on_each(self, "spokes", self.spokes, (self.gateway,)),
        )

    def contradictions(self) -> Iterator[Finding]:
        """A failover path must name what it is the failover path of."""
        yield from unknown_backups(self.sites, self.gateway, ())


def on_each(
    blueprint: Blueprint, field: str, parts: Sequence[P], gateways: tuple[GatewayLike, ...]
) -> tuple[GatewayAttachment[P], ...]:
    """Each part of a list, on these gateways."""
    return tuple(
        GatewayAttachment(gateways, PlacedPart(part, f"{field}[{index}]", blueprint.name, blueprint.tags))
        for index, part in enumerate(parts)
    )


def unknown_backups(sites: Sequence[Site], gateway: GatewayLike, circuits: Collection[str]) -> Iterator[Finding]:
    """`backup_of` names another site or a circuit link of the same blueprint."""
    for index, site in enumerate(sites):
        known = {other.name for other in sites if other is not site} | set(circuits)
        if site.backup_of is not None and site.backup_of not in known:
            yield contradiction(
                "B-BACKUP",
                f"VpnConnection/{gateway.address_name}/{site.name}",
                "A failover path names something that does not exist",
                f"{site.name} is backup_of {site.backup_of!r}, which is no other site and no circuit here.",
                suggestion(site.backup_of, known) or f"Known are: {', '.join(sorted(known)) or 'none'}.",
                f"sites[{index}].backup_of",
            )
