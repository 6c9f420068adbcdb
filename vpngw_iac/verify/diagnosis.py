"""What was seen of a link that is not as declared, and what is concluded from it: values. `walk` concludes. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import datetime
from typing import Any, Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import objects, value_at
from vpngw_iac.verify.azure_rows import moment
from vpngw_iac.verify.causes import TITLES, Cause, Check, check_of, source_of, why_alike
from vpngw_iac.verify.gateway_log import GatewayLog, LogUnread
from vpngw_iac.verify.signatures import Signature

Sureness = Literal["certain", "likely", "unknown"]
"""``certain``: something seen names one cause. ``likely``: it is among these. ``unknown``: nothing seen names any."""

KeyWord = Literal["", "equal", "different", "not told", "not resolved"]
"""What Azure's key is to the one of our reference; empty where nobody asked."""

StepName = Literal["connection", "gateway", "peer address", "GatewaySubnet", "IKE log", "policy", "BGP"]
Outcome = Literal["fine", "wrong", "unknown"]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Something that was seen.

    ``f"{evidence.source}: {evidence.text}"``
    """

    source: str
    """Where: ``IKE log``, ``connection``, ``gateway``, ``route table``, ``BGP``, the name of a file."""
    text: str
    """What was seen there."""
    at: datetime | None = None
    """When it was written, in UTC; None where that is not told."""


@dataclass(frozen=True, slots=True)
class WalkStep:
    """One step of the walk.

    ``f"{walk_step.name}: {walk_step.outcome}"``
    """

    name: StepName
    """What it looked at."""
    outcome: Outcome
    """`fine`, `wrong` or `unknown`."""
    text: str
    """What it found, as a sentence."""


@dataclass(frozen=True, slots=True)
class Gap:
    """Something that cannot be known from here, and what would change that.

    ``f"{gap.text} {gap.advice}"``
    """

    text: str
    """What is not known."""
    advice: str = ""
    """What would change that."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Why one link is not as declared.

    ``f"{diagnosis.name}: {', '.join(diagnosis.causes)}"``
    """

    name: str
    """Of the site, with its link where it has several."""
    address: str
    status: str
    """What Azure says of the connection; empty if nobody asked."""
    steps: tuple[WalkStep, ...] = ()
    """What was looked at, in order."""
    causes: tuple[Cause, ...] = ()
    """What that leaves possible; nothing where nothing names one."""
    sure: Sureness = "unknown"
    """`certain`: something seen names one cause; `likely`: it is among these; `unknown`: nothing names any."""
    evidence: tuple[Evidence, ...] = ()
    """What was seen."""
    gaps: tuple[Gap, ...] = ()
    """What cannot be known from here."""
    notes: tuple[str, ...] = ()
    """What verifying it has told beside."""
    rows: tuple[Signature, ...] = ()
    """The phrases of the log that were recognised."""

    @property
    def pages(self) -> tuple[str, ...]:
        """Where it is written what was seen means, and why it does not mean less."""
        found = [row.page for row in self.rows]
        found += [source_of(self.causes)] if len(self.causes) > 1 else []
        return tuple(dict.fromkeys(page for page in found if page))

    @property
    def check(self) -> Check | None:
        """The one check that tells the causes apart, or confirms the only one."""
        return check_of(self.causes) if self.causes else None

    @property
    def why(self) -> str:
        """Why the causes cannot be told apart from here."""
        return why_alike(self.causes)

    @property
    def titles(self) -> tuple[str, ...]:
        """The causes in words."""
        return tuple(TITLES[cause] for cause in self.causes)


@dataclass(frozen=True, slots=True)
class DiagnosisReport:
    """What diagnosing a deployment found.

    ``[one.name for one in report.items if one.causes]``
    """

    deployment: str
    items: tuple[Diagnosis, ...] = ()
    """What is not up, and what was asked for by name."""
    up: tuple[str, ...] = ()
    """Names of what is as declared."""
    notices: tuple[str, ...] = ()
    sheets: tuple[PeerSheet, ...] = ()
    """What can be handed to the other company, for each of `items`."""


@dataclass(frozen=True, slots=True)
class PeerParameter:
    """One parameter at both ends; the device's is what Azure expects of it.

    ``f"{peer_parameter.name}: {peer_parameter.device}"``
    """

    name: str
    """As people call it: `phase 1`, `AS number`."""
    azure: str
    """At Azure's end."""
    device: str
    """At the device's, as Azure expects it."""


