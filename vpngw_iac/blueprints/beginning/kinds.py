"""The smallest whole blueprint of each kind, from its answers, with what is said beside its parts. Pure."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from pathlib import Path
from typing import Any

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.beginning import questions as ask
from vpngw_iac.blueprints.beginning.questions import Question, values_of
from vpngw_iac.blueprints.circuit import Circuit, CircuitLink, PrivatePeering
from vpngw_iac.blueprints.client import Certificates, EntraId, RootCertificate
from vpngw_iac.blueprints.coexistence import ExpressRouteCoexistence
from vpngw_iac.blueprints.expressroute import ExpressRoute
from vpngw_iac.blueprints.gateway import Bgp, ExpressRouteGateway, VpnGateway
from vpngw_iac.blueprints.network import VirtualNetwork
from vpngw_iac.blueprints.peer import Pair
from vpngw_iac.blueprints.point_to_site import PointToSite
from vpngw_iac.blueprints.site import IpsecPolicy, Site
from vpngw_iac.blueprints.site_to_site import SiteToSite
from vpngw_iac.blueprints.vnet_to_vnet import VnetToVnet
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import EnvironmentSecret, Secret
from vpngw_iac.text import suggestion

LONGEST_NAME = 40
"""Characters of a project's name; names in Azure are made of it."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """A first blueprint, what is said beside its parts, the keys that it refers to, and who else must act."""

    blueprint: Blueprint
    remarks: Mapping[str, Sequence[str]] = field(default_factory=dict)
    keys: Mapping[str, str] = field(default_factory=dict)
    """Names of environment variables, each with what its value is."""
    circuits: tuple[str, ...] = ()
    """Circuits whose provider acts between two applies, and before the destroy."""


@dataclass(frozen=True, slots=True)
class ProjectKind:
    """One kind: what it is for, what it asks, and how the answers become a blueprint."""

    name: str
    told: str
    questions: tuple[Question, ...]
    make: Callable[[str, str, Mapping[str, Any]], Beginning]

    def begin(
        self, name: str, resource_group: str, answers: Mapping[str, str], root: RootCertificate | None = None
    ) -> Beginning:
        """The blueprint; what is not answered is the question's default.

        Raises `UsageError` for a wrong answer and `InvalidValue` for what does not go together.
        """
        values = values_of(self.questions, answers)
        return self.make(name, resource_group, values if root is None else {**values, "root": root})


def kind_of(word: str) -> ProjectKind | None:
    """The kind that a word means: ``SiteToSite``, ``site-to-site``."""
    folded = re.sub(r"[\s_-]", "", word).lower()
    return next((kind for kind in KINDS if kind.name.lower() == folded), None)


def kind_meant(word: str) -> str:
    """A hint at the kind that was probably meant, else the list of all."""
    names = [kind.name for kind in KINDS]
    return suggestion(word, names) or f"Write one of {', '.join(names)}."


# --- parts -----------------------------------------------------------------------------------------------------------


def gateway_subnet_of(space: str) -> str:
    """A /27 in the last 256 addresses: room for a second gateway (R-SUBNET-02), and out of the way of others."""
    network = ipaddress.ip_network(space)
    return str(ipaddress.ip_network((int(network.broadcast_address) - 255, 27)))


def _network(name: str, group: str, values: Mapping[str, Any], prefix: str = "") -> VirtualNetwork:
    space = values[f"{prefix}address_space"]
    return VirtualNetwork(
        name=f"vnet-{name}",
        location=values[f"{prefix}location"],
        resource_group=group,
        address_space=[space],
        gateway_subnet=gateway_subnet_of(space),
    )


def _key_name(name: str) -> str:
    clean = re.sub(r"[^A-Z0-9]+", "_", name.upper()).strip("_")
    return f"{clean}_PSK" if clean[:1].isalpha() else f"KEY_{clean}_PSK"


def _site(values: Mapping[str, Any]) -> Site:
    return Site(
        name=values["site"],
        public_ip=values["public_ip"],
        prefixes=values["prefixes"],
        shared_key=Secret.env(_key_name(values["site"])),
        ipsec=None if values["sku"] == "Basic" else IpsecPolicy.strong(),  # Basic takes none (R-IPSEC-01)
    )


def _of_site(values: Mapping[str, Any]) -> tuple[str, ...]:
    told = [
        "public_ip is the device as the internet sees it, prefixes are the networks behind it.",
        "Configure the same key on the device, and the same policy.",
    ]
    if values["public_ip"] == ask.PUBLIC_IP.default:
        told.append(f"{ask.PUBLIC_IP.default} is an example: put yours in before Azure.")
    return tuple(told)


def _key_of(site: Site) -> dict[str, str]:
    assert isinstance(site.shared_key, EnvironmentSecret)  # noqa: S101 - made above
    return {site.shared_key.name: f"shared key of the tunnel to {site.name}, the same as on its device"}


def _circuit(name: str, group: str, values: Mapping[str, Any]) -> Circuit:
    return Circuit(
        name=f"erc-{name}",
        location=values["location"],
        resource_group=group,
        provider=values["provider"],
        peering_location=values["peering_location"],
        bandwidth=values["bandwidth"],
        private_peering=PrivatePeering(asn=65020, primary="192.168.252.0/30", secondary="192.168.252.4/30", vlan=100),
    )


_OF_CIRCUIT = (
    "The first apply orders the circuit, says its service key and ends with exit code 6; the provider takes it from "
    "there. Then apply again.",
    "The peering is yours to choose with the provider: your AS number, two /30 of yours, a VLAN.",
)


# --- kinds -----------------------------------------------------------------------------------------------------------


