"""A rule is one function; two functions for one id are a mistake that shows at once."""

from __future__ import annotations

import pytest

from vpngw_iac.paths import value_at
from vpngw_iac.preflight.registry import Violation, checked_rules, rule
from vpngw_iac.preflight.view.resource_view import ResourceView
from vpngw_iac.preflight.view.topology import TopologyView


def test_two_functions_for_one_id_are_refused() -> None:
    known = next(iter(checked_rules()))

    with pytest.raises(TypeError, match=known):

        @rule(known, level="E", title="again", source="FAQ", fix="Do nothing.")
        def again(topology: TopologyView) -> list[Violation]:
            return []


def test_rules_are_sorted_by_number_and_not_by_text() -> None:
    ids = [rule_id for rule_id in checked_rules() if rule_id.startswith("R-BGP-")]

    assert ids.index("R-BGP-02") < ids.index("R-BGP-10")


def test_a_path_through_something_that_is_no_object_leads_nowhere() -> None:
    assert value_at({"a": 1}, "a.b") is None
    assert value_at(None, "a") is None


def test_a_thing_says_what_it_was_asked_in_vain_only_while_nobody_has_read_it() -> None:
    from vpngw_iac.arm import ArmId

    where = ArmId.build("s", "g", "Microsoft.Network/virtualNetworks", "v")
    unread = ResourceView("VirtualNetwork/v", where, {}, is_managed=False)
    read = ResourceView("VirtualNetwork/v", where, {}, is_managed=False, seen={"location": "westeurope"})

    assert unread.flag("properties.x") is None
    assert read.flag("properties.x") is False
    assert unread.asked_in_vain == {"properties.x"}
    assert read.asked_in_vain == set()
