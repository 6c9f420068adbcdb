"""Maintenance window, diagnostic setting and lock of a gateway: made, kept, told when changed, lifted, gone."""

from __future__ import annotations

from typing import Any

import pytest

from tests.workspace.conftest import Harness
from vpngw_iac import Diagnostics, Lock, Maintenance, Nat, Secret, Site, SiteToSite, VirtualNetwork, VpnGateway
from vpngw_iac.arm import ArmId
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.errors import Refused

SUBSCRIPTION = "/subscriptions/00000000-0000-0000-0000-000000000000"
GROUP = f"{SUBSCRIPTION}/resourceGroups/rg-hub"
GATEWAY = ArmId(f"{GROUP}/providers/Microsoft.Network/virtualNetworkGateways/vgw-hub")
LOGS = f"{SUBSCRIPTION}/resourceGroups/rg-log/providers"
WORKSPACE = f"{LOGS}/Microsoft.OperationalInsights/workspaces/log"
LOCK = GATEWAY.extension("Microsoft.Authorization/locks", "lock-vgw-hub")
SETTING = GATEWAY.extension("Microsoft.Insights/diagnosticSettings", "diag-vgw-hub")
WINDOW = ArmId(f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/mc-vgw-hub")
ASSIGNMENT = GATEWAY.extension("Microsoft.Maintenance/configurationAssignments", "mc-vgw-hub")


def hub(*, nat: bool = False, **gateway: Any) -> Blueprint:
    network = VirtualNetwork(
        name="vnet-hub",
        location="westeurope",
        resource_group="rg-hub",
        address_space=["10.1.0.0/16"],
        gateway_subnet="10.1.255.0/27",
    )
    rules = [Nat.ingress("berlin", "192.168.10.0/24", "172.20.10.0/24")] if nat else ()
    site = Site(
        name="berlin",
        public_ip="203.0.113.10",
        prefixes=["192.168.10.0/24"],
        shared_key=Secret.env("PSK_BERLIN"),
        nat=rules,
    )
    return SiteToSite(
        name="hub", gateway=VpnGateway(name="vgw-hub", network=network, sku="VpnGw2AZ", **gateway), sites=[site]
    )


def cared_for(lock: Any = "CanNotDelete", **more: Any) -> Blueprint:
    said: dict[str, Any] = {
        "maintenance": Maintenance(start="02:00", time_zone="W. Europe Standard Time"),
        "diagnostics": Diagnostics(workspace=WORKSPACE),
        "lock": lock,
    }
    return hub(**{**said, **more})


@pytest.mark.parametrize("lock", ["CanNotDelete", "ReadOnly", Lock(level="ReadOnly", scope="group", notes="mine")])
def test_they_are_made_stay_and_go(harness: Harness, lock: Any) -> None:
    blueprint = cared_for(lock)

    harness.create(blueprint)

    assert harness.changes(blueprint) == {}
    assert harness.changes(blueprint, deep=True) == {}
    assert harness.drift(blueprint).items == ()
    gone = harness.destroy(blueprint)
    assert gone.outcome == "succeeded", [(r.address, r.error) for r in gone.operations if r.error]
    assert harness.simulator.documents() == {}


def test_a_lock_comes_after_everything_and_goes_before_everything(harness: Harness) -> None:
    blueprint = cared_for("ReadOnly")

    harness.apply(blueprint)
    made = harness.writes()
    harness.mark()
    harness.destroy(blueprint)

    assert made[-1] == "PUT locks/lock-vgw-hub"
    assert harness.writes()[0] == "DELETE locks/lock-vgw-hub"


def test_a_lock_of_ours_is_lifted_for_a_change_and_put_back(harness: Harness) -> None:
    harness.create(cared_for("ReadOnly"))
    edited = cared_for("ReadOnly", tags={"owner": "network"})

    change = harness.change(edited, "ManagementLock/vgw-hub")
    harness.converge(edited)

    assert (str(change.action), change.reason) == ("replace", "lifted for the change of VpnGateway/vgw-hub")
    assert harness.writes() == [
        "DELETE locks/lock-vgw-hub",
        "PATCH virtualNetworkGateways/vgw-hub",
        "PUT locks/lock-vgw-hub",
    ]


def test_a_lock_against_deletion_leaves_changes_alone(harness: Harness) -> None:
    harness.create(cared_for())

    harness.converge(cared_for(tags={"owner": "network"}))

    assert harness.writes("*locks*") == []


def test_a_lock_against_deletion_is_lifted_for_a_rule_that_goes(harness: Harness) -> None:
    harness.create(hub(nat=True, lock="CanNotDelete"))

    harness.converge(hub(lock="CanNotDelete"))

    deletes = [write for write in harness.writes() if write.startswith("DELETE")]
    assert deletes == ["DELETE locks/lock-vgw-hub", "DELETE natRules/berlin"]
    assert harness.exists(LOCK)


def test_a_group_is_unlocked_for_whatever_changes_in_it(harness: Harness) -> None:
    harness.create(hub(lock=Lock(level="ReadOnly", scope="group")))
    edited = hub(lock=Lock(level="ReadOnly", scope="group"), tags={"owner": "network"})

    harness.converge(edited)

    writes = harness.writes()
    assert (writes[0], writes[-1]) == ("DELETE locks/lock-vgw-hub", "PUT locks/lock-vgw-hub")


def test_another_level_is_one_call(harness: Harness) -> None:
    harness.create(cared_for())

    harness.converge(cared_for("ReadOnly"))

    assert harness.writes() == ["PUT locks/lock-vgw-hub"]


def test_a_run_that_died_while_the_lock_was_lifted_puts_it_back(harness: Harness) -> None:
    harness.create(cared_for())
    harness.simulator.delete(str(LOCK))

    assert harness.changes(cared_for()) == {"ManagementLock/vgw-hub": "create"}
    harness.converge(cared_for())


def test_a_lock_of_somebody_else_stays_in_the_way(harness: Harness) -> None:
    harness.create(cared_for())
    foreign = GATEWAY.extension("Microsoft.Authorization/locks", "auditors")
    harness.simulator.put(str(foreign), {"properties": {"level": "CanNotDelete"}})
    harness.mark()

    with pytest.raises(Refused) as refused:
        harness.destroy(cared_for())

    assert [f.rule for f in refused.value.findings if f.blocks] == ["V-PROBE-02"]
    assert "auditors" in str([f.detail for f in refused.value.findings])
    assert harness.writes() == []


def test_what_was_changed_behind_our_back_is_told_and_repaired(harness: Harness) -> None:
    harness.create(cared_for())
    logs = [{"category": "P2SDiagnosticLog", "enabled": True}]
    harness.simulator.put(str(SETTING), {"properties": {"workspaceId": WORKSPACE, "logs": logs}})
    harness.simulator.delete(str(ASSIGNMENT))

    drift = {item.address: item.kind for item in harness.drift(cared_for()).items}
    mixed = harness.change(cared_for(), "DiagnosticSetting/vgw-hub")

    assert drift == {"DiagnosticSetting/vgw-hub": "changed", "MaintenanceAssignment/vgw-hub": "missing"}
    assert [difference.cause for difference in mixed.differences] == ["drift", "drift"]


def test_categories_that_others_listed_stay(harness: Harness) -> None:
    three = Diagnostics(
        workspace=WORKSPACE, logs=["IKEDiagnosticLog", "RouteDiagnosticLog", "TunnelDiagnosticLog"], metrics=False
    )
    harness.create(hub(diagnostics=three))
    before = harness.document(SETTING)["properties"]
    more = [*before["logs"], {"category": "P2SDiagnosticLog", "enabled": False}]
    harness.simulator.put(str(SETTING), {"properties": {**before, "logs": more}})

    unchanged = harness.changes(hub(diagnostics=three))
    with_storage = three.model_copy(
        update={"storage": ArmId(f"{LOGS}/Microsoft.Storage/storageAccounts/vpnlogs"), "metrics": True}
    )
    harness.converge(hub(diagnostics=with_storage))

    after = harness.document(SETTING)["properties"]
    assert unchanged == {}
    assert [log["category"] for log in after["logs"]] == [log["category"] for log in more]
    assert after["metrics"][0]["enabled"] is True


def test_all_logs_become_single_categories_without_a_mix(harness: Harness) -> None:
    harness.create(cared_for())

    harness.converge(cared_for(diagnostics=Diagnostics(workspace=WORKSPACE, logs=["IKEDiagnosticLog"])))

    assert [log["category"] for log in harness.document(SETTING)["properties"]["logs"]] == ["IKEDiagnosticLog"]


def test_a_window_changes_in_place(harness: Harness) -> None:
    harness.create(cared_for())

    harness.converge(cared_for(maintenance=Maintenance(start="03:00", hours=6, time_zone="UTC")))

    assert harness.writes() == ["PUT maintenanceConfigurations/mc-vgw-hub"]
    assert harness.document(WINDOW)["properties"]["maintenanceWindow"]["duration"] == "06:00"


def test_tags_of_a_window_are_one_call(harness: Harness) -> None:
    harness.create(cared_for())

    harness.converge(
        cared_for(
            maintenance=Maintenance(start="02:00", time_zone="W. Europe Standard Time", tags={"owner": "network"})
        )
    )

    assert harness.writes() == ["PATCH maintenanceConfigurations/mc-vgw-hub"]


def test_an_existing_window_is_used_and_never_put(harness: Harness) -> None:
    theirs = f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/mc-company"
    harness.simulator.put(GROUP, {"location": "westeurope"})
    window = {"startDateTime": "2025-01-01 02:00", "duration": "05:00", "timeZone": "UTC", "recurEvery": "1Day"}
    inside = {"maintenanceScope": "Resource", "maintenanceWindow": window}
    harness.simulator.put(theirs, {"location": "westeurope", "properties": inside})
    blueprint = hub(maintenance=Maintenance.existing(theirs))

    harness.create(blueprint)

    assert harness.changes(blueprint) == {}
    assert ArmId(harness.document(ASSIGNMENT)["properties"]["maintenanceConfigurationId"]) == ArmId(theirs)
    assert [w for w in harness.writes("*maintenanceConfigurations*") if "Assignments" not in w] == []
    harness.destroy(blueprint)
    assert harness.exists(ArmId(theirs))


def test_another_window_is_another_assignment(harness: Harness) -> None:
    harness.create(cared_for(lock=None))
    other = f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/mc-company"
    window = {"startDateTime": "2025-01-01 02:00", "duration": "05:00", "timeZone": "UTC", "recurEvery": "Day"}
    harness.simulator.put(
        other, {"location": "westeurope", "properties": {"maintenanceScope": "Resource", "maintenanceWindow": window}}
    )
    harness.mark()
    edited = cared_for(lock=None, maintenance=Maintenance.existing(other))

    harness.converge(edited)

    writes = harness.writes()
    assert writes[0] == "DELETE configurationAssignments/mc-vgw-hub"
    assert sorted(writes[1:]) == [
        "DELETE maintenanceConfigurations/mc-vgw-hub",
        "PUT configurationAssignments/mc-vgw-hub",
    ]


def test_replacing_the_gateway_brings_all_of_them_back(harness: Harness) -> None:
    harness.create(cared_for("ReadOnly"))
    edited = cared_for("ReadOnly")

    outcome = harness.apply(edited, replace=frozenset({"VpnGateway/vgw-hub"}))

    assert outcome.outcome == "succeeded", [(r.address, r.error) for r in outcome.operations if r.error]
    assert all(harness.exists(each) for each in (LOCK, SETTING, ASSIGNMENT, WINDOW))
    assert harness.changes(edited) == {}
