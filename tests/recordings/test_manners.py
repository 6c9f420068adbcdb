"""Each thing that Azure was recorded to make of a body, in small: what means the same and what does not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.recordings.change import covers
from tests.recordings.declared import declare
from vpngw_iac.arm import ArmId

NETWORK = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/"
TEXT = (Path(__file__).parent / "manners.yaml").read_text(encoding="utf-8")
CASES: list[dict[str, Any]] = yaml.safe_load(TEXT.replace(" ~/", f" {NETWORK}").replace(" ^/", f" {NETWORK.upper()}"))
SAME = [case for case in CASES if "shown" in case]
CHANGED = [case for case in CASES if "became" in case]


def id_of(arm_type: str) -> ArmId:
    return ArmId.build("s", "g", arm_type, *["own"] * arm_type.count("/"))


@pytest.mark.parametrize("case", SAME, ids=lambda case: case["reason"])
def test_what_azure_makes_of_a_body_is_no_difference(case: dict[str, Any]) -> None:
    declared = declare(id_of(case["type"]), case["sent"])

    assert declared.unsaid == ()
    assert declared.differences(case["shown"], by_list=case.get("by_list", False)) == []


@pytest.mark.parametrize("case", CHANGED, ids=lambda case: case["reason"])
def test_what_somebody_made_of_it_is_found(case: dict[str, Any]) -> None:
    declared = declare(id_of(case["type"]), case["sent"])

    found = declared.differences(case["became"], by_list=False)

    assert [path for path in case["found"] if not any(covers(each, path) for each in found)] == []
    assert [each for each in found if not any(covers(each, path) for path in case["found"])] == []
    assert declared.left_after_update(case["became"]) == []
