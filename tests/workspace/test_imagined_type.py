"""A type that is managed although others are only used: route tables, imagined in one class as a new file would be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import pytest

from tests.workspace.conftest import Bench
from tests.worlds import REGION, Deployment, gateway_subnet, hub_without_gateway, rid
from vpngw_iac.resources import registry
from vpngw_iac.resources.base import Durations, Resource
from vpngw_iac.resources.wire import Wire

TABLE = rid("routeTables", "rt-hub")


class RouteTableProperties(Wire):
    disable_bgp_route_propagation: bool | None = None


class RouteTable(Resource):
    arm_type: ClassVar[str] = "Microsoft.Network/routeTables"
    kind: ClassVar[str] = "RouteTable"
    sdk: ClassVar[str] = "network.route_tables"
    durations: ClassVar[Durations] = Durations(3, 3, 10)

    properties: RouteTableProperties


@pytest.fixture(autouse=True)
def _imagined() -> Iterator[None]:
    """The registry as it is with one more file in the folder."""
    registry()[RouteTable.arm_type.lower()] = RouteTable
    yield
    del registry()[RouteTable.arm_type.lower()]


def with_a_table(**properties: Any) -> Deployment:
    """A table and a GatewaySubnet that uses it."""
    table = RouteTable.model_validate(
        {
            "address": "RouteTable/hub",
            "id": TABLE,
            "location": REGION,
            "properties": {"disableBgpRoutePropagation": False} | properties,
        }
    )
    subnet = gateway_subnet(routeTable={"id": str(TABLE)})
    return hub_without_gateway().plus(table, subnet.model_copy(update={"needs": (table.ref(),)}))


def test_a_managed_route_table_is_created_used_changed_and_deleted(bench: Bench) -> None:
    bench.create(with_a_table())
    assert bench.changes(with_a_table()) == {}

    bench.converge(with_a_table(disableBgpRoutePropagation=True))
    assert bench.document(TABLE)["properties"]["disableBgpRoutePropagation"] is True

    bench.converge(hub_without_gateway())
    assert not bench.exists(TABLE)


def test_a_managed_route_table_that_somebody_deleted_is_made_again(bench: Bench) -> None:
    deployment = hub_without_gateway().plus(
        RouteTable.model_validate({"address": "RouteTable/hub", "id": TABLE, "location": REGION, "properties": {}})
    )
    bench.create(deployment)
    bench.simulator.delete(str(TABLE))

    assert bench.plan(deployment).blocking == ()
    bench.converge(deployment)


def test_a_route_table_of_others_that_is_not_there_is_still_refused(bench: Bench) -> None:
    missing = hub_without_gateway().plus(gateway_subnet(routeTable={"id": str(TABLE)}))

    assert [finding.rule for finding in bench.plan(missing).blocking] == ["V-EXIST-01"]
