"""What a resource type may ask of the cloud it lives in: other documents, identifiers, the time, the switches."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.simulator.clock import Time
from vpngw_iac.simulator.document import SUCCEEDED, Document, LongRunningOperation
from vpngw_iac.simulator.governance import Governance, Grant
from vpngw_iac.simulator.refusal import invalid_reference, not_provisioned
from vpngw_iac.simulator.store import DocumentStore
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_PROVIDERS = re.compile("/providers/", re.IGNORECASE)
_SPACE = uuid.UUID("6f0a3a52-9c0f-4a53-8d5c-3f4f2f1f7c11")


@dataclass(frozen=True, slots=True)
class Switches:
    """How this cloud differs from another: questions that Azure answers differently by year, region or luck."""

    echo_secrets: bool = True
    """Answers carry sharedKey, radiusServerSecret and authorizationKey, as every recording does; a newer contract of
    the API says that they stop (R-RAD-06)."""
    allow_retired: bool = False
    """Accept what Azure accepted in earlier years: non-AZ and legacy VPN SKUs, Basic and zoneless public IPs, a
    GatewaySubnet below /27 (``xplat_arm-network-vpn-gateway-tests``)."""
    list_choices: bool = True
    """A gateway's list of connections tells which custom BGP addresses they chose (``test_network_vpn_gateway``);
    before api-version 2021-05-01 none did."""
    honour_etags: bool = True
    """Compare If-Match and the body's etag with the document's; unproven for gateways."""
    parallel_writes: int = 4
    """How many connections and NAT rules of one gateway may be written at a time before Azure says 409."""
    enforce_quota: bool = False
    """Answer 429 when a token bucket is empty (R-LIM-01); what is left is told in headers either way."""
    page_size: int = 250
    """Items per page of a list."""
    provider_seconds: float | None = None
    """After how long a service provider provisions a circuit by itself; none means that somebody must."""


def _nobody_answers(request: HttpRequest) -> HttpResponse:
    raise RuntimeError(f"Nobody answers {request.method} {request.path}: this view of the cloud has no front door.")


class CloudView:
    """The cloud as its resource types see it."""

    def __init__(self, store: DocumentStore, time: Time, switches: Switches) -> None:
        self.store = store
        self.time = time
        self.switches = switches
        self.governance = Governance()
        self.caller = ""
        """Client id of who sent the request that is being answered."""
        self.subscriptions: frozenset[str] | None = None
        """The only ones there are, in lower case; none for any."""
        self.registered: set[str] = set()
        """Providers that were registered since, by namespace in lower case."""
        self.begun: list[LongRunningOperation] = []
        """Operations begun by the request that is being answered."""
        self.send: Callable[[HttpRequest], HttpResponse] = _nobody_answers
        """Answers the requests of this cloud's own client, a deployment."""
        self.deploying = False
        """Whether a deployment is at work on this very request."""
        self._moment: float | None = None

    @property
    def now(self) -> float:
        """Simulated seconds."""
        return self.time.now() if self._moment is None else self._moment

    @contextmanager
    def at(self, moment: float) -> Iterator[None]:
        """What happens now happened then: something that was due while nobody asked."""
        before, self._moment = self._moment, moment
        try:
            yield
        finally:
            self._moment = before

    def telling(self, *, secrets: bool) -> CloudView:
        """The same documents for a reader whose answers carry secrets, or none."""
        return CloudView(self.store, self.time, replace(self.switches, echo_secrets=secrets))

    def is_registered(self, namespace: str) -> bool:
        """Whether a resource provider may be used."""
        missing = {name.lower() for name in self.governance.unregistered} - self.registered
        return namespace.lower() not in missing

    @contextmanager
    def acting(self, caller: str) -> Iterator[None]:
        """What happens now is done by this caller."""
        before, self.caller = self.caller, caller
        try:
            yield
        finally:
            self.caller = before

    @property
    def grants(self) -> tuple[Grant, ...] | None:
        """The role assignments of who calls; none stands for everything."""
        return self.governance.grants_of(self.caller)

    def permits(self, scope: str, action: str) -> bool:
        """Whether who calls may do it there."""
        return self.governance.permits(scope, action, self.caller)

    def find(self, identifier: str | ArmId | None) -> Document | None:
        """The document of an id; none when there is none."""
        return self.store.find(identifier) if identifier else None

    def of_type(self, arm_type: str) -> Iterator[Document]:
        """All documents of a type, sorted by id."""
        return self.store.of_type(arm_type)

    def children(self, parent: str | ArmId, arm_type: str) -> list[Document]:
        """Children of a type, in the order in which they were made."""
        return list(self.store.children(parent, arm_type))

    def refer(self, target: object, by: ArmId) -> Document:
        """What a body refers to by id; refuses what is not there or is not Succeeded (R-OPS-03)."""
        found = self.refer_loosely(target, by)
        if found.state != SUCCEEDED:
            raise not_provisioned(found.id, str(by), found.state)
        return found

    def refer_loosely(self, target: object, by: ArmId) -> Document:
        """What a body refers to by id; refuses only what is not there."""
        found = self.find(as_id(target))
        if found is None:
            raise invalid_reference(str(as_id(target) or target), str(by))
        return found

    def guid(self) -> str:
        """A new GUID; the same sequence of requests gives the same ones."""
        return str(uuid.uuid5(_SPACE, str(self.store.next_number())))

    def etag(self) -> str:
        """A new weak etag."""
        return f'W/"{self.guid()}"'

    def secret(self, length: int = 64) -> str:
        """A key as Azure makes one."""
        text = "".join(self.guid().replace("-", "") for _ in range(length // 32 + 1))
        return text[:length]

    def public_address(self) -> str:
        """A public IPv4 address that no other resource has."""
        number = self.store.next_number()
        return f"20.{64 + (number >> 16) % 64}.{(number >> 8) % 256}.{number % 256}"

    def save(self, document: Document) -> None:
        """Keep a new or changed document."""
        self.store.save(document)

    def touch(self, *identifiers: object) -> None:
        """Give related documents a new etag: Azure does so when something begins or stops using them."""
        for identifier in identifiers:
            document = self.find(as_id(identifier))
            if document is not None:
                document.etag = self.etag()
                self.store.save(document)


def as_id(value: object) -> ArmId | None:
    """An id from a body: text, or ``{"id": text}``; none when it is not an id."""
    text = value.get("id") if isinstance(value, dict) else value
    return ArmId.of(with_plain_words(str(text))) if isinstance(text, str | ArmId) else None


def _text(value: object) -> str | None:
    """An id as text to compare; parsing each would make a cloud of a thousand sites slow."""
    text = value.get("id") if isinstance(value, dict) else value
    return str(text).lower().rstrip("/") if isinstance(text, str | ArmId) else None


def with_plain_words(id_text: str) -> str:
    """An id with the word ``providers`` in lower case: everything in an id is found in any casing."""
    return _PROVIDERS.sub("/providers/", id_text)


def same(first: object, second: object) -> bool:
    """Whether two references name the same resource."""
    left, right = _text(first), _text(second)
    return left is not None and left == right


def without_nulls(value: Any) -> Any:
    """A JSON value without null members: ARM treats null as not sent."""
    if isinstance(value, dict):
        return {name: without_nulls(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    return value


def reference(value: object) -> Json:
    """A reference as Azure keeps it: the id alone (properties, location and etag inside are dropped)."""
    return {"id": str(value["id"])} if isinstance(value, dict) and "id" in value else {}


def shouted(id_text: str) -> str:
    """The id as Azure writes back references since 2024: names in capitals (``test_network_vnet``)."""
    segments = id_text.split("/")
    names = {4, *range(8, len(segments), 2)}
    return "/".join(segment.upper() if index in names else segment for index, segment in enumerate(segments))
