"""Which resources are deployed together: one place each, no more than a template holds, none before what it needs.

Groups may need each other to and fro (two networks that are peered), so that a group may come several times.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from vpngw_iac.arm import ArmId
from vpngw_iac.export.expressions import Place
from vpngw_iac.export.units import Unit, needed_last
from vpngw_iac.late_dataclass import dataclass

MOST_RESOURCES = 800
"""Of one template ("Best practices for templates", template limits)."""
MOST_BYTES = 900_000
"""Of one nested template: a resource's definition may have 1 MB, and a nested deployment is a resource."""


@dataclass(slots=True)
class Segment:
    """Resources of one place that are deployed together."""

    place: Place
    units: list[Unit] = field(default_factory=list)
    after: set[int] = field(default_factory=set)
    """Numbers of the segments that must be deployed before."""
    size: int = 0


def segments(units: Sequence[Unit], waits: Mapping[ArmId, set[ArmId]], sizes: Mapping[ArmId, int]) -> list[Segment]:
    """The units in segments, in an order in which they can be deployed."""
    left = {unit.id: unit for unit in units}
    done: dict[ArmId, int] = {}
    found: list[Segment] = []
    while left:
        segment = max(
            (
                _taken(place, left, waits, done, sizes)
                for place in sorted({place_of(unit.id) for unit in left.values()})
            ),
            key=lambda each: len(each.units),
        )
        for unit in segment.units:
            done[unit.id] = len(found)
            del left[unit.id]
        needed = {done[target] for unit in segment.units for target in waits[unit.id]}
        segment.after = needed_last(needed - {len(found)}, lambda number: found[number].after)
        found.append(segment)
    return found


def place_of(identifier: ArmId) -> Place:
    """Where a resource is deployed to: its group; a group is made in its subscription."""
    return Place(identifier.subscription.lower()) if not identifier.names else Place.of(identifier)


def _taken(
    place: Place,
    left: Mapping[ArmId, Unit],
    waits: Mapping[ArmId, set[ArmId]],
    done: Mapping[ArmId, int],
    sizes: Mapping[ArmId, int],
) -> Segment:
    """All that can be deployed at a place now."""
    segment = Segment(place)
    known = set(done)
    for unit in left.values():  # in order: what a unit waits for stands before it
        if segment.units and (len(segment.units) >= MOST_RESOURCES or segment.size + sizes[unit.id] > MOST_BYTES):
            break
        if place_of(unit.id) == place and waits[unit.id] <= known:
            segment.units.append(unit)
            segment.size += sizes[unit.id]
            known.add(unit.id)
    return segment
