"""Authorizations of a circuit: the key with which another subscription may connect (R-ER-12).

Evidence: ``test_network_express_route``: the key is answered in clear by PUT, GET and LIST.
"""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView, same
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import MemberKind, PutRequest, Reader
from vpngw_iac.simulator.relations import CONNECTIONS
from vpngw_iac.simulator.wire import Json


class ExpressRouteCircuitAuthorization(MemberKind):
    """``Microsoft.Network/expressRouteCircuits/authorizations``."""

    arm_type = "Microsoft.Network/expressRouteCircuits/authorizations"
    create_seconds = update_seconds = remove_seconds = 11.0
    read_only = frozenset({"authorizationKey", "authorizationUseStatus", "connectionResourceUri"})

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
        return super().settle(cloud, document)

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
