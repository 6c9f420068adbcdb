"""The tables of docs/coming-from: what other tools call things, and the noun and field that says it here.

    python docs/coming_from.py AZURERM_CHECKOUT AVM_CHECKOUT    # reads the names of their arguments anew

`arguments.json` holds names alone, read off the public documentation of the azurerm provider and the compiled templates
of Azure Verified Modules. `fields.yaml` says for each the field, or why there is none; the property that a field
becomes is read off its `Wire` marker. `docs/generate.py` puts the tables into the pages.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent / "coming-from"
RESOURCES = """
resource_group virtual_network virtual_network_dns_servers subnet subnet_route_table_association
subnet_network_security_group_association subnet_nat_gateway_association network_security_group network_security_rule
route_table route public_ip public_ip_prefix virtual_network_gateway virtual_network_gateway_connection
virtual_network_gateway_nat_rule local_network_gateway virtual_network_peering express_route_circuit
express_route_circuit_authorization express_route_circuit_peering express_route_circuit_connection express_route_port
express_route_port_authorization express_route_gateway express_route_connection vpn_gateway vpn_gateway_connection
vpn_gateway_nat_rule vpn_site vpn_server_configuration vpn_server_configuration_policy_group point_to_site_vpn_gateway
management_lock maintenance_configuration monitor_diagnostic_setting role_assignment
"""
"""Resources of azurerm that make or touch a VPN gateway or a circuit, or are taken for such."""
MODULES = """
virtual-network-gateway virtual-network-gateway/nat-rule connection local-network-gateway express-route-circuit
express-route-port express-route-gateway virtual-network public-ip-address
"""
"""Modules of ``avm/res/network``."""


# --- tables ----------------------------------------------------------------------------------------------------------

_BLOCK_OF_PAGE = re.compile(r"<!-- begin (?P<tool>[\w ]+) -->\n.*?<!-- end (?P=tool) -->", re.DOTALL)


def page(name: str) -> str:
    """A page with its tables made anew."""
    from vpngw_iac.blueprints.base import kinds

    kinds()  # so that every noun is known
    text = (HERE / name).read_text(encoding="utf-8")
    return _BLOCK_OF_PAGE.sub(
        lambda block: f"<!-- begin {block['tool']} -->\n{_made(block['tool'])}<!-- end {block['tool']} -->", text
    )


def _made(tool: str) -> str:
    lines = list(_unsaid()) if tool == "unsaid by azurerm" else list(_sections(tool))
    return "\n" + "\n".join(lines) + "\n"


def fields() -> dict[str, Any]:
    """What people wrote: ``fields.yaml``."""
    import yaml

    return dict(yaml.safe_load((HERE / "fields.yaml").read_text(encoding="utf-8")))


def arguments() -> dict[str, Any]:
    """What was read: ``arguments.json``."""
    return dict(json.loads((HERE / "arguments.json").read_text(encoding="utf-8")))


def named_in(said: str) -> tuple[tuple[str, str], ...]:
    """Noun and field of each place that an entry names; nothing where it says why there is none."""
    if said.startswith("why: "):
        return ()
    found = [place.partition(".") for place in re.split(" @ | -- ", said, maxsplit=1)[0].split(", ")]
    return tuple((noun, field) for noun, _, field in found)


def _sections(tool: str) -> Iterator[str]:
    for name, entry in fields()[tool].items():
        version = arguments()["avm"][name]["version"] if tool == "avm" else ""
        yield from (f"### {name}", "")
        if "why" in entry:
            yield from (entry["why"], "")
            continue
        yield from (f"Becomes {entry['becomes']}." + (f" Version {version}." if version else ""), "")
        yield from ("| there | here | property | |", "| --- | --- | --- | --- |")
        for argument, said in entry["fields"].items():
            places = named_in(said)
            told = ", ".join(f"{noun}.{field}" for noun, field in places)
            note = said.removeprefix("why: ") if not places else said.partition(" -- ")[2]
            shown = argument if tool == "portal" else f"`{argument}`"
            yield f"| {shown} | {told} | {_own_property(said) or _property(places)} | {note} |"
        yield ""


def _own_property(said: str) -> str:
    """The property that an entry names itself: its field leads to several."""
    return said.partition(" -- ")[0].partition(" @ ")[2]


def _property(places: tuple[tuple[str, str], ...]) -> str:
    """What the first of the fields with a `Wire` marker becomes, as the page of settings writes it."""
    from vpngw_iac.blueprints.compiling.plain import wires
    from vpngw_iac.blueprints.part import Part

    for noun, field in places:
        mark = dict(wires(Part.models[noun])).get(field)
        if mark is not None:
            kind, _, within = Part.models[noun].stands.partition(": ")
            path = ".".join(filter(None, ("" if mark.of else within, mark.path)))
            return f"{mark.of or kind}: {path}".replace("[*]", "[0]").rstrip(": ")
    return ""


def _unsaid() -> Iterator[str]:
    """Fields whose property no argument of azurerm leads to, noun by noun."""
    from vpngw_iac.blueprints.compiling.plain import wires
    from vpngw_iac.blueprints.part import Part
    from vpngw_iac.blueprints.schema import field_docs

    named = [named_in(said) for entry in fields()["azurerm"].values() for said in entry.get("fields", {}).values()]
    places = {place for each in named for place in each}
    told = {_property((place,)) for place in places}
    yield from ("| field | property | what |", "| --- | --- | --- |")
    for noun in (*dict.fromkeys(noun for noun, _ in sorted(places)), *_ONLY_HERE):
        docs = field_docs(Part.models[noun])
        for field, _ in wires(Part.models[noun]):
            found = _property(((noun, field),))
            if found not in told and field not in _ELSEWHERE:
                told.add(found)
                what = re.split(r"(?<=\.) ", " ".join(docs.get(field, "").replace("``", "`").split()), maxsplit=1)[0]
                yield f"| {noun}.{field} | {found} | {what} |"
    yield ""


_ONLY_HERE = ("CertificateKey", "Tunnel", "Routing", "PrefixValidation", "IpTag")
"""Nouns of which azurerm has nothing."""

_ELSEWHERE = ("tags", "location", "name", "cloud", "zones", "type", "tag")
"""Fields that azurerm says too, on another resource."""


# --- names, from the public sources ----------------------------------------------------------------------------------


def names_of(azurerm: Path, avm: Path) -> dict[str, Any]:
    """Every argument of every resource and every parameter of every module, with the versions they are of."""
    version = re.findall(r"^## (\S+)", _show(azurerm, "CHANGELOG.md"), re.MULTILINE)[0]
    return {
        "azurerm": {
            "version": version,
            "resources": {
                f"azurerm_{name}": list(
                    _arguments(_show(azurerm, f"website/docs/r/{name}.html.markdown", f"v{version}"))
                )
                for name in RESOURCES.split()
            },
        },
        "avm": {
            name: {
                "version": re.findall(r"^## (\S+)", _show(avm, f"avm/res/network/{name}/CHANGELOG.md"), re.MULTILINE)[
                    0
                ],
                "parameters": list(
                    _parameters(template := json.loads(_show(avm, f"avm/res/network/{name}/main.json")))
                ),
                "properties": dict(_properties(template)),
            }
            for name in MODULES.split()
        },
    }


def _show(checkout: Path, path: str, commit: str = "HEAD") -> str:
    """A file of a git directory."""
    command = ["git", "show", f"{commit}:{path}"]
    return subprocess.run(command, cwd=checkout, capture_output=True, text=True, check=True).stdout  # noqa: S603


_BLOCK = re.compile(r"^(?:The|A|An|Each) `(\w+)` (?:block|object)", re.MULTILINE)


def _arguments(page: str) -> Iterator[str]:
    """Names as a documentation page lists them; those of a block behind its name."""
    told = re.split(r"^## Arguments? Reference", page, flags=re.MULTILINE)[1]
    told = re.split(r"^## (?!Arguments?)", told, flags=re.MULTILINE)[0]
    block, seen = "", set[str]()
    for line in told.splitlines():
        if (
            found := re.match(
                r"^(?:(?:The|A|An|Each) )?`(\w+)` (?:block|object|blocks)?\s*(?:supports|exports|contains)", line
            )
        ) or (found := _BLOCK.match(line)):
            block = found[1]
        elif argument := re.match(r"^\s*[*-] `(\w+)` ?[-–]? ?\(?", line):
            name = f"{block}.{argument[1]}" if block else argument[1]
            if name not in seen:
                seen.add(name)
                yield name


_COMMON = ("lock", "roleAssignments", "diagnosticSettings", "publicIpDiagnosticSettings", "tags", "enableTelemetry")
"""Parameters that every module takes, with one form: not looked into."""


def _parameters(template: dict[str, Any]) -> Iterator[str]:
    definitions = template.get("definitions", {})

    def inside(schema: dict[str, Any], path: str) -> Iterator[str]:
        if "$ref" in schema:
            schema = definitions[schema["$ref"].rpartition("/")[2]] | {k: v for k, v in schema.items() if k != "$ref"}
        for name, entry in (schema.get("properties") or {}).items():
            yield f"{path}.{name}"
            if name not in _COMMON:
                yield from inside(entry, f"{path}.{name}")
        if isinstance(schema.get("items"), dict):
            yield from inside(schema["items"], path)
        for choice in schema.get("discriminator", {}).get("mapping", {}).values():
            yield from inside(choice, path)

    for name, entry in template["parameters"].items():
        found = [name, *(() if name in _COMMON else inside(entry, name))]
        yield from dict.fromkeys(found)


def _properties(template: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Parameters that a template hands on as they are, each with the property that they become."""
    found = template["resources"]
    for resource in found.values() if isinstance(found, dict) else found:
        if resource["type"] not in ("Microsoft.Resources/deployments",) and not resource.get("scope"):
            yield from _handed_on(resource, "")


def _handed_on(node: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        for key, value in node.items():
            yield from _handed_on(value, f"{path}.{key}".lstrip("."))
    elif isinstance(node, str) and (name := re.fullmatch(r"\[parameters\('(\w+)'\)\]", node)):
        yield name[1], path


if __name__ == "__main__":
    found = names_of(Path(sys.argv[1]), Path(sys.argv[2]))
    (HERE / "arguments.json").write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
