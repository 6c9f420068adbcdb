"""What becomes of a fleet, as text: what changes or went wrong in detail, then a line for each, then the sum.

Each function takes what became of every deployment by its name: a result, or the error that ended it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence

from vpngw_iac.engine.execute.event import Outcome
from vpngw_iac.engine.order.operation import expectation
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.engine.plan.unverified import Unverified
from vpngw_iac.errors import ExitCode, VpngwError
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.errors import error_text
from vpngw_iac.report.text.inspection import drift_text
from vpngw_iac.report.text.outcome import name_of, outcome_text
from vpngw_iac.report.text.plan import plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.text import listed, plural, report

_WORDS = {
    ExitCode.PERMISSION: "no permission",
    ExitCode.REFUSED: "refused",
    ExitCode.LOCKED: "locked",
    ExitCode.STALE: "stale",
    ExitCode.USAGE: "not started",
    ExitCode.INTERRUPTED: "interrupted",
    ExitCode.TERMINATED: "interrupted",
}
_NOT_BEGUN = "No operation was started."
_QUIET = ("no changes", "no drift", "succeeded")
_IN_SUMS = {
    "changes": "with changes",
    "no changes": "without changes",
    "drift": "with drift",
    "no drift": "without drift",
}
_COLOURS = {"changes": "yellow", "drift": "yellow", "running": "yellow", "waiting": "yellow", "interrupted": "yellow"}
_COLOURS |= {"not begun": "yellow"}


@dataclass(frozen=True, slots=True)
class _Line:
    """One deployment: a word for how it went, what is worth a line, and the whole where there is something to say."""

    deployment: str
    word: str
    detail: str = ""
    text: str = ""
    error: str = ""
    """Why it ended, as text; what is the same for several is said once."""


@report
def fleet_plans_text(results: Mapping[str, PlanView | VpngwError], style: Style, *, short: bool = False) -> str:
    """The plans of a fleet: those that change something, a line for each, and the footer for all."""
    lines = [_plan(name, found, style, short) for name, found in results.items()]
    views = [found for found in results.values() if isinstance(found, PlanView)]
    doubts = [doubt for view in views for doubt in view.doubts]
    return "\n".join([*_lines(lines, style, doubts), *_footer(views)]) + "\n"


@report
def fleet_outcomes_text(results: Mapping[str, Outcome | VpngwError], style: Style) -> str:
    """What the runs of a fleet did: those that did not succeed, a line for each, and the sum."""
    lines = [_outcome(name, found, style) for name, found in results.items()]
    outcomes = [found for found in results.values() if isinstance(found, Outcome)]
    slowest = max((one for one in outcomes if one.operations), key=lambda outcome: outcome.seconds, default=None)
    took = [f"The slowest was {slowest.deployment}: {formatting.duration(slowest.seconds)}."] if slowest else []
    doubts = [secret for one in outcomes if one.kind == "apply" and not one.operations for secret in one.secrets]
    return "\n".join([*_lines(lines, style, doubts), *took, *_changes_left(outcomes)]) + "\n"


def _changes_left(outcomes: Sequence[Outcome]) -> Iterator[str]:
    left = {one.deployment: one.changes_left for one in outcomes if one.kind == "wait" and one.changes_left}
    if left:
        yield f"Left to apply: {plural(sum(left.values()), 'change')} in {listed(left, most=10)}."


@report
def fleet_drift_text(results: Mapping[str, Drift | VpngwError], style: Style) -> str:
    """How Azure moved away from a fleet: where it did, a line for each, and the sum."""
    lines = [_drift(name, found, style) for name, found in results.items()]
    doubts = [doubt for found in results.values() if isinstance(found, Drift) for doubt in found.doubts]
    return "\n".join(_lines(lines, style, doubts)) + "\n"


@report
def fleet_question(views: Sequence[PlanView], later: Sequence[str] = ()) -> str:
    """What is asked with all locks held; only ``yes`` is a yes. `later` comes after these, and is asked about then."""
    after = f"After these, and asked about then (--yes asks nothing): {listed(later, most=10)}.\n" if later else ""
    return after + _question(views)


def _question(views: Sequence[PlanView]) -> str:
    where = formatting.cloud_name(views[0].cloud, views[0].endpoint)
    what = plural(len(views), "deployment")
    if all(view.destroy for view in views):
        return f"Destroy {what} in {where}? This cannot be undone. yes/no: "
    return f"Apply these changes to {what} in {where}? yes/no: "


@report
def plan_sentence(view: PlanView) -> str:
    """A plan in one line: what it does, how long it takes, who suffers."""
    if not view.changes:
        return "no changes"
    s = view.summary
    counts = f"{s.add} to add, {s.change} to change, {s.destroy} to destroy"
    return f"{counts}; {expectation(view.seconds)}; outage: {formatting.outages(view.everybody)}"


def _lines(lines: Sequence[_Line], style: Style, doubts: Iterable[Unverified]) -> Iterator[str]:
    for line in lines:
        if line.text:
            yield line.text.rstrip("\n")
            yield ""
    for error in dict.fromkeys(line.error for line in lines if line.error):
        yield style.paint(listed((line.deployment for line in lines if line.error == error), most=10), "bold")
        yield error
    told = [line for line in lines if line.word not in _QUIET or line.detail]
    rows = columns((line.deployment, line.word, line.detail) for line in told)
    for line, row in zip(told, rows, strict=True):
        yield row if line.word in _QUIET else style.paint(row, _COLOURS.get(line.word, "red"))
    if rows:
        yield ""
    yield from formatting.not_verified(doubts)
    yield style.paint(_sum(lines), "bold")


def _sum(lines: Iterable[_Line]) -> str:
    """How many went which way: ``40 deployments: 36 succeeded, 3 failed, 1 locked``."""
    words = Counter(line.word for line in lines)
    counts = ", ".join(f"{count} {_IN_SUMS.get(word, word)}" for word, count in words.most_common())
    return f"{plural(words.total(), 'deployment')}: {counts}."


def _footer(views: Sequence[PlanView]) -> Iterator[str]:
    """The two lines that scripts look for, for a whole fleet: what all plans do, and the longest of their times."""
    if not any(view.changes for view in views):
        return
    sums = [view.summary for view in views]
    add, change, destroy = (sum(getattr(s, name) for s in sums) for name in ("add", "change", "destroy"))
    suffer = listed((view.deployment for view in views if view.everybody), most=10)
    seconds = max(view.seconds for view in views)
    yield f"Plan: {add} to add, {change} to change, {destroy} to destroy."
    yield f"Time: {expectation(seconds)} for the slowest. Outage: {f'in {suffer}' if suffer else 'none'}."


def _failed(deployment: str, error: VpngwError, style: Style) -> _Line:
    word = _WORDS.get(ExitCode(error.exit_code), "failed")
    first = error.message.splitlines()[0] if error.message else ""
    return _Line(deployment, word, first, error=error_text(error, style))


def _plan(deployment: str, found: PlanView | VpngwError, style: Style, short: bool) -> _Line:
    if isinstance(found, VpngwError):
        return _failed(deployment, found, style)
    word = "refused" if found.blocking else "changes" if found.changes else "no changes"
    if word == "no changes" and not found.after:
        return _Line(deployment, word)
    detail, text = plan_sentence(found), plan_text(found, style, short=short)
    if found.after and word != "refused":
        word, detail = "waiting", f"after {listed(found.after)}: {detail}"
    return _Line(deployment, word, detail, text)


def _outcome(deployment: str, found: Outcome | VpngwError, style: Style) -> _Line:
    if isinstance(found, VpngwError):
        return _failed(deployment, found, style)
    said = "; ".join(found.notices)
    if found.outcome == "succeeded":
        return _Line(deployment, "succeeded", said)
    if not found.operations:
        return _Line(deployment, "not begun" if found.outcome == "failed" else found.outcome, said or _NOT_BEGUN)
    wrong = next((r for r in found.operations if r.status in ("failed", "unconfirmed")), None)
    left = ", ".join(r.address for r in found.operations if r.status in ("running", "waiting"))
    behind = sum(r.status == "not-started" for r in found.operations)
    detail = f"{name_of(wrong)}: {wrong.code or wrong.error}" if wrong else left or f"{behind} not started"
    return _Line(deployment, found.outcome, detail, outcome_text(found, style))


def _drift(deployment: str, found: Drift | VpngwError, style: Style) -> _Line:
    if isinstance(found, VpngwError):
        return _failed(deployment, found, style)
    if not found.items and not found.findings:
        return _Line(deployment, "no drift", _elsewhere(found) if found.applied else "nothing of it is applied")
    detail = plural(len(found.items), "difference") if found.alarming else "nothing that alarms"
    return _Line(deployment, "drift" if found.alarming else "no drift", detail, drift_text(found, style))


def _elsewhere(drift: Drift) -> str:
    """What others of the fleet manage here, counted: ``1 of added, 2 of apac``."""
    owners = Counter(item.owner for item in drift.elsewhere)
    return f"managed by others: {', '.join(f'{n} by {name}' for name, n in sorted(owners.items()))}" if owners else ""
