"""A gateway with everything that all blueprints of a deployment hang on it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import TYPE_CHECKING

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import CONFIGURATIONS, names_of
from vpngw_iac.blueprints.contribution import GatewayLike, PlacedPart
from vpngw_iac.blueprints.gateway import ExistingVpnGateway, VpnGateway
from vpngw_iac.blueprints.site import Link, LocalGateway, Site
from vpngw_iac.late_dataclass import dataclass

if TYPE_CHECKING:
    from vpngw_iac.blueprints.circuit import CircuitLink
    from vpngw_iac.blueprints.client import ClientAccess


@dataclass(frozen=True, slots=True)
class GatewayContext:
    """One gateway and its share of every blueprint, merged. Lists are sorted by name."""

    id: ArmId
    use: PlacedPart[GatewayLike]
    tags: Mapping[str, str] = field(default_factory=dict)
    sites: tuple[PlacedPart[Site], ...] = ()
    local_gateways: tuple[PlacedPart[LocalGateway], ...] = ()
    """Those without a connection."""
    clients: PlacedPart[ClientAccess] | None = None
    circuits: tuple[PlacedPart[CircuitLink], ...] = ()
    peers: tuple[str, ...] = ()
    """Names of the gateways that it is paired with."""
    spokes: tuple[str, ...] = ()
    """Names of the networks that use it by gateway transit."""

    @property
    def part(self) -> GatewayLike:
        """The part itself."""
        return self.use.part

    @property
    def active_active(self) -> bool:
        """Whether it has two instances; an existing gateway that does not say so is taken to have one."""
        gateway = self.part
        return isinstance(gateway, VpnGateway | ExistingVpnGateway) and bool(gateway.active_active)

    @property
    def instances(self) -> tuple[str, ...]:
        """Names of the ipConfigurations of its instances."""
        return self.configurations[:2] if self.active_active else self.configurations[:1]

    @property
    def configurations(self) -> tuple[str, ...]:
        """Names of all ipConfigurations that it may have, the one for clients last."""
        gateway = self.part
        given = gateway.ip_configurations if isinstance(gateway, VpnGateway | ExistingVpnGateway) else ()
        return (*given, *CONFIGURATIONS[len(given) :])

    def configuration(self, instance: int) -> ArmId:
        """Id of an instance's ipConfiguration."""
        return self.id.child("ipConfigurations", self.configurations[instance])

    def links(self) -> Iterator[tuple[PlacedPart[Site], Link]]:
        """Every link of every site."""
        for use in self.sites:
            for link in use.part.effective_links():
                yield use, link

    def instances_of(self, link: Link) -> tuple[int, ...]:
        """The instances that a link is built to."""
        if link.instance is not None and self.active_active:
            return (link.instance,)
        return tuple(range(len(self.instances)))

    @property
    def lost(self) -> tuple[str, ...]:
        """Who loses connectivity while the gateway is down."""
        clients = (f"clients of {self.part.name}",) if self.clients else ()
        return names_of(
            (
                *(use.part.name for use in self.sites),
                *(use.part.name for use in self.circuits),
                *self.spokes,
                *self.peers,
                *clients,
            )
        )
