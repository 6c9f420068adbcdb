"""Is it up: ask what a blueprint leads to expect, look twice before anybody is told that something is down.

Asks and never changes. By default one GET for each connection and one question about BGP for each gateway; more only
about what was named or is not up. Nothing is asked by POST while a run holds the state's lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.compare.matching import match
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.graph import Graph
from vpngw_iac.state.journal import LoadedState
from vpngw_iac.text import listed, plural, suggestion
from vpngw_iac.usecases.planner import load_state
from vpngw_iac.usecases.session import Session, said_by
from vpngw_iac.verify import bgp, judging, others
from vpngw_iac.verify.associations import has_differences, judge_associations, missing_pairs
from vpngw_iac.verify.expectation import Expectations, PathExpectation, SubjectExpectation, expectations_of
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
    EffectiveRoutes,
    GatewayStatus,
    Health,
    LastWrite,
    Routes,
    TunnelQuestion,
    Unknown,
)
from vpngw_iac.verify.trouble import excused
from vpngw_iac.verify.verdict import CARRIES, PathVerdict, SubjectVerdict, Verification, confirmed, count_tunnels

SECOND_LOOK = 60.0
"""Seconds between the two looks that "down" needs."""
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
        expected = expected_of(session, loaded)
        _check_names(request.names, expected)
        owner = session.store().owner()
        applied = frozenset(loaded.state.by_id()) if loaded is not None else frozenset()
        verifier = _Verifier(session, expected, request, applied, may_post=owner is None)
        found = verifier.go()
        if owner is None:
            return found
        held = f"A run is in progress ({owner.describe()}): BGP, policies and circuits were not asked for."
        return replace(found, notices=(held, *found.notices))


def expected_of(session: Session, loaded: LoadedState | None) -> Expectations:
    """What the blueprint leads to expect, under the names that the state keeps."""
    graph = Graph.of(session.compiled)
    if loaded is not None:
        graph = match(graph, loaded.state, said_by(session.declared, "moved")).graph
    return expectations_of(graph)


def tunnels_line(session: Session) -> str:
    """``12 of 24 tunnels up, 12 never up``, read once and at once; empty where the blueprint has no tunnel."""
    expected = expected_of(session, load_state(session))
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
            advice = suggestion(name, known) or f"It has: {listed(sorted(known)) or 'nothing to verify'}."
            raise UsageError(f"The blueprint has no {name!r}.", advice=advice)


@dataclass
class _Verifier:
    session: Session
    expected: Expectations
    request: VerifyRequest
    applied: frozenset[ArmId]
    may_post: bool
    answers: Answers = field(default_factory=Answers)
    notices: list[str] = field(default_factory=list)

    def go(self) -> Verification:
        """Rounds until everything is up or the time is over; each round looks twice at what is not."""
        clock, until = self.session.clock, self.session.clock.now() + self.request.wait
        wanted = self.expected.named(self.request.names) if self.request.names else self.expected
        found = {subject.name: verdict for subject, verdict in self._round(wanted)}
        while (waiting := _not_up(wanted, found)) and clock.now() + _AGAIN <= until:
            clock.sleep(_AGAIN)
            found |= {subject.name: verdict for subject, verdict in self._round(waiting)}
        subjects = [found[subject.name] for subject in wanted.subjects]
        if self.request.nic is not None:
            subjects = self._from_nic(self.request.nic, wanted, subjects)
        return Verification(self.session.deployment, tuple(subjects), tuple(dict.fromkeys(self.notices)))

    def _ask(self, questions: Sequence[TunnelQuestion]) -> None:
        """Ask; what would be a POST is left out where none may be sent."""
        if questions:
            self.answers.update(self.session.ask(questions))

    def _post(self, questions: Sequence[TunnelQuestion]) -> None:
        if not self.may_post:
            self.answers.update({one: Unknown("a run is in progress, nothing was asked") for one in questions})
            return
        self._ask(questions)

    # --- one round ---------------------------------------------------------------------------------------------------

    def _round(self, wanted: Expectations) -> list[tuple[SubjectExpectation, SubjectVerdict]]:
        paths = self._looked_at(list(wanted.paths), wanted)
        subjects = {subject.name: self._subject(subject, paths) for subject in wanted.subjects}
        suspects = [subject for subject in wanted.subjects if _is_suspect(subjects[subject.name])]
        if suspects:
            self.session.clock.sleep(SECOND_LOOK)
            self._second_look(Expectations(tuple(suspects), wanted.networks), paths, subjects)
        self._details(wanted, paths, subjects)
        return [(subject, subjects[subject.name]) for subject in wanted.subjects]

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

    def _subject(self, subject: SubjectExpectation, paths: Mapping[str, PathVerdict]) -> SubjectVerdict:
        mine = tuple(paths[path.address] for path in subject.paths)
        if subject.kind == "circuit":
            return others.judge_circuit(subject, mine, self.answers, asked=self.may_post)
        if subject.kind == "clients":
            return others.judge_clients(subject, self.answers)
        return judging.judge_subject(subject, mine, self.answers)

    def _second_look(
        self, suspects: Expectations, paths: dict[str, PathVerdict], subjects: dict[str, SubjectVerdict]
    ) -> None:
        """Look again at all suspects side by side, and ask Azure whether it is at work itself."""
        looked = self._looked_at([path for path in suspects.paths if paths[path.address].is_suspect], suspects)
        for address, verdict in looked.items():
            paths[address] = confirmed(paths[address], verdict)
        self._excuse([path for path in suspects.paths if paths[path.address].is_suspect], paths)
        for subject in suspects.subjects:
            before = subjects[subject.name]
            after = self._subject(subject, paths)
            if after.word == "down" and before.word not in ("down", "degraded"):
                after = after.judged("unknown", f"{after.reason}; it was {before.word} a minute before")
            subjects[subject.name] = after

    def _excuse(self, doubtful: Sequence[PathExpectation], paths: dict[str, PathVerdict]) -> None:
        gateways = list(dict.fromkeys(path.gateway for path in doubtful))
        self._ask([question for gateway in gateways for question in (AskGateway(gateway), AskHealth(gateway))])
        for path in doubtful:
            gateway = self.answers.get(AskGateway(path.gateway), GatewayStatus)
            health = self.answers.get(AskHealth(path.gateway), Health)
            paths[path.address] = excused(paths[path.address], gateway, health)

    # --- details of what was named or is not up ----------------------------------------------------------------------

    def _details(
        self, wanted: Expectations, paths: dict[str, PathVerdict], subjects: dict[str, SubjectVerdict]
    ) -> None:
        named = {name.lower() for name in self.request.names}
        chosen = [
            subject
            for subject in wanted.subjects
            if subject.kind in ("site", "pair")
            and (subject.name.lower() in named or subjects[subject.name].word != "up")
        ]
        self._associations(chosen, paths)
        told = [subject for subject in chosen if subject.name.lower() in named]
        self._advertised(told, wanted, paths)
        for subject in chosen:
            before = subjects[subject.name]
            after = self._subject(subject, paths).noted(*before.notes)
            # Details make nothing better: what was down or unknown by its tunnels stays so.
            subjects[subject.name] = (
                after if before.word in CARRIES else replace(after, word=before.word, reason=before.reason)
            )

    def _associations(self, chosen: Sequence[SubjectExpectation], paths: dict[str, PathVerdict]) -> None:
        every = [path for subject in chosen for path in subject.paths if paths[path.address].tunnels]
        self._post([AskAssociations(path.connection, path.gateway) for path in every])
        known = {path.address: self._negotiated(path) for path in every}
        differing = [path for path in every if has_differences(path, known[path.address])]
        self._ask([AskLastWrite(path.connection) for path in differing])
        for path in every:
            self._judge_associations(path, known[path.address], paths)

    def _negotiated(self, path: PathExpectation) -> Associations | Unknown:
        return self.answers.get(AskAssociations(path.connection, path.gateway), Associations)

    def _judge_associations(
        self, path: PathExpectation, reply: Associations | Unknown, paths: dict[str, PathVerdict]
    ) -> None:
        changed = self.answers.get(AskLastWrite(path.connection), LastWrite)
        found, verdict = judge_associations(path, reply, changed), paths[path.address]
        if isinstance(reply, Associations):
            verdict = replace(verdict, associations=reply.items)
            if path.selectors and (silent := missing_pairs(path, reply.items)):
                verdict = verdict.noted(f"{plural(silent, 'declared pair')} carry nothing just now: not known")
        if found.wrong and verdict.word in CARRIES:
            told = "; ".join((*filter(None, [verdict.reason]), *found.wrong))
            verdict = verdict.judged("degraded", told)
        paths[path.address] = verdict.noted(*found.notes)

    def _advertised(
        self, chosen: Sequence[SubjectExpectation], wanted: Expectations, paths: dict[str, PathVerdict]
    ) -> None:
        """What connected neighbours of named sites are told."""
        asked: dict[str, list[tuple[str, TunnelQuestion]]] = {}
        for path in (path for subject in chosen for path in subject.paths if path.bgp and not path.translated):
            up = bgp.connected(paths[path.address].sessions)
            asked[path.address] = [(one, AskAdvertised(path.gateway, one)) for one in up]
        by_address = {path.address: path for path in wanted.paths}
        self._post([AskLearned(by_address[address].gateway) for address, pairs in asked.items() if pairs])
        self._post([question for pairs in asked.values() for _, question in pairs])
        for address, pairs in asked.items():
            for neighbour, question in pairs:
                paths[address] = self._told(by_address[address], neighbour, question, wanted, paths[address])

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
        notes = {one.name: nic_notes(nic.name, one, seen, known) for one in wanted.subjects}
        return [verdict.noted(*notes[verdict.name]) for verdict in subjects]


def _is_get(question: TunnelQuestion) -> bool:
    """Whether it is asked without a POST, among the questions about sessions."""
    return isinstance(question, AskGateway | AskNeighbour)


def _is_suspect(verdict: SubjectVerdict) -> bool:
    return verdict.word in ("down", "degraded") and verdict.live


def _not_up(wanted: Expectations, found: Mapping[str, SubjectVerdict]) -> Expectations | None:
    """What is live and not up; None when nothing is left to wait for."""
    left = tuple(one for one in wanted.subjects if one.live and found[one.name].word != "up")
    return Expectations(left, wanted.networks) if left else None
