"""Azure's refusals and the transport's failures, each translated once into our error tree.

What happened is told by ``error.code`` without its spaces, never by the SDK's exception class: the SDK calls every 409
`ResourceExistsError`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from azure.core.exceptions import ClientAuthenticationError, ServiceRequestError

from vpngw_iac.azure.answer import Answer, AzureError, seconds_in
from vpngw_iac.errors import (
    AzureIds,
    AzureRefused,
    CloudError,
    Contention,
    EndpointError,
    Forbidden,
    OtherTenant,
    PreconditionFailed,
    SignInFailed,
    Throttled,
    Unavailable,
)
from vpngw_iac.masks import Masks

CONTENTION = frozenset(
    {
        "anotheroperationinprogress",
        "retryableerror",
        "retryableerrorduetoanotheroperation",
        "referencedresourcenotprovisioned",
        "canceledandsupersededduetoanotheroperation",
    }
)
"""A lock, not a refusal (R-OPS-01, R-OPS-02, R-OPS-03)."""

_ADVICE = {
    "missingsubscriptionregistration": "Register it once: `az provider register --namespace Microsoft.Network`.",
    "scopelocked": "A management lock protects it. Remove the lock, or leave this resource alone.",
    "requestdisallowedbypolicy": "An Azure Policy denies it. Ask who owns the policy, or change the blueprint.",
    "invalidapiversionparameter": "This endpoint does not know the api-version of our SDK.",
    "noregisteredproviderfound": "This region or endpoint does not offer the type in the api-version of our SDK.",
    "parentresourceisinfailedstate": "Repair the parent first: the next `vpngw apply` puts it back as it was.",
}

OTHER_TENANT = "invalidauthenticationtokentenant"
"""Code of a 401 that no fresh token cures: the subscription belongs to another tenant."""

_NOT_A_PERMISSION = frozenset({"requestdisallowedbypolicy", "readonlydisabledsubscription", "scopelocked"})

_ACTION = re.compile(r"perform action '(?P<action>[^']+)'[^']*?scope '(?P<scope>[^']+)'", re.IGNORECASE)
_LINKED = re.compile(r"linked scope\(?s?\)? '(?P<scope>[^']+)'", re.IGNORECASE)
_AADSTS = re.compile(r"AADSTS\d+")

_SIGN_IN = {
    "AADSTS7000215": "the client secret is wrong (it must be the secret's value, not its id)",
    "AADSTS7000222": "the client secret has expired",
    "AADSTS700024": "the client assertion has expired",
    "AADSTS700016": "the application (client id) does not exist in this tenant",
    "AADSTS700027": "the client certificate is not registered for this application",
    "AADSTS70021": "no federated credential of the application matches this token",
    "AADSTS700211": "no federated credential of the application matches the issuer of this token",
    "AADSTS700212": "no federated credential of the application matches the audience of this token",
    "AADSTS700213": "no federated credential of the application matches the subject of this token",
    "AADSTS90002": "the tenant does not exist in this cloud",
    "AADSTS900023": "the tenant id is neither a GUID nor a domain name",
    "AADSTS50020": "the user does not exist in this tenant",
    "AADSTS50076": "multi-factor authentication is required",
    "AADSTS50079": "multi-factor authentication must be set up",
    "AADSTS53003": "a Conditional Access policy blocks this sign-in",
    "AADSTS500011": "the cloud's management service is unknown in this tenant",
    "AADSTS700082": "the sign-in has expired through inactivity",
    "AADSTS50173": "the sign-in was revoked",
    "AADSTS7000112": "the application is disabled",
}


def scrub(text: str, secrets: Iterable[str]) -> str:
    """The text without any of the values, in whatever form they stand there."""
    return (secrets if isinstance(secrets, Masks) else Masks(secrets)).scrub(text)


LONGEST_TEXT = 1500
"""Characters of Azure's words that an error shows."""


def refusal(
    answer: Answer, doing: str, ids: AzureIds, secrets: Iterable[str] = (), *, endpoint: str = ""
) -> CloudError:
    """The error for a read that did not succeed. `doing` says what was asked: ``get /subscriptions/...``."""
    error = answer.error
    if not answer.is_json or not error.code:
        found = _not_arm(answer, doing, ids, _masked(error.message, secrets), endpoint)
        if found is not None:
            return found
    return _by_code(answer.status, error, doing, ids, answer.retry_after, secrets)


