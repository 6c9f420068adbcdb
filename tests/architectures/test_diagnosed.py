"""Each shipped blueprint with sites: whatever is wrong at the other end of any site ends in the right set of causes."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest

from tests.architectures.conftest import FILES, FOLDER, World
from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import UsageError
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.diagnosis import diagnosis_text, peer_text
from vpngw_iac.simulator.governance import Governance, Grant
from vpngw_iac.usecases.diagnoser import time_before
from vpngw_iac.verify.diagnosis import DiagnosisReport
from vpngw_iac.verify.expectation import PathExpectation, expectations_of

AUTH, PHASES = {"key", "identity"}, {"as-number", "apipa-address", "neighbour"}
RIGHT: dict[str, set[str]] = {
    "wrong-key": AUTH,
    "wrong-identity": AUTH,
    "silence": {"silence"},
    "ike-proposal": {"ike-proposal"},
    "ipsec-proposal": {"ipsec-proposal"},
    "pfs": {"pfs"},
    "selectors": {"selectors"},
    "as-number": PHASES,
    "apipa-address": PHASES,
    "neighbour-missing": PHASES,
    "prefix-not-announced": {"prefix"},
    "ike-version": {"ike-version"},
}
OF_BGP = {"as-number", "apipa-address", "neighbour-missing", "prefix-not-announced"}
WORKSPACE = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/law"


def blueprint_of(file: str) -> Any:
    """The first blueprint of a shipped file."""
    return load(FOLDER / file).blueprints[0]


def keep_logs(world: World) -> None:
    """Somebody else's setting, as a policy makes it: every VPN gateway writes its logs."""
    logs = [{"categoryGroup": "allLogs", "enabled": True}]
    for gateway in world.ids("/virtualNetworkGateways/"):
        body = {"properties": {"workspaceId": WORKSPACE, "logs": logs}}
        world.simulator.put(f"{gateway}/providers/Microsoft.Insights/diagnosticSettings/by-policy", body)


def paths_of(world: World, blueprint: Any) -> Iterable[PathExpectation]:
    graph = world.workspace.compile(blueprint).graph
    return [p for s in expectations_of(graph).subjects if s.kind == "site" for p in s.paths]


def told(report: DiagnosisReport) -> dict[str, set[str]]:
    return {item.address: {str(cause) for cause in item.causes} for item in report.items}


WITH_SITES = [file for file in FILES if re.search(r"\bSite\(|^sites:", (FOLDER / file).read_text(), re.MULTILINE)]


@pytest.mark.parametrize("file", WITH_SITES)
def test_every_mismatch_at_any_site_ends_in_the_right_causes_and_in_no_other_place(file: str, world: World) -> None:
    blueprint = blueprint_of(file)
    assert world.apply(blueprint).outcome == "succeeded"
    keep_logs(world)
    world.clock.sleep(300)

    assert told(world.workspace.diagnose(blueprint)) == {}
    for path in paths_of(world, blueprint):
        for word, causes in RIGHT.items():
            if word == "prefix-not-announced" or (word in OF_BGP and not path.bgp):
                continue
            world.simulator.set(str(path.connection), {"other-end": word})
            if word == "pfs":  # nothing is wrong before the first rekey
                world.clock.sleep(60)
                assert told(world.workspace.diagnose(blueprint)) == {}, (path.address, word)
                world.simulator.set(str(path.connection), {"happens": "rekey"})
            world.clock.sleep(600)

            assert told(world.workspace.diagnose(blueprint)) == {path.address: causes}, word

            world.simulator.set(str(path.connection), {"other-end": "up"})
            world.clock.sleep(400)
    assert told(world.workspace.diagnose(blueprint)) == {}


# --- one site after another, on a hub with three ---------------------------------------------------------------------


@pytest.fixture
def hub(world: World) -> World:
    """Berlin and Prague with BGP, Oslo by name and without; everything is up, and logs are kept."""
    assert world.apply(blueprint_of("multi_site.py")).outcome == "succeeded"
    keep_logs(world)
    world.clock.sleep(900)
    return world


