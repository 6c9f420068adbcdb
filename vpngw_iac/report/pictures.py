"""The two pictures in the three formats."""

from __future__ import annotations

from typing import Literal

from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.order.operation import Schedule, expectation
from vpngw_iac.report.dot import dot
from vpngw_iac.report.drawing import operations, topology
from vpngw_iac.report.mermaid import mermaid
from vpngw_iac.report.svg import svg
from vpngw_iac.text import plural


def draw(
    deployment: str, graph: Graph, schedule: Schedule, *, of: str, format: Literal["mermaid", "dot", "svg"]
) -> str:
    """The topology of a deployment, or its operations."""
    if of == "topology":
        drawing = topology(graph, deployment)
    else:
        count = plural(len(schedule.operations), "operation")
        drawing = operations(schedule, f"{deployment}: {count}, {expectation(schedule.seconds)}")
    match format:
        case "mermaid":
            return mermaid(drawing)
        case "dot":
            return dot(drawing)
        case "svg":
            return svg(drawing)
