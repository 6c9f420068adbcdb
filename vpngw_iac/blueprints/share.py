"""What one blueprint contributes to a deployment, before anything is merged. Plain values, no resource."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, ExistingCircuit, GlobalReach
from vpngw_iac.blueprints.client import ClientAccess
from vpngw_iac.blueprints.gateway import (
    ExistingExpressRouteGateway,
    ExistingVpnGateway,
    ExpressRouteGateway,
    VpnGateway,
)
from vpngw_iac.blueprints.network import ExistingVirtualNetwork, VirtualNetwork
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.site import Site

Network = VirtualNetwork | ExistingVirtualNetwork
VpnLike = VpnGateway | ExistingVpnGateway
ExpressRouteLike = ExpressRouteGateway | ExistingExpressRouteGateway
GatewayLike = VpnLike | ExpressRouteLike

P = TypeVar("P")


@dataclass(frozen=True, slots=True)
class Use(Generic[P]):
    """A part where a blueprint uses it: `path` is the place in the file, `owner` the blueprint's name."""

    part: P
    path: str
    owner: str
    tags: Mapping[str, str] = field(default_factory=dict)
    """Tags that the blueprint gives to all of its resources."""


@dataclass(frozen=True, slots=True)
class On(Generic[P]):
    """Something that hangs on gateways: a site, clients, a spoke, a circuit."""

    gateways: tuple[GatewayLike, ...]
    use: Use[P]


@dataclass(frozen=True, slots=True)
class Share:
    """Everything that one blueprint says."""

    gateways: tuple[Use[GatewayLike], ...] = ()
    sites: tuple[On[Site], ...] = ()
    clients: tuple[On[ClientAccess], ...] = ()
    pairs: tuple[Use[Pair], ...] = ()
    spokes: tuple[On[Spoke], ...] = ()
    circuits: tuple[On[CircuitLink], ...] = ()
    bare_circuits: tuple[Use[Circuit | ExistingCircuit], ...] = ()
    """Circuits without a connection."""
    reaches: tuple[Use[GlobalReach], ...] = ()

    def below(self, prefix: str, tags: Mapping[str, str]) -> Share:
        """The same, as part of a larger blueprint: paths get a prefix, missing tags are added."""

        def use(item: Use[P]) -> Use[P]:
            return replace(item, path=f"{prefix}.{item.path}", tags={**tags, **item.tags})

        def on(item: On[P]) -> On[P]:
            return replace(item, use=use(item.use))

        return Share(
            gateways=tuple(use(item) for item in self.gateways),
            sites=tuple(on(item) for item in self.sites),
            clients=tuple(on(item) for item in self.clients),
            pairs=tuple(use(item) for item in self.pairs),
            spokes=tuple(on(item) for item in self.spokes),
            circuits=tuple(on(item) for item in self.circuits),
            bare_circuits=tuple(use(item) for item in self.bare_circuits),
            reaches=tuple(use(item) for item in self.reaches),
        )
