"""The simulator as others use it: one object, several doors.

`handle` and `send` are ARM's own door, in process; `server.py` puts HTTP in front of it. The other methods are the
hands that ARM does not have: a foreigner's, a service provider's, a test's.
"""

from __future__ import annotations

import copy
import json
import math
import re
import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from email.utils import format_datetime
from pathlib import Path
from typing import Any

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator import manager, other_end
from vpngw_iac.simulator.clock import Time, VirtualTime, utc
from vpngw_iac.simulator.cloud_view import CloudView, Switches
from vpngw_iac.simulator.deployments import engine
from vpngw_iac.simulator.deployments.record import Deployment
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.fault_injection import FaultInjector
from vpngw_iac.simulator.faults import Fault, Faults
from vpngw_iac.simulator.files import Files
from vpngw_iac.simulator.governance import Governance
from vpngw_iac.simulator.kind import LoadedType, kind_of
from vpngw_iac.simulator.load import load_documents
from vpngw_iac.simulator.quota import Quota
from vpngw_iac.simulator.refusal import Refusal
from vpngw_iac.simulator.settling import next_event, settle
from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.vault import Vault
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

API_VERSION = "2026-03-01"
_REMEMBERED = 200_000
"""Requests kept for counting."""


@dataclass(frozen=True, slots=True)
class Logged:
    """One request: enough to count, never a body. Status 0 means that the connection broke."""

    method: str
    path: str
    status: int
    moment: float


def _put_at(body: Any, path: str, value: Any) -> None:
    """Set a value by its path, in objects and, by number (``.0`` or ``[0]``), in lists; none takes it away."""
    *above, last = re.sub(r"\[(\d+)\]", r".\1", path).split(".")
    for name in above:
        body = body[_place(body, name, path)] if isinstance(body, list) else body.setdefault(name, {})
    if isinstance(body, list):
        place = int(last) if last.isdecimal() and int(last) == len(body) else _place(body, last, path)
        body[place : place + 1] = [] if value is None else [value]
    elif value is None:
        body.pop(last, None)
    else:
        body[last] = value


def _place(body: list[Any], name: str, path: str) -> int:
    """The number of an item; raises `ValueError` where the list has no such item."""
    if not name.isdecimal() or int(name) >= len(body):
        raise ValueError(f"{path}: there is a list of {len(body)} items, and no item {name}; count from 0.")
    return int(name)


def _abort() -> None:
    raise ConnectionAbortedError("The process that answers has died (fault).")


