"""The whole life of a deployment, told by the command line."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.cli.conftest import CANARY, Shell
from vpngw_iac.azure import CloudClient


def test_a_hub_is_planned_built_checked_and_destroyed(vpngw: Shell) -> None:
    planned = vpngw("plan", "hub.yaml", code=0)
    applied = vpngw("apply", "hub.yaml", "--yes", code=0)
    again = vpngw("plan", "hub.yaml", "--detailed-exitcode", code=0)
    drifted = vpngw("drift", "hub.yaml", code=0)
    shown = vpngw("show", "hub.yaml", code=0)
    destroyed = vpngw("destroy", "hub.yaml", "--yes", code=0)
    gone = vpngw("show", "hub.yaml", code=0)

    assert "Plan: 7 to add, 0 to change, 0 to destroy." in planned.out
    assert "Apply of hub complete: 7 operations" in applied.out
    assert "No changes. Azure has what the blueprint says." in again.out
    assert "No drift" in drifted.out
    assert "Connected" in shown.out
    assert "Destroy of hub complete: 7 operations" in destroyed.out
    assert "Nothing of hub is deployed." in gone.out


def test_apply_and_destroy_show_the_short_plan_too(vpngw: Shell) -> None:
    planned = vpngw("plan", "hub.yaml", "--short", code=0)
    applied = vpngw("apply", "hub.yaml", "--yes", "--short", code=0)
    going = vpngw("plan", "hub.yaml", "--destroy", "--short", code=0)
    destroyed = vpngw("destroy", "hub.yaml", "--yes", "--short", code=0)

    assert planned.out in applied.err
    assert going.out in destroyed.err
    assert vpngw("plan", "hub.yaml", code=0).out not in vpngw("apply", "hub.yaml", "--yes", "--short", code=0).err


def test_the_same_life_as_json_is_one_document_per_command(vpngw: Shell) -> None:
    kinds = []
    for line in (
        "validate hub.yaml",
        "compile hub.yaml",
        "plan hub.yaml",
        "apply hub.yaml --yes",
        "wait hub.yaml",
        "drift hub.yaml",
        "show hub.yaml",
        "log hub.yaml",
        "secret check hub.yaml",
        "graph hub.yaml",
        "rule R-SUBNET-02",
        "destroy hub.yaml --yes",
    ):
        kinds.append(vpngw(*line.split(), "--json", code=0).document["kind"])

    assert kinds == [
        "validate",
        "compile",
        "plan",
        "apply",
        "wait",
        "drift",
        "show",
        "log",
        "secret",
        "graph",
        "rule",
        "destroy",
    ]


def test_the_secret_appears_nowhere(vpngw: Shell) -> None:
    for line in (
        "plan hub.yaml",
        "plan hub.yaml -o plan.json",
        "apply hub.yaml --yes",
        "show hub.yaml",
        "log hub.yaml",
    ):
        vpngw(*line.split(), code=0)
        vpngw(*line.split(), "--json", "--verbose", code=0)
    vpngw("secret", "check", "hub.yaml", "--json", code=0)
    vpngw.edit("hub.yaml", "VpnGw1AZ", "VpnGw2AZ")
    vpngw("plan", "hub.yaml", code=0)
    vpngw("destroy", "hub.yaml", "--yes", "--json", code=0)

    assert all(CANARY not in answer.out + answer.err for answer in vpngw.seen)
    kept = [
        path
        for path in vpngw.directory.rglob("*")
        if path.is_file() and "simulator/" not in str(path.relative_to(vpngw.directory)).replace("state/simulator", "")
    ]
    assert kept
    assert all(CANARY.encode() not in path.read_bytes() for path in kept)


def test_detailed_exitcode_tells_changes_from_none(hub: Shell) -> None:
    hub.edit("hub.yaml", "192.168.10.0/24", "192.168.11.0/24")

    changed = hub("plan", "hub.yaml", "--detailed-exitcode", code=2)
    plain = hub("plan", "hub.yaml", code=0)

    assert changed.out == plain.out
    assert "Plan: 0 to add, 1 to change, 0 to destroy." in changed.out
    assert '- "192.168.10.0/24"' in changed.out
    assert '+ "192.168.11.0/24"' in changed.out
    assert "Outage: berlin, for seconds." in changed.out


def test_apply_without_changes_does_nothing_and_asks_nothing(hub: Shell) -> None:
    answer = hub("apply", "hub.yaml", "--yes", code=0)

    assert answer.out.startswith("Apply of hub: nothing to do.")


def test_a_saved_plan_is_applied_without_asking_and_shown(vpngw: Shell) -> None:
    saved = vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)
    shown = vpngw("show", "plan.json", code=0)
    applied = vpngw("apply", "plan.json", code=0)

    assert json.loads((vpngw.directory / "plan.json").read_text())["kind"] == "plan"
    assert shown.out == saved.out
    assert "Saved to plan.json" in saved.err
    assert "Apply of hub complete" in applied.out


def test_a_stale_plan_is_refused_and_says_what_moved(hub: Shell) -> None:
    hub.edit("hub.yaml", "192.168.10.0/24", "192.168.11.0/24")
    hub("plan", "hub.yaml", "-o", "plan.json", code=0)
    hub("apply", "hub.yaml", "--yes", code=0)

    stale = hub("apply", "plan.json", code=8)
    document = hub("apply", "plan.json", "--json", code=8).document

    assert "LocalNetworkGateway" in stale.err
    assert "vpngw plan" in stale.err
    assert document["kind"] == "error"
    assert document["error"] == "StalePlan"


def test_a_saved_plan_takes_no_other_options(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)

    answer = vpngw("apply", "plan.json", "--target", "VpnGateway/vgw-hub", code=64)

    assert "--target" in answer.err


def test_drift_is_told_with_address_and_path_and_exit_code_2(hub: Shell) -> None:
    from vpngw_iac.simulator import ScaledTime, Simulator

    simulator = Simulator(hub.directory / ".vpngw/simulator", time=ScaledTime(50000.0))
    site = next(i for i in simulator.documents() if "/localnetworkgateways/" in i.lower())
    body = dict(simulator.documents()[site])
    body["properties"] = dict(body["properties"]) | {"gatewayIpAddress": "203.0.113.99"}
    simulator.put(site, body)

    told = hub("drift", "hub.yaml", code=2)
    document = hub("drift", "hub.yaml", "--json", code=2).document
    repaired = hub("apply", "hub.yaml", "--yes", code=0)

    assert "LocalNetworkGateway/vgw-hub/berlin" in told.out
    assert '"203.0.113.10" -> "203.0.113.99"' in told.out
    assert [item["differences"][0]["path"] for item in document["drift"]] == ["properties.gatewayIpAddress"]
    assert "1 operation" in repaired.out
    assert "No drift" in hub("drift", "hub.yaml", code=0).out


def test_several_blueprints_of_one_file_are_told_one_after_the_other(vpngw: Shell) -> None:
    second = vpngw.write("both.py", BOTH)

    planned = vpngw("plan", second, code=0)
    document = vpngw("plan", second, "--json", code=0).document
    chosen = vpngw("plan", f"{second}:west", "--json", code=0).document
    refused = vpngw("plan", second, "-o", "plan.json", code=64)

    assert planned.out.count("Plan: ") == 3, "each, and both"
    assert [each["deployment"] for each in document["deployments"]] == ["east", "west"]
    assert document["documents"] == document["deployments"], "what scripts knew before there were fleets"
    assert chosen["deployment"] == "west"
    assert "these are 2 plans" in refused.err


def test_several_deployments_of_one_command_go_through_one_door(vpngw: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    opened, make = [], CloudClient.__init__

    def counting(door: CloudClient, *arguments: Any, **options: Any) -> None:
        opened.append(door)
        make(door, *arguments, **options)

    monkeypatch.setattr(CloudClient, "__init__", counting)
    vpngw("plan", vpngw.write("both.py", BOTH), code=0)

    assert len(opened) == 1


BOTH = """
from vpngw_iac import Secret, Site, SiteToSite, VirtualNetwork, VpnGateway

