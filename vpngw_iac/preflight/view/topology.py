"""All resources of one file as one network: who stands where, who talks to whom, what that leaves to say.

An indexed, read-only view. Rules ask it; it decides nothing. An answer None means "not known here", never "no".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from functools import cached_property
from typing import Any, TypeVar, cast

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.preflight.view.connection import Connection, LocalGateway, NatRule
from vpngw_iac.preflight.view.gateway import Gateway
from vpngw_iac.preflight.view.network import Circuit, Network, Peering
from vpngw_iac.preflight.view.resource_view import ResourceView, arm_id, resource_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.secret import SecretReference

NETWORK = "microsoft.network/virtualnetworks"
SUBNET = "microsoft.network/virtualnetworks/subnets"
PEERING = "microsoft.network/virtualnetworks/virtualnetworkpeerings"
GATEWAY = "microsoft.network/virtualnetworkgateways"
NAT_RULE = "microsoft.network/virtualnetworkgateways/natrules"
CONNECTION = "microsoft.network/connections"
LOCAL_GATEWAY = "microsoft.network/localnetworkgateways"
PUBLIC_IP = "microsoft.network/publicipaddresses"
CIRCUIT = "microsoft.network/expressroutecircuits"
CIRCUIT_PEERING = "microsoft.network/expressroutecircuits/peerings"

_INLINE = {
    NETWORK: (("properties.subnets", "subnets"), ("properties.virtualNetworkPeerings", "virtualNetworkPeerings")),
    GATEWAY: (("properties.natRules", "natRules"),),
    CIRCUIT: (("properties.peerings", "peerings"),),
}
"""Children that Azure shows inside their parent: other people's are judged from there."""

