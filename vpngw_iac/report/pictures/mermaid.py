"""A drawing as Mermaid, which GitHub, GitLab and most wikis render by themselves."""

from __future__ import annotations

import json
from collections.abc import Iterator

from vpngw_iac.report.drawing import Box, Drawing, Line
from vpngw_iac.text import report

_CLASSES = {
    "site": "fill:#fff4e0,stroke:#c77700,color:#3d2400",
    "clients": "fill:#f3e8fd,stroke:#7b3fb5,color:#2c0d4a",
    "circuit": "fill:#e6f4ea,stroke:#2e7d32,color:#0d3311",
    "gateway": "fill:#dcebfb,stroke:#1565c0,color:#06264d",
    "network": "fill:#f5f7fa,stroke:#5f6b7a,color:#1c232b",
    "create": "fill:#e6f4ea,stroke:#2e7d32,color:#0d3311",
    "update": "fill:#fff4e0,stroke:#c77700,color:#3d2400",
    "delete": "fill:#fdeaea,stroke:#c62828,color:#4a0d0d",
}


@report
def render(drawing: Drawing) -> str:
    """The drawing as a Mermaid flowchart."""
    return "\n".join(_lines(drawing)) + "\n"


def _lines(drawing: Drawing) -> Iterator[str]:
    names = {box.id: f"n{number}" for number, box in enumerate(drawing.boxes)}
    yield "---"
    yield f"title: {_title(drawing.title)}"
    yield "---"
    yield "flowchart LR"
    for box in (box for box in drawing.boxes if not box.inside):
        yield from _box(box, drawing, names, "  ")
    for line in drawing.lines:
        yield f"  {names[line.source]} {_stroke(line)} {names[line.target]}"
    for kind in sorted({box.kind for box in drawing.boxes}):
        yield f"  classDef {kind} {_CLASSES[kind]}"
    yield from (f"  style {names[box.id]} stroke-width:4px" for box in drawing.boxes if box.strong)


def _box(box: Box, drawing: Drawing, names: dict[str, str], indent: str) -> Iterator[str]:
    inner = drawing.inside(box)
    label = "<br/>".join(_escaped(text) for text in (box.title, *box.lines))
    if not inner:
        yield f'{indent}{names[box.id]}["{label}"]:::{box.kind}'
        return
    yield f'{indent}subgraph {names[box.id]}["{label}"]'
    for other in inner:
        yield from _box(other, drawing, names, indent + "  ")
    yield f"{indent}end"


def _stroke(line: Line) -> str:
    label = f'|"{_escaped(line.label)}"|' if line.label else ""
    if line.dashed:
        return f"-.-{label}" if not line.arrow else f"-.->{label}"
    if line.strong:
        return f"==>{label}" if line.arrow else f"==={label}"
    return f"-->{label}" if line.arrow else f"---{label}"


_ENTITIES = {
    '"': "#quot;", "<": "#lt;", ">": "#gt;", "#": "#35;", "&": "#amp;", "`": "#96;", "|": "#124;",
    "%": "#37;", "{": "#123;", "}": "#125;", "$": "#36;",
}  # fmt: skip
"""Mermaid's own entities for what would end a label or start markup: a directive (``%%{init}%%``), a formula."""


def _escaped(text: str) -> str:
    return "".join(_ENTITIES.get(character, character) for character in text)


def _title(text: str) -> str:
    """A YAML text; Mermaid looks for directives in the whole source, before YAML is read."""
    return json.dumps(text, ensure_ascii=False).replace("%", "\\x25")
