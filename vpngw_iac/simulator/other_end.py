"""The other end of a connection, as data: up, or one of the ways in which it does not fit; and what happens to it.

A device that nobody has configured wrongly is *up*: the tunnel comes up by itself some seconds after the connection is
made. `Simulator.set` says otherwise (``{"other-end": "wrong-key"}``), and so does ``vpngw simulator set``.

Whoever answers with log rows asks one function, `happened`: it yields, in order of time, what a gateway would have
logged about a connection in a window: when, on which instance, and which mismatch was the cause. How long the rows of
a gateway take to arrive is `log_lag`; `clock.utc` makes a date of a moment.

What each mismatch does to tunnel, session and routes: pages "Troubleshoot a Site-to-Site VPN tunnel that can't
connect" and "Error codes of site-to-site connections"; that PFS on one side only shows itself at the first rekey, and
not before, was seen with strongSwan (RFC 7296 strips the group from the first child SA).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.cloud_view import CloudView, as_id, same
from vpngw_iac.simulator.document import SUCCEEDED, Document
from vpngw_iac.simulator.relations import CIRCUITS, CONNECTIONS, GATEWAYS
from vpngw_iac.simulator.wire import Json

UNKNOWN_FOR = 60.0
"""Seconds for which the status of a new connection is Unknown (``net_ManageVpnGatewaySite2SiteConnectionTest``)."""
RETRY = 15.0
"""Seconds between two attempts of a tunnel that does not come up: Azure retries every few seconds."""
FAILOVER = 90.0
"""Seconds for which an unplanned failover interrupts (page "Highly available gateway connectivity": 1 to 3 minutes)."""
MAINTENANCE = 1800.0
"""Seconds for which the primary path of a circuit is away while one of its two routers is looked after (page
"Planned maintenance guidance for ExpressRoute": one path at a time)."""
LIFETIME = 27_000
"""Seconds of an IPsec association under the default policy (R-IPSEC-09)."""
LOG_LAG = 120.0
"""Seconds until a row of a log can be read, unless somebody says otherwise."""

CIRCUIT_STATES = ("up", *(f"{path}{what}" for what in ("no-arp", "no-bgp") for path in ("", "primary-", "secondary-")))
"""The other end of a circuit: both paths, or one, without layer 2 or without BGP."""


@dataclass(frozen=True, slots=True)
class OtherEnd:
    """What a state of the other end does."""

    about: str
    tunnel: bool = True
    """The tunnel comes up."""
    session: bool = True
    """The BGP session comes up in it."""
    routes: bool = True
    """The other side announces its prefixes."""
    packets: bool = True
    """Something of the other side arrives."""
    traffic: bool = True
    """Somebody sends something through it."""
    until_rekey: bool = False
    """What is up stays up until the first rekey."""


MISMATCHES: Mapping[str, OtherEnd] = {
    "wrong-key": OtherEnd("another pre-shared key", tunnel=False),
    "wrong-identity": OtherEnd("identifies itself by another address", tunnel=False),
    "silence": OtherEnd("nothing answers", tunnel=False, packets=False),
    "ike-proposal": OtherEnd("other algorithms or DH group in phase 1", tunnel=False),
    "ipsec-proposal": OtherEnd("other algorithms in phase 2", tunnel=False),
    "pfs": OtherEnd("PFS on one side only", tunnel=False, until_rekey=True),
    "selectors": OtherEnd("other traffic selectors", tunnel=False),
    "as-number": OtherEnd("another AS number", session=False, routes=False),
    "apipa-address": OtherEnd("another APIPA address", session=False, routes=False),
    "neighbour-missing": OtherEnd("no BGP neighbour configured", session=False, routes=False),
    "prefix-not-announced": OtherEnd("announces nothing", routes=False),
    "ike-version": OtherEnd("the other version of IKE", tunnel=False),
}
"""The twelve ways in which another end does not fit."""

OTHER_ENDS: Mapping[str, OtherEnd] = {
    "up": OtherEnd("as agreed"),
    "idle": OtherEnd("as agreed, without traffic", traffic=False),
    "never-came-up": OtherEnd("a device that nobody has installed yet", tunnel=False, packets=False),
    **MISMATCHES,
}


@dataclass(frozen=True, slots=True)
class LoggedEvent:
    """One thing that a gateway logs about a connection."""

    moment: float
    """Simulated seconds."""
    what: Literal["connected", "disconnected", "attempt", "rekey", "rekey-failed"]
    instance: int
    mismatch: str | None = None
    """Why an attempt or a rekey failed: a word of `MISMATCHES`, or ``never-came-up``; none where it did not."""


def said_of(document: Document) -> str:
    """The state that somebody set on a connection or a circuit."""
    return str(_said(document).get("word", "up"))


def word_of(cloud: CloudView, connection: Document) -> str:
    """The state of the other end; of two halves between gateways the one that does not fit."""
    words = [said_of(one) for one in (connection, *_twins(cloud, connection))]
    return next((word for word in words if word != "up"), "up")


def other_end(cloud: CloudView, connection: Document) -> OtherEnd:
    """The same, as what it does."""
    return OTHER_ENDS[word_of(cloud, connection)]


def instances_of(cloud: CloudView, connection: Document) -> tuple[int, ...]:
    """The instances of the gateway to which the other end is built; both of an active-active gateway, unless said."""
    gateway = cloud.find(as_id(connection.properties.get("virtualNetworkGateway1")))
    every = (0, 1) if gateway is not None and gateway.properties.get("activeActive") else (0,)
    said = _said(connection).get("instance")
    return tuple(one for one in every if said is None or one == said)


def up_since(cloud: CloudView, connection: Document, instance: int) -> float | None:
    """When the tunnel of an instance came up; none while it is down."""
    if connection.state != SUCCEEDED or instance not in instances_of(cloud, connection):
        return None
    if connection.properties["connectionType"] == "Vnet2Vnet" and not answered(cloud, connection):
        return None
    end, start = other_end(cloud, connection), _begun(connection)
    if not end.tunnel and not (end.until_rekey and cloud.now < _dies(cloud, connection)):
        return None
    failed_over = _failover(cloud, connection, instance)
    if failed_over is not None and failed_over <= cloud.now:
        start = max(start, failed_over + FAILOVER)
    return start if start <= cloud.now else None


def last_established(cloud: CloudView, connection: Document, instance: int) -> float | None:
    """When the tunnel was last established; none if it never was."""
    now_up = up_since(cloud, connection, instance)
    if now_up is not None:
        return now_up
    word, begun = word_of(cloud, connection), _begun(connection)
    if instance not in instances_of(cloud, connection) or word == "never-came-up":
        return None
    if (OTHER_ENDS[word].tunnel or OTHER_ENDS[word].until_rekey) and begun <= cloud.now:
        return begun
    established: float | None = _said(connection).get("established")
    return established


def answered(cloud: CloudView, connection: Document) -> bool:
    """Whether the other side has the twin of this connection, with the same key (R-V2V-03, R-PSK-07)."""
    return any(
        other.hidden.get("sharedKey") == connection.hidden.get("sharedKey")
        and other.properties["enableBgp"] == connection.properties["enableBgp"]
        and other.state == SUCCEEDED
        for other in _twins(cloud, connection)
    )


def association(cloud: CloudView, connection: Document, instance: int) -> tuple[float, float, Json] | None:
    """When the IKE association and its youngest child began, and the policy both came from; none without a tunnel."""
    began = up_since(cloud, connection, instance)
    if began is None:
        return None
    policy, kept = policy_of(connection), _said(connection).get("kept")
    if kept is not None:
        began, policy = kept["began"], kept["policy"]
    return began, _last_rekey(connection, began, cloud.now), policy


def policy_of(connection: Document) -> Json:
    """The IPsec policy of a connection; an empty one is Azure's own."""
    policy: Json = next(iter(connection.properties.get("ipsecPolicies") or []), {})
    return policy


