"""Networks with their subnets and route tables."""

from __future__ import annotations

from typing import Any, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.contribution import Network
from vpngw_iac.blueprints.network import (
    GatewaySubnet,
    RouteTable,
    Subnet,
    SubnetSettings,
    VirtualNetwork,
)
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.documents import PEERINGS, SUBNETS, Seen, id_in, region_of, same_name
from vpngw_iac.blueprints.reading.notes import Notes, label_of, tags_of
from vpngw_iac.blueprints.reading.plain import Unsaid, made, said, used
from vpngw_iac.blueprints.reading.tags import rewritten
from vpngw_iac.paths import value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import shape_of

B = TypeVar("B", bound=Blueprint)


def network_of(notes: Notes, identity: ArmId) -> Network:
    """A network, each once: ours if it lies in a named group, else only used."""
    if identity not in notes.networks:
        notes.networks[identity] = _network(notes, identity)
    return notes.networks[identity]


def _network(notes: Notes, identity: ArmId) -> Network:
    seen = notes.documents.get(identity)
    why = notes.documents.left.get(identity, "it lies outside of what was named")
    if seen is not None and notes.documents.is_home(identity):
        try:
            return _ours(notes, identity, seen)
        except Unsaid as error:
            why = str(error)
    notes.use(identity, why)
    facts = notes.documents.by_id.get(identity) or {}
    space = value_at(facts, "properties.addressSpace.addressPrefixes")
    return used(
        VirtualNetwork.existing,
        identity,
        location=facts.get("location"),
        address_space=space or None,
        label=label_of(notes.networks, identity),
    )


def _ours(notes: Notes, identity: ArmId, seen: Seen) -> VirtualNetwork:
    with notes.attempt():
        subnets, gateway_subnet = _subnets(notes, identity, seen)
        network = made(
            VirtualNetwork,
            name=identity.name,
            resource_group=identity.group,
            subscription=subscription_of(notes, identity),
            label=label_of(notes.networks, identity),
            gateway_subnet=gateway_subnet,
            subnets=tuple(subnets),
            encryption=_encryption(seen),
            tags=tags_of(seen),
            **said(VirtualNetwork, seen, shape_of(model_of(identity))),
        )
    notes.manage(identity)
    return network


def with_known_peerings(blueprint: B, notes: Notes) -> B:
    """The blueprint, where each network of ours knows the peerings on it that were left alone."""
    left = [account.id for account in notes.accounts.values() if account.fate == "left"]
    names: list[tuple[VirtualNetwork, tuple[str, ...]]] = []
    for identity, network in notes.networks.items():
        peerings = sorted(i.name for i in left if i.parent == identity and i.type.lower() == PEERINGS.lower())
        if peerings and isinstance(network, VirtualNetwork):
            names.append((network, tuple(peerings)))

    def told(part: Part) -> Part:
        known = next((found for network, found in names if network == part), None)
        return part.model_copy(update={"expected": known}) if known else part

    return rewritten(blueprint, told) if names else blueprint


def _encryption(seen: Seen) -> str | None:
    """Whether machines that cannot encrypt are let through, where encryption is on."""
    if not value_at(seen, "properties.encryption.enabled"):
        return None
    drops = str(value_at(seen, "properties.encryption.enforcement")).lower() == "dropunencrypted"
    return "drop-unencrypted" if drops else "allow-unencrypted"


def subscription_of(notes: Notes, identity: ArmId) -> str | None:
    """Said only where it is not the run's."""
    return None if same_name(identity.subscription, notes.documents.subscription) else identity.subscription


def _subnets(notes: Notes, network: ArmId, seen: Seen) -> tuple[list[Subnet], Any]:
    """The ordinary subnets in the order of their names, and the GatewaySubnet as its field takes it."""
    found: list[Subnet] = []
    gateway: Any = None
    for identity, shown in notes.documents.below(network, SUBNETS):
        try:
            subnet = _subnet(notes, network, seen, identity, shown)
        except Unsaid as error:
            notes.leave(identity, str(error))
            continue
        notes.manage(identity)
        if subnet.is_gateway_subnet:
            gateway = _gateway_subnet(subnet)
        else:
            found.append(subnet)
    return found, gateway


def _gateway_subnet(subnet: Subnet) -> Any:
    settings = {name: getattr(subnet, name) for name in SubnetSettings.model_fields}
    settings = {name: value for name, value in settings.items() if value not in (None, ())}
    return made(GatewaySubnet, prefix=subnet.prefixes, **settings) if settings else subnet.prefixes


def _subnet(notes: Notes, network: ArmId, seen: Seen, identity: ArmId, shown: Seen) -> Subnet:
    one, several = (value_at(shown, f"properties.{name}") for name in ("addressPrefix", "addressPrefixes"))
    prefixes = tuple(several or ([one] if one else ()))
    if not prefixes:
        raise Unsaid("its addresses come from a pool")
    table = id_in(shown, "properties.routeTable")
    return made(
        Subnet,
        name=identity.name,
        prefixes=prefixes,
        route_table=_table(notes, table, network, seen) if table else None,
        **said(Subnet, shown, shape_of(model_of(identity))),
    )


def _table(notes: Notes, identity: ArmId, network: ArmId, seen: Seen) -> RouteTable | ArmId:
    """A route table that is ours, or the id of one that is only used."""
    if identity in notes.tables:
        return notes.tables[identity]
    document = notes.documents.get(identity)
    why = notes.documents.left.get(identity, "it lies outside of what was named")
    near = same_name(identity.subscription, network.subscription)
    if document is not None and notes.documents.is_home(identity) and near:
        try:
            notes.tables[identity] = made(
                RouteTable,
                name=identity.name,
                resource_group=None if same_name(identity.group, network.group) else identity.group,
                tags=tags_of(document),
                **said(RouteTable, document, shape_of(model_of(identity))),
                **({} if region_of(document) == region_of(seen) else {"location": document.get("location")}),
            )
        except Unsaid as error:
            why = str(error)
        else:
            notes.manage(identity)
            return notes.tables[identity]
    notes.use(identity, why)
    return identity
