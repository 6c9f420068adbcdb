"""Ask Azure what there is around gateways: by lists of whole groups where that is cheaper, reading only."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.azure.attached import attached, in_order, inside
from vpngw_iac.blueprints.reading import documents as kinds
from vpngw_iac.blueprints.reading.documents import Seen, id_in, network_id
from vpngw_iac.engine.compare.observing import read_existing
from vpngw_iac.engine.ports import Attached, Cloud, CloudIdentity, Listing, Observed
from vpngw_iac.errors import CloudError, Forbidden, OtherTenant
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources import model_of, type_of
from vpngw_iac.resources.shape import shape_of

_LISTED = (
    kinds.GATEWAYS,
    kinds.CONNECTIONS,
    kinds.LOCAL,
    kinds.ADDRESSES,
    kinds.NETWORKS,
    kinds.CIRCUITS,
    kinds.TABLES,
    kinds.WINDOWS,
)
"""Types that are listed in a group that has any."""


@dataclass(slots=True)
class Survey:
    """What was read, by id; what else the groups hold; what could not be read, and why."""

    observed: dict[ArmId, Observed] = field(default_factory=dict)
    foreign: dict[ArmId, Seen] = field(default_factory=dict)
    """Resources of types that vpngw does not manage, as a list of resources shows them."""
    unread: dict[ArmId, str] = field(default_factory=dict)
    at_gateways: dict[ArmId, tuple[Seen, ...]] = field(default_factory=dict)
    """What ``listConnections`` of each gateway shows: ids from any group."""
    groups: frozenset[ArmId] = frozenset()
    beside: dict[ArmId, Observed] = field(default_factory=dict)
    """What a list of the whole subscription showed of other groups: it need not be asked for."""

    def documents(self) -> dict[ArmId, Seen]:
        """Every document, and the stubs of what is foreign or could not be read by itself."""
        seen = {i: each.document for i, each in self.observed.items() if each.document is not None}
        shown = {i: item for items in self.at_gateways.values() for item in items if (i := ArmId.of(item.get("id")))}
        unread = {identity: item for identity, item in shown.items() if identity in self.unread}
        return {**self.foreign, **unread, **seen}

    def note(self, found: Iterable[Observed]) -> None:
        """Keep what was read; of two answers the whole document is kept."""
        for each in found:
            if each.unread:
                self.unread[each.id] = each.unread
            elif each.document is not None:
                self.observed[each.id] = each

    def note_inside(self, found: Iterable[Observed]) -> None:
        """Keep what lies in the groups; of the rest remember what can be asked for later."""
        every = list(found)
        self.note(each for each in every if _home(each.id) in self.groups)
        self.beside |= {each.id: each for each in every if _home(each.id) not in self.groups}


_BY_GROUP = (kinds.GATEWAYS, kinds.CONNECTIONS, kinds.LOCAL)
"""Types that Azure lists by group, and not for a whole subscription (operations of azure-mgmt-network)."""


def survey(cloud: Cloud, groups: Collection[ArmId], gateways: Collection[ArmId] | None) -> Survey:
    """Everything in these groups, and what hangs on the gateways in them, in whatever group or subscription.

    `gateways` limits what is looked around to these. Raises `Forbidden` where a group itself may not be listed.
    """
    found = Survey(groups=frozenset(groups))
    _list_groups(cloud, found, sorted(groups))
    _look_around(cloud, found, gateways)
    return found


def survey_of_subscription(cloud: Cloud, subscription: ArmId) -> Survey:
    """The same for each group that holds a gateway or a circuit, by lists of the whole subscription where there are.

    Gateways, connections and local network gateways are listed by group alone. Without any such group the survey is
    empty. Raises `Forbidden` where the subscription itself may not be listed.
    """
    whole = Listing(subscription)
    every = cloud.listed([whole])[whole]
    kinds_of = {item.id.type.lower() for item in every}
    homes = (kinds.GATEWAYS.lower(), kinds.CIRCUITS.lower())
    found = Survey(groups=frozenset(item.id.resource_group for item in every if item.id.type.lower() in homes))
    if not found.groups:
        return found
    inside = [item for item in every if item.id.group is not None and item.id.resource_group in found.groups]
    found.foreign |= {item.id: item.document or {} for item in inside}
    lists = [Listing(subscription, kind) for kind in _LISTED if kind not in _BY_GROUP and kind.lower() in kinds_of]
    lists += [
        Listing(group, kind)
        for group in sorted(found.groups)
        for kind in _BY_GROUP
        if any(item.id.type.lower() == kind.lower() and item.id.resource_group == group for item in inside)
    ]
    for items in cloud.listed([*lists, Listing(subscription, RESOURCE_GROUP_TYPE)]).values():
        found.note_inside(items)
    for kind in (kinds.LOCKS, kinds.ROLES):
        _list_kindly(cloud, found, Listing(subscription, kind))
    _look_around(cloud, found, None)
    return found


def _look_around(cloud: Cloud, found: Survey, gateways: Collection[ArmId] | None) -> None:
    wanted = [i for i in _of_type(found, kinds.GATEWAYS) if gateways is None or i in gateways]
    _list_at_gateways(cloud, found, wanted)
    _read_beyond(cloud, found, set(wanted))


def _list_groups(cloud: Cloud, found: Survey, groups: list[ArmId]) -> None:
    whole = cloud.listed([Listing(group) for group in groups])
    present: dict[ArmId, set[str]] = {group: set() for group in groups}
    for listing, items in whole.items():
        for item in items:
            present[listing.container].add(item.id.type.lower())
            found.foreign[item.id] = item.document or {}
    lists = [Listing(group, kind) for group in groups for kind in _LISTED if kind.lower() in present[group]]
    for items in cloud.listed(lists).values():
        found.note(items)
    found.note(cloud.observe(groups, deep=True).values())
    for group in groups:
        for kind in (kinds.LOCKS, kinds.ROLES):
            _list_kindly(cloud, found, Listing(group, kind))


def _list_at_gateways(cloud: Cloud, found: Survey, gateways: list[ArmId]) -> None:
    """Connections of every group; settings that hang on the gateway."""
    shown = cloud.listed([Listing(gateway, kinds.CONNECTIONS) for gateway in gateways])
    for listing, items in shown.items():
        found.at_gateways[listing.container] = tuple(item.document or {} for item in items)
    circuits = [i for i in _of_type(found, kinds.CIRCUITS) if i.resource_group in found.groups]
    for holder in (*gateways, *circuits):
        _list_kindly(cloud, found, Listing(holder, kinds.DIAGNOSTICS))
    for subscription in sorted({gateway.subscription for gateway in gateways}):
        whole = Listing(ArmId(f"/subscriptions/{subscription}"), kinds.ASSIGNMENTS)
        if not _list_kindly(cloud, found, whole):
            for gateway in gateways:
                _list_kindly(cloud, found, Listing(gateway, kinds.ASSIGNMENTS))


def _list_kindly(cloud: Cloud, found: Survey, listing: Listing) -> bool:
    """A list that may be forbidden: then what it would show is unread, which is told."""
    try:
        found.note_inside(cloud.listed([listing])[listing])
    except (Forbidden, OtherTenant) as error:
        what = listing.arm_type.rpartition("/")[2]
        found.unread[listing.container] = f"its {what} may not be listed ({error.code or 'forbidden'})"
        return False
    return True


def _read_beyond(cloud: Cloud, found: Survey, gateways: set[ArmId]) -> None:
    """What the gateways lead to in other groups, step by step until nothing new is named."""
    asked: set[ArmId] = set()
    while missing := sorted(set(_leads(found, gateways)) - set(found.observed) - asked):
        asked |= set(missing)
        found.note(found.beside[each] for each in missing if each in found.beside)
        found.note(_observed(cloud, [each for each in missing if each not in found.beside]))


def _observed(cloud: Cloud, ids: list[ArmId]) -> Iterable[Observed]:
    """All at once, by LIST where that is cheaper; one by one if something among them may not be read."""
    try:
        return cloud.observe(ids).values()
    except (Forbidden, OtherTenant):
        return [_kindly(cloud, each) for each in ids]


def _kindly(cloud: Cloud, resource_id: ArmId) -> Observed:
    """One GET; what may not be read, or cannot, is unread with the reason."""
    try:
        return read_existing(cloud, resource_id)
    except CloudError as error:
        if error.status and 400 <= error.status < 500:
            return Observed(resource_id, None, unread=error.code or f"HTTP {error.status}")
        raise


def _leads(found: Survey, gateways: set[ArmId]) -> Iterator[ArmId]:
    """Ids of what must be known: connections, their other ends, addresses, networks and windows."""
    documents = found.documents()
    for gateway in gateways:
        for item in objects(value_at(documents.get(gateway) or {}, "properties.ipConfigurations")):
            subnet = id_in(item, "properties.subnet")
            yield from filter(None, (id_in(item, "properties.publicIPAddress"), subnet.parent if subnet else None))
        yield from (i for item in found.at_gateways.get(gateway, ()) if (i := ArmId.of(item.get("id"))) is not None)
    homes = _homes(documents, gateways)
    for identity, document in documents.items():
        yield from _ends(identity, document, gateways, homes)


def _ends(identity: ArmId, document: Seen, gateways: set[ArmId], homes: set[ArmId]) -> Iterator[ArmId]:
    kind = identity.type.lower()
    if kind == kinds.CONNECTIONS.lower():
        ends = ("virtualNetworkGateway1", "virtualNetworkGateway2", "localNetworkGateway2", "peer")
        named = [i for end in ends if (i := id_in(document, f"properties.{end}")) is not None]
        if gateways & set(named):
            yield from named
    elif kind == kinds.ASSIGNMENTS.lower() and identity.parent in gateways:
        yield from filter(None, (id_in(document, "properties.maintenanceConfigurationId"),))
    elif kind == kinds.NETWORKS.lower() and identity in homes:
        for peering in objects(value_at(document, "properties.virtualNetworkPeerings")):
            yield from filter(None, (id_in(peering, "properties.remoteVirtualNetwork"),))


def _homes(documents: Mapping[ArmId, Seen], gateways: set[ArmId]) -> set[ArmId]:
    return {home for gateway in gateways if (home := network_id(documents.get(gateway))) is not None}


def _of_type(found: Survey, arm_type: str) -> list[ArmId]:
    return [i for i in sorted(found.observed) if i.type.lower() == arm_type.lower()]


class OfflineCloud:
    """Stands for a cloud where documents came from files: nothing can be asked, which is told as unread."""

    def __init__(self, identity: CloudIdentity) -> None:
        self.identity = identity

    def read(self, resource_id: ArmId) -> Observed:
        """It is in none of the files."""
        return Observed(resource_id, None, unread="it is in none of the files")

    def attached(self, holders: Collection[ArmId], seen: Any = None) -> tuple[Attached, ...]:
        """Nothing is known beside the files."""
        return ()


def from_files(documents: Mapping[ArmId, Seen]) -> Survey:
    """A survey of documents that were given: all of their groups are in scope."""
    groups = frozenset(i if not i.names else i.resource_group for i in documents if i.group is not None)
    found = Survey(groups=groups)
    for identity, document in documents.items():
        if type_of(identity.type) is None:
            found.foreign[identity] = document
        else:
            found.observed[identity] = Observed(identity, document, "get")
    for identity in documents:
        if identity.type.lower() == kinds.CONNECTIONS.lower():
            for end in ("virtualNetworkGateway1", "virtualNetworkGateway2"):
                if (gateway := id_in(documents[identity], f"properties.{end}")) is not None:
                    found.at_gateways[gateway] = (*found.at_gateways.get(gateway, ()), documents[identity])
    return found


class Recorded:
    """The `Cloud` port over what was read: a plan on the same snapshot. What was never read is asked for."""

    def __init__(self, cloud: Cloud | OfflineCloud, found: Survey, documents: Mapping[ArmId, Seen]) -> None:
        """`documents` are those of the survey with their children."""
        self._cloud, self._found, self._documents = cloud, found, documents
        self.identity: CloudIdentity = cloud.identity
        self.source: Any = "get"
        self.at_rest = False
        """Show what Azure is at work on as if it had ended so: to compare what was read with what was made of it."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cloud, name)

    def observe(self, ids: Collection[ArmId], *, deep: bool = False) -> Mapping[ArmId, Observed]:
        """As recorded; a child that its parent does not show is absent."""
        return {each: self._one(each) for each in ids}

    def read(self, resource_id: ArmId) -> Observed:
        """As recorded."""
        return self._one(resource_id)

    def _one(self, resource_id: ArmId) -> Observed:
        known = self._documents.get(resource_id)
        if known is not None:
            seen = Observed(resource_id, known, self.source)
            return seen if seen.is_terminal or not self.at_rest else _ended(seen)
        if why := self._found.unread.get(resource_id):
            return Observed(resource_id, None, unread=why)
        if self._is_absent(resource_id):
            return Observed(resource_id, None)
        return self._cloud.read(resource_id)

    def _is_absent(self, resource_id: ArmId) -> bool:
        """Whether what was read would show it."""
        parent = resource_id.parent
        if parent is None or not resource_id.names:
            return False
        if not parent.names:
            return parent in self._found.groups and resource_id.type.lower() in {kind.lower() for kind in _LISTED}
        shows = {child.lower() for child in _children_of(parent)}
        return parent in self._documents and resource_id.type.lower() in shows

    def attached(
        self, holders: Collection[ArmId], seen: Mapping[ArmId, Observed] | None = None
    ) -> tuple[Attached, ...]:
        """From the documents of gateways and networks, and what their lists of connections showed."""
        found: list[Attached] = []
        for holder in holders:
            if not holder.names:
                found += self._cloud.attached([holder])
                continue
            found += inside(holder, self._documents.get(holder))
            found += attached(holder, "connection", self._found.at_gateways.get(holder, ()))
        return in_order(found)


def _ended(seen: Observed) -> Observed:
    document = seen.document or {}
    properties = {**(document.get("properties") or {}), "provisioningState": "Succeeded"}
    return replace(seen, document={**document, "properties": properties})


def _home(resource_id: ArmId) -> ArmId | None:
    """The group that it lies in; of a group itself the same. None for what hangs on a subscription."""
    if resource_id.group is None:
        return None
    return resource_id if not resource_id.names else resource_id.resource_group


def _children_of(parent: ArmId) -> Iterator[str]:
    """Types of the children that a resource's own document shows."""
    properties = shape_of(model_of(parent)).at("properties")
    yield from (shape.children for shape in properties.fields.values() if shape.children)
