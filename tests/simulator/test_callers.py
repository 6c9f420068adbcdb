"""Who calls: an application signs in by its federated credential, and may do what its own role assignments say."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.simulator.test_server import TENANT, call
from tests.worlds import group_id
from vpngw_iac.simulator import FederatedCredential, Governance, Grant, Principal, ScaledTime, Simulator
from vpngw_iac.simulator.server import Server

READER, WRITER = "44444444-4444-4444-4444-444444444444", "55555555-5555-5555-5555-555555555555"
SUBJECT = "repo:contoso/network:pull_request"
ISSUER, AUDIENCE = "https://token.actions.githubusercontent.com", "api://AzureADTokenExchange"
BLOBS = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs"
ADDRESS = f"{group_id()}/providers/Microsoft.Network/publicIPAddresses/pip"
VERSION = "api-version=2024-03-01"
GOING_ON = ("Accepted", "Running")
TEMPLATE = {
    "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
    "contentVersion": "1.0.0.0",
    "resources": [
        {"type": "Microsoft.Network/localNetworkGateways", "apiVersion": "2024-03-01", "name": name,
         "location": "westeurope", "properties": {"gatewayIpAddress": "203.0.113.1"}, "dependsOn": needs}
        for name, needs in (("a", []), ("b", ["a"]))
    ],
}  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    decided = Governance(
        grants=(),
        principals=(
            Principal(
                client=READER,
                credentials=(FederatedCredential(subject=SUBJECT),),
                grants=(Grant(actions=("*/read",)),),
            ),
            Principal(
                client=WRITER,
                credentials=(FederatedCredential(subject="repo:contoso/network:environment:production"),),
                grants=(Grant(), Grant(scope="/subscriptions/s", actions=(), data_actions=(f"{BLOBS}/read",))),
            ),
        ),
    )
    simulator = Simulator(time=ScaledTime(100_000), governance=decided)
    simulator.put(str(group_id()), {"location": "westeurope"})
    with Server(simulator, certificate_directory=tmp_path / "content") as running:
        yield running


def assertion(subject: str = SUBJECT, issuer: str = ISSUER, audience: str = AUDIENCE) -> str:
    claims = {"sub": subject, "iss": issuer, "aud": audience, "exp": time.time() + 60}
    return f"e30.{base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip('=')}.signature"


def sign_in(server: Server, client: str, proof: str) -> tuple[int, Any]:
    form = f"grant_type=client_credentials&client_id={client}&client_assertion={proof}"
    status, _, told = call(server, f"/{TENANT}/oauth2/v2.0/token", "POST", body=form.encode())
    return status, told


def token(server: Server, client: str) -> str:
    known = server.simulator.governance.principal(client)
    assert known is not None
    return str(sign_in(server, client, assertion(known.credentials[0].subject))[1]["access_token"])


@pytest.mark.parametrize(
    ("claims", "number"),
    [
        ({"subject": "repo:contoso/network:ref:refs/heads/main"}, 700213),
        ({"issuer": "https://gitlab.example"}, 700213),
        ({"audience": "sts.amazonaws.com"}, 700213),
        ({"subject": "repo:Contoso/network:pull_request"}, 7002138),
    ],
    ids=["subject", "issuer", "audience", "casing"],
)
def test_an_assertion_that_no_credential_names_is_refused(server: Server, claims: dict[str, str], number: int) -> None:
    status, told = sign_in(server, READER, assertion(**claims))

    assert (status, told["error"], told["error_codes"]) == (401, "invalid_client", [number])
    assert sign_in(server, READER, assertion())[0] == 200


def test_each_caller_may_do_what_its_own_assignments_say(server: Server) -> None:
    body = json.dumps(
        {"location": "westeurope", "sku": {"name": "Standard"}, "properties": {"publicIPAllocationMethod": "Static"}}
    ).encode()

    refused = call(server, f"{ADDRESS}?{VERSION}", "PUT", token(server, READER), body)
    allowed = call(server, f"{ADDRESS}?{VERSION}", "PUT", token(server, WRITER), body)
    stranger = call(server, f"{ADDRESS}?{VERSION}", "GET", server.identity.issue("somebody", TENANT))

    assert (refused[0], allowed[0], stranger[0]) == (403, 201, 403)
    message = refused[2]["error"]["message"]
    known = server.simulator.governance.principal(READER)
    assert known is not None
    assert f"The client '{READER}' with object id '{known.object_id}' does not have authorization" in message
    assert call(server, f"{ADDRESS}?{VERSION}", "GET", token(server, READER))[0] == 200


def test_a_caller_is_told_its_own_rights(server: Server) -> None:
    def rights(client: str) -> list[dict[str, Any]]:
        place = f"{group_id()}/providers/Microsoft.Authorization/permissions?api-version=2022-04-01"
        return list(call(server, place, "GET", token(server, client))[2]["value"])

    assert [found["actions"] for found in rights(READER)] == [["*/read"]]
    assert [found["actions"] for found in rights(WRITER)] == [["*"]]


@pytest.mark.parametrize(
    ("client", "scope", "action", "data", "permitted"),
    [
        (WRITER, "/subscriptions/s/x", f"{BLOBS}/read", "true", True),
        (WRITER, "/subscriptions/s/x", f"{BLOBS}/write", "true", False),
        (WRITER, "/subscriptions/t", f"{BLOBS}/read", "true", False),
        (WRITER, "/subscriptions/t", f"{BLOBS}/read", "", True),
        (READER, "/subscriptions/s/x", f"{BLOBS}/read", "true", False),
        (READER, "/subscriptions/s/x", "Microsoft.Storage/storageAccounts/write", "", False),
    ],
    ids=["given", "another action", "elsewhere", "control", "reader", "reader writes"],
)
def test_a_service_beside_it_asks_whether_its_caller_may(
    server: Server, client: str, scope: str, action: str, data: str, permitted: bool
) -> None:
    """Actions on data are given by data actions alone: `*` gives none."""
    asked = f"/.simulator/permitted?{urlencode({'scope': scope, 'action': action, 'data': data})}"

    answer = call(server, asked, "GET", token(server, client))

    assert answer[::2] == (200, {"permitted": permitted})
    assert call(server, asked, "GET")[0] == 401
    assert call(server, "/.simulator/permitted?scope=/", "GET", token(server, client))[0] == 400


def test_a_deployment_goes_on_with_the_rights_of_who_began_it(server: Server) -> None:
    """Its second resource begins while somebody asks who may only read."""
    place = f"{group_id()}/providers/Microsoft.Resources/deployments/d?api-version=2022-09-01"
    body = json.dumps({"properties": {"mode": "Incremental", "template": TEMPLATE}}).encode()

    refused = call(server, place, "PUT", token(server, READER), body)
    begun = call(server, place, "PUT", token(server, WRITER), body)
    while (told := call(server, place, "GET", token(server, READER))[2])["properties"]["provisioningState"] in GOING_ON:
        time.sleep(0.01)

    assert (refused[0], begun[0]) == (403, 201)
    assert told["properties"]["provisioningState"] == "Succeeded"
    assert [each.rsplit("/", 1)[-1] for each in server.simulator.documents() if "localNetwork" in each] == ["a", "b"]
