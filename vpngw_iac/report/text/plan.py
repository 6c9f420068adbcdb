"""A plan as text: what changes, who loses connectivity and for how long, what stands in the way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import zip_longest
from typing import Any

from vpngw_iac.engine.compare.document import shown
from vpngw_iac.engine.order.operation import expectation
from vpngw_iac.engine.plan.change import Action, Change, Difference
from vpngw_iac.engine.plan.unverified import Unverified, of_kind
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.findings import brief_lines
from vpngw_iac.report.text.groups import ALIKE, said_once, values_line
from vpngw_iac.report.view import PlanView
from vpngw_iac.text import plural, report

_INDENT = "      "
_WIDEST = 60
_MOST_ROWS = 10
_ALSO = {Action.ADOPT: "adopted", Action.MOVE: "moved", Action.FORGET: "forgotten"}


@report
def plan_text(plan: PlanView, style: Style, *, short: bool = False) -> str:
    """The whole plan; its first line names cloud, subscription and state, its last two are the footer.

    If it is `short`, each change and each finding is a line.
    """
    return "\n".join(_lines(plan, style, short)) + "\n"


def _lines(plan: PlanView, style: Style, short: bool) -> Iterator[str]:
    yield style.paint(heading(plan), "bold")
    if plan.running:
        yield style.paint(f"A run is in progress: {plan.running}. What follows may change under it.", "yellow")
    yield ""
    if short:
        yield from _blocks([[_line(change, plan, style)] for change in plan.changes])
    else:
        blocks = [(change.address, list(_change(change, plan, style))) for change in plan.changes]
        yield from _blocks(said_once(blocks, style))
    yield from _lost(plan, style)
    yield from _side_notes(plan, style)
    yield from brief_lines(plan.findings, style, short=short)
    yield from _footer(plan, style)


def _blocks(blocks: list[list[str]]) -> Iterator[str]:
    """Changes with an empty line between them, unless both are a line each."""
    for block, following in zip_longest(blocks, blocks[1:]):
        yield from block
        if following is None or len(block) > 1 or len(following) > 1:
            yield ""


def heading(plan: PlanView) -> str:
    """``contoso-hub in Azure public, subscription S, state URL, settings FILE``."""
    where = formatting.cloud_name(plan.cloud, plan.endpoint)
    verb = "Destroy " if plan.destroy else ""
    settings = f", settings {plan.settings}" if plan.settings else ""
    return f"{verb}{plan.deployment} in {where}, subscription {plan.subscription}, state {plan.state}{settings}"


def _line(change: Change, plan: PlanView, style: Style) -> str:
    """A change in a line, with the paths that it changes."""
    paths = ", ".join(formatting.short_path(d.path) for d in change.differences if d.path)
    return _head(change, plan, style) + (f": {paths}" if paths else "")


def _head(change: Change, plan: PlanView, style: Style) -> str:
    symbol = style.paint(f"{formatting.SYMBOLS[change.action]:>5}", formatting.COLOURS[change.action], "bold")
    usual = plan.usual.get(change.address, 0.0)
    time = f", {expectation(usual)}" if usual >= 60 else ""
    return f"{symbol} {style.paint(change.address, 'bold')}  {style.paint(_deed(change) + time, 'dim')}"


def _change(change: Change, plan: PlanView, style: Style) -> Iterator[str]:
    yield _head(change, plan, style)
    if change.reason and change.action is not Action.MOVE:
        yield from (style.paint(line, "dim") for line in style.wrap(f"# {change.reason}", _INDENT))
    yield from _body(plan.bodies.get(change.address, {}), style)
    yield from _differences(change, style)
    for item in of_kind(plan.secrets, "not readable here"):
        if item.address == change.address:
            yield f"{_INDENT}{formatting.short_path(item.path)}  {style.paint(formatting.NOT_VERIFIED, 'yellow')}"
    for source in change.known_after:
        yield f"{_INDENT}{style.paint(f'waits for {source}, which decides a value of it', 'dim')}"
    for consequence in () if plan.destroy else formatting.consequences(change, plan.gone):
        yield from (style.paint(line, "yellow") for line in style.wrap(f"! {consequence}", _INDENT))


def _deed(change: Change) -> str:
    if change.sync == "alone":
        return "synchronise it with the other network"
    if change.only_secret:
        return "set the shared key, nothing else"
    if change.action is Action.MOVE and change.previous:
        return f"moved from {change.previous}: a new name here, nothing changes in Azure"
    return formatting.OPERATION_VERBS[change.action]


def _body(body: Mapping[str, Any], style: Style) -> Iterator[str]:
    short = {formatting.short_path(path): item for path, item in body.items()}
    widest = max((len(path) for path in short if len(path) <= _WIDEST), default=0)
    for path, item in short.items():
        text = formatting.value(item, width=10_000)
        if isinstance(item, list) and len(text) > style.width - widest - len(_INDENT):
            yield f"{_INDENT}{path}"
            yield from (f"{_INDENT}    {style.paint(formatting.value(element), 'green')}" for element in item)
        else:
            yield f"{_INDENT}{path.ljust(widest)}  {style.paint(text, 'green')}"


def _differences(change: Change, style: Style) -> Iterator[str]:
    told = [d for d in change.differences if d.path or change.action is not Action.CREATE]
    short = [formatting.short_path(difference.path) for difference in told]
    widest = max((len(path) for path in short if len(path) <= _WIDEST), default=0)
    for path, difference in zip(short, told, strict=True):
        left = f"{_INDENT}{path.ljust(widest)}  "
        if (edited := _list_edit(change, difference)) is not None:
            yield left.rstrip() + _cause(difference, style)
            yield from (f"{_INDENT}    {style.paint(line, colour)}" for line, colour in edited)
        else:
            yield left + _transition(change, difference, style) + _cause(difference, style)


def _transition(change: Change, difference: Difference, style: Style) -> str:
    before, after = formatting.both(difference.observed, difference.declared)
    if change.action is Action.CREATE or difference.path == "":
        return style.paint(after, "green")
    if before == after == "(sensitive)":
        return "(sensitive)"
    return f"{style.paint(before, 'red')} -> {style.paint(after, 'green')}"


def _cause(difference: Difference, style: Style) -> str:
    match difference.cause:
        case "drift":
            return style.paint("  # changed in Azure since the last apply", "dim")
        case "adopted":
            return style.paint("  # differs since it was adopted", "dim")
        case "edit and drift":
            return style.paint(
                f"  # edited here and changed in Azure (applied was {formatting.value(difference.applied, width=30)})",
                "dim",
            )
        case _:
            return ""


def _list_edit(change: Change, difference: Difference) -> list[tuple[str, str]] | None:
    """Items that come and go, where both sides are lists of plain values; None if that would not be clearer."""
    before, after = shown(difference.observed), shown(difference.declared)
    if change.action is Action.CREATE or not (_is_plain_list(before) and _is_plain_list(after)):
        return None
    gone = [item for item in before if item not in after]
    come = [item for item in after if item not in before]
    if not gone and not come:
        return None
    return [(f"- {formatting.value(i)}", "red") for i in gone] + [(f"+ {formatting.value(i)}", "green") for i in come]


def _is_plain_list(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str | int | float) for item in value)


def _lost(plan: PlanView, style: Style) -> Iterator[str]:
    if plan.lost_addresses:
        yield style.paint(
            "These public IP addresses will be lost for good; Azure never gives the same one again:", "red"
        )
        yield from columns(((address, ip) for address, ip in sorted(plan.lost_addresses.items())), indent="  ")
        yield ""


def _side_notes(plan: PlanView, style: Style) -> Iterator[str]:
    yield from _list("Unmanaged, left alone:", plan.unmanaged)
    yield from _list("Waits for people outside (see `vpngw show`):", plan.waiting)
    yield from _list("Comes after, because it uses what they make and Azure does not have yet:", plan.after)
    yield from _list("Broken when it was imported, left so until --repair or an edit:", plan.broken_at_import)
    if plan.unmarked:
        one, many = ("is", "it") if len(plan.unmarked) == 1 else ("are", "them")
        told = f"{plural(len(plan.unmarked), 'resource')} {one} not marked as ours: `vpngw apply --mark` tags {many}."
        yield style.paint(told, "dim")
        yield ""
    for note, paths in unread_parts(plan.unread):
        yield from _list(style.paint(note, "dim"), paths)
    yield from unreadable_lines(plan.secrets)


def unread_parts(unread: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """What was not compared, by why: Azure is at work on it, or its answers do not carry it."""
    items = list(unread)
    busy = [item for item in items if "(busy)" in item]
    yield "Azure is at work on these, they are compared when that has ended (apply waits for it):", busy
    addresses: dict[str, list[str]] = {}
    for item in items:
        if "(busy)" not in item:
            address, _, path = item.partition(": ")
            addresses.setdefault(path, []).append(address)
    rest = [
        line
        for path, found in addresses.items()
        for line in (
            [values_line(path, found)] if len(found) >= ALIKE else [f"{a}: {path}".rstrip(": ") for a in found]
        )
    ]
    yield "Not read: no answer of Azure carries these values, so they are neither verified nor a change:", rest


def unreadable_lines(secrets: Iterable[Unverified]) -> Iterator[str]:
    """References that cannot be resolved here, with an empty line after them."""
    rows = formatting.unreadable(secrets)
    if rows:
        yield "These references cannot be read here, so that a rotation of them is not seen:"
        yield from columns(rows[:_MOST_ROWS], indent="  ")
        if len(rows) > _MOST_ROWS:
            yield f"  and {len(rows) - _MOST_ROWS} more"
        yield ""


def _list(title: str, items: Iterable[str]) -> Iterator[str]:
    lines = [f"  {item}" for item in items]
    if lines:
        yield title
        yield from lines
        yield ""


def _footer(plan: PlanView, style: Style) -> Iterator[str]:
    if plan.blocking:
        count = plural(len(plan.blocking), "error")
        yield style.paint(
            f"Refused: {count} above. Nothing will be applied before that is solved or waived.", "red", "bold"
        )
    yield from formatting.not_verified(plan.doubts)
    if not plan.changes:
        if not plan.blocking:  # what would change is not known while errors stand before it
            yield style.paint(_nothing(plan), "bold")
        return
    also = [f"{n} {word}" for action, word in _ALSO.items() if (n := sum(c.action is action for c in plan.changes))]
    if also:
        yield f"Without touching Azure: {', '.join(also)}."
    if told := aftermath(plan):
        yield told
    if plan.decision_digest:
        yield style.paint(f"Decision digest: {plan.decision_digest}", "dim")
    yield footer(plan)


def _nothing(plan: PlanView) -> str:
    if plan.destroy:
        return "No changes. Nothing of this deployment is left in Azure."
    text = "No changes. Azure has what the blueprint says."
    if plan.state_only_updates:
        noted = plural(len(plan.state_only_updates), "resource")
        text += f" The next apply only notes that for {noted} in the state."
    return text


def footer(plan: PlanView) -> str:
    """The two lines that scripts look for."""
    s = plan.summary
    return (
        f"Plan: {s.add} to add, {s.change} to change, {s.destroy} to destroy.\n"
        f"Time: {expectation(plan.seconds)}. Outage: {formatting.outages(plan.everybody)}."
    )


def aftermath(plan: PlanView) -> str:
    """What people must do afterwards; empty when nobody must, or when everything goes."""
    moved = ", ".join(plan.public_ip_changes)
    told = [f"public IP addresses that change or go: {moved}"] if moved else []
    told += ["new client profiles, the old ones go stale"] if plan.profiles_stale else []
    return f"Afterwards: {'; '.join(told)}." if told and not plan.destroy else ""


@report
def question(plan: PlanView) -> str:
    """What is asked with the lock held; only ``yes`` is a yes."""
    where = f"{plan.deployment} in {formatting.cloud_name(plan.cloud, plan.endpoint)}"
    if plan.destroy:
        return f"Destroy {where}? This cannot be undone. yes/no: "
    return f"Apply these changes to {where}? yes/no: "
