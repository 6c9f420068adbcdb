"""Authorizations of an ExpressRoute circuit: one lets one gateway of another subscription connect (R-ER-12)."""

from typing import Annotated, ClassVar

from vpngw_iac.field import Observed, ReadOnly, WriteOnly
from vpngw_iac.resources.base import ChildResource, Durations
from vpngw_iac.resources.wire import Output, WireModel

AUTHORIZATIONS = "Microsoft.Network/expressRouteCircuits/authorizations"


class AuthorizationProperties(WireModel):
    """All of it is Azure's; GET, PUT and LIST show the key (recording ``test_network_express_route``)."""

    authorization_key: Annotated[None, ReadOnly("test_network_express_route"), WriteOnly()] = None
    authorization_use_status: Annotated[None, ReadOnly("test_network_express_route")] = None
    connection_resource_uri: Observed = None


class ExpressRouteCircuitAuthorization(ChildResource):
    """An authorization; Azure makes its key."""

    arm_type: ClassVar[str] = AUTHORIZATIONS
    kind: ClassVar[str] = "CircuitAuthorization"
    sdk: ClassVar[str] = "network.express_route_circuit_authorizations"
    durations: ClassVar[Durations] = Durations(create=15, update=15, delete=15)

    properties: AuthorizationProperties | None = None

    @property
    def key(self) -> Output:
        """The key, for the connection that uses it: read just before, never written down."""
        return Output(self.id, "properties.authorizationKey", secret=True)
