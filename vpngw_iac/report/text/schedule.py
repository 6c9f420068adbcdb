"""Ordered operations as text: the waves, what each waits for, how long it takes, and the critical path."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from vpngw_iac.engine.order.operation import Key, Operation, Schedule, expectation
from vpngw_iac.report.drawing import directly_after
from vpngw_iac.report.style import Style, columns
from vpngw_iac.text import plural, report


@report
def schedule_text(deployment: str, schedule: Schedule, style: Style) -> str:
    """Operations wave by wave; those of one wave may run side by side, ``*`` marks the critical path."""
    return "\n".join(_lines(deployment, schedule, style)) + "\n"


def _lines(deployment: str, schedule: Schedule, style: Style) -> Iterator[str]:
    count = plural(len(schedule.operations), "operation")
    waves = plural(len(set(schedule.waves.values())), "wave")
    yield style.paint(f"{deployment}: {count} in {waves}, {expectation(schedule.seconds)}", "bold")
    numbers = {operation.key: number for number, operation in enumerate(schedule.operations, 1)}
    ordered = sorted(schedule.operations, key=lambda o: (schedule.waves.get(o.key, 0), numbers[o.key]))
    direct = directly_after(schedule)
    rows = columns((_row(o, numbers[o.key], schedule, direct[o.key]) for o in ordered), indent="  ")
    by_operation = dict(zip((o.key for o in ordered), rows, strict=True))
    for wave, members in groupby(ordered, key=lambda o: schedule.waves.get(o.key, 0)):
        yield f"\nWave {wave}"
        yield from (by_operation[operation.key] for operation in members)
    if schedule.critical_path:
        yield ""
        yield from style.wrap(f"* critical path: {' > '.join(str(key) for key in schedule.critical_path)}")


def _row(operation: Operation, number: int, schedule: Schedule, needs: tuple[Key, ...]) -> tuple[str, ...]:
    critical = "*" if operation.key in schedule.critical_path else " "
    after = ", ".join(str(key) for key in needs)
    return (
        f"{critical} {number:>3}",
        operation.key.step,
        operation.address,
        expectation(operation.seconds),
        f"after {after}" if after else "",
    )
