"""Route tables, with their routes inside. A GatewaySubnet may have one; some of their routes stop a gateway.

Evidence: REST reference "Route Tables" (defaults, read-only members), R-SUBNET-11 to R-SUBNET-13.
"""

from __future__ import annotations

from vpngw_iac.arm import ArmId
from vpngw_iac.simulator.checks import Network, check_prefixes
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, defaults
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import subnets_with
from vpngw_iac.simulator.wire import Json

ROUTE_TABLES = "Microsoft.Network/routeTables"
_HOPS = ("VirtualNetworkGateway", "VnetLocal", "Internet", "VirtualAppliance", "None")


class RouteTable(Kind):
    """``Microsoft.Network/routeTables``."""

    arm_type = ROUTE_TABLES
    retry_after = 3.0
    etag_header = True
    contention = 409
    create_seconds = update_seconds = 3.0
    remove_seconds = 10.0
    top_level = ("location", "tags")
    read_only = frozenset({"subnets"})

    def fill(self, change: PutRequest) -> Json:
        """Propagation stays on where nothing is said."""
        properties = super().fill(change)
        defaults(properties, disableBgpRoutePropagation=False, routes=[])
        properties["routes"] = [
            {"name": str(item.get("name")), "properties": {"hasBgpOverride": False, **(item.get("properties") or {})}}
            for item in properties["routes"]
        ]
        return properties

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """400 while a subnet uses it."""
        for subnet in subnets_with(cloud, "routeTable", document.id):
            raise refuse(
                "InUseRouteTableCannotBeDeleted",
                f"Route table {document.name} is in use and cannot be deleted. It is used by {subnet}.",
            )

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With the subnets that use it, and each route as a resource of its own."""
        shown = dict(document.properties)
        routes = [{"id": f"{document.id}/routes/{route['name']}", **route} for route in shown["routes"]]
        shown["routes"] = [
            {**route, "etag": document.etag, "type": f"{ROUTE_TABLES}/routes"}
            | {"properties": {"provisioningState": document.state, **route["properties"]}}
            for route in routes
        ]
        if users := subnets_with(cloud, "routeTable", document.id):
            shown["subnets"] = [{"id": user} for user in users]
        return shown

    def check(self, change: PutRequest, properties: Json) -> None:
        """Routes with a prefix and a kind of next hop."""
        for inner in (route["properties"] for route in properties["routes"]):
            check_prefixes([inner.get("addressPrefix")], change.id)
            if inner.get("nextHopType") not in _HOPS:
                raise refuse(
                    "InvalidRequestFormat",
                    f"Cannot parse the request: nextHopType of a route of {change.id} is {inner.get('nextHopType')}.",
                )
            if (inner["nextHopType"] == "VirtualAppliance") != bool(inner.get("nextHopIpAddress")):
                raise refuse(
                    "InvalidNextHopIpAddress",  # code not recorded
                    f"A route of {change.id} has nextHopIpAddress exactly with nextHopType VirtualAppliance.",
                )


def default_routes(table: Document) -> list[str]:
    """Names of the routes that take all traffic."""
    return [route["name"] for route in table.properties["routes"] if _range(table, route).prefixlen == 0]


def _range(table: Document, route: Json) -> Network:
    return check_prefixes([route["properties"]["addressPrefix"]], ArmId(table.id))[0]


KIND = RouteTable()
