"""Where things live and what they are called: ids, groups, subscriptions and addresses of parts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from vpngw_iac.arm import ArmId, Scope
from vpngw_iac.blueprints.contribution import GatewayLike, Network
from vpngw_iac.blueprints.gateway import GATEWAY, ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.network import ExistingVirtualNetwork, RouteTable, SecurityGroup
from vpngw_iac.blueprints.part import ExistingPart
from vpngw_iac.errors import Finding
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing

if TYPE_CHECKING:
    from vpngw_iac.blueprints.circuit import Circuit, ExistingCircuit

Item = Resource | Existing | Finding
"""What a compile function yields."""

NETWORK = "Microsoft.Network/virtualNetworks"
ROUTE_TABLE = "Microsoft.Network/routeTables"
SECURITY_GROUP = "Microsoft.Network/networkSecurityGroups"
CIRCUIT = "Microsoft.Network/expressRouteCircuits"

CONFIGURATIONS = ("default", "activeActive", "pointToSite")
"""ipConfigurations of a gateway: of its instances, as Azure calls them (R-NAT-11), and for clients (R-PIP-07)."""


@dataclass(frozen=True, slots=True)
class Placement:
    """A resource group in a subscription of a tenant."""

    subscription: str
    group: str
    tenant: str | None = None
    own_subscription: bool = False
    """Whether a part names the subscription: then the address of the group does too."""

    def id(self, arm_type: str, *names: str) -> ArmId:
        """Id of a resource here."""
        return ArmId.build(self.subscription, self.group, arm_type, *names)

    def id_of_group(self) -> ArmId:
        """Id of the group itself."""
        return ArmId.resource_group_of(self.subscription, self.group)


@dataclass(frozen=True, slots=True)
class CompileContext:
    """The scope of a compile run and its naming policy."""

    scope: Scope
    naming: Naming

    def place(self, part: Network | GatewayLike | Circuit | ExistingCircuit) -> Placement:
        """Where a part lives; a gateway is at home with its network unless it names another group."""
        if isinstance(part, ExistingPart):
            own = part.existing.subscription.lower() != self.scope.subscription.lower()
            return Placement(part.existing.subscription, part.existing.group or "", part.tenant, own)
        if not isinstance(part, VpnGateway | ExpressRouteGateway):
            group = part.resource_group or self.scope.resource_group or ""
            subscription = part.subscription or self.scope.subscription
            return Placement(
                subscription, group, part.tenant or self._tenant(part.subscription), bool(part.subscription)
            )
        home = self.place(part.network)
        return Placement(home.subscription, part.resource_group or home.group, home.tenant, home.own_subscription)

    def _tenant(self, subscription: str | None) -> str | None:
        same = subscription is None or subscription.lower() == self.scope.subscription.lower()
        return self.scope.tenant if same else None

    def beside(self, gateway: GatewayLike, group: str | None) -> Placement:
        """The place of something that hangs on a gateway: its subscription, and its group unless another is given."""
        home = self.place(gateway)
        return replace(home, group=group) if group else home

    def network_id(self, network: Network) -> ArmId:
        """Id of a network."""
        if isinstance(network, ExistingVirtualNetwork):
            return network.existing
        return self.place(network).id(NETWORK, network.name)

    def place_beside(self, part: RouteTable | SecurityGroup, network: Network) -> Placement:
        """Where a route table or a security group lives: with its network, unless it names another group."""
        home = self.place(network)
        return replace(home, group=part.resource_group) if part.resource_group else home

    def id_beside(self, part: RouteTable | SecurityGroup, network: Network) -> ArmId:
        """Id of a route table or a security group of ours."""
        kind = ROUTE_TABLE if isinstance(part, RouteTable) else SECURITY_GROUP
        return self.place_beside(part, network).id(kind, part.name)

    def gateway_id(self, gateway: GatewayLike) -> ArmId:
        """Id of a gateway."""
        if isinstance(gateway, VpnGateway | ExpressRouteGateway):
            return self.place(gateway).id(GATEWAY, gateway.name)
        return gateway.existing

    def circuit_id(self, circuit: Circuit | ExistingCircuit) -> ArmId:
        """Id of a circuit."""
        if isinstance(circuit, ExistingPart):
            return circuit.existing
        return self.place(circuit).id(CIRCUIT, circuit.name)

    def called(self, given: str | None, derived: str) -> tuple[str, bool]:
        """The name, and whether the naming policy made it."""
        return (given, False) if given else (fit(derived), True)


def gateway_address(gateway: GatewayLike) -> str:
    """Our name for a gateway."""
    kind = "ExpressRouteGateway" if "ExpressRoute" in type(gateway).__name__ else "VpnGateway"
    return f"{kind}/{gateway.address_name}"


def no_location(address: str, path: str, write: str) -> Finding:
    """The region of an existing thing is needed and not given."""
    return Finding(
        rule="B-LOCATION",
        address=address,
        summary="The region of an existing resource is not given",
        detail=f"What is made for {address} must name a region, and the blueprint does not say which.",
        advice=f"Write {write}.",
        source="R-SCOPE-01, R-SCOPE-02",
        location=path,
    )


def tags_of(*layers: Mapping[str, str]) -> dict[str, str] | None:
    """Tags of all layers, later ones winning, keys compared without case; None if there are none."""
    merged: dict[str, tuple[str, str]] = {}
    for layer in layers:
        merged.update({key.lower(): (key, value) for key, value in layer.items()})
    return {key: value for _, (key, value) in sorted(merged.items())} or None


def envelope(part: Any, tenant: str | None, *tags: Mapping[str, str]) -> dict[str, Any]:
    """What stands around the body of a resource whose part says it: tags, over those of its blueprint, and the rest."""
    return {
        "tags": tags_of(*tags, part.tags),
        "tenant": tenant,
        "protect": part.protect,
        "on_removal": part.on_removal,
    }


def used(address: str, part: Any, facts: Mapping[str, Any]) -> Existing:
    """What is only used, with the facts that are given."""
    known = {path: fact for path, fact in facts.items() if fact is not None}
    return Existing(address, part.existing, known, getattr(part, "tenant", None))


def names_of(parts: Iterable[str]) -> tuple[str, ...]:
    """Sorted and without repetition."""
    return tuple(sorted(set(parts)))


def natural(path: str) -> tuple[tuple[int, str], ...]:
    """Sorts ``sites[2]`` before ``sites[10]``."""
    pieces = path.replace("[", ".").replace("]", "").split(".")
    return tuple((int(piece), "") if piece.isdigit() else (-1, piece) for piece in pieces)
