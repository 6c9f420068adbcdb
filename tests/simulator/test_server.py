"""The HTTP doors: a service principal signs in and works; the wrong one does not come in."""

from __future__ import annotations

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceResponseError
from azure.identity import ClientSecretCredential
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.simulator.conftest import GROUP, NETWORK, REGION, SUBSCRIPTION, gateway, public_ip, vnet
from vpngw_iac.simulator import Fault, ScaledTime, Simulator
from vpngw_iac.simulator.server import Server

TENANT = "72f988bf-0000-4000-8000-000000000001"
CLIENT = "33333333-3333-3333-3333-333333333333"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    simulator = Simulator(tmp_path / "content", time=ScaledTime(speed=6000))
    with Server(simulator, certificate_directory=tmp_path / "content", clients={CLIENT: "right"}) as running:
        yield running


def credential(server: Server, secret: str = "right") -> ClientSecretCredential:
    return ClientSecretCredential(
        TENANT, CLIENT, secret, authority=server.url, disable_instance_discovery=True, connection_verify=ca(server)
    )


def ca(server: Server) -> str:
    return str(server.certificate)


def clients(server: Server, **options: Any) -> tuple[ResourceManagementClient, NetworkManagementClient]:
    shared = {"base_url": server.url, "credential_scopes": [f"{server.url}/.default"], "connection_verify": ca(server)}
    signed_in = credential(server)
    return (
        ResourceManagementClient(signed_in, SUBSCRIPTION, **shared, **options),
        NetworkManagementClient(signed_in, SUBSCRIPTION, **shared, **options),
    )


def call(server: Server, path: str, method: str = "GET", token: str | None = None, body: bytes | None = None) -> Any:
    request = urllib.request.Request(server.url + path, data=body, method=method)
    if token is not None:
        request.add_header("Authorization", f"Bearer {token}")
    context = ssl.create_default_context(cafile=ca(server))
    try:
        with urllib.request.urlopen(request, context=context, timeout=10) as answer:
            return answer.status, dict(answer.headers), json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        with error:
            return error.code, dict(error.headers), json.loads(error.read() or b"null")


def test_a_service_principal_builds_a_gateway_over_https(server: Server) -> None:
    resources, network = clients(server)

    with resources, network:
        resources.resource_groups.create_or_update("rg-hub", {"location": REGION})
        network.virtual_networks.begin_create_or_update("rg-hub", "vnet-hub", vnet()).result()
        network.public_ip_addresses.begin_create_or_update("rg-hub", "pip-1", public_ip()).result()
        made = network.virtual_network_gateways.begin_create_or_update("rg-hub", "vgw-hub", gateway()).result()

    assert made.provisioning_state == "Succeeded"


def test_a_wrong_secret_is_refused_by_sign_in(server: Server) -> None:
    wrong = credential(server, "wrong")

    with wrong, pytest.raises(ClientAuthenticationError, match="AADSTS7000215"):
        wrong.get_token(f"{server.url}/.default")


def test_without_a_token_the_door_is_closed(server: Server) -> None:
    status, headers, body = call(server, f"{GROUP}?api-version=2022-09-01")

    assert status == 401
    assert headers["WWW-Authenticate"].startswith("Bearer ")
    assert body["error"]["code"] == "AuthenticationFailed"


def test_an_expired_token_is_told_apart_from_a_wrong_one(tmp_path: Path) -> None:
    simulator = Simulator(time=ScaledTime(speed=6000))
    with Server(simulator, certificate_directory=tmp_path, token_lifetime=-1) as server:
        expired = server.identity.issue(CLIENT, TENANT)
        answers = [call(server, f"{GROUP}?api-version=2022-09-01", token=token) for token in (expired, expired + "x")]

    assert [body["error"]["code"] for _, _, body in answers] == [
        "ExpiredAuthenticationToken",
        "InvalidAuthenticationToken",
    ]


