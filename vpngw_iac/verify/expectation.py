"""What must be so once a blueprint is applied: paths of sites, sessions, prefixes, policies, circuits, clients."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, Literal

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.preflight.prefixes import is_apipa
from vpngw_iac.resources.connection import Connection
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.virtual_network_gateway import VirtualNetworkGateway
from vpngw_iac.resources.virtual_network_peering import VirtualNetworkPeering
from vpngw_iac.resources.wire import Output

SubjectKind = Literal["site", "pair", "circuit", "clients"]

GATEWAY_TYPE = VirtualNetworkGateway.arm_type.lower()
PRIVATE_PEERING = "AzurePrivatePeering"
_CONFIGURATION = re.compile(r"/ipConfigurations/([^\]/]+)\]", re.IGNORECASE)
_LOCAL_GATEWAY = "properties.localNetworkGateway2.id"


@dataclass(frozen=True, slots=True)
class IpsecExpectation:
    """A declared policy, in the words of the blueprint."""

    ike_encryption: str
    ike_integrity: str
    dh_group: str
    ipsec_encryption: str
    ipsec_integrity: str
    pfs_group: str

    def is_same(self, other: IpsecExpectation | None) -> bool:
        """Whether another policy says the same, in whatever casing."""
        return other is not None and all(
            getattr(self, name).lower() == getattr(other, name).lower() for name in self.__slots__
        )


@dataclass(frozen=True, slots=True)
class PathExpectation:
    """One connection: a link of a site, a direction of a pair, a link to a circuit."""

    address: str
    connection: ArmId
    gateway: ArmId
    bound: bool = False
    """The device is built to one instance of the gateway: one tunnel is enough."""
    bgp: bool = False
    neighbours: tuple[str, ...] = ()
    """BGP addresses of the other side; empty where only Azure knows them."""
    neighbour_of: ArmId | None = None
    """Whose document tells them then: another gateway, or a local network gateway that is only used."""
    far_gateway: ArmId | None = None
    """The gateway at the other end of a pair, whose maintenance interrupts it too."""
    far_instance: str = ""
    """Name of that gateway's ipConfiguration, if one instance is meant."""
    prefixes: tuple[str, ...] = ()
    """What is written for the other side, and carried without BGP."""
    policy: IpsecExpectation | None = None
    """None under Azure's default policy."""
    ikev1: bool = False
    selectors: tuple[tuple[str, str], ...] | None = None
    """Pairs of a policy-based tunnel, ours and theirs; None where the tunnel carries anything."""
    translated: bool = False
    """NAT changes what the other side is told."""

    @property
    def gateways(self) -> tuple[ArmId, ...]:
        """Those of Azure that carry it: ours, and that of the other end."""
        return (self.gateway,) if self.far_gateway is None else (self.gateway, self.far_gateway)

    @property
    def one_session(self) -> bool:
        """Whether one BGP session is all there can be: a link-local neighbour speaks with one instance only."""
        return self.bound or any(is_apipa(ipaddress.ip_address(one)) for one in self.neighbours)


@dataclass(frozen=True, slots=True)
class CircuitExpectation:
    """A circuit at the end of a link."""

    circuit: ArmId
    peering: ArmId


@dataclass(frozen=True, slots=True)
class SubjectExpectation:
    """A site, a pair, a circuit, or the clients of a gateway: what people know by a name."""

    name: str
    kind: SubjectKind
    paths: tuple[PathExpectation, ...] = ()
    live: bool = True
    expects: tuple[str, ...] = ()
    backup_of_circuit: bool = False
    """A circuit is preferred while it is up."""
    circuit: CircuitExpectation | None = None
    gateway: ArmId | None = None
    """Of clients: who serves them."""
    pool: tuple[str, ...] = ()

    @property
    def key(self) -> str:
        """What tells it apart: a site and a circuit link may bear one name."""
        return f"{self.kind} {self.name}"

    @property
    def carriers(self) -> tuple[ArmId, ...]:
        """Whose health in Azure matters when it is not up: gateways, or the circuit."""
        if self.circuit is not None:
            return (self.circuit.circuit,)
        return tuple(dict.fromkeys(one for path in self.paths for one in path.gateways))