@dataclass(frozen=True, slots=True)
class PeerSheet:
    """What is handed over about one tunnel.

    ``f"{sheet.device}: {sheet.status}"``
    """

    device: str
    """Its address, or its name."""
    status: str
    """What Azure says of the connection."""
    parameters: tuple[PeerParameter, ...]
    """Both ends, row by row."""
    causes: tuple[str, ...] = ()
    """Those at the device's end, in words."""
    check: Check | None = None
    """What to look at there."""
    evidence: tuple[str, ...] = ()
    """What Azure's end has logged."""


ABSENT = "it is absent"
"""Why something could not be read that is not there."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What was read about one link, before anything is concluded."""

    name: str
    address: str
    connection: Mapping[str, Any] | None
    """As its GET shows it; None where it is absent or could not be read."""
    gateway: Mapping[str, Any] | None
    site: Mapping[str, Any] | None
    """Its local network gateway."""
    declared: Mapping[str, Any] = field(default_factory=dict)
    declared_site: Mapping[str, Any] = field(default_factory=dict)
    devices: tuple[str, ...] = ()
    """Addresses of the device: as declared, or those that its name leads to."""
    bound: bool = False
    """The device is built to one instance of the gateway."""
    instance: int | None = None
    """Which one, where the blueprint says it."""
    incident: str = ""
    """What Azure says of its own trouble or maintenance; empty if nothing."""
    route_table: Mapping[str, Any] | None = None
    security_group: Mapping[str, Any] | None = None
    unread: Mapping[str, str] = field(default_factory=dict)
    """What could not be read, by name, and why."""
    log: GatewayLog | LogUnread | None = None
    log_switch: str = ""
    """Which line of the blueprint switches the logs on; empty where a setting keeps them."""
    key: KeyWord = ""
    negotiated: tuple[str, ...] = ()
    """What an association has otherwise than the declared policy says, one sentence each."""
    sessions: tuple[tuple[str, str, str], ...] = ()
    """BGP sessions of this link: own address, neighbour, state."""
    sessions_unread: str = ""
    missing_prefixes: tuple[str, ...] = ()
    """Expected, and not learned."""
    prefixes_unread: str = ""
    """Why nobody knows whether the expected ones are learned."""
    notes: tuple[str, ...] = ()
    """What verifying it has told beside."""
    networks: tuple[str, ...] = ()
    """Prefixes on Azure's side, for whoever configures the device."""

    @property
    def status(self) -> str:
        """What Azure says of the connection."""
        return str(value_at(self.connection, "properties.connectionStatus") or "Unknown")

    @property
    def is_connected(self) -> bool:
        """Whether every tunnel that is declared is up."""
        return self.status == "Connected" and not self._down

    @property
    def down_at(self) -> frozenset[str]:
        """The gateway's addresses whose tunnels are down, where some are up; empty where that makes no difference."""
        names = [str(one.get("tunnel")) for one in self._down]
        return frozenset(name.rpartition("_")[2] for name in names) if self.status == "Connected" else frozenset()

    @property
    def was_up(self) -> bool:
        """Whether a tunnel that is down was ever established."""
        return any(one.get("lastConnectionEstablishedUtcTime") for one in self._down or self._tunnels)

    @property
    def established(self) -> datetime | None:
        """When that was the last time, if it can be read."""
        times = (moment(one.get("lastConnectionEstablishedUtcTime")) for one in self._down or self._tunnels)
        return max((at for at in times if at is not None), default=None)

    @property
    def _tunnels(self) -> list[dict[str, Any]]:
        return objects(value_at(self.connection, "properties.tunnelConnectionStatus"))

    @property
    def _down(self) -> list[dict[str, Any]]:
        """Tunnels that should be up; of a link to one instance any one is enough."""
        down = [one for one in self._tunnels if one.get("connectionStatus") != "Connected"]
        return [] if self.bound and len(down) < len(self._tunnels) else down

    @property
    def is_ikev1(self) -> bool:
        """Whether phase 2 always has PFS in it."""
        return str(value_at(self.declared, "properties.connectionProtocol") or "").lower() == "ikev1"


@dataclass(frozen=True, slots=True)
class Found:
    """What a step contributes."""

    step: WalkStep
    causes: tuple[Cause, ...] = ()
    sure: Sureness = "unknown"
    evidence: tuple[Evidence, ...] = ()
    gaps: tuple[Gap, ...] = ()
    rows: tuple[Signature, ...] = ()
    ends: bool = False
    """Nothing after it is judged."""
