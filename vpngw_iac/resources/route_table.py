"""Route tables with their routes inside: a hub with a firewall sends traffic through it, also that of its gateways.

Evidence: REST reference "Route Tables", R-SUBNET-11 to R-SUBNET-15, R-LIM-07.
"""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from vpngw_iac.field import Cidr, IpAddress, KeyedBy, Observed, Outage, ServerDefault
from vpngw_iac.resources.base import Durations, Resource, Role
from vpngw_iac.resources.wire import WireModel

# Traffic takes the other way as soon as Azure has it.
_OTHER_WAY = Outage("none", source="Virtual network traffic routing")


class RouteProperties(WireModel):
    """Where packets for a prefix go next."""

    address_prefix: Annotated[Cidr, _OTHER_WAY]
    next_hop_type: Annotated[
        Literal["VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None"], _OTHER_WAY
    ]
    next_hop_ip_address: Annotated[IpAddress | None, _OTHER_WAY] = None
    has_bgp_override: Observed = None


class Route(WireModel):
    """A route, by name."""

    name: str
    properties: RouteProperties


class RouteTableProperties(WireModel):
    """Properties of a route table. Routes that somebody else added survive."""

    routes: Annotated[tuple[Route, ...] | None, KeyedBy("name"), ServerDefault([])] = None
    disable_bgp_route_propagation: Annotated[bool | None, ServerDefault(False), _OTHER_WAY] = None
    disable_peering_route: Literal["None", "All"] | None = None

    subnets: Observed = None


class RouteTable(Resource):
    """A route table; the subnets that use it name it."""

    arm_type: ClassVar[str] = "Microsoft.Network/routeTables"
    kind: ClassVar[str] = "RouteTable"
    sdk: ClassVar[str] = "network.route_tables"
    durations: ClassVar[Durations] = Durations(create=3, update=3, delete=10)
    role: ClassVar[Role] = "route table"
    facts: ClassVar[Mapping[str, str]] = {"routes": "properties.routes"}
    # A subnet takes another table in place, so a renamed one is made before the old one goes.
    may_coexist: ClassVar[bool] = True
    join_action: ClassVar[str] = "Microsoft.Network/routeTables/join/action"

    properties: RouteTableProperties

    @classmethod
    def quotas(cls, document: Mapping[str, Any]) -> tuple[str, ...]:
        """Route tables of the subscription in the region (R-LIM-07)."""
        return ("routetables",)
