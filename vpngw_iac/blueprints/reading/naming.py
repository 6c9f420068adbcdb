"""Names that follow one pattern are said once, as the blueprint's naming policy."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeVar

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.naming import Naming
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.reading.tags import rewritten
from vpngw_iac.blueprints.site import Link, Site

B = TypeVar("B", bound=Blueprint)
_Field = Literal["local_gateway", "connection"]
_FIELDS: tuple[_Field, ...] = ("local_gateway", "connection")


def with_naming(blueprint: B) -> B:
    """The blueprint with a naming policy in place of names that all of its sites derive alike."""
    sites = [(name, end) for site in _sites(blueprint) for name, end in _ends(site)]
    patterns = {field: pattern for field in _FIELDS if (pattern := _pattern(sites, field))}
    if not patterns:
        return blueprint
    fields = {f"{field}_name" for field in patterns}

    def bare(part: Part) -> Part:
        if not isinstance(part, Site | Link) or (isinstance(part, Site) and part.links):
            return part
        derived = fields if part.local_gateway is None else fields - {"local_gateway_name"}
        return part.model_copy(update=dict.fromkeys(derived))

    return rewritten(blueprint, bare).model_copy(update={"naming": Naming(**patterns)})


def _ends(site: Site) -> Iterator[tuple[str, Site | Link]]:
    """A site by its name, or its links by theirs."""
    if site.links:
        yield from ((f"{site.name}-{link.name}", link) for link in site.links)
    else:
        yield site.name, site


def _pattern(ends: list[tuple[str, Site | Link]], field: _Field) -> str:
    """The pattern that every site's name follows, if it is another one than the usual; empty if there is none."""
    named = [(name, end) for name, end in ends if field == "connection" or end.local_gateway is None]
    names = [(name, getattr(end, f"{field}_name")) for name, end in named]
    found = {_abstract(name, given) for name, given in names}
    return found.pop() if len(names) > 1 and len(found) == 1 else ""


def _abstract(name: str, given: str | None) -> str:
    return given.replace(name, "{name}", 1) if given is not None and name in given else ""


def _sites(value: Any) -> Iterator[Site]:
    if isinstance(value, Site):
        yield value
    elif isinstance(value, Part):
        for name in type(value).model_fields:
            yield from _sites(getattr(value, name))
    elif isinstance(value, tuple):
        for item in value:
            yield from _sites(item)
