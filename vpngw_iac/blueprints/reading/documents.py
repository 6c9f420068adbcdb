"""What was observed, as reading needs it: every document by its id, children too, and what of it may be ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import field
from typing import Any, TypeVar

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of
from vpngw_iac.resources.shape import Shape, shape_of

Seen = Mapping[str, Any]
"""An observed document."""

N = "Microsoft.Network/"
GATEWAYS, CONNECTIONS, LOCAL = f"{N}virtualNetworkGateways", f"{N}connections", f"{N}localNetworkGateways"
NETWORKS, ADDRESSES, CIRCUITS, TABLES = (
    f"{N}virtualNetworks",
    f"{N}publicIPAddresses",
    f"{N}expressRouteCircuits",
    f"{N}routeTables",
)
REACHES = f"{CIRCUITS}/peerings/connections"
SUBNETS, PEERINGS, NAT_RULES = f"{NETWORKS}/subnets", f"{NETWORKS}/virtualNetworkPeerings", f"{GATEWAYS}/natRules"
ROLES = "Microsoft.Authorization/roleAssignments"
LOCKS, DIAGNOSTICS = "Microsoft.Authorization/locks", "Microsoft.Insights/diagnosticSettings"
ASSIGNMENTS, WINDOWS = (
    "Microsoft.Maintenance/configurationAssignments",
    "Microsoft.Maintenance/maintenanceConfigurations",
)


@dataclass(frozen=True, slots=True)
class Documents:
    """Documents by id, whatever their casing. A child that its parent shows is there by itself too."""

    by_id: Mapping[ArmId, Seen]
    groups: frozenset[ArmId]
    """Groups that were named, or hold a gateway that was: networks, gateways and circuits elsewhere are only used."""
    subscription: str
    """The run's: what lives there does not say so."""
    gateways: frozenset[ArmId] | None = None
    """Gateways that were named; None if whole groups were."""
    left: Mapping[ArmId, str] = field(default_factory=dict)
    """What must be left alone, each with the reason."""
    scope: frozenset[ArmId] = frozenset()
    """What must be accounted for; everything that is written is."""
    vault: str = ""
    """Where keys are to be kept; variables of the environment if none."""
    unread: Mapping[ArmId, str] = field(default_factory=dict)
    """What could not be read, each with the reason."""
    gone: frozenset[ArmId] = frozenset()
    """What Azure is deleting: nothing is made of it, and nothing that refers to it can be said."""
    apart: frozenset[ArmId] = frozenset()
    """Connections that must not be read together with others, as one pair or one site."""
    names: Mapping[ArmId, str] = field(default_factory=dict)
    """Names that were chosen for sites, pairs and circuit links, by the id of a connection."""
    _by_type: Mapping[str, list[ArmId]] = field(init=False, repr=False, compare=False)
    """Sorted ids of each type, in lower case; reading asks once for each connection."""
    _by_holder: Mapping[ArmId | None, list[ArmId]] = field(init=False, repr=False, compare=False)
    _by_start: Mapping[ArmId | None, list[ArmId]] = field(init=False, repr=False, compare=False)
    """Connections by the gateway that they start at."""
    _users: Counter[ArmId | None] = field(init=False, repr=False, compare=False)
    """How many connections use each local network gateway."""

    def __post_init__(self) -> None:
        """Sort the ids once."""
        ids = sorted(self.by_id)
        object.__setattr__(self, "_by_type", _grouped(ids, lambda identity: identity.type.lower()))
        object.__setattr__(self, "_by_holder", _grouped(ids, lambda identity: identity.parent))
        connections = self._of(CONNECTIONS)

        def end(name: str) -> Callable[[ArmId], ArmId | None]:
            return lambda identity: id_in(self.by_id[identity], f"properties.{name}")

        object.__setattr__(self, "_by_start", _grouped(connections, end("virtualNetworkGateway1")))
        object.__setattr__(self, "_users", Counter(map(end("localNetworkGateway2"), connections)))

    def _of(self, arm_type: str) -> list[ArmId]:
        return self._by_type.get(arm_type.lower(), [])

    @classmethod
    def of(cls, documents: Iterable[Seen], **more: Any) -> Documents:
        """From documents as GET and LIST answer them."""
        found: dict[ArmId, Seen] = {}
        for document in documents:
            identity = ArmId.of(document.get("id"))
            if identity is not None:
                found[identity] = document
                for child in _children(document, shape_of(model_of(identity))):
                    if (inner := ArmId.of(child.get("id"))) is not None:
                        found.setdefault(inner, child)
        gone = frozenset(identity for identity, document in found.items() if _is_being_deleted(document))
        kept = {i: d for i, d in found.items() if not gone & {i, *_holders(i)}} if gone else found
        return cls(kept, gone=gone, **more)

    def get(self, resource_id: ArmId | None) -> Seen | None:
        """A document, if it was read and need not be left alone."""
        if resource_id is None or resource_id in self.left:
            return None
        return self.by_id.get(resource_id)

    def of_type(self, arm_type: str) -> Iterator[tuple[ArmId, Seen]]:
        """Everything of a type that need not be left alone, in the order of ids."""
        yield from ((i, self.by_id[i]) for i in self._of(arm_type) if i not in self.left)

    def below(self, holder: ArmId, arm_type: str) -> Iterator[tuple[ArmId, Seen]]:
        """The children of a resource, and what hangs on it."""
        for identity in self._by_holder.get(holder, ()):
            if identity.type.lower() == arm_type.lower() and identity not in self.left:
                yield identity, self.by_id[identity]

    def starting_at(self, gateway: ArmId) -> Iterator[tuple[ArmId, Seen]]:
        """The connections that start at a gateway."""
        yield from ((i, self.by_id[i]) for i in self._by_start.get(gateway, ()) if i not in self.left)

    def is_home(self, resource_id: ArmId) -> bool:
        """Whether something may be managed whole: it was read and lies in a named group."""
        return self.get(resource_id) is not None and self.is_in_named_group(resource_id)

    def is_in_named_group(self, resource_id: ArmId) -> bool:
        """Whether it lies in a group that was named."""
        return resource_id.group is not None and resource_id.resource_group in self.groups

    def wanted_gateways(self) -> Iterator[tuple[ArmId, Seen]]:
        """The gateways that are asked for."""
        for identity in self._of(GATEWAYS):
            if identity in self.gateways if self.gateways is not None else self.is_in_named_group(identity):
                yield identity, self.by_id[identity]

    def users_of(self, local_gateway: ArmId) -> int:
        """How many connections use a local network gateway."""
        return self._users[local_gateway]

    def is_gateway_of(self, resource_id: ArmId, kind: str) -> bool:
        """Whether a document is a gateway of a kind (``Vpn``, ``ExpressRoute``)."""
        return str(value_at(self.by_id.get(resource_id), "properties.gatewayType")).lower() == kind.lower()


