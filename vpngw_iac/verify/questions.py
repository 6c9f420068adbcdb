"""What can be asked about a tunnel, and what the replies are. Nothing here knows the wire, the SDK or the simulator.

A reply that cannot be had is `Unknown` with the reason: no right, a lock, a busy gateway, an empty answer, an operation
without an end. It is never an error, and never "down".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.verify.expectation import IpsecExpectation

CONNECTED = "Connected"
"""The status of a connection, of a tunnel and of a BGP session that is up."""
_SETTLED = frozenset({"", "succeeded", "failed", "canceled"})
"""States of what no operation is running on; empty where none is told."""


@dataclass(frozen=True, slots=True)
class TunnelQuestion:
    """One question. Those that are asked by POST are asked one at a time of each gateway and circuit."""

    about: ArmId


class AskConnection(TunnelQuestion):
    """Status of a connection and its tunnels: one GET."""


class AskGateway(TunnelQuestion):
    """State of a gateway, its BGP addresses, its clients: one GET."""


class AskNeighbour(TunnelQuestion):
    """BGP address that a local network gateway says: one GET."""


class AskHealth(TunnelQuestion):
    """What Azure itself says of a resource: one GET of resource health."""


class AskLastWrite(TunnelQuestion):
    """How long ago somebody wrote a resource: one GET of the activity log."""


class AskCircuit(TunnelQuestion):
    """What the provider has done: one GET."""


class AskPeering(TunnelQuestion):
    """State of a circuit's peering: one GET."""


class AskSessions(TunnelQuestion):
    """BGP sessions of a gateway: a POST."""


class AskLearned(TunnelQuestion):
    """Routes that a gateway has learned: a POST."""


@dataclass(frozen=True, slots=True)
class AskAssociations(TunnelQuestion):
    """What a connection of a gateway negotiated: a POST."""

    gateway: ArmId


class AskEffectiveRoutes(TunnelQuestion):
    """Effective routes of a network interface: a POST."""


@dataclass(frozen=True, slots=True)
class AskAdvertised(TunnelQuestion):
    """Routes that a gateway tells one neighbour: a POST."""

    neighbour: str = ""


CircuitPath = Literal["primary", "secondary"]


@dataclass(frozen=True, slots=True)
class AskCircuitPath(TunnelQuestion):
    """ARP table and routes of one path of a circuit's peering: two POSTs."""

    path: CircuitPath = "primary"


@dataclass(frozen=True, slots=True)
class Unknown:
    """No reply, and why."""

    reason: str


@dataclass(frozen=True, slots=True)
class TunnelStatus:
    """One tunnel."""

    name: str
    status: str
    """``Connected``, ``Connecting``, ``NotConnected`` or ``Unknown``."""
    established: str = ""
    """When it was last established, as Azure writes it; empty if it never was."""
    incoming: int = 0
    outgoing: int = 0

    @property
    def is_up(self) -> bool:
        """Whether it can carry."""
        return self.status == CONNECTED


@dataclass(frozen=True, slots=True)
class ConnectionStatus:
    """A connection as its GET shows it."""

    present: bool
    state: str = ""
    """``provisioningState``."""
    status: str = ""
    tunnels: tuple[TunnelStatus, ...] = ()
    incoming: int = 0
    outgoing: int = 0
    policy: IpsecExpectation | None = None
    """The policy that Azure has for it; None under its default."""

    @property
    def is_busy(self) -> bool:
        """Whether Azure is at work on it."""
        return self.state.lower() not in _SETTLED


@dataclass(frozen=True, slots=True)
class BgpSession:
    """One session of one instance."""

    local: str
    neighbour: str
    asn: int
    """The number that we configured for the neighbour, whatever it says of itself."""
    state: str
    duration: str = ""
    routes: int = 0

    @property
    def is_up(self) -> bool:
        """Whether routes are exchanged."""
        return self.state == CONNECTED


@dataclass(frozen=True, slots=True)
class Sessions:
    """Every session of a gateway, those between its own instances included."""

    sessions: tuple[BgpSession, ...]


@dataclass(frozen=True, slots=True)
class RouteRow:
    """A route that was learned or is told."""

    prefix: str
    local: str = ""
    peer: str = ""
    origin: str = ""
    path: str = ""


@dataclass(frozen=True, slots=True)
class Routes:
    """Routes of a gateway."""

    rows: tuple[RouteRow, ...]


