"""Authorizations of a circuit: the key with which another subscription may connect (R-ER-12).

Evidence: ``test_network_express_route``: the key is answered in clear by PUT, GET and LIST.
"""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document, Hold
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, exclusively
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import Json


class ExpressRouteCircuitAuthorization(Kind):
    """``Microsoft.Network/expressRouteCircuits/authorizations``."""

    arm_type = "Microsoft.Network/expressRouteCircuits/authorizations"
    has_location = False
    has_guid = False
    contention = 409
    top_level = ()
    create_seconds = 11.0
    update_seconds = 11.0
    remove_seconds = 11.0
    read_only = frozenset({"authorizationKey", "authorizationUseStatus", "connectionResourceUri"})

    def holds(self, change: PutRequest) -> dict[str, Hold]:
        """Children of one circuit are written one after the other."""
        return exclusively(change.id, change.id.parent)

    def stored(self, change: PutRequest, document: Document) -> None:
        """Azure makes the key, once."""
        document.hidden.setdefault("authorizationKey", change.cloud.guid())

    def hide(self, document: Document, told: Json) -> None:
        """The key."""
        if "authorizationKey" in told:
            document.hidden["authorizationKey"] = told["authorizationKey"]

    def settle(self, cloud: CloudView, document: Document) -> Json | None:
        """The circuit's etag changes with its children."""
        document.hidden.setdefault("authorizationKey", cloud.guid())
        cloud.touch(document.arm_id.parent)
        return None

    def removed(self, cloud: CloudView, document: Document) -> None:
        """The circuit's etag changes with its children."""
        cloud.touch(document.arm_id.parent)

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """In use as soon as a connection carries the key."""
        shown = dict(document.properties)
        user = user_of(cloud, document)
        shown["authorizationUseStatus"] = "InUse" if user else "Available"
        if user is not None:
            shown["connectionResourceUri"] = user.id
        if "authorizationKey" in document.hidden:
            shown["authorizationKey"] = document.hidden["authorizationKey"]
        return shown


def user_of(cloud: CloudView, authorization: Document) -> Document | None:
    """The connection that uses the authorization."""
    key, circuit = authorization.hidden.get("authorizationKey"), str(authorization.arm_id.parent)
    for connection in cloud.of_type(CONNECTIONS):
        if same(connection.properties.get("peer"), circuit) and connection.hidden.get("authorizationKey") == key:
            return connection
    return None


KIND = ExpressRouteCircuitAuthorization()
