"""The table of rules is whole, and the page that shows it is up to date."""

from __future__ import annotations

import re
from pathlib import Path

from vpngw_iac.preflight import find, rules
from vpngw_iac.preflight.catalogue import AREAS, area_of
from vpngw_iac.preflight.external_rules import EXTERNAL_RULES
from vpngw_iac.preflight.sources import PAGES, codes
from vpngw_iac.preflight.table import page
from vpngw_iac.preflight.vpngw_rules import vpngw_rules

PAGE = Path(__file__).parents[2] / "docs" / "rules.md"
PACKAGE = Path(__file__).parents[2] / "vpngw_iac"


def test_numbers_run_from_01_within_an_area_and_none_is_lost() -> None:
    numbers: dict[str, list[int]] = {}
    for rule in rules():
        numbers.setdefault(area_of(rule.id), []).append(int(rule.id.rpartition("-")[2]))

    assert {area: found for area, found in numbers.items() if found != list(range(1, len(found) + 1))} == {}


def test_nearly_all_rules_that_refuse_are_checked_or_implied() -> None:
    refusing = [rule for rule in rules() if rule.level in "EF"]
    kept = [rule for rule in refusing if rule.status in ("checked", "implied")]

    assert len(kept) >= 0.9 * len(refusing)


def test_a_rule_that_is_not_checked_says_how_it_is_kept_or_why_it_cannot_be() -> None:
    silent = [rule.id for rule in rules() if rule.status != "checked" and not rule.why.endswith((".", "…"))]

    assert silent == []


def test_every_rule_cites_pages_that_are_known() -> None:
    unknown = {code for rule in rules() for code in codes(rule.source)} - set(PAGES)

    assert unknown == set()


def test_titles_and_reasons_do_not_repeat_each_other() -> None:
    titles = [rule.title for rule in rules()]

    assert len(set(titles)) == len(titles)


def test_a_rule_is_found_in_any_casing() -> None:
    rule = find("r-lng-06")

    assert rule is not None
    assert rule.id == "R-LNG-06"
    assert find("R-NONE-01") is None


def test_the_page_is_what_the_table_says() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "run python -m vpngw_iac.preflight.table"


def test_every_twin_that_a_rule_names_is_known_and_every_known_one_is_named_or_explained() -> None:
    named = {key for rule in rules() for key in rule.see}

    assert named <= set(EXTERNAL_RULES)
    assert {key for key, twin in EXTERNAL_RULES.items() if not twin.instead} == {
        k for k in named if not EXTERNAL_RULES[k].instead
    }


def test_a_checked_rule_says_what_to_do_about_it() -> None:
    silent = [rule.id for rule in rules() if rule.status == "checked" and not (rule.fix and rule.what)]

    assert silent == []
    assert all(rule.fix.endswith((".", "?")) for rule in rules() if rule.fix)


def test_every_area_of_rules_has_a_name() -> None:
    assert {area_of(rule.id) for rule in (*rules(), *vpngw_rules())} == set(AREAS)


def _printed() -> set[str]:
    """Every id of ours in the source that a finding or a rule error can bear."""
    texts = [file.read_text(encoding="utf-8") for file in PACKAGE.rglob("*.py") if file.name != "sources.py"]
    return {found for text in texts for found in re.findall(r"\"([VBTP]-[A-Z][A-Z0-9-]+)\"", text)}


def test_every_id_that_can_be_printed_is_explained() -> None:
    known = {rule.id for rule in vpngw_rules()}

    assert known == _printed() - (set(PAGES) - known)  # some pages have a code of that form
    assert all(rule.title and rule.what.endswith(".") and rule.fix.endswith(".") for rule in vpngw_rules())
