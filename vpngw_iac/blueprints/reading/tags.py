"""Tags that everything bears are the blueprint's: said once, and on no part."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.notes import Notes, common_tags
from vpngw_iac.resources import model_of

B = TypeVar("B", bound=Blueprint)
V = TypeVar("V")


def with_common_tags(blueprint: B, notes: Notes) -> B:
    """The blueprint with the tags of all that it manages, and without these on its parts."""
    common = _common(notes)
    if not common:
        return blueprint

    def bare(part: Part) -> Part:
        own = {k: v for k, v in getattr(part, "tags", {}).items() if k not in common}
        return part if own == getattr(part, "tags", {}) else part.model_copy(update={"tags": own})

    return rewritten(blueprint, bare).model_copy(update={"tags": common})


def _common(notes: Notes) -> dict[str, str]:
    """What every managed resource that can bear tags bears; nothing where one bears none."""
    ids = (account.id for account in notes.accounts.values() if account.fate == "managed")
    found = notes.documents.by_id
    every = [found[i] for i in sorted(ids) if model_of(i).taggable and i in found]
    return common_tags(every) if len(every) > 1 else {}


def rewritten(value: V, change: Callable[[Part], Part]) -> V:
    """A copy in which every part is changed, the inner ones first; what does not change stays the same object."""
    whole: Any = value
    if isinstance(whole, tuple):
        whole = tuple(rewritten(item, change) for item in whole)
    elif isinstance(whole, Part):
        before = {name: getattr(whole, name) for name in type(whole).model_fields}
        after = {name: rewritten(item, change) for name, item in before.items()}
        changes = {name: item for name, item in after.items() if item != before[name]}
        whole = change(whole.model_copy(update=changes) if changes else whole)
    return whole  # type: ignore[no-any-return]
