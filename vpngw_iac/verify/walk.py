"""Why a tunnel is not up: a walk through what was seen, in one order, to a set of causes. Pure.

Each step looks at one thing and says whether it is fine, wrong, or not to be known from here. What Azure itself is at
work on ends the walk: nothing else is judged meanwhile. What no step has seen is never a cause.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from vpngw_iac.paths import objects, value_at
from vpngw_iac.verify.causes import Cause, in_order
from vpngw_iac.verify.diagnosis import (
    ABSENT,
    Diagnosis,
    Evidence,
    Found,
    Gap,
    KeyWord,
    Seen,
    StepName,
    Sureness,
    WalkStep,
)
from vpngw_iac.verify.expectation import policy_in
from vpngw_iac.verify.gateway_log import GatewayLog, LogUnread
from vpngw_iac.verify.log_lines import ATTEMPT, LogVerdict, judge

_PROPOSAL = re.compile(r"Cipher=(?P<cipher>\w+?)\s*Integrity=(?P<integrity>\w+)", re.IGNORECASE)
_CIPHERS = frozenset({"des", "des3", "3des", "aes128", "aes192", "aes256", "gcmaes128", "gcmaes192", "gcmaes256"})
_FRESH = re.compile(r"\[SA_(INIT|AUTH)\]")
SETTLING = timedelta(minutes=5)
"""Time within which a tunnel that went with its instance is there again."""
MOST_EVIDENCE = 6
"""Lines of a log that are shown: the newest."""


def walk(seen: Seen) -> Diagnosis:
    """The causes of one link; the first step that is certain decides, else the last that names any."""
    found: list[Found] = []
    for step in (_connection, _gateway, _peer_address, _gateway_subnet, _ike_log, _policy, _bgp):
        one = step(seen)
        if one is not None:
            found.append(one)
            if one.ends:
                break
    named = [one for one in found if one.causes]
    ruling = next((one for one in named if one.sure == "certain" or one.ends), named[-1] if named else None)
    shown = [one for one in found if one is ruling or one.step.outcome != "unknown"]
    diagnosis = Diagnosis(
        seen.name,
        seen.address,
        seen.status,
        tuple(one.step for one in found),
        in_order(ruling.causes) if ruling else (),
        ruling.sure if ruling else "unknown",
        tuple(dict.fromkeys(evidence for one in shown for evidence in one.evidence)),
        tuple(dict.fromkeys(gap for one in found for gap in one.gaps)),
        seen.notes if seen.is_connected else (),
        ruling.rows if ruling else (),
    )
    return _with_key(diagnosis, seen.key)


# --- steps -----------------------------------------------------------------------------------------------------------


def _fine(name: StepName, text: str) -> Found:
    return Found(WalkStep(name, "fine", text))


def _unknown(name: StepName, text: str, *gaps: Gap) -> Found:
    return Found(WalkStep(name, "unknown", text), gaps=gaps)


def _connection(seen: Seen) -> Found:
    why = seen.unread.get("connection", ABSENT)
    if seen.connection is None and why == ABSENT:
        return replace(_unknown("connection", "The connection is not there.", Gap(
            "Without the connection nothing can be said.", "`vpngw plan` tells why; `vpngw apply` makes it."
        )), ends=True)  # fmt: skip
    if seen.connection is None:
        return replace(_unknown("connection", f"The connection could not be read: {why}.", Gap(
            "Without the connection nothing can be said.", "`vpngw plan` tells whether it is there."
        )), ends=True)  # fmt: skip
    tunnels = objects(value_at(seen.connection, "properties.tunnelConnectionStatus"))
    told = [f"{one.get('tunnel')} is {one.get('connectionStatus')}" for one in tunnels]
    since = "" if seen.was_up else " It was never established."
    text = f"Azure says {seen.status}{': ' + ', '.join(told) if told else ''}.{since}"
    return Found(WalkStep("connection", "fine" if seen.is_connected else "wrong", text))


def _gateway(seen: Seen) -> Found:
    """The gateway's own state; Azure's incidents are told first, and end the walk."""
    if seen.incident:
        step = WalkStep("gateway", "wrong", f"{seen.incident} Do not touch.")
        return Found(step, (Cause.INCIDENT,), "certain", (Evidence("resource health", seen.incident),), ends=True)
    if seen.gateway is None:
        return _unknown("gateway", f"The gateway could not be read: {seen.unread.get('gateway', ABSENT)}.")
    state = str(value_at(seen.gateway, "properties.provisioningState") or "Succeeded")
    evidence = (Evidence("gateway", f"provisioningState is {state}"),)
    if state in ("Failed", "Canceled"):
        text = f"The gateway is {state}: it cannot be relied on to negotiate."
        return Found(WalkStep("gateway", "wrong", text), (Cause.GATEWAY_FAILED,), "certain", evidence)
    if state != "Succeeded":
        text = f"The gateway is {state}: tunnels may be down until that has ended."
        return Found(WalkStep("gateway", "wrong", text), (Cause.GATEWAY_BUSY,), "certain", evidence, ends=True)
    if (moved := maintained(seen)) is not None:
        when = time_of_day(moved)
        text = f"The gateway's log has maintenance or a failover at {when}, when the tunnel went. Do not touch."
        told = (Evidence("gateway log", text, moved),)
        return Found(WalkStep("gateway", "wrong", text), (Cause.INCIDENT,), "certain", told, ends=True)
    health = f" Its health could not be read: {seen.unread['health']}." if "health" in seen.unread else ""
    return _fine("gateway", f"The gateway is {state}, and no incident is told.{health}")


def maintained(seen: Seen) -> datetime | None:
    """When Azure itself moved the gateway, if the tunnel went then and nothing was logged about it long since.

    A tunnel comes back within minutes after a failover (page "Highly available gateway connectivity").
    """
    if seen.is_connected or not isinstance(seen.log, GatewayLog) or seen.log.newest is None:
        return None
    went = seen.log.went(seen.devices)
    near = [at for at in seen.log.maintenance if went is not None and abs(at - went) < SETTLING]
    last = max(near, default=None)
    return last if last is not None and seen.log.newest - last < 2 * SETTLING else None


def _peer_address(seen: Seen) -> Found:
    declared, observed = _endpoint(seen.declared_site), _endpoint(seen.site)
    if seen.site is None or not observed:
        why = seen.unread.get("site", "it is not told")
        return _unknown("peer address", f"The device's address in Azure could not be read: {why}.")
    if declared and declared.lower() != observed.lower():
        text = f"Azure has {observed}, the blueprint says {declared}."
        evidence = (Evidence("local network gateway", text),)
        return Found(WalkStep("peer address", "wrong", text), (Cause.PEER_ADDRESS,), "certain", evidence)
    if declared and not seen.devices:
        return _unknown("peer address", f"Azure has the name {observed}; nothing answers for it here.")
    behind = f" ({', '.join(seen.devices)})" if seen.devices and observed not in seen.devices else ""
    return _fine("peer address", f"Azure has {observed}{behind}, as the blueprint says.")


def _endpoint(document: Mapping[str, Any] | None) -> str:
    found = value_at(document, "properties.gatewayIpAddress") or value_at(document, "properties.fqdn")
    return found if isinstance(found, str) else ""


def _gateway_subnet(seen: Seen) -> Found:
    found = [*_bad_routes(seen), *_bad_rules(seen)]
    if found:
        causes = in_order(cause for cause, _ in found)
        heard = isinstance(seen.log, GatewayLog) and any(line.was_received for line in seen.log.about(seen.devices))
        text = " ".join(evidence.text for _, evidence in found)
        if heard:  # packets of the device arrive all the same
            return _fine("GatewaySubnet", f"{text} But packets of the device arrive.")
        return Found(WalkStep("GatewaySubnet", "wrong", text), causes, "likely", tuple(e for _, e in found))
    unread = [
        f"{name}: {seen.unread[name]}" for name in ("subnet", "route table", "security group") if name in seen.unread
    ]
    if unread:
        return _unknown("GatewaySubnet", f"Not read: {'; '.join(unread)}.")
    has = [n for n, d in (("a route table", seen.route_table), ("a security group", seen.security_group)) if d]
    return _fine("GatewaySubnet", f"It has {' and '.join(has)}, and nothing there is in the way." if has else
                 "It has neither a route table nor a security group.")  # fmt: skip


def _bad_routes(seen: Seen) -> Iterator[tuple[Cause, Evidence]]:
    """The route that the device's address takes, if it leads anywhere but to the Internet."""
    routes = objects(value_at(seen.route_table, "properties.routes"))
    for device in map(_address, seen.devices):
        fitting = [(net, route) for route in routes if (net := _network(route)) is not None and device in net]
        for net, route in sorted(fitting, key=lambda pair: pair[0].prefixlen)[-1:]:
            hop = str(value_at(route, "properties.nextHopType"))
            if hop not in ("Internet", "VirtualNetworkGateway"):
                text = f"Route {route.get('name')} ({net}) sends {device} to {hop}."
                yield Cause.ROUTE, Evidence("route table", text)


