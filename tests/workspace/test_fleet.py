"""Several deployments in one go: what they share, who comes after whom, and that one stops no other."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.another_user import another_user, as_root, let_through
from vpngw_iac import Fleet, SiteToSite, Workspace, load
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.engine.execute.event import Event, OperationStarted, Outcome, RunEnded, RunStarted
from vpngw_iac.engine.execute.stop import Stop
from vpngw_iac.engine.plan.plan import Plan
from vpngw_iac.errors import ExitCode, FileDenied, StateLocked, UsageError, VpngwError
from vpngw_iac.report.matrix import matrix
from vpngw_iac.simulator import Fault, ScaledTime, Simulator
from vpngw_iac.usecases.fleet import FleetResult
from vpngw_iac.usecases.fleet_jobs import jobs_of

SPEED = 5000.0
"""A gateway in a fifth of a second: time passes for all deployments alike."""

HUB = """
kind: SiteToSite
name: {name}
networks:
  hub: {{name: vnet-{name}, location: westeurope, resource_group: rg-{name}, address_space: [10.{number}.0.0/16],
        gateway_subnet: 10.{number}.255.0/27}}
gateways:
  hub: {{name: vgw-{name}, network: hub, sku: VpnGw1AZ}}
gateway: hub
sites:
  - {{name: berlin, public_ip: 203.0.113.10, prefixes: [192.168.10.0/24], shared_key: {{source: env, name: PSK}}}}
"""

USER = """
kind: SiteToSite
name: {name}
gateways:
  hub: {{existing: "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-{of}/providers/\
Microsoft.Network/virtualNetworkGateways/vgw-{of}", sku: VpnGw1AZ, location: westeurope}}
gateway: hub
sites:
  - {{name: paris, public_ip: 203.0.113.20, prefixes: [192.168.20.0/24], shared_key: {{source: env, name: PSK}}}}
"""
"""A deployment that adds a site to another one's gateway."""


class Operator:
    """A folder with hubs, a cloud, and what was heard."""

    def __init__(self, folder: Path, faults: tuple[Fault, ...] = ()) -> None:
        self.folder = folder
        self.simulator = Simulator(time=ScaledTime(SPEED), faults=faults)
        self.heard: list[tuple[str, Event]] = []

    def hubs(self, *names: str) -> Operator:
        for number, name in enumerate(names, start=1):
            self.write(name, HUB.format(name=name, number=number))
        return self

    def write(self, name: str, text: str) -> None:
        (self.folder / f"{name}.yaml").write_text(text, encoding="utf-8")

    def workspace(self) -> Workspace:
        return Workspace(
            "simulator",
            directory=self.folder,
            environment={"PSK": "0123456789abcdef"},
            simulator=self.simulator,
            simulator_speed=SPEED,
        )

    def fleet(self, **settings: Any) -> Fleet:
        return Fleet.of(self.workspace(), self.folder, **settings)

    def on_event(self, deployment: str, event: Event) -> None:
        self.heard.append((deployment, event))

    def blueprint(self, name: str) -> Blueprint:
        return load(self.folder / f"{name}.yaml").blueprint

    def order(self, kind: type) -> list[str]:
        """The deployments in the order in which each first had such an event."""
        return list(dict.fromkeys(name for name, event in self.heard if isinstance(event, kind)))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def words(result: FleetResult[Any]) -> dict[str, str]:
    return {one.deployment: type(one.error).__name__ if one.error else one.result.outcome for one in result.deployments}


