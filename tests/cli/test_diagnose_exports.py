"""``vpngw diagnose --log`` with exports of all of a gateway's tables: what came and went, and what is known by that."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests.cli.conftest import HUB, Shell

RESOURCE = "/SUBSCRIPTIONS/S/RESOURCEGROUPS/RG-HUB/PROVIDERS/MICROSOFT.NETWORK/VIRTUALNETWORKGATEWAYS/VGW-HUB"
BERLIN, LOCAL = "203.0.113.10", "198.51.100.4"
REFUSED = f"Remote {BERLIN}:500: Local {LOCAL}:500: [SEND][NOTIFY] Sending Notify Message - Authentication failed"


def record(second: int, category: str, operation: str, resource: str = RESOURCE, **properties: Any) -> dict[str, Any]:
    """A row as a storage account keeps it."""
    return {
        "time": f"2026-11-28T22:{second // 60:02}:{second % 60:02}.1230000Z",
        "resourceId": resource,
        "category": category,
        "operationName": operation,
        "properties": {"instance": "GatewayTenantWorker_IN_0", **properties},
    }


def went(second: int, instance: int = 0, peer: str = BERLIN, reason: str = "DPD timed out", **more: Any) -> Any:
    told = {"instance": f"GatewayTenantWorker_IN_{instance}", "remoteIP": peer, "stateChangeReason": reason}
    return record(second, "TunnelDiagnosticLog", "TunnelDisconnected", **told, **more)


def came(second: int, instance: int = 0, peer: str = BERLIN, **more: Any) -> Any:
    told = {"instance": f"GatewayTenantWorker_IN_{instance}", "remoteIP": peer}
    return record(second, "TunnelDiagnosticLog", "TunnelConnected", **told, **more)


def ike(second: int, message: str = REFUSED, **more: Any) -> Any:
    return record(second, "IKEDiagnosticLog", "IKELogEvent", message=message, **more)


def stored(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def flat(*rows: Any) -> list[dict[str, str]]:
    """The same as the table AzureDiagnostics has it."""
    return [
        {
            "TimeGenerated [UTC]": row["time"],
            "Category": row["category"],
            "OperationName": row["operationName"],
            "ResourceId": row["resourceId"],
            "Message": row["properties"].get("message", ""),
            "instance_s": row["properties"]["instance"],
            "remoteIP_s": row["properties"].get("remoteIP", ""),
            "stateChangeReason_s": row["properties"].get("stateChangeReason", ""),
        }
        for row in rows
    ]


def portal(*rows: Any) -> str:
    told = io.StringIO()
    table = csv.DictWriter(told, list(flat(*rows)[0]))
    table.writeheader()
    table.writerows(flat(*rows))
    return told.getvalue()


def diagnosed(vpngw: Shell, log: str, *names: str, code: int = 0) -> Any:
    vpngw.write("hub.yaml", HUB)
    vpngw.write("export", log)
    return vpngw("diagnose", "hub.yaml", *names, "--log", "export", "--json", code=code).document


FORMS = {
    "storage": stored,
    "event hub": lambda *rows: json.dumps({"records": list(rows)}),
    "batches": lambda *rows: "".join(json.dumps({"records": [row]}) + "\n" for row in rows),
    "list": lambda *rows: json.dumps(flat(*rows)),
    "portal": portal,
    "properties as text": lambda *rows: stored(*({**r, "properties": json.dumps(r["properties"])} for r in rows)),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_what_came_and_went_is_read_in_each_form_and_names_no_cause(vpngw: Shell, form: Any) -> None:
    [link] = diagnosed(vpngw, form(came(0), went(60)))["links"]

    assert (link["name"], link["causes"]) == ("berlin", [])
    assert "going on instance 0 at 2026-11-28 22:01:00 UTC, and not coming again" in link["steps"][0]["text"]
    assert "TunnelDisconnected on instance 0: DPD timed out" in [one["text"] for one in link["evidence"]]
    assert "IKEDiagnosticLog" in link["not_known"][0]["advice"]


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_ike_rows_beside_them_name_the_cause(vpngw: Shell, form: Any) -> None:
    [link] = diagnosed(vpngw, form(came(0), went(60), ike(70), ike(85)))["links"]

    assert [each["cause"] for each in link["causes"]] == ["key", "identity"]
    assert "not coming again" in link["steps"][0]["text"]


def test_what_failed_before_the_tunnel_came_up_has_passed(vpngw: Shell) -> None:
    [link] = diagnosed(vpngw, stored(ike(70), came(90)))["links"]

    assert link["causes"] == []
    assert "what failed before has passed" in link["steps"][0]["text"]


@pytest.mark.parametrize(("active_active", "causes"), [(True, ["key", "identity"]), (False, [])])
def test_of_an_active_active_gateway_one_instance_that_came_up_does_not_mend_the_other(
    vpngw: Shell, active_active: bool, causes: list[str]
) -> None:
    text = HUB.replace("sku: VpnGw1AZ", "sku: VpnGw1AZ, active_active: true") if active_active else HUB
    vpngw.write("hub.yaml", text)
    vpngw.write("export", stored(came(0, 0), came(0, 1), went(60, 1), ike(70), came(90, 0)))

    [link] = vpngw("diagnose", "hub.yaml", "--log", "export", "--json", code=0).document["links"]

    assert (text != HUB, [each["cause"] for each in link["causes"]]) == (active_active, causes)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ((went(60, 0), came(63, 1)), "That is a failover of the gateway"),
        ((went(60, 0), came(63, 0)), "a glitch of the network, dead peer detection, or the device"),
        ((went(60, 0), came(600, 0)), "It is up in the newest rows."),
        ((went(0), came(5), went(60), came(65)), "going 2 times"),
    ],
)
def test_where_it_came_again_tells_a_failover_from_a_glitch(vpngw: Shell, rows: Any, said: str) -> None:
    [link] = diagnosed(vpngw, stored(*rows))["links"]

    assert said in link["steps"][0]["text"]


def test_maintenance_when_the_tunnel_went_is_told_alone(vpngw: Shell) -> None:
    maintained = record(58, "GatewayDiagnosticLog", "HostMaintenanceEvent", message="Host maintenance")

    [link] = diagnosed(vpngw, stored(came(0), maintained, went(60), ike(70)))["links"]

    assert [each["cause"] for each in link["causes"]] == ["azure-incident"]


def test_a_session_that_went_is_told_with_its_row(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB.replace("prefixes: [192.168.10.0/24]", "bgp: {asn: 65101, address: 192.168.10.1}"))
    said = "BGP SESSION DISCONNECTED => IP: 192.168.10.1"
    vpngw.write("export", stored(came(0), record(50, "RouteDiagnosticLog", "BgpDisconnectedEvent", message=said)))

    [link] = vpngw("diagnose", "hub.yaml", "--log", "export", "--json", code=0).document["links"]

    assert (link["steps"][-1]["name"], link["causes"]) == ("BGP", [])
    assert any(said in one["text"] for one in link["evidence"])


def test_rows_of_another_gateway_are_not_about_this_one(vpngw: Shell) -> None:
    other = RESOURCE.replace("VGW-HUB", "VGW-NORTH")

    both = diagnosed(vpngw, stored(ike(70, resource=other), came(0), went(60)))["links"]
    told = diagnosed(vpngw, stored(ike(70, resource=other), went(60, resource=other)), code=64)

    assert [link["causes"] for link in both] == [[]]
    assert "vgw-north" in json.dumps(told)


def test_a_table_without_addresses_belongs_to_the_only_link_that_is_asked_about(vpngw: Shell) -> None:
    head = "TimeGenerated [UTC],OperationName,instance_s,Resource,ResourceGroup\n"
    row = '"11/28/2026, 10:01:00.000 PM",TunnelDisconnected,GatewayTenantWorker_IN_1,VGW-HUB,RG-HUB\n'

    [link] = diagnosed(vpngw, head + row)["links"]

    assert "going on instance 1 at 2026-11-28 22:01:00 UTC" in link["steps"][0]["text"]


def test_the_query_of_azure_s_page_keeps_the_ends_in_columns_of_their_own(vpngw: Shell) -> None:
    rows = [
        {
            "TimeGenerated": "2026-11-28T22:01:10Z",
            "RemoteIP": BERLIN,
            "LocalIP": LOCAL,
            "Event": REFUSED.partition("500: [")[2],
        },
        {"TimeGenerated": "2026-11-28T22:01:10Z", "RemoteIP": "192.0.2.9", "LocalIP": LOCAL, "Event": "[LOCAL] x"},
    ]

    [link] = diagnosed(vpngw, json.dumps(rows))["links"]

    assert [each["cause"] for each in link["causes"]] == ["key", "identity"]


def test_a_record_that_is_cut_off_at_the_end_does_not_hide_the_others(vpngw: Shell) -> None:
    [link] = diagnosed(vpngw, stored(came(0), went(60)) + json.dumps(ike(70))[:100])["links"]

    assert "not coming again" in link["steps"][0]["text"]


def test_rows_that_are_about_clients_alone_are_no_tunnel_s(vpngw: Shell) -> None:
    clients = record(0, "P2SDiagnosticLog", "P2SLogEvent", message=f"[MSG] {BERLIN} Authentication failed")

    assert "is about berlin" in json.dumps(diagnosed(vpngw, stored(clients), code=64))


@pytest.mark.parametrize("date", ["28/11/2026, 22:01:00.000", "28.11.2026, 22:01:00,000", "11/28/2026, 10:01:00 p.m."])
def test_the_portal_writes_times_as_the_reader_s_language_has_them(vpngw: Shell, date: str) -> None:
    table = portal(went(60)).replace("2026-11-28T22:01:00.1230000Z", f'"{date}"')

    [link] = diagnosed(vpngw, table)["links"]

    assert "at 2026-11-28 22:01:00 UTC" in link["steps"][0]["text"]
