"""The SDK's clients, one pair per subscription, and the single place where a request leaves this program.

Retries and pollers of the SDK are off, redirects are not followed, nothing is logged that may hold a body or a token.
Every answer is taken as raw JSON: a model would rename nothing, but would drop what this version does not know.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from azure.core.exceptions import AzureError
from azure.core.pipeline import policies
from azure.core.rest import HttpRequest
from azure.mgmt.core import ARMPipelineClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy, ARMHttpLoggingPolicy

from vpngw_iac._version import __version__
from vpngw_iac.azure.answer import ID_LENGTH, Answer
from vpngw_iac.azure.budget import Budget, kind_of
from vpngw_iac.azure.clouds import CloudSettings
from vpngw_iac.azure.plain_url import leads_home
from vpngw_iac.azure.reads import path_of
from vpngw_iac.azure.sign_in import Tokens
from vpngw_iac.azure.translate import (
    CONTENTION,
    LONGEST_TEXT,
    OTHER_TENANT,
    not_arm,
    refusal,
    scrub,
    sign_in_failure,
    transport_failure,
)
from vpngw_iac.call_threads import CallThreads
from vpngw_iac.engine.ports import Clock
from vpngw_iac.errors import AzureIds, Unavailable, VpngwError
from vpngw_iac.masks import Masks


class _Challenged(ARMChallengeAuthenticationPolicy):
    """Answers a challenge for more claims; but repeats a write only after a 401 that Azure itself has answered.

    Somebody on the way may have passed the request on and answered 401 himself: it may have been carried out.
    """

    def on_challenge(self, request: Any, response: Any) -> bool:
        http = response.http_response
        if request.http_request.method not in ("GET", "HEAD"):
            answer = Answer.of(http.status_code, http.headers, _content(http))
            if not answer.is_refusal:
                return False
        return bool(super().on_challenge(request, response))


def _library(name: str) -> Any:
    """The client class of one package; loading it takes long, and who only reads does without."""
    if name == "network":
        from azure.mgmt.network import NetworkManagementClient

        return NetworkManagementClient
    from azure.mgmt.resource.resources import ResourceManagementClient

    return ResourceManagementClient


def _content(response: Any) -> bytes:
    """The body of a response of either generation of the SDK's transports."""
    content = response.read() if hasattr(response, "read") else response.body()
    return bytes(content)


