"""The SARIF log: what code scanners read from it, and that it is put together as SARIF 2.1.0 wants it."""

from __future__ import annotations

from typing import Any

import pytest

from vpngw_iac.errors import Finding
from vpngw_iac.preflight import rules
from vpngw_iac.preflight.external_rules import EXTERNAL_RULES
from vpngw_iac.report.findings.sarif import sarif

SMALL = Finding(
    "R-SUBNET-02",
    "error",
    "VpnGateway/vgw-hub",
    "GatewaySubnet is too small",
    "GatewaySubnet is 10.1.255.0/28.",
    "Widen it.",
    "SET: https://learn.microsoft.com/azure/vpn-gateway/vpn-gateway-about-vpn-gateway-settings",
    "blueprints/my hub.yaml:7:3",
)
OVERLAP = Finding("R-LNG-06", "error", "VpnConnection/vgw-hub/berlin", "Prefixes overlap", waived="moves in May")
ONE_INSTANCE = Finding(
    "R-AA-03",
    "info",
    "VpnGateway/vgw-hub",
    "Gateway is not active-active",
    see=("PSRule:AZR-000270", "APRL:281a2713-c0e0-3c48-b596-19f590c46671"),
)
TYPE = Finding("T-BOUNDS", "error", "sites[0].links[0].bgp.asn", "A value is out of bounds", location="hub.py")
ALL = (SMALL, OVERLAP, ONE_INSTANCE, TYPE)


def run_of(*findings: Finding, file: str = "hub.py") -> dict[str, Any]:
    log = sarif(findings, file)
    assert log["version"] == "2.1.0"
    [run] = log["runs"]
    return dict(run)


def result_of(finding: Finding, file: str = "hub.py") -> dict[str, Any]:
    [result] = run_of(finding, file=file)["results"]
    return dict(result)


def place_of(location: str, file: str = "hub.py") -> dict[str, Any]:
    found = result_of(Finding("R-LNG-06", "error", "", "summary", location=location), file)["locations"][0]
    return dict(found["physicalLocation"])


def test_a_finding_stands_at_its_line_and_column_with_its_address() -> None:
    [location] = result_of(SMALL)["locations"]

    assert location["physicalLocation"] == {
        "artifactLocation": {"uri": "blueprints/my%20hub.yaml", "uriBaseId": "%SRCROOT%"},
        "region": {"startLine": 7, "startColumn": 3},
    }
    assert location["logicalLocations"] == [{"fullyQualifiedName": "VpnGateway/vgw-hub", "kind": "resource"}]


@pytest.mark.parametrize(
    ("location", "file", "uri", "line"),
    [
        ("", "hub.py", "hub.py", 1),
        ("sites[1]", "hub.json", "hub.json", 1),
        ("", "hub.py:blueprint", "hub.py", 1),
        ("", "./net/hub.yaml", "net/hub.yaml", 1),
        ("net\\hub.yaml:4", "hub.py", "net/hub.yaml", 4),
        ("hub.py:0", "hub.py", "hub.py", 1),
        ("grüße/hub#1.py:12", "hub.py", "gr%C3%BC%C3%9Fe/hub%231.py", 12),
    ],
)
def test_every_finding_has_a_place_that_a_scanner_can_open(location: str, file: str, uri: str, line: int) -> None:
    place = place_of(location, file)

    assert place["artifactLocation"] == {"uri": uri, "uriBaseId": "%SRCROOT%"}
    assert place["region"] == {"startLine": line}


def test_a_file_outside_of_the_checkout_is_named_whole() -> None:
    assert place_of("/srv/net/my hub.py:3")["artifactLocation"] == {"uri": "file:///srv/net/my%20hub.py"}


def test_levels_are_those_of_sarif() -> None:
    levels = {result["ruleId"]: result["level"] for result in run_of(*ALL)["results"]}

    assert levels == {"R-SUBNET-02": "error", "R-LNG-06": "error", "R-AA-03": "note", "T-BOUNDS": "error"}


def test_a_waived_finding_is_suppressed_with_its_reason_and_no_other_is() -> None:
    suppressed = {r["ruleId"]: r["suppressions"] for r in run_of(*ALL)["results"] if "suppressions" in r}

    assert suppressed == {"R-LNG-06": [{"kind": "inSource", "status": "accepted", "justification": "moves in May"}]}


