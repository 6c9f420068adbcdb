"""Whatever an answer echoes: no secret leaves the folder, in no document and in no message."""

from __future__ import annotations

from typing import Any

import pytest

from tests.azure.scripted import (
    CIRCUIT,
    CONNECTION,
    GATEWAY,
    HUB,
    KEY,
    OPERATION,
    SITE,
    Reply,
    Script,
    cloud_of,
    document,
    error,
)
from vpngw_iac.arm import ArmId
from vpngw_iac.azure.redact import without_secrets
from vpngw_iac.engine.ports import Call, Ended, Pending
from vpngw_iac.errors import AzureRefused, OutputMissing
from vpngw_iac.resources import shape_at
from vpngw_iac.resources.wire import Output
from vpngw_iac.secret import Fingerprint

AUTHORIZATION = CIRCUIT.child("authorizations", "auth-1")
PEERING = CIRCUIT.child("peerings", "AzurePrivatePeering")
CANARY = "c4nary-value"


def observed(resource_id: ArmId, shown: dict[str, Any], **options: Any) -> Any:
    found = cloud_of(Script().on("GET", "", Reply(200, shown)), **options).read(resource_id)
    assert found.document is not None
    return found.document["properties"]


def test_an_echoed_key_is_a_fingerprint() -> None:
    found = observed(CONNECTION, document(CONNECTION, sharedKey=CANARY, enableBgp=True))

    assert found["sharedKey"] == KEY.fingerprint(CANARY)
    assert found["enableBgp"] is True


def test_without_a_fingerprint_key_an_echoed_secret_is_dropped() -> None:
    assert "sharedKey" not in observed(CONNECTION, document(CONNECTION, sharedKey=CANARY), key=None)


@pytest.mark.parametrize("masked", ["", "*", "********", None, "   "])
def test_a_masked_or_empty_value_is_not_a_value(masked: str | None) -> None:
    assert "sharedKey" not in observed(CONNECTION, document(CONNECTION, sharedKey=masked))


@pytest.mark.parametrize(
    ("resource_id", "properties"),
    [
        (GATEWAY, {"vpnClientConfiguration": {"radiusServerSecret": CANARY}}),
        (GATEWAY, {"vpnClientConfiguration": {"radiusServers": [{"radiusServerSecret": CANARY}]}}),
        (CONNECTION, {"authorizationKey": CANARY}),
        (AUTHORIZATION, {"authorizationKey": CANARY}),
        (PEERING, {"sharedKey": CANARY}),
        (CIRCUIT, {"authorizationKey": CANARY}),
        (CIRCUIT, {"authorizations": [{"name": "a", "properties": {"authorizationKey": CANARY}}]}),
        (CIRCUIT, {"peerings": [{"name": "p", "properties": {"sharedKey": CANARY}}]}),
        (CONNECTION, {"SharedKey": CANARY}),
    ],
)
def test_every_place_that_may_echo_a_secret_is_known(resource_id: ArmId, properties: dict[str, Any]) -> None:
    found = observed(resource_id, document(resource_id, **properties))

    assert CANARY not in repr(found)
    assert KEY.fingerprint(CANARY).digest in repr(found)


def test_the_keys_of_a_list_are_fingerprinted_too() -> None:
    other = CIRCUIT.child("authorizations", "auth-2")
    items = [document(each, authorizationKey=CANARY) for each in (AUTHORIZATION, other)]
    script = Script().on("GET", "/authorizations", Reply(200, {"value": items}))

    found = cloud_of(script).observe([AUTHORIZATION, other])

    assert CANARY not in repr(found)


def test_a_type_that_we_do_not_describe_keeps_no_secret_either() -> None:
    unknown = ArmId.build(HUB, "g", "Microsoft.Network/vpnSites", "s")

    found = without_secrets(document(unknown, links=[{"sharedKey": CANARY}]), shape_at(unknown.type), KEY.fingerprint)

    assert found["properties"]["links"] == [{"sharedKey": KEY.fingerprint(CANARY)}]


def test_a_tag_may_be_called_like_a_secret() -> None:
    shown = document(SITE) | {"tags": {"sharedKey": "rotated 2026"}}

    found = cloud_of(Script().on("GET", "", Reply(200, shown))).read(SITE)

    assert found.document is not None
    assert found.document["tags"] == {"sharedKey": "rotated 2026"}


