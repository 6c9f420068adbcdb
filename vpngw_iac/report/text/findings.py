"""Findings as text: what is wrong, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vpngw_iac.errors import Finding, Findings
from vpngw_iac.report.style import Style, columns
from vpngw_iac.report.text.groups import alike, others_line
from vpngw_iac.text import plural, report

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_INDENT = "         "


def finding_lines(finding: Finding, style: Style) -> Iterator[str]:
    """One finding, without an empty line after it; one that was accepted is a line."""
    if finding.waived is not None:
        yield finding_line(finding, style)
        return
    parts = [part for part in (finding.rule, finding.address) if part]
    yield f"{style.paint(f'{finding.level.capitalize():<8}', _COLOURS[finding.level], 'bold')} {'  '.join(parts)}"
    yield f"{_INDENT}{style.paint(finding.summary, 'bold')}"
    if finding.detail and finding.detail != finding.summary:
        yield from style.wrap(finding.detail, _INDENT)
    if finding.advice:
        yield from style.wrap(f"Do: {finding.advice}", _INDENT)
    for label, text in (("At", finding.location), ("See", finding.source)):
        if text:
            yield style.paint(f"{_INDENT}{label}: {text}", "dim")


def finding_line(finding: Finding, style: Style, others: int = 0) -> str:
    """One finding, or several alike, in a line: what, where, and why it was accepted."""
    level = "waived" if finding.waived is not None else finding.level
    colour = "dim" if finding.waived is not None else _COLOURS[finding.level]
    where = finding.address + (f" and {others} more" if others else "")
    why = f" (waived: {finding.waived})" if finding.waived is not None else ""
    at = f" ({finding.location})" if finding.location and finding.waived is None else ""
    said = "  ".join(part for part in (finding.rule, where, f"{finding.summary}{why}{at}") if part)
    return f"{style.paint(f'{level.capitalize():<8}', colour, 'bold')} {said}"


def brief_lines(findings: Iterable[Finding], style: Style, *, short: bool = False) -> Iterator[str]:
    """Errors and warnings in full, what is only worth knowing in a line each; in full, too, what only a plan knows.

    What is alike is said once. If it is `short`, and for what was accepted, everything is a line.
    """
    groups = list(alike(Findings.of(findings).items, loosely=True))
    lines = [(f, others) for f, others in groups if short or f.waived is not None]
    for finding, others in groups:
        if not short and finding.waived is None and not _is_brief(finding):
            yield from finding_lines(finding, style)
            yield from style.wrap(others_line(others), _INDENT) if others else ()
            yield ""
    if lines:
        yield from (finding_line(finding, style, len(others)) for finding, others in lines)
        yield ""
    notes = [(f, others) for f, others in groups if not short and f.waived is None and _is_brief(f)]
    if notes:
        yield style.paint("Worth knowing (`vpngw validate` says more):", "blue")
        rows = ((f.rule, f.address + (f" and {len(o)} more" if o else ""), f.summary) for f, o in notes)
        yield from columns(rows, indent="  ")
        yield ""


def _is_brief(finding: Finding) -> bool:
    return finding.level == "info" and not finding.rule.startswith("V-")


@report
def findings_text(findings: Iterable[Finding], style: Style, *, checked: str = "") -> str:
    """What `validate` says: the findings, errors first, and how many there are."""
    items = Findings.of(findings).items
    lines: list[str] = []
    for finding, others in alike(items):
        lines += [*finding_lines(finding, style), *(style.wrap(others_line(others), _INDENT) if others else ()), ""]
    return "\n".join([*lines, _verdict(items, style, checked)]) + "\n"


def _verdict(items: tuple[Finding, ...], style: Style, checked: str) -> str:
    subject = f"{checked}: " if checked else ""
    counts = [
        plural(count, noun)
        for level, noun in (("error", "error"), ("warning", "warning"), ("info", "note"))
        if (count := sum(f.level == level and f.waived is None for f in items))
    ]
    if waived := sum(f.waived is not None for f in items):
        counts.append(f"{waived} waived")
    if any(f.blocks for f in items):
        return style.paint(f"{subject}refused. {', '.join(counts)}.", "red", "bold")
    return style.paint(f"{subject}valid. {', '.join(counts)}".rstrip(". ") + ".", "green", "bold")
