"""Why it is not up: look at what is not as declared, and conclude; or read a log that somebody handed over.

Asks and never changes. What cannot be read is told as not known, with what would help; it is never a cause.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import UsageError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import value_at
from vpngw_iac.resources.graph import Graph
from vpngw_iac.text import listed, suggestion_among
from vpngw_iac.usecases.diagnosis_reading import DiagnosisReading, declared_in, link_name, site_of
from vpngw_iac.usecases.planner import load_state
from vpngw_iac.usecases.session import Session
from vpngw_iac.usecases.verifier import VerifyRequest, graph_of, verified
from vpngw_iac.verify.diagnosis import DiagnosisReport, Seen
from vpngw_iac.verify.expectation import (
    Expectations,
    PathExpectation,
    SubjectExpectation,
    SubjectKind,
    expectations_of,
)
from vpngw_iac.verify.log_files import LogFile, read_log
from vpngw_iac.verify.log_lines import LogLine
from vpngw_iac.verify.peer_parameters import sheet_of
from vpngw_iac.verify.verdict import PathVerdict, SubjectVerdict
from vpngw_iac.verify.walk_file import diagnose_lines

_SINCE = re.compile(r"(\d{1,4})([smhd])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class DiagnoseRequest:
    """What was asked for."""

    names: tuple[str, ...] = ()
    """Sites and pairs, or links of them; none for all that are not up."""
    since: timedelta = timedelta(hours=1)
    """How far back the gateway's log is read."""
    log: Path | None = None
    """A log that somebody handed over: then nothing is asked of Azure."""


def time_before(text: str) -> timedelta:
    """``30m``, ``1h``, ``2d``; raises `UsageError` for anything else, and for more than a week."""
    match = _SINCE.fullmatch(text.strip().lower())
    found = timedelta(**{_UNITS[match[2]]: int(match[1])}) if match else timedelta()
    if not timedelta() < found <= LONGEST:
        raise UsageError(f"--since {text} is no time to look back.", advice="Write 30m, 1h or 2d; 7d at most.")
    return found


def diagnose(session: Session, request: DiagnoseRequest) -> DiagnosisReport:
    """The causes of what is not up, and of what was named. Raises `UsageError` for a name that nothing bears."""
    with session.redacted():
        if request.log is not None:
            return _of_file(session, request, request.log)
        loaded = load_state(session)
        graph = graph_of(session, loaded)
        expected = expectations_of(graph)
        subjects = _named(expected.subjects, request.names)
        names = tuple(subject.name for subject in subjects)
        verification = verified(session, VerifyRequest(names), loaded, expected) if names else None
        verdicts = {(one.kind, one.name): one for one in verification.subjects} if verification else {}
        looking = DiagnosisReading(session, graph, expected, request.since)
        wanted = list(_wanted(subjects, verdicts, request.names))
        seen = looking.at(wanted)
        items = [looking.concluded(one) for one in seen]
        names_of_items = {one.name for one in items}
        up = tuple(
            name
            for subject in subjects
            for path in subject.paths
            if (name := link_name(subject, path)) not in names_of_items
        )
        sheets = tuple(sheet_of(one, item) for one, item in zip(seen, items, strict=True))
        notices = verification.notices if verification else ()
        return DiagnosisReport(session.deployment, tuple(items), up, notices, sheets)


def names_in(session: Session) -> tuple[str, ...]:
    """Every name that a request may bear, of sites, pairs and their links."""
    subjects = [one for one in expectations_of(Graph.of(session.compiled)).subjects if one.kind in ("site", "pair")]
    return tuple(dict.fromkeys(n for s in subjects for n in (s.name, *(link_name(s, path) for path in s.paths))))


def _named(subjects: Iterable[SubjectExpectation], names: Sequence[str]) -> list[SubjectExpectation]:
    """Sites and pairs; those of these names, a link standing for its site."""
    known = [subject for subject in subjects if subject.kind in ("site", "pair")]
    if not names:
        return known
    bearing = {name.lower(): s for s in known for name in (s.name, *(link_name(s, path) for path in s.paths))}
    for name in names:
        if name.lower() not in bearing:
            advice = suggestion_among(name, [subject.name for subject in known], "no site")
            raise UsageError(f"The blueprint has no site {name!r}.", advice=advice)
    chosen = {id(bearing[name.lower()]) for name in names}
    return [subject for subject in known if id(subject) in chosen]


def _wanted(
    subjects: Iterable[SubjectExpectation],
    verdicts: Mapping[tuple[SubjectKind, str], SubjectVerdict],
    names: Sequence[str],
) -> Iterator[tuple[SubjectExpectation, PathExpectation, SubjectVerdict, PathVerdict]]:
    """Every path that is not up, or whose site misses something although each path is; named ones in any case."""
    asked = {name.lower() for name in names}
    for subject in subjects:
        verdict = verdicts[subject.kind, subject.name]
        found = {path.address: path for path in verdict.paths}
        is_more = verdict.word != "up" and all(path.word == "up" for path in verdict.paths)
        for path in subject.paths:
            is_named = subject.name.lower() in asked and len(subject.paths) == 1
            is_named = is_named or link_name(subject, path).lower() in asked
            if path.address in found and (is_named or found[path.address].word != "up" or (is_more and path.bgp)):
                yield subject, path, verdict, found[path.address]


