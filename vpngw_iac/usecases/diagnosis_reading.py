"""What is read to find out why a link is not up: each document, log and reply once. Asks and never changes.

What cannot be read is told as unread, with the reason; it is never a cause.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.engine.ports import Listing
from vpngw_iac.errors import CloudError, Finding, SecretError, SignInFailed
from vpngw_iac.paths import objects, value_at
from vpngw_iac.resources.connection import Connection
from vpngw_iac.resources.diagnostic_setting import DIAGNOSTIC_SETTINGS, DiagnosticSetting
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.wire import SECRET_TYPES
from vpngw_iac.secret import Fingerprint
from vpngw_iac.text import duration
from vpngw_iac.usecases.session import Session
from vpngw_iac.verify.bgp import missing_prefixes
from vpngw_iac.verify.causes import Cause
from vpngw_iac.verify.diagnosis import ABSENT, Diagnosis, KeyWord, Seen
from vpngw_iac.verify.expectation import Expectations, PathExpectation, SubjectExpectation
from vpngw_iac.verify.gateway_log import GatewayLog, LogUnread
from vpngw_iac.verify.peer_parameters import azure_addresses
from vpngw_iac.verify.questions import Answers, AskHealth, AskLearned, Health, Routes, TunnelQuestion, Unknown
from vpngw_iac.verify.trouble import RECENT
from vpngw_iac.verify.verdict import PathVerdict, SubjectVerdict
from vpngw_iac.verify.walk import walk

R = TypeVar("R")


def link_name(subject: SubjectExpectation, path: PathExpectation) -> str:
    """``berlin``, or ``berlin-dsl`` of a site with several links: the end of the connection's address."""
    return path.address.rpartition("/")[2] if len(subject.paths) > 1 else subject.name


def declared_in(graph: Graph, resource: ArmId | None) -> Mapping[str, Any]:
    """The document of a resource as it is declared; empty where it is not."""
    known = graph.by_id.get(resource) if resource is not None else None
    return known.body() if known is not None else {}


def site_of(connection: Mapping[str, Any]) -> ArmId | None:
    """The local network gateway of a connection's document."""
    return ArmId.of(value_at(connection, "properties.localNetworkGateway2.id"))


