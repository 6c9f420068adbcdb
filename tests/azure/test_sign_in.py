"""Who signs in, how often, and what is told when it fails."""

from __future__ import annotations

import base64
import json
import threading
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

import pytest
from azure.core.credentials import AccessToken, TokenCredential
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError
from azure.identity import (
    AzurePipelinesCredential,
    ClientAssertionCredential,
    ClientSecretCredential,
    DefaultAzureCredential,
)

from tests.azure.scripted import GATEWAY, HUB, OTHER, Reply, Script, cloud_of, document, error, network
from vpngw_iac.azure.clouds import KNOWN, CloudSettings
from vpngw_iac.azure.sign_in import Tokens, actor_of, claims_of, default_credential, github_credential
from vpngw_iac.azure.transport import CallableTransport
from vpngw_iac.engine.ports import Call
from vpngw_iac.errors import EndpointError, SignInFailed

SCOPE = "https://management.azure.com/.default"
GITHUB = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://pipelines.example/token?api-version=2.0",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "request-token",
    "AZURE_CLIENT_ID": "11111111-0000-0000-0000-000000000001",
    "AZURE_TENANT_ID": "22222222-0000-0000-0000-000000000002",
}


def jwt(**claims: Any) -> str:
    middle = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"e30.{middle}.sig"


class Credential:
    """Counts what is asked of it."""

    def __init__(self, life: float = 3600, token: str = "token", failure: Exception | None = None) -> None:
        self.asked: list[tuple[tuple[str, ...], str | None]] = []
        self.failure = failure
        self._life = life
        self._token = token

    def get_token(
        self, *scopes: str, claims: str | None = None, tenant_id: str | None = None, **options: Any
    ) -> AccessToken:
        self.asked.append((scopes, tenant_id))
        if self.failure is not None:
            raise self.failure
        return AccessToken(f"{self._token}-{tenant_id or 'home'}", int(time.time() + self._life))


