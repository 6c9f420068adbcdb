"""A drawing in Graphviz's language, for those who lay out large pictures with it."""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.report.drawing import Box, Drawing, Line
from vpngw_iac.text import report

_FILL = {
    "site": "#fff4e0",
    "clients": "#f3e8fd",
    "circuit": "#e6f4ea",
    "gateway": "#dcebfb",
    "network": "#f5f7fa",
    "create": "#e6f4ea",
    "update": "#fff4e0",
    "delete": "#fdeaea",
}


@report
def render(drawing: Drawing) -> str:
    """The drawing as a digraph."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    yield "digraph vpngw {"
    yield f"  label={_quoted(drawing.title)}; labelloc=t; rankdir=LR; compound=true;"
    yield '  node [shape=box, style="rounded,filled", fontname="Helvetica", fontsize=11];'
    yield '  edge [fontname="Helvetica", fontsize=9, arrowsize=0.7];'
    for box in (box for box in drawing.boxes if not box.inside):
        yield from _box(box, drawing, "  ")
    for line in drawing.lines:
        yield f"  {_line(line, drawing)}"
    yield "}"


def _box(box: Box, drawing: Drawing, indent: str) -> Iterator[str]:
    inner = drawing.inside(box)
    label = _quoted(*(box.title, *box.lines))
    width = ", penwidth=3" if box.strong else ""
    if not inner:
        yield f'{indent}{_quoted(box.id)} [label={label}, fillcolor="{_FILL[box.kind]}"{width}];'
        return
    yield f"{indent}subgraph {_quoted('cluster_' + box.id)} {{"
    yield f'{indent}  label={label}; style="rounded,filled"; fillcolor="{_FILL[box.kind]}";'
    for other in inner:
        yield from _box(other, drawing, indent + "  ")
    yield f"{indent}}}"


def _line(line: Line, drawing: Drawing) -> str:
    ends, attributes = [], []
    boxes = {box.id: box for box in drawing.boxes}
    for end, clipped in ((line.source, "ltail"), (line.target, "lhead")):
        inner = drawing.inside(boxes[end])
        ends.append(_quoted(inner[0].id if inner else end))
        if inner:
            attributes.append(f"{clipped}={_quoted('cluster_' + end)}")
    attributes += [f"label={_quoted(line.label)}"] if line.label else []
    attributes += [] if line.arrow else ["dir=none"]
    attributes += ["style=dashed"] if line.dashed else []
    attributes += ["penwidth=2.5"] if line.strong else []
    return f"{' -> '.join(ends)} [{', '.join(attributes)}];"


def _quoted(*lines: str) -> str:
    r"""A quoted string; several lines are joined by Graphviz's own ``\n``. It would read ``&lt;`` as HTML does."""
    clean = (line.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;") for line in lines)
    return '"' + "\\n".join(clean) + '"'