def test_a_fleet_lives_its_life(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin", "cairo")

    assert [len(one.result.changes) for one in operator.fleet().plan().deployments if one.result] == [7, 7, 7]
    applied = operator.fleet().apply()
    assert words(applied) == dict.fromkeys(("amsterdam", "berlin", "cairo"), "succeeded")
    assert applied.exit_code is ExitCode.DONE
    assert all(one.result is not None and one.result.changes == () for one in operator.fleet().plan().deployments)
    assert operator.fleet().drift().exit_code is ExitCode.DONE
    assert operator.fleet().destroy().exit_code is ExitCode.DONE
    assert operator.simulator.documents() == {}


def test_a_failure_in_one_stops_no_other_and_the_next_apply_continues(tmp_path: Path) -> None:
    refused = {"do": "answer", "status": 400, "code": "InvalidRequestFormat", "message": "No."}
    fault = Fault.model_validate({"method": "PUT", "path": "*/vgw-berlin", "effect": refused, "times": 1})
    operator = Operator(tmp_path, (fault,)).hubs("amsterdam", "berlin", "cairo")

    first = operator.fleet().apply()
    second = operator.fleet().apply()

    assert words(first) == {"amsterdam": "succeeded", "berlin": "failed", "cairo": "succeeded"}
    assert first.exit_code is ExitCode.ERROR
    assert words(second) == dict.fromkeys(("amsterdam", "berlin", "cairo"), "succeeded")
    assert second.exit_code is ExitCode.DONE


def test_a_file_that_is_no_blueprint_is_a_deployment_that_fails(operator: Operator) -> None:
    operator.hubs("amsterdam")
    operator.write("broken", "kind: SiteToSite\nname: broken\n")

    result = operator.fleet().apply()

    assert words(result) == {"amsterdam": "succeeded", str(operator.folder / "broken.yaml"): "BlueprintError"}
    assert result.exit_code is ExitCode.REFUSED


@as_root
@pytest.mark.parametrize("name", ["closed.yaml", "closed.py", "closed.json"])
def test_a_file_that_may_not_be_read_is_a_deployment_that_fails(operator: Operator, name: str) -> None:
    operator.hubs("amsterdam").fleet()  # whatever is loaded with a file is loaded
    (operator.folder / name).write_text("{}", encoding="utf-8")
    (operator.folder / name).chmod(0)
    let_through(operator.folder)

    with another_user():
        fleet = operator.fleet()

    assert [type(member.error) for member in fleet.members if member.error] == [FileDenied]
    assert [member.name for member in fleet.members if not member.error] == ["amsterdam"]


def test_two_deployments_of_one_name_are_no_fleet(operator: Operator) -> None:
    operator.hubs("amsterdam")
    operator.write("again", HUB.format(name="Amsterdam", number=9))

    with pytest.raises(UsageError, match=r"Two deployments are called 'amsterdam': .*again.yaml and .*amsterdam.yaml"):
        operator.fleet()


def test_forty_hubs_with_three_failures_are_continued_drifted_and_destroyed(tmp_path: Path) -> None:
    names = [f"hub-{number:02}" for number in range(40)]
    refused = {"do": "answer", "status": 400, "code": "InvalidRequestFormat", "message": "No."}
    broken = {"hub-03": "*/vgw-hub-03", "hub-17": "*/rg-hub-17/*/connections/*", "hub-31": "*/vnet-hub-31"}
    faults = [Fault.model_validate({"method": "PUT", "path": path, "effect": refused}) for path in broken.values()]
    operator = Operator(tmp_path, tuple(faults)).hubs(*names)

    planned = operator.fleet().plan()
    first = operator.fleet().apply()
    second = operator.fleet().apply(on_event=operator.on_event)
    operator.simulator.set(gateway_of("hub-05"), {"properties.enableBgp": True})
    drifted = operator.fleet().drift()
    destroyed = operator.fleet().destroy()

    assert {len(one.result.changes) for one in planned.deployments if one.result} == {7}
    assert {name for name, word in words(first).items() if word == "failed"} == set(broken)
    assert {name for name, word in words(first).items() if word == "succeeded"} == set(names) - set(broken)
    assert set(words(second).values()) == {"succeeded"}
    assert set(operator.order(OperationStarted)) == set(broken), "the others had nothing to do"
    assert [one.deployment for one in drifted.deployments if one.exit_code] == ["hub-05"]
    assert destroyed.exit_code is ExitCode.DONE
    assert operator.simulator.documents() == {}


def gateway_of(name: str) -> str:
    group = f"/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg-{name}"
    return f"{group}/providers/Microsoft.Network/virtualNetworkGateways/vgw-{name}"


# --- order -----------------------------------------------------------------------------------------------------------


def test_what_uses_another_deployment_is_made_after_it_and_deleted_before_it(operator: Operator) -> None:
    operator.hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))

    assert words(operator.fleet().apply(on_event=operator.on_event)) == {"added": "succeeded", "zurich": "succeeded"}
    assert operator.order(RunStarted) == ["zurich", "added"]
    operator.heard.clear()
    assert words(operator.fleet().destroy(on_event=operator.on_event)) == {"added": "succeeded", "zurich": "succeeded"}
    assert operator.order(RunStarted) == ["added", "zurich"]


