"""Overlaps are found like comparing every pair would, only without comparing every pair."""

from __future__ import annotations

import ipaddress
import time
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from vpngw_iac.preflight import prefixes
from vpngw_iac.preflight.prefixes import Span


def some_prefix() -> st.SearchStrategy[ipaddress.IPv4Network]:
    return st.builds(
        lambda number, length: ipaddress.IPv4Network(((number << 24) & ~((1 << (32 - length)) - 1), length)),
        st.integers(min_value=0, max_value=7),
        st.integers(min_value=4, max_value=12),
    )


@given(st.lists(st.tuples(some_prefix(), st.sampled_from("abc"))))
def test_an_overlap_is_told_exactly_when_one_exists(claims: list[tuple[ipaddress.IPv4Network, str]]) -> None:
    spans = [Span(prefix, owner) for prefix, owner in claims]

    told = list(prefixes.overlaps(spans, lambda one, other: one != other))

    truth = any(one.owner != other.owner and one.prefix.overlaps(other.prefix) for one, other in combinations(spans, 2))
    assert bool(told) == truth
    for inner, outer in told:
        assert prefixes.relation(inner.prefix, outer.prefix) in ("equal", "inside")
        assert inner.owner != outer.owner


def test_ten_thousand_prefixes_take_well_under_a_second() -> None:
    texts = [f"10.{number >> 8}.{number & 255}.0/24" for number in range(10_000)]
    spans = [Span(prefix, number) for number, prefix in enumerate(prefixes.networks(texts))]

    before = time.perf_counter()
    told = list(prefixes.overlaps(spans, lambda one, other: one != other))
    seconds = time.perf_counter() - before

    assert told == []
    assert seconds < 1


def test_ten_thousand_equal_prefixes_are_not_fifty_million_pairs() -> None:
    block = ipaddress.IPv4Network("10.0.0.0/24")
    spans = [Span(block, number) for number in range(10_000)]

    before = time.perf_counter()
    told = list(prefixes.overlaps(spans, lambda one, other: one != other))
    seconds = time.perf_counter() - before

    assert len(told) == 9_999
    assert seconds < 1


def test_documentation_addresses_count_as_public() -> None:
    texts = ["203.0.113.10", "198.51.100.1", "192.0.2.1", "8.8.8.8"]

    assert all(prefixes.is_public(ipaddress.ip_address(text)) for text in texts)


def test_addresses_that_no_device_has_on_the_internet_are_not_public() -> None:
    texts = ["10.0.0.1", "172.31.0.1", "192.168.1.1", "100.64.0.1", "127.0.0.1", "169.254.21.1", "224.0.0.1", "0.1.2.3"]

    assert not any(prefixes.is_public(ipaddress.ip_address(text)) for text in texts)


def test_a_prefix_is_shifted_by_static_nat_and_swallowed_by_a_pool() -> None:
    inner = ipaddress.ip_network("10.1.2.0/26")
    source = ipaddress.ip_network("10.1.2.0/24")

    assert str(prefixes.shifted(inner, source, ipaddress.ip_network("172.16.9.0/24"))) == "172.16.9.0/26"
    assert str(prefixes.shifted(inner, source, ipaddress.ip_network("172.16.9.0/28"))) == "172.16.9.0/28"
