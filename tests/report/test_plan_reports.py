"""How a plan is told: text, JSON, Markdown."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.report import golden
from tests.report.worlds import (
    PUBLIC_IP,
    busy_plan,
    creation,
    empty_state,
    hub,
    identity,
    plan_of,
    rid,
    schedule_of,
    schedule_or_none,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.order.operation import Schedule
from vpngw_iac.engine.plan.change import Action, Change, Difference, OutageStatement
from vpngw_iac.engine.plan.plan import Options, Plan
from vpngw_iac.engine.ports import Observed, Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.report.json import plan_document
from vpngw_iac.report.json_documents import dumps
from vpngw_iac.report.markdown import plan_markdown
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.plan import plan_text, question
from vpngw_iac.report.view import PlanView
from vpngw_iac.secret import Secret

PLAIN = Style()


def view_of(plan: Plan) -> PlanView:
    return PlanView.of(plan, schedule_or_none(plan))


def refused() -> Plan:
    finding = Finding("R-SUBNET-02", "error", "Subnet/vnet-hub/GatewaySubnet", "Gateway subnet too small", "It is /29.")
    return replace(creation(hub(1)), findings=(finding,))


def destruction() -> Plan:
    gone = OutageStatement("reconfigure", ("berlin",))
    ip = rid(PUBLIC_IP, "pip-vgw-hub-1")
    changes = (
        Change("PublicIp/pip-vgw-hub-1", ip, Action.DELETE, outage=gone),
        Change("PublicIp/pip-vgw-hub-2", rid(PUBLIC_IP, "pip-vgw-hub-2"), Action.FORGET, reason="kept"),
    )
    observed = Observed(ip, {"properties": {"ipAddress": "20.64.0.4"}})
    options = Options(destroy=True)
    return plan_of(hub(1), *changes, snapshot=Snapshot({ip: observed}), options=options, identity=identity("china"))


PLANS = {
    "creation": lambda: creation(hub(2)),
    "busy": busy_plan,
    "nothing": lambda: plan_of(hub(1), state_only_updates=("PublicIp/pip-vgw-hub-1",)),
    "refused": refused,
    "destruction": destruction,
}


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_reads_as_text(name: str) -> None:
    golden.check(f"plan_{name}.txt", plan_text(view_of(PLANS[name]()), PLAIN))


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_reads_as_markdown(name: str) -> None:
    golden.check(f"plan_{name}.md", plan_markdown(view_of(PLANS[name]())))


@pytest.mark.parametrize("name", PLANS)
def test_a_plan_reads_as_json(name: str) -> None:
    golden.check(f"plan_{name}.json", dumps(plan_document(view_of(PLANS[name]()))))


@pytest.mark.parametrize("name", PLANS)
def test_a_saved_plan_is_shown_exactly_like_the_live_one(name: str) -> None:
    view = replace(view_of(PLANS[name]()), running="")

    loaded = PlanView.load(json.loads(dumps(plan_document(view))))

    assert plan_text(view, PLAIN) == plan_text(loaded, PLAIN)


def test_the_footer_is_the_one_that_scripts_look_for() -> None:
    lines = plan_text(view_of(busy_plan()), PLAIN).splitlines()

    assert lines[-2] == "Plan: 2 to add, 3 to change, 2 to destroy."
    assert lines[-1].startswith("Time: ")
    assert lines[-1].endswith("Outage: berlin, clients of vgw-hub, munich, for minutes.")


def test_the_first_line_names_cloud_subscription_and_state() -> None:
    first = plan_text(view_of(creation(hub(1))), PLAIN).splitlines()[0]

    assert "Azure public" in first
    assert "11111111-1111-1111-1111-111111111111" in first
    assert "file:.vpngw/state/public/contoso-hub" in first


def test_time_counts_the_critical_path_of_the_schedule() -> None:
    plan = creation(hub(1))

    text = plan_text(PlanView.of(plan, schedule_of(plan)), PLAIN)

    assert text.splitlines()[-1] == "Time: about 24 min. Outage: none."


def test_colours_change_no_word() -> None:
    import re

    view = view_of(busy_plan())

    coloured = plan_text(view, Style(colour=True))

    assert plan_text(view, PLAIN) == re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert coloured != plan_text(view, PLAIN)


def test_a_secret_reference_is_never_spelt_out_as_a_value() -> None:
    graph = hub(1)
    address = "VpnConnection/vgw-hub/berlin"
    difference = Difference("properties.sharedKey", "edit", Secret.env("BERLIN_PSK"), None, None)
    plan = plan_of(graph, Change(address, graph.resources[address].id, Action.UPDATE, (difference,)))
    view = PlanView.of(plan, Schedule())

    texts = (plan_text(view, PLAIN), plan_markdown(view), dumps(plan_document(view)))

    for text in texts:
        assert "(sensitive)" in text
        assert "BERLIN_PSK" not in text


def test_the_question_names_the_deployment_and_the_cloud() -> None:
    apply, destroy = view_of(creation(hub(1))), view_of(destruction())

    assert question(apply) == "Apply these changes to contoso-hub in Azure public? yes/no: "
    assert question(destroy) == "Destroy contoso-hub in Azure China? This cannot be undone. yes/no: "


def test_markdown_cells_cannot_be_broken_out_of() -> None:
    graph = hub(1)
    address = "PublicIp/pip-vgw-hub-1"
    evil = Change(
        address, graph.resources[address].id, Action.UPDATE, (Difference("tags.a|b`c", "edit", "x|y", "", "z"),)
    )
    finding = Finding("R-X-01", "warning", address, "<img src=x>", "a | b\n| c |")

    text = plan_markdown(PlanView.of(plan_of(graph, evil, findings=(finding,)), Schedule()))
    outside = text.partition("<details>")[0]

    assert "<img" not in outside.replace("\\<", "")
    rows = [line for line in outside.splitlines() if line.startswith("|")]
    assert {4} == {line.replace("\\|", "").count("|") - 1 for line in rows}


def test_a_plan_of_the_same_world_is_told_identically() -> None:
    assert plan_text(view_of(busy_plan()), PLAIN) == plan_text(view_of(busy_plan()), PLAIN)
    assert empty_state() == empty_state()


GATEWAY = ArmId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworkGateways/vgw")
CONNECTION = ArmId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/connections/con-berlin")
SITE = "/subscriptions/{}/resourceGroups/rg/providers/Microsoft.Network/localNetworkGateways/lgw-berlin"
CLIENT_BLOCK = "properties.vpnClientConfiguration"


def lost(level: str, *who: str, **more: Any) -> OutageStatement:
    return OutageStatement(level, tuple(who), **more)  # type: ignore[arg-type]


def shown(*changes: Change) -> PlanView:
    return PlanView("hub", "simulator", "", "s", "file:///state", changes=changes)


def test_a_site_whose_connection_is_deleted_is_told_to_be_gone_for_good() -> None:
    deleted = Change("VpnConnection/hub/berlin", CONNECTION, Action.DELETE, outage=lost("reconfigure", "berlin"))
    changed = Change("VpnGateway/hub", GATEWAY, Action.UPDATE, outage=lost("reconfigure", "berlin", "paris"))

    text = plan_text(shown(deleted, changed), Style())

    assert "! outage: berlin, for good\n" in text
    assert "Outage: berlin, for good; paris, until devices on the other side are reconfigured." in text


def test_clients_are_not_told_to_reconfigure_devices() -> None:
    difference = Difference(f"{CLIENT_BLOCK}.vpnClientProtocols", "edit", ["OpenVPN"], ["SSTP"], ["SSTP"])
    outage = lost("reconfigure", "clients of vgw", profiles_stale=True)

    text = plan_text(shown(Change("VpnGateway/hub", GATEWAY, Action.UPDATE, (difference,), outage)), Style())

    assert "! outage: clients of vgw, until they have new profiles" in text
    assert "client profiles go stale" in text


def test_clients_of_a_removed_service_need_no_new_profiles() -> None:
    difference = Difference(CLIENT_BLOCK, "edit", None, {"a": 1}, {"a": 1})
    outage = lost("reconfigure", "clients of vgw", profiles_stale=True)

    view = shown(Change("VpnGateway/hub", GATEWAY, Action.UPDATE, (difference,), outage))
    text = plan_text(view, Style())

    assert "Outage: clients of vgw, for good." in text
    assert "profiles" not in text
    assert view.profiles_stale == ()


def test_the_removal_of_a_root_certificate_says_whom_it_locks_out() -> None:
    path = f"{CLIENT_BLOCK}.vpnClientRootCertificates[name=old]"
    gone, come = Difference(path, "edit", None, {}, {}), Difference(path.replace("old", "new"), "edit", {"name": "new"})

    text = plan_text(shown(Change("VpnGateway/hub", GATEWAY, Action.UPDATE, (gone, come))), Style())

    assert "! clients whose certificate was issued by old are locked out" in text


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        (None, SITE.format("s"), '(none) -> ".../rg/localNetworkGateways/lgw-berlin"'),
        (SITE.format("s"), SITE.format("t"), f'"{SITE.format("s")}" -> "{SITE.format("t")}"'),
    ],
)
def test_ids_are_short_unless_that_would_hide_the_change(before: str | None, after: str, told: str) -> None:
    difference = Difference("properties.gatewayDefaultSite.id", "edit", after, before, before)

    text = plan_text(shown(Change("VpnGateway/hub", GATEWAY, Action.UPDATE, (difference,))), Style())

    assert told in text
