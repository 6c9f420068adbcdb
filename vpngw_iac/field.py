"""Markers that say everything about a field, and constrained types that carry the domain's rules.

Plan, drift, overlay, documentation and tests read the same markers. A constrained type reports its violation with the
rule id as pydantic's error type, so that a type error is a finding like any other. Knows no resource and no SDK.
"""

import ipaddress
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field
from pydantic_core import PydanticCustomError

from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.text import nearest

# --- markers -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Immutable:
    """Cannot change in place: an edit replaces the resource."""

    why: str = ""


@dataclass(frozen=True, slots=True)
class ServerDefault:
    """What Azure fills in when the property is left out; also what a removal sends (null for None) or resets to."""

    value: Any


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Azure's to write: never declared, never sent back.

    `evidence` names the recording or page when the SDK calls the property writable, or does not know it.
    """

    evidence: str = ""


@dataclass(frozen=True, slots=True)
class WriteOnly:
    """A secret: answers may echo, mask or omit it; compared by fingerprint, sent in every PUT that would lose it."""


@dataclass(frozen=True, slots=True)
class NotInList:
    """LIST answers never carry it, GET does."""

    evidence: str = ""


@dataclass(frozen=True, slots=True)
class KeyedBy:
    """A list whose items are owned one by one, recognised by this property (without case).

    `items_stay`: the items are Azure's and are there by themselves; leaving one out takes back only what was declared
    in it. `alike`: properties that say which item it is under another name too. When the resource is taken over, an
    item that another tool named and that says the same there is this one, and keeps its name.
    """

    key: str
    items_stay: bool = False
    alike: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unordered:
    """A list that is owned as a whole and compared as a set."""


@dataclass(frozen=True, slots=True)
class Items:
    """A list of texts that are owned one by one, on something that others write to as well.

    What we declared is ours; every other text is somebody else's: it survives our PUT and is not a difference.
    """


@dataclass(frozen=True, slots=True)
class Children:
    """Child resources shown inside their parent: never declared there, carried through its PUT as read."""

    arm_type: str


@dataclass(frozen=True, slots=True)
class AnyCase:
    """Compared without case."""


@dataclass(frozen=True, slots=True)
class Spelling:
    """Several spellings mean one value: compared in the form that this function gives, which never raises."""

    form: Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class AlsoAs:
    """Azure answers the same thing under another name: a value here, a list of such values there, or the other way."""

    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """An object owned as a whole: when it is no longer declared, what Azure filled into it goes too."""


@dataclass(frozen=True, slots=True)
class Detachable:
    """A reference that can be taken off and put back while its target is deleted or replaced.

    On a reference or a list of references: what points to the target is left out. On a flag: `off` is sent instead,
    and while the flag is not `off`, the resource's ``needs`` of ARM type `needs` are of the detachable kind too (a
    peering that uses the hub's gateway needs that gateway, and does not once ``useRemoteGateways`` is false). On a list
    of objects `items_from` says from which position on an item that holds the reference is taken off as a whole (the
    third ipConfiguration). `Resource.body_without` does all of this.
    """

    off: Any = None
    needs: str = ""
    items_from: int | None = None


OutageLevel = Literal["none", "seconds", "minutes", "reconfigure"]
"""``reconfigure``: until devices on the other side are reconfigured."""


@dataclass(frozen=True, slots=True)
class Outage:
    """What a change of this property in place costs those who use the resource.

    `level` is for everybody. BGP peers and point-to-site clients may suffer more than the others, or alone.
    """

    level: OutageLevel
    peers: OutageLevel = "none"
    clients: OutageLevel = "none"
    profiles: bool = False
    """Whether point-to-site client profiles must be issued again."""
    rebuild: bool = False
    """Whether Azure rebuilds the gateway, which takes as long as creating it."""
    source: str = ""
    until: str = ""
    """What ends a ``reconfigure``, as the rest of "until ...": ``the device has the new key``."""
    removed: OutageLevel = "none"
    """What it costs clients when the value is taken away, as opposed to added."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How one value may become another: in place, by replacement, or not at all (`why` says the way out)."""

    how: Literal["in place", "replace", "impossible"]
    why: str = ""
    outage: OutageLevel = "none"
    rebuild: bool = False
    """Whether Azure rebuilds the gateway, which takes as long as creating it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """Decides from the observed and the declared value (in this order) how the change can be made."""

    judge: Callable[[Any, Any], Verdict]


Observed = Annotated[None, ReadOnly()]
"""Type of a property that only Azure writes and that the SDK, too, calls read-only."""


@dataclass(frozen=True, slots=True)
class Wire:
    """Where Azure keeps what a blueprint's field says: ``Annotated[..., Wire("properties.adminState")]``.

    `path` starts at what the noun becomes: a resource, or a value inside one. ``[0]`` is a list of one, ``[*]`` each
    item of a list. A noun inside a noun is written at the path of its field. Compiling, reading and the page of
    settings follow the same marker.
    """

    path: str
    of: str = ""
    """Kind of the resource, where a noun becomes more than one."""
    values: Mapping[Any, Any] | None = None
    """Azure's words for people's."""
    by_code: bool = False
    """The compiler writes it, because it takes more than this one value; the path tells people where it goes."""
    sides: bool = False
    """The field holds two values, one for each of two twin resources, in the order in which the noun names them."""


def settled(model: type[BaseModel]) -> None:
    """Class variables of a model that has many subclasses: pydantic need not look at them again for each of these."""
    for name in model.__class_vars__:
        model.__annotations__.pop(name, None)


class CachedModel(BaseModel):
    """A frozen model that keeps what is derived from its fields (`functools.cached_property`); a copy begins anew."""

    def __copy__(self) -> Self:
        copied = super().__copy__()
        for name in copied.__dict__.keys() - type(self).model_fields.keys():
            del copied.__dict__[name]
        return copied


# --- constrained types ---------------------------------------------------------------------------------------------


def rule_error(rule: str, message: str) -> PydanticCustomError:
    """An error that names a rule."""
    return PydanticCustomError(rule, message)


def _as_network(text: str) -> Any:
    try:
        return ipaddress.ip_network(text, strict=False)
    except ValueError:
        return text


def _as_address(text: str) -> Any:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return text


def _cidr(value: str) -> str:
    try:
        network = ipaddress.ip_network(value, strict=False)
    except ValueError:
        raise rule_error("T-CIDR", f"{value!r} is not an address prefix such as 10.1.0.0/16.") from None
    if "/" not in value:
        raise rule_error(
            "T-CIDR", f"{value!r} has no prefix length. Write {value}/{network.prefixlen} for one address."
        )
    if str(network.network_address) != str(ipaddress.ip_address(value.split("/", maxsplit=1)[0])):
        raise rule_error("T-CIDR", f"{value!r} has host bits set. Did you mean {network}?")
    return str(network)


def _ipv4(value: str) -> str:
    try:
        return str(ipaddress.IPv4Address(value))
    except ValueError:
        raise rule_error("T-IPV4", f"{value!r} is not an IPv4 address such as 203.0.113.10.") from None


def _ip(value: str) -> str:
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        raise rule_error("T-IP", f"{value!r} is not an IP address.") from None


def is_reserved_by_iana(asn: int) -> bool:
    """Whether IANA keeps an AS number for itself ("Special-Purpose AS Numbers"; R-BGP-03)."""
    return asn == 23456 or 65535 <= asn <= 65551 or 64496 <= asn <= 64511 or asn == 4294967295


def _asn(value: int) -> int:
    if is_reserved_by_iana(value):
        raise rule_error(
            "R-BGP-03", f"AS number {value} is reserved by IANA. Use 64512-65514, 65521-65534 or your own."
        )
    return value


def _region(value: Any) -> Any:
    """``West Europe`` becomes ``westeurope``."""
    return re.sub(r"\s+", "", value).lower() if isinstance(value, str) else value


def nearest_region(region: str, known: Iterable[str]) -> str:
    """The region that was probably meant (``westeurope`` for ``europewest``), or an empty text."""
    names = sorted(known)
    turned = [name for name in names if sorted(name) == sorted(region)]
    return next(iter(turned), "") or nearest(region, names)


def _fqdn(value: str) -> str:
    label = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
    if not re.fullmatch(rf"{label}(\.{label})+\.?", value) or len(value) > 253:
        raise rule_error("T-FQDN", f"{value!r} is not a fully qualified domain name such as vpn.example.com.")
    return value.rstrip(".").lower()


def _ports(value: str) -> str:
    found = re.fullmatch(r"([0-9]{1,5})(?:-([0-9]{1,5}))?", value)
    if found is None or not 1 <= int(found[1]) <= int(found[2] or found[1]) <= 65_535:
        raise rule_error(
            "R-NAT-18", f"{value!r} is not a range of ports. Write 1024-2047: 1 to 65535, the lower one first."
        )
    return value


def _dns_label(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{1,61}[a-z0-9]", value):
        return value
    meant = re.sub(r"[^a-z0-9]+", "-", value.lower()).strip("-0123456789")[:63].rstrip("-")
    raise rule_error(
        "R-PIP-24",
        f"{value!r} is not a DNS label: 3 to 63 lower-case letters, digits and hyphens, a letter first, no hyphen last."
        + (f" Did you mean {meant!r}?" if len(meant) > 2 else ""),
    )


Cidr = Annotated[str, AfterValidator(_cidr), Spelling(_as_network)]
"""An address prefix in canonical form, IPv4 or IPv6, without host bits."""

Ipv4 = Annotated[str, AfterValidator(_ipv4), Spelling(_as_address)]
"""One IPv4 address."""

IpAddress = Annotated[str, AfterValidator(_ip), Spelling(_as_address)]
"""One IPv4 or IPv6 address in canonical form."""

Asn = Annotated[int, Field(ge=1, le=4_294_967_295), AfterValidator(_asn)]
"""BGP AS number, 16 or 32 bits, not reserved by IANA (R-BGP-03, R-BGP-04)."""

Region = Annotated[str, BeforeValidator(_region), Field(pattern=r"^[a-z0-9]+$", max_length=40), Spelling(_region)]
"""An Azure region by its programmatic name; the display name is accepted and normalised."""

PortRange = Annotated[str, AfterValidator(_ports)]
"""Ports of a NAT rule: ``1024-2047``, or one port (R-NAT-18)."""

DnsLabel = Annotated[str, AfterValidator(_dns_label)]
"""First part of ``label.region.cloudapp.azure.com`` (R-PIP-24; InvalidDomainNameLabel in the recording
``xplat_arm-network-public-ip-tests-generated``)."""

Fqdn = Annotated[str, AfterValidator(_fqdn), Spelling(lambda text: text.rstrip(".").lower())]
"""A fully qualified domain name."""

Guid = Annotated[
    str,
    BeforeValidator(lambda v: v.strip("{}").lower() if isinstance(v, str) else v),
    Field(pattern=r"^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$"),
]
"""A GUID; braces and upper case are accepted and normalised (R-AAD-05)."""

GroupName = Annotated[str, Field(pattern=r"^[\w().-]*[\w()-]$", max_length=90)]
"""Name of a resource group. The length is no part of the pattern: ``\\w{0,89}`` takes 12 ms to compile, each time."""

Tags = Annotated[dict[str, str], KeyedBy("")]
"""Tags; owned key by key, keys without case."""


_FIELDS_SET: dict[frozenset[str], set[str]] = {}


def share_fields_set(value: BaseModel) -> None:
    """Let equal models share the set of the fields that were given: one set for each value is a fifth of its memory.

    Only for frozen models: nobody adds to the set, and a copy has its own.
    """
    given = value.__pydantic_fields_set__
    object.__setattr__(value, "__pydantic_fields_set__", _FIELDS_SET.setdefault(frozenset(given), given))