def test_threads_and_clients_share_one_token() -> None:
    credential = Credential()
    tokens = Tokens(credential)
    threads = [threading.Thread(target=tokens.get_token, args=(SCOPE,)) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert credential.asked == [((SCOPE,), None)]


def test_a_token_is_renewed_before_it_ends() -> None:
    credential = Credential(life=200)
    tokens = Tokens(credential)

    tokens.get_token(SCOPE)
    tokens.get_token(SCOPE)

    assert len(credential.asked) == 2


def test_a_token_that_lives_is_used_while_the_sign_in_service_is_down() -> None:
    credential = Credential(life=200)
    tokens = Tokens(credential)
    first = tokens.get_token(SCOPE)
    credential.failure = ServiceRequestError("down")

    assert tokens.get_token(SCOPE) == first


def test_a_dead_token_is_not_used() -> None:
    credential, now = Credential(life=100), [time.time()]
    tokens = Tokens(credential, now=lambda: now[0])
    tokens.get_token(SCOPE)
    credential.failure = ClientAuthenticationError(message="no")
    now[0] += 3600

    with pytest.raises(ClientAuthenticationError):
        tokens.get_token(SCOPE)


def test_malformed_settings_are_a_failed_sign_in() -> None:
    tokens = Tokens(Credential(failure=ValueError("Invalid tenant ID provided.")))

    with pytest.raises(ClientAuthenticationError, match="Invalid tenant ID"):
        tokens.get_token(SCOPE)


def test_each_subscription_is_asked_with_a_token_of_its_tenant() -> None:
    credential = Credential()
    theirs = network("virtualNetworkGateways", "vgw-theirs", subscription=OTHER)
    script = Script().on("GET", "", Reply(200, document(GATEWAY)))
    cloud = cloud_of(script, credential=credential, tenant="tenant-a", tenants={OTHER: "tenant-b"})

    cloud.read(GATEWAY)
    cloud.read(theirs)

    assert [each.headers["authorization"] for each in script.asked] == [
        "Bearer token-tenant-a",
        "Bearer token-tenant-b",
    ]
    assert cloud.identity.tenant == "tenant-a"


def test_tokens_of_other_tenants_go_into_the_auxiliary_header() -> None:
    script = Script().on("PUT", "/vgw-hub", Reply(200, document(GATEWAY)))

    cloud_of(script, credential=Credential(), tenant="a").begin(Call("put", GATEWAY, {}, tenants=("b", "c")))

    assert script.asked[0].headers["x-ms-authorization-auxiliary"] == "Bearer token-b, Bearer token-c"


def test_who_we_are_is_read_from_the_token() -> None:
    class Known(Credential):
        def get_token(self, *scopes: str, **options: Any) -> AccessToken:
            return AccessToken(jwt(tid="tenant-of-token", oid="object", appid="application"), int(time.time()) + 3600)

    identity = cloud_of(Script(), credential=Known()).identity

    assert (identity.name, identity.tenant, identity.subscription) == ("public", "tenant-of-token", HUB)
    assert identity.actor == "application"


@pytest.mark.parametrize("token", ["", "opaque", "a.b", "a.%%%.c", "a.W10.c", "a.bm8ganNvbg.c"])
def test_a_token_that_tells_nothing_is_no_error(token: str) -> None:
    assert claims_of(token) == {}
    assert actor_of({}) == ""


@pytest.mark.parametrize(
    ("failure", "kind", "words"),
    [
        (ClientAuthenticationError(message="AADSTS7000215: Invalid client secret"), SignInFailed, "secret is wrong"),
        (
            ServiceRequestError("HTTPSConnectionPool(host='login.example', port=443): Connection refused"),
            EndpointError,
            "login.example, which signs us in, cannot be reached: connection refused.",
        ),
    ],
)
def test_a_failed_sign_in_is_told_before_anything_is_read(
    failure: Exception, kind: type[Exception], words: str
) -> None:
    script = Script()

    with pytest.raises(kind, match=words):
        cloud_of(script, credential=Credential(failure=failure))

    assert script.asked == []


def test_a_wrong_secret_of_another_tenant_is_a_failed_sign_in() -> None:
    credential = Credential()
    cloud = cloud_of(Script(), credential=credential)
    credential.failure = ClientAuthenticationError(message="AADSTS700016: Application not found")

    with pytest.raises(SignInFailed, match="AADSTS700016"):
        cloud.begin(Call("put", GATEWAY, {}, tenants=("b",)))


def test_a_token_that_azure_no_longer_accepts_is_replaced_once_even_for_a_write() -> None:
    credential = Credential()
    script = Script().on(
        "PUT", "/vgw-hub", Reply(401, error("ExpiredAuthenticationToken")), Reply(200, document(GATEWAY))
    )

    cloud_of(script, credential=credential).begin(Call("put", GATEWAY, {"location": "westeurope"}))

    assert [each.body for each in script.asked] == [{"location": "westeurope"}] * 2
    assert len(credential.asked) == 2


def test_a_token_of_the_wrong_tenant_is_told_at_once_with_advice() -> None:
    script = Script().on("GET", "/vgw-hub", Reply(401, error("InvalidAuthenticationTokenTenant")))

    with pytest.raises(SignInFailed) as caught:
        cloud_of(script).read(GATEWAY)

    assert "AZURE_TENANT_ID" in caught.value.advice
    assert len(script.asked) == 1


# --- GitHub --------------------------------------------------------------------------------------------------------


class Entra:
    """GitHub's token endpoint and Entra ID behind one transport: each ID token is good once."""

    def __init__(self, life: int = 3600) -> None:
        self.issued = 0
        self.assertions: list[str] = []
        self.headers: list[Mapping[str, str]] = []
        self.urls: list[str] = []
        self._life = life

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        self.urls.append(url)
        if "pipelines.example" in url:
            self.issued += 1
            self.headers.append(headers)
            return 200, {"Content-Type": "application/json"}, json.dumps({"value": f"id-{self.issued}"}).encode()
        fields = dict(parse_qsl((body or b"").decode()))
        assertion = fields["client_assertion"]
        if assertion in self.assertions:
            said = {"error": "invalid_client", "error_description": "AADSTS700024: Client assertion is expired."}
            return 401, {"Content-Type": "application/json"}, json.dumps(said).encode()
        self.assertions.append(assertion)
        token = {"access_token": f"azure-{assertion}", "expires_in": self._life, "token_type": "Bearer"}
        return 200, {"Content-Type": "application/json"}, json.dumps(token).encode()


def github(entra: Entra, cloud: str = "public") -> Tokens:
    settings = KNOWN[cloud]

    def credential() -> TokenCredential:
        return github_credential(settings, settings.authority, GITHUB, transport=CallableTransport(entra.send))

    return Tokens(credential(), anew=credential)


def test_every_renewal_asks_github_for_a_new_id_token() -> None:
    entra = Entra(life=0)
    tokens = github(entra)

    first = tokens.get_token(SCOPE).token
    second = tokens.get_token(SCOPE).token

    assert (first, second) == ("azure-id-1", "azure-id-2")
    assert entra.assertions == ["id-1", "id-2"]


def test_a_token_that_azure_refuses_before_its_end_is_not_taken_from_a_cache_again() -> None:
    entra = Entra(life=3600)
    tokens = github(entra)
    first = tokens.get_token(SCOPE).token

    tokens.forget()

    assert (first, tokens.get_token(SCOPE).token) == ("azure-id-1", "azure-id-2")
    assert entra.assertions == ["id-1", "id-2"], "a new ID token, not the old assertion again"


def test_each_tenant_is_signed_in_to_with_its_own_id_token() -> None:
    entra = Entra()
    tokens = github(entra)

    tokens.get_token(SCOPE)
    tokens.get_token(SCOPE, tenant_id="33333333-0000-0000-0000-000000000003")

    assert entra.issued == 2
    assert any("33333333-0000-0000-0000-000000000003" in url for url in entra.urls)


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [
        ("public", "api%3A%2F%2FAzureADTokenExchange"),
        ("usgovernment", "api%3A%2F%2FAzureADTokenExchangeUSGov"),
        ("china", "api%3A%2F%2FAzureADTokenExchangeChina"),
    ],
)
def test_the_id_token_is_for_the_audience_of_the_cloud(cloud: str, audience: str) -> None:
    entra = Entra()

    github(entra, cloud).get_token(SCOPE)

    assert entra.urls[0] == f"https://pipelines.example/token?api-version=2.0&audience={audience}"
    assert entra.headers[0]["Authorization"] == "Bearer request-token"
    assert entra.urls[1].startswith(KNOWN[cloud].authority)