def test_what_comes_after_a_deployment_that_azure_is_still_making_is_not_begun(operator: Operator) -> None:
    operator.hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))
    operator.write("more", USER.format(name="more", of="zurich").replace("paris", "lyon"))

    left = operator.fleet().apply(detach=True)
    applied = operator.fleet().apply()
    gone = operator.fleet().destroy(detach=True)

    assert left.exit_code is ExitCode.RUNNING, "the next run goes on: nothing was refused"
    assert [one.notices for one in outcomes(left) if one.deployment != "zurich"] == [
        ("It comes after zurich, where Azure is still at work.",)
    ] * 2
    assert applied.exit_code is ExitCode.DONE
    assert gone.exit_code is ExitCode.RUNNING
    assert [one.notices for one in outcomes(gone) if one.deployment == "zurich"] == [
        ("It comes after added, more, where Azure is still at work.",)
    ]
    assert operator.fleet().destroy().exit_code is ExitCode.DONE


def outcomes(result: FleetResult[Outcome]) -> list[Outcome]:
    return [one.result for one in result.deployments if one.result is not None]


def test_no_more_than_parallel_are_at_work_at_once(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin", "cairo")
    at_work, most = set[str](), list[int]()

    def count(deployment: str, event: Event) -> None:
        (at_work.discard if isinstance(event, RunEnded) else at_work.add)(deployment)
        most.append(len(at_work))

    operator.fleet(parallel=1).apply(on_event=count)

    assert max(most) == 1


@pytest.mark.parametrize("parallel", [0, -1])
def test_none_at_once_is_refused(operator: Operator, parallel: int) -> None:
    with pytest.raises(UsageError, match="at once are none"):
        operator.hubs("amsterdam").fleet(parallel=parallel)


# --- one question ----------------------------------------------------------------------------------------------------


def test_all_locks_are_taken_in_the_order_of_names_before_the_one_question(operator: Operator) -> None:
    operator.hubs("cairo", "amsterdam", "berlin")
    asked: list[list[str]] = []

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        asked.append(list(plans))
        assert failed == {}
        for name in plans:
            with pytest.raises(StateLocked):
                operator.workspace().apply(operator.blueprint(name))
        return True

    result = operator.fleet(parallel=2).apply(confirm=confirm)

    assert asked == [["amsterdam", "berlin", "cairo"]]
    assert set(words(result).values()) == {"succeeded"}


def test_no_means_that_nothing_was_done_anywhere(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin")

    result = operator.fleet().apply(confirm=lambda plans, failed, later: False)

    assert words(result) == {"amsterdam": "failed", "berlin": "failed"}
    assert result.exit_code is ExitCode.ERROR
    assert operator.simulator.documents() == {}
    assert all(not request.method.startswith("P") for request in operator.simulator.requests if "vgw" in request.path)


def test_who_uses_another_is_named_in_the_question_and_after_a_no_nobody_asks_again(operator: Operator) -> None:
    operator.hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))
    heard: list[tuple[list[str], list[str]]] = []

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        heard.append((list(plans), list(later)))
        return len(heard) > 1

    refused = operator.fleet().apply(confirm=confirm)
    agreed = operator.fleet().apply(confirm=confirm)

    assert heard == [(["zurich"], ["added"]), (["zurich"], ["added"]), (["added"], [])]
    assert words(refused) == {"added": "failed", "zurich": "failed"}
    assert words(agreed) == {"added": "succeeded", "zurich": "succeeded"}