@dataclass(frozen=True, slots=True)
class Expectations:
    """Everything that a deployment leads to expect."""

    subjects: tuple[SubjectExpectation, ...]
    networks: Mapping[ArmId, tuple[str, ...]]
    """What a gateway tells its BGP neighbours: prefixes of its network, and of those that use it by transit."""

    @property
    def paths(self) -> Iterator[PathExpectation]:
        """Every path of every subject."""
        for subject in self.subjects:
            yield from subject.paths

    def named(self, names: Iterable[str]) -> Expectations:
        """Only the subjects of these names."""
        wanted = {name.lower() for name in names}
        return Expectations(tuple(one for one in self.subjects if one.name.lower() in wanted), self.networks)


def expectations_of(graph: Graph) -> Expectations:
    """What compiled resources lead to expect, sorted by kind and name."""
    connections = [one for one in graph.resources.values() if isinstance(one, Connection)]
    found: list[SubjectExpectation] = []
    circuits = {_name(one) for one in connections if _type(one) == "expressroute"}
    names = {one.name for one in (*graph.by_id, *graph.existing) if one.type.lower() == GATEWAY_TYPE}
    by_subject: dict[tuple[SubjectKind, str], list[Connection]] = {}
    for connection in connections:
        by_subject.setdefault((_kind(connection, names), _name(connection)), []).append(connection)
    for (kind, name), together in by_subject.items():
        found.append(_subject(kind, name, together, circuits, graph))
    found += _clients(graph)
    order = ("site", "pair", "circuit", "clients")
    found.sort(key=lambda one: (order.index(one.kind), one.name))
    gateways = {ArmId(_at(one, "properties.virtualNetworkGateway1.id")) for one in connections}
    return Expectations(tuple(found), {gateway: _networks(gateway, graph) for gateway in sorted(gateways)})


def _subject(
    kind: SubjectKind, name: str, together: list[Connection], circuits: set[str], graph: Graph
) -> SubjectExpectation:
    if kind == "circuit":
        circuit = ArmId(_at(together[0], "properties.peer.id"))
        end = CircuitExpectation(circuit, circuit.child("peerings", PRIVATE_PEERING))
        return SubjectExpectation(name, kind, tuple(_path(one, graph) for one in together), circuit=end)
    return SubjectExpectation(
        name,
        kind,
        tuple(_path(one, graph) for one in together),
        live=all(one.live for one in together),
        expects=tuple(dict.fromkeys(prefix for one in together for prefix in one.expects)),
        backup_of_circuit=any(one.backup_of in circuits for one in together),
    )


def _path(connection: Connection, graph: Graph) -> PathExpectation:
    body = connection.body()
    site = _document(ArmId.of(value_at(body, _LOCAL_GATEWAY)), graph)
    neighbour = value_at(site, "properties.bgpSettings.bgpPeeringAddress")
    far = _far(connection, neighbour)
    prefixes = value_at(site, "properties.localNetworkAddressSpace.addressPrefixes") or ()
    gateway = ArmId(_at(connection, "properties.virtualNetworkGateway1.id"))
    rules = [
        *(value_at(body, "properties.ingressNatRules") or ()),
        *(value_at(body, "properties.egressNatRules") or ()),
    ]
    return PathExpectation(
        connection.address,
        connection.id,
        gateway,
        bound=connection.instance is not None,
        bgp=bool(value_at(body, "properties.enableBgp")),
        neighbours=(neighbour,) if isinstance(neighbour, str) else (),
        neighbour_of=far,
        far_gateway=ArmId.of(value_at(body, "properties.virtualNetworkGateway2.id")),
        far_instance=_instance_in(neighbour),
        prefixes=tuple(str(prefix) for prefix in prefixes),
        policy=policy_in(body),
        ikev1=value_at(body, "properties.connectionProtocol") == "IKEv1",
        selectors=_selectors(body, gateway, tuple(map(str, prefixes)), graph),
        translated=bool(rules),
    )


def _far(connection: Connection, neighbour: object) -> ArmId | None:
    """What tells the BGP address of the other side, where the blueprint does not."""
    if isinstance(neighbour, str):
        return None
    if isinstance(neighbour, Output):
        return neighbour.source
    ends = ("virtualNetworkGateway2", "localNetworkGateway2")
    found = (ArmId.of(value_at(connection.body(), f"properties.{end}.id")) for end in ends)
    return next((one for one in found if one is not None), None)


