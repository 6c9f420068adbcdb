"""A saved plan holds resources as JSON; reading them back gives the same resources, and no secret is ever in them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.resources.samples import connection, gateway, resources, spoke_peering
from vpngw_iac.errors import PlanError
from vpngw_iac.resources import registry
from vpngw_iac.resources.base import Output, Resource
from vpngw_iac.resources.dump import dump_resource, load_resource

per_type = pytest.mark.parametrize("model", registry().values(), ids=lambda model: model.kind)
quick = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@per_type
@quick
@given(st.data())
def test_a_resource_that_is_dumped_and_loaded_is_the_same_resource(model: type[Resource], data: st.DataObject) -> None:
    resource = data.draw(resources(model))
    text = json.dumps(dump_resource(resource))

    loaded = load_resource(json.loads(text))

    assert type(resource) is type(loaded)
    assert resource.body() == loaded.body()
    assert list(resource.references()) == list(loaded.references())
    assert resource == loaded


@per_type
@quick
@given(st.data())
def test_a_body_in_wire_casing_makes_the_same_resource(model: type[Resource], data: st.DataObject) -> None:
    resource = data.draw(resources(model))

    again = model.model_validate({**resource.body(), "address": resource.address, "id": resource.id})

    assert resource.body() == again.body()
    assert [r for r in resource.references() if r[0] != "needs"] == list(again.references())


def test_a_secret_travels_as_a_reference_and_a_made_key_as_an_output() -> None:
    source = gateway().id
    resource = connection(authorization_key=Output(source, "properties.authorizationKey", secret=True))

    document = dump_resource(resource)

    properties = document["body"]["properties"]
    assert resource == load_resource(document)

    assert properties["sharedKey"] == {"$secret": {"source": "env", "name": "BERLIN_PSK"}}
    assert {"$output": {"source": str(source), "path": "properties.authorizationKey", "secret": True}} == properties[
        "authorizationKey"
    ]


def test_what_is_not_said_is_not_written() -> None:
    assert {"type", "address", "id", "needs", "body"} == set(dump_resource(gateway()))


def test_the_arrow_that_only_orders_survives() -> None:
    loaded = load_resource(dump_resource(spoke_peering()))

    assert [(path, arrow.target.name, loose) for path, arrow, loose in loaded.references() if path == "needs"] == [
        ("needs", "vgw-hub", True)
    ]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"type": "Microsoft.Network/azureFirewalls"}, "azureFirewalls"),
        ({"body": {"location": "westeurope", "properties": {"tomorrow": 1}}}, "properties"),
        ({"somethingNew": True}, "somethingNew"),
    ],
)
def test_a_plan_of_another_version_is_refused_with_what_cannot_be_read(change: dict[str, Any], says: str) -> None:
    document = dump_resource(gateway()) | change

    with pytest.raises(PlanError, match=says) as caught:
        load_resource(document)

    assert "VirtualNetworkGateway/vgw-hub" in caught.value.message
    assert "again" in caught.value.advice
