"""Requests as plain values."""

from __future__ import annotations

import pytest

from vpngw_iac.simulator.wire import HttpRequest


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ("rg-%28prod%29", "rg-(prod)"),
        ("rg-%C3%B1", "rg-ñ"),
        ("a%20b", "a b"),
        ("a%2Fb", "a%2Fb"),
        ("a%252Fb", "a%252Fb"),
        ("a%00b", "a%00b"),
        ("a%3Fb", "a%3Fb"),
    ],
)
def test_names_are_read_as_clients_meant_them(sent: str, read: str) -> None:
    request = HttpRequest.of("GET", f"https://management.azure.com/subscriptions/s/resourceGroups/{sent}?api-version=1")

    assert request.path == f"/subscriptions/s/resourceGroups/{read}"
