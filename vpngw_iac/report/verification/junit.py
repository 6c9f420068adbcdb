"""Verifications as JUnit XML: one test suite a deployment, one test case a site, pair, circuit or group of clients.

What ends with 5 is a failure; whatever else is not up is skipped, with the reason.
"""

from __future__ import annotations

from collections.abc import Collection
from xml.sax.saxutils import escape, quoteattr

from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.text import report
from vpngw_iac.verify.verdict import SubjectVerdict, Verification, Word


def render(told: ToldVerifications) -> str:
    """One document."""
    suites = "".join(suite(found, told.alarms) for found in told.found)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="vpngw verify">\n{suites}</testsuites>\n'


@report
def suite(found: Verification, alarms: Collection[Word]) -> str:
    """The test suite of a deployment; `alarms`: the verdicts that end with 5."""
    cases = [(one, _outcome(one, alarms)) for one in found.subjects]
    failures = sum(1 for _, outcome in cases if outcome == "failure")
    skipped = sum(1 for _, outcome in cases if outcome == "skipped")
    head = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    inner = "".join(_case(found.deployment, one, outcome) for one, outcome in cases)
    return f"  <testsuite name={quoteattr(found.deployment)} {head}>\n{inner}  </testsuite>\n"


def _outcome(one: SubjectVerdict, alarms: Collection[Word]) -> str:
    if one.word == "up":
        return ""
    return "failure" if one.live and one.word in alarms else "skipped"


def _case(deployment: str, one: SubjectVerdict, outcome: str) -> str:
    head = f"    <testcase classname={quoteattr(f'{deployment}.{one.kind}')} name={quoteattr(one.name)}"
    notes = "\n".join(escape(note) for note in one.notes)
    told = f"      <system-out>{notes}</system-out>\n" if notes else ""
    if not outcome and not told:
        return f"{head}/>\n"
    message = quoteattr(f"{one.word}: {one.reason}".rstrip(": "))
    inner = f"      <{outcome} message={message}/>\n" if outcome else ""
    return f"{head}>\n{inner}{told}    </testcase>\n"