def diagnose(world: World, *sites: str, **options: Any) -> DiagnosisReport:
    return world.workspace.diagnose(blueprint_of("multi_site.py"), sites, **options)


def one(world: World, part: str) -> str:
    return world.ids(part)[0]


def connection(world: World, name: str = "con-berlin") -> str:
    return next(i for i in world.ids("/connections/") if i.endswith(name))


def gaps(report: DiagnosisReport) -> str:
    return " ".join(f"{gap.text} {gap.advice}" for item in report.items for gap in item.gaps)


def test_an_idle_tunnel_and_one_that_is_made_anew_are_up(hub: World) -> None:
    hub.simulator.set(connection(hub), {"other-end": "idle"})
    hub.simulator.set(connection(hub, "con-prague"), {"happens": "rekey"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert (told(report), report.up) == ({}, ("berlin", "oslo", "prague"))


def test_a_failover_is_azure_s_own_and_nobody_is_told_to_touch_a_device(hub: World) -> None:
    hub.simulator.set(one(hub, "/virtualNetworkGateways/"), {"happens": "failover", "log-lag": 0})

    found = told(diagnose(hub))

    assert all(causes <= {"azure-incident"} for causes in found.values())


def test_a_branch_that_never_came_up_is_told_as_that(hub: World) -> None:
    hub.simulator.set(connection(hub), {"other-end": "never-came-up"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert told(report) == {"VpnConnection/vgw-hub/berlin": {"silence"}}
    assert "It was never established." in report.items[0].steps[0].text


def test_a_reader_learns_what_cannot_be_known_and_no_cause(hub: World) -> None:
    hub.simulator.set(connection(hub), {"other-end": "as-number"})
    hub.clock.sleep(600)
    hub.simulator.governance = Governance(grants=(Grant(actions=("*/read",)),))

    assert told(diagnose(hub, "berlin")) == {"VpnConnection/vgw-hub/berlin": set()}


def test_a_gateway_under_a_lock_is_told_as_unknown(hub: World) -> None:
    gateway = one(hub, "/virtualNetworkGateways/")
    hub.simulator.set(connection(hub), {"other-end": "as-number"})
    hub.clock.sleep(600)
    lock = {"properties": {"level": "ReadOnly"}}
    hub.simulator.put(f"{gateway}/providers/Microsoft.Authorization/locks/freeze", lock)

    assert told(diagnose(hub, "berlin")) == {"VpnConnection/vgw-hub/berlin": set()}


@pytest.mark.parametrize(
    ("lag", "says"),
    [(1000, "Rows arrive late"), (7200, "If logs were switched on a short time ago, ask again")],
    ids=["minutes", "hours"],
)
def test_a_log_that_lags_names_no_cause_and_says_so(hub: World, lag: int, says: str) -> None:
    hub.simulator.set(one(hub, "/virtualNetworkGateways/"), {"log-lag": lag})
    hub.simulator.set(connection(hub), {"other-end": "wrong-key"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert told(report) == {"VpnConnection/vgw-hub/berlin": set()}
    assert says in gaps(report)


def test_what_failed_before_the_tunnel_came_up_again_is_not_why_it_is_down_now(hub: World) -> None:
    hub.simulator.set(connection(hub), {"other-end": "ike-proposal"})
    hub.clock.sleep(300)
    hub.simulator.set(connection(hub), {"other-end": "up"})
    hub.clock.sleep(300)
    hub.simulator.set(connection(hub), {"other-end": "wrong-key"})
    hub.simulator.set(one(hub, "/virtualNetworkGateways/"), {"log-lag": 500})
    hub.clock.sleep(60)

    assert told(diagnose(hub)) == {"VpnConnection/vgw-hub/berlin": set()}


def test_without_logs_it_says_which_line_switches_them_on(world: World) -> None:
    assert world.apply(blueprint_of("multi_site.py")).outcome == "succeeded"
    world.simulator.set(connection(world), {"other-end": "wrong-key"})
    world.clock.sleep(900)
    loaded = load(FOLDER / "multi_site.py")

    report = world.workspace.beside(loaded).diagnose(loaded.blueprints[0])

    assert told(report) == {"VpnConnection/vgw-hub/berlin": set()}
    assert re.search(r"Add diagnostics=Diagnostics\(.*\) to the gateway at \S*multi_site.py:\d+", gaps(report))


def test_of_each_gateway_its_settings_are_read_once_however_many_of_its_links_are_down(world: World) -> None:
    assert world.apply(blueprint_of("multi_site.py")).outcome == "succeeded"
    for name in ("con-berlin", "con-oslo", "con-prague"):
        world.simulator.set(connection(world, name), {"other-end": "wrong-key"})
    world.clock.sleep(900)
    before = len(world.simulator.requests)

    report = diagnose(world)

    asked = [request.path.lower() for request in list(world.simulator.requests)[before:]]
    assert len(report.items) == 3
    assert sum("/providers/microsoft.insights/diagnosticsettings" in path for path in asked) == 1
    assert sum(path.endswith("/query") for path in asked) == 1


def test_a_site_with_the_name_of_a_circuit_link_is_diagnosed_by_its_own_verdict(world: World) -> None:
    blueprint = blueprint_of("expressroute_and_sites.py")
    links = tuple(link.model_copy(update={"name": "utrecht"}) for link in blueprint.circuits)
    alike = blueprint.model_copy(update={"circuits": links})
    assert world.apply(alike).outcome == "succeeded"
    keep_logs(world)
    world.clock.sleep(900)
    world.simulator.set(connection(world, "con-utrecht"), {"other-end": "wrong-key"})
    world.clock.sleep(600)

    every, named = (told(world.workspace.diagnose(alike, sites)) for sites in ((), ("utrecht",)))

    assert every == named == {"VpnConnection/vgw-branches/utrecht": AUTH}


def test_without_the_package_it_names_the_extra(hub: World, monkeypatch: pytest.MonkeyPatch) -> None:
    hub.simulator.set(connection(hub), {"other-end": "wrong-key"})
    hub.clock.sleep(600)
    monkeypatch.setitem(sys.modules, "azure.monitor.query", None)

    report = diagnose(hub)

    assert told(report) == {"VpnConnection/vgw-hub/berlin": set()}
    assert "pip install 'vpngw-iac[diagnose]'" in gaps(report)


@pytest.mark.parametrize(
    ("key", "says"),
    [(None, "Azure has the key of the blueprint's reference"), ("somebodyElsesKey0123456789", "Azure has another key")],
)
def test_of_the_key_it_says_what_azure_has_and_what_the_reference_gives(hub: World, key: str | None, says: str) -> None:
    if key:
        hub.simulator.set(connection(hub), {"properties.sharedKey": key})
    hub.simulator.set(connection(hub), {"other-end": "wrong-key"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert told(report) == {"VpnConnection/vgw-hub/berlin": AUTH}
    assert any(says in evidence.text for evidence in report.items[0].evidence)


def test_nothing_is_said_of_a_key_that_cannot_be_resolved_here(hub: World) -> None:
    hub.simulator.set(connection(hub), {"other-end": "wrong-key"})
    hub.clock.sleep(600)
    del hub.environment["BERLIN_PSK"]

    report = diagnose(hub)

    assert not any(evidence.source == "key" for evidence in report.items[0].evidence)
    assert "cannot be resolved here" in gaps(report)


def test_another_address_in_azure_is_certain(hub: World) -> None:
    site = next(i for i in hub.ids("/localNetworkGateways/") if i.endswith("berlin"))
    hub.simulator.set(site, {"properties.gatewayIpAddress": "203.0.113.99"})
    hub.simulator.set(connection(hub), {"other-end": "silence"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert (told(report), report.items[0].sure) == ({"VpnConnection/vgw-hub/berlin": {"peer-address"}}, "certain")


def test_a_route_that_leads_the_device_away_is_named_while_nothing_of_it_arrives(hub: World) -> None:
    subnet = next(i for i in hub.ids("/subnets/") if i.endswith("GatewaySubnet"))
    table = f"{subnet.partition('/virtualNetworks/')[0]}/routeTables/rt-foreign"
    route = {"addressPrefix": "203.0.113.0/24", "nextHopType": "VirtualAppliance", "nextHopIpAddress": "10.20.0.4"}
    hub.simulator.put(
        table, {"location": "westeurope", "properties": {"routes": [{"name": "fw", "properties": route}]}}
    )
    hub.simulator.set(subnet, {"properties.routeTable": {"id": table}})
    hub.simulator.set(one(hub, "/virtualNetworkGateways/"), {"log-lag": 3600})
    hub.simulator.set(connection(hub), {"other-end": "silence"})
    hub.clock.sleep(600)

    report = diagnose(hub)

    assert told(report) == {"VpnConnection/vgw-hub/berlin": {"route"}}
    assert "Route fw (203.0.113.0/24) sends 203.0.113.10 to VirtualAppliance." in report.items[0].steps[3].text


def test_a_prefix_that_is_expected_and_not_announced_is_the_only_cause(world: World) -> None:
    blueprint = blueprint_of("multi_site.py")
    sites = [
        s.model_copy(update={"expects": ("192.168.10.0/24",)} if s.name == "berlin" else {}) for s in blueprint.sites
    ]
    expecting = blueprint.model_copy(update={"sites": tuple(sites)})
    assert world.apply(expecting).outcome == "succeeded"
    world.simulator.set(connection(world), {"announces": ["192.168.10.0/24"]})
    world.clock.sleep(900)
    before = told(world.workspace.diagnose(expecting))
    world.simulator.set(connection(world), {"other-end": "prefix-not-announced"})
    world.clock.sleep(600)

    assert (before, told(world.workspace.diagnose(expecting))) == ({}, {"VpnConnection/vgw-hub/berlin": {"prefix"}})


def test_a_name_that_nothing_bears_is_refused_with_the_one_that_was_meant(hub: World) -> None:
    with pytest.raises(UsageError, match="berlinn") as refused:
        diagnose(hub, "berlinn")

    assert "berlin" in refused.value.advice


@pytest.mark.parametrize("text", ["", "1", "1w", "0h", "8d", "-1h", "9999d"])
def test_a_time_that_cannot_be_looked_back_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="since"):
        time_before(text)


def test_a_time_to_look_back_has_one_unit() -> None:
    assert [time_before(text) for text in ("30m", "1h", "2d")] == [
        timedelta(minutes=30), timedelta(hours=1), timedelta(days=2),
    ]  # fmt: skip


def test_what_the_other_company_gets_has_no_name_of_ours_and_no_key(hub: World) -> None:
    for name in ("con-berlin", "con-oslo", "con-prague"):
        hub.simulator.set(connection(hub, name), {"other-end": "wrong-key"})
    hub.clock.sleep(600)

    report = diagnose(hub)
    text = peer_text(report.sheets).lower()

    identifiers = {part for i in hub.ids() for part in i.lower().split("/") if part}
    ours = identifiers - {"microsoft.network", "providers", "subscriptions", "connections", "subnets", "1", "default"}
    ours |= {"berlin-", "prague", "multi-site", "rg-hub", "vgw", "vnet", *(v.lower() for v in hub.environment.values())}
    assert [word for word in sorted(ours) if word in text] == []
    assert all(address in text for address in ("203.0.113.10", "203.0.113.20", "65101", "ecp384"))
    everything = diagnosis_text(report, Style(False, 100))
    assert not any(value in everything for name, value in hub.environment.items() if name.endswith("_PSK"))
