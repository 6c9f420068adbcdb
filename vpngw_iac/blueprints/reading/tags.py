"""Tags that everything bears are the blueprint's: said once, and on no part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.notes import Notes, tags_of
from vpngw_iac.resources import model_of

B = TypeVar("B", bound=Blueprint)


def with_common_tags(blueprint: B, notes: Notes) -> B:
    """The blueprint with the tags of all that it manages, and without these on its parts."""
    common = _common(notes)
    if not common:
        return blueprint
    bare: B = _without(blueprint, common)
    return bare.model_copy(update={"tags": common})


def _common(notes: Notes) -> dict[str, str]:
    """What every managed resource that can bear tags bears; nothing where one bears none."""
    ids = (account.id for account in notes.accounts.values() if account.fate == "managed")
    found = notes.documents.by_id
    every = [tags_of(found[i]) for i in sorted(ids) if model_of(i).taggable and i in found]
    if len(every) < 2:
        return {}
    return {key: value for key, value in every[0].items() if all(tags.get(key) == value for tags in every)}


def _without(value: Any, common: Mapping[str, str]) -> Any:
    """A copy in which no part says a common tag; what says none of them stays the same object."""
    if isinstance(value, tuple):
        return tuple(_without(item, common) for item in value)
    if not isinstance(value, Part):
        return value
    changes: dict[str, Any] = {}
    for name in type(value).model_fields:
        now = getattr(value, name)
        then = {k: v for k, v in now.items() if k not in common} if name == "tags" else _without(now, common)
        if then != now:
            changes[name] = then
    return value.model_copy(update=changes) if changes else value
