"""Every refusal that the recordings know becomes the right error, told by its code."""

from __future__ import annotations

from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError, ServiceResponseError

from tests.azure.scripted import error
from vpngw_iac.azure.answer import Answer, error_in
from vpngw_iac.azure.translate import operation_failure, refusal, scrub, sign_in_failure, transport_failure
from vpngw_iac.errors import (
    AzureIds,
    AzureRefused,
    CloudError,
    Contention,
    EndpointError,
    ExitCode,
    Forbidden,
    OtherTenant,
    PreconditionFailed,
    SignInFailed,
    Throttled,
    Unavailable,
)

IDS = AzureIds("correlation", "request", "operation", "2026-01-01T00:00:00Z")


def answer(status: int, body: Any = None, **headers: str) -> Answer:
    content = (
        b"" if body is None else body.encode() if isinstance(body, str) else __import__("json").dumps(body).encode()
    )
    return Answer.of(status, {name.replace("_", "-"): value for name, value in headers.items()}, content)


def translated(status: int, body: Any = None, **headers: str) -> CloudError:
    return refusal(answer(status, body, **headers), "put /x", IDS)


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "InvalidGatewaySkuSpecifiedForGatewayDeploymentType", AzureRefused),
        (400, "InvalidVpnClientAddressPrefixOrCidr", AzureRefused),
        (400, "LocalNetworkGatewayCannotHaveZeroAsn", AzureRefused),
        (400, "InvalidIpAddress", AzureRefused),
        (400, "InvalidAddressPrefixFormat", AzureRefused),
        (400, "NetcfgInvalidSubnet", AzureRefused),
        (400, "PublicIPAddressCannotBeDeleted", AzureRefused),
        (400, "InUseSubnetCannotBeDeleted", AzureRefused),
        (400, "NicInUse", AzureRefused),
        (400, "InUseNetworkSecurityGroupCannotBeDeleted", AzureRefused),
        (400, "ExpressRouteCircuitServiceProviderDoesNotExist", AzureRefused),
        (400, "ParentResourceIsInFailedState", AzureRefused),
        (404, "ResourceNotFound", AzureRefused),
        (404, "NotFound", AzureRefused),
        (404, "ResourceGroupNotFound", AzureRefused),
        (404, "InvalidResourceType", AzureRefused),
        (404, "SubscriptionNotFound", Forbidden),
        (409, "AnotherOperationInProgress", Contention),
        (409, "ResourceGroupDeletionBlocked", AzureRefused),
        (409, "MissingSubscriptionRegistration", AzureRefused),
        (409, "ScopeLocked", AzureRefused),
        (400, "ReferencedResourceNotProvisioned", Contention),
        (409, "ReferencedResourceNotProvisioned", Contention),
        (412, "PreconditionFailed", PreconditionFailed),
        (429, "RetryableError", Contention),
        (429, "RetryableErrorDueToAnotherOperation", Contention),
        (429, "SubscriptionRequestsThrottled", Throttled),
        (429, "TooManyRequests", Throttled),
        (500, "InternalServerError", Unavailable),
        (503, "ServerTimeout", Unavailable),
        (501, "NotSimulated", AzureRefused),
        (401, "ExpiredAuthenticationToken", SignInFailed),
        (401, "InvalidAuthenticationTokenTenant", OtherTenant),
        (403, "AuthorizationFailed", Forbidden),
        (403, "RequestDisallowedByPolicy", AzureRefused),
    ],
)
def test_the_code_decides_what_a_refusal_means(status: int, code: str, kind: type[CloudError]) -> None:
    found = translated(status, error(code, "because."))

    assert type(found) is kind
    assert (found.status, found.code, found.ids) == (status, code, IDS)
    assert f"put /x: {code}: because." in found.message


@pytest.mark.parametrize("code", [" AnotherOperationInProgress", "anotheroperationinprogress "])
def test_a_code_with_spaces_or_in_another_casing_is_the_same_code(code: str) -> None:
    assert type(translated(409, error(code))) is Contention


@pytest.mark.parametrize("detail", ["RetryableErrorDueToAnotherOperation", "ReferencedResourceNotProvisioned"])
def test_what_is_waited_for_stands_in_the_details_of_a_retryable_error(detail: str) -> None:
    inner = [{"code": detail, "message": "The call can be retried in 11 seconds."}]

    found = translated(429, error("RetryableError", "A retryable error occurred.", details=inner))

    assert isinstance(found, Contention)
    assert (found.code, found.retry_after, found.status) == (detail, 11.0, 429)


