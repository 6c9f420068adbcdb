"""What one blueprint contributes to a deployment, before anything is merged. Plain values, no resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field, replace
from typing import TYPE_CHECKING, Generic, TypeVar

from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import ExistingVirtualNetwork, VirtualNetwork
from vpngw_iac.blueprints.site import LocalGateway, Site
from vpngw_iac.late_dataclass import dataclass

if TYPE_CHECKING:
    from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, ExistingCircuit, GlobalReach
    from vpngw_iac.blueprints.client import ClientAccess
    from vpngw_iac.blueprints.peer import Pair, Spoke

Network = VirtualNetwork | ExistingVirtualNetwork
VpnLike = VpnGateway | ExistingVpnGateway
ExpressRouteLike = ExpressRouteGateway | ExistingExpressRouteGateway
GatewayLike = VpnLike | ExpressRouteLike

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class PlacedPart(Generic[P]):
    """A part where a blueprint uses it: `path` is the place in the file, `owner` the blueprint's name."""

    part: P
    path: str
    owner: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that the blueprint gives to all of its resources."""


@dataclass(frozen=True, slots=True)
class GatewayAttachment(Generic[P]):
    """Something that hangs on gateways: a site, clients, a spoke, a circuit."""

    gateways: tuple[GatewayLike, ...]
    use: PlacedPart[P]


@dataclass(frozen=True, slots=True)
class Contribution:
    """Everything that one blueprint says."""

    gateways: tuple[PlacedPart[GatewayLike], ...] = ()
    sites: tuple[GatewayAttachment[Site], ...] = ()
    local_gateways: tuple[GatewayAttachment[LocalGateway], ...] = ()
    """Those without a connection."""
    clients: tuple[GatewayAttachment[ClientAccess], ...] = ()
    pairs: tuple[PlacedPart[Pair], ...] = ()
    spokes: tuple[GatewayAttachment[Spoke], ...] = ()
    circuits: tuple[GatewayAttachment[CircuitLink], ...] = ()
    bare_circuits: tuple[PlacedPart[Circuit | ExistingCircuit], ...] = ()
    """Circuits without a connection."""
    reaches: tuple[PlacedPart[GlobalReach], ...] = ()

    def below(self, prefix: str, tags: Mapping[str, str]) -> Contribution:
        """The same, as part of a larger blueprint: paths get a prefix, missing tags are added."""

        def use(item: PlacedPart[P]) -> PlacedPart[P]:
            return replace(item, path=f"{prefix}.{item.path}", tags={**tags, **item.tags})

        def on(item: GatewayAttachment[P]) -> GatewayAttachment[P]:
            return replace(item, use=use(item.use))

        return Contribution(
            gateways=tuple(use(item) for item in self.gateways),
            sites=tuple(on(item) for item in self.sites),
            local_gateways=tuple(on(item) for item in self.local_gateways),
            clients=tuple(on(item) for item in self.clients),
            pairs=tuple(use(item) for item in self.pairs),
            spokes=tuple(on(item) for item in self.spokes),
            circuits=tuple(on(item) for item in self.circuits),
            bare_circuits=tuple(use(item) for item in self.bare_circuits),
            reaches=tuple(use(item) for item in self.reaches),
        )
