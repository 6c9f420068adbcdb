"""Circuits with their peerings and authorizations, and the connections of gateways to them."""

from __future__ import annotations

from functools import partial
from typing import Any, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.circuit import (
    Circuit,
    CircuitLink,
    ExistingCircuit,
    GlobalReach,
    MicrosoftPeering,
    PrivatePeering,
)
from vpngw_iac.blueprints.naming import Naming, fit
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.documents import CIRCUITS, REACHES, Seen, id_in, same_name
from vpngw_iac.blueprints.reading.networks import subscription_of
from vpngw_iac.blueprints.reading.notes import Notes, label_of, tags_of
from vpngw_iac.blueprints.reading.operations_settings import access_of, diagnostics_of, lock_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said, used
from vpngw_iac.blueprints.reading.tunnels import connections_of, left_connections
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import SecretReference

_NAMING = Naming()
P = TypeVar("P", bound=Part)


def circuit_of(notes: Notes, identity: ArmId, users: frozenset[ArmId]) -> Circuit | ExistingCircuit:
    """A circuit, each once; `users` are the gateways of ours that are linked to it."""
    if identity not in notes.circuits:
        notes.circuits[identity] = _circuit(notes, identity, users)
    return notes.circuits[identity]


def _circuit(notes: Notes, identity: ArmId, users: frozenset[ArmId]) -> Circuit | ExistingCircuit:
    seen = notes.documents.get(identity)
    why = notes.documents.left.get(identity, "it lies outside of what was named")
    if seen is not None and notes.documents.is_home(identity):
        try:
            return _ours(notes, identity, seen, users)
        except Unsaid as error:
            why = str(error)
    notes.use(identity, why)
    facts = notes.documents.by_id.get(identity) or {}
    provider = value_at(facts, "properties.serviceProviderProperties") or {}
    elsewhere = any(not same_name(user.subscription, identity.subscription) for user in users)
    return used(
        Circuit.existing,
        identity,
        authorization=_authorization(notes, identity, users) if elsewhere else None,
        location=facts.get("location"),
        peering_location=provider.get("peeringLocation"),
        sku=value_at(facts, "sku.name"),
        bandwidth=provider.get("bandwidthInMbps"),
        label=label_of(notes.circuits, identity),
    )


def _authorization(notes: Notes, circuit: ArmId, users: frozenset[ArmId]) -> SecretReference:
    """The key that a circuit of others gave: the connection holds it."""
    holders = (
        connection
        for user in sorted(users)
        for connection, seen in connections_of(notes, user, "ExpressRoute")
        if id_in(seen, "properties.peer") == circuit
    )
    holder = next(holders, None)
    value = Output(holder, "properties.authorizationKey", secret=True) if holder else None
    return notes.secret(f"{circuit.name}_AUTHORIZATION", f"authorization key of the circuit {circuit.name}", value)


def _ours(notes: Notes, identity: ArmId, seen: Seen, users: frozenset[ArmId]) -> Circuit:
    _require_grants(identity, seen, users)
    private, microsoft = _peerings(notes, identity, seen)
    gigabits = value_at(seen, "properties.bandwidthInGbps")
    circuit = made(
        Circuit,
        name=identity.name,
        label=label_of(notes.circuits, identity),
        resource_group=identity.group,
        subscription=subscription_of(notes, identity),
        bandwidth=int(gigabits * 1000) if gigabits else _megabits(seen),
        private_peering=private,
        microsoft_peering=microsoft,
        authorizations=_authorizations(notes, identity, seen, users),
        diagnostics=diagnostics_of(notes, identity),
        access=access_of(notes, identity),
        lock=lock_of(notes, identity),
        tags=tags_of(seen),
        **_sku(seen),
        **said(Circuit, seen, shape_of(model_of(identity))),
    )
    notes.manage(identity)
    return circuit


def _require_grants(circuit: ArmId, seen: Seen, users: frozenset[ArmId]) -> None:
    """A circuit of ours makes an authorization for each gateway of ours in another subscription."""
    names = {str(item.get("name")) for item in objects(value_at(seen, "properties.authorizations"))}
    if missing := _granted(circuit, users) - names:
        raise Unsaid(f"it has no authorization called {', '.join(sorted(missing))}, which would be made")


def _granted(circuit: ArmId, users: frozenset[ArmId]) -> set[str]:
    elsewhere = (user for user in users if not same_name(user.subscription, circuit.subscription))
    return {fit(_NAMING.authorization.format(gateway=user.name)) for user in elsewhere}


def _megabits(seen: Seen) -> int:
    found = value_at(seen, "properties.serviceProviderProperties.bandwidthInMbps")
    if not found:
        raise Unsaid("it says no bandwidth")
    return int(found)


def _sku(seen: Seen) -> dict[str, Any]:
    name = value_at(seen, "sku.name")
    return {} if name in (None, "Standard_MeteredData") else {"sku": name}


_PEERINGS: dict[str, type[PrivatePeering | MicrosoftPeering]] = {
    "azureprivatepeering": PrivatePeering,
    "microsoftpeering": MicrosoftPeering,
}