def _site_to_site(name: str, group: str, values: Mapping[str, Any]) -> Beginning:
    gateway = VpnGateway(name=f"vgw-{name}", network=_network(name, group, values), sku=values["sku"])
    site = _site(values)
    blueprint = SiteToSite(name=name, gateway=gateway, sites=[site])
    return Beginning(blueprint, {"sites[0]": _of_site(values)}, _key_of(site))


def _point_to_site(name: str, group: str, values: Mapping[str, Any]) -> Beginning:
    root: RootCertificate | None = values.get("root")
    gateway = VpnGateway(name=f"vgw-{name}", network=_network(name, group, values), sku=values["sku"])
    blueprint = PointToSite(
        name=name,
        gateway=gateway,
        protocols=["OpenVPN", "IKEv2"] if root else ["OpenVPN"],  # Entra ID works with OpenVPN alone
        address_pool=values["address_pool"],
        authentication=[Certificates(roots=[root]) if root else EntraId(tenant=values["tenant"])],
        **({"ipsec": IpsecPolicy.compatible()} if root else {}),
    )
    told = (
        "Who holds a client certificate of this root may connect."
        if root
        else "tenant is the id of the Entra tenant whose users may connect, with the Azure VPN client."
    )
    example = () if root or values["tenant"] != ask.TENANT.default else ("This one is an example.",)
    return Beginning(blueprint, {"authentication[0]": (told, *example)})


def _vnet_to_vnet(name: str, group: str, values: Mapping[str, Any]) -> Beginning:
    regions = values["location"], values["peer_location"]
    names = [f"{name}-{region}" for region in regions] if regions[0] != regions[1] else [f"{name}-a", f"{name}-b"]
    sides = [
        VpnGateway(
            name=f"vgw-{each}", network=_network(each, group, values, prefix), sku=values["sku"], bgp=Bgp(asn=asn)
        )
        for each, prefix, asn in zip(names, ("", "peer_"), (65010, 65011), strict=True)
    ]
    key = _key_name(name)
    pair = Pair(a=sides[0], b=sides[1], shared_key=Secret.env(key), bgp=True, ipsec=IpsecPolicy.strong())
    remarks = {"pairs[0]": ("Two connections, one from each gateway, with one key.",)}
    return Beginning(VnetToVnet(name=name, pairs=[pair]), remarks, {key: "shared key of both connections"})


def _expressroute(name: str, group: str, values: Mapping[str, Any]) -> Beginning:
    gateway = ExpressRouteGateway(
        name=f"ergw-{name}", network=_network(name, group, values), sku=values["expressroute_sku"]
    )
    circuit = _circuit(name, group, values)
    link = CircuitLink(name=_link_name(values), circuit=circuit)
    blueprint = ExpressRoute(name=name, gateway=gateway, circuits=[link])
    return Beginning(blueprint, {"circuits[0].circuit": _OF_CIRCUIT}, circuits=(circuit.name,))


def _coexistence(name: str, group: str, values: Mapping[str, Any]) -> Beginning:
    network, site, circuit = _network(name, group, values), _site(values), _circuit(name, group, values)
    blueprint = ExpressRouteCoexistence(
        name=name,
        vpn=VpnGateway(name=f"vgw-{name}", network=network, sku=values["sku"], bgp=Bgp(asn=65515)),
        expressroute=ExpressRouteGateway(name=f"ergw-{name}", network=network, sku=values["expressroute_sku"]),
        circuits=[CircuitLink(name=_link_name(values), circuit=circuit)],
        sites=[site],
    )
    remarks = {"circuits[0].circuit": _OF_CIRCUIT, "sites[0]": _of_site(values)}
    return Beginning(blueprint, remarks, _key_of(site), (circuit.name,))


def _link_name(values: Mapping[str, Any]) -> str:
    return re.sub(r"[^a-z0-9]+", "-", values["peering_location"].lower()).strip("-") or "circuit"


def certificate_in(file: Path) -> RootCertificate:
    """The root certificate in a PEM or DER file, named after the file. Raises `InvalidValue`."""
    name = re.sub(r"[^A-Za-z0-9._-]+", "-", file.stem).strip("._-") or "root"
    return RootCertificate.file(name, file.resolve())


_NETWORK = (ask.LOCATION, ask.ADDRESS_SPACE)
_SITE = (ask.SITE, ask.PUBLIC_IP, ask.PREFIXES)
_CIRCUIT = (ask.PROVIDER, ask.PEERING_LOCATION, ask.BANDWIDTH)

KINDS = (
    ProjectKind("SiteToSite", "offices, by tunnels to their devices", (*_NETWORK, ask.SKU, *_SITE), _site_to_site),
    ProjectKind(
        "PointToSite", "people who dial in", (*_NETWORK, ask.SKU, ask.ADDRESS_POOL, ask.TENANT), _point_to_site
    ),
    ProjectKind(
        "VnetToVnet",
        "two networks in Azure, by their gateways",
        (*_NETWORK, ask.PEER_LOCATION, ask.PEER_ADDRESS_SPACE, ask.SKU),
        _vnet_to_vnet,
    ),
    ProjectKind("ExpressRoute", "a circuit of a provider", (*_NETWORK, ask.EXPRESSROUTE_SKU, *_CIRCUIT), _expressroute),
    ProjectKind(
        "ExpressRouteCoexistence",
        "a circuit, and tunnels beside it",
        (*_NETWORK, ask.SKU, ask.EXPRESSROUTE_SKU, *_CIRCUIT, *_SITE),
        _coexistence,
    ),
)
"""Every kind that a project can begin with, the usual ones first."""

QUESTIONS = {question.name: question for kind in KINDS for question in kind.questions}
"""Every question by its name."""
