"""Something becomes Failed in the middle of a run and blocks what comes after it (R-OPS-03, R-OPS-04)."""

from __future__ import annotations

from typing import Any

from tests.workspace.conftest import Bench
from tests.worlds import connection, hub, rid, site
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.event import OperationEnded, OperationStarted, OperationWaiting
from vpngw_iac.errors import ExitCode
from vpngw_iac.simulator.faults import AnswerInstead
from vpngw_iac.usecases.state_commands import Upkeep

GATEWAY = rid("virtualNetworkGateways", "vgw-hub")
BERLIN, PARIS = rid("connections", "con-berlin"), rid("connections", "con-paris")
CON = "VpnConnection/hub/berlin"


def fails(bench: Bench, identity: ArmId, when: str) -> Any:
    """Azure's own work on that resource fails as soon as an operation on the address `when` starts."""

    struck: list[str] = []

    def heard(event: Any) -> None:
        bench.events.append(event)
        if isinstance(event, OperationStarted) and event.address == when and not struck:
            struck.append(when)
            become_failed(bench, identity)

    return heard


def become_failed(bench: Bench, identity: ArmId) -> None:
    stored = bench.simulator._store.find(identity)
    assert stored is not None
    stored.state = "Failed"


def test_our_gateway_that_fails_meanwhile_is_repaired_first_in_the_same_run(bench: Bench) -> None:
    deployment = bench.create(hub()).plus(site("berlin"), connection("berlin"))

    outcome = bench.converge(deployment, run={"on_event": fails(bench, GATEWAY, CON)})

    assert bench.writes() == [
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
    told = [e.why for e in bench.events if isinstance(e, OperationWaiting) and e.address == CON]
    assert "the repair of vgw-hub" in told


def test_all_that_are_blocked_wait_for_one_repair(bench: Bench) -> None:
    names = ["berlin", "paris", "rome", "oslo"]
    more = [part for n, name in enumerate(names) for part in (site(name, n), connection(name))]
    deployment = bench.create(hub()).plus(*more)

    bench.converge(deployment, run={"on_event": fails(bench, GATEWAY, CON)})

    assert bench.writes("*/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]


def test_a_connection_that_fails_meanwhile_is_repaired_before_its_gateway_is_edited(bench: Bench) -> None:
    bench.create(hub("berlin", "paris"))

    bench.converge(hub("berlin", "paris", sku="VpnGw3AZ"), run={"on_event": fails(bench, PARIS, "VpnGateway/hub")})

    assert bench.writes() == [
        *["PUT virtualNetworkGateways/vgw-hub"] * 3,
        "PUT connections/con-paris",
        "PUT virtualNetworkGateways/vgw-hub",
    ]


def test_a_deletion_is_unblocked_too(bench: Bench) -> None:
    bench.create(hub("berlin"))
    bench.fault(
        AnswerInstead(status=429, code="ReferencedResourceNotProvisioned", message="Not provisioned."),
        method="DELETE",
        path="*/con-berlin",
        times=3,
    )

    bench.converge(hub(), run={"on_event": fails(bench, GATEWAY, CON)})

    assert "PUT virtualNetworkGateways/vgw-hub" in bench.writes()


def test_a_failed_connection_of_somebody_else_is_named_and_not_touched(bench: Bench) -> None:
    bench.create(hub("berlin", "paris"))
    deployment = hub("berlin", sku="VpnGw3AZ")
    entry = bench.entries(deployment)["VpnConnection/hub/paris"]
    upkeep = Upkeep(bench.workspace(), deployment.name)
    upkeep.forget(entry.address)
    upkeep.forget("LocalNetworkGateway/hub/paris")
    bench.mark()

    outcome = bench.apply(deployment, run={"on_event": fails(bench, PARIS, "VpnGateway/hub")})

    failed = next(r for r in outcome.operations if r.status == "failed")
    assert (failed.address, failed.code) == ("VpnGateway/hub", "ReferencedResourceFailed")
    assert f"while {PARIS} is Failed" in failed.error
    assert bench.writes("*/con-paris") == []


def test_when_the_repair_fails_it_is_the_one_cause_that_the_blocked_ones_name(bench: Bench) -> None:
    deployment = bench.create(hub()).plus(site("berlin"), connection("berlin"))
    bench.fault(AnswerInstead(status=400, code="BadRequest", message="No."), method="PUT", path="*/vgw-hub")

    outcome = bench.apply(deployment, run={"on_event": fails(bench, GATEWAY, CON)})

    assert outcome.exit_code == ExitCode.ERROR
    assert {(r.address, r.status, r.because) for r in outcome.operations if r.status != "succeeded"} == {
        ("VpnGateway/hub", "failed", ""),
        (CON, "skipped", "VpnGateway/hub"),
    }
    bench.converge(deployment)


def test_what_was_repaired_and_failed_again_is_not_repaired_for_ever(bench: Bench) -> None:
    deployment = bench.create(hub()).plus(site("berlin"), connection("berlin"))

    def always(event: Any) -> None:
        begins = isinstance(event, OperationStarted) and event.address == CON
        if begins or (isinstance(event, OperationEnded) and event.address in (CON, "VpnGateway/hub")):
            become_failed(bench, GATEWAY)

    outcome = bench.apply(deployment, run={"on_event": always})

    failed = next(r for r in outcome.operations if r.status == "failed")
    assert f"{BERLIN} cannot be written while {GATEWAY} is Failed" in failed.error
    assert bench.writes("*/vgw-hub") == ["PUT virtualNetworkGateways/vgw-hub"]
