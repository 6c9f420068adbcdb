"""Which cloud answers where, and how an unknown one is discovered."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.azure.scripted import CORRELATION, HUB, Broken, Reply, Script, connect
from vpngw_iac.arm import ArmId
from vpngw_iac.azure import NO_TENANT
from vpngw_iac.azure.answer import Answer
from vpngw_iac.azure.clouds import METADATA, CloudSettings, discover, settings_of
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Cloud
from vpngw_iac.errors import CloudError, EndpointError, Unavailable, UsageError

STACK = "https://management.local.stack"
OBJECT = {
    "name": "AzureStack",
    "resourceManager": f"{STACK}/",
    "authentication": {
        "loginEndpoint": "https://login.microsoftonline.com/",
        "audiences": ["https://management.contoso.onmicrosoft.com/guid"],
        "tenant": "common",
    },
    "suffixes": {"keyVaultDns": "vault.local.stack"},
}
ADFS = {
    "galleryEndpoint": "https://gallery",
    "authentication": {"loginEndpoint": "https://adfs.local.stack/adfs", "audiences": ["https://management.adfs/guid"]},
}


def connected(script: Script, cloud: str = STACK) -> Cloud:
    return connect(cloud, subscription=HUB, transport=script.send, clock=VirtualClock(), correlation=CORRELATION)


def discovered(body: Any) -> CloudSettings:
    import json

    return discover(STACK, lambda url: Answer.of(200, {}, json.dumps(body).encode()))


def no_fetch(url: str) -> Answer:
    raise AssertionError(f"asked {url}")


@pytest.mark.parametrize(
    ("cloud", "endpoint", "scope", "authority"),
    [
        ("public", "management.azure.com", "management.azure.com", "login.microsoftonline.com"),
        ("Public", "management.azure.com", "management.azure.com", "login.microsoftonline.com"),
        (
            "usgovernment",
            "management.usgovcloudapi.net",
            "management.core.usgovcloudapi.net",
            "login.microsoftonline.us",
        ),
        ("china", "management.chinacloudapi.cn", "management.chinacloudapi.cn", "login.chinacloudapi.cn"),
    ],
)
def test_known_clouds_are_not_discovered(cloud: str, endpoint: str, scope: str, authority: str) -> None:
    found = settings_of(cloud, no_fetch)

    assert (found.endpoint, found.scope, found.authority) == (
        f"https://{endpoint}",
        f"https://{scope}/.default",
        f"https://{authority}",
    )


def test_known_clouds_agree_with_the_sdk() -> None:
    from azure.core import AzureClouds
    from azure.identity import AzureAuthorityHosts
    from azure.mgmt.core.tools import get_arm_endpoints

    pairs = {
        "public": (AzureClouds.AZURE_PUBLIC_CLOUD, AzureAuthorityHosts.AZURE_PUBLIC_CLOUD),
        "usgovernment": (AzureClouds.AZURE_US_GOVERNMENT, AzureAuthorityHosts.AZURE_GOVERNMENT),
        "china": (AzureClouds.AZURE_CHINA_CLOUD, AzureAuthorityHosts.AZURE_CHINA),
    }
    for name, (setting, authority) in pairs.items():
        known, ours = get_arm_endpoints(setting), settings_of(name, no_fetch)
        assert f"{ours.endpoint}/" == known["resource_manager"]
        assert [ours.scope] == known["credential_scopes"]
        assert ours.authority == f"https://{authority}"


@pytest.mark.parametrize("cloud", ["", "azure", "germany", "ftp://x", "https://", "management.azure.com"])
def test_what_is_no_cloud_is_a_wrong_call(cloud: str) -> None:
    with pytest.raises(UsageError, match="is not a cloud"):
        settings_of(cloud, no_fetch)


def test_no_token_goes_over_plain_http() -> None:
    with pytest.raises(UsageError, match="plain HTTP"):
        settings_of("http://localhost:8443", no_fetch)


@pytest.mark.parametrize(
    "body", [OBJECT, [OBJECT], [{"resourceManager": "https://other", "authentication": {}}, OBJECT]]
)
def test_an_endpoint_tells_authority_and_audience_in_both_shapes(body: Any) -> None:
    found = discovered(body)

    assert found == CloudSettings(
        name="custom",
        endpoint=STACK,
        scope="https://management.contoso.onmicrosoft.com/guid/.default",
        authority="https://login.microsoftonline.com",
        tenant="",
        instance_discovery=True,
        vault_suffix="vault.local.stack",
    )


def test_ad_fs_has_one_tenant_and_microsoft_is_not_asked_about_it() -> None:
    found = discovered(ADFS)

    assert (found.authority, found.tenant, found.instance_discovery) == ("https://adfs.local.stack", "adfs", False)
    assert found.endpoint == STACK


def test_a_private_authority_is_not_asked_about_at_microsoft() -> None:
    body = OBJECT | {
        "authentication": {"loginEndpoint": "https://localhost:8443", "audiences": ["https://localhost:8443"]}
    }

    found = discovered(body)

    assert (found.authority, found.tenant, found.instance_discovery) == ("https://localhost:8443", "", False)
    assert found.scope == "https://localhost:8443/.default"


@pytest.mark.parametrize(
    "body",
    [
        {},
        [],
        "text",
        None,
        {"authentication": {"loginEndpoint": "https://x"}},
        {"authentication": {"audiences": ["a"]}},
        {"authentication": {"loginEndpoint": "https://x", "audiences": []}},
        {"authentication": "x"},
    ],
)
def test_metadata_that_does_not_say_who_signs_in_is_no_arm(body: Any) -> None:
    with pytest.raises(EndpointError):
        discovered(body)


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        (Reply(404, "<html/>"), EndpointError),
        (Reply(404, {"error": {"code": "NotFound"}}), EndpointError),
        (Reply(200, "<html>It works!</html>"), EndpointError),
        (Reply(301, None, {"Location": "https://www"}), EndpointError),
        (Reply(503, "<html/>"), Unavailable),
        (Broken(), Unavailable),
    ],
)
def test_an_endpoint_that_is_not_arm_is_told_at_once(reply: Reply | Broken, kind: type[CloudError]) -> None:
    with pytest.raises(kind) as caught:
        connected(Script().on("GET", "/metadata/endpoints", reply))

    assert type(caught.value) is kind
    assert STACK in str(caught.value)


def test_a_discovered_cloud_is_used_and_its_metadata_gets_no_token() -> None:
    script = Script().on("GET", "/metadata/endpoints", Reply(200, OBJECT)).on("GET", "/rg", Reply(200, {"id": "x"}))

    cloud = connected(script, f"{STACK}/ignored/path")
    cloud.read(ArmId.resource_group_of(HUB, "rg"))

    metadata, read = script.asked
    assert metadata.url == STACK + METADATA
    assert "authorization" not in metadata.headers
    assert read.url.startswith(f"{STACK}/subscriptions/")
    assert (cloud.identity.name, cloud.identity.endpoint) == ("custom", STACK)


def test_the_simulator_is_bound_to_no_tenant() -> None:
    identity = connected(Script(), "simulator").identity

    assert (identity.name, identity.tenant, identity.actor) == ("simulator", NO_TENANT, "")


def test_the_simulator_needs_a_transport() -> None:
    with pytest.raises(UsageError, match="transport"):
        connect("simulator", subscription=HUB, clock=VirtualClock(), correlation=CORRELATION)


def test_importing_the_gate_does_not_import_the_sdk() -> None:
    code = "import sys, vpngw_iac.azure; print([m for m in sys.modules if m == 'azure' or m.startswith('azure.')])"

    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