def _peerings(notes: Notes, circuit: ArmId, seen: Seen) -> tuple[PrivatePeering | None, MicrosoftPeering | None]:
    found: dict[str, Any] = {}
    for item in objects(value_at(seen, "properties.peerings")):
        kind = str(item.get("name"))
        identity = ArmId.of(item.get("id")) or circuit.child("peerings", kind)
        try:
            found[kind.lower()] = _peering(notes, kind, identity, item)
        except Unsaid as error:
            notes.leave(identity, str(error))
        else:
            notes.manage(identity)
    return found.get("azureprivatepeering"), found.get("microsoftpeering")


def _peering(notes: Notes, kind: str, identity: ArmId, seen: Seen) -> PrivatePeering | MicrosoftPeering:
    noun = _PEERINGS.get(kind.lower())
    if noun is None:
        raise Unsaid(f"{kind} is not a peering that circuits have any more")
    notes.require_ours(identity)
    return made(noun, **said(noun, seen, shape_of(model_of(identity))))


def _authorizations(notes: Notes, circuit: ArmId, seen: Seen, users: frozenset[ArmId]) -> tuple[str, ...]:
    """Names of those that are not made for gateways of ours anyway."""
    own = _granted(circuit, users)
    names = []
    for item in objects(value_at(seen, "properties.authorizations")):
        name = str(item.get("name"))
        notes.manage(ArmId.of(item.get("id")) or circuit.child("authorizations", name))
        if name not in own:
            names.append(name)
    return tuple(sorted(names))


def linked_gateways(notes: Notes) -> dict[ArmId, frozenset[ArmId]]:
    """Gateways that are asked for by the circuit that they are linked to."""
    found: dict[ArmId, set[ArmId]] = {}
    for gateway, _ in notes.documents.wanted_gateways():
        for _, seen in connections_of(notes, gateway, "ExpressRoute"):
            if (circuit := id_in(seen, "properties.peer")) is not None:
                found.setdefault(circuit, set()).add(gateway)
    return {circuit: frozenset(users) for circuit, users in found.items()}


def links_of(
    notes: Notes, gateway: ArmId, linked: dict[ArmId, frozenset[ArmId]]
) -> tuple[tuple[CircuitLink, ...], tuple[str, ...]]:
    """The circuit links of an ExpressRoute gateway, and the names of connections that cannot be said."""
    links: list[CircuitLink] = []
    guests = [identity.name for identity in left_connections(notes, gateway, "ExpressRoute")]
    for identity, seen in connections_of(notes, gateway, "ExpressRoute"):
        try:
            links.append(_link(notes, gateway, identity, seen, linked))
        except Unsaid as error:
            notes.leave(identity, str(error))
            guests.append(identity.name)
        else:
            notes.manage(identity)
            notes.names[identity] = links[-1].name
    return tuple(sorted(links, key=lambda link: link.name.lower())), tuple(guests)


def _link(
    notes: Notes, gateway: ArmId, identity: ArmId, seen: Seen, linked: dict[ArmId, frozenset[ArmId]]
) -> CircuitLink:
    circuit = id_in(seen, "properties.peer")
    if circuit is None:
        raise Unsaid("it names no circuit")
    if not same_name(identity.subscription, gateway.subscription):
        raise Unsaid("it lies in another subscription than its gateway")
    head = _NAMING.circuit_connection.format(gateway=gateway.name, name="")
    derived = identity.name.removeprefix(head) if identity.name.startswith(head) else ""
    chosen = notes.documents.names.get(identity)
    return made(
        CircuitLink,
        name=chosen or derived or identity.name,
        circuit=circuit_of(notes, circuit, linked.get(circuit, frozenset({gateway}))),
        connection_name=None if derived and not chosen else identity.name,
        resource_group=None if same_name(identity.group, gateway.group) else identity.group,
        access=access_of(notes, identity),
        lock=lock_of(notes, identity),
        tags=tags_of(seen),
        **said(CircuitLink, seen, shape_of(model_of(identity))),
    )


# --- circuits without a gateway --------------------------------------------------------------------------------------


def bare_circuits(notes: Notes) -> tuple[Circuit, ...]:
    """Circuits of the named groups that no gateway written here is connected to."""
    scope = (i for i, _ in notes.documents.of_type(CIRCUITS) if i in notes.documents.scope and i not in notes.circuits)
    found = (circuit_of(notes, identity, frozenset()) for identity in scope)
    return tuple(circuit for circuit in found if isinstance(circuit, Circuit))


def reaches_of(notes: Notes) -> tuple[GlobalReach, ...]:
    """Circuits of ours that are joined to others."""
    return tuple(notes.each(notes.documents.of_type(REACHES), partial(_reach, notes)))


def _reach(notes: Notes, identity: ArmId, seen: Seen) -> GlobalReach:
    a, b = (
        peering.parent if (peering := id_in(seen, f"properties.{end}")) is not None else None
        for end in ("expressRouteCircuitPeering", "peerExpressRouteCircuitPeering")
    )
    if a is None or b is None or a not in notes.circuits:
        raise Unsaid("it joins circuits that are not written here")
    derived = fit(_NAMING.global_reach.format(circuit=a.name, peer=b.name))
    return made(
        GlobalReach,
        a=notes.circuits[a],
        b=circuit_of(notes, b, frozenset({a})),
        name=None if identity.name == derived else identity.name,
        **said(GlobalReach, seen, shape_of(model_of(identity))),
    )
