"""Where boxes and lines go: columns from left to right, little crossing, long lines led around the boxes. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from itertools import pairwise

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.report.drawing import Box, Drawing, Line

TITLE_SIZE = 13
SMALL_SIZE = 11
LINE_HEIGHT = 15
PADDING = 10
ROW_GAP = 18
COLUMN_GAP = 110
BULGE = 40
"""How far a line between two boxes of one column leaves it, to the right."""
WIDEST = 36
"""Characters of a line in a box; the rest is in the tooltip."""

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class PlacedBox:
    """A box with its rectangle."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inner: tuple[PlacedBox, ...] = ()

    @property
    def left(self) -> Point:
        """Where lines arrive."""
        return self.x, self.y + self.height / 2

    @property
    def right(self) -> Point:
        """Where lines leave."""
        return self.x + self.width, self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class LineRoute:
    """A line with the points it passes, from source to target.

    Three points are a bow between two boxes of one column; the middle one is its summit.
    """

    line: Line
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything placed; the origin is the top left corner."""

    places: tuple[PlacedBox, ...]
    routes: tuple[LineRoute, ...]
    width: float
    height: float


@dataclass(slots=True)
class _Slot:
    """A cell of a column: a box, or the gap that a long line passes through."""

    id: str
    height: float
    place: PlacedBox | None = None
    y: float = 0.0
    rank: float = 0.0
    neighbours: list[str] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return self.y + self.height / 2


def text_width(text: str, size: float) -> float:
    """An estimate on the safe side: fonts differ, and text must not leave its box."""
    narrow = sum(character in "iljtfr.,:;|!'()[] /" for character in text)
    wide = sum(character.isupper() or character in "mwMW@%" for character in text)
    return size * (0.62 * len(text) - 0.24 * narrow + 0.12 * wide)


def clipped(text: str) -> str:
    """A line that fits into a box."""
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "\u2026"


def arrange(drawing: Drawing, *, top: float = 50.0) -> Layout:
    """Place every box and route every line."""
    roots = [_measured(box, drawing) for box in drawing.boxes if not box.inside]
    home = {box.id: box.inside or box.id for box in drawing.boxes}
    columns, chains = _columns(roots, drawing.lines, home)
    _order(columns)
    widths = [max((s.place.width for s in column if s.place), default=60.0) for column in columns]
    _stack(columns, top)
    _settle(columns, top)
    lefts = [PADDING * 2 + sum(widths[:i]) + COLUMN_GAP * i for i in range(len(columns))]
    placed = {
        slot.id: _moved(slot.place, lefts[i] + (widths[i] - slot.place.width) / 2, slot.y)
        for i, column in enumerate(columns)
        for slot in column
        if slot.place
    }
    slots = {slot.id: (i, slot) for i, column in enumerate(columns) for slot in column}
    flat = {place.box.id: place for root in placed.values() for place in (root, *root.inner)}
    routes = tuple(
        LineRoute(line, _points(line, chains[n], flat, slots, lefts, widths)) for n, line in enumerate(drawing.lines)
    )
    bottom = max((slot.y + slot.height for column in columns for slot in column), default=top)
    width = lefts[-1] + widths[-1] + PADDING * 2 if columns else 200.0
    width = max([width, *(_reach(route) for route in routes)])
    return Layout(tuple(placed.values()), routes, width, bottom + PADDING * 2)


def _reach(route: LineRoute) -> float:
    """How far to the right a line between two boxes of one column goes, with its label."""
    if len(route.points) != 3:
        return 0.0
    return route.points[1][0] + text_width(route.line.label, SMALL_SIZE) + PADDING * 2


def _measured(box: Box, drawing: Drawing) -> PlacedBox:
    inner: list[PlacedBox] = []
    head = TITLE_SIZE + 4 + LINE_HEIGHT * len(box.lines) + PADDING * 2
    widest = max(
        text_width(clipped(box.title), TITLE_SIZE) * 1.06,
        *(text_width(clipped(line), SMALL_SIZE) for line in box.lines),
        70,
    )
    y: float = head
    for child in drawing.inside(box):
        place = replace(_measured(child, drawing), x=PADDING, y=y)
        inner.append(place)
        y += place.height + PADDING
        widest = max(widest, place.width)
    inner = [replace(place, width=widest) for place in inner]
    return PlacedBox(box, 0, 0, widest + PADDING * 2, y if inner else head, tuple(inner))


def _columns(
    roots: Sequence[PlacedBox], lines: Sequence[Line], home: Mapping[str, str]
) -> tuple[list[list[_Slot]], list[list[str]]]:
    """Slots by column, with gaps for lines that span several; and for each line the slots that it visits."""
    used = sorted({place.box.column for place in roots})
    number = {place.box.id: used.index(place.box.column) for place in roots}
    columns: list[list[_Slot]] = [[] for _ in used]
    slots: dict[str, _Slot] = {}
    for place in roots:
        slots[place.box.id] = _Slot(place.box.id, place.height, place)
        columns[number[place.box.id]].append(slots[place.box.id])
    chains: list[list[str]] = []
    for n, line in enumerate(lines):
        start, end = home[line.source], home[line.target]
        if number[start] > number[end]:
            start, end = end, start
        chain = [start]
        for column in range(number[start] + 1, number[end]):
            gap = _Slot(f"gap {n} {column}", 6.0)
            slots[gap.id] = gap
            columns[column].append(gap)
            chain.append(gap.id)
        chain.append(end)
        for one, other in pairwise(chain):
            slots[one].neighbours.append(other)
            slots[other].neighbours.append(one)
        chains.append(chain)
    return columns, chains


def _order(columns: list[list[_Slot]], rounds: int = 8) -> None:
    """Sort each column by the mean place of the neighbours in the next one (the barycentre heuristic)."""
    for column in columns:
        for index, slot in enumerate(column):
            slot.rank = index / max(1, len(column))
    for turn in range(rounds):
        forward = turn % 2 == 0
        for fixed, moving in pairwise(columns if forward else reversed(columns)):
            ranks = {slot.id: slot.rank for slot in fixed}
            for slot in moving:
                known = [ranks[name] for name in slot.neighbours if name in ranks]
                slot.rank = sum(known) / len(known) if known else slot.rank
            moving.sort(key=lambda slot: (slot.rank, slot.id))
            for index, slot in enumerate(moving):
                slot.rank = index / max(1, len(moving))


def _stack(columns: Iterable[Sequence[_Slot]], top: float) -> None:
    heights = [sum(slot.height + ROW_GAP for slot in column) for column in columns]
    tallest = max(heights, default=0.0)
    for column, height in zip(columns, heights, strict=True):
        y = top + (tallest - height) / 2
        for slot in column:
            slot.y = y
            y += slot.height + ROW_GAP


def _settle(columns: Sequence[Sequence[_Slot]], top: float, rounds: int = 6) -> None:
    """Pull boxes towards the middle of their neighbours without changing their order, then start at the top."""
    slots = {slot.id: slot for column in columns for slot in column}
    for turn in range(rounds):
        for column in columns if turn % 2 else reversed(columns):
            wishes = [_wish(slot, slots) for slot in column]
            _place(column, wishes)
    highest = min((slot.y for slot in slots.values()), default=top)
    for slot in slots.values():
        slot.y += top - highest


def _wish(slot: _Slot, slots: Mapping[str, _Slot]) -> float:
    middles = [slots[name].middle for name in slot.neighbours if name != slot.id]
    return (sum(middles) / len(middles) if middles else slot.middle) - slot.height / 2


def _place(column: Sequence[_Slot], wishes: Sequence[float]) -> None:
    """Positions nearest to the wishes that do not overlap: neighbours that collide share their mean."""
    blocks: list[tuple[float, int, float]] = []  # start, number of slots, sum of (wish - offset)
    sizes = [slot.height + ROW_GAP for slot in column]
    height = 0.0
    heights: list[float] = []
    for wish, size in zip(wishes, sizes, strict=True):
        start, count, total, height = wish, 1, wish, size
        while blocks and blocks[-1][0] + heights[-1] > start:
            _, others, others_total = blocks.pop()
            below = heights.pop()
            total = others_total + total - count * below
            count, height = count + others, height + below
            start = total / count
        blocks.append((start, count, total))
        heights.append(height)
    index = 0
    for start, count, _ in blocks:
        y = start
        for slot in column[index : index + count]:
            slot.y = y
            y += slot.height + ROW_GAP
        index += count


def _moved(place: PlacedBox, x: float, y: float) -> PlacedBox:
    return replace(place, x=x, y=y, inner=tuple(replace(inner, x=x + inner.x, y=y + inner.y) for inner in place.inner))


def _points(
    line: Line,
    chain: Sequence[str],
    places: Mapping[str, PlacedBox],
    slots: Mapping[str, tuple[int, _Slot]],
    lefts: Sequence[float],
    widths: Sequence[float],
) -> tuple[Point, ...]:
    source, target = places[line.source], places[line.target]
    if source.x + source.width > target.x and target.x + target.width > source.x:
        column = slots[chain[0]][0]
        bulge = lefts[column] + widths[column] + BULGE
        return source.right, (bulge, (source.right[1] + target.right[1]) / 2), target.right
    if source.x > target.x:
        return tuple(
            reversed(
                _points(replace(line, source=line.target, target=line.source), chain, places, slots, lefts, widths)
            )
        )
    between: list[Point] = []
    for name in chain[1:-1]:
        column, slot = slots[name]
        between += [(lefts[column], slot.middle), (lefts[column] + widths[column], slot.middle)]
    return source.right, *between, target.left
