"""Findings as text: what is wrong, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vpngw_iac.errors import Finding, Findings
from vpngw_iac.report.style import Style, columns
from vpngw_iac.text import plural, report

_COLOURS = {"error": "red", "warning": "yellow", "info": "blue"}
_INDENT = "         "


def finding_lines(finding: Finding, style: Style) -> Iterator[str]:
    """One finding, without an empty line after it."""
    level = "waived" if finding.waived is not None else finding.level
    colour = "dim" if finding.waived is not None else _COLOURS[finding.level]
    parts = [part for part in (finding.rule, finding.address) if part]
    yield f"{style.paint(f'{level.capitalize():<8}', colour, 'bold')} {'  '.join(parts)}"
    yield f"{_INDENT}{style.paint(finding.summary, 'bold')}"
    if finding.detail and finding.detail != finding.summary:
        yield from style.wrap(finding.detail, _INDENT)
    if finding.advice:
        yield from style.wrap(f"Do: {finding.advice}", _INDENT)
    if finding.waived is not None:
        yield from style.wrap(f"Waived: {finding.waived}", _INDENT)
    for label, text in (("At", finding.location), ("See", finding.source)):
        if text:
            yield style.paint(f"{_INDENT}{label}: {text}", "dim")


def brief_lines(findings: Iterable[Finding], style: Style) -> Iterator[str]:
    """Errors and warnings in full, what is only worth knowing in a line each; in full, too, what only a plan knows."""
    items = Findings.of(findings).items
    for finding in items:
        if not _is_brief(finding):
            yield from finding_lines(finding, style)
            yield ""
    notes = [finding for finding in items if _is_brief(finding)]
    if notes:
        yield style.paint("Worth knowing (`vpngw validate` says more):", "blue")
        yield from columns(((note.rule, note.address, note.summary) for note in notes), indent="  ")
        yield ""


def _is_brief(finding: Finding) -> bool:
    return finding.level == "info" and not finding.rule.startswith("V-")


@report
def findings_text(findings: Iterable[Finding], style: Style, *, checked: str = "") -> str:
    """What `validate` says: the findings, errors first, and how many there are."""
    items = Findings.of(findings).items
    lines: list[str] = []
    for finding in items:
        lines += [*finding_lines(finding, style), ""]
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
