"""Global Reach: two circuits joined over their private peerings, so that the sites behind them reach each other.

Evidence: recording ``test_network_express_route_global_reach_config``; REST reference "Express Route Circuit
Connections"; azurerm ``express_route_circuit_connection`` (another IPv4 prefix makes it anew, IPv6 and key do not).
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar

from vpngw_iac.arm import ArmId
from vpngw_iac.field import Block, Cidr, Immutable, Observed, Outage, WriteOnly
from vpngw_iac.resources.base import ChildResource, Durations, OperationLock, Resource
from vpngw_iac.resources.circuit_peering import CIRCUIT_PEERINGS, ExpressRouteCircuitPeering
from vpngw_iac.resources.wire import Output, Ref, WireModel
from vpngw_iac.secret import SecretReference

_AGAIN = Outage("minutes", source="the circuits are joined again")


class Ipv6CircuitConnection(WireModel):
    """The IPv6 half."""

    address_prefix: Cidr
    circuit_connection_status: Observed = None


class CircuitConnectionProperties(WireModel):
    """Properties of a connection between two circuits."""

    express_route_circuit_peering: Annotated[
        Ref[ExpressRouteCircuitPeering], Immutable("it belongs to its circuit's peering")
    ]
    peer_express_route_circuit_peering: Annotated[
        Ref[ExpressRouteCircuitPeering], Immutable("it keeps its other circuit")
    ]
    address_prefix: Annotated[Cidr, Immutable("the addresses between two circuits cannot change")]
    # Of the other circuit, where that is another subscription's.
    authorization_key: Annotated[SecretReference | Output | None, WriteOnly(), _AGAIN] = None
    ipv6_circuit_connection_config: Annotated[Ipv6CircuitConnection | None, Block(), _AGAIN] = None

    circuit_connection_status: Observed = None


class ExpressRouteCircuitConnection(ChildResource):
    """A connection between two circuits; it hangs on the private peering of one of them."""

    arm_type: ClassVar[str] = f"{CIRCUIT_PEERINGS}/connections"
    kind: ClassVar[str] = "GlobalReach"
    sdk: ClassVar[str] = "network.express_route_circuit_connections"
    durations: ClassVar[Durations] = Durations(create=60, update=60, delete=60)
    facts: ClassVar[Mapping[str, str]] = {"status": "properties.circuitConnectionStatus"}

    properties: CircuitConnectionProperties

    def joins(self) -> Iterator[ArmId]:
        """With an authorization key nobody needs a right on the other circuit (R-ER-12)."""
        peer = self.properties.peer_express_route_circuit_peering.target.parent
        free = peer if self.properties.authorization_key is not None else None
        yield from (each for each in Resource.joins(self) if free is None or not free.contains(each))

    @classmethod
    def locks(cls, resource_id: ArmId, body: Mapping[str, Any], verb: str) -> tuple[OperationLock, ...]:
        """Writes to what hangs on a circuit are refused while another runs (R-OPS-02): it hangs on two."""
        peer = ArmId.of(((body.get("properties") or {}).get("peerExpressRouteCircuitPeering") or {}).get("id"))
        circuits = {each.parent.key for each in (resource_id.parent, peer) if each is not None and each.parent}
        return tuple(OperationLock(key) for key in (resource_id.key, *sorted(circuits)))
