"""Laws of runs: apply leaves nothing to do, destroy gives the world back; whatever fails, a second run converges."""

from __future__ import annotations

import contextlib
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.workspace.conftest import Harness
from tests.worlds import (
    Deployment,
    base,
    clients,
    connection,
    gateway,
    nat_rule,
    network,
    peering,
    rid,
    site,
)
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import VpngwError
from vpngw_iac.resources.base import Ref
from vpngw_iac.simulator.faults import (
    AnswerInstead,
    BreakConnection,
    FailForSibling,
    FailLate,
    LoseOperation,
    SlowOperation,
    StayInUse,
)

SITES = ("berlin", "paris", "rome")


@st.composite
def deployments(draw: st.DrawFn) -> Deployment:
    """A hub with some sites, NAT on one of them, clients, spokes, tags."""
    names = draw(st.lists(st.sampled_from(SITES), unique=True, max_size=2))
    more = draw(st.fixed_dictionaries({}, optional={"enableDnsForwarding": st.booleans()}))
    if draw(st.booleans()):
        more |= clients("one")
    tags = draw(st.none() | st.dictionaries(st.sampled_from("ab"), st.sampled_from("xy"), max_size=2))
    items: list[Any] = [*base(), gateway(more={"tags": tags}, **more)]
    translated = draw(st.booleans())
    if translated:
        items.append(nat_rule("in"))
    for name in names:
        linked = {"ingressNatRules": [Ref.to(nat_rule("in").id)]} if translated and name == names[0] else {}
        prefix = f"192.168.{draw(st.sampled_from([10, 20])) + SITES.index(name)}.0/24"
        items.append(site(name, SITES.index(name), localNetworkAddressSpace={"addressPrefixes": [prefix]}))
        items.append(connection(name, **linked))
    if draw(st.booleans()):
        items += [network("red", "10.10.0.0/16"), peering("hub", "red", lends=True), peering("red", "hub", uses="hub")]
    return Deployment("hub", tuple(items))


def new_harness() -> Harness:
    return Harness(Path(tempfile.mkdtemp(prefix="vpngw-law-")))


@settings(max_examples=8)
@given(deployments(), deployments())
def test_after_each_apply_there_is_nothing_to_do_and_destroy_gives_the_world_back(
    first: Deployment, second: Deployment
) -> None:
    harness = new_harness()
    for deployment in (first, second):
        harness.converge(deployment)
        assert {item.id for item in deployment.items} == {i.id for i in deployment.items if harness.exists(i.id)}
        assert len(harness.simulator.documents()) == len(deployment.items)
        assert harness.drift(deployment, deep=True).items == ()

    outcome = harness.destroy(second)

    assert outcome.outcome == "succeeded"
    assert harness.simulator.documents() == {}
    assert harness.entries(second) == {}


@settings(max_examples=8)
@given(deployments(), deployments())
def test_a_plan_that_is_saved_and_read_back_decides_the_same(first: Deployment, second: Deployment) -> None:
    harness = new_harness()
    harness.converge(first)
    workspace = harness.workspace()
    plan = workspace.plan(second)

    again = workspace.plan(workspace.load_plan(workspace.save_plan(plan)), Options())

    assert again.changes == plan.changes
    assert workspace.schedule(again).operations == workspace.schedule(plan).operations


EFFECTS = st.sampled_from(
    [
        AnswerInstead(status=429, code="TooManyRequests", message="Slow down.", retry_after=40),
        AnswerInstead(status=409, code="AnotherOperationInProgress", message="Busy."),
        AnswerInstead(status=412, code="PreconditionFailed", message="Etag."),
        AnswerInstead(status=400, code="BadRequest", message="No."),
        AnswerInstead(status=503, html=True),
        BreakConnection(done=True),
        BreakConnection(done=False),
        FailLate(),
        FailForSibling(),
        LoseOperation(),
        SlowOperation(factor=3.0),
        StayInUse(seconds=200),
    ]
)
PLACES = ("*/connections/*", "*/virtualnetworkgateways/*", "*/localnetworkgateways/*", "*/subnets/*", "*")
TROUBLES = st.lists(
    st.tuples(
        EFFECTS,
        st.fixed_dictionaries(
            {
                "method": st.sampled_from(["PUT", "DELETE", "GET", "*"]),
                "path": st.sampled_from(PLACES),
                "nth": st.integers(1, 6),
                "times": st.integers(1, 3),
            }
        ),
    ),
    max_size=4,
)


@settings(max_examples=25)
@given(deployments(), deployments(), TROUBLES, st.none() | st.integers(1, 80))
def test_whatever_fails_the_state_stays_valid_and_the_next_run_converges(
    first: Deployment, second: Deployment, troubles: list[tuple[Any, dict[str, Any]]], death: int | None
) -> None:
    from tests.workspace.conftest import Killed

    harness = new_harness()
    harness.converge(first)
    for effect, which in troubles:
        harness.fault(effect, **which)
    harness.clock.dies_at = None if death is None else harness.clock.looks + death
    with contextlib.suppress(VpngwError, Killed):
        harness.apply(second)
    harness.clock.dies_at = None
    harness.entries(second)  # valid, whatever happened

    harness.simulator.faults.clear()
    harness.clock.advance(7200)
    repaired = harness.apply(second)
    if repaired.outcome != "succeeded":
        repaired = harness.apply(second)

    assert repaired.outcome == "succeeded", [(r.address, r.error) for r in repaired.operations if r.error]
    assert harness.plan(second).changes == ()
    assert len(harness.simulator.documents()) == len(second.items)
    assert harness.exists(rid("virtualNetworkGateways", "vgw-hub"))