def _instance_in(neighbour: object) -> str:
    """The ipConfiguration that an output looks into."""
    named = _CONFIGURATION.search(neighbour.path) if isinstance(neighbour, Output) else None
    return named[1] if named else ""


def _selectors(
    body: Mapping[str, Any], gateway: ArmId, theirs: tuple[str, ...], graph: Graph
) -> tuple[tuple[str, str], ...] | None:
    """Pairs of a policy-based tunnel: the custom ones, else every prefix of the network with every one of the site."""
    if not value_at(body, "properties.usePolicyBasedTrafficSelectors"):
        return None
    said = [
        (ours, yours)
        for policy in objects(value_at(body, "properties.trafficSelectorPolicies"))
        for ours in policy.get("localAddressRanges") or ()
        for yours in policy.get("remoteAddressRanges") or ()
    ]
    return tuple(said or [(ours, yours) for ours in _networks(gateway, graph) for yours in theirs])


def policy_in(body: Mapping[str, Any]) -> IpsecExpectation | None:
    """The policy of a connection's document; None where it is Azure's default."""
    said = next(iter(objects(value_at(body, "properties.ipsecPolicies"))), None)
    if said is None:
        return None
    names = ("ikeEncryption", "ikeIntegrity", "dhGroup", "ipsecEncryption", "ipsecIntegrity", "pfsGroup")
    return IpsecExpectation(*(str(said.get(name)) for name in names))


def pool_in(body: Mapping[str, Any]) -> tuple[str, ...]:
    """Prefixes that a gateway's document has for clients."""
    found = value_at(body, "properties.vpnClientConfiguration.vpnClientAddressPool.addressPrefixes")
    return tuple(map(str, found or ()))


def _clients(graph: Graph) -> Iterator[SubjectExpectation]:
    for gateway in graph.resources.values():
        pool = pool_in(gateway.body())
        if isinstance(gateway, VirtualNetworkGateway) and pool:
            name = f"clients of {gateway.id.name}"
            yield SubjectExpectation(name, "clients", gateway=gateway.id, pool=pool)


def _networks(gateway: ArmId, graph: Graph) -> tuple[str, ...]:
    """Prefixes of the gateway's network, and of the networks that use it; nothing where a fact is not given."""
    configurations = objects(value_at(_document(gateway, graph), "properties.ipConfigurations"))
    subnets = (ArmId.of(value_at(one, "properties.subnet.id")) for one in configurations)
    home = next((subnet.parent for subnet in subnets if subnet is not None), None)
    if home is None:
        return ()
    found = list(_space(home, graph))
    for peering in graph.resources.values():
        if not isinstance(peering, VirtualNetworkPeering) or peering.id.parent is None:
            continue
        remote = ArmId.of(_at(peering, "properties.remoteVirtualNetwork.id"))
        if remote == home and value_at(peering.body(), "properties.useRemoteGateways"):
            found += _space(peering.id.parent, graph)
    return tuple(dict.fromkeys(found))


def _space(network: ArmId, graph: Graph) -> tuple[str, ...]:
    found = value_at(_document(network, graph), "properties.addressSpace.addressPrefixes")
    return tuple(map(str, found or ()))


def _document(resource: ArmId | None, graph: Graph) -> Mapping[str, Any]:
    """What is declared, or said of what is only used."""
    if resource is None:
        return {}
    if (declared := graph.by_id.get(resource)) is not None:
        return declared.body()
    known = graph.existing.get(resource)
    found: dict[str, Any] = {}
    for path, value in (known.facts if known is not None else {}).items():
        place = found
        *outer, last = path.split(".")
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    return found


def _at(resource: Any, path: str) -> str:
    return str(value_at(resource.body(), path))


def _type(connection: Connection) -> str:
    return connection.properties.connection_type.lower()


def _kind(connection: Connection, gateways: Set[str]) -> SubjectKind:
    """A pair over IPsec has a local network gateway too, and the name of the far gateway."""
    if _type(connection) == "expressroute":
        return "circuit"
    return "pair" if _type(connection) == "vnet2vnet" or _name(connection) in gateways else "site"


def _name(connection: Connection) -> str:
    return connection.affected[0] if connection.affected else connection.id.name
