"""ExpressRoute circuits: ordered here, made usable by a connectivity provider."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from vpngw_iac.field import (
    AnyCase,
    Block,
    Children,
    Immutable,
    Observed,
    Outage,
    ReadOnly,
    ServerDefault,
    Transition,
    Verdict,
    WriteOnly,
)
from vpngw_iac.resources.base import Durations, Gate, Resource
from vpngw_iac.resources.circuit_authorization import AUTHORIZATIONS
from vpngw_iac.resources.circuit_peering import CIRCUIT_PEERINGS
from vpngw_iac.resources.parts import IdOnly
from vpngw_iac.resources.wire import WireModel
from vpngw_iac.secret import SecretReference

_SEEN = "test_network_express_route"
# learn.microsoft.com, "Modify an ExpressRoute circuit": bandwidth grows, Standard becomes Premium and back, metered
# becomes unlimited, all without interruption; less bandwidth and unlimited to metered are refused.
_PAGE = "Modify an ExpressRoute circuit"


def _bandwidth(observed: float | None, declared: float | None) -> Verdict:
    if observed is None or declared is None or declared >= observed:
        return Verdict("in place")
    return Verdict(
        "impossible",
        f"A circuit cannot lose bandwidth ({observed:g} to {declared:g}; {_PAGE}). Order another circuit under a new "
        "name, move the connections, then remove this one.",
    )


def _family(observed: str | None, declared: str | None) -> Verdict:
    if (observed or "").lower() == "unlimiteddata" and (declared or "").lower() == "metereddata":
        return Verdict(
            "impossible",
            f"Unlimited data cannot become metered ({_PAGE}). Keep UnlimitedData, or order another circuit.",
        )
    return Verdict("in place")


def _tier(observed: str | None, declared: str | None) -> Verdict:
    if (declared or "").lower() == "local" != (observed or "local").lower():
        return Verdict(
            "impossible",
            f"A {observed} circuit cannot become Local (https://github.com/MicrosoftDocs/azure-docs/pull/100543). Keep "
            "its tier, or order a Local circuit under a new name.",
        )
    return Verdict("in place")


class CircuitSku(WireModel):
    """``{tier}_{family}``; Premium reaches beyond the geopolitical region (R-ER-18)."""

    name: Annotated[str, AnyCase()]
    tier: Annotated[
        Literal["Standard", "Premium", "Basic", "Local", "MultiCloud"],
        Transition(_tier),
        Outage("none", source=_PAGE),
    ]
    family: Annotated[Literal["UnlimitedData", "MeteredData"], Transition(_family), Outage("none", source=_PAGE)]


class ServiceProvider(WireModel):
    """Who carries the circuit, where, and how fast (Mbps)."""

    service_provider_name: Annotated[str, Immutable("a circuit keeps its provider")]
    peering_location: Annotated[str, Immutable("a circuit keeps its peering location")]
    bandwidth_in_mbps: Annotated[int, Transition(_bandwidth), Outage("none", source=_PAGE)]


class CircuitProperties(WireModel):
    """Either a provider's circuit or one on a Direct port (with its bandwidth in Gbps)."""

    service_provider_properties: ServiceProvider | None = None
    express_route_port: Annotated[IdOnly | None, Immutable("a circuit keeps its port")] = None
    express_route_lag: Annotated[IdOnly | None, Immutable("a circuit keeps its ports")] = None
    bandwidth_in_gbps: Annotated[float | None, Transition(_bandwidth), Outage("none", source=_PAGE)] = None
    # Recording test_network_express_route: false is added.
    allow_classic_operations: Annotated[bool | None, ServerDefault(False)] = None
    global_reach_enabled: Annotated[bool | None, ServerDefault(False)] = None
    enable_direct_port_rate_limit: Annotated[bool | None, ServerDefault(False)] = None
    # Of a Direct port in another subscription.
    authorization_key: Annotated[SecretReference | None, WriteOnly()] = None
    # What a partner hands to whoever orders through it; REST reference "Express Route Circuits".
    partner_account_id: Annotated[str | None, Immutable("a circuit keeps its partner")] = None
    activation_key: Annotated[SecretReference | None, WriteOnly()] = None

    authorizations: Annotated[None, Children(AUTHORIZATIONS)] = None
    peerings: Annotated[None, Children(CIRCUIT_PEERINGS)] = None
    # The provider's side and Azure's bookkeeping. The service key is handed to the provider and is not a secret.
    service_key: Annotated[None, ReadOnly(_SEEN)] = None
    service_provider_provisioning_state: Annotated[None, ReadOnly(_SEEN)] = None
    service_provider_notes: Annotated[None, ReadOnly(_SEEN)] = None
    circuit_provisioning_state: Annotated[None, ReadOnly(_SEEN)] = None
    gateway_manager_etag: Annotated[None, ReadOnly(_SEEN)] = None
    allow_global_reach: Annotated[None, ReadOnly("java_testExpressRouteCircuitPeering")] = None
    stag: Observed = None
    authorization_status: Observed = None
    resiliency_level: Observed = None


class ExpressRouteCircuit(Resource):
    """A circuit. Billing starts when it exists (R-ER-11), traffic when the provider has provisioned it (R-ER-10)."""

    arm_type: ClassVar[str] = "Microsoft.Network/expressRouteCircuits"
    kind: ClassVar[str] = "Circuit"
    sdk: ClassVar[str] = "network.express_route_circuits"
    durations: ClassVar[Durations] = Durations(create=60, update=30, delete=15)
    needs_replace_flag: ClassVar[bool] = True
    replaced: ClassVar[str] = (
        "Its service key is another one then: a connectivity provider has to provision it again, and authorizations of "
        "others end."
    )
    facts: ClassVar[Mapping[str, str]] = {
        "provider_state": "properties.serviceProviderProvisioningState",
        "circuit_state": "properties.circuitProvisioningState",
        "provider": "properties.serviceProviderProperties.serviceProviderName",
        "service_key": "properties.serviceKey",
    }
    join_action: ClassVar[str] = "Microsoft.Network/expressRouteCircuits/join/action"
    gate: ClassVar[Gate | None] = Gate(
        path="properties.serviceProviderProvisioningState",
        ready="Provisioned",
        says="Hand the circuit's service key (properties.serviceKey) to the connectivity provider; it must report the "
        "circuit as Provisioned before a gateway can be connected (R-ER-10).",
    )

    properties: CircuitProperties
    sku: Annotated[CircuitSku, Block()]

    @classmethod
    def gate_for(cls, body: Mapping[str, Any]) -> Gate | None:
        """A circuit on a Direct port has no provider to wait for (R-ER-10)."""
        return None if (body.get("properties") or {}).get("expressRoutePort") else cls.gate
