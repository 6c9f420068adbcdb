"""Joins what several blueprints say about one thing: equal is one, unequal is a contradiction that names both sides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import BaseModel

from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.compiling.context import natural
from vpngw_iac.blueprints.contribution import PlacedPart
from vpngw_iac.errors import Finding
from vpngw_iac.paths import join
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.text import listed

P = TypeVar("P", bound=BaseModel)
K = TypeVar("K", str, tuple[str, ...], ArmId)


def merged(
    uses: Iterable[PlacedPart[P]], key: Callable[[P], K], address: Callable[[P], str], problems: list[Finding]
) -> dict[K, PlacedPart[P]]:
    """One use for each thing, in the order of the keys; tags are joined, contradictions are added to `problems`."""
    found: dict[K, PlacedPart[P]] = {}
    for use in uses:
        thing = key(use.part)
        known = found.get(thing)
        found[thing] = use if known is None else _joined(known, use, address, problems)
    return {thing: found[thing] for thing in sorted(found)}


def _joined(
    one: PlacedPart[P], two: PlacedPart[P], address: Callable[[P], str], problems: list[Finding]
) -> PlacedPart[P]:
    part = _one_part(one, two, address, problems)
    tags = _joined_tags(one, two, address(part), problems)
    # The smaller path speaks for both, whatever the order in which they came.
    first = min((one, two), key=lambda use: natural(use.path))
    return replace(first, part=part, tags=tags)


def _one_part(one: PlacedPart[P], two: PlacedPart[P], address: Callable[[P], str], problems: list[Finding]) -> P:
    if one.part == two.part:
        return one.part
    kept, other = sorted((one.part, two.part), key=_is_existing)
    if type(kept) is not type(other):
        # One blueprint manages it, the other uses what that one makes.
        return kept
    differing = _differing_fields(one.part, two.part)
    if differing and not (_is_existing(kept) and not _contradicting(one.part, two.part)):
        first, second = sorted((one, two), key=lambda use: natural(use.path))
        problems.append(_contradiction(first, second, address(one.part), differing))
    if _is_existing(kept):
        return one.part.model_copy(update={n: getattr(one.part, n) or getattr(two.part, n) for n in differing})
    return min((one, two), key=lambda use: natural(use.path)).part


def _is_existing(part: BaseModel) -> bool:
    return "existing" in type(part).model_fields


def _differing_fields(one: BaseModel, two: BaseModel) -> list[str]:
    return [name for name in type(one).model_fields if getattr(one, name) != getattr(two, name)]


def _contradicting(one: BaseModel, two: BaseModel) -> list[str]:
    """Facts that both give, and give differently."""
    unsaid: tuple[Any, ...] = (None, (), {})
    return [
        name
        for name in _differing_fields(one, two)
        if getattr(one, name) not in unsaid and getattr(two, name) not in unsaid
    ]


def _contradiction(one: PlacedPart[Any], two: PlacedPart[Any], address: str, fields: list[str]) -> Finding:
    shown = "; ".join(f"{name}: {_shown(one, name)} against {_shown(two, name)}" for name in fields[:4])
    return Finding(
        rule="B-CONTRADICTION",
        address=address,
        summary="Two places say different things about one resource",
        detail=f"{one.owner!r} at {one.path} and {two.owner!r} at {two.path} differ in {shown}.",
        advice="Write it once and use the same value in both places, or give them different names.",
        location=two.path,
    )


def _shown(use: PlacedPart[Any], name: str) -> str:
    value = getattr(use.part, name)
    if isinstance(value, BaseModel):
        return f"another {type(value).__name__}"
    if isinstance(value, tuple):
        return (
            ", ".join(str(item) if not isinstance(item, BaseModel) else type(item).__name__ for item in value) or "none"
        )
    return "not given" if value is None else str(value)


def _joined_tags(
    one: PlacedPart[Any], two: PlacedPart[Any], address: str, problems: list[Finding]
) -> Mapping[str, str]:
    """Tags of both blueprints, when they share a resource."""
    keys = {key.lower(): (key, value) for key, value in one.tags.items()}
    for key, value in two.tags.items():
        known = keys.setdefault(key.lower(), (key, value))
        if known[1] != value:
            first, second = sorted((one, two), key=lambda use: natural(use.path))
            problems.append(
                Finding(
                    rule="B-CONTRADICTION",
                    address=address,
                    summary="Two blueprints tag one resource differently",
                    detail=f"{first.owner!r} and {second.owner!r} share {address} and give the tag {key!r} two values.",
                    advice="Give the tag on the resource itself, or the same value in both blueprints.",
                    location=second.path,
                )
            )
    return dict(keys.values())


# --- resources -----------------------------------------------------------------------------------------------------


def united(items: Iterable[Resource | Existing | Finding], problems: list[Finding]) -> list[Resource | Existing]:
    """One resource for each address and id, sorted by address; what cannot be one is added to `problems`."""
    by_address: dict[str, Resource | Existing] = {}
    for item in items:
        if isinstance(item, Finding):
            problems.append(item)
        else:
            known = by_address.get(item.address)
            by_address[item.address] = item if known is None else _one_item(known, item, problems)
    managed = {item.id for item in by_address.values() if isinstance(item, Resource)}
    kept = [item for item in by_address.values() if isinstance(item, Resource) or item.id not in managed]
    kept.sort(key=lambda item: item.address)
    _one_id_each(kept, problems)
    return kept


def _one_item(one: Resource | Existing, two: Resource | Existing, problems: list[Finding]) -> Resource | Existing:
    if one.id != two.id:
        problems.append(_same_address(one, two))
        return min(one, two, key=lambda item: item.id)
    if isinstance(one, Existing) or isinstance(two, Existing):
        if isinstance(one, Resource) or isinstance(two, Resource):
            return one if isinstance(one, Resource) else two
        return Existing(one.address, one.id, {**one.facts, **two.facts}, one.tenant or two.tenant)
    if one.body() != two.body():
        problems.append(_same_name(one, two))
    return one.model_copy(
        update={
            "affected": tuple(sorted({*one.affected, *two.affected})),
            "needs": tuple(dict.fromkeys((*one.needs, *two.needs))),
            "protect": one.protect or two.protect,
        }
    )


def _same_address(one: Resource | Existing, two: Resource | Existing) -> Finding:
    first, second = sorted((str(one.id), str(two.id)))
    return Finding(
        rule="B-ADDRESS",
        address=one.address,
        summary="Two resources have one address",
        detail=f"{first} and {second} are both called {one.address}.",
        advice='Rename one of them, or give one a label: label="west".',
    )


def _same_name(one: Resource, two: Resource) -> Finding:
    paths = sorted(set(_unequal(one.body(), two.body())))
    return Finding(
        rule="B-CONTRADICTION",
        address=one.address,
        summary="Two places say different things about one resource",
        detail=f"{one.address} is declared twice; the two differ in {listed(paths)}.",
        advice=_ONE_SPOKE
        if one.role == "peering"
        else "Write it once and use the same value in both places, or give the second one another name.",
    )


_ONE_SPOKE = (
    "A spoke makes both peerings: write it at one of the two hubs. Where both networks have gateways neither can "
    "borrow the other's (R-PEER-02): gateway_transit=False."
)


def _unequal(one: Any, two: Any, path: str = "") -> Iterator[str]:
    """Wire paths at which two bodies differ; values are not told, one may be a secret's reference."""
    if isinstance(one, Mapping) and isinstance(two, Mapping):
        for name in {*one, *two}:
            yield from _unequal(one.get(name), two.get(name), join(path, name))
    elif one != two:
        yield path.removeprefix("properties.")


def _one_id_each(items: list[Resource | Existing], problems: list[Finding]) -> None:
    holders: dict[object, str] = {}
    for item in items:
        other = holders.setdefault(item.id, item.address)
        if other != item.address:
            problems.append(
                Finding(
                    rule="B-NAME",
                    address=item.address,
                    summary="Two resources get one name in Azure",
                    detail=f"{other} and {item.address} would both be {item.id.name} in {item.id.group} "
                    "(Azure compares names without case).",
                    advice="Name one of them yourself (connection_name, local_gateway_name, ...), or rename a part.",
                )
            )
