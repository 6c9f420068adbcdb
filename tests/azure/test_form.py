"""Answers whose parts have another JSON type than Azure's are told as such, at every read, and nothing is written."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.workspace.conftest import Harness
from tests.worlds import clients, gateway, hub_with_spokes, nat_rule
from vpngw_iac.arm import ArmId
from vpngw_iac.azure.response_shape import misfit
from vpngw_iac.errors import EndpointError, VpngwError
from vpngw_iac.simulator import Simulator
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse

WRONG: tuple[Any, ...] = (5, "x", [5], ["x"], [None], [[]], True, {})
Place = tuple[str | int, ...]


def places(value: Any, before: Place = ()) -> Iterator[Place]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, item in inner:
        yield (*before, name)
        yield from places(item, (*before, name))


def with_wrong(document: Any, place: Place, wrong: Any) -> Any:
    changed = json.loads(json.dumps(document))
    inside = changed
    for step in place[:-1]:
        inside = inside[step]
    inside[place[-1]] = wrong
    return changed


class Liar(Simulator):
    """Every GET or LIST that shows a resource shows it with something wrong in it."""

    lie: tuple[str, Place, Any] | None = None

    def handle(self, request: HttpRequest) -> HttpResponse:
        answer = super().handle(request)
        if self.lie is None or request.method != "GET" or not isinstance(answer.body, Mapping):
            return answer
        whole = json.loads(json.dumps(answer.body))
        if isinstance(whole.get("value"), list):
            whole["value"] = [self._bent(item) for item in whole["value"]]
        return replace(answer, body=self._bent(whole))

    def _bent(self, item: Any) -> Any:
        assert self.lie is not None
        target, place, wrong = self.lie
        if str(item.get("id", "")).lower() != target.lower():
            return item
        try:
            return with_wrong(item, place, wrong)
        except (LookupError, TypeError):
            return item  # this answer does not show that place


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Any]:
    harness = Harness(tmp_path_factory.mktemp("desk"))
    bgp = {"bgpSettings": {"asn": 65010}, "enableBgp": True}
    deployment = hub_with_spokes("red").plus(nat_rule("n1")).but(gateway(**bgp, **clients("r1")))
    harness.create(deployment)
    harness.simulator.__class__ = Liar
    return harness, deployment


def test_real_documents_have_their_form(world: tuple[Any, Any]) -> None:
    documents = world[0].simulator.documents()

    assert {i: where for i, d in documents.items() if (where := misfit(d, ArmId(i).type))} == {}


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        (("properties", "ipConfigurations"), 5),
        (("properties", "ipConfigurations", 0), "x"),
        (("properties", "ipConfigurations", 0, "properties", "subnet", "id"), "x"),
        (("properties", "sku", "name"), [[]]),
        (("properties", "natRules"), [5]),
        (("properties", "vpnClientConfiguration", "vpnClientRootCertificates"), {"a": 1}),
    ],
)
def test_a_gateway_whose_parts_are_something_else_is_no_gateway(
    world: tuple[Any, Any], path: Place, wrong: Any
) -> None:
    harness, deployment = world
    target = next(i for i in harness.simulator.documents() if i.lower().endswith("/virtualnetworkgateways/vgw-hub"))
    harness.simulator.lie = target, path, wrong
    harness.mark()

    with pytest.raises(EndpointError) as caught:
        harness.apply(deployment)

    harness.simulator.lie = None
    assert "no such resource" in str(caught.value)
    assert str(path[-1]) in str(caught.value) or str(path[1]) in str(caught.value)
    assert harness.writes() == []


@pytest.mark.parametrize("part", range(4))
def test_nothing_wrong_in_an_answer_is_a_fault_of_ours(world: tuple[Any, Any], part: int) -> None:
    """One place of one document at a time, each with one wrong value; a seventh of them, spread over all."""
    harness, deployment = world
    cases = [(i, place) for i, document in sorted(harness.simulator.documents().items()) for place in places(document)]
    for number, (target, place) in list(enumerate(cases))[part::28]:
        harness.simulator.lie = target, place, WRONG[number % len(WRONG)]
        for look in (harness.plan, harness.drift):
            with contextlib.suppress(VpngwError):
                look(deployment)