def test_seconds_in_the_message_count_when_no_header_says_more() -> None:
    body = error("SubscriptionRequestsThrottled", "Please try again after '6' seconds.")

    in_text = translated(429, body)
    in_header = translated(429, body, Retry_After="17")

    assert isinstance(in_text, Throttled)
    assert isinstance(in_header, Throttled)
    assert (in_text.retry_after, in_header.retry_after) == (6.0, 17.0)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("0", None), ("10", 10.0), ("garbage", None), ("Thu, 01 Jan 1970 00:00:00 GMT", None), ("", None)],
)
def test_a_retry_after_of_zero_or_nonsense_counts_as_missing(header: str, seconds: float | None) -> None:
    assert answer(202, None, Retry_After=header).retry_after == seconds


def test_milliseconds_are_understood() -> None:
    assert answer(429, None, retry_after_ms="2500").retry_after == 2.5


def test_a_bare_error_without_its_envelope_is_read() -> None:
    found = translated(412, {"code": "PreconditionFailed", "message": "etag mismatch"})

    assert isinstance(found, PreconditionFailed)
    assert "etag mismatch" in found.message


def test_a_blocked_group_delete_tells_who_blocks_it() -> None:
    inner = '{"error": {"code": "InUseSubnetCannotBeDeleted", "message": "Subnet GatewaySubnet is in use by vgw-x."}}'
    body = {
        "Error": {
            "Code": "ResourceGroupDeletionBlocked",
            "Message": "Deletion of resource group failed.",
            "Details": [{"Code": "400", "Target": "/subscriptions/s/vnet", "Message": inner}],
        }
    }

    found = translated(409, body)

    assert type(found) is AzureRefused
    assert found.code == "ResourceGroupDeletionBlocked"
    assert "InUseSubnetCannotBeDeleted: Subnet GatewaySubnet is in use by vgw-x." in found.message


def test_a_missing_permission_is_named_with_its_scope() -> None:
    said = (
        "The client 'c' with object id 'o' does not have authorization to perform action "
        "'Microsoft.Network/virtualNetworkGateways/write' over scope '/subscriptions/s/resourceGroups/g' or the scope "
        "is invalid. If access was recently granted, please refresh your credentials."
    )

    found = translated(403, error("AuthorizationFailed", said))

    assert found.exit_code == ExitCode.PERMISSION
    assert found.message == (
        "put /x: not permitted to Microsoft.Network/virtualNetworkGateways/write at /subscriptions/s/resourceGroups/g "
        "(AuthorizationFailed)."
    )


def test_a_linked_scope_is_the_one_that_is_named() -> None:
    said = (
        "The client has permission to perform action 'Microsoft.Network/publicIPAddresses/join/action' on scope "
        "'/subscriptions/s/gw', however it does not have permission on the linked scope(s) '/subscriptions/s/pip'."
    )

    found = translated(403, error("LinkedAuthorizationFailed", said))

    assert "Microsoft.Network/publicIPAddresses/join/action at /subscriptions/s/pip" in found.message


def test_an_unregistered_provider_says_how_to_register_it() -> None:
    found = translated(409, error("MissingSubscriptionRegistration"))

    assert found.advice == "Register it once: `az provider register --namespace Microsoft.Network`."


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, "<html>not here</html>", EndpointError),
        (403, "<html>blocked by proxy</html>", EndpointError),
        (302, None, EndpointError),
        (404, None, EndpointError),
        (404, {"message": "no such page"}, AzureRefused),
        (503, "<!DOCTYPE html><html/>", Unavailable),
        (502, None, Unavailable),
        (500, {"oops": 1}, Unavailable),
        (429, "<html>slow down</html>", Throttled),
        (401, None, SignInFailed),
        (409, None, AzureRefused),
    ],
)
def test_what_is_not_an_arm_error_is_told_by_who_must_have_sent_it(
    status: int, body: Any, kind: type[CloudError]
) -> None:
    assert type(translated(status, body)) is kind


def test_an_operation_that_failed_keeps_its_code_without_the_space() -> None:
    failed = error_in({"status": "Failed", "error": {"code": " InternalError", "message": "Bad peer.", "details": []}})

    found = operation_failure(failed, "put /x", IDS)

    assert type(found) is AzureRefused
    assert (found.code, found.message) == ("InternalError", "put /x: InternalError: Bad peer.")


def test_an_operation_that_failed_because_of_another_is_contention() -> None:
    failed = error_in(error("RetryableErrorDueToAnotherOperation", "can be retried in 9 seconds."))

    found = operation_failure(failed, "put /x", IDS)

    assert isinstance(found, Contention)
    assert found.retry_after == 9.0


