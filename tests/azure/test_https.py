"""The whole way over HTTPS: discovery, a private certificate authority, a service principal, a real connection pool."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.azure.scripted import CORRELATION, HUB, KEY, SITE, VNET, connect, group_id, network
from vpngw_iac.engine.execute.clock import RealClock
from vpngw_iac.engine.ports import Call, Cloud, Ended
from vpngw_iac.errors import EndpointError, SignInFailed, UsageError, VpngwError
from vpngw_iac.simulator import Fault, ScaledTime, Simulator
from vpngw_iac.simulator.server import Server

TENANT = "72f988bf-0000-4000-8000-000000000001"
CLIENT = "33333333-3333-3333-3333-333333333333"


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    simulator = Simulator(tmp_path / "content", time=ScaledTime(speed=6000))
    with Server(simulator, certificate_directory=tmp_path / "content", clients={CLIENT: "right"}) as running:
        for name, value in {
            "AZURE_CLIENT_ID": CLIENT,
            "AZURE_TENANT_ID": TENANT,
            "AZURE_CLIENT_SECRET": "right",
            "REQUESTS_CA_BUNDLE": str(running.certificate),
        }.items():
            monkeypatch.setenv(name, value)
        monkeypatch.delenv("AZURE_AUTHORITY_HOST", raising=False)
        yield running


def opened(url: str, clock: RealClock | None = None) -> Cloud:
    return connect(
        url, subscription=HUB, key=KEY.fingerprint, clock=clock or RealClock(speed=100), correlation=CORRELATION
    )


def built(cloud: Cloud, call: Call) -> Ended:
    step = cloud.begin(call)
    clock = RealClock(speed=100)
    for _ in range(100):
        if isinstance(step, Ended):
            return step
        progress = cloud.poll(step)
        if isinstance(progress, Ended):
            return progress
        clock.sleep(progress.retry_after or 1)
    raise AssertionError("it never ends")


def test_a_service_principal_of_the_environment_works_on_a_discovered_cloud(server: Server) -> None:
    cloud = opened(server.url)

    built(cloud, Call("put", group_id(), {"location": "westeurope"}))
    space = {"properties": {"addressSpace": {"addressPrefixes": ["10.1.0.0/16"]}}}
    ended = built(cloud, Call("put", VNET, {"location": "westeurope"} | space))

    assert ended.state == "Succeeded"
    assert (cloud.identity.name, cloud.identity.endpoint) == ("custom", server.url)
    assert (cloud.identity.tenant, cloud.identity.actor) == (TENANT, CLIENT)


def test_many_reads_share_the_connections(server: Server) -> None:
    cloud = opened(server.url)
    built(cloud, Call("put", group_id(), {"location": "westeurope"}))
    ids = [network("localNetworkGateways", f"lgw-{number}") for number in range(60)]

    found = cloud.observe(ids, deep=True)

    assert not any(each.present for each in found.values())
    assert len(found) == 60


def test_a_connection_that_breaks_under_a_read_is_opened_again(server: Server) -> None:
    cloud = opened(server.url)
    fault = Fault.model_validate({"method": "GET", "path": "*/lgw-berlin", "effect": {"do": "break"}})
    server.simulator.faults.add(fault)

    assert not cloud.read(SITE).present


def test_a_wrong_secret_is_one_sentence(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AZURE_CLIENT_SECRET", "wrong")

    with pytest.raises(SignInFailed, match="AADSTS7000215") as caught:
        opened(server.url)

    assert len(caught.value.message) < 200


def test_an_unknown_certificate_authority_is_explained(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUESTS_CA_BUNDLE")

    with pytest.raises(EndpointError, match="certificate") as caught:
        opened(server.url)

    assert "REQUESTS_CA_BUNDLE" in caught.value.advice


def test_a_closed_port_and_an_unknown_name_are_told_apart() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    def told(url: str) -> str:
        with pytest.raises(EndpointError) as caught:
            opened(url)
        return caught.value.message

    assert told(f"https://127.0.0.1:{port}").endswith("connection refused.")
    assert told("https://management.nowhere.invalid").endswith("its name cannot be resolved.")


def test_plain_http_is_refused(server: Server) -> None:
    with pytest.raises(UsageError):
        opened(server.url.replace("https", "http"))


def test_no_error_is_anything_but_ours(server: Server) -> None:
    cloud = opened(server.url)

    with pytest.raises(VpngwError):
        cloud.begin(Call("put", SITE, {"location": "westeurope", "properties": {}}))


def test_a_token_that_expires_in_the_middle_is_renewed_and_the_run_goes_on(server: Server) -> None:
    cloud = opened(server.url)
    server.simulator.faults.add(Fault.model_validate({"effect": {"do": "expire-token"}}))

    assert not cloud.read(SITE).present