# --- a log that somebody handed over ---------------------------------------------------------------------------------


def _of_file(session: Session, request: DiagnoseRequest, path: Path) -> DiagnosisReport:
    """Offline: what a log says of the links that it is about, with the same table."""
    read = read_log(path)
    graph = Graph.of(session.compiled)
    expected = expectations_of(graph)
    every = [(s, p) for s in expected.subjects if s.kind in ("site", "pair") for p in s.paths]
    all_seen = [_declared_only(s, p, graph, expected) for s, p in every]
    known = frozenset(address for one in all_seen for address in one.devices)
    chosen = _named(expected.subjects, request.names)
    asked = {name.lower() for name in request.names}
    wanted = [
        (one, p.gateway)
        for (s, p), one in zip(every, all_seen, strict=True)
        if s in chosen and (not asked or {s.name.lower(), link_name(s, p).lower()} & asked)
    ]
    lines = _by_address(read)
    mine = [_about(read, lines, one, gateway, known, alone=len(wanted) == 1) for one, gateway in wanted]
    about = [(one, lines) for one, lines in mine if lines or one.log is not None]
    if not about:
        raise _nothing(read, path, [one.name for one, _ in wanted], {gateway.name for _, gateway in wanted})
    source = "IKE log" if read.source == "azure" else path.name
    items = tuple(diagnose_lines(lines, one, source) for one, lines in about)
    sheets = tuple(sheet_of(one, item) for (one, _), item in zip(about, items, strict=True))
    notices = [f"{path.name} is read as a log of {SOURCES[read.source]}; Azure was not asked."]
    notices += [
        f"{one.name} is known by its DNS name only: the lines about {listed(sorted({x.remote for x in lines}))}, an "
        "address of no other site, are taken for its own. Make sure that it is the device's."
        for one, lines in about
        if read.source == "azure" and lines and value_at(one.declared_site, "properties.gatewayIpAddress") is None
    ]
    if read.left_out:
        notices.append(f"Its first {read.left_out} lines were not looked at.")
    return DiagnosisReport(session.deployment, items, (), tuple(notices), sheets)


def _nothing(read: LogFile, path: Path, names: Sequence[str], gateways: Collection[str]) -> UsageError:
    """A log that is about none of these links: of another gateway, or nobody can tell."""
    others = sorted(set(read.logs) - {""} - {name.lower() for name in gateways})
    advice = "Name the site that the log is from: vpngw diagnose FILE SITE --log LOG."
    if read.logs and others and len(others) == len(set(read.logs) - {""}):
        advice = f"Its rows are of {listed(others, most=5)}; the gateway here is {listed(sorted(gateways))}."
    return UsageError(f"No line of {path} is about {listed(names) or 'a site of the blueprint'}.", advice=advice)


SOURCES = {
    "azure": "Azure's gateway",
    "strongswan": "strongSwan",
    "fortigate": "FortiGate",
    "ios": "Cisco IOS or ASA",
    "panos": "PAN-OS",
    "device": "a device",
}


def _declared_only(subject: SubjectExpectation, path: PathExpectation, graph: Graph, expected: Expectations) -> Seen:
    declared = declared_in(graph, path.connection)
    site = declared_in(graph, site_of(declared))
    said = value_at(site, "properties.gatewayIpAddress")
    return Seen(
        link_name(subject, path),
        path.address,
        None,
        declared_in(graph, path.gateway) or None,
        None,
        declared,
        site,
        (said,) if isinstance(said, str) else (),
        bound=path.bound,
        networks=expected.networks.get(path.gateway, ()),
    )


def _by_address(read: LogFile) -> Mapping[str, Sequence[LogLine]]:
    """The lines by the device that they are about, or by each address that they name."""
    found: dict[str, list[LogLine]] = {}
    for line in read.lines:
        for address in (line.remote,) if read.source == "azure" else line.addresses:
            found.setdefault(address, []).append(line)
    return found


def _about(
    read: LogFile,
    lines: Mapping[str, Sequence[LogLine]],
    seen: Seen,
    gateway: ArmId,
    known: frozenset[str],
    *,
    alone: bool,
) -> tuple[Seen, Sequence[LogLine]]:
    """The link with the tables that the file has of it, and its lines; no log where it has nothing but lines.

    A log in which nobody can tell is that of the only link that is asked about. `known` are the addresses of all
    devices: what is about another one is not about this.
    """
    addresses = seen.devices
    if read.source != "azure" and alone:
        return seen, read.lines
    if read.source == "azure" and not addresses and alone:
        left = set(lines) - known - {""}
        addresses = tuple(left) if len(left) == 1 else ()
    name = gateway.name.lower()
    mine = [line for address in addresses for line in lines.get(address, ()) if line.gateway in ("", name)]
    log = read.log_of(name).only(addresses, alone=alone)
    return replace(seen, devices=addresses, log=log if log.events or log.sessions else None), mine
