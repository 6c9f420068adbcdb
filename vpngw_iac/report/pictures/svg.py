"""A drawing as SVG, drawn by ourselves: no external program, no script, no font to load; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from vpngw_iac.report.drawing import Drawing
from vpngw_iac.report.layout import (
    LINE_HEIGHT,
    PADDING,
    SMALL_SIZE,
    TITLE_SIZE,
    Layout,
    LineRoute,
    PlacedBox,
    Point,
    arrange,
    clipped,
    text_width,
)
from vpngw_iac.text import report

_COLOURS = {
    "site": ("#fff4e0", "#c77700"),
    "clients": ("#f3e8fd", "#7b3fb5"),
    "circuit": ("#e6f4ea", "#2e7d32"),
    "gateway": ("#dcebfb", "#1565c0"),
    "network": ("#f5f7fa", "#5f6b7a"),
    "create": ("#e6f4ea", "#2e7d32"),
    "update": ("#fff4e0", "#c77700"),
    "delete": ("#fdeaea", "#c62828"),
}
_INK, _SMALL_INK, _STROKE, _STRONG = "#1c232b", "#4a5562", "#7a8694", "#c62828"
_FONT = "system-ui, 'Segoe UI', Helvetica, Arial, 'DejaVu Sans', sans-serif"


@report
def render(drawing: Drawing) -> str:
    """The drawing as a standalone SVG document."""
    return "\n".join(_lines(drawing, arrange(drawing))) + "\n"


def _lines(drawing: Drawing, layout: Layout) -> Iterator[str]:
    width = max(layout.width, text_width(drawing.title, 16) + 4 * PADDING)
    size = f'width="{width:.0f}" height="{layout.height:.0f}" viewBox="0 0 {width:.0f} {layout.height:.0f}"'
    yield f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" font-family={quoteattr(_FONT)}>'
    yield f"<title>{_clean(drawing.title)}</title>"
    yield "<defs>" + _marker("arrow", _STROKE) + _marker("strong", _STRONG) + "</defs>"
    yield f'<rect width="{width:.0f}" height="{layout.height:.0f}" fill="#ffffff"/>'
    yield _text(PADDING * 2, 28, drawing.title, 16, _INK, weight=600)
    yield from (_place(place, outer=True) for place in layout.places if place.inner)
    yield from (_path(route) for route in layout.routes)
    for place in layout.places:
        yield from (_place(inner) for inner in place.inner)
        if not place.inner:
            yield _place(place)
    yield from (_label(route) for route in layout.routes if route.line.label)
    yield "</svg>"


def _marker(name: str, colour: str) -> str:
    return (
        f'<marker id="{name}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" '
        f'markerUnits="userSpaceOnUse" orient="auto"><path d="M0,0 L8,4 L0,8 z" fill="{colour}"/></marker>'
    )


def _place(place: PlacedBox, *, outer: bool = False) -> str:
    box = place.box
    fill, stroke = _COLOURS[box.kind]
    heavy = 2.5 if box.strong else 1.2
    middle = place.x + place.width / 2
    left = place.x + PADDING
    anchor = "start" if outer else "middle"
    x = left if outer else middle
    y = place.y + PADDING + TITLE_SIZE
    tooltip = "\n".join((box.title, *box.lines))
    parts = [
        f"<g><title>{_clean(tooltip)}</title>",
        f'<rect x="{place.x:.1f}" y="{place.y:.1f}" width="{place.width:.1f}" height="{place.height:.1f}" rx="7" '
        f'fill="{fill}" stroke="{_STRONG if box.strong else stroke}" stroke-width="{heavy}"/>',
        _text(x, y, clipped(box.title), TITLE_SIZE, _INK, weight=600, anchor=anchor),
    ]
    for number, line in enumerate(box.lines, 1):
        parts.append(_text(x, y + 2 + LINE_HEIGHT * number, clipped(line), SMALL_SIZE, _SMALL_INK, anchor=anchor))
    return "".join(parts) + "</g>"


def _text(x: float, y: float, text: str, size: int, colour: str, *, weight: int = 400, anchor: str = "start") -> str:
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" font-weight="{weight}" fill="{colour}" '
        f'text-anchor="{anchor}">{_clean(text)}</text>'
    )


def _path(route: LineRoute) -> str:
    line = route.line
    colour = _STRONG if line.strong else _STROKE
    dash = ' stroke-dasharray="6 4"' if line.dashed else ""
    end = f' marker-end="url(#{"strong" if line.strong else "arrow"})"' if line.arrow else ""
    width = 2.2 if line.strong else 1.4
    return f'<path d="{_curve(route.points)}" fill="none" stroke="{colour}" stroke-width="{width}"{dash}{end}/>'


def _curve(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    steps = [f"M{x:.1f},{y:.1f}"]
    if len(points) == 3:
        (summit, _), (ex, ey) = rest
        near, far = x + (summit - x) * 4 / 3, ex + (summit - ex) * 4 / 3
        return f"{steps[0]} C{near:.1f},{y:.1f} {far:.1f},{ey:.1f} {ex:.1f},{ey:.1f}"
    for nx, ny in rest:
        half = (nx - x) / 2
        steps.append(f"C{x + half:.1f},{y:.1f} {nx - half:.1f},{ny:.1f} {nx:.1f},{ny:.1f}")
        x, y = nx, ny
    return " ".join(steps)


def _label(route: LineRoute) -> str:
    text = route.line.label
    x, y = _label_place(route.points)
    wide = text_width(text, 10) + 8
    x += wide / 2 - 12 if len(route.points) == 3 else 0
    return (
        f'<rect x="{x - wide / 2:.1f}" y="{y - 8:.1f}" width="{wide:.1f}" height="15" rx="4" fill="#ffffff" '
        f'fill-opacity="0.9"/>' + _text(x, y + 3.5, text, 10, _SMALL_INK, anchor="middle")
    )


def _label_place(points: Sequence[Point]) -> Point:
    if len(points) == 3:
        return points[1]
    (ax, ay), (bx, by) = points[0], points[1]
    t = 0.35  # nearer to where the line starts: there the lines of many sites are still apart
    along, across = 1.5 * t * (1 - t) + t**3, 3 * t**2 - 2 * t**3
    return ax + (bx - ax) * along, ay + (by - ay) * across


def _clean(text: str) -> str:
    """Escaped, and without the control characters that XML forbids."""
    return escape("".join(c if c.isprintable() or c == "\n" else " " for c in text), {'"': "&quot;"})