def _bad_rules(seen: Seen) -> Iterator[tuple[Cause, Evidence]]:
    """The first rule that matches IKE from the device, if it denies."""
    rules = objects(value_at(seen.security_group, "properties.securityRules"))
    inbound = sorted(rules, key=lambda rule: int(value_at(rule, "properties.priority") or 4096))
    for device in map(_address, seen.devices):
        first = next((rule for rule in inbound if _matches(rule.get("properties") or {}, device)), None)
        if first is not None and value_at(first, "properties.access") == "Deny":
            text = f"Security rule {first.get('name')} denies UDP 500 and 4500 from {device}."
            yield Cause.SECURITY_GROUP, Evidence("security group", text)


def _matches(rule: Mapping[str, Any], device: ipaddress.IPv4Address | None) -> bool:
    """Whether an inbound rule is about IKE of this device."""
    sources = [rule.get("sourceAddressPrefix"), *(rule.get("sourceAddressPrefixes") or ())]
    ports = [rule.get("destinationPortRange"), *(rule.get("destinationPortRanges") or ())]
    said = [net for text in sources if (net := _as_network(text)) is not None]
    from_device = any(text in ("*", "Internet") for text in sources) or any(device in net for net in said if device)
    return (
        rule.get("direction") == "Inbound"
        and str(rule.get("protocol", "*")).lower() in ("*", "udp")
        and from_device
        and any(_covers(str(text), port) for text in ports if text for port in (500, 4500))
    )


