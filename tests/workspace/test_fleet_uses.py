"""Deployments of a fleet that use each other's things: who waits for whom, and what is whose."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.workspace.test_fleet import USER, Operator, gateway_of, operator, words
from vpngw_iac import Fleet, Secret, Site, SiteToSite, Spoke, Topology, VirtualNetwork, VpnGateway
from vpngw_iac.errors import ExitCode, Finding, Refused
from vpngw_iac.simulator import Fault
from vpngw_iac.usecases.fleet import FleetResult
from vpngw_iac.usecases.fleet_jobs import jobs_of
from vpngw_iac.usecases.locking import LockWait
from vpngw_iac.usecases.state_commands import StateCommands

__all__ = ["operator"]


def absent_of(result: FleetResult[object], name: str) -> list[Finding]:
    """What a deployment is told about existing things that are not there."""
    found = result.by_name[name]
    return [finding for finding in found.findings if finding.rule == "V-EXIST-01"]  # type: ignore[attr-defined]


@pytest.fixture
def pair(operator: Operator) -> Operator:
    """Zurich, and a deployment that adds a site to its gateway."""
    operator.hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))
    return operator


def test_what_another_deployment_will_make_is_waited_for_in_a_plan(pair: Operator) -> None:
    planned = pair.fleet().plan()

    added, zurich = (planned.by_name[name] for name in ("added", "zurich"))
    assert (added.after, zurich.after) == (("zurich",), ())  # type: ignore[union-attr]
    (finding,) = absent_of(planned, "added")
    assert (finding.level, finding.address) == ("info", "VpnGateway/vgw-zurich")
    assert "the deployment zurich makes it" in finding.detail
    assert planned.exit_code is ExitCode.DONE


def test_the_saved_plan_of_what_waits_is_applied_after_the_one_that_it_waits_for(pair: Operator) -> None:
    from vpngw_iac.report.json_documents import dumps

    for name in ("added", "zurich"):
        found = pair.fleet().plan().by_name[name]
        (pair.folder / "plans").mkdir(exist_ok=True)
        (pair.folder / "plans" / f"{name}.json").write_text(dumps(pair.workspace().save_plan(found)), encoding="utf-8")  # type: ignore[arg-type]

    applied = Fleet.of(pair.workspace(), pair.folder / "plans").apply()

    assert words(applied) == {"added": "succeeded", "zurich": "succeeded"}


def test_what_is_not_there_and_nobody_makes_is_refused(pair: Operator) -> None:
    (pair.folder / "zurich.yaml").unlink()

    planned = pair.fleet().plan()

    assert planned.by_name["added"].after == ()  # type: ignore[union-attr]
    assert [finding.level for finding in absent_of(planned, "added")] == ["error"]
    assert planned.exit_code is ExitCode.REFUSED


def test_a_maker_whose_own_plan_fails_is_named_all_the_same(tmp_path: Path) -> None:
    denied = {"do": "answer", "status": 403, "code": "AuthorizationFailed", "message": "No."}
    fault = Fault.model_validate({"method": "GET", "path": "*/vnet-zurich*", "effect": denied})
    operator = Operator(tmp_path, (fault,)).hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))

    planned = operator.fleet().plan()

    assert planned.by_name["zurich"].exit_code is ExitCode.PERMISSION  # type: ignore[union-attr]
    assert planned.by_name["added"].after == ("zurich",)  # type: ignore[union-attr]


def test_two_that_use_each_other_stay_refused_and_hear_why(operator: Operator) -> None:
    both = [
        Topology(name=name, blueprints=[hub(name, number), guest(name, of=other)])
        for number, (name, other) in enumerate((("one", "two"), ("two", "one")), start=1)
    ]

    planned = Fleet.of(operator.workspace(), *both).plan()

    for name, other in (("one", "two"), ("two", "one")):
        (finding,) = absent_of(planned, name)
        assert finding.level == "error"
        assert f"the deployment {other} makes it" in finding.detail
        assert "one deployment" in finding.advice


def hub(name: str, number: int) -> SiteToSite:
    network = VirtualNetwork(
        name=f"vnet-{name}",
        location="westeurope",
        resource_group=f"rg-{name}",
        address_space=[f"10.{number}.0.0/16"],
        gateway_subnet=f"10.{number}.255.0/27",
    )
    return SiteToSite(name=f"hub-{name}", gateway=VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw1AZ"))


def guest(name: str, of: str) -> SiteToSite:
    gateway = VpnGateway.existing(gateway_of(of), sku="VpnGw1AZ", location="westeurope")
    site = Site(name=name, public_ip="203.0.113.9", prefixes=["192.168.9.0/24"], shared_key=Secret.env("PSK"))
    return SiteToSite(name=f"guest-{name}", gateway=gateway, sites=[site])


def test_an_apply_whose_maker_failed_names_it(tmp_path: Path) -> None:
    refused = {"do": "answer", "status": 400, "code": "InvalidRequestFormat", "message": "No."}
    fault = Fault.model_validate({"method": "PUT", "path": "*/vgw-zurich", "effect": refused, "times": 1})
    operator = Operator(tmp_path, (fault,)).hubs("zurich")
    operator.write("added", USER.format(name="added", of="zurich"))

    applied = operator.fleet().apply()

    error = applied.by_name["added"]
    assert isinstance(error, Refused)
    (finding,) = absent_of(applied, "added")
    assert (finding.level, finding.rule) == ("error", "V-EXIST-01")
    assert "the deployment zurich makes it" in finding.detail
    assert applied.exit_code is ExitCode.ERROR


# --- drift -----------------------------------------------------------------------------------------------------------


def test_what_another_deployment_of_the_fleet_manages_is_no_drift(pair: Operator) -> None:
    pair.fleet().apply()

    drift = pair.fleet().drift().by_name["zurich"]

    assert drift.items == ()  # type: ignore[union-attr]
    (known,) = drift.elsewhere  # type: ignore[union-attr]
    assert (known.address, known.owner, known.id.rpartition("/")[2]) == ("VpnGateway/vgw-zurich", "added", "con-paris")


def test_alone_a_hub_does_not_know_what_the_fleet_manages(pair: Operator) -> None:
    pair.fleet().apply()

    drift = pair.workspace().drift(pair.blueprint("zurich"))

    assert [(item.kind, item.owner) for item in drift.items] == [("unmanaged", "added")]
    assert drift.elsewhere == ()


def test_what_a_deployment_declares_and_has_not_applied_is_unmanaged(pair: Operator) -> None:
    """A tunnel that somebody else opened under the very name is no less a stranger."""
    pair.fleet().apply()
    StateCommands(pair.workspace(), "added", LockWait()).forget("VpnConnection/vgw-zurich/paris")

    drift = pair.fleet().drift()

    assert [item.kind for item in drift.by_name["zurich"].items] == ["unmanaged"]  # type: ignore[union-attr]


def test_a_peering_that_another_deployment_manages_is_no_alarm(operator: Operator) -> None:
    """No tag of a peering says whose it is: the state of its deployment does."""
    base = gateway_of("zurich").partition("/virtualNetworkGateways")[0]
    lender = VirtualNetwork.existing(f"{base}/virtualNetworks/vnet-zurich", address_space=["10.1.0.0/16"])
    gateway = VpnGateway.existing(gateway_of("zurich"), network=lender, sku="VpnGw1AZ", location="westeurope")
    own = VirtualNetwork(name="vnet-own", location="westeurope", resource_group="rg-own", address_space=["10.7.0.0/16"])
    both = [hub("zurich", 1), SiteToSite(name="spoke", gateway=gateway, spokes=[Spoke(network=own)])]
    assert set(words(Fleet.of(operator.workspace(), *both).apply()).values()) == {"succeeded"}

    alone = operator.workspace().drift(both[0])
    drifted = Fleet.of(operator.workspace(), *both).drift()

    assert alone.alarming
    assert drifted.exit_code is ExitCode.DONE
    assert [item.owner for item in drifted.by_name["hub-zurich"].elsewhere] == ["spoke"]  # type: ignore[union-attr]


# --- one thing, two deployments --------------------------------------------------------------------------------------


@pytest.fixture
def twins(operator: Operator) -> Operator:
    """Two files that both make the network of zurich, each with a gateway of its own."""
    operator.hubs("zurich")
    text = (operator.folder / "zurich.yaml").read_text(encoding="utf-8")
    operator.write("basel", text.replace("name: zurich\n", "name: basel\n").replace("vgw-zurich", "vgw-basel"))
    return operator


def test_what_two_deployments_would_make_is_refused_in_the_plan_of_the_second(twins: Operator) -> None:
    planned = twins.fleet().plan()

    assert planned.exit_code is ExitCode.REFUSED
    assert planned.by_name["basel"].blocking == ()  # type: ignore[union-attr]
    (refused,) = planned.by_name["zurich"].blocking  # type: ignore[union-attr]
    assert refused.rule == "P-TWICE"
    assert "'basel' makes " in refused.detail
    assert "VirtualNetwork/vnet-zurich" in refused.detail
    assert "ResourceGroup" not in refused.detail, "a group is used by all"


@pytest.mark.parametrize("asks", [True, False], ids=["asked", "not asked"])
def test_what_two_deployments_would_make_is_made_once(twins: Operator, asks: bool) -> None:
    """Side by side both would find nothing there, and each would take it for its own."""
    applied = twins.fleet().apply(confirm=(lambda plans, failed, later: True) if asks else None)

    assert words(applied) == {"basel": "succeeded", "zurich": "Refused"}
    owned = {name: twins.workspace().show(twins.blueprint(name)).items for name in ("basel", "zurich")}
    assert "VirtualNetwork/vnet-zurich" in {item.address for item in owned["basel"]}
    assert owned["zurich"] == ()


def test_what_is_managed_already_is_refused_by_its_owner_alone(twins: Operator) -> None:
    twins.workspace().apply(twins.blueprint("zurich"))

    planned = twins.fleet().plan()

    assert planned.by_name["zurich"].blocking == ()  # type: ignore[union-attr]
    assert {f.rule for f in planned.by_name["basel"].blocking} <= {"V-OWN-01", "V-OWN-02", "V-OWN-03"}  # type: ignore[union-attr]


def test_deployments_that_manage_one_thing_are_in_one_job(twins: Operator) -> None:
    twins.hubs("zurich", "oslo")

    assert [job.deployments for job in jobs_of(twins.fleet())] == [("basel", "zurich"), ("oslo",)]
