"""Topology and operations as Mermaid, DOT and SVG."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.report import golden
from tests.report.worlds import connection, creation, gateway, hub, network, public_ip, rid, schedule_of, site
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.report.drawing import Box, Drawing, Line, operations, topology
from vpngw_iac.report.layout import PlacedBox, arrange
from vpngw_iac.report.pictures import draw
from vpngw_iac.report.pictures.dot import render as dot
from vpngw_iac.report.pictures.mermaid import render as mermaid
from vpngw_iac.report.pictures.svg import render as svg
from vpngw_iac.resources.existing import Existing
from vpngw_iac.resources.graph import Graph
from vpngw_iac.resources.wire import Output

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("form", ["mermaid", "dot", "svg"])
@pytest.mark.parametrize("of", ["topology", "operations"])
def test_a_picture_looks_as_when_somebody_looked_at_it(of: str, form: str) -> None:
    graph = hub(3)

    golden.check(f"{of}.{form}", draw("contoso-hub", graph, schedule_of(creation(graph)), of=of, format=form))  # type: ignore[arg-type]


def test_the_topology_shows_every_site_the_clients_and_the_spoke() -> None:
    drawing = topology(hub(3), "x")

    titles = {box.title for box in drawing.boxes}
    assert {
        "lgw-berlin",
        "lgw-munich",
        "lgw-site-03",
        "Clients of vgw-hub",
        "vgw-hub",
        "vnet-hub",
        "vnet-spoke",
    } == titles
    assert sorted(line.label for line in drawing.lines) == ["IPsec", "IPsec", "IPsec", "peering", "point-to-site"]


def test_a_gateway_that_is_only_used_is_drawn_as_existing() -> None:
    used = Existing(
        "VpnGateway/vgw-hub",
        rid("Microsoft.Network/virtualNetworkGateways", "vgw-hub"),
        {"properties.gatewayType": "Vpn"},
    )
    graph = Graph.of([site("berlin", "203.0.113.10", "192.168.10.0/24"), connection("berlin"), used])

    drawing = topology(graph, "x")

    box = next(box for box in drawing.boxes if box.title == "vgw-hub")
    assert box.lines == ("VPN gateway", "existing")
    assert [(line.source, line.target) for line in drawing.lines] == [
        (graph.resources["LocalNetworkGateway/vgw-hub/berlin"].id.key, used.id.key)
    ]


def test_operations_keep_only_the_arrows_that_no_path_implies() -> None:
    schedule = schedule_of(creation(hub(1)))

    drawing = operations(schedule, "x")

    arrows = {(line.source, line.target) for line in drawing.lines}
    assert ("VpnGateway/vgw-hub", "VpnConnection/vgw-hub/berlin") in arrows
    assert ("ResourceGroup/rg-hub", "VpnConnection/vgw-hub/berlin") not in arrows
    strong = [line for line in drawing.lines if line.strong]
    assert len(strong) == len(schedule.critical_path) - 1


def test_text_from_a_blueprint_is_data_in_every_format() -> None:
    evil = 'x"]; <script>alert(1)</script> & --> ```'
    drawing = Drawing(evil, (Box("a", evil, (evil,)), Box("b", evil)), (Line("a", "b", evil),))

    root = ElementTree.fromstring(svg(drawing))
    texts = [element.text for element in root.iter(f"{SVG}text")]
    assert any(text and text.startswith('x"]; <script>') for text in texts)
    assert not list(root.iter(f"{SVG}script"))
    assert "<script>" not in mermaid(drawing).partition("flowchart")[2]
    assert 'x\\"]' in dot(drawing)


def _overlap(one: PlacedBox, other: PlacedBox) -> bool:
    return (
        one.x < other.x + other.width
        and other.x < one.x + one.width
        and one.y < other.y + other.height
        and other.y < one.y + one.height
    )


names = st.lists(st.integers(0, 12), min_size=1, max_size=12, unique=True)


@given(
    columns=st.lists(st.integers(0, 4), min_size=1, max_size=14),
    lines=st.lists(st.tuples(st.integers(0, 13), st.integers(0, 13)), max_size=25),
)
def test_boxes_never_overlap_and_stay_on_the_page(columns: list[int], lines: list[tuple[int, int]]) -> None:
    boxes = tuple(Box(str(n), f"box {n}", ("small print",) * (n % 3), column=c) for n, c in enumerate(columns))
    known = [(a, b) for a, b in lines if a < len(boxes) and b < len(boxes) and a != b]
    drawing = Drawing("x", boxes, tuple(Line(str(a), str(b)) for a, b in known))

    layout = arrange(drawing)

    assert not any(_overlap(one, other) for one, other in combinations(layout.places, 2))
    assert all(p.x >= 0 and p.y >= 0 for p in layout.places)
    assert all(p.x + p.width <= layout.width and p.y + p.height <= layout.height for p in layout.places)
    assert svg(drawing).count("<path d=") == len(known) + 2


def test_two_gateways_that_are_joined_are_drawn_one_above_the_other() -> None:
    first = gateway("vgw-a", "vnet-a", "pip-a")
    second = gateway("vgw-b", "vnet-b", "pip-b")
    graph = Graph.of(
        [
            network("vnet-a", "10.1.0.0/16"),
            network("vnet-b", "10.2.0.0/16"),
            public_ip("pip-a"),
            public_ip("pip-b"),
            first,
            second,
        ]
    )
    drawing = topology(graph, "x")
    joined = replace(drawing, lines=(Line(first.id.key, second.id.key, "VNet-to-VNet"),))

    layout = arrange(joined)

    assert len({place.x for place in layout.places}) == 1
    assert len(layout.routes[0].points) == 3


def test_a_picture_of_nothing_is_still_a_picture() -> None:
    for drawing in (topology(Graph(), "empty"), operations(Schedule(), "empty")):
        assert ElementTree.fromstring(svg(drawing)).tag == f"{SVG}svg"
        assert mermaid(drawing)
        assert dot(drawing)


def test_a_site_that_is_our_own_gateway_is_drawn_as_a_line_between_gateways() -> None:
    blue, green = gateway("vgw-blue", "vnet-blue", "pip-blue"), gateway("vgw-green", "vnet-green", "pip-green")
    address = Output(rid("Microsoft.Network/publicIPAddresses", "pip-green"), "properties.ipAddress")
    stand_in = site("green", "203.0.113.1", "10.2.0.0/16")
    properties = stand_in.properties.model_copy(update={"gateway_ip_address": address})
    stand_in = stand_in.model_copy(update={"properties": properties})
    networks = (network("vnet-blue", "10.1.0.0/16"), network("vnet-green", "10.2.0.0/16"))
    graph = Graph.of([*networks, public_ip("pip-green"), blue, green, stand_in, connection("green", "vgw-blue")])

    drawing = topology(graph, "x")

    assert {box.title for box in drawing.boxes} == {"vnet-blue", "vnet-green", "vgw-blue", "vgw-green"}
    assert drawing.lines == (Line(blue.id.key, green.id.key, "IPsec"),)
