"""ExpressRoute: circuits, and a gateway that is connected to them, without a VPN gateway."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Tag, model_validator

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, ExistingCircuit, GlobalReach
from vpngw_iac.blueprints.contribution import Contribution, GatewayAttachment, GatewayLike, PlacedPart
from vpngw_iac.blueprints.gateway import AnyExpressRouteGateway
from vpngw_iac.blueprints.part import Many, Named
from vpngw_iac.blueprints.peer import Spoke
from vpngw_iac.blueprints.site_to_site import on_each
from vpngw_iac.field import rule_error


def _link_or_circuit(value: Any) -> str:
    """What says a place, a port or a bandwidth is a circuit; everything else is a link, so that errors make sense."""
    if isinstance(value, Mapping):
        if "existing" in value:
            return "<existing>"
        return "<provider>" if {"location", "provider", "port", "bandwidth"} & set(value) else "<circuit>"
    forms = {Circuit: "<provider>", ExistingCircuit: "<existing>"}
    return next((tag for form, tag in forms.items() if isinstance(value, form)), "<circuit>")


def _distinct(value: tuple[CircuitLink | Circuit | ExistingCircuit, ...]) -> Any:
    names = [part.name.lower() for part in value if isinstance(part, CircuitLink)]
    if len(set(names)) < len(names):
        raise rule_error("T-CIRCUIT", "Two circuit links bear one name. Give each its own.")
    return value


LinkOrCircuit = Annotated[
    Annotated[CircuitLink, Tag("<circuit>")]
    | Annotated[Circuit, Tag("<provider>")]
    | Annotated[ExistingCircuit, Tag("<existing>")],
    Discriminator(_link_or_circuit),
    Named("circuits", "CircuitLink(...)"),
]
Circuits = Annotated[Many[LinkOrCircuit], AfterValidator(_distinct)]
"""Circuits: with a connection as `CircuitLink`, without one as they are."""


class ExpressRoute(Blueprint):
    """Circuits, and perhaps an ExpressRoute gateway that is connected to them. With a VPN gateway: `Topology`.

    ``ExpressRoute(name="er", gateway=er_gateway, circuits=[CircuitLink(name="frankfurt", circuit=circuit)])``
    """

    gateway: AnyExpressRouteGateway | None = None
    """The gateway. Left out: circuits alone."""
    circuits: Circuits = ()
    """`CircuitLink` for each connection of the gateway; a bare `Circuit` gets no connection."""
    spokes: Many[Spoke] = ()
    """Networks that use the gateway."""
    global_reach: Many[GlobalReach] = ()
    """Circuits that are joined to each other."""

    @model_validator(mode="after")
    def _says_something(self) -> "ExpressRoute":
        linked = next((part.name for part in self.circuits if isinstance(part, CircuitLink)), None)
        if self.gateway is None and linked is not None:
            raise rule_error(
                "T-CIRCUIT", f"The circuit link {linked!r} connects a gateway: give gateway=, or the circuit alone."
            )
        if self.gateway is None and self.spokes:
            raise rule_error("T-HUB", "Spokes use a gateway: give gateway=, or leave the spokes out.")
        if self.gateway is None and not self.circuits and not self.global_reach:
            raise rule_error("T-CIRCUIT", "There is nothing in it: give gateway= or circuits=.")
        return self

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says."""
        gateways = () if self.gateway is None else (self.gateway,)
        yield Contribution(
            gateways=tuple(PlacedPart(gateway, "gateway", self.name, self.tags) for gateway in gateways),
            circuits=linked(self, self.circuits, gateways),
            bare_circuits=bare(self, self.circuits),
            reaches=joined(self, self.global_reach),
            spokes=on_each(self, "spokes", self.spokes, gateways),
        )


def linked(
    blueprint: Blueprint,
    circuits: Iterable[CircuitLink | Circuit | ExistingCircuit],
    gateways: tuple[GatewayLike, ...],
) -> tuple[GatewayAttachment[CircuitLink], ...]:
    """The circuits that these gateways are connected to."""
    return tuple(
        GatewayAttachment(gateways, PlacedPart(part, f"circuits[{index}]", blueprint.name, blueprint.tags))
        for index, part in enumerate(circuits)
        if isinstance(part, CircuitLink)
    )


def bare(
    blueprint: Blueprint, circuits: Iterable[CircuitLink | Circuit | ExistingCircuit]
) -> tuple[PlacedPart[Circuit | ExistingCircuit], ...]:
    """The circuits without a connection."""
    return tuple(
        PlacedPart(part, f"circuits[{index}]", blueprint.name, blueprint.tags)
        for index, part in enumerate(circuits)
        if not isinstance(part, CircuitLink)
    )


def joined(blueprint: Blueprint, reaches: Iterable[GlobalReach]) -> tuple[PlacedPart[GlobalReach], ...]:
    """The circuits that are joined to each other."""
    return tuple(
        PlacedPart(part, f"global_reach[{index}]", blueprint.name, blueprint.tags) for index, part in enumerate(reaches)
    )
