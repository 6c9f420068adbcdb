"""Migrations that Microsoft's own tool carries out on a gateway: while one is under way nobody else may write."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.paths import value_at
from vpngw_iac.preflight.registry import Violation, rule
from vpngw_iac.preflight.view.resource_view import ResourceView, arm_id
from vpngw_iac.preflight.view.topology import CONNECTION, GATEWAY, NAT_RULE, PUBLIC_IP, TopologyView

_STATUS = "properties.virtualNetworkGatewayMigrationStatus"
_NOT_BEGUN = frozenset({"", "none", "commitsucceeded", "abortsucceeded"})
_PREPARED = frozenset({"prepare", "preparesucceeded"})
_QUIET = frozenset({"", "none", "committed"})


def _migration(gateway: ResourceView) -> tuple[str, str]:
    """State and phase as Azure shows them, each empty where it shows none."""
    state, phase = (value_at(gateway.seen, f"{_STATUS}.{name}") for name in ("state", "phase"))
    return (state if isinstance(state, str) else "", phase if isinstance(phase, str) else "")


def _is_halfway(gateway: ResourceView) -> bool:
    """Running, or executed and neither committed nor aborted; a failed step leaves its phase behind."""
    state, phase = _migration(gateway)
    return state.lower() == "inprogress" or phase.lower() not in _NOT_BEGUN | _PREPARED


def _gateways(topology: TopologyView) -> Mapping[ArmId, ResourceView]:
    """Gateways that stay and gateways that this plan deletes."""
    deleted = {resource.id: resource for resource in topology.deleted if resource.type == GATEWAY}
    return deleted | {gateway.resource.id: gateway.resource for gateway in topology.gateways}


def _hangs_on(resource: ResourceView) -> Iterator[ArmId]:
    """The gateways that a write to this thing disturbs."""
    if resource.type == CONNECTION:
        for end in ("virtualNetworkGateway1", "virtualNetworkGateway2"):
            found = arm_id(value_at(resource.seen or resource.declared, f"properties.{end}"))
            yield from (found,) if found is not None else ()
    elif resource.type == NAT_RULE and resource.id.parent is not None:
        yield resource.id.parent


def _around(topology: TopologyView, gateway: ArmId) -> Iterator[ResourceView]:
    """Its public IPs, its subnet, its connections and NAT rules: those that stay and those that go."""
    known = topology.gateway(gateway)
    for instance in known.instances if known is not None else ():
        for found in (topology.find(instance.public_ip), topology.find(instance.subnet)):
            if found is not None:
                yield found
    for resource in (*topology.of_type(CONNECTION), *topology.of_type(NAT_RULE), *topology.deleted):
        if gateway in _hangs_on(resource):
            yield resource


@rule(
    "R-PIP-18",
    "E",
    "A migration of this gateway is in progress",
    "BPIP, SDK",
    "Commit or abort the migration (or let it end), then run this again.",
    when="change",
    live=True,
)
def migrating(topology: TopologyView) -> Iterator[Violation]:
    """From the first to the last step of a migration nothing of the gateway may be changed, and it not deleted."""
    for resource in _gateways(topology).values():
        if not _is_halfway(resource):
            continue
        state, phase = _migration(resource)
        says = f"Azure reports a migration of {resource.name}: state {state or 'none'}, phase {phase or 'none'}."
        yield Violation(resource, says, otherwise="warning")
        for other in dict.fromkeys(_around(topology, resource.id)):
            yield Violation(other, f"{says} Nothing around it may be changed meanwhile.", otherwise=None)


@rule(
    "R-OPS-10",
    "W",
    "A migration was prepared and not carried out",
    "BPIP, SDK",
    "Carry the migration out or abort it before anything else is changed.",
    live=True,
)
def prepared(topology: TopologyView) -> Iterator[Violation]:
    """Changes after the preparation may make the migration fail; the public IP has a phase of its own."""
    for resource in _gateways(topology).values():
        if not _is_halfway(resource) and _migration(resource)[1].lower() in _PREPARED:
            state, phase = _migration(resource)
            yield Violation(
                resource, f"Azure reports a migration of {resource.name}: state {state or 'none'}, phase {phase}."
            )
    for resource in (*topology.of_type(PUBLIC_IP), *(t for t in topology.deleted if t.type == PUBLIC_IP)):
        phase = value_at(resource.seen, "properties.migrationPhase")
        if isinstance(phase, str) and phase.lower() not in _QUIET:
            yield Violation(
                resource,
                f"Azure reports the migration phase {phase} of this public IP.",
                "Commit or abort the migration before anything of its gateway is changed.",
            )
