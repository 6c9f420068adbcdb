"""Is it up: ask what a blueprint leads to expect, look twice before anybody is told that something is down.

Asks and never changes. By default one GET for each connection and one question about BGP for each gateway; more only
about what was named or is not up. Nothing is asked by POST while a run holds the state's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.matching import match
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.journal import LoadedState
from vpngw_iac.state.log import LoggedWrite, own_writes, seconds_between
from vpngw_iac.text import listed, plural, suggestion_among
from vpngw_iac.usecases.planner import load_state
from vpngw_iac.usecases.session import Session, said_by
from vpngw_iac.verify import bgp, judging, others
from vpngw_iac.verify.associations import has_differences, judge_associations, last_change, missing_pairs
from vpngw_iac.verify.expectation import (
    Expectations,
    PathExpectation,
    SubjectExpectation,
    expectations_of,
    policy_in,
    pool_in,
)
from vpngw_iac.verify.nic import nic_notes
from vpngw_iac.verify.questions import (
    Answers,
    AskAdvertised,
    AskAssociations,
    AskConnection,
    AskEffectiveRoutes,
    AskGateway,
    AskHealth,
    AskLastWrite,
    AskLearned,
    AskNeighbour,
    Associations,
    ConnectionStatus,
    EffectiveRoutes,
    GatewayStatus,
    Health,
    LastWrite,
    Routes,
    TunnelQuestion,
    Unknown,
)
from vpngw_iac.verify.trouble import excused, excused_circuit
from vpngw_iac.verify.verdict import CARRIES, PathVerdict, SubjectVerdict, Verification, confirmed, count_tunnels

SECOND_LOOK = 60.0
"""Seconds between the two looks that "down" needs."""
MAINTENANCE = 180.0
"""Seconds for which an unplanned failover interrupts at most (page "Highly available gateway connectivity"): where
Azure does not tell the health of a gateway, nothing shorter is known to be down."""
_AGAIN = 30.0
"""Seconds between two rounds while somebody waits for the other side."""


@dataclass(frozen=True, slots=True)
class VerifyRequest:
    """What was asked for."""

    names: tuple[str, ...] = ()
    """Sites, pairs, circuit links, `clients of GATEWAY`; none for all."""
    wait: float = 0.0
    """Seconds to wait at most for what is not up yet."""
    nic: ArmId | None = None
    """A network interface from which the way to the sites is looked at."""


def verify(session: Session, request: VerifyRequest) -> Verification:
    """The verdict on everything that is expected. Raises `UsageError` for a name that nothing bears."""
    with session.redacted():
        loaded = load_state(session)
        expected = expectations_of(graph_of(session, loaded))
        _check_names(request.names, expected)
        return verified(session, request, loaded, expected)


def verified(
    session: Session, request: VerifyRequest, loaded: LoadedState | None, expected: Expectations
) -> Verification:
    """The verdict on what is expected, for whoever knows that and the state already."""
    owner = session.store().owner()
    entries = loaded.state.by_id() if loaded is not None else {}
    applied = {identifier: entry.applied for identifier, entry in entries.items()}
    verifier = _Verifier(session, expected, request, applied, may_post=owner is None)
    found = verifier.go()
    if owner is None:
        return found
    held = f"A run is in progress ({owner.describe()}): BGP, policies and circuits were not asked for."
    return replace(found, notices=(held, *found.notices))


def graph_of(session: Session, loaded: LoadedState | None) -> Graph:
    """What is declared, under the names that the state keeps."""
    graph = Graph.of(session.compiled)
    if loaded is None:
        return graph
    return match(graph, loaded.state, said_by(session.declared, "moved")).graph


def tunnels_line(session: Session) -> str:
    """``12 of 24 tunnels up, 12 never up``, read once and at once; empty where the blueprint has no tunnel."""
    expected = expectations_of(graph_of(session, load_state(session)))
    paths = [path for subject in expected.subjects if subject.kind != "circuit" for path in subject.paths]
    answers = Answers(session.ask([AskConnection(path.connection) for path in paths])) if paths else Answers()
    judged = [judging.judge_path(path, answers, applied=True) for path in paths]
    up, every, never, silent = count_tunnels(judged)
    if not every:
        return ""
    down = every - up - never - silent
    told = [(never, "never up"), (down, "not up"), (silent, "not told yet")]
    rest = "".join(f", {count} {word}" for count, word in told if count)
    return f"{up} of {plural(every, 'tunnel')} up{rest}" + ("" if up == every else "; `vpngw verify` looks again") + "."


def _check_names(names: Iterable[str], expected: Expectations) -> None:
    known = {subject.name for subject in expected.subjects}
    for name in names:
        if name.lower() not in {one.lower() for one in known}:
            advice = suggestion_among(name, known, "nothing to verify")
            raise UsageError(f"The blueprint has no {name!r}.", advice=advice)


@dataclass
class _Verifier:
    session: Session
    expected: Expectations
    request: VerifyRequest
    applied: Mapping[ArmId, Mapping[str, Any]]
    """The body of each resource as it was applied last: what is declared since then is not in Azure yet."""
    may_post: bool
    answers: Answers = field(default_factory=Answers)
    paths: dict[str, PathVerdict] = field(default_factory=dict)
    subjects: dict[str, SubjectVerdict] = field(default_factory=dict)
    since: dict[str, float] = field(default_factory=dict)
    """Since when each subject looks down."""
    notices: list[str] = field(default_factory=list)

    def go(self) -> Verification:
        """Look until everything is up or the time is over; look twice at what is not; then closely."""
        clock, until = self.session.clock, self.session.clock.now() + self.request.wait
        wanted = self.expected.named(self.request.names) if self.request.names else self.expected
        self._look(wanted)
        while (waiting := self._not_up(wanted)) and clock.now() + _AGAIN <= until:
            clock.sleep(_AGAIN)
            self._look(waiting)
        self._look_twice(wanted)
        self._details(wanted)
        subjects = [self.subjects[subject.key] for subject in wanted.subjects]
        if self.request.nic is not None:
            subjects = self._from_nic(self.request.nic, wanted, subjects)
        return Verification(self.session.deployment, tuple(subjects), tuple(dict.fromkeys(self.notices)))

    def _ask(self, questions: Sequence[TunnelQuestion]) -> None:
        if questions:
            self.answers.update(self.session.ask(questions))

    def _post(self, questions: Sequence[TunnelQuestion]) -> None:
        """Ask by POST, or say why nothing is asked where none may be sent."""
        if not self.may_post:
            self.answers.update({one: Unknown("a run is in progress, nothing was asked") for one in questions})
            return
        self._ask(questions)

    # --- looking -----------------------------------------------------------------------------------------------------

    def _look(self, wanted: Expectations) -> None:
        """Everything once; remembers since when something looks down."""
        self.paths |= self._looked_at(list(wanted.paths), wanted)
        now = self.session.clock.now()
        for subject in wanted.subjects:
            verdict = self.subjects[subject.key] = self._subject(subject)
            if _is_suspect(verdict):
                self.since.setdefault(subject.key, now)
            else:
                self.since.pop(subject.key, None)

    def _not_up(self, wanted: Expectations) -> Expectations | None:
        """What is live and not up; None when nothing is left to wait for."""
        left = tuple(one for one in wanted.subjects if one.live and self.subjects[one.key].word != "up")
        return Expectations(left, wanted.networks) if left else None

    def _look_twice(self, wanted: Expectations) -> None:
        """What looks down is looked at again, a minute after it first did."""
        suspects = [subject for subject in wanted.subjects if subject.key in self.since]
        if suspects:
            latest = max(self.since[subject.key] for subject in suspects)
            self.session.clock.sleep(max(0.0, latest + SECOND_LOOK - self.session.clock.now()))
            self._second_look(Expectations(tuple(suspects), wanted.networks))
            if unsure := tuple(one for one in suspects if self._could_be_maintenance(one)):
                self.session.clock.sleep(max(0.0, latest + MAINTENANCE - self.session.clock.now()))
                self._second_look(Expectations(unsure, wanted.networks))

    def _could_be_maintenance(self, subject: SubjectExpectation) -> bool:
        """Whether it looks down, and Azure does not tell how a gateway is since then."""
        if subject.key not in self.since or not _is_suspect(self.subjects[subject.key]):
            return False
        seen = self.session.clock.now() - self.since[subject.key]
        healths = [self.answers.get(AskHealth(one), Health) for one in subject.carriers]
        return any(isinstance(one, Unknown) or not one.is_since(seen) for one in healths)

    def _looked_at(self, again: Sequence[PathExpectation], wanted: Expectations) -> dict[str, PathVerdict]:
        """Each of `again` once, one question about BGP for each gateway of `wanted`; the verdicts of all its paths."""
        gets: list[TunnelQuestion] = [AskConnection(path.connection) for path in again]
        for subject in wanted.subjects:
            gets += others.circuit_questions(subject)
            gets += [AskGateway(subject.gateway)] if subject.gateway is not None else []
        self._ask(gets)
        verdicts = {path.address: self._path(path) for path in wanted.paths}
        posts = judging.session_questions(wanted, verdicts)
        for subject in wanted.subjects:
            posts += others.path_questions(subject, self.answers)
        self._ask([one for one in posts if _is_get(one)])
        self._post([one for one in posts if not _is_get(one)])
        return {
            path.address: judging.with_sessions(path, verdicts[path.address], self.answers) for path in wanted.paths
        }

    def _path(self, path: PathExpectation) -> PathVerdict:
        return judging.judge_path(path, self.answers, applied=path.connection in self.applied)

    def _subject(self, subject: SubjectExpectation) -> SubjectVerdict:
        mine = tuple(self.paths[path.address] for path in subject.paths)
        if subject.kind == "circuit":
            linked = any(path.connection in self.applied for path in subject.paths)
            return others.judge_circuit(subject, mine, self.answers, asked=self.may_post, applied=linked)
        if subject.kind == "clients":
            pool = pool_in(self.applied.get(subject.gateway, {})) if subject.gateway is not None else ()
            return others.judge_clients(subject, self.answers, pool)
        return judging.judge_subject(subject, mine, self.answers)

    def _second_look(self, suspects: Expectations) -> None:
        """Look again at all suspects side by side, and ask Azure whether it is at work itself."""
        doubtful = [path for path in suspects.paths if self.paths[path.address].is_suspect]
        for address, seen in self._looked_at(doubtful, suspects).items():
            self.paths[address] = confirmed(self.paths[address], seen)
        before = {subject.key: self.subjects[subject.key] for subject in suspects.subjects}
        after = {subject.key: self._subject(subject) for subject in suspects.subjects}
        still = [one for one in suspects.subjects if _is_suspect(after[one.key]) and one.kind != "clients"]
        gateways = dict.fromkeys(one for subject in still for path in subject.paths for one in path.gateways)
        carriers = dict.fromkeys(one for subject in still for one in subject.carriers)
        self._ask([*map(AskGateway, gateways), *map(AskHealth, carriers)])
        for subject in suspects.subjects:
            verdict = self._excused(subject, after[subject.key]) if subject in still else after[subject.key]
            if verdict.word == "down" and before[subject.key].word not in ("down", "degraded"):
                told = f"{verdict.reason}; it was {before[subject.key].word} a minute before"
                verdict = verdict.judged("unknown", told)
            self.subjects[subject.key] = verdict

    def _excused(self, subject: SubjectExpectation, verdict: SubjectVerdict) -> SubjectVerdict:
        """The verdict with what Azure says of the gateways: of paths that are not up, else of the prefixes."""
        if subject.circuit is not None:
            health = self.answers.get(AskHealth(subject.circuit.circuit), Health)
            return excused_circuit(verdict, health)
        by_paths = any(self.paths[path.address].is_suspect for path in subject.paths)
        for path, each in ((one, gateway) for one in subject.paths for gateway in one.gateways):
            health = self.answers.get(AskHealth(each), Health)
            gateway = self.answers.get(AskGateway(each), GatewayStatus)
            if self.paths[path.address].is_suspect:
                self.paths[path.address] = excused(self.paths[path.address], gateway, health)
            elif not by_paths:
                whole = PathVerdict(path.address, path.connection, verdict.word, verdict.reason)
                verdict = verdict.judged((told := excused(whole, gateway, health)).word, told.reason)
        return self._subject(subject) if by_paths else verdict

    # --- details of what was named or is not up ----------------------------------------------------------------------

    def _details(self, wanted: Expectations) -> None:
        """Closely: what was named; of the rest what is not as it should be and carries: others negotiated nothing."""
        chosen = [subject for subject in wanted.subjects if subject.kind in ("site", "pair")]
        named = [subject for subject in chosen if subject.name.lower() in {name.lower() for name in self.request.names}]
        rest = [one for one in chosen if one not in named and _is_suspect(self.subjects[one.key])]
        paths = [path for subject in named for path in subject.paths if self.paths[path.address].tunnels]
        paths += [path for subject in rest for path in subject.paths if _carries(self.paths[path.address])]
        self._associations(paths)
        self._advertised(named, wanted)
        for subject in (*named, *rest):
            before = self.subjects[subject.key]
            after = self._subject(subject).noted(*before.notes)
            # Details make nothing better: what was down or unknown by its tunnels stays so.
            kept = after if before.word in CARRIES else replace(after, word=before.word, reason=before.reason)
            self.subjects[subject.key] = kept

    def _associations(self, every: Sequence[PathExpectation]) -> None:
        self._post([AskAssociations(path.connection, path.gateway) for path in every])
        known = {path.address: self._negotiated(path) for path in every}
        every = [self._as_applied(path) for path in every]
        differing = [path for path in every if has_differences(path, known[path.address])]
        self._ask([AskLastWrite(path.connection) for path in differing])
        remembered = own_writes(self.session.store().history()) if differing else {}
        for path in every:
            ours = remembered.get(path.connection, LoggedWrite())
            self._judge_associations(path, known[path.address], ours)

    def _as_applied(self, path: PathExpectation) -> PathExpectation:
        """With the policy that Azure has: nobody can have negotiated one that is declared and not applied yet."""
        body = self.applied.get(path.connection)
        if body is None or (policy := policy_in(body)) == path.policy:
            return path
        told = "the policy that is declared is not applied yet; associations are judged by the one before"
        self.paths[path.address] = self.paths[path.address].noted(told)
        return replace(path, policy=policy)

    def _negotiated(self, path: PathExpectation) -> Associations | Unknown:
        return self.answers.get(AskAssociations(path.connection, path.gateway), Associations)

    def _judge_associations(self, path: PathExpectation, reply: Associations | Unknown, ours: LoggedWrite) -> None:
        logged = self.answers.get(AskLastWrite(path.connection), LastWrite)
        changed = last_change(logged, self._ago(ours.put), self._ago(ours.known))
        seen = self.answers.get(AskConnection(path.connection), ConnectionStatus)
        if isinstance(seen, ConnectionStatus) and path.policy is not None and not path.policy.is_same(seen.policy):
            changed = LastWrite(None)  # whatever its age: what Azure has is not what is declared
        found, verdict = judge_associations(path, reply, changed), self.paths[path.address]
        if isinstance(reply, Associations):
            verdict = replace(verdict, associations=reply.items)
            if path.selectors and (silent := missing_pairs(path, reply.items)):
                verdict = verdict.noted(f"{plural(silent, 'declared pair')} carry nothing just now: not known")
        if found.wrong and verdict.word in CARRIES:
            told = "; ".join((*filter(None, [verdict.reason]), *found.wrong))
            verdict = verdict.judged("degraded", told)
        self.paths[path.address] = verdict.noted(*found.notes)

    def _ago(self, at: str) -> float | None:
        """Seconds since a time that we remember."""
        passed = seconds_between(at, self.session.clock.utc())
        return None if passed is None else max(0.0, passed)

    def _advertised(self, chosen: Sequence[SubjectExpectation], wanted: Expectations) -> None:
        """What connected neighbours of named sites are told."""
        asked: dict[str, list[tuple[str, TunnelQuestion]]] = {}
        for path in (path for subject in chosen for path in subject.paths if path.bgp and not path.translated):
            up = bgp.connected(self.paths[path.address].sessions)
            asked[path.address] = [(one, AskAdvertised(path.gateway, one)) for one in up]
        by_address = {path.address: path for path in wanted.paths}
        self._post([AskLearned(by_address[address].gateway) for address, pairs in asked.items() if pairs])
        self._post([question for pairs in asked.values() for _, question in pairs])
        for address, pairs in asked.items():
            for neighbour, question in pairs:
                told = self._told(by_address[address], neighbour, question, wanted, self.paths[address])
                self.paths[address] = told

    def _told(
        self,
        path: PathExpectation,
        neighbour: str,
        question: TunnelQuestion,
        wanted: Expectations,
        verdict: PathVerdict,
    ) -> PathVerdict:
        learned = self.answers.get(AskLearned(path.gateway), Routes)
        announced = (
            {row.prefix for row in learned.rows if row.peer == neighbour} if isinstance(learned, Routes) else set()
        )
        networks = wanted.networks.get(path.gateway, ())
        lacking = bgp.not_told(networks, announced, self.answers.get(question, Routes))
        if isinstance(lacking, Unknown):
            return verdict.noted(f"Routes that {neighbour} is told: {lacking.reason}.")
        if not lacking or verdict.word not in CARRIES:
            return verdict
        told = f"{neighbour} is not told {listed(lacking)}"
        return verdict.judged("degraded", "; ".join(filter(None, [verdict.reason, told])))

    # --- from a machine ----------------------------------------------------------------------------------------------

    def _from_nic(self, nic: ArmId, wanted: Expectations, subjects: Sequence[SubjectVerdict]) -> list[SubjectVerdict]:
        gateways = list(dict.fromkeys(path.gateway for path in wanted.paths))
        self._ask([AskGateway(gateway) for gateway in gateways])
        self._post([AskEffectiveRoutes(nic)])
        seen = self.answers.get(AskEffectiveRoutes(nic), EffectiveRoutes)
        if isinstance(seen, Unknown):
            self.notices.append(f"Effective routes of {nic.name}: {seen.reason}.")
            return list(subjects)
        known = {gateway: self.answers.get(AskGateway(gateway), GatewayStatus) for gateway in gateways}
        notes = [nic_notes(nic.name, one, seen, known) for one in wanted.subjects]
        return [verdict.noted(*told) for verdict, told in zip(subjects, notes, strict=True)]


def _is_get(question: TunnelQuestion) -> bool:
    """Whether it is asked without a POST, among the questions about sessions."""
    return isinstance(question, AskGateway | AskNeighbour)


def _is_suspect(verdict: SubjectVerdict) -> bool:
    return verdict.word in ("down", "degraded")


def _carries(verdict: PathVerdict) -> bool:
    """Whether a tunnel of it is up, whatever else is wrong."""
    return any(tunnel.is_up for tunnel in verdict.tunnels)
