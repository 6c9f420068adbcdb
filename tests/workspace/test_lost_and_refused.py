"""The answer to a creation is lost, Azure carries it out, and the next call is refused: the state knows of it."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import hub, rid
from vpngw_iac.simulator.faults import AnswerInstead, BreakConnection, FailLate

CON = "*/connections/con-berlin"
REFUSED = AnswerInstead(status=400, code="SomethingIsWrong", message="No.")
BUSY = AnswerInstead(
    status=429, code="RetryableError", message="Retry.", detail="ReferencedResourceNotProvisioned", retry_after=5
)


@pytest.mark.parametrize(("then", "limits"), [(REFUSED, {}), (BUSY, {"timeout": 1500.0})], ids=["refused", "contended"])
def test_what_was_made_unheard_and_failed_is_ours_to_repair(
    harness: Harness, then: AnswerInstead, limits: dict[str, float]
) -> None:
    harness.create(hub())
    harness.fault(FailLate(after=20.0), method="PUT", path=CON, times=1)
    harness.fault(BreakConnection(done=True), method="PUT", path=CON, times=1)
    harness.fault(then, method="PUT", path=CON, nth=2, times=1000)
    first = harness.apply(hub("berlin"), run=limits)
    harness.simulator.faults.clear()

    second = harness.apply(hub("berlin"))

    assert first.outcome != "succeeded"
    assert second.outcome == "succeeded"
    assert harness.exists(rid("connections", "con-berlin"))
    harness.converge(hub("berlin"))
