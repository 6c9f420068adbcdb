"""Laws of compiling, for every legal blueprint."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.blueprints.samples import SCOPE, shown
from tests.blueprints.strategies import topologies
from vpngw_iac import SiteToSite, Topology
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph

SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def written(items: tuple[Resource | Existing, ...]) -> str:
    """Everything that matters of a compile, as text."""
    return json.dumps(
        [
            [
                item.address,
                str(item.id),
                shown(item.body()),
                list(item.affected),
                sorted(str(r.target) for r in item.needs),
            ]
            if isinstance(item, Resource)
            else [item.address, str(item.id), dict(item.facts)]
            for item in items
        ],
        default=str,
    )


@SOME
@given(topologies(), st.randoms())
def test_the_order_in_which_things_are_written_does_not_matter(topology: Topology, random: object) -> None:
    blueprints = list(topology.blueprints)
    random.shuffle(blueprints)  # type: ignore[attr-defined]
    shuffled = topology.model_copy(
        update={
            "blueprints": tuple(
                part.model_copy(update={"sites": part.sites[::-1], "spokes": part.spokes[::-1]})
                if isinstance(part, SiteToSite)
                else part
                for part in blueprints
            )
        }
    )

    assert written(topology.resources(SCOPE)) == written(shuffled.resources(SCOPE))


@SOME
@given(topologies())
def test_no_two_resources_have_one_address_or_one_id(topology: Topology) -> None:
    items = topology.resources(SCOPE)

    assert len(items) == len({item.address for item in items})
    assert len(items) == len({item.id for item in items})
    assert [item.address for item in items] == sorted(item.address for item in items)


@SOME
@given(topologies())
def test_saying_a_thing_twice_is_saying_it_once(topology: Topology) -> None:
    again = tuple(part.model_copy(update={"name": f"{part.name}-again"}) for part in topology.blueprints)
    twice = topology.model_copy(update={"blueprints": (*topology.blueprints, *again)})

    assert written(topology.resources(SCOPE)) == written(twice.resources(SCOPE))


@SOME
@given(topologies())
def test_every_reference_leads_to_something_declared_or_existing_and_nothing_goes_in_circles(
    topology: Topology,
) -> None:
    items = topology.resources(SCOPE)
    known = {item.id for item in items}

    for item in items:
        if isinstance(item, Resource):
            assert {ref.target for _, ref, _ in item.references()} <= known
    assert None is Graph.of(items).cycle()


@SOME
@given(topologies())
def test_what_a_blueprint_says_survives_its_json(topology: Topology) -> None:
    document = json.loads(topology.model_dump_json(exclude_none=True, by_alias=True))
    for entry, part in zip(document["blueprints"], topology.blueprints, strict=True):
        entry["kind"] = type(part).__name__

    assert topology == Topology.model_validate(document)


@SOME
@given(topologies())
def test_an_address_does_not_depend_on_the_other_parts(topology: Topology) -> None:
    whole = {item.address: item.id for item in topology.resources(SCOPE)}

    for part in topology.blueprints:
        for item in part.resources(SCOPE):
            assert item.id == whole[item.address]
