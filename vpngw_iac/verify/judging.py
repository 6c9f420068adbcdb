"""From expectations and replies to verdicts: paths first, then sites. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from vpngw_iac.arm import ArmId
from vpngw_iac.text import listed
from vpngw_iac.verify import bgp
from vpngw_iac.verify.expectation import Expectations, PathExpectation, SubjectExpectation
from vpngw_iac.verify.questions import (
    Answers,
    AskConnection,
    AskGateway,
    AskLearned,
    AskNeighbour,
    AskSessions,
    ConnectionStatus,
    GatewayStatus,
    Neighbour,
    Routes,
    Sessions,
    TunnelQuestion,
    Unknown,
)
from vpngw_iac.verify.tunnels import judge_tunnels
from vpngw_iac.verify.verdict import CARRIES, PathVerdict, SubjectVerdict, together

PREFERRED = "VPN ready; ExpressRoute is preferred while its session is up"


def session_questions(expected: Expectations, verdicts: Mapping[str, PathVerdict]) -> list[TunnelQuestion]:
    """One question for each gateway with a BGP path that carries; learned routes only where a site expects some."""
    found: list[TunnelQuestion] = []
    for subject in expected.subjects:
        for path in subject.paths:
            carries = path.bgp and path.address in verdicts and verdicts[path.address].word in CARRIES
            if not carries:
                continue
            found.append(AskSessions(path.gateway))
            if subject.expects:
                found.append(AskLearned(path.gateway))
            if not path.neighbours and path.neighbour_of is not None:
                found.append(_neighbour_question(path.neighbour_of))
    return list(dict.fromkeys(found))


def _neighbour_question(of: ArmId) -> TunnelQuestion:
    return AskNeighbour(of) if of.type.lower().endswith("/localnetworkgateways") else AskGateway(of)


def neighbours_of(path: PathExpectation, answers: Answers) -> tuple[str, ...]:
    """BGP addresses of the other side: as declared, else as another document tells them."""
    if path.neighbours or path.neighbour_of is None:
        return path.neighbours
    question = _neighbour_question(path.neighbour_of)
    if isinstance(device := answers.get(question, Neighbour), Neighbour):
        return (device.address,) if device.address else ()
    gateway = answers.get(question, GatewayStatus)
    addresses = {} if isinstance(gateway, Unknown) else gateway.addresses or {}
    if path.far_instance:
        return addresses.get(path.far_instance.lower(), ())
    return tuple(address for each in addresses.values() for address in each)


def judge_path(path: PathExpectation, answers: Answers, *, applied: bool) -> PathVerdict:
    """The verdict of one connection by its own answer."""
    return judge_tunnels(path, answers.get(AskConnection(path.connection), ConnectionStatus), applied=applied)


def with_sessions(path: PathExpectation, verdict: PathVerdict, answers: Answers) -> PathVerdict:
    """The same with its BGP sessions, as far as its tunnels carry."""
    if not path.bgp or verdict.word not in CARRIES:
        return verdict
    neighbours = neighbours_of(path, answers)
    if not neighbours:
        return verdict.judged("unknown", "BGP sessions: the address of the neighbour is not known")
    return bgp.judge_sessions(path, neighbours, verdict, answers.get(AskSessions(path.gateway), Sessions))


def judge_subject(subject: SubjectExpectation, paths: Iterable[PathVerdict], answers: Answers) -> SubjectVerdict:
    """A site or a pair from its paths, with the prefixes that it must announce."""
    found = tuple(paths)
    word, reason = together(found)
    verdict = SubjectVerdict(subject.name, subject.kind, word, reason, subject.live, found)
    if subject.expects and word in CARRIES:
        verdict = _with_prefixes(subject, verdict, answers)
    if subject.backup_of_circuit and verdict.word in CARRIES:
        verdict = verdict.noted(PREFERRED)
    return verdict


def _with_prefixes(subject: SubjectExpectation, verdict: SubjectVerdict, answers: Answers) -> SubjectVerdict:
    """Learned by any instance of any of its gateways is learned."""
    spoken = [path for path in subject.paths if path.bgp]
    if not spoken:
        return verdict.noted(f"{listed(subject.expects)} cannot be looked for: no link speaks BGP.")
    neighbours = {address for path in spoken for address in neighbours_of(path, answers)}
    missing, doubts = set(subject.expects), []
    for gateway in dict.fromkeys(path.gateway for path in spoken):
        lacking = bgp.missing_prefixes(subject.expects, neighbours, answers.get(AskLearned(gateway), Routes))
        if isinstance(lacking, Unknown):
            doubts.append(lacking.reason)
        else:
            missing &= set(lacking)
    if not missing:
        return verdict
    if doubts:
        return verdict.judged("unknown", f"learned routes: {'; '.join(doubts)}")
    told = f"not learned: {listed(sorted(missing))}"
    if missing == set(subject.expects):
        return verdict.judged("down", f"the session is up, but nothing that is expected is announced ({told})")
    return verdict.judged("degraded", "; ".join(part for part in (verdict.reason, told) if part))
