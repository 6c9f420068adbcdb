"""How drift, outcomes, inventories, logs, findings, rules, secrets and errors are told."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from tests.report import golden
from tests.report.worlds import CONNECTION, GATEWAY, GROUP, PUBLIC_IP, SUBSCRIPTION, creation, hub, rid, schedule_of
from vpngw_iac.arm import ArmId
from vpngw_iac.engine.execute.event import OperationResult, Outcome
from vpngw_iac.engine.plan.change import Difference, DriftItem
from vpngw_iac.engine.plan.result import Drift, Inventory, InventoryItem, SecretCheck
from vpngw_iac.errors import (
    AzureIds,
    AzureRefused,
    BlueprintError,
    ExitCode,
    Finding,
    Forbidden,
    Refused,
    StateLocked,
    VpngwError,
)
from vpngw_iac.preflight.registry import Rule, Violation
from vpngw_iac.preflight.view.topology import TopologyView
from vpngw_iac.report import json as documents
from vpngw_iac.report import json_documents
from vpngw_iac.report.findings.sarif import sarif
from vpngw_iac.report.markdown import drift_markdown
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.errors import error_text
from vpngw_iac.report.text.findings import findings_text
from vpngw_iac.report.text.inspection import documents_text, drift_text, entries_text, history_text, secrets_text
from vpngw_iac.report.text.inventory import inventory_text
from vpngw_iac.report.text.outcome import outcome_text
from vpngw_iac.report.text.rules import rules_text
from vpngw_iac.report.text.schedule import schedule_text
from vpngw_iac.state.log import LoggedOperation, LoggedRun
from vpngw_iac.state.model import Binding, Entry, State

PLAIN = Style()
IDS = AzureIds("c0ffee00-0000-0000-0000-000000000001", "request-1", "operation-1", "2026-01-01T00:20:00Z")
FINDINGS = (
    Finding(
        "R-SUBNET-02",
        "error",
        "Subnet/vnet-hub/GatewaySubnet",
        "Gateway subnet too small",
        "GatewaySubnet is 10.1.255.0/29. A coexisting ExpressRoute gateway needs /27 or larger.",
        "Widen it to 10.1.255.0/27.",
        "https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings",
        "blueprints/my hub.yaml:7",
        see=("PSRule:AZR-000272",),
    ),
    Finding(
        "R-LNG-06",
        "warning",
        "LocalNetworkGateway/vgw-hub/berlin",
        "Prefix overlaps",
        "192.168.10.0/24.",
        waived="moves in May",
    ),
    Finding("R-AA-03", "info", "VpnGateway/vgw-hub", "Gateway is not active-active", "One instance is active."),
)


def drift() -> Drift:
    gateway = "VpnGateway/vgw-hub"
    return Drift(
        "contoso-hub",
        (
            DriftItem(
                "LocalNetworkGateway/vgw-hub/berlin",
                str(rid("Microsoft.Network/localNetworkGateways", "lgw-berlin")),
                "changed",
                "availability",
                differences=(
                    Difference("properties.gatewayIpAddress", "drift", "203.0.113.10", "203.0.113.10", "203.0.113.99"),
                ),
            ),
            DriftItem(
                gateway,
                str(rid(CONNECTION, "con-evil")),
                "unmanaged",
                "security",
                None,
                (),
                "The connection con-evil hangs on it and is not ours.",
            ),
            DriftItem(
                "VpnConnection/vgw-hub/munich",
                str(rid(CONNECTION, "con-munich")),
                "missing",
                "availability",
                None,
                (),
                "It was applied and is absent in Azure.",
            ),
            DriftItem(
                gateway,
                str(rid(CONNECTION, "con-known")),
                "unmanaged",
                "cosmetic",
                "lab",
                (),
                "The connection con-known hangs on it; it belongs to the deployment lab.",
            ),
        ),
        unread=("VpnConnection/vgw-hub/berlin: properties.sharedKey",),
        findings=(FINDINGS[1],),
        unverified=("VpnConnection/hub/berlin: properties.sharedKey", "VpnConnection/hub/munich: properties.sharedKey"),
    )


def result(address: str, status: str, **more: object) -> OperationResult:
    return OperationResult(address, "put", "put", status, **more)  # type: ignore[arg-type]


def outcomes() -> dict[str, Outcome]:
    gateway, berlin = "VpnGateway/vgw-hub", "VpnConnection/vgw-hub/berlin"
    failed = result(
        gateway,
        "failed",
        seconds=1320.0,
        code="InternalServerError",
        error=f"put {rid(GATEWAY, 'vgw-hub')}: InternalServerError: An error occurred.",
        advice="Apply again: the gateway is repaired in place.",
        ids=IDS,
    )
    done = result("ResourceGroup/rg-hub", "succeeded", seconds=2.0, ids=IDS)
    skipped = result(berlin, "skipped", because=gateway)
    correlation = IDS.correlation
    return {
        "succeeded": Outcome("apply", "contoso-hub", "succeeded", (done,), correlation, 1900.0),
        "failed": Outcome(
            "apply", "contoso-hub", "failed", (done, failed, skipped), correlation, 1400.0, ExitCode.ERROR
        ),
        "running": Outcome(
            "wait",
            "contoso-hub",
            "running",
            (result(gateway, "running", seconds=700.0), result(berlin, "not-started")),
            correlation,
            700.0,
            ExitCode.RUNNING,
            changes_left=3,
        ),
        "waiting": Outcome(
            "apply",
            "contoso-hub",
            "waiting",
            (done, result("Circuit/er-1", "waiting", error="Hand the circuit's service key to the provider.")),
            correlation,
            90.0,
            ExitCode.RUNNING,
        ),
        "interrupted": Outcome(
            "destroy",
            "contoso-hub",
            "interrupted",
            (result(gateway, "running", seconds=61.0),),
            correlation,
            61.0,
            ExitCode.INTERRUPTED,
        ),
        "nothing": Outcome("apply", "contoso-hub", "succeeded", (), correlation, 3.0),
        "declined": Outcome(
            "apply", "contoso-hub", "failed", (), correlation, 3.0, ExitCode.ERROR, notices=("Nothing was done.",)
        ),
    }


def inventory() -> Inventory:
    gateway = rid(GATEWAY, "vgw-hub")
    tunnel = {
        "tunnel": "con-berlin_20.64.0.4",
        "connectionStatus": "Connected",
        "ingressBytesTransferred": 1234567,
        "egressBytesTransferred": 890,
        "lastConnectionEstablishedUtcTime": "01/01/2026 00:00:00",
    }
    return Inventory(
        "contoso-hub",
        (
            InventoryItem(
                "Circuit/er-1",
                rid("Microsoft.Network/expressRouteCircuits", "er-1"),
                "Succeeded",
                {
                    "provider_state": "NotProvisioned",
                    "provider": "Equinix",
                    "service_key": "33333333-3333-3333-3333-333333333333",
                },
            ),
            InventoryItem(
                "PublicIp/pip-vgw-hub-1",
                rid(PUBLIC_IP, "pip-vgw-hub-1"),
                "Succeeded",
                {"ip_address": "20.64.0.4", "zones": ["1", "2"]},
            ),
            InventoryItem("ResourceGroup/rg-hub", ArmId.resource_group_of(SUBSCRIPTION, GROUP), "Succeeded"),
            InventoryItem(
                "VpnConnection/vgw-hub/berlin",
                rid(CONNECTION, "con-berlin"),
                "Succeeded",
                {
                    "status": "Connected",
                    "type": "IPsec",
                    "tunnels": [tunnel],
                    "ingress_bytes": 1234567,
                    "egress_bytes": 890,
                },
            ),
            InventoryItem(
                "VpnConnection/vgw-hub/munich",
                rid(CONNECTION, "con-munich"),
                "Failed",
                {"status": "NotConnected", "type": "IPsec"},
            ),
            InventoryItem(
                "VpnGateway/vgw-hub",
                gateway,
                "Succeeded",
                {
                    "sku": "VpnGw2AZ",
                    "active_active": True,
                    "asn": 65010,
                    "bgp_addresses": [
                        {
                            "ipconfigurationId": f"{gateway}/ipConfigurations/ip0",
                            "defaultBgpIpAddresses": ["10.1.255.4"],
                            "customBgpIpAddresses": ["169.254.21.1"],
                            "tunnelIpAddresses": ["20.64.0.4"],
                        }
                    ],
                },
            ),
        ),
    )


def runs() -> tuple[LoggedRun, ...]:
    operation = LoggedOperation(
        "o1",
        "VpnGateway/vgw-hub",
        "put",
        "put",
        "id",
        "2026-01-01T00:00:00Z",
        "failed",
        "2026-01-01T00:22:00Z",
        1320.0,
        "InternalServerError",
        "An error occurred.",
        "request-1",
        "operation-1",
    )
    return (
        LoggedRun(
            "r1",
            "apply",
            "ada",
            IDS.correlation,
            "0.1.0",
            "2026-01-01T00:00:00.000000Z",
            "2026-01-01T00:23:00Z",
            1380.0,
            "failed",
            1,
            (operation,),
            ("forgotten PublicIp/old",),
        ),
        LoggedRun(
            "r2",
            "apply",
            "grace",
            IDS.correlation,
            "0.1.0",
            "2026-01-02T00:00:00.000000Z",
            url="https://github.com/contoso/network/actions/runs/7",
            approver="ada",
            digest="9" * 64,
            decisions=("create PublicIp/new",),
        ),
    )


def _said(topology: TopologyView) -> tuple[Violation, ...]:
    """Azure refuses smaller ones."""
    return ()


def rules() -> tuple[Rule, ...]:
    return (
        Rule(
            "R-LNG-06", "W", "always", "checked", "Prefix overlaps the network", "LNGI", fix="Correct it.", check=_said
        ),
        Rule(
            "R-SUBNET-02",
            "E",
            "create",
            "checked",
            "Gateway subnet too small",
            "SET, FIELD",
            see=("PSRule:AZR-000272", "APRL:5b1933a6-90e4-f642-a01f-e58594e5aab2"),
            fix="Widen it to /27 or more.",
            live=True,
            check=_said,
        ),
        Rule("R-OPS-09", "F", "change", "unknowable", "Quota is used up", "FAIL", "Only Azure knows the usage."),
        Rule("R-OPS-12", "I", "always", "implied", "Only tags can be patched", "SDK", "A change of tags is a PATCH."),
    )


def state() -> State:
    entries = [
        Entry(address="PublicIp/pip-vgw-hub-1", id=rid(PUBLIC_IP, "pip-vgw-hub-1"), protect=True),
        Entry(
            address="ResourceGroup/rg-hub",
            id=ArmId.resource_group_of(SUBSCRIPTION, GROUP),
            created=False,
            on_removal="forget",
        ),
        Entry(address="VpnGateway/vgw-hub", id=rid(GATEWAY, "vgw-hub")),
    ]
    binding = Binding(cloud="public", endpoint="https://management.azure.com", tenant="t")
    return State(
        deployment="contoso-hub",
        lineage="lineage-1",
        serial=12,
        binding=binding,
        entries={e.address: e for e in entries},
    )


def errors() -> dict[str, VpngwError]:
    return {
        "azure": AzureRefused(
            "The gateway's SKU is not available in this region.",
            status=400,
            code="InvalidGatewaySku",
            ids=IDS,
            address="VpnGateway/vgw-hub",
        ),
        "forbidden": Forbidden(
            "The client 'ada' has no permission for Microsoft.Network/virtualNetworkGateways/write.",
            status=403,
            code="AuthorizationFailed",
        ),
        "locked": StateLocked(
            "The state is locked by grace on runner-1, process 7, `vpngw apply` since 2026-01-01T00:00:00Z."
        ),
        "blueprint": BlueprintError("hub.yaml:7: sku: no such SKU.", findings=FINDINGS[:1], location="hub.yaml:7"),
    }


SECRETS = (
    SecretCheck("VpnConnection/vgw-hub/berlin", "properties.sharedKey", "env:BERLIN_PSK", ok=True),
    SecretCheck(
        "VpnConnection/vgw-hub/munich",
        "properties.sharedKey",
        "key-vault:kv/munich",
        ok=False,
        error="There is no such secret.",
    ),
)

TEXTS: dict[str, Callable[[], str]] = {
    "schedule.txt": lambda: schedule_text("contoso-hub", schedule_of(creation(hub(2))), PLAIN),
    "drift.txt": lambda: drift_text(drift(), PLAIN),
    "drift.md": lambda: drift_markdown(drift()),
    "drift_none.txt": lambda: drift_text(Drift("contoso-hub", ()), PLAIN),
    "drift_none.md": lambda: drift_markdown(Drift("contoso-hub", ())),
    "show.txt": lambda: inventory_text(inventory(), PLAIN),
    "show_nothing.txt": lambda: inventory_text(Inventory("contoso-hub", ()), PLAIN),
    "log.txt": lambda: history_text("contoso-hub", runs(), PLAIN),
    "log_simulated.txt": lambda: history_text("contoso-hub", runs(), PLAIN, speed=120.0),
    "log_nothing.txt": lambda: history_text("contoso-hub", (), PLAIN),
    "findings.txt": lambda: findings_text(FINDINGS, PLAIN, checked="hub.yaml"),
    "findings_none.txt": lambda: findings_text((), PLAIN, checked="hub.yaml"),
    "rules.txt": lambda: rules_text(rules(), PLAIN),
    "rule.txt": lambda: rules_text(rules()[1:2], PLAIN, whole=True),
    "secrets.txt": lambda: secrets_text(SECRETS, PLAIN),
    "state.txt": lambda: entries_text(state(), PLAIN),
    "simulator.txt": lambda: documents_text(
        {str(rid(GATEWAY, "vgw-hub")): {"properties": {"provisioningState": "Updating"}}}
    ),
    **{f"outcome_{name}.txt": lambda one=one: outcome_text(one, PLAIN) for name, one in outcomes().items()},
    **{f"error_{name}.txt": lambda one=one: error_text(one, PLAIN) for name, one in errors().items()},
    "compile.json": lambda: json_documents.dumps(
        documents.compile_document("contoso-hub", schedule_of(creation(hub(1))), hub(1))
    ),
    "drift.json": lambda: json_documents.dumps(documents.drift_document(drift())),
    "show.json": lambda: json_documents.dumps(documents.show_document(inventory())),
    "log.json": lambda: json_documents.dumps(documents.log_document("contoso-hub", runs())),
    "validate.json": lambda: json_documents.dumps(json_documents.validate_document(FINDINGS)),
    "rule.json": lambda: json_documents.dumps(json_documents.rule_document(rules())),
    "secrets.json": lambda: json_documents.dumps(documents.secrets_document("contoso-hub", SECRETS)),
    "outcome_failed.json": lambda: json_documents.dumps(documents.outcome_document(outcomes()["failed"])),
    "error_azure.json": lambda: json_documents.dumps(json_documents.error_document(errors()["azure"])),
    "error_blueprint.json": lambda: json_documents.dumps(json_documents.error_document(errors()["blueprint"])),
    "findings.sarif": lambda: json_documents.dumps(sarif(FINDINGS, "hub.yaml")),
}


@pytest.mark.parametrize("name", TEXTS)
def test_a_report_says_what_was_found_good(name: str) -> None:
    golden.check(name, TEXTS[name]())


@pytest.mark.parametrize("name", [name for name in TEXTS if name.endswith(".json")])
def test_every_document_carries_format_and_kind_first(name: str) -> None:
    document = json.loads(TEXTS[name]())

    assert list(document)[:2] == ["format", "kind"]
    assert document["format"] == 1


CONTRACT = {
    "compile.json": (
        "operations",
        {"step", "wave", "verb", "address", "id", "sdk", "body", "after", "locks", "minutes"},
    ),
    "drift.json": ("drift", {"address", "id", "kind", "severity", "owner", "differences"}),
    "validate.json": ("findings", {"rule", "level", "address", "summary", "detail", "advice", "source", "waived"}),
    "rule.json": ("rules", {"id", "level", "when", "status", "title", "source"}),
    "outcome_failed.json": ("operations", {"address", "verb", "status", "seconds", "error", "ids"}),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_the_keys_that_scripts_rely_on_are_there(name: str) -> None:
    part, keys = CONTRACT[name]

    items = json.loads(TEXTS[name]())[part]

    assert items
    assert all(keys <= set(item) for item in items)


def test_one_failure_is_told_once_and_the_skipped_name_it() -> None:
    text = outcome_text(outcomes()["failed"], PLAIN)

    assert text.count("An error occurred.") == 1
    assert "Skipped, because VpnGateway/vgw-hub failed:" in text
    assert "operation-1" in text


def test_colours_do_not_break_the_columns() -> None:
    import re

    coloured = inventory_text(inventory(), Style(colour=True))

    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == inventory_text(inventory(), PLAIN)


def test_what_refuses_is_not_buried_under_what_is_only_worth_knowing() -> None:
    note = Finding("R-AA-03", "info", "VpnGateway/hub", "Gateway is not active-active")
    refused = Refused("1 finding refuses this apply; nothing was done.", findings=[FINDINGS[0], note])

    told = error_text(refused, PLAIN)

    assert "R-SUBNET-02" in told
    assert "R-AA-03" not in told
