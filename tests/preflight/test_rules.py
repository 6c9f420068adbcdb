"""Every rule hits what breaks it alone, and lets pass what stays just inside. The cases are data."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.preflight.test_worlds import KNOWN
from tests.preflight.world import judge
from vpngw_iac.preflight import rules

FOLDER = Path(__file__).parents[1] / "cases" / "findings"


def _cases() -> Iterator[dict[str, Any]]:
    for path in sorted(FOLDER.glob("*.yaml")):
        yield from yaml.safe_load(path.read_text(encoding="utf-8"))


CASES = list(_cases())


def _name(case: dict[str, Any]) -> str:
    return f"{case['rule']}: {case['reason']}"


@pytest.mark.parametrize("case", [case for case in CASES if "hits" in case], ids=_name)
def test_a_rule_is_broken_by_what_breaks_it_alone(case: dict[str, Any]) -> None:
    found = [finding for finding in judge(case) if finding.waived is None]

    mine = {finding.level for finding in found if finding.rule == case["rule"]}
    others = {finding.rule for finding in found if finding.level != "info"} - {case["rule"]}
    allowed = {*case.get("also", []), *case.get("allow-errors", []), *KNOWN.get(case.get("world", ""), ())}
    assert case["hits"] in mine, (case["reason"], found)
    assert mine - {case.get("beside")} == {case["hits"]}, (case["reason"], found)
    assert others <= allowed, (case["reason"], [f for f in found if f.rule in others - allowed])
    assert all(
        finding.detail and finding.advice and finding.source for finding in found if finding.rule == case["rule"]
    )


@pytest.mark.parametrize("case", [case for case in CASES if "passes" in case], ids=_name)
def test_a_rule_lets_pass_what_stays_just_inside(case: dict[str, Any]) -> None:
    found = [finding for finding in judge(case) if finding.waived is None]

    mine = [finding for finding in found if finding.rule == case["rule"]]
    errors = {finding.rule for finding in found if finding.level == "error"}
    others = {finding.rule for finding in found if finding.level != "info"} - {case["rule"]}
    allowed = {*case.get("also", []), *case.get("allow-errors", []), *KNOWN.get(case.get("world", ""), ())}
    assert [finding for finding in mine if finding.level != "info" or case.get("silent")] == [], case["reason"]
    assert errors <= set(case.get("allow-errors", [])), (case["reason"], found)
    assert others <= allowed, (case["reason"], [f for f in found if f.rule in others - allowed])


@pytest.mark.parametrize("rule", [rule.id for rule in rules() if rule.status == "checked"])
def test_every_checked_rule_has_a_hit_and_a_near_miss(rule: str) -> None:
    mine = [case for case in CASES if case["rule"] == rule]

    assert any("hits" in case for case in mine), f"{rule} has no case that breaks it"
    assert any("passes" in case for case in mine), f"{rule} has no case just inside"


def test_cases_name_rules_that_exist() -> None:
    known = {rule.id for rule in rules() if rule.status == "checked"}

    assert {case["rule"] for case in CASES} <= known
    assert all(("hits" in case) != ("passes" in case) for case in CASES)
