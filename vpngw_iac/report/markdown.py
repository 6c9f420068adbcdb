"""Plan and drift as Markdown: for pull requests and ``$GITHUB_STEP_SUMMARY``. Long parts fold."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence

from vpngw_iac.engine.plan.change import Change, DriftItem
from vpngw_iac.engine.plan.result import Drift
from vpngw_iac.engine.plan.unverified import Unverified
from vpngw_iac.errors import Finding, Findings
from vpngw_iac.report import formatting
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.plan import aftermath, footer, heading, plan_text
from vpngw_iac.report.view import PlanView
from vpngw_iac.text import plural, report

_MARKS = {"error": "🛑", "warning": "⚠️", "info": "ℹ️"}
_SEVERITIES = {"security": "🛑 security", "availability": "⚠️ availability", "cosmetic": "cosmetic"}


@report
def plan_markdown(plan: PlanView, picture: Sequence[str] = ()) -> str:
    """A plan: the verdict first, a table of changes, findings, and the whole text folded away.

    `picture` are the lines of a Mermaid diagram, which folds too.
    """
    return "\n".join(_plan(plan, picture)) + "\n"


def _plan(plan: PlanView, picture: Sequence[str]) -> Iterator[str]:
    yield f"### vpngw plan: {cell(plan.deployment)}"
    yield ""
    yield cell(heading(plan))
    yield ""
    if plan.blocking:
        yield f"🛑 **Refused**: {plural(len(plan.blocking), 'error')}."
        yield ""
    if plan.after:
        yield f"Comes after {', '.join(map(cell, plan.after))}, because it uses what Azure does not have yet."
        yield ""
    if not plan.changes:
        yield "" if plan.blocking else "**No changes.**"
    else:
        yield from (f"**{cell(line)}**  " for line in [*footer(plan).splitlines(), *filter(None, [aftermath(plan)])])
        yield ""
        yield from table(("", "address", "what", "outage"), (_change(change, plan.gone) for change in plan.changes))
    yield from _not_verified(plan.secrets, plan.doubts)
    yield from findings_lines(plan.findings)
    for address, ip in sorted(plan.lost_addresses.items()):
        yield f"\n🛑 {code(ip)} of {cell(address)} will be lost for good."
    yield ""
    if picture:
        yield from ("<details><summary>Picture</summary>", "", "```mermaid", *picture, "```", "", "</details>", "")
    yield "<details><summary>Whole plan</summary>"
    yield ""
    yield from fenced(plan_text(plan, Style()))
    yield ""
    yield "</details>"


def _change(change: Change, gone: Collection[str]) -> tuple[str, ...]:
    paths = ", ".join(code(formatting.short_path(d.path)) for d in change.differences if d.path)
    what = change.action.value + (f": {paths}" if paths else "")
    symbol = formatting.SYMBOLS[change.action]
    return f"`{symbol}`", cell(change.address), what, cell("; ".join(formatting.consequences(change, gone)))


@report
def drift_markdown(drift: Drift) -> str:
    """Drift as a table."""
    return "\n".join(_drift(drift)) + "\n"


def _drift(drift: Drift) -> Iterator[str]:
    yield f"### vpngw drift: {cell(drift.deployment)}"
    yield ""
    if not drift.items and not drift.applied:
        yield cell(formatting.nothing_applied(drift.deployment))
    elif not drift.items:
        yield f"**No drift.** Azure has what was applied{', as far as it was verified' if drift.unverified else ''}."
    else:
        yield from table(("severity", "address", "kind", "what"), (_item(item) for item in drift.items))
    yield from findings_lines(drift.findings)
    if drift.unread:
        yield ""
        yield f"{plural(len(drift.unread), 'value')} could not be read."
    yield from _not_verified(drift.secrets, drift.doubts)


def _not_verified(secrets: Iterable[Unverified], every: Iterable[Unverified]) -> Iterator[str]:
    """What nothing vouches for: the line, and each reference that cannot be read here."""
    lines = formatting.not_verified(every)
    yield from ("", *(f"{cell(line)}  " for line in lines)) if lines else ()
    yield from (
        f"- {cell(address)}: {code(path)} {cell(known)}" for address, path, known in formatting.unreadable(secrets)
    )


def _item(item: DriftItem) -> tuple[str, ...]:
    changes = [
        f"{code(formatting.short_path(d.path))}: {' → '.join(map(code, formatting.both(d.applied, d.observed)))}"
        for d in item.differences
        if d.path
    ]
    what = "<br>".join([*([cell(item.detail)] if item.detail else []), *changes])
    return _SEVERITIES[item.severity], cell(item.address), item.kind, what


def findings_lines(findings: Iterable[Finding]) -> Iterator[str]:
    """A list of findings, the gravest first; nothing if there are none."""
    items = Findings.of(findings).items
    if not items:
        return
    yield ""
    for finding in items:
        mark = "➖ waived:" if finding.waived is not None else _MARKS[finding.level]
        text = " ".join(part for part in (finding.detail, finding.advice) if part)
        where = f" {cell(finding.address)}:" if finding.address else ""
        yield f"- {mark} **{cell(finding.rule)}**{where} {cell(finding.summary)}. {cell(text)}".rstrip()


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """A table; what stands in its cells is made safe by who writes it."""
    yield f"| {' | '.join(head)} |"
    yield f"| {' | '.join('---' for _ in head)} |"
    yield from (f"| {' | '.join(row)} |" for row in rows)


_MARKUP = re.compile(r"[\\`*_\[\]<>|~$]")
_LINKING = re.compile(
    r"@(?=\w)|#(?=\d)|:(?=//)|(?<=\bGH)-(?=\d)|(?<=\bwww)\.|(?<=\bmailto):|:(?=[\w+-]+:)", re.IGNORECASE
)
"""What GitHub makes a mention, a reference, a link or an emoji of, a backslash before it or not."""


def cell(text: str) -> str:
    """Text that stays in its cell, starts no markup of its own, calls nobody and links nowhere."""
    text = _MARKUP.sub(r"\\\g<0>", text.replace("&", "&amp;"))
    return _LINKING.sub(r"\g<0>&#8203;", text.replace("\n", " "))


def code(text: str) -> str:
    """A value as code, in a table too: nothing in it is markup, a mention or a link."""
    if not text:
        return ""
    if "|" in text:  # in a table no other way is safe: a backslash before it may be escaped itself
        return f"<code>{''.join(c if c.isalnum() or c == ' ' else f'&#{ord(c)};' for c in text)}</code>"
    fence = "`" * (1 + _longest_run(text))
    space = " " if text[0] in "` " or text[-1] in "` " else ""
    return f"{fence}{space}{text}{space}{fence}"


def _longest_run(text: str) -> int:
    return max((len(run) for run in re.findall("`+", text)), default=0)


def fenced(text: str) -> Iterator[str]:
    """A block of code whose fence is longer than any in the text."""
    fence = "`" * max(3, 1 + _longest_run(text))
    yield f"{fence}text"
    yield text.rstrip("\n")
    yield fence
