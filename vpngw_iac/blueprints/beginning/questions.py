"""What a first blueprint asks: the text, what holds if nobody answers, and which answers are none. Pure."""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any

from pydantic import TypeAdapter, ValidationError

from vpngw_iac.blueprints.circuit import Circuit
from vpngw_iac.blueprints.client import EntraId
from vpngw_iac.blueprints.gateway import ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.site import Site
from vpngw_iac.errors import UsageError
from vpngw_iac.field import Cidr
from vpngw_iac.late_dataclass import dataclass

SMALLEST_SPACE = 24
"""Longest prefix of an address space that leaves room beside the GatewaySubnet."""


@dataclass(frozen=True, slots=True)
class Question:
    """One question: its name is that of the flag, ``--public-ip`` for ``public_ip``."""

    name: str
    text: str
    default: str
    read: Callable[[str], Any]
    """The value that an answer means; raises `ValueError` with a sentence."""
    example: bool = False
    """Whether the default only shows the form: on Azure it would lead nowhere."""

    @property
    def flag(self) -> str:
        """What gives the answer on a command line."""
        return f"--{self.name.replace('_', '-')}"

    def answered(self, text: str) -> Any:
        """The value of an answer; raises `UsageError` that names the flag."""
        try:
            return self.read(text.strip())
        except ValueError as error:
            raise UsageError(f"{self.flag} {text!r}: {error}", advice=f"{self.text}: {self.default}, say.") from None


def values_of(questions: Iterable[Question], answers: Mapping[str, str]) -> dict[str, Any]:
    """The value of each question: of what was answered, else of its default."""
    return {q.name: q.answered(answers.get(q.name) or q.default) for q in questions}


def _as(kind: Any) -> Callable[[str], Any]:
    """Reads what a constrained type takes."""

    def read(text: str) -> Any:
        try:
            return _adapter(kind).validate_python(text)
        except ValidationError as error:
            raise ValueError(error.errors(include_url=False, include_context=False)[0]["msg"]) from None

    return read


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _field(noun: type[Part], name: str) -> Callable[[str], Any]:
    """Reads what a noun's field takes."""
    info = noun.model_fields[name]
    return _as(Annotated[(info.annotation, *info.metadata)] if info.metadata else info.annotation)


def _space(text: str) -> str:
    prefix = str(_as(Cidr)(text))
    if ipaddress.ip_network(prefix).version != 4 or ipaddress.ip_network(prefix).prefixlen > SMALLEST_SPACE:
        raise ValueError(f"a first network is IPv4 and /{SMALLEST_SPACE} or larger.")
    return prefix


def _prefixes(text: str) -> list[str]:
    found = [str(_as(Cidr)(word)) for word in text.replace(",", " ").split()]
    if not found:
        raise ValueError("no prefix stands here.")
    return found


def _number(noun: type[Part], name: str) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.isdigit():
            raise ValueError("it is not a whole number.")
        return int(_field(noun, name)(int(text)))  # type: ignore[arg-type]

    return read


LOCATION = Question("location", "Azure region", "westeurope", _field(VirtualNetwork, "location"))
ADDRESS_SPACE = Question("address_space", "Address space of the network", "10.0.0.0/16", _space)
SKU = Question("sku", "SKU of the VPN gateway", "VpnGw1AZ", _field(VpnGateway, "sku"))
EXPRESSROUTE_SKU = Question(
    "expressroute_sku", "SKU of the ExpressRoute gateway", "ErGw1AZ", _field(ExpressRouteGateway, "sku")
)
SITE = Question("site", "Name of the first site", "office", _field(Site, "name"))
PUBLIC_IP = Question(
    "public_ip", "Its device, as the internet sees it", "203.0.113.10", _field(Site, "public_ip"), True
)
PREFIXES = Question("prefixes", "The networks behind it", "192.168.10.0/24", _prefixes, True)
ADDRESS_POOL = Question("address_pool", "Addresses of clients", "172.16.200.0/24", _prefixes)
TENANT = Question(
    "tenant", "Entra tenant that they sign in to", "11111111-1111-4111-8111-111111111111",
    _field(EntraId, "tenant"), True,
)  # fmt: skip
PEER_LOCATION = Question("peer_location", "Region of the other network", "northeurope", LOCATION.read)
PEER_ADDRESS_SPACE = Question("peer_address_space", "Address space of the other network", "10.1.0.0/16", _space)
PROVIDER = Question("provider", "ExpressRoute provider, as Azure spells it", "Equinix", _field(Circuit, "provider"))
PEERING_LOCATION = Question(
    "peering_location", "Peering location, as Azure spells it", "Amsterdam", _field(Circuit, "peering_location")
)
BANDWIDTH = Question("bandwidth", "Bandwidth of the circuit in Mbps", "1000", _number(Circuit, "bandwidth"))
