"""A cloud made of canned exchanges behind the real SDK client: what is asked and what is answered, nothing else."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from vpngw_iac.arm import ArmId
from vpngw_iac.azure import CloudClient
from vpngw_iac.engine.execute.clock import VirtualClock
from vpngw_iac.engine.ports import Cloud
from vpngw_iac.secret import FingerprintKey

HUB = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
ENDPOINT = "https://management.azure.com"
KEY = FingerprintKey(b"0" * 32)
CORRELATION = "c0ffee00-0000-4000-8000-000000000000"


@dataclass(frozen=True, slots=True)
class Reply:
    """One canned answer; a text body is sent as it is."""

    status: int = 200
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def content(self) -> bytes:
        if self.body is None:
            return b""
        return self.body.encode() if isinstance(self.body, str) else json.dumps(self.body).encode()


class Broken:
    """The connection breaks instead of an answer."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it arrived."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: Any

    @property
    def path(self) -> str:
        return urlsplit(self.url).path

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(urlsplit(self.url).query))


class Script:
    """Answers by method and end of the path, in the order given; the last answer of a route stays."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._routes: list[tuple[str, str, list[Reply | Broken]]] = []
        self._guard = threading.Lock()

    def on(self, method: str, end: str, *replies: Reply | Broken) -> Script:
        self._routes.append((method, end.lower(), list(replies)))
        return self

    def send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, Mapping[str, str], bytes]:
        with self._guard:
            low = {name.lower(): value for name, value in headers.items()}
            asked = Asked(method, url, low, json.loads(body) if body else None)
            self.asked.append(asked)
            for wanted, end, replies in self._routes:
                if wanted == method and asked.path.lower().endswith(end):
                    reply = replies.pop(0) if len(replies) > 1 else replies[0]
                    break
            else:
                raise AssertionError(f"nobody expects {method} {url}")
        if isinstance(reply, Broken):
            raise ConnectionResetError("Connection reset by peer")
        return reply.status, {"Content-Type": "application/json", **reply.headers}, reply.content

    def count(self, method: str = "GET", part: str = "") -> int:
        return sum(1 for each in self.asked if each.method == method and part.lower() in each.path.lower())


def connect(
    cloud: str, *, tenant: str | None = None, credential: Any = None, transport: Any = None, **of: Any
) -> Cloud:
    """A client through a door of its own."""
    return CloudClient(cloud, tenant=tenant, credential=credential, transport=transport).cloud(**of)


def cloud_of(script: Script, clock: VirtualClock | None = None, **options: Any) -> Cloud:
    """The port over the scripted answers, in virtual time."""
    chosen: dict[str, Any] = {"key": KEY.fingerprint, "subscription": HUB, "correlation": CORRELATION} | options
    return connect("public", transport=script.send, clock=clock or VirtualClock(), **chosen)


def network(*path: str, subscription: str = HUB, group: str = "rg-hub") -> ArmId:
    """``network("virtualNetworks", "vnet-hub", "subnets", "GatewaySubnet")``."""
    return ArmId(f"/subscriptions/{subscription}/resourceGroups/{group}/providers/Microsoft.Network/{'/'.join(path)}")


def group_id(name: str = "rg-hub", subscription: str = HUB) -> ArmId:
    return ArmId.resource_group_of(subscription, name)


def document(resource_id: ArmId, state: str = "Succeeded", **properties: Any) -> dict[str, Any]:
    """A resource as Azure shows it."""
    return {
        "id": str(resource_id),
        "name": resource_id.name,
        "type": resource_id.type,
        "etag": 'W/"1"',
        "properties": {"provisioningState": state, **properties},
    }


def error(code: str, message: str = "said Azure.", **more: Any) -> dict[str, Any]:
    """An ARM error body."""
    return {"error": {"code": code, "message": message, **more}}


GATEWAY = network("virtualNetworkGateways", "vgw-hub")
CONNECTION = network("connections", "con-berlin")
SITE = network("localNetworkGateways", "lgw-berlin")
ADDRESS = network("publicIPAddresses", "pip-1")
VNET = network("virtualNetworks", "vnet-hub")
SUBNET = VNET.child("subnets", "GatewaySubnet")
CIRCUIT = network("expressRouteCircuits", "erc-1")
OPERATION = f"{ENDPOINT}/subscriptions/{HUB}/providers/Microsoft.Network/locations/westeurope/operations/op-1"
