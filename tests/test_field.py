"""Constrained types normalise what is meant and refuse what is not, under the id of their rule."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vpngw_iac.field import (
    Asn,
    Cidr,
    DnsLabel,
    Fqdn,
    GroupName,
    Guid,
    IpAddress,
    Ipv4,
    PortRange,
    Region,
    rule_error,
)

GUID = "0a1b2c3d-0000-1111-2222-333344445555"


def read(kind: Any, value: Any) -> Any:
    return TypeAdapter(kind).validate_python(value)


def problem(kind: Any, value: Any) -> Any:
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return caught.value.errors()[0]


@pytest.mark.parametrize(
    ("kind", "given_value", "meant"),
    [
        (Cidr, "10.1.0.0/16", "10.1.0.0/16"),
        (Cidr, "0.0.0.0/0", "0.0.0.0/0"),
        (Cidr, "FD00:0::/64", "fd00::/64"),
        (Cidr, "10.1.0.0/255.255.0.0", "10.1.0.0/16"),
        (Ipv4, "203.0.113.10", "203.0.113.10"),
        (IpAddress, "FD00:0::1", "fd00::1"),
        (Asn, 65010, 65010),
        (Asn, 65515, 65515),
        (Asn, 4_200_000_000, 4_200_000_000),
        (Region, "West Europe", "westeurope"),
        (Fqdn, "VPN.Example.com.", "vpn.example.com"),
        (Guid, "{" + GUID.upper() + "}", GUID),
        (PortRange, "1024-2047", "1024-2047"),
        (PortRange, "1-65535", "1-65535"),
        (PortRange, "443", "443"),
        (DnsLabel, "hub-vpn", "hub-vpn"),
        (DnsLabel, "a" * 63, "a" * 63),
        (DnsLabel, "a1b", "a1b"),
        (GroupName, "rg-hub (west)".replace(" ", ""), "rg-hub(west)"),
    ],
)
def test_what_is_meant_is_understood(kind: Any, given_value: Any, meant: Any) -> None:
    assert meant == read(kind, given_value)


@pytest.mark.parametrize(
    ("kind", "value", "rule", "says"),
    [
        (Cidr, "10.1.0.0", "T-CIDR", "Write 10.1.0.0/32"),
        (Cidr, "10.1.0.5/16", "T-CIDR", "Did you mean 10.1.0.0/16?"),
        (Cidr, "10.1.0.0/33", "T-CIDR", "not an address prefix"),
        (Cidr, "everywhere", "T-CIDR", "not an address prefix"),
        (Cidr, "{10.1.0.0}/16", "T-CIDR", "'{10.1.0.0}/16' is not"),
        (Ipv4, "fd00::1", "T-IPV4", "not an IPv4 address"),
        (Ipv4, "203.0.113.256", "T-IPV4", "not an IPv4 address"),
        (IpAddress, "203.0.113", "T-IP", "not an IP address"),
        (PortRange, "70000-80000", "R-NAT-18", "1 to 65535"),
        (PortRange, "1024-65536", "R-NAT-18", "1 to 65535"),
        (PortRange, "300-100", "R-NAT-18", "the lower one first"),
        (PortRange, "0-100", "R-NAT-18", "'0-100' is not a range of ports"),
        (PortRange, "100-", "R-NAT-18", "Write 1024-2047"),
        (PortRange, "100-200-300", "R-NAT-18", "Write 1024-2047"),
        (PortRange, "ssh", "R-NAT-18", "Write 1024-2047"),
        (PortRange, "", "R-NAT-18", "Write 1024-2047"),
        (DnsLabel, "Hub-VPN", "R-PIP-24", "Did you mean 'hub-vpn'?"),
        (DnsLabel, "1abc", "R-PIP-24", "Did you mean 'abc'?"),
        (DnsLabel, "ab_c", "R-PIP-24", "Did you mean 'ab-c'?"),
        (DnsLabel, "hub-", "R-PIP-24", "Did you mean 'hub'?"),
        (DnsLabel, "ab", "R-PIP-24", "3 to 63"),
        (DnsLabel, "a" * 64, "R-PIP-24", "3 to 63"),
        (DnsLabel, "hub\n", "R-PIP-24", "not a DNS label"),
        (Fqdn, "berlin", "T-FQDN", "vpn.example.com"),
        (Fqdn, "-berlin.example.com", "T-FQDN", "fully qualified"),
        (Fqdn, ".".join(["a" * 60] * 5), "T-FQDN", "fully qualified"),
    ],
)
def test_what_is_wrong_is_named_with_its_rule_and_the_way_out(kind: Any, value: Any, rule: str, says: str) -> None:
    found = problem(kind, value)

    assert rule == found["type"]
    assert says in found["msg"]


@pytest.mark.parametrize("number", [23456, 64496, 64511, 65535, 65551, 4_294_967_295])
def test_numbers_that_iana_reserves_are_refused(number: int) -> None:
    assert problem(Asn, number)["type"] == "R-BGP-03"


@pytest.mark.parametrize("number", [23455, 23457, 64495, 64512, 65534, 65552, 4_294_967_294])
def test_numbers_just_outside_the_reserved_ones_are_taken(number: int) -> None:
    assert number == read(Asn, number)


@pytest.mark.parametrize("number", [0, -1, 4_294_967_296])
def test_a_number_of_more_than_32_bits_or_none_is_refused(number: int) -> None:
    with pytest.raises(ValidationError):
        read(Asn, number)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (GroupName, "rg."),
        (GroupName, "r" * 91),
        (Guid, "41b23e61"),
        (Region, "west-europe"),
    ],
)
def test_names_that_azure_would_refuse_are_refused(kind: Any, value: str) -> None:
    with pytest.raises(ValidationError):
        read(kind, value)


@given(st.ip_addresses(v=4), st.integers(0, 32))
def test_a_prefix_without_host_bits_is_its_own_canonical_form(address: Any, length: int) -> None:
    import ipaddress

    network = ipaddress.ip_network(f"{address}/{length}", strict=False)

    assert str(network) == read(Cidr, str(network)) == read(Cidr, read(Cidr, str(network)))


@given(st.text(max_size=30))
def test_any_text_is_understood_or_refused_under_a_rule(text: str) -> None:
    for kind in (Cidr, Ipv4, IpAddress, Fqdn):
        rules = _rules_against(kind, text)
        assert all(rule.startswith("T-") for rule in rules)


def test_braces_in_a_message_are_braces() -> None:
    assert rule_error("T-X", "{hub} is wrong").message() == "{hub} is wrong"


def _rules_against(kind: Any, value: str) -> list[str]:
    try:
        read(kind, value)
    except ValidationError as error:
        return [found["type"] for found in error.errors()]
    return []
