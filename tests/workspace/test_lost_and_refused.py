"""The answer to a creation is lost, Azure carries it out, and the next call is refused: the state knows of it."""

from __future__ import annotations

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import hub, rid
from vpngw_iac.simulator.faults import AnswerInstead, BreakConnection, FailLate

CON = "*/connections/con-berlin"
REFUSED = AnswerInstead(status=400, code="SomethingIsWrong", message="No.")
BUSY = AnswerInstead(
    status=429, code="RetryableError", message="Retry.", detail="ReferencedResourceNotProvisioned", retry_after=5
)


@pytest.mark.parametrize(("then", "limits"), [(REFUSED, {}), (BUSY, {"timeout": 1500.0})], ids=["refused", "contended"])
def test_what_was_made_unheard_and_failed_is_ours_to_repair(
    bench: Bench, then: AnswerInstead, limits: dict[str, float]
) -> None:
    bench.create(hub())
    bench.fault(FailLate(after=20.0), method="PUT", path=CON, times=1)
    bench.fault(BreakConnection(done=True), method="PUT", path=CON, times=1)
    bench.fault(then, method="PUT", path=CON, nth=2, times=1000)
    first = bench.apply(hub("berlin"), run=limits)
    bench.simulator.faults.clear()

    second = bench.apply(hub("berlin"))

    assert first.outcome != "succeeded"
    assert second.outcome == "succeeded"
    assert bench.exists(rid("connections", "con-berlin"))
    bench.converge(hub("berlin"))
