"""The two pictures: one module a format."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vpngw_iac.report import renderer
from vpngw_iac.text import plural

if TYPE_CHECKING:
    from vpngw_iac.engine.order.operation import Schedule
    from vpngw_iac.resources.graph import Graph


def draw(deployment: str, graph: Graph, schedule: Schedule, *, of: str, format: str) -> str:
    """The topology of a deployment, or its operations."""
    from vpngw_iac.engine.order.operation import expectation
    from vpngw_iac.report import drawing

    if of == "topology":
        picture = drawing.topology(graph, deployment)
    else:
        count = plural(len(schedule.operations), "operation")
        picture = drawing.operations(schedule, f"{deployment}: {count}, {expectation(schedule.seconds)}")
    return renderer("pictures", format)(picture)
