"""Verifications as JUnit XML: one test suite a deployment, one test case a site, pair, circuit or group of clients.

What would end with 5 is a failure; what is not live, never was up or cannot be known is skipped, with the reason.
"""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.text import report
from vpngw_iac.verify.verdict import SubjectVerdict, Verification, Word

_FAILURES: frozenset[Word] = frozenset({"down", "degraded"})


def render(told: ToldVerifications) -> str:
    """One document."""
    pairs = zip(told.found, told.codes, strict=True)
    suites = "".join(suite(found, failed=code != 0) for found, code in pairs)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="vpngw verify">\n{suites}</testsuites>\n'


@report
def suite(found: Verification, *, failed: bool) -> str:
    """The test suite of a deployment; `failed`: the command ends with 5."""
    cases = [(one, _outcome(one, failed=failed)) for one in found.subjects]
    failures = sum(1 for _, outcome in cases if outcome == "failure")
    skipped = sum(1 for _, outcome in cases if outcome == "skipped")
    head = f'tests="{len(cases)}" failures="{failures}" errors="0" skipped="{skipped}"'
    inner = "".join(_case(found.deployment, one, outcome) for one, outcome in cases)
    return f"  <testsuite name={quoteattr(found.deployment)} {head}>\n{inner}  </testsuite>\n"


def _outcome(one: SubjectVerdict, *, failed: bool) -> str:
    if one.word == "up":
        return ""
    if one.live and (one.word == "down" or (failed and one.word in _FAILURES)):
        return "failure"
    return "skipped"


def _case(deployment: str, one: SubjectVerdict, outcome: str) -> str:
    head = f"    <testcase classname={quoteattr(f'{deployment}.{one.kind}')} name={quoteattr(one.name)}"
    notes = "\n".join(escape(note) for note in one.notes)
    told = f"      <system-out>{notes}</system-out>\n" if notes else ""
    if not outcome and not told:
        return f"{head}/>\n"
    message = quoteattr(f"{one.word}: {one.reason}".rstrip(": "))
    inner = f"      <{outcome} message={message}/>\n" if outcome else ""
    return f"{head}>\n{inner}{told}    </testcase>\n"