def _covers(text: str, port: int) -> bool:
    first, _, last = text.partition("-")
    return text == "*" or (first.isdigit() and int(first) <= port <= int(last or first))


def _ike_log(seen: Seen) -> Found | None:
    if seen.is_connected:
        return None
    if seen.log is None:
        return None
    if isinstance(seen.log, LogUnread):
        return _unknown("IKE log", f"Not read: {seen.log.reason}", Gap(
            "Without the gateway's IKE log the other end's part stays unknown.", seen.log.advice
        ))  # fmt: skip
    if seen.log.newest is None and not seen.log.lines:
        advice = seen.log_switch or "If logs were switched on a short time ago, ask again: the first rows take hours."
        return _unknown("IKE log", "The gateway has no rows in this time.", Gap(
            "Azure's IKE log would say why the negotiation fails.", advice
        ))  # fmt: skip
    return _of_lines(seen, seen.log)


def _of_lines(seen: Seen, log: GatewayLog) -> Found:
    lines = [line for line in log.about(seen.devices) if not seen.down_at or line.local in (*seen.down_at, "")]
    verdict = judge(lines)
    if verdict.causes and _is_of_this_failure(verdict, seen):
        return of_verdict(verdict, seen, "IKE log")
    if lines:
        return _unknown("IKE log", "It has rows about the device, and none of them tells of this failure.", Gap(
            f"The newest row is of {time_of_day(log.newest)}; a failure after that has not arrived yet.", "Ask again."
        ))  # fmt: skip
    return _no_lines(seen, log)


