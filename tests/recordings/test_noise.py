"""Laws of comparing: whatever manners Azure has, what means the declared is not a difference, and an answer that
does not is always found. Bodies are made from our own models, never from recordings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

import pytest
from hypothesis import Phase, assume, given, settings
from hypothesis import strategies as st

from tests.recordings.change import covers
from tests.recordings.declared import KEY, Declared
from tests.recordings.noise import SECRET, answer
from tests.resources.samples import resources
from vpngw_iac.engine.compare.document import transform
from vpngw_iac.resources import registry
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.circuit_authorization import ExpressRouteCircuitAuthorization
from vpngw_iac.resources.shape import UNKNOWN, Shape, shape_of
from vpngw_iac.resources.wire import Output

MODELS = [model for model in registry().values() if not model.only_if_absent]
per_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
# All of an authorization is Azure's: there is nothing that could change.
per_model_with_settings = pytest.mark.parametrize(
    "model",
    [model for model in MODELS if model is not ExpressRouteCircuitAuthorization],
    ids=lambda model: model.__name__,
)
# A gateway has hundreds of places: making a failing one smaller takes minutes, and the whole one says enough.
thorough = settings(max_examples=25, phases=(Phase.explicit, Phase.reuse, Phase.generate))
ADDRESS = "10.1.255.30"
"""What outputs resolve to."""

Steps = tuple[str | int, ...]


def declared(resource: Resource) -> Declared:
    """As it was applied, with every secret known."""
    fingerprints: dict[Any, Any] = {}
    transform(resource.body(), lambda _, leaf: fingerprints.setdefault(leaf, KEY.fingerprint(SECRET)))
    fingerprints = {leaf: known for leaf, known in fingerprints.items() if not isinstance(leaf, Output)}
    return Declared(resource, {}, fingerprints, resolve=lambda _: ADDRESS)


def plain(resource: Resource) -> dict[str, Any]:
    """The body as it goes over the wire."""
    return transform(
        resource.body(), lambda _, leaf: ADDRESS if isinstance(leaf, Output) and not leaf.secret else SECRET
    )


def has_distinct_keys(shape: Shape, value: Any) -> bool:
    """Azure refuses two elements of one name; whatever lies below counts too."""
    if isinstance(value, Mapping):
        return all(has_distinct_keys(shape.at(name), item) for name, item in value.items())
    if not isinstance(value, list):
        return True
    keys = [str(element.get(shape.key)).lower() for element in value] if shape.key else []
    return len(set(keys)) == len(keys) and all(has_distinct_keys(shape.item or UNKNOWN, element) for element in value)


def is_one_form(shape: Shape, value: Any) -> bool:
    """Azure refuses both forms of one thing at once (R-SUBNET-18)."""
    return not isinstance(value, Mapping) or not any(
        (shape.at(name).also_as in value) or not is_one_form(shape.at(name), item) for name, item in value.items()
    )


def outputs_fit(shape: Shape, value: Any) -> bool:
    """A secret that Azure makes goes where a secret belongs, and nothing else does."""
    if isinstance(value, Mapping):
        return all(outputs_fit(shape.at(name), item) for name, item in value.items())
    if isinstance(value, list):
        return all(outputs_fit(shape.item or UNKNOWN, item) for item in value)
    return not isinstance(value, Output) or value.secret == shape.write_only


def bodies(resource: Resource) -> dict[str, Any]:
    body, shape = plain(resource), shape_of(type(resource))
    assume(has_distinct_keys(shape, body) and is_one_form(shape, body) and outputs_fit(shape, resource.body()))
    return body


@per_model
@given(data=st.data(), dice=st.randoms(use_true_random=False), by_list=st.booleans())
@thorough
def test_an_answer_that_means_the_same_is_no_difference(
    model: type[Resource], data: st.DataObject, dice: Random, by_list: bool
) -> None:
    resource = data.draw(resources(model))
    body = bodies(resource)

    shown = answer(dice, shape_of(model), body, by_list=by_list)

    assert declared(resource).differences(shown, by_list=by_list) == []


@per_model_with_settings
@given(data=st.data(), dice=st.randoms(use_true_random=False))
@thorough
def test_an_answer_that_means_something_else_is_found_where_it_does(
    model: type[Resource], data: st.DataObject, dice: Random
) -> None:
    resource = data.draw(resources(model))
    body = bodies(resource)
    places = list(ours(shape_of(model), body))
    assume(places)
    steps, path = dice.choice(places)
    changed = altered(dice, body, steps)

    shown = answer(dice, shape_of(model), changed)

    assert any(covers(found, path) for found in declared(resource).differences(shown, by_list=False)), path


@per_model_with_settings
@given(data=st.data(), dice=st.randoms(use_true_random=False))
@thorough
def test_an_update_mends_all_of_it_and_is_quiet_afterwards(
    model: type[Resource], data: st.DataObject, dice: Random
) -> None:
    resource = data.draw(resources(model))
    body = bodies(resource)
    places = list(ours(shape_of(model), body))
    assume(places)
    steps, _ = dice.choice(places)

    shown = answer(dice, shape_of(model), altered(dice, body, steps))

    assert declared(resource).left_after_update(shown) == []


def ours(shape: Shape, value: Any, steps: Steps = (), path: str = "") -> Iterator[tuple[Steps, str]]:
    """Every leaf that we declare, how to get there, and how a difference there is told."""
    if shape.read_only or shape.write_only or shape.children:
        return
    if isinstance(value, Mapping) and value:
        for name, item in value.items():
            yield from ours(shape.at(name), item, (*steps, name), f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value and all(isinstance(element, Mapping) for element in value):
        for index, element in enumerate(value):
            place = f"{path}[{shape.key}={element.get(shape.key)}]" if shape.key else path
            for inner, below in ours(shape.item or UNKNOWN, element, (*steps, index), place):
                yield inner, below if shape.key else path
    elif value not in ({}, []):
        yield steps, path


def altered(dice: Random, body: Any, steps: Steps) -> Any:
    """A copy with another value at one place."""
    if not steps:
        return _another(dice, body)
    if isinstance(body, Mapping):
        return {name: altered(dice, item, steps[1:]) if name == steps[0] else item for name, item in body.items()}
    return [altered(dice, item, steps[1:]) if index == steps[0] else item for index, item in enumerate(body)]


def _another(dice: Random, value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + dice.choice([1, 7, 100])
    if isinstance(value, list):
        # An element that is there twice means the same once: the other one goes too.
        return [*value, "10.99.0.0/24"] if dice.random() < 0.5 else [each for each in value if each != value[0]]
    if "/" in value and not value.startswith("/"):
        return "10.99.0.0/24"
    return "10.9.9.9" if value.count(".") == 3 or "::" in value else f"{value}x"
