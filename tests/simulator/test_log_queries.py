"""Queries of logs: what a gateway has written, from when on, and when it can be read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from vpngw_iac.simulator import Simulator, VirtualTime
from vpngw_iac.simulator.governance import Governance, Grant
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse
from vpngw_iac.verify.gateway_log import QUERY

GROUP = "/subscriptions/00000000-0000-0000-0000-000000000000/resourceGroups/rg"
NET = f"{GROUP}/providers/Microsoft.Network"
GATEWAY = f"{NET}/virtualNetworkGateways/vgw"
LOGS = [{"category": "IKEDiagnosticLog", "enabled": True}]
SINK = f"{GROUP}/providers/Microsoft.OperationalInsights/workspaces/law"


@pytest.fixture
def simulator() -> Simulator:
    """A gateway with one site, loaded as it is."""
    configuration = {
        "id": f"{GATEWAY}/ipConfigurations/default",
        "name": "default",
        "properties": {"subnet": {"id": f"{NET}/virtualNetworks/vnet/subnets/GatewaySubnet"}},
    }
    peering = {"ipconfigurationId": configuration["id"], "tunnelIpAddresses": ["198.51.100.4"]}
    simulator = Simulator(time=VirtualTime())
    simulator.put(GROUP, {"location": "westeurope"})
    gateway = {
        "gatewayType": "Vpn", "vpnType": "RouteBased", "sku": {"name": "VpnGw1AZ", "tier": "VpnGw1AZ"},
        "activeActive": False, "enableBgp": False, "ipConfigurations": [configuration],
        "bgpSettings": {"asn": 65515, "bgpPeeringAddresses": [peering]}, "provisioningState": "Succeeded",
    }  # fmt: skip
    site = {"gatewayIpAddress": "203.0.113.10", "provisioningState": "Succeeded",
            "localNetworkAddressSpace": {"addressPrefixes": ["192.168.10.0/24"]}}  # fmt: skip
    connection = {
        "connectionType": "IPsec", "virtualNetworkGateway1": {"id": GATEWAY}, "enableBgp": False,
        "localNetworkGateway2": {"id": f"{NET}/localNetworkGateways/lgw"}, "provisioningState": "Succeeded",
    }  # fmt: skip
    documents = {GATEWAY: gateway, f"{NET}/localNetworkGateways/lgw": site, f"{NET}/connections/con": connection}
    simulator.load(
        {"id": i, "type": i.split("/providers/")[1].rpartition("/")[0], "name": i.rpartition("/")[2],
         "location": "westeurope", "properties": p}
        for i, p in documents.items()
    )  # fmt: skip
    return simulator


def keep(simulator: Simulator) -> None:
    body = {"properties": {"workspaceId": SINK, "logs": LOGS}}
    simulator.put(f"{GATEWAY}/providers/Microsoft.Insights/diagnosticSettings/diag", body)


def ask(simulator: Simulator, query: str = QUERY, timespan: str = "PT1H", gateway: str = GATEWAY) -> HttpResponse:
    content = json.dumps({"query": query, "timespan": timespan}).encode()
    return simulator.handle(HttpRequest.of("POST", f"https://api.loganalytics.io/v1{gateway}/query", {}, content))


def rows(answer: HttpResponse) -> list[dict[str, Any]]:
    (table,) = answer.body["tables"]
    names = [column["name"] for column in table["columns"]]
    return [dict(zip(names, row, strict=True)) for row in table["rows"]]


def test_a_gateway_writes_nothing_before_a_setting_keeps_its_log(simulator: Simulator) -> None:
    simulator.set(f"{NET}/connections/con", {"other-end": "silence"})
    simulator.time.spend(600)
    before = rows(ask(simulator))
    keep(simulator)
    simulator.time.spend(600)

    assert before == []
    assert {row["Category"] for row in rows(ask(simulator))} == {"IKEDiagnosticLog"}


def test_rows_arrive_late_and_the_newest_comes_first(simulator: Simulator) -> None:
    keep(simulator)
    simulator.set(GATEWAY, {"log-lag": 300})
    simulator.set(f"{NET}/connections/con", {"other-end": "wrong-key"})
    simulator.time.spend(290)
    early = rows(ask(simulator))
    simulator.time.spend(60)
    late = rows(ask(simulator))

    assert (early, bool(late)) == ([], True)
    assert [row["TimeGenerated"] for row in late] == sorted((row["TimeGenerated"] for row in late), reverse=True)


def test_only_what_was_asked_for_comes(simulator: Simulator) -> None:
    keep(simulator)
    simulator.set(f"{NET}/connections/con", {"other-end": "wrong-key"})
    simulator.time.spend(600)

    answer = ask(simulator, 'AzureDiagnostics | where Category == "IKEDiagnosticLog" | project Message | take 2')

    assert [set(row) for row in rows(answer)] == [{"Message"}] * 2
    assert rows(ask(simulator, timespan="PT1S")) == []


@pytest.mark.parametrize(
    ("query", "timespan", "status"),
    [
        ("AzureDiagnostics | summarize count()", "PT1H", 501),
        ("Heartbeat", "PT1H", 501),
        ("AzureDiagnostics | project Nothing", "PT1H", 400),
        ("AzureDiagnostics", "tomorrow", 400),
        ("AzureDiagnostics", "2026-01-01/tomorrow", 400),
    ],
)
def test_what_it_does_not_understand_is_refused(simulator: Simulator, query: str, timespan: str, status: int) -> None:
    assert ask(simulator, query, timespan).status == status


def test_who_may_not_read_gets_403_and_what_is_not_there_404(simulator: Simulator) -> None:
    assert ask(simulator, gateway=f"{GATEWAY}-other").status == 404
    simulator.governance = Governance(grants=(Grant(actions=("Microsoft.Network/*/read",)),))
    assert ask(simulator).status == 403
    simulator.governance = Governance(grants=(Grant(actions=("*/read",)),))
    assert ask(simulator).status == 200


def test_it_is_there_after_a_restart(tmp_path: Path) -> None:
    assert ask(Simulator(tmp_path)).status == 404
