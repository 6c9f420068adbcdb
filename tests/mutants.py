"""Blueprints as people write them by mistake: legal documents, made at random, then strained or damaged; and what
becomes of one on its way to a plan.
"""

from __future__ import annotations

import copy
import functools
import json
import random
import re
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.blueprints.mutations import damaged, places, value_at
from tests.test_settings import SECTIONS, plain
from tests.test_settings import written as written_example
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.load import load
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.errors import BlueprintError, Finding, Findings
from vpngw_iac.report.findings.sarif import sarif
from vpngw_iac.report.json_documents import dumps, validate_document
from vpngw_iac.report.style import Style
from vpngw_iac.report.text.findings import findings_text
from vpngw_iac.usecases.workspace import Workspace

CASES = Path(__file__).parent / "cases" / "compile"
PROFILES = (None, None, None, "strict", "cnsa", "nist", "bsi")
SKUS = ("VpnGw1AZ", "VpnGw2AZ", "VpnGw3AZ", "VpnGw4AZ", "VpnGw5AZ", "VpnGw2", "Basic")
REGIONS = ("westeurope", "northeurope", "West US", "germanywestcentral", "usgovvirginia")
POLICY = {
    "ike_encryption": "GCMAES256",
    "ike_integrity": "SHA384",
    "dh_group": "ECP384",
    "ipsec_encryption": "GCMAES256",
    "ipsec_integrity": "GCMAES256",
    "pfs_group": "ECP384",
}
KEY = {"env": "PSK"}
ENVIRONMENT = {"PSK": "0123456789abcdefghijABCDEFGHIJ", "PSK_BAD": "with a space and -"}

Document = dict[str, Any]


# --- legal documents -------------------------------------------------------------------------------------------------


@functools.cache
def _cases() -> tuple[Document, ...]:
    """The blueprints of the compile cases and of the page of settings: every setting stands in one of them."""
    found = sorted(CASES.rglob("*.yaml"))
    cases = tuple(yaml.safe_load(path.read_text(encoding="utf-8"))["blueprint"] for path in found)
    with tempfile.TemporaryDirectory() as folder:
        settings = tuple(plain(written_example(section, Path(folder))) for section in SECTIONS)
    return cases + settings


def environment() -> dict[str, str]:
    """A value for every variable that a known document names."""
    named = {value_at(case, at) for case in _cases() for at in places(case) if at[-1] == "env"}
    return dict.fromkeys(sorted(name for name in named if isinstance(name, str)), ENVIRONMENT["PSK"]) | ENVIRONMENT


def made(chance: random.Random) -> Document:
    """A document that may be legal: one of the cases, or one made of parts that fit together."""
    return copy.deepcopy(chance.choice(_cases())) if chance.random() < 0.4 else _Maker(chance).document()


