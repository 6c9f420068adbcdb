"""Providers beside networks: what they refuse, how they answer, and what ARM decides before they are asked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.simulator.conftest import GROUP, NETWORK, REGION
from vpngw_iac.simulator import HttpRequest, HttpResponse, Simulator

GATEWAY = f"{NETWORK}/virtualNetworkGateways/vgw"
SETTING = f"{GATEWAY}/providers/Microsoft.Insights/diagnosticSettings/diag"
ASSIGNMENT = f"{GATEWAY}/providers/Microsoft.Maintenance/configurationAssignments/mc"
WINDOW = f"{GROUP}/providers/Microsoft.Maintenance/maintenanceConfigurations/mc"
WORKSPACE = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/log"
ALL_LOGS = [{"categoryGroup": "allLogs", "enabled": True}]


def ask(simulator: Simulator, method: str, path: str, body: Any = None, version: str = "2023-04-01") -> HttpResponse:
    content = json.dumps(body).encode() if body is not None else None
    return simulator.handle(HttpRequest.of(method, f"{path}?api-version={version}", {}, content))


@pytest.fixture
def hub(simulator: Simulator) -> Simulator:
    """A gateway, done."""
    simulator.put(GROUP, {"location": REGION})
    simulator.put(
        f"{NETWORK}/virtualNetworks/vnet",
        {
            "location": REGION,
            "properties": {
                "addressSpace": {"addressPrefixes": ["10.1.0.0/16"]},
                "subnets": [{"name": "GatewaySubnet", "properties": {"addressPrefix": "10.1.255.0/27"}}],
            },
        },
    )
    address = {"location": REGION, "sku": {"name": "Standard"}, "zones": ["1", "2", "3"]}
    simulator.put(f"{NETWORK}/publicIPAddresses/pip", {**address, "properties": {"publicIPAllocationMethod": "Static"}})
    inside = {
        "subnet": {"id": f"{NETWORK}/virtualNetworks/vnet/subnets/GatewaySubnet"},
        "publicIPAddress": {"id": f"{NETWORK}/publicIPAddresses/pip"},
    }
    gateway = {
        "gatewayType": "Vpn",
        "vpnType": "RouteBased",
        "sku": {"name": "VpnGw1AZ", "tier": "VpnGw1AZ"},
        "ipConfigurations": [{"name": "default", "properties": inside}],
    }
    simulator.put(GATEWAY, {"location": REGION, "properties": gateway})
    return simulator


def window(**changes: Any) -> dict[str, Any]:
    times = {"startDateTime": "2025-01-01 02:00", "duration": "05:00", "timeZone": "UTC", "recurEvery": "Day"}
    return {
        "location": REGION,
        "properties": {
            "maintenanceScope": "Resource",
            "extensionProperties": {"maintenanceSubScope": "NetworkGatewayMaintenance"},
            "maintenanceWindow": times | changes,
        },
    }


def code(answer: HttpResponse) -> tuple[int, str]:
    assert isinstance(answer.body, dict)
    return answer.status, answer.body["error"]["code"]


def test_a_setting_answers_at_once_with_null_for_what_it_has_not(hub: Simulator) -> None:
    put = ask(hub, "PUT", SETTING, {"properties": {"workspaceId": WORKSPACE, "logs": ALL_LOGS}})

    shown = put.body
    assert put.status == 200
    assert "Azure-AsyncOperation" not in put.headers
    assert isinstance(shown, dict)
    assert shown["id"].startswith(GATEWAY.lower())
    assert shown["location"] is None
    assert shown["properties"]["storageAccountId"] is None
    assert shown["properties"]["logs"] == [
        {
            "category": None,
            "categoryGroup": "allLogs",
            "enabled": True,
            "retentionPolicy": {"enabled": False, "days": 0},
        }
    ]


@pytest.mark.parametrize(
    ("properties", "says"),
    [
        ({"logs": ALL_LOGS}, "At least one data sink"),
        ({"workspaceId": WORKSPACE, "logs": [*ALL_LOGS, {"category": "IKEDiagnosticLog", "enabled": True}]}, "mix"),
        ({"workspaceId": WORKSPACE, "logs": [{"category": "AuditEvent", "enabled": True}]}, "'AuditEvent' is not"),
        ({"workspaceId": WORKSPACE, "metrics": [{"category": "Requests", "enabled": True}]}, "Metric category"),
    ],
)
def test_a_setting_that_azure_would_refuse_is_refused(hub: Simulator, properties: Any, says: str) -> None:
    answer = ask(hub, "PUT", SETTING, {"properties": properties})

    assert code(answer) == (400, "BadRequest")
    assert says in str(answer.body)


def test_one_log_goes_to_one_place_once(hub: Simulator) -> None:
    body = {"properties": {"workspaceId": WORKSPACE, "logs": ALL_LOGS}}
    ask(hub, "PUT", SETTING, body)

    again, twice = ask(hub, "PUT", SETTING, body), ask(hub, "PUT", f"{SETTING}-2", body)

    assert again.status == 200
    assert code(twice) == (409, "Conflict")


def test_five_settings_are_the_most(hub: Simulator) -> None:
    bodies = [
        {"properties": {"storageAccountId": f"{GROUP}/providers/Microsoft.Storage/storageAccounts/s{number}"}}
        for number in range(6)
    ]

    answers = [ask(hub, "PUT", f"{SETTING}{number}", body) for number, body in enumerate(bodies)]

    assert [answer.status for answer in answers] == [200, 200, 200, 200, 200, 400]


def test_a_window_keeps_what_it_was_given_and_says_what_azure_adds(hub: Simulator) -> None:
    put = ask(hub, "PUT", WINDOW, window())

    shown = ask(hub, "GET", WINDOW).body
    assert put.status == 200
    assert isinstance(shown, dict)
    assert shown["tags"] == {}
    assert shown["properties"]["visibility"] == "Custom"
    assert shown["properties"]["configurationType"] == "Regular"
    assert shown["properties"]["maintenanceWindow"]["recurEvery"] == "Day"


@pytest.mark.parametrize("change", [{"duration": "04:00"}, {"recurEvery": "Week Saturday"}, {"timeZone": ""}])
def test_a_window_that_gateways_cannot_have_is_refused(hub: Simulator, change: dict[str, str]) -> None:
    assert code(ask(hub, "PUT", WINDOW, window(**change))) == (400, "InvalidMaintenanceWindow")


def test_an_assignment_needs_its_window_in_its_region(hub: Simulator) -> None:
    body = {"properties": {"maintenanceConfigurationId": WINDOW}}

    without = ask(hub, "PUT", ASSIGNMENT, body)
    ask(hub, "PUT", WINDOW, {**window(), "location": "northeurope"})
    elsewhere = ask(hub, "PUT", ASSIGNMENT, body)
    ask(hub, "DELETE", WINDOW)
    ask(hub, "PUT", WINDOW, window())
    here = ask(hub, "PUT", ASSIGNMENT, body)

    assert [without.status, elsewhere.status, here.status] == [400, 400, 200]
    assert isinstance(here.body, dict)
    assert here.body["properties"] == {"maintenanceConfigurationId": WINDOW.lower(), "resourceId": GATEWAY.lower()}


@pytest.mark.parametrize("path", [SETTING, ASSIGNMENT, WINDOW])
def test_what_is_not_there_is_absent_in_the_words_of_its_provider(hub: Simulator, path: str) -> None:
    got, deleted = ask(hub, "GET", path), ask(hub, "DELETE", path)

    status, said = code(got)
    assert (status, deleted.status) == (404, 204)
    assert said.endswith("NotFound")


def test_nothing_hangs_on_what_is_not_there(hub: Simulator) -> None:
    nowhere = SETTING.replace("/vgw/", "/other/")

    answer = ask(hub, "PUT", nowhere, {"properties": {"workspaceId": WORKSPACE, "logs": ALL_LOGS}})

    assert code(answer) == (404, "ResourceNotFound")


def test_a_network_resource_is_no_extension(hub: Simulator) -> None:
    answer = ask(hub, "PUT", f"{GATEWAY}/providers/Microsoft.Network/publicIPAddresses/x", {"location": REGION})

    assert answer.status == 501


def test_what_hangs_on_a_gateway_is_listed_there_and_not_in_its_group(hub: Simulator) -> None:
    ask(hub, "PUT", SETTING, {"properties": {"workspaceId": WORKSPACE, "logs": ALL_LOGS}})

    there = ask(hub, "GET", SETTING.rsplit("/", 1)[0]).body
    group = ask(hub, "GET", f"{GROUP}/resources").body

    assert isinstance(there, dict)
    assert isinstance(group, dict)
    assert [item["name"] for item in there["value"]] == ["diag"]
    assert "diag" not in [item["name"] for item in group["value"]]


def test_a_gateway_takes_along_what_hangs_on_it(hub: Simulator) -> None:
    ask(hub, "PUT", SETTING, {"properties": {"workspaceId": WORKSPACE, "logs": ALL_LOGS}})

    hub.delete(GATEWAY)

    assert code(ask(hub, "GET", SETTING))[0] == 404