def announced(connection: Document, default: list[str]) -> list[str]:
    """The prefixes that the other end announces by BGP."""
    said: list[str] | None = _said(connection).get("announces")
    return default if said is None else said


def log_lag(gateway: Document) -> float:
    """Seconds until a row of this gateway's logs can be read."""
    return float(gateway.hidden.get("logLag", LOG_LAG))


def failover_of(gateway: Document | None) -> float | None:
    """When instance 0 of a gateway last failed over, for `FAILOVER` seconds."""
    moment = gateway.hidden.get("failover") if gateway is not None else None
    return None if moment is None else float(moment)


def away_of(document: Document | None) -> tuple[float, float] | None:
    """From when until when a gateway was last away, or the primary path of a circuit."""
    start = failover_of(document)
    if document is None or start is None:
        return None
    return start, start + (MAINTENANCE if same(document.type, CIRCUITS) else FAILOVER)


def happened(cloud: CloudView, connection: Document, start: float, end: float) -> Iterator[LoggedEvent]:
    """What its gateway would have logged about a connection from `start` to `end`, in order of time."""
    found = [one for instance in instances_of(cloud, connection) for one in _happened(cloud, connection, instance, end)]
    inside = (one for one in found if start <= one.moment <= end)
    yield from sorted(inside, key=lambda one: (one.moment, one.instance))


