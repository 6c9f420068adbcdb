"""How much a template may ask for: what is small on paper can be without end when it is worked out.

Azure takes 4 MB of a template after expansion ("Best practices for ARM templates", template limits) and 81,920
characters of an expression (bicep issue 4559; the page still says 24,576). The steps are this cloud's own bound for
work that shows in no size.
"""

from __future__ import annotations

from typing import Any

from vpngw_iac.simulator.templates.errors import TemplateError

LARGEST = 4 * 1024 * 1024
"""Characters of a value."""
LONGEST_EXPRESSION = 81_920
DEEPEST = 200
"""Levels of a template's JSON: more than five nested templates need."""
_OF_A_VALUE = 8
"""What a value counts beside its characters."""


class StepBudget:
    """Steps that are left for a template's values."""

    __slots__ = ("left",)

    def __init__(self, steps: int = 500_000) -> None:
        self.left = steps

    def spend(self) -> None:
        """One more step; raises `TemplateError` when none is left."""
        self.left -= 1
        if self.left < 0:
            raise too_large()


def too_large() -> TemplateError:
    """The refusal of what would be larger than Azure takes."""
    return TemplateError(f"The size of the template after expansion exceeds the maximum limit of '{LARGEST}' bytes.")


def weight(value: Any, room: int = LARGEST) -> int:
    """About how many characters a value is written with; raises `TemplateError` for more than there is room for."""
    found = 0
    waiting = [value]
    while waiting:
        each = waiting.pop()
        found += _OF_A_VALUE
        if isinstance(each, str):
            found += len(each)
        elif isinstance(each, dict):
            found += sum(map(len, each))
            waiting.extend(each.values())
        elif isinstance(each, list):
            found += _OF_A_VALUE * len(each)
            if found <= room:
                waiting.extend(each)
        if found > room:
            raise too_large()
    return found


def check_depth(document: Any) -> None:
    """Raise `TemplateError` for JSON that is nested deeper than any template needs."""
    level = [document]
    for _ in range(DEEPEST):
        level = [inner for each in level for inner in _inside(each)]
        if not level:
            return
    raise TemplateError(f"The template is nested more than {DEEPEST} levels deep.")


def _inside(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
