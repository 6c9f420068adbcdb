"""Why something is not up, as text: causes first, then the one check, then what was seen and what is not known."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator

from vpngw_iac.report.style import Style, columns
from vpngw_iac.text import listed, plural, report
from vpngw_iac.verify.diagnosis import Diagnosis, DiagnosisReport, PeerSheet
from vpngw_iac.verify.peer_parameters import compared

_WIDTH = 96
_AT = {"azure": "in Azure", "device": "at the device", "both": "at both ends"}
_MARKS = {"fine": "ok", "wrong": "!!", "unknown": "??"}
_COLOURS = {"fine": "green", "wrong": "red", "unknown": "yellow"}


@report
def diagnosis_text(found: DiagnosisReport, style: Style) -> str:
    """Everything that is not up, one block each; then what is."""
    lines = list(found.notices)
    for item, sheet in zip(found.items, found.sheets, strict=True):
        lines += [*([""] if lines else []), *_block(item, sheet, style)]
    if found.up:
        lines += [*([""] if lines else []), f"As declared: {listed(found.up, most=20)}."]
    if not found.items and not found.up:
        lines.append(f"{found.deployment} has no tunnel to diagnose.")
    return "\n".join([*lines, "", style.paint(_sentence(found), _colour(found), "bold")]) + "\n"


def _colour(found: DiagnosisReport) -> str:
    return "red" if any(item.causes for item in found.items) else "yellow" if found.items else "green"


def _sentence(found: DiagnosisReport) -> str:
    if not found.items:
        return f"Nothing to diagnose in {found.deployment}."
    named = sum(bool(item.causes) for item in found.items)
    rest = len(found.items) - named
    told = [f"{named} with a cause" if named else "", f"{rest} without" if rest else ""]
    return f"{found.deployment}: {plural(len(found.items), 'link')} looked at, {', '.join(filter(None, told))}."


def _block(item: Diagnosis, sheet: PeerSheet, style: Style) -> Iterator[str]:
    head = f"{item.name}: {item.status}" if item.status else item.name
    yield style.paint(head, "bold") + style.paint(f"  {item.address}", "dim")
    yield from _causes(item, style)
    if item.check is not None:
        yield from _wrapped(f"Next, {_AT[item.check.end]}: {item.check.text}", "  ")
    rows = [(row.name, f"Azure {row.azure}", f"device {row.device}") for row in compared(item, sheet)]
    yield from _part("As declared", columns(rows, indent="    "))
    yield from _part("Seen", _seen(item))
    yield from _part("Looked at", _steps(item, style))
    yield from _part("Not known", _gaps(item))
    for page in item.pages:
        yield style.paint(f"  Known from: {page}", "dim")
    yield from _part("Beside", [f"    {note}" for note in item.notes])


def _causes(item: Diagnosis, style: Style) -> Iterator[str]:
    if not item.causes and all(step.outcome == "fine" for step in item.steps):
        yield style.paint("  Everything that was looked at is as declared.", "green")
        return
    if not item.causes:
        yield style.paint("  Nothing that was seen names a cause.", "yellow")
        return
    if len(item.causes) == 1:
        word = "" if item.sure == "certain" else "Probably: "
        yield style.paint(f"  {word}{item.titles[0]}.", "red", "bold") + style.paint(f"  ({item.causes[0]})", "dim")
        return
    yield style.paint("  One of these:", "red", "bold")
    for cause, title in zip(item.causes, item.titles, strict=True):
        yield style.paint(f"    - {title}", "red") + style.paint(f"  ({cause})", "dim")
    yield from _wrapped(item.why, "  ")


def _seen(item: Diagnosis) -> Iterable[str]:
    for one in item.evidence:
        when = f"{one.at:%H:%M:%S} UTC " if one.at is not None else ""
        yield from _wrapped(f"{one.source} {when} {one.text}".replace("  ", " "), "    ", "      ")


def _steps(item: Diagnosis, style: Style) -> Iterable[str]:
    for step in item.steps:
        mark = style.paint(_MARKS[step.outcome], _COLOURS[step.outcome])
        first, *more = textwrap.wrap(f"{step.name}: {step.text}", _WIDTH - 7) or [step.name]
        yield f"    {mark} {first}"
        yield from (f"       {line}" for line in more)


def _gaps(item: Diagnosis) -> Iterable[str]:
    for gap in item.gaps:
        yield from _wrapped(f"{gap.text} {gap.advice}".strip(), "    ", "      ")


def _part(title: str, lines: Iterable[str]) -> Iterator[str]:
    if told := list(lines):
        yield f"  {title}"
        yield from told


def _wrapped(text: str, indent: str, more: str = "") -> Iterator[str]:
    yield from textwrap.wrap(
        text, _WIDTH, initial_indent=indent, subsequent_indent=more or indent, break_on_hyphens=False
    )


# --- for the other company -------------------------------------------------------------------------------------------


@report
def peer_text(sheets: Iterable[PeerSheet]) -> str:
    """What is sent to whoever runs the device: no name of ours, no key."""
    return "\n\n".join("\n".join(_sheet(sheet)) for sheet in sheets) + "\n"


def _sheet(sheet: PeerSheet) -> Iterator[str]:
    yield f"Tunnel between Azure and {sheet.device}"
    if sheet.status:
        yield f"Status at Azure's end: {sheet.status}"
    yield ""
    head = ("", "Azure's end", "your end")
    rows = [(row.name, row.azure, row.device) for row in sheet.parameters]
    yield from columns([head, *rows], widest=60)
    if sheet.causes:
        yield ""
        yield "What we found" + (", one of these:" if len(sheet.causes) > 1 else ":")
        yield from (f"  - {cause}" for cause in sheet.causes)
    if sheet.check is not None:
        yield from _wrapped(f"Please check: {sheet.check.text}", "")
    if sheet.evidence:
        yield ""
        yield "What Azure's end has logged:"
        for line in sheet.evidence:
            yield from _wrapped(line, "  ", "    ")
