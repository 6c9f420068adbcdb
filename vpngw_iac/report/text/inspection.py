"""What is there, as text: drift, history of runs, secrets, state entries, simulated documents."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from vpngw_iac.engine.plan.change import DriftItem
from vpngw_iac.engine.plan.result import Drift, SecretCheck
from vpngw_iac.errors import Findings
from vpngw_iac.paths import properties_of
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.findings import finding_lines
from vpngw_iac.report.text.plan import unread_parts, unreadable_lines
from vpngw_iac.report.view import flat
from vpngw_iac.secret import load_reference
from vpngw_iac.state.log import LoggedOperation, LoggedRun
from vpngw_iac.state.model import Entry, State
from vpngw_iac.text import plural, report

if TYPE_CHECKING:
    from vpngw_iac.engine.plan.rebuild import Rebuilt
    from vpngw_iac.usecases.state_init import StatePlace

_SEVERITIES = {"security": "red", "availability": "yellow", "cosmetic": "dim"}
_SYMBOLS = {"changed": "~", "missing": "-", "unmanaged": "?"}


# --- drift -----------------------------------------------------------------------------------------------------------


@report
def drift_text(drift: Drift, style: Style) -> str:
    """How Azure moved away from what was applied, the most serious first."""
    return "\n".join(_drift(drift, style)) + "\n"


def _drift(drift: Drift, style: Style) -> Iterator[str]:
    if drift.running:
        yield style.paint(f"A run is in progress: {drift.running}. What follows may change under it.", "yellow")
    order = list(_SEVERITIES)
    for item in sorted(drift.items, key=lambda item: (order.index(item.severity), item.address, item.id)):
        yield from _drift_item(item, style)
        yield ""
    if drift.elsewhere:
        yield "Managed by other deployments of this fleet:"
        yield from columns(((str(item.owner), item.id) for item in drift.elsewhere), indent="  ")
        yield ""
    for finding in drift.findings:
        yield from finding_lines(finding, style)
        yield ""
    for note, paths in unread_parts(drift.unread):
        if paths:
            yield style.paint(note, "dim")
            yield from (f"  {item}" for item in paths)
            yield ""
    yield from unreadable_lines(drift.secrets)
    yield from formatting.not_verified(drift.doubts)
    yield _drift_sentence(drift, style)


def _drift_item(item: DriftItem, style: Style) -> Iterator[str]:
    head = f"{_SYMBOLS[item.kind]} {item.address}"
    yield f"{style.paint(head, 'bold')}  {item.kind}, {style.paint(item.severity, _SEVERITIES[item.severity])}"
    if item.detail:
        yield from style.wrap(item.detail, "    ")
    rows = [
        (
            formatting.short_path(difference.path),
            " -> ".join(formatting.both(difference.applied, difference.observed)),
        )
        for difference in item.differences
        if difference.path
    ]
    yield from columns(rows, indent="    ")
    if item.kind == "unmanaged":
        yield style.paint(f"    {item.id}", "dim")


def _drift_sentence(drift: Drift, style: Style) -> str:
    if not drift.items and not drift.applied:
        return style.paint(formatting.nothing_applied(drift.deployment), "yellow", "bold")
    if not drift.items:
        far = ", as far as it was verified" if drift.unverified else ""
        return style.paint(f"No drift: Azure has what was applied to {drift.deployment}{far}.", "green", "bold")
    counts = ", ".join(f"{n} {kind}" for kind in _SYMBOLS if (n := sum(item.kind == kind for item in drift.items)))
    repair = any(item.kind != "unmanaged" for item in drift.items)
    advice = " `vpngw apply` repairs what is ours." if repair and drift.alarming else ""
    advice += " What is unmanaged is never touched." if any(i.kind == "unmanaged" for i in drift.items) else ""
    colour = "red" if drift.alarming else "yellow"
    return style.paint(f"Drift in {drift.deployment}: {counts}.", colour, "bold") + advice


# --- history ---------------------------------------------------------------------------------------------------------


@report
def history_text(
    deployment: str, runs: Sequence[LoggedRun], style: Style, *, last: int = 20, speed: float = 1.0
) -> str:
    """Runs, oldest first, with the ids that Microsoft's support asks for.

    `speed` is how much faster simulated time runs: the log keeps real time, apply tells simulated time.
    """
    lines = [] if runs else [f"No run of {deployment} is recorded."]
    if runs and speed != 1.0:
        told = f"Times here are real. Simulated time, which plan and apply tell, runs {speed:g} times as fast."
        lines += [style.paint(told, "dim"), ""]
    if len(runs) > last:
        lines.append(style.paint(f"{len(runs) - last} earlier runs are left out; --json has all of them.", "dim"))
    for run in runs[-last:]:
        lines += [*_run(run, style), ""]
    return "\n".join(lines).rstrip("\n") + "\n"


def _run(run: LoggedRun, style: Style) -> Iterator[str]:
    colour = {"succeeded": "green", "failed": "red"}.get(run.outcome, "yellow")
    word = "after" if run.outcome in ("running", "waiting") else "in"
    took = f" {word} {formatting.duration(run.seconds)}" if run.seconds is not None else ""
    code = f", exit code {run.exit_code}" if run.exit_code else ""
    head = style.paint(f"{run.started[:19]}Z", "bold")
    outcome = {"running": "left running in Azure", "waiting": "left waiting for people outside"}.get(
        run.outcome, run.outcome
    )
    yield f"{head}  {run.command}  {style.paint(outcome, colour)}{took}{code}"
    correlation = f", correlation {run.correlation}" if run.correlation else ""
    approved = f", approved by {run.approver}" if run.approver else ""
    yield style.paint(f"    by {run.actor}{approved}, vpngw {run.version}{correlation}", "dim")
    yield from (
        style.paint(f"    {text}", "dim") for text in (run.url, run.digest and f"decisions {run.digest}") if text
    )
    yield from columns((_logged(operation) for operation in run.operations), indent="    ")
    yield from (f"    {note}" for note in run.notes)


def _logged(operation: LoggedOperation) -> tuple[str, ...]:
    took = f"after {formatting.duration(operation.seconds)}" if operation.seconds is not None else ""
    ids = (("operation", operation.azure_operation), ("request", operation.request))
    told = [f"{label} {text}" for label, text in ids if text]
    told += [why] if (why := formatting.failure(operation.code, operation.error)) else []
    return operation.step, operation.address, operation.status, took, "  ".join(told)


# --- secrets, state, simulator ---------------------------------------------------------------------------------------


@report
def initial_text(made: StatePlace, style: Style) -> str:
    """What was made for a state, what is not as it should be, and who needs which right."""
    lines = [f"Made {item}." for item in made.made] or ["Everything was there."]
    lines.append(f"The state of {made.deployment} is at {made.state}.")
    lines.append(f"Its key is at {made.key}.")
    lines += [style.paint(f"Warning: {text}", "yellow") for text in made.warnings]
    return "\n".join([*lines, *made.hints]) + "\n"


@report
def secrets_text(checks: Sequence[SecretCheck], style: Style) -> str:
    """Whether each reference can be resolved here, and what Azure would say about it; never a value."""
    if not checks:
        return "The blueprint refers to no secret.\n"
    rows = [
        (
            style.paint("ok   ", "green") if check.ok else style.paint("FAILS", "red"),
            check.reference,
            check.address,
            check.error,
        )
        for check in checks
    ]
    different = sum(check.verified == "different" for check in checks)
    bad = sum(not check.ok for check in checks) - different
    fine = f"All {len(checks)} can be resolved here." if len(checks) > 1 else "It can be resolved here."
    sentence = f"{bad} of {len(checks)} cannot be resolved here." if bad else fine
    told = Findings.of(finding for check in checks for finding in check.findings).items
    if equal := sum(check.verified == "equal" for check in checks):
        sentence += f" Azure has {equal} of the shared keys as they are here."
    if different:
        sentence += f" Azure has another value than here for {different}."
    about = [line for finding in told for line in (*finding_lines(finding, style), "")]
    return (
        "\n".join([*columns(rows), "", *about, style.paint(sentence, "red" if bad or different else "green", "bold")])
        + "\n"
    )


@report
def entries_text(state: State, style: Style) -> str:
    """The entries of a state."""
    rows = ((entry.address, _marks(entry), str(entry.id)) for entry in state.entries.values())
    count = plural(len(state.entries), "entry")
    head = f"{state.deployment}: {count}, serial {state.serial}, lineage {state.lineage}"
    return "\n".join([style.paint(head, "bold"), *columns(rows, indent="  ")]) + "\n"


def _marks(entry: Entry) -> str:
    marks = [
        "protected" if entry.protect else "",
        "kept on removal" if entry.on_removal == "forget" else "",
        "" if entry.created else "adopted",
    ]
    return ", ".join(mark for mark in marks if mark) or "ours"


@report
def entry_text(entry: Entry, style: Style) -> str:
    """One entry: its id, what it needs, and what was applied; secrets as their references."""
    lines = [
        style.paint(entry.address, "bold"),
        *columns([("id", str(entry.id)), ("marks", _marks(entry))], indent="  "),
    ]
    lines += [f"  needs  {needed}" for needed in entry.needs]
    lines += [f"  not read by Azure's answers  {path}" for path in entry.unread]
    lines.append("  applied")
    rows = [(path, formatting.value(value, width=200)) for path, value in flat(_with_references(entry.applied), {})]
    return "\n".join([*lines, *columns(rows, indent="    ")]) + "\n"


def _with_references(value: Any) -> Any:
    """What was applied, each stored reference as people write it."""
    if isinstance(value, Mapping):
        if set(value) == {"$secret"}:
            return f"(sensitive) {load_reference(value['$secret'])}"
        return {key: _with_references(item) for key, item in value.items()}
    return [_with_references(item) for item in value] if isinstance(value, list) else value


@report
def rebuilt_text(deployment: str, rebuilt: Rebuilt, style: Style) -> str:
    """What became of a lost state."""
    lines = [style.paint(f"{deployment}: {plural(len(rebuilt.recovered), 'entry')} recovered.", "green", "bold")]
    lines += [f"  {address}" for address in rebuilt.recovered]
    if rebuilt.absent:
        lines += ["Declared, but not in Azure; the next apply creates:", *(f"  {a}" for a in rebuilt.absent)]
    if rebuilt.not_ours:
        lines += ["In Azure, but without an entry:", *columns(sorted(rebuilt.not_ours.items()), indent="  ")]
    if rebuilt.differing:
        lines += ["Different in Azure; the next plan shows it:", *(f"  {item}" for item in rebuilt.differing)]
    if rebuilt.included:
        lines += ["Taken in, protected, though not declared:", *(f"  {address}" for address in rebuilt.included)]
    if rebuilt.strays:
        lines += [style.paint("Bears our tag, but nobody declares it, and it has no entry:", "red")]
        lines += [f"  {stray}" for stray in rebuilt.strays]
        lines += ["  --include ID takes one in (protected); else delete it or take its tag off."]
    if rebuilt.unseen:
        lines += ["Not looked at:", *(f"  {group}" for group in rebuilt.unseen)]
    if rebuilt.strays or rebuilt.included:
        return "\n".join([*lines, "Now run `vpngw plan`."]) + "\n"
    return "\n".join([*lines, "Now run `vpngw plan`: it should show no changes."]) + "\n"


@report
def documents_text(documents: Mapping[str, Mapping[str, Any]]) -> str:
    """What the simulated cloud holds."""
    rows = [(identifier, _provisioning(document)) for identifier, document in sorted(documents.items())]
    return "\n".join([*columns(rows, widest=200), plural(len(rows), "resource") + "."]) + "\n"


def _provisioning(document: Mapping[str, Any]) -> str:
    return str(properties_of(document).get("provisioningState", ""))