class DiagnosisReading:
    """Reads what the walk needs, each document once."""

    def __init__(self, session: Session, graph: Graph, expected: Expectations, since: timedelta) -> None:
        self.session, self.graph, self.expected, self.since = session, graph, expected, since
        self._read: dict[ArmId, Mapping[str, Any] | str] = {}
        self._answers = Answers()
        self._log = cache(self._log_of)
        self._log_switch = cache(self._log_switch_of)
        self._resolved = cache(self._resolve)

    def at(
        self, wanted: Sequence[tuple[SubjectExpectation, PathExpectation, SubjectVerdict, PathVerdict]]
    ) -> list[Seen]:
        """What was seen of each link."""
        seen = [self._seen(*one) for one in wanted]
        return [self._with_devices(one, path.gateway, seen) for one, (_, path, _, _) in zip(seen, wanted, strict=True)]

    def concluded(self, seen: Seen) -> Diagnosis:
        """The walk; where it names the key, Azure is asked for its own, and our reference is resolved."""
        found = walk(seen)
        return walk(replace(seen, key=self._key(seen))) if Cause.KEY in found.causes else found

    # --- documents ---------------------------------------------------------------------------------------------------

    def _document(self, resource: ArmId | None, name: str, unread: dict[str, str]) -> Mapping[str, Any] | None:
        if resource is None:
            return None
        if resource not in self._read:
            try:
                found = self.session.cloud.read(resource)
                self._read[resource] = found.document if found.document is not None else ABSENT
            except SignInFailed:
                raise
            except CloudError as error:
                self._read[resource] = error.code or error.message
        known = self._read[resource]
        if isinstance(known, str):
            unread[name] = known
            return None
        return known

    def _seen(
        self, subject: SubjectExpectation, path: PathExpectation, verdict: SubjectVerdict, own: PathVerdict
    ) -> Seen:
        unread: dict[str, str] = {}
        declared = declared_in(self.graph, path.connection)
        connection = self._document(path.connection, "connection", unread)
        gateway = self._document(path.gateway, "gateway", unread)
        declared_site = declared_in(self.graph, site_of(declared))
        site = self._document(site_of(declared), "site", unread)
        subnet = self._document(_subnet_of(gateway), "subnet", unread)
        table = self._document(ArmId.of(value_at(subnet, "properties.routeTable.id")), "route table", unread)
        group_id = ArmId.of(value_at(subnet, "properties.networkSecurityGroup.id"))
        group = self._document(group_id, "security group", unread)
        found = Seen(
            link_name(subject, path),
            path.address,
            connection,
            gateway,
            site,
            declared,
            declared_site,
            self._addresses(site or declared_site, path, unread),
            bound=path.bound,
            instance=self._instance(path),
            incident=self._incident(path.gateway, unread),
            route_table=table,
            security_group=group,
            unread=unread,
            log=self._log(path.gateway),
            log_switch=self._log_switch(path.gateway),
            networks=self.expected.networks.get(path.gateway, ()),
        )
        return self._with_verdict(found, subject, path, verdict, own)

    def _instance(self, path: PathExpectation) -> int | None:
        known = self.graph.resources.get(path.address)
        return known.instance if isinstance(known, Connection) else None

    def _with_verdict(
        self,
        seen: Seen,
        subject: SubjectExpectation,
        path: PathExpectation,
        verdict: SubjectVerdict,
        own: PathVerdict,
    ) -> Seen:
        """With sessions, prefixes and associations as they were judged."""
        sessions = tuple((one.local, one.neighbour, one.state) for one in own.sessions)
        up = [one for one in sessions if one[2] == "Connected"]
        if path.one_session and up:
            sessions = tuple(up)
        all_up = bool(sessions) and len(up) == len(sessions)
        silent = own.reason if path.bgp and own.word == "unknown" and not sessions else ""
        wrong = (own.reason,) if own.word == "degraded" and seen.is_connected and (all_up or not path.bgp) else ()
        missing = self._missing(subject, path) if all_up and subject.expects and verdict.word != "up" else ()
        unread = missing.reason if isinstance(missing, Unknown) else ""
        return replace(
            seen,
            sessions=sessions,
            sessions_unread=silent,
            negotiated=tuple(filter(None, wrong)),
            missing_prefixes=() if isinstance(missing, Unknown) else missing,
            prefixes_unread=unread,
            notes=tuple(dict.fromkeys((*own.notes, *verdict.notes))),
        )

    def _missing(self, subject: SubjectExpectation, path: PathExpectation) -> tuple[str, ...] | Unknown:
        learned = self._answer(AskLearned(path.gateway), Routes)
        return missing_prefixes(subject.expects, path.neighbours, learned)

    def _answer(self, question: TunnelQuestion, kind: type[R]) -> R | Unknown:
        if not self._answers.has(question):
            self._answers.update(self.session.ask([question]))
        return self._answers.get(question, kind)

    # --- Azure itself ------------------------------------------------------------------------------------------------

    def _incident(self, gateway: ArmId, unread: dict[str, str]) -> str:
        """What Azure says of its own trouble: now, or so short a time ago that tunnels may still be coming back."""
        health = self._answer(AskHealth(gateway), Health)
        if isinstance(health, Unknown):
            unread["health"] = health.reason
            return ""
        if health.state in ("Unavailable", "Degraded"):
            return f"Azure says of the gateway: {health.summary or health.state}."
        if health.resolved is not None and health.resolved < RECENT:
            return f"The gateway was away until {duration(health.resolved)} ago: {health.summary or health.state}."
        return ""

    def _log_of(self, gateway: ArmId) -> GatewayLog | LogUnread:
        return self.session.logs().of(gateway, self.since)

    def _log_switch_of(self, gateway: ArmId) -> str:
        """The line that switches the logs on; empty where a setting of anybody keeps them, or rows are there."""
        log = self._log(gateway)
        if isinstance(log, LogUnread) or log.newest is not None or self._is_kept(gateway):
            return ""
        known = self.graph.by_id.get(gateway)
        line = 'Add diagnostics=Diagnostics(workspace="...") to the gateway'
        told = self.session.place.told(Finding("R-SEC-09", address=known.address if known else "", advice=line))
        where = f" at {told.location}" if told.location else ""
        return f"{told.advice}{where}; it must be on before the failure."

    def _is_kept(self, gateway: ArmId) -> bool:
        """Whether a workspace gets the IKE log, as Azure says or, where that may not be read, the blueprint."""
        listing = Listing(gateway, DIAGNOSTIC_SETTINGS)
        try:
            found = [one.document or {} for one in self.session.cloud.listed([listing])[listing]]
        except SignInFailed:
            raise
        except CloudError:
            settings = (one for one in self.graph.resources.values() if isinstance(one, DiagnosticSetting))
            found = [one.body() for one in settings if one.id.parent == gateway]
        return any(_keeps_ike(one) for one in found)

    # --- addresses ---------------------------------------------------------------------------------------------------

    def _addresses(self, site: Mapping[str, Any], path: PathExpectation, unread: dict[str, str]) -> tuple[str, ...]:
        """Of the device; of a name what it leads to; of another gateway all of its own."""
        said = value_at(site, "properties.gatewayIpAddress")
        if isinstance(said, str):
            return (said,)
        if found := azure_addresses(self._document(path.far_gateway, "other gateway", unread)):
            return tuple(found)
        name = value_at(site, "properties.fqdn")
        return self._resolved(name) if isinstance(name, str) else ()

    def _resolve(self, name: str) -> tuple[str, ...]:
        if self.session.place.cloud == "simulator":
            return ()  # its names are nobody's
        try:
            found = socket.getaddrinfo(name, 500, socket.AF_INET, socket.SOCK_DGRAM)
        except OSError:
            return ()
        return tuple(dict.fromkeys(str(one[4][0]) for one in found))

    def _with_devices(self, seen: Seen, gateway: ArmId, others: Sequence[Seen]) -> Seen:
        """A name that leads nowhere from here is the one address in the log that no other connection has."""
        if seen.devices or not isinstance(seen.log, GatewayLog):
            return seen
        paths = [path for path in self.expected.paths if path.gateway == gateway]
        known: set[str] = set()
        nameless = 0
        for path in paths:
            site = declared_in(self.graph, site_of(declared_in(self.graph, path.connection)))
            addresses = self._addresses(site, path, {})
            known.update(addresses)
            nameless += not addresses
        left = seen.log.remotes - known
        return replace(seen, devices=tuple(left)) if nameless == 1 and len(left) == 1 else seen

    # --- the key -----------------------------------------------------------------------------------------------------

    def _key(self, seen: Seen) -> KeyWord:
        resource = self.graph.resources.get(seen.address)
        reference = lookup(resource.body(), "properties.sharedKey") if resource is not None else None
        key = self.session.key()
        if resource is None or not isinstance(reference, SECRET_TYPES) or key is None:
            return ""
        try:
            value = self.session.secrets().resolve(reference)
        except SecretError:
            return "not resolved"
        try:
            theirs = self.session.cloud.shared_key(resource.id)
        except CloudError:
            return "not told"
        same = key.fingerprint(value.value).same_value(theirs) if isinstance(theirs, Fingerprint) else None
        return "not told" if same is None else "equal" if same else "different"


def _subnet_of(gateway: Mapping[str, Any] | None) -> ArmId | None:
    configurations = objects(value_at(gateway, "properties.ipConfigurations"))
    found = (ArmId.of(value_at(one, "properties.subnet.id")) for one in configurations)
    return next((one for one in found if one is not None), None)


def _keeps_ike(setting: Mapping[str, Any]) -> bool:
    logs = objects(value_at(setting, "properties.logs"))
    kept = {str(one.get("category") or one.get("categoryGroup")).lower() for one in logs if one.get("enabled")}
    return bool(value_at(setting, "properties.workspaceId")) and bool(kept & {"ikediagnosticlog", "alllogs"})
