"""An error as text: what is wrong, where, what to do, and the ids that Microsoft's support asks for."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.errors import BlueprintError, CloudError, Forbidden, Refused, VpngwError
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.findings import finding_lines
from vpngw_iac.report.text.outcome import ids_lines
from vpngw_iac.text import plural, report


@report
def error_text(error: VpngwError, style: Style) -> str:
    """What went wrong, for people."""
    return "\n".join(_lines(error, style)) + "\n"


def _lines(error: VpngwError, style: Style) -> Iterator[str]:
    if isinstance(error, BlueprintError | Refused | Forbidden):
        for finding in error.findings:
            if finding.level == "info" and any(other.blocks for other in error.findings):
                continue  # what is only worth knowing would bury what refuses
            yield from finding_lines(finding, style)
            yield ""
    if isinstance(error, BlueprintError) and error.findings:
        count = plural(sum(finding.blocks for finding in error.findings), "error")
        yield f"{style.paint('Error:', 'red', 'bold')} {count} in the blueprint; nothing was done."
        return
    address = f"{error.address}: " if error.address and error.address not in error.message else ""
    yield f"{style.paint('Error:', 'red', 'bold')} {address}{error.message}"
    if error.location and error.location not in error.message:
        yield f"       At: {error.location}"
    if error.advice:
        yield from style.wrap(f"Do: {error.advice}", "       ")
    if isinstance(error, CloudError):
        status = " ".join(part for part in (str(error.status or ""), error.code) if part)
        lines = ([f"Azure answered {status}"] if status else []) + ids_lines(error.ids)
        yield from (style.paint(f"       {line}", "dim") for line in lines)
