"""What an export wrote, as text: the files, what must be there before, how they are deployed, what is left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from vpngw_iac.report.style import Style
from vpngw_iac.report.text.findings import finding_lines
from vpngw_iac.text import plural, report

if TYPE_CHECKING:
    from vpngw_iac.export.exported import Exported


@report
def exported_text(exported: Exported, written: Sequence[str]) -> str:
    """What was written, and how to go on."""
    return "\n".join(_lines(exported, written)) + "\n"


def _lines(exported: Exported, written: Sequence[str]) -> Iterator[str]:
    yield from (f"Written: {path}" for path in written)
    if exported.before:
        yield "Before:"
        yield from (f"  {line}" for line in exported.before)
    yield "To deploy:" if len(exported.templates) == 1 else "To deploy, in this order:"
    yield from (f"  {line}" for line in exported.commands)


@report
def refusals_text(exported: Exported, style: Style) -> str:
    """Why Azure would refuse it as it is; empty when nothing is known."""
    if not exported.refusals:
        return ""
    lines = [line for finding in exported.refusals for line in (*finding_lines(finding, style), "")]
    lines.append(f"Azure would refuse this: {plural(len(exported.refusals), 'error')} above. It is written as it is.")
    return "\n".join(lines) + "\n"


@report
def unsaid_text(exported: Exported, style: Style) -> str:
    """What the blueprint says and no template can; empty when a template can say everything."""
    if not exported.unsaid:
        return ""
    lines = ["What no template can say:", *(f"  {line}." for line in exported.unsaid)]
    return "\n".join(style.paint(line, "yellow") for line in lines) + "\n"
