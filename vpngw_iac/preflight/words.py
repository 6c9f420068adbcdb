"""How findings name things: short, the same way everywhere."""

from __future__ import annotations

from collections.abc import Iterable

from vpngw_iac.preflight.view.resource_view import Thing


def listed(items: Iterable[object], *, most: int = 5) -> str:
    """``a, b and 3 more``, sorted as given."""
    texts = [str(item) for item in items]
    shown = texts[:most]
    rest = len(texts) - len(shown)
    return ", ".join(shown) + (f" and {rest} more" if rest else "")


def named(things: Iterable[Thing]) -> str:
    """Addresses of several things."""
    return listed(sorted(thing.address for thing in things))