def test_an_operation_without_a_reason_says_so() -> None:
    found = operation_failure(error_in(None), "put /x", IDS)

    assert found.message == "put /x: it ended Failed, and Azure gives no reason."


@pytest.mark.parametrize("value", ["s3cret+/=", 'with"quote\\'])
def test_no_message_shows_a_secret_in_any_of_its_forms(value: str) -> None:
    from json import dumps
    from urllib.parse import quote

    text = f"raw {value} json {dumps(value)} url {quote(value, safe='')}"

    assert scrub(text, [value, ""]) == 'raw *** json "***" url ***'


def test_a_refusal_that_quotes_the_key_is_scrubbed() -> None:
    found = refusal(answer(400, error("InvalidSharedKey", "The key 'hunter2' is bad.")), "put /x", IDS, ["hunter2"])

    assert "hunter2" not in found.message
    assert "The key '***' is bad." in found.message


@pytest.mark.parametrize(
    ("failure", "reached", "kind", "words"),
    [
        (ServiceRequestError("<urllib3> [Errno 111] Connection refused"), False, EndpointError, "connection refused"),
        (ServiceRequestError("[Errno -2] Name or service not known"), False, EndpointError, "cannot be resolved"),
        (
            ServiceRequestError("SSLCertVerificationError certificate verify failed: self-signed certificate"),
            False,
            EndpointError,
            "certificate verify failed",
        ),
        (ServiceRequestError("[Errno 111] Connection refused"), True, Unavailable, "connection refused"),
        (ServiceResponseError("Connection aborted."), False, Unavailable, "Connection aborted"),
        (ServiceResponseError("Read timed out. (read timeout=120)"), True, Unavailable, "no answer in time"),
    ],
)
def test_a_connection_that_never_stood_is_the_endpoint_and_one_that_broke_is_the_network(
    failure: Exception, reached: bool, kind: type[CloudError], words: str
) -> None:
    found = transport_failure(failure, "get /x", IDS, endpoint="https://arm.example", reached=reached)

    assert type(found) is kind
    assert words in found.message
    assert "https://arm.example" in found.message


def test_a_private_certificate_authority_is_explained() -> None:
    failure = ServiceRequestError("certificate verify failed: unable to get local issuer certificate")

    found = transport_failure(failure, "get /x", IDS, endpoint="https://arm.example", reached=False)

    assert "REQUESTS_CA_BUNDLE" in found.advice


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "Authentication failed: AADSTS7000215: Invalid client secret provided. Ensure the secret being sent ...",
            "Sign-in failed: the client secret is wrong (it must be the secret's value, not its id) (AADSTS7000215).",
        ),
        (
            "Authentication failed: AADSTS700024: Client assertion is not within its valid time range.",
            "Sign-in failed: the client assertion has expired (AADSTS700024).",
        ),
        (
            "Authentication failed: AADSTS12345678: Something new went wrong. Trace ID: 1 Correlation ID: 2",
            "Sign-in failed: Something new went wrong (AADSTS12345678).",
        ),
        (
            "DefaultAzureCredential failed to retrieve a token from the included credentials.\n"
            "Attempted credentials:\n"
            "\tEnvironmentCredential: EnvironmentCredential authentication unavailable. Environment variables are ...\n"
            "\tManagedIdentityCredential: No response from the IMDS endpoint, timed out.\n"
            "\tAzureCliCredential: Please run 'az login' to set up an account\n",
            "Nobody is signed in: none of these gave a token: Environment, ManagedIdentity, AzureCli.",
        ),
    ],
)
def test_a_failed_sign_in_is_one_sentence_with_its_code(text: str, message: str) -> None:
    found = sign_in_failure(ClientAuthenticationError(message=text), IDS)

    assert type(found) is SignInFailed
    assert found.message == message
    assert found.exit_code == ExitCode.PERMISSION


def test_an_unreachable_sign_in_service_is_not_a_wrong_password() -> None:
    text = (
        "DefaultAzureCredential failed\nAttempted credentials:\n\tEnvironmentCredential: HTTPSConnectionPool("
        "host='login.microsoftonline.com', port=443): Max retries exceeded (Connection refused)"
    )

    found = sign_in_failure(ClientAuthenticationError(message=text), IDS)

    assert type(found) is EndpointError
    assert found.message == "login.microsoftonline.com, which signs us in, cannot be reached: connection refused."