def test_an_error_while_asking_releases_every_lock(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin")

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        raise ValueError("Nobody knows.")

    with pytest.raises(ValueError, match="Nobody knows"):
        operator.fleet().apply(confirm=confirm)
    assert set(words(operator.fleet().apply()).values()) == {"succeeded"}


@pytest.fixture
def held(operator: Operator) -> Iterator[None]:
    """Berlin's lock is in other hands."""
    operator.hubs("amsterdam", "berlin", "cairo")
    session = operator.workspace().session(operator.blueprint("berlin"))
    with session.store().locked(session.owner("vpngw apply")):
        yield


@pytest.mark.usefixtures("held")
@pytest.mark.parametrize("asks", [True, False], ids=["asked", "not asked"])
def test_a_deployment_whose_lock_is_held_ends_with_7_and_the_others_go_on(operator: Operator, asks: bool) -> None:
    seen: list[Mapping[str, VpngwError]] = []

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        seen.append(failed)
        return True

    result = operator.fleet().apply(confirm=confirm if asks else None)

    assert words(result) == {"amsterdam": "succeeded", "berlin": "StateLocked", "cairo": "succeeded"}
    assert result.exit_code is ExitCode.LOCKED
    assert [list(failed) for failed in seen] == ([["berlin"]] if asks else [])


# --- stopping --------------------------------------------------------------------------------------------------------


def test_all_stop_together_and_the_next_apply_continues(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin", "cairo", "delhi")
    stop = Stop()

    def ask_to_stop(deployment: str, event: Event) -> None:
        if isinstance(event, OperationStarted) and event.address.startswith("VpnGateway/"):
            stop.request()

    first = operator.fleet(parallel=2).apply(on_event=ask_to_stop, stop=stop)
    second = operator.fleet().apply()

    assert set(words(first).values()) == {"interrupted"}
    assert first.exit_code is ExitCode.INTERRUPTED
    assert set(words(second).values()) == {"succeeded"}


def test_a_stop_during_the_question_is_no_answer(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin")
    stop = Stop()

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        stop.request("terminated")
        return False

    result = operator.fleet().apply(confirm=confirm, stop=stop)

    assert words(result) == {"amsterdam": "interrupted", "berlin": "interrupted"}
    assert result.exit_code is ExitCode.TERMINATED


# --- what is shared --------------------------------------------------------------------------------------------------


def test_deployments_share_one_client(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin", "cairo")
    workspace = operator.workspace()
    fleet = Fleet.of(workspace, operator.folder)

    fleet.apply()

    places = {id(member.workspace.session_named(member.name).place.clients) for member in fleet.members}
    assert len(places) == 1
    assert len(workspace.session_named("amsterdam").place.clients) == 1


def test_forty_deployments_at_work_share_24_threads_for_their_calls(operator: Operator) -> None:
    names = [f"hub-{number:02}" for number in range(40)]
    operator.hubs(*names)
    seen: list[tuple[int, int]] = []

    def confirm(plans: Mapping[str, Plan], failed: Mapping[str, VpngwError], later: Sequence[str]) -> bool:
        seen.append(threads_of_ours(plans))
        return True

    def count(deployment: str, event: Event) -> None:
        seen.append(threads_of_ours(names))

    def threads_of_ours(plans: Collection[str]) -> tuple[int, int]:
        assert len(plans) == len(names)
        alive = [thread.name for thread in threading.enumerate() if thread not in before]
        return alive.count("vpngw-call"), len(alive) - alive.count("vpngw-call")

    before = threading.enumerate()
    result = operator.fleet(parallel=40).apply(confirm=confirm, on_event=count)

    assert set(words(result).values()) == {"succeeded"}
    assert 8 < max(calls for calls, _ in seen) <= 24, "more than one run has, and never more than there are"
    assert max(others for _, others in seen) <= 41, "one for each deployment"


def test_a_fleet_is_made_of_blueprints_as_of_files(operator: Operator) -> None:
    operator.hubs("amsterdam", "berlin")
    blueprints = [operator.blueprint(name) for name in ("berlin", "amsterdam")]

    fleet = Fleet.of(operator.workspace(), *blueprints)

    assert [member.name for member in fleet.members] == ["amsterdam", "berlin"]
    assert all(isinstance(member.what, SiteToSite) for member in fleet.members)
    assert set(words(fleet.apply()).values()) == {"succeeded"}


# --- past one machine ------------------------------------------------------------------------------------------------


CIRCUIT = """
kind: ExpressRoute
name: {name}
circuits:
  - {{name: erc-{name}, location: westeurope, resource_group: rg-{name}, provider: Equinix,
      peering_location: Amsterdam, bandwidth: 50}}
"""
"""The smallest deployment there is."""


def test_300_deployments_are_256_jobs_which_do_all_of_it(operator: Operator) -> None:
    names = [f"branch-{number:03}" for number in range(300)]
    for name in names:
        operator.write(name, CIRCUIT.format(name=name))

    jobs = matrix(jobs_of(operator.fleet()), "github")["include"]
    done = []
    for job in jobs:  # each on a machine of its own: nothing is shared but the cloud and the states
        result = Fleet.of(operator.workspace(), *shlex.split(job["files"]), parallel=1).apply()
        done += [name for name, word in words(result).items() if word == "succeeded"]

    assert len(jobs) == 256
    assert sorted(done) == names
    assert {len(job["deployments"]) for job in jobs} == {1, 2}
    assert all(one.result is not None and one.result.changes == () for one in operator.fleet().plan().deployments)
