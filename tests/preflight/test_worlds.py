"""The worlds that cases start from are legal."""

from __future__ import annotations

import pytest

from tests.preflight.world import judge, world_names

KNOWN = {"policy-based": {"R-SEC-02"}}
"""What cannot be had without a warning."""


@pytest.mark.parametrize("name", world_names())
def test_a_legal_world_has_no_findings_that_matter(name: str) -> None:
    told = [finding for finding in judge({"world": name}) if finding.level != "info"]

    assert {finding.rule for finding in told} <= KNOWN.get(name, set()), told
