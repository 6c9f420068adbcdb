"""Reads without the SDK's packages are the requests that the packages send: method, URL, api-version and headers."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import pytest
from azure.mgmt.network import NetworkManagementClient
from azure.mgmt.resource.resources import ResourceManagementClient

from tests.azure.scripted import CORRELATION, HUB, Asked, Reply, Script, error
from vpngw_iac.azure.client import Arm
from vpngw_iac.azure.clouds import KNOWN
from vpngw_iac.azure.reads import LIST_METHOD, PACKAGES, paths
from vpngw_iac.azure.sign_in import NoSignIn, Tokens
from vpngw_iac.azure.transport import CallableTransport
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.resources import registry

CLIENTS: dict[str, Any] = {"network": NetworkManagementClient, "resource": ResourceManagementClient}
NAMES = ("Rg.hub_(1)", "a b%/ü", "c+d", "e~f")
OUR_OWN = {"authorization", "user-agent", "x-ms-client-request-id", "x-ms-correlation-request-id"}


def asked_by(ask: Callable[[Script], object]) -> Asked:
    script = Script().on("GET", "", Reply(404, error("ResourceNotFound")))
    ask(script)
    (asked,) = script.asked
    return asked


def ours(sdk: str, method: str, *names: str, api_version: str = "") -> Asked:
    def ask(script: Script) -> object:
        wire = CallableTransport(script.send)
        arm = Arm(KNOWN["public"], Tokens(NoSignIn()), wire, clock=VirtualClock(), correlation=CORRELATION)
        return arm.call(HUB, sdk, method, *names, api_version=api_version, doing="read")

    return asked_by(ask)


def theirs(sdk: str, method: str, *names: str, api_version: str = "") -> Asked:
    def ask(script: Script) -> object:
        library, _, group = sdk.partition(".")
        client = CLIENTS[library](NoSignIn(), HUB, transport=CallableTransport(script.send))
        options = {"api_version": api_version} if api_version else {}
        try:
            found = getattr(getattr(client, group), method)(*names, **options)
            return next(iter(found)) if hasattr(found, "by_page") else found
        except Exception as refused:
            return refused

    return asked_by(ask)


def same(one: Asked, other: Asked) -> bool:
    headers = [{name: text for name, text in each.headers.items() if name not in OUR_OWN} for each in (one, other)]
    return (one.method, one.url, one.body, headers[0]) == (other.method, other.url, other.body, headers[1])


@pytest.mark.parametrize("read", sorted(paths()))
def test_each_read_of_the_table_is_the_request_of_the_sdk(read: str) -> None:
    sdk, _, method = read.rpartition(".")
    names = NAMES[: paths()[read].count("{}")]

    assert same(ours(sdk, method, *names), theirs(sdk, method, *names))


@pytest.mark.parametrize("model", [model for model in registry().values() if model.api_version], ids=lambda m: m.kind)
def test_a_get_by_id_is_the_request_of_the_sdk(model: Any) -> None:
    place = f"subscriptions/{HUB}/resourceGroups/rg (1)/providers/{model.arm_type}/a b"
    read = ("resource.resources", "get_by_id", place)

    assert same(ours(*read, api_version=model.api_version), theirs(*read, api_version=model.api_version))


def test_the_table_has_get_and_list_of_each_type() -> None:
    for model in registry().values():
        if not model.api_version:
            assert f"{model.sdk}.get" in paths(), model
        if model.listed_by != "none":
            assert f"{model.sdk}.{LIST_METHOD.get(model.sdk, 'list')}" in paths(), model


@pytest.mark.parametrize("package", PACKAGES.values(), ids=lambda package: package.name)
def test_the_installed_package_is_the_one_that_the_table_was_compared_with(package: Any) -> None:
    """Another version is not wrong, but then reads load it, and nothing here is compared with anything."""
    assert version(package.name) == package.version