def write_failure(
    answer: Answer, doing: str, ids: AzureIds, secrets: Iterable[str] = (), *, endpoint: str = ""
) -> CloudError:
    """The error for an answer to a write that is not a success: `Unavailable` for everything that is not a refusal.

    A refusal is a status from 400 to 499 other than 408 with ARM's error object and a code. Any other end is unsure:
    whether the write was carried out is unknown, whatever the status says and whoever answered.
    """
    if answer.is_refusal:
        return _by_code(answer.status, answer.error, doing, ids, answer.retry_after, secrets)
    said = _masked(answer.error.text(), secrets)
    text = f"{doing}: {endpoint or 'the endpoint'} {_what(answer)}, which does not say whether it was done. {said}"
    return Unavailable(
        text.strip(),
        retry_after=answer.retry_after,
        status=answer.status,
        code=_masked(answer.error.code, secrets),
        ids=ids,
    )


def _what(answer: Answer) -> str:
    """How an answer that proves nothing is told."""
    status = answer.status
    if 300 <= status < 400:
        return f"answered a redirect (HTTP {status})"
    if not answer.is_json:
        return f"answered HTTP {status} with a body that cannot be read ({answer.unreadable})"
    if status < 300:
        return f"answered HTTP {status} with " + ("an error" if answer.error.code else "a body that is not a resource")
    return (
        f"answered HTTP {status}" if status >= 500 or status == 408 else f"answered HTTP {status} without an ARM error"
    )


def _masked(text: str, secrets: Iterable[str]) -> str:
    """Masked first, cut afterwards: half a secret would not be recognised."""
    return scrub(text, secrets)[:LONGEST_TEXT]


def operation_failure(error: AzureError, doing: str, ids: AzureIds, secrets: Iterable[str] = ()) -> CloudError:
    """The error of an operation that was accepted and ended Failed (HTTP 200 with ``status: Failed``)."""
    code = _masked(error.code, secrets)
    if error.codes() & CONTENTION:
        text = _masked(f"{doing}: {error.text()}", secrets)
        return Contention(text, retry_after=seconds_in(error), status=200, code=code, ids=ids)
    said = error.text() or "it ended Failed, and Azure gives no reason."
    return AzureRefused(
        _masked(f"{doing}: {said}", secrets),
        status=200,
        code=code,
        ids=ids,
        advice=_ADVICE.get(error.code.lower(), ""),
    )


def _by_code(
    status: int, error: AzureError, doing: str, ids: AzureIds, retry_after: float | None, secrets: Iterable[str]
) -> CloudError:
    code = _masked(error.code, secrets)
    text = _masked(f"{doing}: {error.text() or f'HTTP {status} without a reason.'}", secrets)
    if error.codes() & CONTENTION and status < 500:
        return Contention(
            text, retry_after=retry_after, status=status, code=_masked(_innermost(error), secrets), ids=ids
        )
    if status == 429:
        return Throttled(text, retry_after=retry_after, code=code, ids=ids)
    if status == 412:
        return PreconditionFailed(
            text, status=status, code=code, ids=ids, advice="Somebody changed it meanwhile. Plan again."
        )
    if status == 401:
        return (OtherTenant if code.lower() == OTHER_TENANT else SignInFailed)(text, status=401, code=code, ids=ids)
    if status == 404 and code.lower() == "subscriptionnotfound":
        advice = "Check the subscription id, and that you are signed in to its tenant and cloud."
        return Forbidden(text, status=status, code=code, ids=ids, advice=advice)
    if status == 403 and code.lower() not in _NOT_A_PERMISSION:
        return _forbidden(error, doing, text, ids, secrets)
    if status == 408 or (status >= 500 and status != 501):
        return Unavailable(text, retry_after=retry_after, status=status, code=code, ids=ids)
    return AzureRefused(text, status=status, code=code, ids=ids, advice=_ADVICE.get(code.lower(), ""))


def _innermost(error: AzureError) -> str:
    """``RetryableError`` says nothing; the code in its details says what we wait for."""
    known = [each.code for each in error.walk() if each.code.lower() in CONTENTION]
    return known[-1] if known else error.code


def _forbidden(error: AzureError, doing: str, text: str, ids: AzureIds, secrets: Iterable[str]) -> CloudError:
    code = _masked(error.code, secrets)
    named = _ACTION.search(error.message)
    if named is None:
        return Forbidden(text, status=403, code=code, ids=ids)
    linked = _LINKED.search(error.message)
    scope = (linked or named)["scope"]
    message = f"{doing}: not permitted to {named['action']} at {scope} ({error.code})."
    return Forbidden(_masked(message, secrets), status=403, code=code, ids=ids)


