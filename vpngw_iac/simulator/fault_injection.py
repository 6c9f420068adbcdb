"""Carrying out faults: what a fault does to a request on its way in, to its operation, and to its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable

from vpngw_iac.simulator import faults as kinds_of_fault
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.faults import Effect, Faults
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

HTML = "<!DOCTYPE html><html><head><title>503</title></head><body><h1>Our services aren't available</h1></body></html>"

EXPIRED = HttpResponse(
    401,
    {"error": {"code": "ExpiredAuthenticationToken", "message": "The access token expiry is in the past."}},
    {"WWW-Authenticate": 'Bearer error="invalid_token", error_description="The access token has expired"'},
)


class FaultInjector:
    """Stands between a request and its answer."""

    def __init__(self, cloud: CloudView, faults: Faults, die: Callable[[], None]) -> None:
        self._cloud = cloud
        self._faults = faults
        self._die = die
        self._recent: dict[Effect, deque[float]] = {}
        self._first_delete: dict[str, float] = {}

    def answer(self, request: HttpRequest, serve: Callable[[HttpRequest], HttpResponse]) -> tuple[HttpResponse, float]:
        """The answer, and how many simulated seconds late it comes. A broken connection raises `ConnectionError`."""
        effects = self._faults.striking(request.method, request.path)
        late = sum(effect.seconds for effect in effects if isinstance(effect, kinds_of_fault.AnswerSlowly))
        for effect in effects:
            instead = self._before(effect, request)
            if instead is not None:
                return instead, late
        answer = serve(request)
        for effect in effects:
            self._after(effect)
            if isinstance(effect, kinds_of_fault.AnswerStrangely):
                answer = _strange(effect, answer)
        return answer, late

    def _before(self, effect: Effect, request: HttpRequest) -> HttpResponse | None:
        match effect:
            case kinds_of_fault.AnswerInstead():
                return _instead(effect)
            case kinds_of_fault.AnswerStrangely(done=False):
                return _strange(effect, HttpResponse(200))
            case kinds_of_fault.BreakConnection(done=False):
                raise ConnectionResetError("The connection was reset before the request was read (fault).")
            case kinds_of_fault.KillProcess(done=False):
                self._die()
            case kinds_of_fault.ExpireToken():
                return EXPIRED
            case kinds_of_fault.RequestQuota():
                return self._throttle(effect, request)
            case kinds_of_fault.StayInUse() if request.method == "DELETE":
                return self._still_in_use(effect, request)
            case _:
                pass
        return None

    def _after(self, effect: Effect) -> None:
        match effect:
            case kinds_of_fault.BreakConnection(done=True):
                raise ConnectionResetError("The connection was reset before the answer was sent (fault).")
            case kinds_of_fault.KillProcess(done=True):
                self._die()
            case _:
                self._change_operation(effect)

    def _change_operation(self, effect: Effect) -> None:
        for operation in self._cloud.begun:
            match effect:
                case kinds_of_fault.FailLate():
                    operation.payload["fail"] = {"code": effect.code, "message": effect.message, "details": []}
                    operation.due = operation.due if effect.after is None else operation.started + effect.after
                case kinds_of_fault.FailForSibling():
                    operation.payload["sibling"] = True
                case kinds_of_fault.LoseOperation():
                    operation.vanished = True
                case kinds_of_fault.SlowOperation():
                    operation.due = operation.started + (operation.due - operation.started) * effect.factor
                case _:
                    continue
            self._cloud.store.save_operation(operation)

    def _throttle(self, effect: kinds_of_fault.RequestQuota, request: HttpRequest) -> HttpResponse | None:
        now, recent = self._cloud.now, self._recent.setdefault(effect, deque())
        while recent and now - recent[0] >= 60.0:
            recent.popleft()
        if len(recent) < effect.per_minute:
            recent.append(now)
            return None
        wait = max(1, round(60.0 - (now - recent[0]))) if recent else 60
        message = (
            f"Number of requests for subscription and operation '{request.method}' exceeded the backend storage limit. "
            f"Please try again after '{wait}' seconds."
        )
        error = {"code": "SubscriptionRequestsThrottled", "message": message}
        return HttpResponse(429, {"error": error}, {"Retry-After": str(wait), "x-ms-failure-cause": "gateway"})

    def _still_in_use(self, effect: kinds_of_fault.StayInUse, request: HttpRequest) -> HttpResponse | None:
        first = self._first_delete.setdefault(request.path.lower(), self._cloud.now)
        if self._cloud.now - first >= effect.seconds:
            return None
        return refuse(effect.code, f"{request.path} is in use and cannot be deleted.").answer()


def _instead(effect: kinds_of_fault.AnswerInstead) -> HttpResponse:
    headers = {"Retry-After": str(round(effect.retry_after))} if effect.retry_after is not None else {}
    if effect.html:
        return HttpResponse(effect.status, HTML, headers, html=True)
    error: Json = {"code": effect.code, "message": effect.message}
    if effect.detail is not None:
        error["details"] = [{"code": effect.detail, "message": effect.message}]
    else:
        headers["x-ms-failure-cause"] = "gateway"
    return HttpResponse(effect.status, {"error": error}, headers)


def _strange(effect: kinds_of_fault.AnswerStrangely, answer: HttpResponse) -> HttpResponse:
    """The real answer, made strange."""
    raw = answer.content
    if effect.nested is not None:
        raw = b'{"a":' * effect.nested + b"1" + b"}" * effect.nested
    elif effect.digits is not None:
        raw = b'{"id": ' + b"9" * effect.digits + b"}"
    elif effect.body is not None:
        raw = effect.body.encode(effect.encoding)
    gone = {name.lower() for name in (*effect.without, *effect.headers)}
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in gone and "*" not in gone}
    status = answer.status if effect.status is None else effect.status
    return HttpResponse(status, headers=kept | effect.headers, raw=raw[: effect.cut])
