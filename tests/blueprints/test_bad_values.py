"""Wrong values in a file: each is told with its place and what to write, and never shown back."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
import yaml

from vpngw_iac.blueprints.load import load
from vpngw_iac.errors import BlueprintError, ExitCode

GOOD: dict[str, Any] = {
    "kind": "SiteToSite",
    "name": "case",
    "gateway": {
        "name": "vgw",
        "sku": "VpnGw2AZ",
        "network": {
            "name": "vnet",
            "location": "westeurope",
            "resource_group": "rg",
            "address_space": ["10.1.0.0/16"],
            "gateway_subnet": "10.1.255.0/27",
        },
    },
    "sites": [
        {"name": "berlin", "public_ip": "203.0.113.10", "prefixes": ["192.168.1.0/24"], "shared_key": {"env": "PSK"}}
    ],
}

REMOVED = object()

BAD: dict[str, tuple[str, Any, str, str, str]] = {
    "an unknown field with a close one": (
        "gateway.skuu",
        "VpnGw2AZ",
        "gateway.skuu",
        "T-FIELD",
        "Did you mean 'sku'?",
    ),
    "an unknown field without a close one": (
        "sites[0].zzz",
        1,
        "sites[0].zzz",
        "T-FIELD",
        "It has: access, backup_of,",
    ),
    "a misspelt field of one of two alternatives": (
        "gateway.network",
        {"nam": "v", "location": "westeurope", "address_space": "10.1.0.0/16", "name": "v"},
        "gateway.network.nam",
        "T-FIELD",
        "VirtualNetwork has no field 'nam'. Did you mean 'name'?",
    ),
    "a misspelt SKU": ("gateway.sku", "VpnGw2ZA", "gateway.sku", "T-SKU", "Did you mean 'VpnGw2AZ'?"),
    "a SKU of another family": ("gateway.sku", "ErGw1AZ", "gateway.sku", "T-SKU", "is not a VPN gateway SKU"),
    "a missing field": ("gateway.sku", REMOVED, "gateway.sku", "T-MISSING", "sku is required."),
    "a wrong type": ("sites", "berlin", "sites", "T-TYPE", "Expected a list, got a text."),
    "a text for a truth value": (
        "gateway.active_active",
        "perhaps",
        "gateway.active_active",
        "T-TYPE",
        "true or false",
    ),
    "a literal secret": (
        "sites[0].shared_key",
        "hunter2hunter2",
        "sites[0].shared_key",
        "T-SECRET",
        "Write {env: NAME}",
    ),
    "a number as a secret": ("sites[0].shared_key", 12345678, "sites[0].shared_key", "T-SECRET", "Write {env: NAME}"),
    "a secret in an unknown form": (
        "sites[0].shared_key",
        {"value": "hunter2hunter2"},
        "sites[0].shared_key",
        "T-SECRET",
        "{env: NAME}",
    ),
    "a literal in place of a variable's name": (
        "sites[0].shared_key",
        {"env": "hunter2 hunter2"},
        "sites[0].shared_key.name",
        "T-TYPE",
        "never the secret",
    ),
    "a prefix with host bits": (
        "sites[0].prefixes",
        ["192.168.1.5/24"],
        "sites[0].prefixes[0]",
        "T-CIDR",
        "Did you mean 192.168.1.0/24?",
    ),
    "APIPA addresses for an instance that is not there": (
        "gateway.bgp",
        {"apipa": ["169.254.21.2", "169.254.22.2"]},
        "gateway",
        "R-BGP-08",
        "the gateway has one",
    ),
    "an APIPA address that is none": (
        "gateway.bgp",
        {"apipa": [["169.254.21.2", "berlin"]]},
        "gateway.bgp.apipa[0][1]",
        "T-IP",
        "is not an IP address",
    ),
    "a reserved AS number": (
        "sites[0].bgp",
        {"asn": 65535, "address": "192.168.1.1"},
        "sites[0].bgp.asn",
        "R-BGP-03",
        "reserved by IANA",
    ),
    "a choice that does not exist": (
        "sites[0].protocol",
        "IKEv3",
        "sites[0].protocol",
        "T-CHOICE",
        "Did you mean 'IKEv",
    ),
    "a number out of bounds": ("sites[0].dpd", 5, "sites[0].dpd", "T-BOUNDS", "smallest allowed number is 9"),
    "neither address nor name": ("sites[0].public_ip", REMOVED, "sites[0]", "R-LNG-01", "exactly one of public_ip"),
    "no key": ("sites[0].shared_key", REMOVED, "sites[0]", "R-PSK-04", "needs exactly one of shared_key"),
    "an unknown network by name": ("gateway.network", "vnet-x", "gateway.network", "T-NAMED", "'networks:'"),
    "an id of another type": (
        "gateway.network",
        {"existing": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/publicIPAddresses/p"},
        "gateway.network.existing",
        "T-ID",
        "Expected the id of a Microsoft.Network/virtualNetworks",
    ),
    "an id that is none": (
        "gateway.network",
        {"existing": "vnet-old"},
        "gateway.network.existing",
        "T-TYPE",
        "is not an ARM id",
    ),
    "an unknown field of an existing network": (
        "gateway.network",
        {"existing": "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v", "sku": 1},
        "gateway.network.sku",
        "T-FIELD",
        "ExistingVirtualNetwork has no field 'sku'.",
    ),
    "a name that Azure refuses": ("sites[0].name", "ber lin", "sites[0].name", "T-NAME", "letters, digits"),
    "a region that is none": (
        "gateway.network.location",
        "west-europe!",
        "gateway.network.location",
        "T-TYPE",
        "region",
    ),
    "links and an address": (
        "sites[0].links",
        [{"name": "a", "public_ip": "203.0.113.1"}],
        "sites[0]",
        "T-SITE",
        "either links or an address",
    ),
    "a misspelt kind": ("kind", "SiteToSit", "", "T-KIND", "Did you mean 'SiteToSite'?"),
    "a subnet over the GatewaySubnet": (
        "gateway.network.subnets",
        {"workload": "10.1.255.0/24"},
        "gateway.network",
        "T-SUBNET",
        "overlaps gateway_subnet 10.1.255.0/27",
    ),
    "GatewaySubnet among the subnets": (
        "gateway.network.subnets",
        {"GatewaySubnet": "10.1.255.0/27"},
        "gateway.network.subnets",
        "T-SUBNET",
        "gateway_subnet: 10.1.255.0/27",
    ),
}


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    result = copy.deepcopy(document)
    *steps, last = path.replace("[", ".[").split(".")
    target: Any = result
    for step in steps:
        target = target[int(step[1:-1])] if step.startswith("[") else target[step]
    if value is REMOVED:
        del target[last]
    else:
        target[last] = value
    return result


def refused(tmp_path: Path, document: object) -> BlueprintError:
    file = tmp_path / "case.yaml"
    file.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    with pytest.raises(BlueprintError) as caught:
        load(file)
    return caught.value


@pytest.mark.parametrize("name", BAD)
def test_a_wrong_value_is_told_with_its_place_and_what_to_write(name: str, tmp_path: Path) -> None:
    path, value, where, rule, words = BAD[name]

    error = refused(tmp_path, changed(GOOD, path, value))

    assert error.exit_code == ExitCode.REFUSED
    assert [(where, rule)] == [(finding.address, finding.rule) for finding in error.findings]
    finding = error.findings[0]
    assert words in f"{finding.detail} {finding.advice}"
    assert f"{tmp_path / 'case.yaml'}:" in finding.location
    assert "hunter2" not in f"{error} {error.findings!r} {error.__cause__!r}"


def test_every_problem_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    document = changed(changed(changed(GOOD, "gateway.skuu", 1), "gateway.sku", "VpnGw9"), "sites[0].dpd", 1)

    error = refused(tmp_path, document)

    assert [finding.address for finding in error.findings] == ["gateway.sku", "gateway.skuu", "sites[0].dpd"]


def test_the_line_of_a_wrong_value_is_named(tmp_path: Path) -> None:
    text = yaml.safe_dump(changed(GOOD, "sites[0].dpd", 1), sort_keys=False)
    line = text[: text.index("dpd")].count("\n") + 1

    error = refused(tmp_path, changed(GOOD, "sites[0].dpd", 1))

    assert f"{tmp_path / 'case.yaml'}:{line}" == error.findings[0].location


def test_a_name_that_stands_in_two_sections_is_located_in_the_one_that_is_meant(tmp_path: Path) -> None:
    text = """kind: SiteToSite