def hub(name, octet):
    network = VirtualNetwork(name=f"vnet-{name}", location="westeurope", resource_group=f"rg-{name}",
                             address_space=[f"10.{octet}.0.0/16"], gateway_subnet=f"10.{octet}.255.0/27")
    key = Secret.env("BERLIN_PSK")
    site = Site(name="berlin", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], shared_key=key)
    return SiteToSite(name=name, gateway=VpnGateway(name=f"vgw-{name}", network=network, sku="VpnGw1AZ"), sites=[site])

east, west = hub("east", 1), hub("west", 2)
blueprints = [east, west]
"""


def test_step_summaries_of_github_actions_get_plan_and_drift(hub: Shell, environment: dict[str, str]) -> None:
    environment["GITHUB_STEP_SUMMARY"] = str(hub.directory / "summary.md")

    hub("plan", "hub.yaml", code=0)
    hub("drift", "hub.yaml", code=0)

    page = (hub.directory / "summary.md").read_text(encoding="utf-8")
    assert "### vpngw plan: hub" in page
    assert "### vpngw drift: hub" in page


def test_a_saved_plan_is_of_one_deployment(vpngw: Shell) -> None:
    vpngw("plan", "hub.yaml", "-o", "plan.json", code=0)

    told = vpngw("apply", "plan.json", "--deployment", "other", code=64)

    assert "It is a plan of hub" in told.err
    vpngw("apply", "plan.json", "--deployment", "hub", code=0)


def test_an_apply_that_only_adopts_says_so(hub: Shell) -> None:
    answer = hub("apply", "hub.yaml", "--state", "elsewhere", "--adopt", "*", "--yes", code=0)

    assert "6 resources adopted, as Azure has them: " in answer.out
    assert "Apply of hub complete: nothing was asked of Azure." in answer.out
    assert "adopted" not in hub("apply", "hub.yaml", "--state", "elsewhere", "--yes", code=0).out