def test_the_metadata_name_the_server_itself_in_both_shapes(server: Server) -> None:
    _, _, new = call(server, "/metadata/endpoints?api-version=2022-09-01")
    _, _, old = call(server, "/metadata/endpoints?api-version=2019-05-01")

    assert new["authentication"]["loginEndpoint"] == f"{server.url}/"
    assert new["resourceManager"] == f"{server.url}/"
    assert isinstance(old, list)
    assert old[0]["authentication"] == new["authentication"]


def test_waits_are_told_in_real_seconds(server: Server) -> None:
    token = server.identity.issue(CLIENT, TENANT)
    server.simulator.put(GROUP, {"location": REGION})

    body = json.dumps(vnet()).encode()
    status, headers, _ = call(server, f"{NETWORK}/virtualNetworks/vnet-hub?api-version=2024-03-01", "PUT", token, body)

    assert (status, headers["Retry-After"]) == (201, "1")
    assert headers["Azure-AsyncOperation"].startswith(server.url)


def test_a_broken_connection_is_really_broken(server: Server) -> None:
    _, network = clients(server, retry_total=0)
    server.simulator.put(GROUP, {"location": REGION})
    server.simulator.faults.add(
        Fault.model_validate({"method": "GET", "path": "*/virtualNetworks/*", "effect": {"do": "break"}})
    )

    with network, pytest.raises(ServiceResponseError):
        network.virtual_networks.get("rg-hub", "vnet-hub")


def test_the_providers_hand_and_the_log_are_below_their_own_prefix(server: Server) -> None:
    token = server.identity.issue(CLIENT, TENANT)
    server.simulator.put(GROUP, {"location": REGION})
    call(server, f"{GROUP}?api-version=2022-09-01", token=token)

    _, _, requests = call(server, "/.simulator/requests", token=token)
    missing, _, _ = call(server, "/.simulator/provision", "POST", token, b'{"id": "/nothing"}')
    emptied, _, _ = call(server, "/.simulator/reset", "POST", token)

    assert [(logged["method"], logged["status"]) for logged in requests] == [("GET", 200)]
    assert (missing, emptied) == (404, 204)
    assert server.simulator.documents() == {}


def test_an_old_federated_assertion_is_not_accepted_again(server: Server) -> None:
    import base64
    import time

    def assertion(expires: float) -> str:
        claims = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
        return f"e30.{claims}.signature"

    def sign_in(expires: float) -> Any:
        form = f"grant_type=client_credentials&client_id={CLIENT}&client_assertion={assertion(expires)}"
        return call(server, f"/{TENANT}/oauth2/v2.0/token", "POST", body=form.encode())

    fresh, old = sign_in(time.time() + 60), sign_in(time.time() - 60)

    assert fresh[0] == 200
    assert (old[0], old[2]["error_codes"]) == (401, [700024])


def test_the_hands_of_others_at_the_door(server: Server) -> None:
    token = credential(server).get_token(f"{server.url}/.default").token
    address = f"{NETWORK}/publicIPAddresses/pip"

    def hand(name: str, body: Any) -> tuple[int, Any]:
        status, _, told = call(server, f"/.simulator/{name}", "POST", token, json.dumps(body).encode())
        return status, told

    assert hand("load", {"documents": [{"id": address, "location": REGION, "properties": {}}]})[0] == 204
    assert hand("set", {"id": address, "values": {"tags.owner": "x"}})[0] == 204
    assert server.simulator.documents()[address]["tags"] == {"owner": "x"}
    assert hand("load", {"documents": [{"name": "x"}]})[0] == 400
    assert hand("load", [])[0] == 400
    assert hand("set", {"id": address})[0] == 404
    assert hand("set", {"id": "/nothing", "values": {}})[0] == 404
    assert hand("delete", {"id": address})[0] == 204
    assert hand("dance", {})[0] == 404
    assert address not in server.simulator.documents()
