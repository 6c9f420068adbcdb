"""Something becomes Failed in the middle of a run and blocks what comes after it (R-OPS-03, R-OPS-04)."""

from __future__ import annotations

from typing import Any

from tests.workspace.conftest import Harness
from tests.worlds import connection, hub, rid, site
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.event import OperationEnded, OperationStarted, OperationWaiting
from vpngw_iac.errors import ExitCode
from vpngw_iac.simulator.faults import AnswerInstead
from vpngw_iac.usecases.state_commands import StateCommands

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
BERLIN, PARIS = rid("connections", "con-berlin"), rid("connections", "con-paris")
CON = "VpnConnection/hub/berlin"


def fails(harness: Harness, identity: ArmId, when: str) -> Any:
    """Azure's own work on that resource fails as soon as an operation on the address `when` starts."""

    struck: list[str] = []

    def heard(event: Any) -> None:
        harness.events.append(event)
        if isinstance(event, OperationStarted) and event.address == when and not struck:
            struck.append(when)
            become_failed(harness, identity)

    return heard


def become_failed(harness: Harness, identity: ArmId) -> None:
    stored = harness.simulator._store.find(identity)
    assert stored is not None
    stored.state = "Failed"


def test_our_gateway_that_fails_meanwhile_is_repaired_first_in_the_same_run(harness: Harness) -> None:
    deployment = harness.create(hub()).plus(site("berlin"), connection("berlin"))

    outcome = harness.converge(deployment, run={"on_event": fails(harness, GATEWAY, CON)})

    assert harness.writes() == [
        "PUT localNetworkGateways/lgw-berlin",
        *["PUT connections/con-berlin"] * 3,
        "PUT virtualNetworkGateways/vgw-hub",
        "PUT connections/con-berlin",
    ]
    assert {r.address: r.status for r in outcome.operations} == {
        "LocalNetworkGateway/hub/berlin": "succeeded",
        CON: "succeeded",
        "VpnGateway/hub": "succeeded",
    }
    told = [e.why for e in harness.events if isinstance(e, OperationWaiting) and e.address == CON]
    assert "the repair of vgw-hub" in told


def test_all_that_are_blocked_wait_for_one_repair(harness: Harness) -> None:
    names = ["berlin", "paris", "rome", "oslo"]
    more = [part for n, name in enumerate(names) for part in (site(name, n), connection(name))]
    deployment = harness.create(hub()).plus(*more)

    harness.converge(deployment, run={"on_event": fails(harness, GATEWAY, CON)})

    assert harness.writes("*/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_connection_that_fails_meanwhile_is_repaired_before_its_gateway_is_edited(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))

    harness.converge(hub("berlin", "paris", sku="VpnGw3AZ"), run={"on_event": fails(harness, PARIS, "VpnGateway/hub")})

    assert harness.writes() == [
        *["PUT virtualNetworkGateways/vgw-hub"] * 3,
        "PUT connections/con-paris",
        "PUT virtualNetworkGateways/vgw-hub",
    ]


def test_a_deletion_is_unblocked_too(harness: Harness) -> None:
    harness.create(hub("berlin"))
    harness.fault(
        AnswerInstead(status=429, code="ReferencedResourceNotProvisioned", message="Not provisioned."),
        method="DELETE",
        path="*/con-berlin",
        times=3,
    )

    harness.converge(hub(), run={"on_event": fails(harness, GATEWAY, CON)})

    assert "PUT virtualNetworkGateways/vgw-hub" in harness.writes()


def test_a_failed_connection_of_somebody_else_is_named_and_not_touched(harness: Harness) -> None:
    harness.create(hub("berlin", "paris"))
    deployment = hub("berlin", sku="VpnGw3AZ")
    entry = harness.entries(deployment)["VpnConnection/hub/paris"]
    upkeep = StateCommands(harness.workspace(), deployment.name)
    upkeep.forget(entry.address)
    upkeep.forget("LocalNetworkGateway/hub/paris")
    harness.mark()

    outcome = harness.apply(deployment, run={"on_event": fails(harness, PARIS, "VpnGateway/hub")})

    failed = next(r for r in outcome.operations if r.status == "failed")
    assert (failed.address, failed.code) == ("VpnGateway/hub", "ReferencedResourceFailed")
    assert f"while {PARIS} is Failed" in failed.error
    assert harness.writes("*/con-paris") == []


def test_when_the_repair_fails_it_is_the_one_cause_that_the_blocked_ones_name(harness: Harness) -> None:
    deployment = harness.create(hub()).plus(site("berlin"), connection("berlin"))
    harness.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/vgw-hub")

    outcome = harness.apply(deployment, run={"on_event": fails(harness, GATEWAY, CON)})

    assert outcome.exit_code == ExitCode.ERROR
    assert {(r.address, r.status, r.because) for r in outcome.operations if r.status != "succeeded"} == {
        ("VpnGateway/hub", "failed", ""),
        (CON, "skipped", "VpnGateway/hub"),
    }
    harness.converge(deployment)


def test_what_was_repaired_and_failed_again_is_not_repaired_for_ever(harness: Harness) -> None:
    deployment = harness.create(hub()).plus(site("berlin"), connection("berlin"))

    def always(event: Any) -> None:
        begins = isinstance(event, OperationStarted) and event.address == CON
        if begins or (isinstance(event, OperationEnded) and event.address in (CON, "VpnGateway/hub")):
            become_failed(harness, GATEWAY)

    outcome = harness.apply(deployment, run={"on_event": always})

    failed = next(r for r in outcome.operations if r.status == "failed")
    assert f"{BERLIN} cannot be written while {GATEWAY} is Failed" in failed.error
    assert harness.writes("*/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]
