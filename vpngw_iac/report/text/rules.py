"""Preflight rules as text: the table by area, and one rule with all that helps whoever it has stopped."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from vpngw_iac.report.style import Style, columns
from vpngw_iac.text import plural, report

if TYPE_CHECKING:
    from vpngw_iac.preflight import Rule

_LEVELS = {
    "E": ("error", "Azure refuses it"),
    "F": ("fails", "Microsoft documents that it does not work; a warning, an error where the case is clear"),
    "W": ("warning", "a risk"),
    "I": ("info", "worth knowing"),
}
_WHEN = {
    "always": "",
    "create": " It counts only where the resource is created or replaced.",
    "change": " It counts only where this is created or changed.",
}
_LABEL = 10


@report
def rules_text(rules: Sequence[Rule], style: Style, *, whole: bool = False) -> str:
    """Rules as a table by area, or one of them in full."""
    if whole:
        return "\n\n".join("\n".join(_whole(rule, style)) for rule in rules) + "\n"
    return "\n".join(_table(rules, style)) + "\n"


def _table(rules: Sequence[Rule], style: Style) -> Iterator[str]:
    from vpngw_iac.preflight.catalogue import AREAS, area_of

    for area, members in groupby(rules, key=lambda rule: area_of(rule.id)):
        yield style.paint(f"{area}  {AREAS.get(area, '')}".rstrip(), "bold")
        rows = ((rule.id, _LEVELS[rule.level][0], rule.when, rule.status, rule.title) for rule in members)
        yield from columns(rows, indent="  ")
        yield ""
    counted = Counter(rule.status for rule in rules)
    told = ", ".join(
        f"{counted[status]} {status}" for status in ("checked", "implied", "unknowable") if counted[status]
    )
    yield f"{plural(len(rules), 'rule')}: {told}. `vpngw rule ID` explains one."


def _whole(rule: Rule, style: Style) -> Iterator[str]:
    yield f"{style.paint(rule.id, 'bold')}  {style.paint(rule.title, 'bold')}"
    for label, text in _facts(rule):
        first, *rest = style.wrap(text, " " * (_LABEL + 2))
        yield f"  {label:<{_LABEL}}{first.strip()}"
        yield from rest


def _facts(rule: Rule) -> Iterator[tuple[str, str]]:
    """Label and text: what, how much it counts, what to do, where it stands, who else says it."""
    from vpngw_iac.preflight.external_rules import EXTERNAL_RULES
    from vpngw_iac.preflight.vpngw_rules import told_by

    word, meaning = _LEVELS[rule.level]
    if ours := told_by(rule):
        yield "What", rule.what
        yield "Counts", f"{word}."
        yield "Do", rule.fix
        yield "Told", ours
    elif rule.status == "checked":
        yield "What", rule.what
        ages = " It rests on a list or a date that ages: it never refuses." if rule.ages else ""
        yield "Counts", f"{word}: {meaning}.{_WHEN[rule.when]}{ages}"
        yield "Do", rule.fix
        yield "Accept", f'waive={{"{rule.id}": "why"}} on the blueprint or on a part; it stays visible with its reason.'
        yield "Checked", "by `vpngw validate`." if rule.best_practices else _checked(rule)
    else:
        yield "Counts", f"{word}: {meaning}."
        yield ("Kept" if rule.status == "implied" else "Unknown"), rule.what
    for number, page in enumerate(rule.pages):
        yield (
            ("Read" if not number else ""),
            f"{page.title} ({page.code})" + (f"\n{page.address}" if page.address else ""),
        )
    for number, twin in enumerate(EXTERNAL_RULES[key] for key in rule.see if key in EXTERNAL_RULES):
        yield ("Also" if not number else ""), f"{twin.tool.name} {twin.id}: {twin.name}\n{twin.page}"


def _checked(rule: Rule) -> str:
    again = ", and again when a saved plan is applied" if rule.live else ""
    return f"by `vpngw validate` and `vpngw plan`{again}."
