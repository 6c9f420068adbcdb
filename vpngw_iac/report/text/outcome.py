"""What a run did, as text: first what went wrong and what to do about it, at the end one sentence that says it all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vpngw_iac.engine.execute.event import OperationResult, Outcome
from vpngw_iac.errors import AzureIds
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.findings import finding_lines
from vpngw_iac.text import plural, report

_VERBS = {"apply": "Apply", "destroy": "Destroy", "wait": "Wait"}
_INDENT = "    "


@report
def outcome_text(outcome: Outcome, style: Style) -> str:
    """What a run did."""
    return "\n".join(_lines(outcome, style)) + "\n"


def _lines(outcome: Outcome, style: Style) -> Iterator[str]:
    for finding in outcome.findings:
        if finding.blocks:
            yield from finding_lines(finding, style)
            yield ""
    for notice in outcome.notices:
        yield from style.wrap(f"Note: {notice}")
    for result in _with(outcome, "failed", "unconfirmed"):
        yield from _failure(result, style)
        yield ""
    yield from _unfinished(outcome, style)
    if not outcome.operations and outcome.kind == "apply":
        yield from formatting.not_verified(outcome.secrets)
    yield _sentence(outcome, style)
    if outcome.tunnels:
        yield outcome.tunnels
    if outcome.operations and outcome.correlation:
        yield style.paint(f"Correlation id: {outcome.correlation} (`vpngw log` has the ids of every operation)", "dim")


def _with(outcome: Outcome, *statuses: str) -> list[OperationResult]:
    return [result for result in outcome.operations if result.status in statuses]


def _failure(result: OperationResult, style: Style) -> Iterator[str]:
    word = "failed" if result.status == "failed" else "is unconfirmed: whether Azure did it is unknown"
    head = f"{name_of(result)} {word}" + (f" after {formatting.duration(result.seconds)}" if result.seconds else "")
    yield style.paint(head, "red", "bold")
    if why := formatting.failure(result.code, result.error):
        yield from style.wrap(why, _INDENT)
    if result.advice:
        yield from style.wrap(f"Do: {result.advice}", _INDENT)
    yield from (style.paint(f"{_INDENT}{line}", "dim") for line in ids_lines(result.ids))


def name_of(result: OperationResult) -> str:
    """``VpnGateway/hq (put)``."""
    step = result.step or result.verb
    return f"{result.address} ({step})"


def ids_lines(ids: AzureIds) -> list[str]:
    """What Microsoft's support asks for first, as far as it is known."""
    pairs = (
        ("operation id", ids.operation),
        ("request id", ids.request),
        ("correlation id", ids.correlation),
        ("at", ids.at),
    )
    return columns(((label, text) for label, text in pairs if text))


def _unfinished(outcome: Outcome, style: Style) -> Iterator[str]:
    skipped: dict[str, list[str]] = {}
    for result in _with(outcome, "skipped"):
        skipped.setdefault(result.because, []).append(result.address)
    for cause, addresses in skipped.items():
        why = f", because {cause} failed" if cause else ""
        yield from _group(f"Skipped{why}:", addresses)
    running = [f"{name_of(r)}, {formatting.duration(r.seconds)} so far" for r in _with(outcome, "running")]
    yield from _group(style.paint("Still running in Azure, whether we watch or not:", "yellow"), running)
    waiting = [f"{r.address}: {r.error}".rstrip(": ") for r in _with(outcome, "waiting")]
    yield from _group(style.paint("Waiting for people outside:", "yellow"), waiting)
    yield from _group("Not started:", [_reason(r) for r in _with(outcome, "not-started")])


def _reason(result: OperationResult) -> str:
    return f"{result.address}: {result.error}" if result.error else result.address


def _group(title: str, lines: Iterable[str]) -> Iterator[str]:
    unique = list(dict.fromkeys(lines))
    if unique:
        yield title
        yield from (f"  {line}" for line in unique)
        yield ""


def _sentence(outcome: Outcome, style: Style) -> str:
    deed = f"{_VERBS[outcome.kind]} of {outcome.deployment}"
    done = plural(len(_with(outcome, "succeeded")), "operation")
    left = "" if outcome.changes_left is None else f" {plural(outcome.changes_left, 'change')} left to apply."
    again = "destroy" if outcome.kind == "destroy" else "apply"
    match outcome.outcome:
        case "succeeded" if not outcome.operations and outcome.notices and outcome.kind != "wait":
            return style.paint(f"{deed} complete: nothing was asked of Azure.", "green", "bold")
        case "succeeded" if not outcome.operations:
            return style.paint(f"{deed}: nothing to do.{left if outcome.changes_left else ''}", "green", "bold")
        case "succeeded":
            tail = left if outcome.changes_left else ""
            return style.paint(
                f"{deed} complete: {done} in {formatting.duration(outcome.seconds)}.{tail}", "green", "bold"
            )
        case "failed" if not outcome.operations:
            return style.paint(f"{deed}: no operation was started.", "yellow", "bold")
        case "failed":
            failed = len(_with(outcome, "failed", "unconfirmed"))
            rest = f", {n} skipped" if (n := len(_with(outcome, "skipped"))) else ""
            told = (
                f"{deed} failed: {done} done, {failed} failed{rest}. Nothing is rolled back; `vpngw {again}` continues."
            )
            return style.paint(told, "red", "bold")
        case "running":
            told = f"{deed} left while Azure goes on: {done} done. Continue with `vpngw wait` or `vpngw {again}`.{left}"
        case "waiting":
            told = (
                f"{deed}: {done} done, the rest waits. `vpngw show` has what to hand over, `vpngw {again}` continues."
            )
        case "interrupted":
            told = f"{deed} interrupted: {done} done. What runs in Azure goes on; `vpngw {again}` continues from here."
    return style.paint(told, "yellow", "bold")