def _is_of_this_failure(verdict: LogVerdict, seen: Seen) -> bool:
    """Whether it was written after the tunnel was last established: what failed before that has passed."""
    return seen.established is None or verdict.at is None or verdict.at > seen.established


def _no_lines(seen: Seen, log: GatewayLog) -> Found:
    """No row about the device. That nothing arrives is known only if rows of others are newer than the failure."""
    went, newest = log.went(seen.devices), log.newest
    if not log.remotes - set(seen.devices) or newest is None:
        return _unknown("IKE log", "It has no row about the device, and none about any other.", Gap(
            "A log without rows of others does not prove that packets are missing.", seen.log_switch or "Ask again."
        ))  # fmt: skip
    if log.is_cut:
        return _unknown("IKE log", "It has too many rows; those about the device may be missing.", Gap(
            "The oldest rows were not read.", "Ask with a shorter --since."
        ))  # fmt: skip
    if seen.was_up and (went is None or newest - went < 2 * ATTEMPT):
        return _unknown("IKE log", "It has no row about the device since the tunnel went.", Gap(
            f"Rows arrive late: the newest is of {time_of_day(newest)}. Whether packets arrived since is not known.",
            "Ask again in some minutes.",
        ))  # fmt: skip
    text = f"Rows of other tunnels are there until {time_of_day(newest)}, and none about {', '.join(seen.devices)}."
    evidence = (Evidence("IKE log", text, newest),)
    return Found(WalkStep("IKE log", "wrong", text), (Cause.SILENCE,), "likely", evidence)


def of_verdict(verdict: LogVerdict, seen: Seen, source: str) -> Found:
    """What a log's newest attempt says, narrowed by what is declared."""
    causes = _narrowed(set(verdict.causes), verdict, seen)
    newest = {line.text: line for line in verdict.lines}  # each phrase once, as it was written last
    shown = [line for line in verdict.lines if newest[line.text] is line][-MOST_EVIDENCE:]
    evidence = tuple(Evidence(source, line.text, line.at) for line in shown)
    sure: Sureness = "certain" if len(causes) == 1 and verdict.is_confirmed else "likely" if causes else "unknown"
    text = (
        f"The newest attempt that failed is of {time_of_day(verdict.at)}." if verdict.at else "An attempt has failed."
    )
    return Found(WalkStep("IKE log", "wrong", text), in_order(causes), sure, evidence, rows=verdict.rows)


def _narrowed(causes: set[Cause], verdict: LogVerdict, seen: Seen) -> set[Cause]:
    """Phase 2 apart: the proposal that the device sent, and whether this was the first child of an association.

    The first child of an IKEv2 association is made without PFS (RFC 7296 section 1.3); under IKEv1 none is.
    """
    if value_at(seen.declared, "properties.connectionMode") != "InitiatorOnly":
        causes = causes - {Cause.MODE}
    both = {Cause.IPSEC_PROPOSAL, Cause.PFS}
    if causes != both:
        return causes
    fits = _fits(verdict.proposal, seen)
    if fits is not None:
        return {Cause.PFS} if fits else {Cause.IPSEC_PROPOSAL}
    if seen.is_ikev1:
        return causes
    if any(_FRESH.search(line.text) for line in verdict.attempt):
        return {Cause.IPSEC_PROPOSAL}
    return {Cause.PFS} if seen.was_up else causes