def _not_arm(answer: Answer, doing: str, ids: AzureIds, said: str, endpoint: str) -> CloudError | None:
    """An answer that is not ARM's error document: a proxy, a portal, a gateway in trouble, or something else."""
    status = answer.status
    what = "a redirect" if 300 <= status < 400 else f"HTTP {status} without an ARM error"
    if status == 429:
        text = f"{doing}: too many requests."
        return Throttled(text, retry_after=answer.retry_after, ids=ids)
    if status == 401 and answer.is_json:
        return SignInFailed(f"{doing}: Azure did not accept the token. {said}".strip(), status=status, ids=ids)
    if status == 408 or (status >= 500 and not (status == 501 and answer.is_json)):
        text = f"{doing}: no usable answer of {endpoint or 'the endpoint'} (HTTP {status}). {said}".strip()
        return Unavailable(text, retry_after=answer.retry_after, status=status, ids=ids)
    if answer.is_json and (said or status in {403, 409, 412}):
        return None
    if not answer.is_json and answer.unreadable:
        what = f"HTTP {status} with a body that cannot be read ({answer.unreadable})"
    return not_arm(f"{doing}: {what} came back" + (f" from {endpoint}" if endpoint else ""), ids, status)


def not_arm(what: str, ids: AzureIds, status: int = 0) -> EndpointError:
    """Somebody answers who is not Azure Resource Manager."""
    return EndpointError(
        f"{what}. Is this an Azure Resource Manager endpoint?",
        status=status,
        ids=ids,
        advice="Check --cloud and, behind a company proxy, HTTPS_PROXY and REQUESTS_CA_BUNDLE.",
    )


def transport_failure(
    error: Exception, doing: str, ids: AzureIds, *, endpoint: str, reached: bool, secrets: Iterable[str] = ()
) -> CloudError:
    """The error when no answer came. `reached` says whether this endpoint has answered before in this run."""
    if isinstance(error, ClientAuthenticationError):
        found = sign_in_failure(error, ids, secrets)
        return Unavailable(found.message, ids=ids) if reached and isinstance(found, EndpointError) else found
    reason = _reason(error, secrets)
    if isinstance(error, ServiceRequestError) and not reached:
        return EndpointError(f"{endpoint} cannot be reached: {reason}", ids=ids, advice=_advice(reason))
    return Unavailable(f"{doing}: the connection to {endpoint} broke: {reason}", ids=ids)


def _reason(error: BaseException, secrets: Iterable[str] = ()) -> str:
    """The innermost cause in one line: what libraries wrap around it helps nobody."""
    text = scrub(" ".join(scrub(str(error), secrets).split()), secrets)
    short = {
        r"certificate verify failed[^)(]*": "",
        r"Name or service not known|getaddrinfo failed|nodename nor servname|Temporary failure in name resolution": (
            "its name cannot be resolved"
        ),
        r"Connection refused": "connection refused",
        r"timed out": "no answer in time",
        r"not permitted for non-TLS": "a token is never sent over plain HTTP",
    }
    for pattern, words in short.items():
        found = re.search(pattern, text, re.IGNORECASE)
        if found:
            return f"{(words or found[0]).strip(' .')}."
    return f"{text[:300] or type(error).__name__}"


def _advice(reason: str) -> str:
    if "certificate" in reason.lower():
        return "If the endpoint has a private certificate authority, name its file in REQUESTS_CA_BUNDLE."
    return "Check --cloud, the network and HTTPS_PROXY."


_HOST = re.compile(r"HTTPSConnectionPool\(host='([^']+)'")


def sign_in_failure(error: Exception, ids: AzureIds, secrets: Iterable[str] = ()) -> SignInFailed | EndpointError:
    """A credential's failure in one sentence. The AADSTS code stays: it is what people search for."""
    text = scrub(str(error), secrets)
    host = _HOST.search(text)
    if host is not None:
        reason = _reason(error, secrets)
        return EndpointError(
            f"{host[1]}, which signs us in, cannot be reached: {reason}", ids=ids, advice=_advice(reason)
        )
    code = _AADSTS.search(text)
    if code is not None:
        said = _SIGN_IN.get(code[0]) or _sentence_after(text, code[0])
        return SignInFailed(f"Sign-in failed: {scrub(said, secrets)} ({code[0]}).", code=code[0], ids=ids)
    tried = re.findall(r"^\s*(\w+Credential): ", text, re.MULTILINE)
    if tried:
        ways = ", ".join(dict.fromkeys(name.removesuffix("Credential") for name in tried))
        return SignInFailed(f"Nobody is signed in: none of these gave a token: {ways}.", ids=ids)
    return SignInFailed(f"Sign-in failed: {scrub(' '.join(text.split())[:300], secrets)}", ids=ids)


def _sentence_after(text: str, code: str) -> str:
    rest = text.partition(code)[2].lstrip(": ")
    return " ".join(re.split(r"Trace ID|Correlation ID|\. |\r|\n", rest)[0].split())[:300].rstrip(".") or "refused"
