"""Whatever is done to a network, judging it gives findings and never an exception."""

from __future__ import annotations

import copy
import random
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.preflight.world import World, entries_of, world_names
from vpngw_iac.arm import InvalidArmId
from vpngw_iac.preflight import check
from vpngw_iac.resources.existing import Existing

JUNK: list[Any] = [
    None, "", "x", "0.0.0.0/0", "10.1.0.0/16", "::1/128", "not an address", 0, -1, 2**40, True, [], {}, ["x"], [None],
    [{}], {"id": "x"}, {"id": None}, {"id": "/subscriptions/s"}, "169.254.21.2", 65515, {"properties": None},
]  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key in value:
            found += _places(value[key], (*path, key))
    elif isinstance(value, list):
        for index in range(len(value)):
            found += _places(value[index], (*path, index))
    return found


def _at(document: Any, way: tuple[Any, ...]) -> Any:
    for step in way:
        document = document[step]
    return document


def _mutate(document: Any, chance: random.Random) -> None:
    """Delete, replace, swap or double something."""
    places = _places(document)
    if not places:
        return
    *way, last = chance.choice(places)
    holder = _at(document, tuple(way))
    match chance.choice(("delete", "junk", "swap", "double")):
        case "delete":
            del holder[last]
        case "junk":
            holder[last] = copy.deepcopy(chance.choice(JUNK))
        case "swap":
            holder[last] = copy.deepcopy(_at(document, chance.choice(places)))
        case _ if isinstance(holder, list):
            holder.append(copy.deepcopy(holder[last]))


@settings(max_examples=6000, deadline=None)
@given(st.sampled_from(world_names()), st.integers(min_value=0, max_value=2**32))
def test_a_mutated_network_gives_findings_and_no_exception(name: str, seed: int) -> None:
    chance = random.Random(seed)
    world = World(entries_of(name))
    items = []
    for key in world.entries:
        changed = copy.deepcopy(world.entries)
        if chance.random() < 0.4:
            inside = {"entry": changed[key].get("properties", {})}
            _mutate(inside, chance)
            changed[key]["properties"] = inside.get("entry")
        try:
            items.append(World(changed).item(key))
        except (ValidationError, InvalidArmId, KeyError, TypeError, AttributeError):
            items.append(world.item(key))
    if chance.random() < 0.3:
        items = chance.sample(items, k=max(1, len(items) - 2))

    found = check(items, profile=chance.choice((None, "strict", "cnsa")))

    assert all(finding.rule and finding.address for finding in found)


@settings(max_examples=6000, deadline=None)
@given(st.sampled_from(world_names()), st.integers(min_value=0, max_value=2**32))
@example("groups", 8437)  # a priority that is a list
def test_facts_and_answers_of_any_shape_give_findings_and_no_exception(name: str, seed: int) -> None:
    chance = random.Random(seed)
    world = World(entries_of(name))
    documents = {key: world.document(key) for key in world.entries}
    for key in chance.sample(sorted(documents), k=min(4, len(documents))):
        for _ in range(chance.randint(1, 4)):
            _mutate(documents[key], chance)
    items = [
        Existing(world.address(key), world.id(key), documents[key] if chance.random() < 0.5 else {})
        if chance.random() < 0.6
        else world.item(key)
        for key in world.entries
    ]

    found = check(items, observed={world.id(key): documents[key] for key in documents}, created_or_replaced=[])

    assert all(finding.rule and finding.address for finding in found)