class Arm:
    """Azure Resource Manager through the SDK: one call in, one `Answer` or `CloudError` out. Safe between threads."""

    def __init__(
        self,
        settings: CloudSettings,
        tokens: Tokens,
        transport: Any,
        *,
        clock: Clock,
        correlation: str,
        tenants: Mapping[str, str] | None = None,
        masks: Masks | None = None,
        budget: Budget | None = None,
        threads: CallThreads | None = None,
    ) -> None:
        """`budget` is what several clients of one process know together of the quota that is left.

        They share `threads` too.
        """
        self.settings = settings
        self.correlation = correlation
        self.budget = budget or Budget()
        self.threads = threads or CallThreads()
        self._tokens = tokens
        self._transport = transport
        self._clock = clock
        self._tenants = {subscription.lower(): tenant for subscription, tenant in (tenants or {}).items()}
        self._guard = threading.Lock()
        self._clients: dict[tuple[str, str], Any] = {}
        self._reached = False
        self.secrets = masks or Masks()
        """What no message may show."""

    def call(
        self,
        subscription: str,
        sdk: str,
        method: str,
        *arguments: Any,
        headers: Mapping[str, str] | None = None,
        api_version: str = "",
        more: Mapping[str, Any] | None = None,
        writes: bool = False,
        doing: str,
    ) -> Answer:
        """One SDK call, for example ``("network.subnets", "get", group, vnet, subnet)``; any status is an answer.

        The generic calls by id take the `api_version` of the provider that they are meant for; `more` are options that
        only this method has. Reads need no package of the SDK where `reads` knows the installed one.
        """
        path = path_of(subscription, sdk, method, arguments, api_version)
        if path is not None:
            return self.get(subscription, self.settings.endpoint + path, doing=doing)
        library, _, group = sdk.partition(".")
        operations = getattr(self._client(library, subscription), group)
        options: dict[str, Any] = {"polling": False} if method.startswith("begin_") else {}
        if api_version:
            options["api_version"] = api_version
        options |= more or {}

        def send(**extra: Any) -> None:
            result = getattr(operations, method)(*arguments, headers=dict(headers or {}), **options, **extra)
            if hasattr(result, "by_page"):
                next(iter(result.by_page()), None)

        return self._exchange(subscription, send, doing, writes=writes)

    def load(self, sdk: str) -> None:
        """Load the package of an operation group."""
        _library(sdk.partition(".")[0])

    def has(self, subscription: str, sdk: str, method: str) -> bool:
        """Whether this SDK knows a method of an operation group."""
        library, _, group = sdk.partition(".")
        return hasattr(getattr(self._client(library, subscription), group), method)

    def get(self, subscription: str, url: str, *, doing: str) -> Answer:
        """GET a URL that Azure gave us, untouched: operation URLs and next pages bear signatures."""
        client = self._client("raw", subscription)
        return self._exchange(
            subscription, lambda **extra: client.send_request(HttpRequest("GET", url), **extra), doing
        )

    def ask(self, subscription: str, url: str, body: Mapping[str, Any] | None = None, *, doing: str) -> Answer:
        """POST a question that changes nothing: to a service that the SDK has no client for, or without its package."""
        client = self._client("raw", subscription)
        content: dict[str, Any] = {} if body is None else {"json": dict(body)}
        return self._exchange(
            subscription, lambda **extra: client.send_request(HttpRequest("POST", url, **content), **extra), doing
        )

    def checked(self, answer: Answer, doing: str) -> Answer:
        """The same answer if it is a success in JSON; raises the translated error otherwise."""
        if answer.status >= 300:
            raise refusal(answer, doing, self.ids(answer), self.secrets, endpoint=self.settings.endpoint)
        if not answer.is_json:
            what = f"{doing}: the answer cannot be read ({answer.unreadable})"
            raise not_arm(what, self.ids(answer), answer.status)
        if not answer.is_success:
            said = scrub(answer.error.text(), self.secrets)[:LONGEST_TEXT]
            raise not_arm(f"{doing}: HTTP {answer.status} holds an error: {said}", self.ids(answer), answer.status)
        return answer

    def remember(self, secrets: Iterable[str]) -> None:
        """Values that no message of this run may show, whoever echoes them."""
        self.secrets.add(*secrets)

    def is_ours(self, url: str) -> bool:
        """Whether a URL leads to our endpoint (or, in Azure, to one of its regional hosts): others get no token."""
        return leads_home(url, self.settings.endpoint)

    def ids(self, answer: Answer | None = None) -> AzureIds:
        """What support asks for first."""
        if answer is None:
            return AzureIds(self.correlation, at=self._clock.utc())
        theirs = self.secrets.scrub(answer.headers.get("x-ms-request-id", ""))[:ID_LENGTH]
        operation = self.secrets.scrub(answer.operation_id)
        return AzureIds(self.correlation, theirs or answer.client_request, operation, self._clock.utc())

    def auxiliary(self, tenants: Iterable[str]) -> dict[str, str]:
        """Header with a token of each other tenant whose resources a body names."""
        try:
            tokens = [self._tokens.get_token(self.settings.scope, tenant_id=tenant).token for tenant in tenants]
        except AzureError as error:
            raise sign_in_failure(error, self.ids()) from None
        return {"x-ms-authorization-auxiliary": ", ".join(f"Bearer {token}" for token in tokens)} if tokens else {}

    def _exchange(self, subscription: str, send: Callable[..., object], doing: str, *, writes: bool = False) -> Answer:
        """One exchange; a second one with a new token if the first was not accepted.

        A 401 of Azure's has done nothing. One in another format proves nothing: then a write is not sent again.
        """
        answer = self._once(subscription, send, doing)
        is_curable = answer.status == 401 and answer.error.code.lower() != OTHER_TENANT
        if is_curable and (answer.is_refusal or not writes):
            self._tokens.forget()
            answer = self._once(subscription, send, doing)
        return answer

    def _once(self, subscription: str, send: Callable[..., object], doing: str) -> Answer:
        left: list[Any] = []
        taken: list[Any] = []
        request = str(uuid.uuid4())
        try:
            send(raw_request_hook=left.append, raw_response_hook=taken.append, request_id=request)
        except Exception as error:
            # With an answer the SDK failed to read it (a model, a charset, a depth): we read it ourselves.
            if not taken:
                raise self._failure(error, doing, left=bool(left)) from None
        finally:
            left.clear()  # the SDK's context keeps both hooks: what they hold would wait for the collector
        try:
            response = taken[-1].http_response
            taken.clear()
            answer = Answer.of(response.status_code, response.headers, _content(response), request)
        except Exception as error:
            raise self._failure(error, doing, left=True) from None
        self._reached = True
        self._note(subscription, str(response.request.method), answer)
        return answer

    def _note(self, subscription: str, method: str, answer: Answer) -> None:
        """What an answer tells of the quota; a lock of Azure's comes as 429 too, and is none (R-OPS-01)."""
        now = self._clock.now()
        self.budget.note(subscription, answer.headers, now)
        if answer.status == 429 and not answer.error.codes() & CONTENTION:
            self.budget.refused(subscription, kind_of(method), answer.retry_after or 0.0, now)

    def _failure(self, error: Exception, doing: str, *, left: bool) -> Exception:
        """`left`: the request has left us, so that any failure is one of the way or of who answers."""
        if isinstance(error, VpngwError) or not (left or isinstance(error, AzureError)):
            return error
        if not isinstance(error, AzureError):
            what = f"{doing}: what {self.settings.endpoint} answered cannot be read ({type(error).__name__})"
            return Unavailable(what, ids=self.ids())
        return transport_failure(
            error,
            doing,
            self.ids(),
            endpoint=self.settings.endpoint,
            reached=self._reached,
            secrets=self.secrets,
        )

    def _client(self, library: str, subscription: str) -> Any:
        place = (library, subscription.lower())
        with self._guard:
            if place not in self._clients:
                self._clients[place] = self._new_client(library, subscription)
            return self._clients[place]

    def _new_client(self, library: str, subscription: str) -> Any:
        credential = self._tokens.of_tenant(self._tenants.get(subscription.lower()))
        chain = self._policies(credential)
        endpoint = self.settings.endpoint
        if library == "raw":
            return ARMPipelineClient(base_url=endpoint, policies=chain, transport=self._transport)
        return _library(library)(
            credential,
            subscription,
            base_url=endpoint,
            credential_scopes=[self.settings.scope],
            transport=self._transport,
            policies=chain,
        )

    def _policies(self, credential: Any) -> list[Any]:
        """The SDK's chain without retry, redirect, tracing and automatic registration of providers.

        The last would write to the subscription and sleep without being asked.
        """
        return [
            policies.RequestIdPolicy(),
            policies.HeadersPolicy({"x-ms-correlation-request-id": self.correlation, "Accept": "application/json"}),
            policies.UserAgentPolicy(user_agent=f"vpngw/{__version__}"),
            policies.ProxyPolicy(),
            _Challenged(credential, self.settings.scope),
            policies.CustomHookPolicy(),
            ARMHttpLoggingPolicy(),
        ]
