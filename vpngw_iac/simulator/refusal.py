"""What Azure says no with: status, code and message, in the two shapes ARM answers errors in.

The resource provider's errors carry ``details`` (perhaps empty); errors of ARM's front door carry none, and the
header ``x-ms-failure-cause: gateway`` (recordings, section of errors).
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator.wire import HttpResponse, Json


class Refusal(Exception):
    """The request is refused; `answer()` says it on the wire."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Sequence[Json] | None = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.retry_after = retry_after

    def error(self) -> Json:
        """The value of ``error`` in the body."""
        error: Json = {"code": self.code, "message": self.message}
        if self.details is not None:
            error["details"] = list(self.details)
        return error

    def answer(self) -> HttpResponse:
        """The refusal as ARM sends it, without Retry-After (only the clock knows it)."""
        headers = {} if self.details is not None else {"x-ms-failure-cause": "gateway"}
        return HttpResponse(self.status, {"error": self.error()}, headers)


def refuse(code: str, message: str) -> Refusal:
    """A plain 400 of the provider."""
    return Refusal(400, code, message)


def front_door(status: int, code: str, message: str) -> Refusal:
    """An error of ARM's front door: no details."""
    return Refusal(status, code, message, details=None)


def group_not_found(name: str) -> Refusal:
    """Recorded in ``xplat_arm-network-vpn-connection-tests``."""
    return front_door(404, "ResourceGroupNotFound", f"Resource group '{name}' could not be found.")


def group_being_deleted(name: str) -> Refusal:
    """What every write into a group gets while the group goes away."""
    told = f"The resource group '{name}' is in deprovisioning state and cannot perform this operation."
    return front_door(409, "ResourceGroupBeingDeleted", told)


def location_required() -> Refusal:
    """A resource or a group without a location."""
    return front_door(400, "LocationRequired", "The location property is required for this definition.")


def subscription_not_found(subscription: str) -> Refusal:
    """ARM's answer for a subscription that the caller cannot see."""
    return front_door(404, "SubscriptionNotFound", f"The subscription '{subscription}' could not be found.")


def other_tenant(tenant: str) -> Refusal:
    """ARM's answer to a token of another tenant (Azure/azure-sdk-for-net issue 49391, azure-tools-vscode issue 44)."""
    return front_door(
        401,
        "InvalidAuthenticationTokenTenant",
        "The access token is from the wrong issuer 'https://sts.windows.net/00000000-0000-0000-0000-000000000000/'. It "
        f"must match the tenant 'https://sts.windows.net/{tenant}/' associated with this subscription. Please use the "
        f"authority (URL) 'https://login.windows.net/{tenant}' to get the token. Note, if the subscription is "
        "transferred to another tenant there is no impact to the services, but information about new tenant could take "
        "time to propagate (up to an hour).",
    )


def resource_not_found(type_and_name: str, group: str) -> Refusal:
    """The front door's shape of a missing resource (``xplat_arm-network-local-gateway-tests-generated``)."""
    return front_door(
        404,
        "ResourceNotFound",
        f"The Resource '{type_and_name}' under resource group '{group}' was not found. "
        "For more details please go to https://aka.ms/ARMResourceNotFoundFix",
    )


def not_found(id_text: str) -> Refusal:
    """The provider's shape of a missing resource (``xplat_arm-network-vpn-gateway-tests``)."""
    return Refusal(404, "NotFound", f"Resource {id_text} not found.")


def invalid_reference(target: str, by: str) -> Refusal:
    """A body names something that does not exist."""
    return refuse(
        "InvalidResourceReference",
        f"Resource {target} referenced by resource {by} was not found. Please make sure that the referenced resource "
        "exists, and that both resources are in the same region.",
    )


def not_provisioned(target: str, by: str, state: str) -> Refusal:
    """429 with the detail that a referenced resource is not Succeeded (``errors_bundle_open``, R-OPS-03)."""
    message = (
        f"Cannot proceed with operation because resource {target} used by resource {by} is not in Succeeded state. "
        f"Resource is in {state} state and the last operation that updated/is updating the resource has not succeeded."
    )
    detail = {"code": "ReferencedResourceNotProvisioned", "message": message}
    return Refusal(429, "RetryableError", "A retryable error occurred.", [detail], retry_after=10)


def retryable(operation: str, target: str) -> Refusal:
    """429 because another operation holds the resource (``errors_bundle_open``, R-OPS-01)."""
    message = f"Operation {operation} is updating resource {target}. The call can be retried in 11 seconds."
    detail = {"code": "RetryableErrorDueToAnotherOperation", "message": message}
    return Refusal(429, "RetryableError", "A retryable error occurred.", [detail], retry_after=11)


def another_operation(operation: str) -> Refusal:
    """409, recorded on DELETE of a connection (``xplat_arm-network-vpn-connection-tests``, R-OPS-02)."""
    return Refusal(
        409,
        "AnotherOperationInProgress",
        "Another operation on this or dependent resource is in progress. "
        f"To retrieve status of the operation use uri: {operation}.",
    )


def not_simulated(what: str) -> Refusal:
    """501: we would rather say nothing than something wrong."""
    return front_door(501, "NotSimulated", f"This simulator does not know {what}.")