def test_the_service_key_of_a_circuit_is_handed_to_the_provider_and_stays() -> None:
    assert observed(CIRCUIT, document(CIRCUIT, serviceKey="guid"))["serviceKey"] == "guid"


@pytest.mark.parametrize("secrets", [(CANARY,), ()])
def test_no_refusal_shows_a_value_that_was_sent_or_echoed(secrets: tuple[str, ...]) -> None:
    script = (
        Script()
        .on("GET", "/con-berlin", Reply(200, document(CONNECTION, sharedKey=CANARY)))
        .on("PUT", "/con-berlin", Reply(400, error("InvalidSharedKey", f"The key {CANARY} is bad.")))
    )
    cloud = cloud_of(script)
    if not secrets:
        cloud.read(CONNECTION)

    with pytest.raises(AzureRefused) as caught:
        cloud.begin(Call("put", CONNECTION, {"properties": {"sharedKey": CANARY}}, secrets=secrets))

    assert CANARY not in str(caught.value)
    assert "The key *** is bad." in str(caught.value)


def test_no_failed_operation_shows_a_value_that_was_sent() -> None:
    failed = {"status": "Failed", "error": {"code": "Bad", "message": f"key {CANARY}"}}
    script = (
        Script()
        .on("PUT", "/con-berlin", Reply(201, document(CONNECTION, "Updating"), {"Azure-AsyncOperation": OPERATION}))
        .on("GET", "/op-1", Reply(200, failed))
        .on("GET", "/con-berlin", Reply(200, document(CONNECTION, "Failed", sharedKey=CANARY)))
    )
    cloud = cloud_of(script)

    call = Call("put", CONNECTION, {"properties": {"sharedKey": CANARY}}, secrets=(CANARY,))
    pending = cloud.begin(call)
    assert isinstance(pending, Pending)
    found = cloud.poll(pending)

    assert isinstance(found, Ended)
    assert CANARY not in f"{call!r} {pending!r} {found!r} {found.error}"


def test_logging_at_its_loudest_shows_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    script = Script().on("PUT", "/con-berlin", Reply(201, document(CONNECTION, "Updating", sharedKey=CANARY)))

    with caplog.at_level("DEBUG"):
        cloud_of(script).begin(
            Call("put", CONNECTION, {"properties": {"sharedKey": CANARY}}, tenants=("t",), secrets=(CANARY,))
        )

    assert CANARY not in caplog.text
    assert "Bearer" not in caplog.text
    assert "simulated" not in caplog.text


# --- secrets that Azure makes --------------------------------------------------------------------------------------

OUTPUT = Output(AUTHORIZATION, "properties.authorizationKey", secret=True)


def test_a_key_that_azure_made_is_read_and_never_shown() -> None:
    script = Script().on("GET", "/auth-1", Reply(200, document(AUTHORIZATION, authorizationKey=CANARY)))

    found = cloud_of(script).secret(OUTPUT)

    assert found.value == CANARY
    assert CANARY not in repr(found)


@pytest.mark.parametrize("echo", [{}, {"authorizationKey": "****"}, {"authorizationKey": ""}])
def test_a_key_that_get_no_longer_tells_is_listed(echo: dict[str, str]) -> None:
    script = (
        Script()
        .on("GET", "/auth-1", Reply(200, document(AUTHORIZATION, **echo)))
        .on("POST", "/auth-1/listKeys", Reply(503, "<html/>"), Reply(200, {"authorizationKey": CANARY}))
    )

    assert cloud_of(script).secret(OUTPUT).value == CANARY


@pytest.mark.parametrize(
    ("output", "script"),
    [
        (OUTPUT, Script().on("GET", "", Reply(404, error("NotFound")))),
        (
            OUTPUT,
            Script().on("GET", "", Reply(200, document(AUTHORIZATION))).on("POST", "/listKeys", Reply(200, {})),
        ),
        (Output(PEERING, "properties.sharedKey", secret=True), Script().on("GET", "", Reply(200, document(PEERING)))),
    ],
)
def test_a_key_that_azure_does_not_tell_is_an_error_never_an_empty_value(output: Output, script: Script) -> None:
    with pytest.raises(OutputMissing, match="does not tell"):
        cloud_of(script).secret(output)


def test_a_fingerprint_is_never_sent() -> None:
    body = {"properties": {"sharedKey": Fingerprint("k", "d")}}

    with pytest.raises(TypeError, match="Fingerprint"):
        cloud_of(Script()).begin(Call("put", CONNECTION, body))