@dataclass(frozen=True, slots=True)
class ChildAssociation:
    """An IPsec association."""

    encryption: str
    integrity: str
    pfs: str
    age: int
    """Seconds since it was made."""
    local: tuple[str, ...] = ()
    """Traffic selectors: ranges ``10.1.0.0-10.1.255.255``."""
    remote: tuple[str, ...] = ()
    seconds: int = 0
    kilobytes: int = 0


@dataclass(frozen=True, slots=True)
class Association:
    """An IKE association with its children."""

    local: str
    remote: str
    encryption: str
    integrity: str
    dh_group: str
    age: int
    seconds: int = 0
    through_nat: bool = False
    children: tuple[ChildAssociation, ...] = ()


@dataclass(frozen=True, slots=True)
class Associations:
    """What a connection negotiated; empty while it is down."""

    items: tuple[Association, ...]


@dataclass(frozen=True, slots=True)
class Health:
    """What Azure says of a resource."""

    state: str
    """``Available``, ``Unavailable``, ``Degraded`` or ``Unknown``."""
    reason: str = ""
    """``Planned``, ``Unplanned``, ``UserInitiated`` or nothing."""
    summary: str = ""
    resolved: float | None = None
    """Seconds since it recovered; None if nothing is told."""
    checked: float | None = None
    """Seconds since it was last looked at; None if that is not told."""

    def is_since(self, seconds: float) -> bool:
        """Whether it says anything about the time since something was first seen so many seconds ago."""
        return self.checked is not None and self.checked <= seconds


@dataclass(frozen=True, slots=True)
class LastWrite:
    """Seconds since a resource was last written; None if the log of the last day has no such row."""

    ago: float | None
    doubt: str = ""
    """Why a later write may be missing here; empty where nothing speaks for one."""


@dataclass(frozen=True, slots=True)
class GatewayStatus:
    """A gateway as its GET shows it."""

    present: bool
    state: str = ""
    addresses: Mapping[str, tuple[str, ...]] | None = None
    """BGP addresses by the name of the ipConfiguration."""
    pool: tuple[str, ...] = ()
    clients: int | None = None
    """How many are connected; None where that is not told."""

    @property
    def is_busy(self) -> bool:
        """Whether Azure is at work on it."""
        return self.state.lower() not in _SETTLED


@dataclass(frozen=True, slots=True)
class Neighbour:
    """BGP address of a device."""

    address: str


@dataclass(frozen=True, slots=True)
class CircuitStatus:
    """A circuit: what the provider has done."""

    present: bool
    provider: str = ""


@dataclass(frozen=True, slots=True)
class PeeringStatus:
    """A peering of a circuit."""

    present: bool
    state: str = ""


@dataclass(frozen=True, slots=True)
class PathTables:
    """One path of a circuit: whether the customer's router answers, and how many prefixes it announces."""

    arp: bool | Unknown
    prefixes: int | Unknown
    """0 while the session is down."""


@dataclass(frozen=True, slots=True)
class EffectiveRoute:
    """Which way a network interface sends a prefix."""

    prefix: str
    hop_type: str
    hops: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EffectiveRoutes:
    """All of them that are in effect."""

    rows: tuple[EffectiveRoute, ...]


Reply = (
    ConnectionStatus
    | GatewayStatus
    | Neighbour
    | Health
    | LastWrite
    | CircuitStatus
    | PeeringStatus
    | Sessions
    | Routes
    | Associations
    | PathTables
    | EffectiveRoutes
    | Unknown
)
R = TypeVar("R")


class Answers:
    """What was answered so far; what was not asked is unknown."""

    def __init__(self, known: Mapping[TunnelQuestion, Reply] | None = None) -> None:
        self._known: dict[TunnelQuestion, Reply] = dict(known or {})

    def update(self, more: Mapping[TunnelQuestion, Reply]) -> None:
        """Later replies stand in the place of earlier ones."""
        self._known.update(more)

    def get(self, question: TunnelQuestion, kind: type[R]) -> R | Unknown:
        """The reply to a question, if it is of that kind."""
        found = self._known.get(question)
        if isinstance(found, kind):
            return found
        return found if isinstance(found, Unknown) else Unknown("it was not asked")

    def has(self, question: TunnelQuestion) -> bool:
        """Whether it was asked."""
        return question in self._known