class _Maker:
    """Makes documents; numbers keep addresses apart unless the strain moves them."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def document(self) -> Document:
        kinds: tuple[Callable[[], Document], ...] = (self.hub, self.clients, self.pair, self.coexistence, self.topology)
        return self.chance.choice(kinds)()

    def often(self, share: float = 0.5) -> bool:
        return self.chance.random() < share

    def network(self, number: int) -> Document:
        said: Document = {
            "name": f"vnet-{number}",
            "location": self.chance.choice(REGIONS[: 2 if self.often(0.8) else None]),
            "resource_group": f"rg-{number}",
            "address_space": [f"10.{number}.0.0/16"],
            "gateway_subnet": f"10.{number}.255.0/{self.chance.choice((24, 26, 27, 27, 28))}",
        }
        if self.often(0.3):
            said["subnets"] = {"workload": f"10.{number}.1.0/24"}
        if self.often(0.1):
            said["dns_servers"] = [f"10.{number}.1.4"]
        return said

    def gateway(self, number: int) -> Document:
        said: Document = {"name": f"vgw-{number}", "network": self.network(number), "sku": self.chance.choice(SKUS)}
        if self.often():
            said["active_active"] = True
        if self.often():
            said["bgp"] = {"asn": 65000 + 10 * number}
        if self.often(0.1):
            said |= {"private_ip": True}
        if self.often(0.1):
            said |= {"maintenance": {"start": "02:00"}}
        if self.often(0.1):
            said |= {"lock": "CanNotDelete", "protect": True}
        return said

    def site(self, number: int) -> Document:
        said: Document = {"name": f"site-{number}", "shared_key": dict(KEY), "prefixes": [f"192.168.{number}.0/24"]}
        if self.often(0.8):
            said["ipsec"] = dict(POLICY)
        if self.often(0.3):
            said["bgp"] = {"asn": 65100 + number, "address": f"192.168.{number}.1"}
        if self.often(0.2):
            said["nat"] = [
                {"direction": "ingress", "name": f"in-{number}", "internal": f"192.168.{number}.0/24",
                 "external": f"172.20.{number}.0/24"}
            ]  # fmt: skip
        if self.often(0.1):
            said["protocol"] = "IKEv1"
        if self.often(0.3):
            links: list[Document] = [{"name": f"l{i}", "public_ip": f"203.0.113.{10 * number + i}"} for i in range(2)]
            return said | {"links": links}
        return said | ({"public_ip": f"203.0.113.{10 * number}"} if self.often(0.9) else {"fqdn": "vpn.example.com"})

    def spokes(self, number: int) -> list[Document]:
        count = self.chance.choice((0, 0, 1, 2))
        networks = [{**self.network(number + 20 + n), "location": "westeurope"} for n in range(count)]
        for network in networks:
            del network["gateway_subnet"]
        return [{"network": n, "manage": self.chance.choice(("both", "both", "hub"))} for n in networks]

    def hub(self, number: int = 1) -> Document:
        sites = [self.site(n) for n in range(self.chance.randrange(4))]
        hub = {"kind": "SiteToSite", "name": f"hub-{number}", "gateway": self.gateway(number), "sites": sites}
        return hub | {"spokes": self.spokes(number)}

    def clients(self, number: int = 1) -> Document:
        sign_ins: list[Document] = [{"tenant": "11111111-1111-4111-8111-111111111111"}]
        if self.often(0.3):
            sign_ins.append({"servers": [{"address": f"10.{number}.1.5", "secret": dict(KEY)}]})
        said: Document = {
            "kind": "PointToSite",
            "name": f"clients-{number}",
            "gateway": self.gateway(number),
            "protocols": self.chance.choice((["OpenVPN"], ["OpenVPN", "IKEv2"], ["OpenVPN"])),
            "authentication": sign_ins,
            "address_pool": f"172.16.{number}.0/{self.chance.choice((24, 24, 27, 28))}",
        }
        if self.often(0.2):
            groups = [{"name": f"g{n}", "priority": n, "address_pool": f"172.{18 + n}.0.0/24"} for n in range(2)]
            said["groups"] = [groups[0] | {"default": True}, groups[1] | {"members": [{"value": "6ad1bd08"}]}]
        return said

    def pair(self, number: int = 1) -> Document:
        a, b = self.gateway(number), self.gateway(number + 1)
        pair: Document = {"a": a, "b": b, "shared_key": dict(KEY), "via": self.chance.choice(("vnet", "vnet", "ipsec"))}
        pair |= {"bgp": True} if "bgp" in a and "bgp" in b and self.often() else {}
        return {"kind": "VnetToVnet", "name": f"pair-{number}", "pairs": [pair | ({"ipsec": dict(POLICY)})]}

    def coexistence(self, number: int = 1) -> Document:
        gateway = self.gateway(number)
        sku = self.chance.choice(("ErGw1AZ", "ErGw2AZ", "ErGw3AZ", "ErGwScale", "Standard"))
        expressroute: Document = {"name": f"ergw-{number}", "network": gateway["network"], "sku": sku}
        expressroute |= {"scale_units": self.chance.choice(([2, 10], 1, [20, 40]))} if sku == "ErGwScale" else {}
        circuit = {
            "name": f"erc-{number}",
            "location": "westeurope",
            "resource_group": f"rg-{number}",
            "provider": "Equinix",
            "peering_location": "Amsterdam",
            "bandwidth": 1000,
            "private_peering": {"asn": 65300, "vlan": 100, "primary": "10.99.0.0/30", "secondary": "10.99.0.4/30"},
        }
        link = {"name": "ams", "circuit": circuit} | ({"weight": 10} if self.often() else {})
        sites = [self.site(n) for n in range(self.chance.randrange(3))]
        parts = {"vpn": gateway, "expressroute": expressroute, "circuits": [link], "sites": sites}
        return {"kind": "ExpressRouteCoexistence", "name": f"both-{number}", **parts, "spokes": self.spokes(number)}

    def topology(self) -> Document:
        parts = [self.hub(1), self.clients(1), self.pair(1), self.hub(2)]
        chosen = self.chance.sample(parts, k=self.chance.randint(1, 3))
        shared = self.gateway(1)
        for part in chosen:
            if part.get("gateway", {}).get("name") == "vgw-1" and self.often(0.8):
                part["gateway"] = copy.deepcopy(shared)
        return {"kind": "Topology", "name": "world", "blueprints": chosen}


# --- mistakes --------------------------------------------------------------------------------------------------------


def mutated(document: Document, chance: random.Random) -> Document:
    """The document with mistakes: mostly plausible ones, sometimes anything at all."""
    if chance.random() < 0.3:
        return dict(found) if isinstance(found := damaged(document, chance), dict) else document
    result = copy.deepcopy(document)
    for _ in range(chance.choice((1, 1, 2, 4))):
        _strain(result, chance)
    return result


WORDS: dict[str, tuple[Any, ...]] = {
    "sku": (*SKUS, "VpnGw9AZ", "HighPerformance", "ErGw1AZ", "ErGwScale", {"other": "VpnGw9AZ"}),
    "location": (*REGIONS, "atlantis"),
    "name": ("vnet-1", "vgw-1", "site-0", "GatewaySubnet", "x" * 90, "a b"),
    "env": ("PSK_BAD", "NOBODY_SET_THIS"),
    "protocol": ("IKEv1", "IKEv2"),
    "mode": ("initiator-only", "responder-only"),
    "manage": ("both", "hub", "flags", "a", "b"),
    "via": ("vnet", "ipsec"),
    "public_ip": ("203.0.113.10", "10.1.0.4", "192.168.0.1", "2001:db8::1"),
    "fqdn": ("vpn.example.com", "203.0.113.10"),
    "dh_group": ("None", "DHGroup2", "ECP384"),
    "ipsec_encryption": ("None", "DES3", "AES256", "GCMAES128"),
    "pfs_group": ("None", "PFS2", "ECP384"),
}
"""Words that people write at these places, right or wrong."""


def _strain(document: Document, chance: random.Random) -> None:
    """A part is left out, doubled or exchanged; or a value becomes another of its own sort."""
    known = list(places(document))
    sort = chance.choice(("flag", "number", "prefix", "prefix", "word", "word", "out", "double", "swap"))
    fitting = [at for at in known if _is_of(sort, document, at)]
    if not fitting:
        return
    at = chance.choice(fitting)
    parent, key = value_at(document, at[:-1]), at[-1]
    value = parent[key]
    match sort:
        case "out":
            del parent[key]
        case "double":
            parent.append(copy.deepcopy(value))
        case "swap":
            apart = [
                found for found in fitting if found[-1] == key and found[: len(at)] != at and at[: len(found)] != found
            ]
            other = chance.choice(apart or [at])
            parent[key], value_at(document, other[:-1])[key] = copy.deepcopy(value_at(document, other)), value
        case "flag":
            parent[key] = not value
        case "number":
            parent[key] = chance.choice((value + 1, value - 1, -value, value * 1000, 0, 65515, 65535, 2**32))
        case "prefix":
            parent[key] = other_prefix(value, chance)
        case _:
            parent[key] = copy.deepcopy(chance.choice(WORDS[key]))


def _is_of(sort: str, document: Document, at: tuple[Any, ...]) -> bool:
    parent, key = value_at(document, at[:-1]), at[-1]
    value = parent[key]
    match sort:
        case "out":
            return True
        case "double":
            return isinstance(parent, list)
        case "swap":
            return isinstance(parent, dict)
        case "flag":
            return isinstance(value, bool)
        case "number":
            return isinstance(value, int) and not isinstance(value, bool)
        case "prefix":
            return isinstance(value, str) and "/" in value and value[:1].isdigit()
    return isinstance(parent, dict) and key in WORDS


def other_prefix(value: str, chance: random.Random) -> str:
    address, _, length = value.partition("/")
    wider = str(chance.choice((0, 1, 8, 15, 16, 24, 27, 28, 29, 30, 32, 33)))
    moved = ".".join([*address.split(".")[:2], str(chance.randrange(256)), "0"])
    return chance.choice((f"{address}/{wider}", f"{moved}/{length}", address, "0.0.0.0/0", "10.1.0.0/16", "fd00::/64"))


# --- every mistake at every place ------------------------------------------------------------------------------------


def each_mistake() -> Iterator[tuple[str, Document]]:
    """Every known document with one mistake: each place left out, emptied, doubled, out of range, of another sort,
    exchanged for the next of its name. Comes with the place, as ``sites[].bgp.asn = -1``.
    """
    for document in _cases():
        known = list(places(document))
        for at in known:
            value = value_at(document, at)
            nexts = [other for other in known if other[-1] == at[-1] and other != at and other[: len(at)] != at]
            twin = copy.deepcopy(value_at(document, nexts[known.index(at) % len(nexts)])) if nexts else None
            for new in (*_others(value), *((twin,) if nexts else ()), _OUT):
                result = copy.deepcopy(document)
                parent = value_at(result, at[:-1])
                if new is _OUT:
                    del parent[at[-1]]
                else:
                    parent[at[-1]] = new
                yield f"{document['kind']}: {_place(at)} = {'(out)' if new is _OUT else repr(new)[:60]}", result


_OUT = object()


def _others(value: Any) -> Iterator[Any]:
    """What people write in place of a value."""
    yield None
    match value:
        case bool():
            yield from (not value, str(value), 2)
        case int():
            yield from (value + 1, -value, 0, 10**12, str(value), value + 0.5)
        case str():
            yield from ("", f" {value}", value.upper(), value + "x" * 200, 7, [value], {"name": value}, "\x00\u00fc")
            if "/" in value and value[:1].isdigit():
                yield from ("0.0.0.0/0", value.partition("/")[0], value + "9", "fd00::/64", "10.300.0.0/16")
        case list():
            yield from ([], [*value, *value], value[::-1], value[:1] * 120, value[0] if value else "x", {"x": value})
        case dict():
            yield from ({}, {**value, "zzz": 1}, [value], "x")


def _place(at: tuple[Any, ...]) -> str:
    return re.sub(r"^\.", "", "".join("[]" if isinstance(step, int) else f".{step}" for step in at))


# --- what becomes of it ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class End:
    """How far a document came, and the traceback if it came to one."""

    word: str
    """``unreadable``, ``refused``, ``planned`` or ``broken``."""
    findings: tuple[Finding, ...] = ()
    crash: str = ""
    blueprints: tuple[Blueprint, ...] = ()


def written(document: Document, folder: Path, chance: random.Random) -> Path:
    """The document as a file, in YAML or JSON."""
    if chance.random() < 0.3:
        file = folder / "case.json"
        file.write_text(json.dumps(document), encoding="utf-8")
    else:
        file = folder / "case.yaml"
        file.write_text(yaml.dump(document, Dumper=DUMPER), encoding="utf-8")
    return file


DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


def end_of(file: Path, workspace: Workspace, profile: str | None) -> End:
    """Read, validate, compile and plan it. Whatever is neither a finding nor a plan is a defect of ours."""
    try:
        return _end(file, workspace, profile)
    except Exception:
        return End("broken", crash=traceback.format_exc())


def _end(file: Path, workspace: Workspace, profile: str | None) -> End:
    try:
        loaded = load(file)
    except BlueprintError as error:
        return _told(End("unreadable", error.findings), file)
    found = workspace.validate(*loaded.blueprints, profile=profile).findings
    for finding in found:
        loaded.locate(finding.location or finding.address)
    if Findings(found).blocking:
        return _told(End("refused", found, blueprints=loaded.blueprints), file)
    for blueprint in loaded.blueprints:
        workspace.compile(blueprint)
        found += workspace.plan(blueprint, Options(profile=profile)).findings
    return _told(End("planned", found, blueprints=loaded.blueprints), file)


def _told(end: End, file: Path) -> End:
    """Every format can say it, and who is refused is told why."""
    assert end.word == "planned" or Findings(end.findings).blocking, "refused without a finding"
    findings_text(end.findings, Style(), checked=str(file))
    dumps(validate_document(end.findings))
    dumps(sarif(end.findings, str(file)))
    for finding in end.findings:
        assert finding.rule, finding
        assert finding.summary, finding
        assert finding.detail or finding.rule.startswith("T-"), finding
    return end


def ends(seeds: Iterator[int] | range, folder: Path, workspace: Workspace) -> Iterator[tuple[int, End]]:
    """What becomes of each document; a seed makes the same one again."""
    for seed in seeds:
        chance = random.Random(seed)
        document = mutated(made(chance), chance)
        yield seed, end_of(written(document, folder, chance), workspace, chance.choice(PROFILES))