def test_results_point_to_their_rules_and_each_rule_is_listed_once() -> None:
    run = run_of(*ALL, Finding("R-SUBNET-02", "error", "VpnGateway/other", "GatewaySubnet is too small"))
    listed = run["tool"]["driver"]["rules"]

    assert [listed[result["ruleIndex"]]["id"] for result in run["results"]] == [r["ruleId"] for r in run["results"]]
    assert len({rule["id"] for rule in listed}) == len(listed) == 4


def test_a_rule_brings_its_page_its_help_and_its_own_level() -> None:
    demoted = Finding("R-SUBNET-02", "info", "VpnGateway/vgw-hub", "GatewaySubnet is too small")

    [rule] = run_of(demoted)["tool"]["driver"]["rules"]

    assert rule["helpUri"].startswith("https://learn.microsoft.com/azure/vpn-gateway/")
    assert rule["defaultConfiguration"] == {"level": "error"}
    assert "Widen it to /27" in rule["help"]["text"]
    assert 'waive={"R-SUBNET-02"' in rule["help"]["markdown"]
    assert rule["properties"]["problem.severity"] == "error"


def test_a_type_error_is_a_result_without_a_page() -> None:
    [rule] = run_of(TYPE)["tool"]["driver"]["rules"]

    assert rule["id"] == "T-BOUNDS"
    assert "helpUri" not in rule
    assert "Write one within the bounds." in rule["help"]["text"]


def test_rules_of_other_tools_are_taxonomies_that_rules_refer_to() -> None:
    run = run_of(*ALL)
    [rule] = [rule for rule in run["tool"]["driver"]["rules"] if rule["id"] == "R-AA-03"]
    names = [taxonomy["name"] for taxonomy in run["taxonomies"]]

    targets = [relation["target"] for relation in rule["relationships"]]

    named = [(target["toolComponent"]["name"], target["id"]) for target in targets]
    assert [names[target["toolComponent"]["index"]] for target in targets] == [name for name, _ in named]
    assert set(named) == {(t["name"], taxon["id"]) for t in run["taxonomies"] for taxon in t["taxa"]}
    assert [t["name"] for t in run["tool"]["driver"]["supportedTaxonomies"]] == names
    assert set(ONE_INSTANCE.see) <= set(rule["properties"]["tags"])


def test_a_log_without_twins_has_no_taxonomies() -> None:
    run = run_of(TYPE)

    assert "taxonomies" not in run
    assert "supportedTaxonomies" not in run["tool"]["driver"]


def test_the_same_finding_is_recognised_tomorrow_and_two_at_one_place_differ() -> None:
    two = [Finding("R-LNG-06", "error", "VpnConnection/vgw-hub/berlin", "s", detail) for detail in ("a", "b")]

    moved = result_of(Finding("R-LNG-06", "warning", "VpnConnection/vgw-hub/berlin", "s", "a", location="hub.py:99"))
    both = [result["partialFingerprints"]["vpngw/v1"] for result in run_of(*two)["results"]]

    assert both == ["R-LNG-06:VpnConnection/vgw-hub/berlin", "R-LNG-06:VpnConnection/vgw-hub/berlin:2"]
    assert moved["partialFingerprints"]["vpngw/v1"] == both[0]


def test_two_blueprint_files_do_not_close_the_alerts_of_each_other() -> None:
    ids = [run_of(SMALL, file=file)["automationDetails"]["id"] for file in ("hub.py", "net/spoke.yaml:two")]

    assert ids == ["vpngw/hub.py/", "vpngw/net/spoke.yaml/"]


def test_every_rule_can_be_told_with_links_that_are_links() -> None:
    findings = [Finding(rule.id, "error", "", rule.title, see=rule.see) for rule in rules()]

    listed = run_of(*findings)["tool"]["driver"]["rules"]

    assert len(listed) == len(findings)
    assert all(rule["shortDescription"]["text"] and rule["fullDescription"]["text"] for rule in listed)
    assert all(rule.get("helpUri", "https://").startswith("https://") for rule in listed)
    assert all(len(rule["properties"]["tags"]) <= 20 for rule in listed)
    assert all(twin.page.startswith("https://") and " " not in twin.page for twin in EXTERNAL_RULES.values())


def test_no_finding_is_a_valid_log_too() -> None:
    run = run_of()

    assert run["results"] == []
    assert run["tool"]["driver"]["rules"] == []
    assert run["invocations"] == [{"executionSuccessful": True}]