Reveal = Callable[[SecretReference], str | None]
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class TopologyView:
    """Everything that a file declares or uses, by ARM id, with views that answer in a network engineer's words."""

    resources: Mapping[ArmId, ResourceView]
    profile: str | None = None
    reveal: Reveal | None = None
    """Resolves a secret that is at hand offline; its value never leaves a rule."""
    backups: Mapping[str, str] = field(default_factory=dict)
    """Sites that are the failover path of another: name to name."""
    gateway_networks: Mapping[ArmId, ArmId] = field(default_factory=dict)
    """Networks of existing gateways, as a blueprint says: gateway to network."""
    deleted: tuple[ResourceView, ...] = ()
    """What this plan deletes, as Azure shows it: no part of the network that it leads to."""
    _memo: dict[object, Any] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        items: Iterable[Resource | Existing],
        *,
        observed: Mapping[ArmId, Any] | None = None,
        profile: str | None = None,
        reveal: Reveal | None = None,
        backups: Mapping[str, str] | None = None,
        gateway_networks: Mapping[ArmId, ArmId] | None = None,
        deleted: Mapping[ArmId, str] | None = None,
    ) -> TopologyView:
        """Index the resources; what `observed` shows beyond them (children, route tables, connections) is foreign."""
        seen = {found: document for found, value in (observed or {}).items() if (document := _document(value))}
        # What one deployment of a file manages and another uses is known from the one that manages it.
        ordered = sorted(items, key=lambda item: isinstance(item, Resource))
        resources = {item.id: resource_of(item, seen.get(item.id)) for item in ordered}
        going = deleted or {}
        gone = tuple(
            ResourceView(address, found, {}, is_managed=False, seen=seen[found])
            for found, address in sorted(going.items(), key=lambda item: item[1])
            if found in seen
        )
        for found, document in seen.items():
            if found not in going:
                resources.setdefault(found, _foreign(found, document))
        for resource in tuple(resources.values()):
            for child in _children(resource):
                if child.id not in going:
                    resources.setdefault(child.id, child)
        listed = sorted(resources.values(), key=lambda resource: (resource.address, resource.id.key))
        return cls(
            {resource.id: resource for resource in listed}, profile, reveal, backups or {}, gateway_networks or {}, gone
        )

    def memo(self, key: object, make: Callable[[], T]) -> T:
        """A value that several rules need, made once."""
        if key not in self._memo:
            self._memo[key] = make()
        return cast("T", self._memo[key])

    def _index(self, name: str, pairs: Callable[[], Iterable[tuple[object, T]]]) -> Mapping[object, tuple[T, ...]]:
        """Values by key, grouped once; a value without a key is left out."""

        def make() -> Mapping[object, tuple[T, ...]]:
            found: dict[object, list[T]] = {}
            for key, value in pairs():
                if key is not None:
                    found.setdefault(key, []).append(value)
            return {key: tuple(values) for key, values in found.items()}

        return self.memo(("index", name), make)

    def place_behind(self, place: str) -> str:
        """The site that a site finally stands in for; itself if it is nobody's backup."""
        seen = {place}
        while (other := self.backups.get(place)) is not None and other not in seen:
            seen.add(other)
            place = other
        return place

    def find(self, resource_id: ArmId | None) -> ResourceView | None:
        """The thing with this id."""
        return None if resource_id is None else self.resources.get(resource_id)

    def of_type(self, arm_type: str) -> tuple[ResourceView, ...]:
        """All things of an ARM type, given in lower case."""
        return self._index("type", lambda: ((resource.type, resource) for resource in self.resources.values())).get(
            arm_type, ()
        )

    def children(self, parent: ArmId, arm_type: str) -> tuple[ResourceView, ...]:
        """Things of a child type under a parent."""
        found = self._index(arm_type, lambda: ((resource.id.parent, resource) for resource in self.of_type(arm_type)))
        return found.get(parent, ())

    @cached_property
    def gateways(self) -> tuple[Gateway, ...]:
        """VPN and ExpressRoute gateways, ours and used."""
        return tuple(Gateway(resource, self) for resource in self.of_type(GATEWAY))

    @property
    def vpn_gateways(self) -> tuple[Gateway, ...]:
        """VPN gateways."""
        return tuple(gateway for gateway in self.gateways if gateway.is_vpn)

    @cached_property
    def _gateways(self) -> Mapping[ArmId, Gateway]:
        return {gateway.resource.id: gateway for gateway in self.gateways}

    def gateway(self, resource_id: ArmId | None) -> Gateway | None:
        """The gateway with this id."""
        return None if resource_id is None else self._gateways.get(resource_id)

    @cached_property
    def connections(self) -> tuple[Connection, ...]:
        """Connections of all kinds."""
        return tuple(Connection(resource, self) for resource in self.of_type(CONNECTION))

    def connections_of(self, gateway: ArmId) -> tuple[Connection, ...]:
        """Connections whose first gateway this is."""
        return self._index("from", lambda: ((c.gateway_id, c) for c in self.connections)).get(gateway, ())

    def connections_to(self, local: ArmId) -> tuple[Connection, ...]:
        """Connections that lead to this local network gateway."""
        return self._index("to", lambda: ((c.local_id, c) for c in self.connections)).get(local, ())

    @cached_property
    def locals(self) -> tuple[LocalGateway, ...]:
        """Local network gateways, ours and used."""
        return tuple(LocalGateway(resource, self) for resource in self.of_type(LOCAL_GATEWAY))

    @cached_property
    def _locals(self) -> Mapping[ArmId, LocalGateway]:
        return {local.resource.id: local for local in self.locals}

    def local(self, resource_id: ArmId | None) -> LocalGateway | None:
        """The local network gateway with this id."""
        return None if resource_id is None else self._locals.get(resource_id)

    @cached_property
    def networks(self) -> tuple[Network, ...]:
        """Virtual networks, ours and used."""
        return tuple(self._networks.values())

    @cached_property
    def _networks(self) -> Mapping[ArmId, Network]:
        return {resource.id: Network(resource, self) for resource in self.of_type(NETWORK)}

    def network(self, resource_id: ArmId | None) -> Network | None:
        """The network with this id."""
        return None if resource_id is None else self._networks.get(resource_id)

    def gateways_in(self, network: ArmId) -> tuple[Gateway, ...]:
        """Gateways that stand in a network."""
        return self._index("in", lambda: ((g.network_id, g) for g in self.gateways)).get(network, ())

    def gateway_at(self, public_ip: ArmId) -> ArmId | None:
        """The gateway that holds a public IP."""
        held = self._index("at", lambda: ((i.public_ip, g.resource.id) for g in self.gateways for i in g.instances))
        return next(reversed(held.get(public_ip, ())), None)

    @cached_property
    def peerings(self) -> tuple[Peering, ...]:
        """Both sides of every peering that is declared or was read."""
        return tuple(Peering(resource, self) for resource in self.of_type(PEERING))

    def peerings_of(self, network: ArmId) -> tuple[Peering, ...]:
        """The sides of peerings that hang on a network."""
        return self._index("peerings", lambda: ((p.network_id, p) for p in self.peerings)).get(network, ())

    def nat_rules_of(self, gateway: ArmId) -> tuple[NatRule, ...]:
        """NAT rules of a gateway."""
        return tuple(NatRule(resource, self) for resource in self.children(gateway, NAT_RULE))

    @cached_property
    def circuits(self) -> tuple[Circuit, ...]:
        """ExpressRoute circuits, ours and used."""
        return tuple(Circuit(resource, self) for resource in self.of_type(CIRCUIT))


def _document(value: Any) -> Mapping[str, Any] | None:
    """The document of an observed value, given as a document or as something that carries one."""
    document = value if isinstance(value, Mapping) else getattr(value, "document", None)
    return document if isinstance(document, Mapping) else None


def _foreign(resource_id: ArmId, document: Mapping[str, Any]) -> ResourceView:
    kind = resource_id.type.rpartition("/")[2]
    return ResourceView(f"{kind}/{resource_id.name}", resource_id, {}, is_managed=False, seen=document)


def _children(parent: ResourceView) -> Iterator[ResourceView]:
    """Children shown inside a parent that Azure answered."""
    for path, segment in _INLINE.get(parent.type, ()) if parent.seen is not None else ():
        shown = ResourceView(parent.address, parent.id, {}, is_managed=False, seen=parent.seen)
        for item in shown.items(path):
            name = item.get("name")
            child = arm_id(item) or (parent.id.child(segment, name) if isinstance(name, str) and name else None)
            if child is not None:
                yield _foreign(child, item)