def _is_being_deleted(document: Seen) -> bool:
    return str(value_at(document, "properties.provisioningState")).lower() == "deleting"


def _holders(identity: ArmId) -> Iterator[ArmId]:
    """What holds a resource, and what holds that."""
    while (parent := identity.parent) is not None:
        yield parent
        identity = parent


K = TypeVar("K")


def _grouped(ids: Iterable[ArmId], key: Callable[[ArmId], K]) -> dict[K, list[ArmId]]:
    found: dict[K, list[ArmId]] = {}
    for identity in ids:
        found.setdefault(key(identity), []).append(identity)
    return found


def _children(document: Seen, shape: Shape) -> Iterator[Seen]:
    """Child resources inside a document, and theirs."""
    properties = document.get("properties")
    if not isinstance(properties, Mapping):
        return
    for name, value in properties.items():
        arm_type = shape.at("properties").at(name).children
        for child in objects(value) if arm_type else ():
            yield child
            if (identity := ArmId.of(child.get("id"))) is not None:
                yield from _children(child, shape_of(model_of(identity)))


def id_in(document: Any, path: str) -> ArmId | None:
    """The id that a document refers to at a path."""
    found = value_at(document, path)
    return ArmId.of(found.get("id") if isinstance(found, Mapping) else found)


def network_id(gateway: Seen | None) -> ArmId | None:
    """The network that a gateway stands in."""
    subnets = (id_in(item, "properties.subnet") for item in objects(value_at(gateway, "properties.ipConfigurations")))
    return next((home for subnet in subnets if subnet is not None and (home := subnet.parent) is not None), None)


def region_of(document: Seen) -> str:
    """Where it is: ``westeurope``, also where Azure answers ``West Europe``."""
    return str(document.get("location") or "").replace(" ", "").lower()


def same_name(one: str | None, two: str | None) -> bool:
    """Names of groups and subscriptions have no case."""
    return (one or "").lower() == (two or "").lower()


def is_group(resource_id: ArmId) -> bool:
    """Whether an id is a resource group's."""
    return resource_id.type == RESOURCE_GROUP_TYPE
