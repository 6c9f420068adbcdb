"""What an import wrote, as text: the table of everything in scope, what to fill in, and the proof."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from vpngw_iac.report.style import Style, columns
from vpngw_iac.text import plural, report

if TYPE_CHECKING:
    from vpngw_iac.usecases.imported import Imported

_WORDS = {"managed": "managed", "used": "existing", "left": "left alone"}
_COLOURS = {"managed": "green", "used": "dim", "left": "yellow"}


@report
def imported_text(imported: Imported, style: Style) -> str:
    """Everything in scope with what became of it, then what is left to do."""
    return "\n".join(_lines(imported, style)) + "\n"


def _lines(imported: Imported, style: Style) -> Iterator[str]:
    rows = [
        (_WORDS[account.fate], f"{account.id.type.rpartition('/')[2]}/{'/'.join(account.id.names) or account.id.name}",
         account.why)
        for account in sorted(imported.accounts, key=lambda account: (list(_WORDS).index(account.fate), account.id))
    ]  # fmt: skip
    yield from (line.rstrip() for line in columns(rows))
    yield ""
    if imported.secrets:
        yield "To fill in before the first apply:"
        yield from (f"  {secret.reference}  {secret.what}" for secret in imported.secrets)
        yield ""
    if imported.waived:
        yield f"Waived, as found at import: {', '.join(imported.waived)}."
    if imported.broken:
        yield f"Broken in Azure, and not repaired before `apply --repair`: {', '.join(imported.broken)}."
    if imported.busy:
        yield style.paint(
            f"Azure is at work on these; they were taken over as they were read: {', '.join(imported.busy)}.", "yellow"
        )
    if imported.terraform:
        yield "To hand over from Terraform, so that it no longer manages these:"
        yield from (f"  {line}" for line in imported.terraform)
        yield ""
    yield from (style.paint(f"{line}.", "yellow") for line in imported.warnings)
    yield from (f"Not read: {line}." for line in imported.unread)
    yield from (style.paint(f"A plan would change something: {line}.", "yellow") for line in imported.differing)
    yield _sentence(imported, style)


def _sentence(imported: Imported, style: Style) -> str:
    counts = Counter(account.fate for account in imported.accounts)
    told = f"{counts['managed']} managed, {counts['used']} existing, {counts['left']} left alone."
    if not imported.written:
        return f"Nothing was written. {told}"
    if not imported.entries:
        return style.paint(f"{imported.file} was written, and no state: {told}", "bold")
    where = (
        f"{imported.file} and a state with {plural(imported.entries, 'entry')} were written: {told} {_proof(imported)}."
    )
    return style.paint(where, "bold")


def _proof(imported: Imported) -> str:
    if imported.differing:
        return "A plan of it is not empty"
    if imported.busy:
        return "What Azure is at work on is compared by a plan when that has ended; the rest changes nothing"
    return "A plan of it changes nothing"
