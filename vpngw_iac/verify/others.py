"""Circuits and clients: what their answers make of them. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from vpngw_iac.arm import ArmId
from vpngw_iac.preflight.prefixes import network
from vpngw_iac.text import listed, plural
from vpngw_iac.verify.expectation import SubjectExpectation
from vpngw_iac.verify.questions import (
    Answers,
    AskCircuit,
    AskCircuitPath,
    AskGateway,
    AskPeering,
    CircuitPath,
    CircuitStatus,
    GatewayStatus,
    PathTables,
    PeeringStatus,
    TunnelQuestion,
    Unknown,
)
from vpngw_iac.verify.verdict import PathVerdict, SubjectVerdict, Word

_BEFORE: Mapping[str, tuple[Word, str]] = {
    "": ("unknown", "Azure does not tell its provider state"),
    "notprovisioned": ("never up", "the provider has not provisioned it"),
    "provisioning": ("never up", "the provider is still provisioning it"),
    "deprovisioning": ("down", "its provider state is Deprovisioning: the provider takes it back"),
}
"""What a circuit is that no provider holds ready (values: the SDK's `ServiceProviderProvisioningState`)."""
PATHS: tuple[CircuitPath, ...] = ("primary", "secondary")


def circuit_questions(expected: SubjectExpectation) -> list[TunnelQuestion]:
    """What is asked of the circuit at the end of a link, by GET."""
    return [AskCircuit(expected.circuit.circuit), AskPeering(expected.circuit.peering)] if expected.circuit else []


def path_questions(expected: SubjectExpectation, answers: Answers) -> list[TunnelQuestion]:
    """The tables of both paths: only of a peering that is there on a circuit that is provisioned."""
    if expected.circuit is None:
        return []
    status = answers.get(AskCircuit(expected.circuit.circuit), CircuitStatus)
    peering = answers.get(AskPeering(expected.circuit.peering), PeeringStatus)
    if isinstance(status, Unknown) or isinstance(peering, Unknown) or not peering.present:
        return []
    if status.provider.lower() != "provisioned":
        return []
    return [AskCircuitPath(expected.circuit.peering, path) for path in PATHS]


def judge_circuit(
    expected: SubjectExpectation, paths: tuple[PathVerdict, ...], answers: Answers, *, asked: bool, applied: bool
) -> SubjectVerdict:
    """Provider, private peering, ARP and routes of both paths; `asked`: by POST too; `applied`: it was linked."""
    verdict = SubjectVerdict(expected.name, "circuit", "unknown", paths=paths)
    if expected.circuit is None:
        return verdict
    status = answers.get(AskCircuit(expected.circuit.circuit), CircuitStatus)
    if isinstance(status, Unknown):
        return verdict.judged("unknown", f"the circuit: {status.reason}")
    if not status.present:
        return verdict.judged("unknown", "the circuit is not there")
    if status.provider.lower() != "provisioned":
        word, reason = _BEFORE.get(status.provider.lower(), ("unknown", f"its provider state is {status.provider}"))
        return verdict.judged(word, reason)
    peering = answers.get(AskPeering(expected.circuit.peering), PeeringStatus)
    if isinstance(peering, Unknown):
        return verdict.judged("unknown", f"its private peering: {peering.reason}")
    if not peering.present and not applied:
        return verdict.judged("unknown", "it is not applied yet")
    if not peering.present or peering.state.lower() == "disabled":
        return verdict.judged("down", "its private peering is " + ("disabled" if peering.present else "not there"))
    if not asked:
        return verdict.judged("unknown", "its ARP tables and routes were not asked for")
    return _by_paths(expected.circuit.peering, verdict, answers)


def _by_paths(peering: ArmId, verdict: SubjectVerdict, answers: Answers) -> SubjectVerdict:
    found = {path: _path(answers.get(AskCircuitPath(peering, path), PathTables)) for path in PATHS}
    notes = [f"{path} path: {_told(one)}" for path, one in found.items()]
    verdict = verdict.noted(*(note for note, one in zip(notes, found.values(), strict=True) if one is True))
    why = "; ".join(note for note, one in zip(notes, found.values(), strict=True) if one is not True)
    if all(one is True for one in found.values()):
        bad = [path for path in verdict.paths if path.word in ("down", "unknown")]
        reason = "; ".join(f"connection {path.connection.name}: {path.reason}" for path in bad)
        return verdict.judged("unknown", reason) if bad else verdict.judged("up", "")
    if any(isinstance(one, Unknown) for one in found.values()):
        return verdict.judged("unknown", why)
    if any(one is True for one in found.values()):
        return verdict.judged("degraded", why)
    return verdict.judged("down", why)


def _path(tables: PathTables | Unknown) -> bool | str | Unknown:
    """True if it carries; else what is wrong, or why nobody knows."""
    if isinstance(tables, Unknown):
        return tables
    if isinstance(tables.prefixes, int) and tables.prefixes > 0:
        return True
    if tables.arp is False:
        return "no ARP entry of the customer's router: layer 2, at the provider or the router"
    if isinstance(tables.prefixes, Unknown):
        return tables.prefixes
    if isinstance(tables.arp, Unknown):
        return tables.arp
    return "ARP is there and no route is learned: BGP"


def _told(found: bool | str | Unknown) -> str:
    if isinstance(found, Unknown):
        return found.reason
    return found if isinstance(found, str) else "ARP and routes are there"


def judge_clients(expected: SubjectExpectation, answers: Answers, applied: Iterable[str]) -> SubjectVerdict:
    """The gateway serves the pool; how many are connected is told and never judged. `applied`: what it once got."""
    verdict = SubjectVerdict(expected.name, "clients", "unknown")
    if expected.gateway is None:
        return verdict
    gateway = answers.get(AskGateway(expected.gateway), GatewayStatus)
    if isinstance(gateway, Unknown):
        return verdict.judged("unknown", gateway.reason)
    if not gateway.present:
        return verdict.judged("unknown", "the gateway is not there")
    if gateway.is_busy:
        return verdict.judged("unknown", f"the gateway is {gateway.state}")
    if gateway.clients is not None:
        verdict = verdict.noted(f"{plural(gateway.clients, 'client')} connected")
    served, once = set(map(_network, gateway.pool)), set(map(_network, applied))
    if missing := [prefix for prefix in expected.pool if _network(prefix) not in served]:
        if not once.issuperset(map(_network, missing)):
            return verdict.judged("unknown", f"{listed(missing)}: it is not applied yet")
        return verdict.judged("down", f"the gateway does not serve {listed(missing)}")
    if gateway.state.lower() != "succeeded":
        return verdict.judged("unknown", f"the gateway is {gateway.state}")
    return replace(verdict, word="up", reason="")


def _network(prefix: str) -> object:
    """A prefix in one spelling."""
    return network(prefix) or prefix