def _fits(proposal: str, seen: Seen) -> bool | None:
    """Whether the device's proposal is the declared one; None where one of them is not known in these words."""
    match = _PROPOSAL.search(proposal)
    policy = policy_in(seen.declared)
    if match is None or policy is None or match["cipher"].lower() not in _CIPHERS:
        return None
    declared = policy.ipsec_encryption.lower(), policy.ipsec_integrity.lower()
    return (match["cipher"].lower(), match["integrity"].lower()) == declared


def _policy(seen: Seen) -> Found | None:
    if not seen.negotiated:
        return None
    evidence = tuple(Evidence("association", text) for text in seen.negotiated)
    return Found(WalkStep("policy", "wrong", " ".join(seen.negotiated)), evidence=evidence)


def _bgp(seen: Seen) -> Found | None:
    if not seen.is_connected or not value_at(seen.declared, "properties.enableBgp"):
        return None
    if seen.sessions_unread:
        return _unknown("BGP", f"The sessions could not be read: {seen.sessions_unread}.", Gap(
            "Whether BGP is up is not known.", "Reading it is a POST, which a lock or a missing right can forbid."
        ))  # fmt: skip
    down = [(own, peer, state) for own, peer, state in seen.sessions if state != "Connected"]
    evidence = tuple(Evidence("BGP", f"{own} to {peer} is {state}") for own, peer, state in seen.sessions)
    if down or not seen.sessions:
        told = ", ".join(f"{own} to {peer} is {state}" for own, peer, state in down) or "no session is there"
        causes = (Cause.AS_NUMBER, Cause.APIPA, Cause.NEIGHBOUR)
        return Found(WalkStep("BGP", "wrong", f"The tunnel is up, but {told}."), causes, "likely", evidence)
    if seen.missing_prefixes:
        text = f"The session is up, and {', '.join(seen.missing_prefixes)} was not learned."
        return Found(WalkStep("BGP", "wrong", text), (Cause.PREFIX,), "certain", (*evidence, Evidence("routes", text)))
    if seen.prefixes_unread:
        return _unknown("BGP", "Every session is up; which prefixes are learned could not be read.", Gap(
            f"Whether the expected prefixes are learned is not known: {seen.prefixes_unread}.", "Ask again."
        ))  # fmt: skip
    return _fine("BGP", "Every session is up.")


# --- the key ---------------------------------------------------------------------------------------------------------


def _with_key(diagnosis: Diagnosis, key: KeyWord) -> Diagnosis:
    """A statement about the key needs Azure's value and ours; without either nothing is said of it."""
    if Cause.KEY not in diagnosis.causes or not key:
        return diagnosis
    if key == "equal":
        text = "Azure has the key of the blueprint's reference: if it is the key, the device has another one."
        return replace(diagnosis, evidence=(*diagnosis.evidence, Evidence("key", text)))
    if key == "different":
        text = "Azure has another key than the blueprint's reference. `vpngw apply FILE --resend-secrets` sets it."
        return replace(diagnosis, evidence=(*diagnosis.evidence, Evidence("key", text)))
    reason = "Azure did not tell its key" if key == "not told" else "the blueprint's key cannot be resolved here"
    gap = Gap(f"Whether Azure has the blueprint's key is not known: {reason}.", "`vpngw secret check FILE --verify`")
    return replace(diagnosis, gaps=(*diagnosis.gaps, gap))


def time_of_day(moment: datetime | None) -> str:
    """A moment as people read it."""
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC" if moment else "an unknown time"


def _address(text: str) -> ipaddress.IPv4Address | None:
    try:
        return ipaddress.IPv4Address(text)
    except ValueError:
        return None


def _network(route: Mapping[str, Any]) -> ipaddress.IPv4Network | None:
    return _as_network(value_at(route, "properties.addressPrefix"))


def _as_network(text: Any) -> ipaddress.IPv4Network | None:
    try:
        return ipaddress.IPv4Network(text) if isinstance(text, str) else None
    except ValueError:
        return None