class Simulator:
    """A cloud of our own. Everything may be called from several threads."""

    def __init__(
        self,
        directory: Path | None = None,
        time: Time | None = None,
        switches: Switches | None = None,
        subscriptions: Iterable[str] | None = None,
        faults: Sequence[Fault] = (),
        seed: int = 0,
        die: Callable[[], None] = _abort,
        governance: Governance | None = None,
    ) -> None:
        """`subscriptions` none accepts any; `die` is what the fault of that name does to the serving process.

        `governance` is what the subscription's owners decided; without it everything is allowed.
        """
        self.time = time if time is not None else VirtualTime()
        self.requests: deque[Logged] = deque(maxlen=_REMEMBERED)
        self._store = DocumentStore()
        self._cloud = CloudView(self._store, self.time, switches or Switches())
        self._cloud.governance = governance or Governance()
        if subscriptions is not None:
            self._cloud.subscriptions = frozenset(name.lower() for name in subscriptions)
        self._lock = threading.RLock()
        self._files = Files(directory, self._store, self.time) if directory is not None else None
        self.vault = Vault(self._turn, self._store)
        self._quota = Quota(enforced=self._cloud.switches.enforce_quota)
        self.faults = Faults(faults, seed)
        self._fault_injector = FaultInjector(self._cloud, self.faults, die)
        self._cloud.send = self._send_for_deployment

    @property
    def governance(self) -> Governance:
        """Who may do what, policies, quotas, providers, zones; can be set anew at any time."""
        return self._cloud.governance

    @governance.setter
    def governance(self, decided: Governance) -> None:
        with self._turn():
            self._cloud.governance = decided

    def handle(self, request: HttpRequest) -> HttpResponse:
        """Answer one request of an ARM client."""
        with self._turn():
            settle(self._cloud)
            self._cloud.begun.clear()
            try:
                answer, late = self._fault_injector.answer(request, self._answer)
            except ConnectionError:
                self.requests.append(Logged(request.method, request.path, 0, self.time.now()))
                raise
            self.requests.append(Logged(request.method, request.path, answer.status, self.time.now()))
        if late:
            self.time.spend(late)
        return self._dressed(request, answer)

    def send(
        self, method: str, url: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """The same as plain values: what an HTTP transport needs. May raise `ConnectionError` when a fault says so."""
        answer = self.handle(HttpRequest.of(method, url, headers, body))
        return answer.status, dict(answer.headers), answer.content

    def documents(self) -> dict[str, Json]:
        """Every resource by id, as GET shows it but for secrets, which are never here."""
        with self._turn():
            settle(self._cloud)
            silent = self._cloud.telling(secrets=False)
            return {
                document.id: kind_of(document).show(silent, document, "get")
                for document in sorted(self._store.documents.values(), key=lambda document: document.id)
            }

    def load(self, documents: Iterable[Json], secrets: Mapping[str, str] | None = None) -> list[str]:
        """Put documents there as they are, as GET answers them; ids of what was loaded.

        What a PUT would refuse is taken (retired SKUs, failed states); types that are not simulated can be read, listed
        and deleted. `secrets` are keys by id of the connection. Raises `SimulatorError` for what is not a document.
        """
        with self._turn():
            settle(self._cloud)
            return load_documents(self._cloud, documents, secrets or {})

    def put(self, identifier: str, body: Json) -> Json:
        """Somebody else's change, done at once: a PUT whose operation has ended. Refusals raise."""
        with self._turn():
            settle(self._cloud)
            self._foreign("PUT", identifier, body)
        return self.documents()[self._found(identifier).id]

    def delete(self, identifier: str) -> None:
        """Somebody else's delete, done at once."""
        with self._turn():
            settle(self._cloud)
            self._foreign("DELETE", identifier, None)

    def set(self, identifier: str, values: Mapping[str, Any]) -> None:
        """Somebody else's change of single values, by path (``properties.enableBgp``, ``tags.owner``); none removes.

        Written as a PUT of the whole document, its keys included; tags alone as a PATCH, and a document whose type is
        not simulated as it is. Names without a dot say what no ARM client can: ``other-end``, ``announces`` and
        ``happens`` of a connection, ``log-lag`` and ``clients`` of a gateway (`other_end.py`). Raises `KeyError` for an
        id that is not there, `ValueError` for what is refused.
        """
        with self._turn():
            settle(self._cloud)
            document = self._found(identifier)
            beside = {n: value for n, value in values.items() if ("-" in n and "." not in n) or n in other_end.NAMES}
            other_end.set_beside(self._cloud, document, beside)
            values = {path: value for path, value in values.items() if path not in beside}
            if not values:
                return
            body = copy.deepcopy(kind_of(document).show(self._cloud.telling(secrets=True), document, "get"))
            for path, value in values.items():
                _put_at(body, path, value)
            if isinstance(kind_of(document), LoadedType):
                document.body, document.etag = body, self._cloud.etag()
                self._cloud.save(document)
            elif all(path.partition(".")[0] == "tags" for path in values):
                self._foreign("PATCH", document.id, {"tags": body.get("tags") or {}})
            else:
                self._foreign("PUT", document.id, {name: value for name, value in body.items() if name != "etag"})

    def provision_circuit(self, identifier: str, state: str = "Provisioned") -> None:
        """What a service provider does with the service key, on any day it likes."""
        with self._turn():
            document = self._found(identifier)
            document.properties["serviceProviderProvisioningState"] = state
            self._cloud.touch(document.id)

    def migrate(self, identifier: str, state: str, phase: str) -> None:
        """A step of Microsoft's own tool that moves a gateway to a Standard public IP (R-PIP-18)."""
        with self._turn():
            document = self._found(identifier)
            document.hidden["migration"] = {"state": state, "phase": phase}
            self._cloud.touch(document.id)

    def finish(self, what: str) -> None:
        """Let the operation or the deployment end now: of a resource id, or of the URL it is polled at."""
        with self._turn():
            for operation in self._store.running():
                if operation.id in what or operation.target.lower() == what.lower():
                    operation.due = self.time.now()
                    self._store.save_operation(operation)
            settle(self._cloud)
            for deployment in self._store.deployments.values():
                if deployment.polling in what or deployment.key == what.lower():
                    self._finish_deployment(deployment)

    def _finish_deployment(self, deployment: Deployment) -> None:
        """Let all that it waits for end now, one thing after the other."""
        while deployment.running and next_event(self._cloud) is not None:
            for operation in self._store.running():
                operation.due = self.time.now()
                self._store.save_operation(operation)
            engine.send_again(self._cloud)
            settle(self._cloud)

    def reset(self) -> None:
        """Empty the cloud."""
        with self._turn():
            for document in list(self._store.documents.values()):
                self._store.remove(document, self.time.now())
            for operation in self._store.running():
                operation.status = "Canceled"
                self._store.save_operation(operation)
            for key in list(self._store.deployments):
                self._store.remove_deployment(key)
            self.requests.clear()

    def next_event(self) -> float | None:
        """When the next operation in flight falls due; none when nothing runs."""
        with self._turn():
            return next_event(self._cloud)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._lock:
            if self._files is None:
                yield
                self._store.take_changes()
            else:
                with self._files.turn():
                    yield

    def _send_for_deployment(self, request: HttpRequest) -> HttpResponse:
        """A deployment is one more client: faults strike it, quotas of callers do not. No connection is a 503 to it."""
        begun, self._cloud.begun = self._cloud.begun, []
        try:
            return self._fault_injector.answer(request, lambda sent: manager.handle(self._cloud, sent))[0]
        except ConnectionError:
            return HttpResponse(503, {"error": {"code": "ServiceUnavailable", "message": "The connection broke."}})
        finally:
            self._cloud.begun = begun

    def _answer(self, request: HttpRequest) -> HttpResponse:
        try:
            left = self._quota.take(request, self.time.now())
        except Refusal as refusal:
            return refusal.answer().with_headers(Retry_After=str(math.ceil(refusal.retry_after or 1)))
        with self._cloud.acting(request.caller):
            answer = manager.handle(self._cloud, request)
        return replace(answer, headers={**left, **answer.headers})

    def _dressed(self, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
        """With the headers that every answer has; the date is the simulated one."""
        headers = {"x-ms-request-id": str(uuid.uuid4()), "Date": format_datetime(utc(self.time.now()), usegmt=True)}
        for name in ("x-ms-client-request-id", "x-ms-correlation-request-id"):
            if name in request.headers:
                headers[name] = request.headers[name]
        headers.setdefault("x-ms-correlation-request-id", headers["x-ms-request-id"])
        if answer.html or answer.content:
            headers["Content-Type"] = "text/html" if answer.html else "application/json; charset=utf-8"
        return replace(answer, headers={**headers, **answer.headers})

    def _foreign(self, method: str, identifier: str, body: Json | None) -> None:
        url = f"{identifier}?api-version={API_VERSION}"
        content = json.dumps(body).encode() if body is not None else None
        request = HttpRequest.of(method, url, {}, content)
        answer = manager.handle(self._cloud, request, foreign=True)
        if answer.status >= 400:
            raise ValueError(f"{method} {identifier}: {answer.status} {answer.body}")
        document = self._cloud.find(identifier)
        running = self._store.operations.get(str(document.operation)) if document is not None else None
        if running is not None and running.running:
            running.due = self.time.now()
            self._store.save_operation(running)
            settle(self._cloud)

    def _found(self, identifier: str) -> Document:
        document = self._cloud.find(identifier)
        if document is None:
            raise KeyError(identifier)
        return document
