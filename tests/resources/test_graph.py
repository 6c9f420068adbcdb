"""The graph answers who holds what without walking all edges."""

from __future__ import annotations

import sys
from typing import Any

from tests.worlds import Deployment, connection, gateway, hub_without_gateway, rid, site
from vpngw_iac.arm import Scope
from vpngw_iac.resources.graph import Edge, Graph

SCOPE = Scope("00000000-0000-0000-0000-000000000000")


def hub_with(sites: int) -> Deployment:
    names = [f"s{number}" for number in range(sites)]
    parts = (part for number, name in enumerate(names) for part in (site(name, number % 200), connection(name)))
    return hub_without_gateway().plus(gateway(), *parts)


def work_of_all_dependents(sites: int) -> int:
    """Calls of Python functions (and steps of generators) that asking for every address's dependents costs."""
    graph = Graph.of(hub_with(sites).resources(SCOPE))
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        for address in graph.resources:
            graph.dependents(address)
    finally:
        sys.setprofile(before)
    return calls


def test_asking_for_all_dependents_grows_with_the_number_of_sites_and_not_with_its_square() -> None:
    one, four = work_of_all_dependents(25), work_of_all_dependents(100)

    assert four < 6 * one


def test_holders_are_the_edges_that_point_there_in_the_order_of_addresses() -> None:
    graph = Graph.of(hub_with(3).resources(SCOPE))
    target = rid("virtualNetworkGateways", "vgw-hub")

    found = list(graph.holders(target))

    assert found == [edge for edges in graph.edges.values() for edge in edges if edge.target == target]
    assert [edge.holder for edge in found] == sorted(edge.holder for edge in found)
    assert {edge.holder for edge in found} == {f"VpnConnection/hub/s{number}" for number in range(3)}
    assert list(graph.holders(rid("virtualNetworkGateways", "another"))) == []


def test_a_graph_made_of_its_parts_knows_its_holders_and_equals_another() -> None:
    edge = Edge("A/a", rid("virtualNetworks", "b"), "parent")

    graph = Graph(edges={"A/a": (edge,)})

    assert list(graph.holders(edge.target)) == [edge]
    assert graph == Graph(edges={"A/a": (edge,)})