@pytest.mark.parametrize(
    "reply", [Reply(403, {"message": "no"}), Reply(200, {}), Reply(200, "[]"), Reply(200, "<html>")]
)
def test_a_job_without_the_permission_is_told_which_one(reply: Reply) -> None:
    script = Script().on("GET", "/token", reply)
    credential = github_credential(
        KNOWN["public"], KNOWN["public"].authority, GITHUB, transport=CallableTransport(script.send)
    )

    with pytest.raises(ClientAuthenticationError, match="id-token: write"):
        credential.get_token(SCOPE)


@pytest.mark.parametrize("name", ["AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE"])
def test_an_explicit_credential_beats_the_job(name: str) -> None:
    assert isinstance(default_credential(KNOWN["public"], GITHUB), ClientAssertionCredential)
    assert isinstance(default_credential(KNOWN["public"], GITHUB | {name: "x"}), DefaultAzureCredential)


def test_outside_github_the_default_chain_is_used() -> None:
    assert isinstance(default_credential(KNOWN["usgovernment"], {}), DefaultAzureCredential)


def test_an_ad_fs_authority_signs_in_to_its_only_tenant() -> None:
    stack = CloudSettings(
        "custom", "https://arm.stack", "https://arm.stack/.default", "https://adfs.stack", "adfs", False
    )
    environment = {"AZURE_CLIENT_ID": "app", "AZURE_CLIENT_SECRET": "s", "AZURE_TENANT_ID": "ignored"}

    assert isinstance(default_credential(stack, environment), ClientSecretCredential)


PIPELINES = {
    "SYSTEM_OIDCREQUESTURI": "https://dev.azure.example/oidc",
    "SYSTEM_ACCESSTOKEN": "token-of-the-job",
    "AZURESUBSCRIPTION_CLIENT_ID": "22222222-2222-4222-8222-222222222222",
    "AZURESUBSCRIPTION_TENANT_ID": "33333333-3333-4333-8333-333333333333",
    "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID": "44444444-4444-4444-8444-444444444444",
}


@pytest.mark.parametrize("missing", PIPELINES)
def test_a_task_of_azure_pipelines_signs_in_with_its_service_connection(missing: str) -> None:
    whole = default_credential(KNOWN["public"], PIPELINES)
    lacking = default_credential(KNOWN["public"], {name: v for name, v in PIPELINES.items() if name != missing})

    assert isinstance(whole, AzurePipelinesCredential)
    assert isinstance(lacking, DefaultAzureCredential)


def test_a_secret_that_somebody_set_comes_before_the_service_connection() -> None:
    credential = default_credential(KNOWN["public"], PIPELINES | {"AZURE_CLIENT_SECRET": "x"})

    assert isinstance(credential, DefaultAzureCredential)