name: hub
networks:
  hub: {name: vnet, location: westeurope, resource_group: rg, address_space: 10.1.0.0/16, gateway_subnet: 10.1.0.0/27}
gateways:
  hub:
    name: vgw
    network: hub
    sku: VpnGw9
gateway: hub
sites: []
"""
    file = tmp_path / "case.yaml"
    file.write_text(text)

    with pytest.raises(BlueprintError) as refused:
        load(file)

    assert [finding.location for finding in refused.value.findings] == [f"{file}:9"]


def test_a_misspelt_field_that_must_be_given_is_one_finding(tmp_path: Path) -> None:
    file = tmp_path / "case.yaml"
    file.write_text("kind: SiteToSite\nname: hub\ngatway: {}\n")

    with pytest.raises(BlueprintError) as refused:
        load(file)

    assert [finding.rule for finding in refused.value.findings] == ["T-FIELD"]


def test_a_wrong_named_value_is_located_where_it_is_written(tmp_path: Path) -> None:
    document = changed(GOOD, "gateway.network", "vnet") | {
        "networks": {
            "vnet": {"location": "westeurope", "address_space": ["10.1.0.0/16"], "gatewaysubnet": "10.1.0.0/27"}
        }
    }
    text = yaml.safe_dump(document, sort_keys=False)
    line = text[: text.index("gatewaysubnet")].count("\n") + 1

    error = refused(tmp_path, document)

    assert [f"{tmp_path / 'case.yaml'}:{line}"] == [finding.location for finding in error.findings]
    assert error.findings[0].advice == "Did you mean 'gateway_subnet'?"


P2S: dict[str, Any] = {
    "kind": "PointToSite",
    "name": "case",
    "gateway": GOOD["gateway"],
    "protocols": ["OpenVPN"],
    "address_pool": "172.20.0.0/24",
    "authentication": {"tenant": "11111111-1111-4111-8111-111111111111"},
}
GROUP = {"name": "a", "priority": 1, "address_pool": "172.21.0.0/24", "default": True}


@pytest.mark.parametrize(
    ("path", "value", "where", "rule", "words"),
    [
        ("address_pool", REMOVED, "", "T-P2S", "Clients need addresses"),
        ("authentication", [{"tenant": GROUP["name"]}], "authentication[0].tenant", "T-TYPE", "Expected a GUID"),
        ("authentication", [P2S["authentication"]] * 2, "", "T-P2S", "Each way to sign in is given once"),
        ("authentication", {"ldap": "x"}, "authentication[0]", "T-TYPE", "{tenant: ...}, {roots: ...}, {servers: ...}"),
        ("groups", [GROUP, {**GROUP, "default": False}], "", "R-UG-03", "bear one name"),
        ("groups", [{**GROUP, "default": False}], "", "R-UG-03", "Exactly one user group is the default"),
        ("groups", [{**GROUP, "members": [{"mail": "x"}]}], "groups[0].members[0]", "T-TYPE", "{id: ...}, {name: ...}"),
        ("protocols", "OpenVPM", "protocols[0]", "T-CHOICE", "Did you mean 'OpenVPN'?"),
    ],
)
def test_a_wrong_client_configuration_is_told(
    path: str, value: Any, where: str, rule: str, words: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, changed(P2S, path, value))

    assert [(finding.address, finding.rule) for finding in error.findings] == [(where, rule)]
    assert words in f"{error.findings[0].detail} {error.findings[0].advice}"


CIRCUIT = {
    "name": "erc",
    "location": "westeurope",
    "resource_group": "rg",
    "provider": "Equinix",
    "peering_location": "Frankfurt",
    "bandwidth": 200,
}
PORT = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/expressRoutePorts/p"
COEXISTENCE: dict[str, Any] = {
    "kind": "ExpressRouteCoexistence",
    "name": "case",
    "vpn": GOOD["gateway"],
    "expressroute": {"name": "ergw", "sku": "ErGw1AZ", "network": GOOD["gateway"]["network"]},
    "circuits": [{"name": "one", "circuit": CIRCUIT}],
}


@pytest.mark.parametrize(
    ("path", "value", "where", "rule", "words"),
    [
        ("expressroute.sku", "ErGwScale", "expressroute", "R-SKU-21", "takes scale_units: [2, 10]"),
        ("expressroute.scale_units", 2, "expressroute", "R-SKU-21", "other SKUs take none"),
        (
            "circuits",
            [{"name": "a", "circuit": CIRCUIT}] * 2,
            "circuits",
            "T-CIRCUIT",
            "Two circuit links bear one name",
        ),
        ("circuits[0].private_link_fast_path", True, "circuits[0]", "R-ER-21", "needs fast_path: true"),
        ("circuits[0].circuit.provider", REMOVED, "circuits[0].circuit", "T-CIRCUIT", "or the id of a Direct port"),
        ("circuits[0].circuit.port", PORT, "circuits[0].circuit", "T-CIRCUIT", "or the id of a Direct port"),
        ("circuits[0].circuit.sku", "Gold", "circuits[0].circuit.sku", "T-TYPE", "Standard_MeteredData"),
        (
            "circuits[0].circuit",
            {"name": "e", "location": "x", "port": PORT, "bandwidth": 1500},
            "circuits[0].circuit",
            "T-CIRCUIT",
            "whole Gbps",
        ),
        (
            "circuits[0].circuit.private_peering",
            {
                "asn": 65110,
                "primary": "10.0.0.0/30",
                "secondary": "10.0.0.4/30",
                "vlan": 1,
                "primary_ipv6": "fd00::/126",
            },
            "circuits[0].circuit.private_peering",
            "R-ER-24",
            "together, or neither",
        ),
    ],
)
def test_a_wrong_expressroute_configuration_is_told(
    path: str, value: Any, where: str, rule: str, words: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, changed(COEXISTENCE, path, value))

    assert [(finding.address, finding.rule) for finding in error.findings] == [(where, rule)]
    assert words in f"{error.findings[0].detail} {error.findings[0].advice}"


ALONE: dict[str, Any] = {
    "kind": "ExpressRoute",
    "name": "case",
    "circuits": [CIRCUIT],
    "global_reach": [{"a": CIRCUIT, "b": CIRCUIT | {"name": "other"}, "prefix": "10.0.0.0/29"}],
}


@pytest.mark.parametrize(
    ("path", "value", "where", "rule", "words"),
    [
        ("circuits", [{"name": "fra", "circuit": CIRCUIT}], "", "T-CIRCUIT", "'fra' connects a gateway: give gateway="),
        ("circuits[0].providr", "x", "circuits[0].providr", "T-FIELD", "Did you mean 'provider'?"),
        (
            "circuits",
            [{"name": "fra", "circiut": CIRCUIT}],
            "circuits[0].circiut",
            "T-FIELD",
            "Did you mean 'circuit'?",
        ),
        ("global_reach[0].b", CIRCUIT, "global_reach[0]", "T-REACH", "two different circuits"),
        ("global_reach[0].prefix", "10.0.0.0/30", "global_reach[0]", "T-REACH", "a /29 of IPv4"),
        ("global_reach[0].prefix_ipv6", "fd00::/126", "global_reach[0]", "T-REACH", "a /125 of IPv6"),
    ],
)
def test_wrong_circuits_without_a_gateway_are_told(
    path: str, value: Any, where: str, rule: str, words: str, tmp_path: Path
) -> None:
    first = refused(tmp_path, changed(ALONE, path, value)).findings[0]

    assert (first.address, first.rule) == (where, rule)
    assert words in f"{first.detail} {first.advice}"


PAIRS: dict[str, Any] = {
    "kind": "VnetToVnet",
    "name": "case",
    "pairs": [{"a": GOOD["gateway"], "b": {**GOOD["gateway"], "name": "vgw2"}, "shared_key": {"env": "PSK"}}],
}


@pytest.mark.parametrize(
    ("path", "value", "where", "rule", "words"),
    [
        ("pairs[0].b", GOOD["gateway"], "pairs[0]", "T-PAIR", "two different gateways"),
        ("pairs[0].shared_key", REMOVED, "pairs[0].shared_key", "T-MISSING", "shared_key is required"),
        ("pairs[0].nat", [], "pairs[0].nat", "T-FIELD", "Pair has no field 'nat'"),
    ],
)
def test_a_wrong_pair_is_told(path: str, value: Any, where: str, rule: str, words: str, tmp_path: Path) -> None:
    error = refused(tmp_path, changed(PAIRS, path, value))

    assert [(finding.address, finding.rule) for finding in error.findings] == [(where, rule)]
    assert words in f"{error.findings[0].detail} {error.findings[0].advice}"


def test_spokes_of_several_hubs_ask_which_one(tmp_path: Path) -> None:
    second = {"a": {**GOOD["gateway"], "name": "vgw3"}, "b": PAIRS["pairs"][0]["a"], "shared_key": {"env": "PSK"}}
    spoke = {"network": {**GOOD["gateway"]["network"], "name": "s"}}

    error = refused(tmp_path, {**PAIRS, "pairs": [*PAIRS["pairs"], second], "spokes": [spoke]})

    assert [finding.rule for finding in error.findings] == ["T-HUB"]


def test_an_unknown_kind_inside_a_topology_is_told_in_its_place(tmp_path: Path) -> None:
    error = refused(tmp_path, {"kind": "Topology", "name": "t", "blueprints": [{**GOOD, "kind": "SiteToSit"}]})

    assert [(finding.address, finding.rule) for finding in error.findings] == [("blueprints[0]", "T-KIND")]
    assert "Did you mean 'SiteToSite'?" in error.findings[0].detail


def test_a_wrong_value_deep_inside_a_topology_is_told_in_its_place(tmp_path: Path) -> None:
    error = refused(tmp_path, {"kind": "Topology", "name": "t", "blueprints": [changed(GOOD, "sites[0].dpd", 1)]})

    assert [finding.address for finding in error.findings] == ["blueprints[0].sites[0].dpd"]


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("sitess", "Blueprint 'case': Blueprint has no field 'sitess'. Did you mean 'sites'?"),
        ("address_pool", "Blueprint 'case': This kind has no field 'address_pool'. It is one of PointToSite."),
    ],
)
def test_an_unknown_field_of_a_kind_inside_a_topology_is_told_with_the_fields_of_all_kinds(
    field: str, words: str, tmp_path: Path
) -> None:
    error = refused(tmp_path, {"kind": "Topology", "name": "t", "blueprints": [{**GOOD, field: []}]})

    assert [(finding.address, finding.rule) for finding in error.findings] == [(f"blueprints[0].{field}", "T-FIELD")]
    assert f"{error.findings[0].detail} {error.findings[0].advice}" == words