def _happened(cloud: CloudView, connection: Document, instance: int, end: float) -> Iterator[LoggedEvent]:
    word, said, begun = word_of(cloud, connection), _said(connection), _begun(connection)
    state = OTHER_ENDS[word]
    if state.tunnel or state.until_rekey:
        yield LoggedEvent(begun, "connected", instance)
        died = _dies(cloud, connection) if state.until_rekey else math.inf
        yield from (LoggedEvent(at, "rekey", instance) for at in _rekeys(connection, begun, min(end, died - 1)))
        yield from _attempts(died, end, "rekey-failed", instance, word)
        failed_over = _failover(cloud, connection, instance)
        if failed_over is not None:
            yield LoggedEvent(failed_over, "disconnected", instance)
            yield LoggedEvent(failed_over + FAILOVER, "connected", instance)
        return
    since = float(said.get("since", begun))
    if said.get("established") is not None:
        yield LoggedEvent(since, "disconnected", instance)
    yield from _attempts(since, end, "attempt", instance, word)


def _attempts(
    start: float, end: float, what: Literal["attempt", "rekey-failed"], instance: int, word: str
) -> Iterator[LoggedEvent]:
    """The last hundred attempts are enough for any reader."""
    if start > end:
        return
    first = max(0, int((end - start) // RETRY) - 100)
    for number in range(first, int((end - start) // RETRY) + 1):
        yield LoggedEvent(start + number * RETRY, what, instance, word)


# --- somebody sets it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Hand:
    """Somebody's hand on one document."""

    cloud: CloudView
    document: Document

    def word(self, value: Any) -> None:
        """Another state of the other end, from now on."""
        word = _one_of("other-end", value, tuple(OTHER_ENDS))
        before = dict(_said(self.document))
        was, will = OTHER_ENDS[said_of(self.document)], OTHER_ENDS[word]
        instances = instances_of(self.cloud, self.document)
        last = [last_established(self.cloud, self.document, one) for one in instances]
        established = max((one for one in last if one is not None), default=None)
        mends = will.tunnel and not was.tunnel
        self.document.hidden["otherEnd"] = {
            **before,
            "word": word,
            "since": self.cloud.now,
            "established": None if word == "never-came-up" else established,
            **({"mended": self.cloud.now, "rekeyed": None, "kept": None} if mends else {}),
        }

    def word_of_circuit(self, value: Any) -> None:
        """Another state of the provider's or the customer's side of a circuit."""
        self._say(word=_one_of("other-end", value, CIRCUIT_STATES))

    def instance(self, value: Any) -> None:
        """The one instance that the device is built to; none for both."""
        if value not in (0, 1, None):
            raise ValueError(f"instance={value} is not an instance: say 0 or 1, or nothing for both.")
        self._say(instance=value)

    def announces(self, value: Any) -> None:
        """What the other side tells by BGP; none for what the local network gateway says."""
        prefixes = value if isinstance(value, list) or value is None else str(value).split(",")
        self._say(announces=prefixes and [str(one).strip() for one in prefixes])

    def event(self, value: Any) -> None:
        """A rekey now, or an association that outlives a change of policy."""
        if _one_of("happens", value, ("rekey", "keep-sa")) == "rekey":
            self._say(rekeyed=self.cloud.now, kept=None)
            return
        found = association(self.cloud, self.document, instances_of(self.cloud, self.document)[0])
        if found is None:
            raise ValueError("There is no association to keep: the tunnel is down.")
        self._say(kept={"began": found[0], "policy": found[2]})

    def event_of_gateway(self, value: Any) -> None:
        """Its first instance fails over now."""
        _one_of("happens", value, ("failover",))
        self.document.hidden["failover"] = self.cloud.now

    def event_of_circuit(self, value: Any) -> None:
        """Its primary path is under maintenance now."""
        _one_of("happens", value, ("maintenance",))
        self.document.hidden["failover"] = self.cloud.now

    def log_lag(self, value: Any) -> None:
        """Seconds until a row of its logs can be read."""
        self.document.hidden["logLag"] = _number("log-lag", value)

    def clients(self, value: Any) -> None:
        """How many clients are connected."""
        self.document.hidden["clients"] = int(_number("clients", value))

    def _say(self, **values: Any) -> None:
        self.document.hidden["otherEnd"] = {**_said(self.document), **values}


_SETTINGS: Mapping[str, Mapping[str, Callable[[_Hand, Any], None]]] = {
    CONNECTIONS.lower(): {
        "other-end": _Hand.word,
        "happens": _Hand.event,
        "instance": _Hand.instance,
        "announces": _Hand.announces,
    },
    GATEWAYS.lower(): {"happens": _Hand.event_of_gateway, "log-lag": _Hand.log_lag, "clients": _Hand.clients},
    CIRCUITS.lower(): {
        "other-end": _Hand.word_of_circuit,
        "announces": _Hand.announces,
        "happens": _Hand.event_of_circuit,
    },
}

NAMES = frozenset(name for each in _SETTINGS.values() for name in each)
"""What can be set beside the properties of documents."""


def set_beside(cloud: CloudView, document: Document, values: Mapping[str, Any]) -> None:
    """Set the other end and its kin; raises `ValueError` that names the words that would do."""
    hand, known = _Hand(cloud, document), _SETTINGS.get(document.type.lower(), {})
    for name, value in values.items():
        if name not in known:
            can = f"it takes {', '.join(known)} beside" if known else "it takes only"
            raise ValueError(f"{document.type} has no {name}: {can} paths such as properties.enableBgp.")
        known[name](hand, value)
    cloud.save(document)


def _one_of(name: str, value: Any, words: tuple[str, ...]) -> str:
    if value not in words:
        raise ValueError(f"{name}={value} is not known: it is one of {', '.join(words)}.")
    return str(value)


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or value < 0:
        raise ValueError(f"{name}={value} is not a number from 0.")
    return float(value)


# --- time ----------------------------------------------------------------------------------------------------------


def _said(document: Document) -> Json:
    said: Json = document.hidden.get("otherEnd") or {}
    return said


def _begun(connection: Document) -> float:
    """When the tunnel came up after the last change, or after the other end was mended."""
    return float(max(connection.changed + UNKNOWN_FOR, _said(connection).get("mended") or -math.inf))


def _rekeys(connection: Document, began: float, end: float) -> Iterator[float]:
    """Moments at which the child association was made anew, the forced one included."""
    forced = _said(connection).get("rekeyed")
    forced = forced if forced is not None and forced >= began else None
    if forced is not None and forced <= end:
        yield float(forced)
    lifetime = _lifetime(connection)
    start = began if forced is None else forced
    passed = max(0, int((end - start) // lifetime))
    yield from (start + number * lifetime for number in range(max(1, passed - 100), passed + 1))


def _lifetime(connection: Document) -> float:
    return float(policy_of(connection).get("saLifeTimeSeconds") or LIFETIME)


def _last_rekey(connection: Document, began: float, now: float) -> float:
    """When the youngest child association was made."""
    return max(_rekeys(connection, began, now), default=began)


def _dies(cloud: CloudView, connection: Document) -> float:
    """The first rekey after the two ends no longer agreed."""
    holder = next(one for one in (connection, *_twins(cloud, connection)) if said_of(one) == "pfs")
    since, begun = float(_said(holder)["since"]), _begun(connection)
    lifetime = _lifetime(connection)
    first = begun + (math.floor((since - begun) / lifetime) + 1) * lifetime if since >= begun else begun + lifetime
    forced = _said(holder).get("rekeyed")
    return min(first, float(forced)) if forced is not None and forced >= since else first


def _failover(cloud: CloudView, connection: Document, instance: int) -> float | None:
    """When the instance last failed over, or the gateway at the other end."""
    ends = ("virtualNetworkGateway1", "virtualNetworkGateway2") if instance == 0 else ("virtualNetworkGateway2",)
    found = (failover_of(cloud.find(as_id(connection.properties.get(end)))) for end in ends)
    return max((moment for moment in found if moment is not None), default=None)


def _twins(cloud: CloudView, connection: Document) -> list[Document]:
    """The other half of a connection between gateways."""
    mine = connection.properties
    if mine["connectionType"] != "Vnet2Vnet":
        return []
    return [
        other
        for other in cloud.of_type(CONNECTIONS)
        if same(other.properties.get("virtualNetworkGateway1"), mine.get("virtualNetworkGateway2"))
        and same(other.properties.get("virtualNetworkGateway2"), mine.get("virtualNetworkGateway1"))
    ]
