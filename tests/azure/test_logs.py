"""Logs through the real client: every way in which they cannot be read is a value with the reason."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import pytest

from vpngw_iac.arm import ArmId
from vpngw_iac.azure import CloudClient
from vpngw_iac.masks import Masks
from vpngw_iac.verify.gateway_log import QUERY, GatewayLog, LogUnread

GATEWAY = ArmId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworkGateways/vgw")
MISMATCH = "Remote 203.0.113.10:500: Local 198.51.100.4:500: [SEND][NOTIFY] Sending Notify Message - Policy Mismatch"
COLUMNS = ["TimeGenerated", "Category", "OperationName", "Instance", "Peer", "Message"]
IKE = ["2026-01-01T02:00:01.5Z", "IKEDiagnosticLog", "IKELogEvent", "IN_0", "", MISMATCH]
WENT = ["2026-01-01T02:00:00Z", "TunnelDiagnosticLog", "TunnelDisconnected", "IN_0", "203.0.113.10", ""]
MOVED = ["2026-01-01T01:59:59Z", "GatewayDiagnosticLog", "HostMaintenanceEvent", "IN_0", "", ""]


def table(*rows: list[str]) -> dict[str, Any]:
    columns = [{"name": name, "type": "datetime" if name == "TimeGenerated" else "string"} for name in COLUMNS]
    return {"tables": [{"name": "PrimaryResult", "columns": columns, "rows": list(rows)}]}


class Service:
    """What stands in for the network: one answer, and what was asked."""

    def __init__(self, status: int, body: Any) -> None:
        self.status, self.body, self.asked = status, body, list[tuple[str, str, Any]]()

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.asked.append((method, url, json.loads(body or b"{}")))
        content = self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
        return self.status, {"Content-Type": "application/json"}, content


def read(service: Service, cloud: str = "public", masks: Masks | None = None) -> GatewayLog | LogUnread:
    return CloudClient(cloud, transport=service).logs(masks=masks).of(GATEWAY, timedelta(hours=1))


def test_the_gateway_s_own_id_is_asked_and_no_workspace() -> None:
    service = Service(200, table(IKE, WENT, MOVED))

    log = read(service)

    ((method, url, body),) = service.asked
    assert (method, url) == ("POST", f"https://api.loganalytics.io/v1/{str(GATEWAY).lstrip('/')}/query")
    assert body["query"] == QUERY
    assert isinstance(log, GatewayLog)
    assert [line.remote for line in log.lines] == ["203.0.113.10"]
    assert [event.connected for event in log.events] == [False]
    assert len(log.maintenance) == 1
    assert log.newest is not None
    assert (log.newest.second, log.is_cut) == (1, False)


@pytest.mark.parametrize(
    ("cloud", "host"), [("usgovernment", "api.loganalytics.us"), ("china", "api.loganalytics.azure.cn")]
)
def test_other_clouds_answer_elsewhere(cloud: str, host: str) -> None:
    service = Service(200, table())

    assert read(service, cloud) == GatewayLog()
    assert service.asked[0][1].startswith(f"https://{host}/v1/")


def test_a_part_of_the_rows_is_known_to_be_a_part() -> None:
    log = read(Service(200, {**table(IKE), "error": {"code": "PartialError", "message": "too much"}}))

    assert isinstance(log, GatewayLog)
    assert log.is_cut


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (403, {"error": {"code": "InsufficientAccessError", "message": "no"}}, "may not read the logs"),
        (400, {"error": {"code": "BadArgumentError", "message": "bad"}}, "refused the query (HTTP 400)"),
        (200, b"<html>sign in</html>", "did not answer as it should"),
        (200, {}, "without a table"),
        (200, {"tables": []}, "without a table"),
    ],
    ids=["forbidden", "refused", "html", "empty", "no table"],
)
def test_what_cannot_be_read_says_why(status: int, body: Any, says: str) -> None:
    log = read(Service(status, body))

    assert isinstance(log, LogUnread)
    assert says in log.reason


def test_where_no_row_ever_arrived_there_is_no_table_either() -> None:
    said = "Failed to resolve table or column expression named 'AzureDiagnostics'"

    assert read(Service(400, {"error": {"code": "BadArgumentError", "message": said}})) == GatewayLog()


def test_no_secret_is_repeated_from_what_the_service_says() -> None:
    service = Service(400, {"error": {"code": "Bad", "message": "canaryMark0001 is wrong"}})

    log = read(service, masks=Masks(["canaryMark0001"]))

    assert isinstance(log, LogUnread)
    assert "canaryMark" not in log.reason


@pytest.mark.parametrize(
    "body",
    [
        None, [], [[1]], 3, "text", {}, {"tables": None}, {"tables": {}}, {"tables": [None]}, {"tables": [[]]},
        {"tables": [{}]}, {"tables": [{"name": "x", "columns": None, "rows": []}]},
        {"tables": [{"name": "x", "columns": [None], "rows": []}]},
        {"tables": [{"name": "x", "columns": [{}], "rows": [None, 1, "abc", {}]}]},
        {"tables": [{"name": "x", "columns": [{"name": "x", "type": "datetime"}], "rows": [["soon"], [7]]}]},
        {"tables": [{"name": "x", "columns": [{"name": 5, "type": 5}], "rows": [[1]]}]},
        {"error": None, "tables": []}, {"error": "text", "tables": [{}]}, {"statistics": 3},
    ],
)  # fmt: skip
def test_an_answer_of_any_shape_is_a_log_or_says_why_there_is_none(body: Any) -> None:
    assert isinstance(read(Service(200, body)), GatewayLog | LogUnread)
