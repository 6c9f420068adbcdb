"""The pages for those who come from elsewhere: every argument there has a field here that exists, or a reason."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from tests.cli.conftest import Shell, environment, vpngw  # noqa: F401 - fixtures
from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.compiling.plain import wires
from vpngw_iac.blueprints.part import Part

DOCS = Path(__file__).resolve().parents[1] / "docs"
CHECKOUTS = ("VPNGW_AZURERM", "VPNGW_AVM")


def generator() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_coming_from", DOCS / "coming_from.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


MADE = generator()
FIELDS: Mapping[str, Any] = MADE.fields()
READ: Mapping[str, Any] = MADE.arguments()
NAMES: Mapping[str, Mapping[str, list[str]]] = {
    "azurerm": READ["azurerm"]["resources"],
    "avm": {name: module["parameters"] for name, module in READ["avm"].items()},
}


def entries() -> Iterator[tuple[str, str, str, str]]:
    """Tool, resource, argument and what is said of it."""
    for tool, resources in FIELDS.items():
        for resource, entry in resources.items():
            for argument, said in entry.get("fields", {}).items():
                yield tool, resource, argument, said


@pytest.mark.parametrize("tool", NAMES)
def test_every_argument_is_mapped_or_says_why_not(tool: str) -> None:
    unmapped = {}
    for resource, arguments in NAMES[tool].items():
        entry = FIELDS[tool][resource]
        if "why" in entry:
            assert entry["why"].endswith("."), resource
            continue
        unmapped[resource] = sorted(set(arguments) ^ set(entry["fields"]))

    assert {resource: names for resource, names in unmapped.items() if names} == {}
    assert set(NAMES[tool]) == set(FIELDS[tool])


def test_no_argument_is_mapped_twice() -> None:
    """YAML would let the second one win in silence."""

    class Strict(yaml.SafeLoader):
        pass

    def once(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
        keys = [loader.construct_object(key) for key, _ in node.value]
        assert len(keys) == len(set(keys)), sorted(key for key in keys if keys.count(key) > 1)
        return loader.construct_mapping(node, deep=True)

    Strict.add_constructor("tag:yaml.org,2002:map", once)
    yaml.load((DOCS / "coming-from" / "fields.yaml").read_text(encoding="utf-8"), Strict)


def test_every_noun_and_field_that_is_named_exists() -> None:
    kinds()
    absent = [
        f"{resource} {argument}: {noun}.{field}"
        for _, resource, argument, said in entries()
        for noun, field in MADE.named_in(said)
        if noun not in Part.models or field not in Part.models[noun].model_fields
    ]

    assert absent == []


def test_a_pair_of_arguments_of_one_field_becomes_two_properties() -> None:
    """What the field leads to first is not what each of its arguments becomes."""
    for tool in ("terraform", "bicep"):
        page = (DOCS / "coming-from" / f"{tool}.md").read_text()
        for line in re.findall(r"^\| `[^`]*(?:egress|allow_?gateway_?transit).*", page, re.I | re.M):
            property_ = line.split("|")[3]
            wanted = "egressNatRules" if "egress" in line.lower() else "allowGatewayTransit"
            assert wanted in property_, line


def test_names_in_notes_exist_too() -> None:
    notes = [said for _, _, _, said in entries()] + [
        entry[key]
        for resources in FIELDS.values()
        for entry in resources.values()
        for key in ("why", "becomes")
        if key in entry
    ]
    wrong = []
    for noun, field in (found for note in notes for found in re.findall(r"`([A-Z]\w+)\.(\w+)", note)):
        model = Part.models.get(noun)
        if model is None or not (field in model.model_fields or hasattr(model, field)):
            wrong.append(f"{noun}.{field}")

    assert wrong == []


def test_what_a_module_hands_on_as_it_is_becomes_the_same_property_here() -> None:
    """The templates themselves contradict a wrong line: their property against the `Wire` markers of the fields."""
    differing, compared = [], 0
    for module, read in READ["avm"].items():
        for parameter, path in read["properties"].items():
            places = MADE.named_in(FIELDS["avm"][module].get("fields", {}).get(parameter, "why: "))
            marked = {p for noun, field in places if (p := _property_of(noun, field)) is not None}
            if not marked or path in ("name", "location", "tags"):
                continue
            compared += 1
            if not any(_alike(path, own) for own in marked):
                differing.append(f"{module} {parameter}: {path} is not {sorted(marked)}")

    assert differing == []
    assert compared > 20


def _property_of(noun: str, field: str) -> str | None:
    mark = dict(wires(Part.models[noun])).get(field)
    if mark is None:
        return None
    within = Part.models[noun].stands.partition(": ")[2] if not mark.of else ""
    return ".".join(filter(None, (within, mark.path)))


def _alike(there: str, here: str) -> bool:
    """One leads to the other, or to a sibling that one field says with it (``sku.name`` and ``sku.tier``)."""
    there, here = (re.sub(r"\[[^\]]*\]", "", path) for path in (there, here))
    return (
        there.startswith(here)
        or here.startswith(there)
        or there.rpartition(".")[0] == here.rpartition(".")[0] != "properties"
    )


def test_arguments_are_read_off_a_page_with_blocks() -> None:
    page = """
## Arguments Reference

* `name` - (Required) The name.

* `bgp_settings` - (Optional) A `bgp_settings` block as defined below.

---

The `bgp_settings` block supports:

* `asn` - (Required) The number.

## Attributes Reference

* `id` - The id.
"""
    assert list(MADE._arguments(page)) == ["name", "bgp_settings", "bgp_settings.asn"]


def test_parameters_are_read_off_a_template_with_types() -> None:
    template = {
        "definitions": {"rule": {"type": "object", "properties": {"mode": {"type": "string"}}}},
        "parameters": {
            "natRules": {"type": "array", "items": {"$ref": "#/definitions/rule"}},
            "lock": {"type": "object", "properties": {"kind": {"type": "string"}}},
        },
        "resources": {"gateway": {"type": "T", "properties": {"a": {"b": "[parameters('natRules')]"}}}},
    }

    assert list(MADE._parameters(template)) == ["natRules", "natRules.mode", "lock"]
    assert dict(MADE._properties(template)) == {"natRules": "properties.a.b"}


@pytest.mark.skipif(any(name not in os.environ for name in CHECKOUTS), reason=f"needs {' and '.join(CHECKOUTS)}")
def test_the_names_are_those_of_the_public_sources() -> None:
    assert MADE.names_of(*(Path(os.environ[name]) for name in CHECKOUTS)) == READ


def test_the_lines_that_hand_over_are_those_that_the_page_shows(vpngw: Shell) -> None:  # noqa: F811
    """A state with a module, a `for_each` and a key in it: the lines name addresses, and no value appears anywhere."""
    vpngw("apply", "hub.yaml", "--yes", code=0)
    shown = vpngw("show", "hub.yaml", "--json", code=0).document["resources"]
    ids = {each["address"]: each["id"] for each in shown}
    state = {
        "version": 4,
        "resources": [
            _resource("azurerm_virtual_network_gateway", "hub", [{"attributes": {"id": ids["VpnGateway/vgw-hub"]}}]),
            _resource(
                "azurerm_virtual_network_gateway_connection",
                "sites",
                [
                    {
                        "index_key": "berlin",
                        "attributes": {"id": ids["VpnConnection/vgw-hub/berlin"], "shared_key": "Typed0in7here"},
                    }
                ],
            ),
        ],
    }
    (vpngw.directory / "terraform.tfstate.json").write_text(json.dumps(state))

    answer = vpngw(
        "import", "--terraform-state", "terraform.tfstate.json", "--deployment", "hub", "--state", "other", code=0
    )

    lines = [line for line in answer.out.splitlines() if "terraform state rm" in line]
    page = (DOCS / "coming-from" / "terraform.md").read_text(encoding="utf-8")
    assert lines
    assert [line for line in lines if line not in page] == []
    written = (vpngw.directory / "blueprint.py").read_text()
    assert "Typed0in7here" not in answer.out + answer.err + written


def test_import_blocks_lead_back_to_terraform(vpngw: Shell) -> None:  # noqa: F811
    vpngw.edit(
        "hub.yaml",
        "sku: VpnGw1AZ}",
        "sku: VpnGw1AZ, lock: CanNotDelete, maintenance: {start: '02:00', time_zone: UTC}}",
    )
    vpngw("apply", "hub.yaml", "--yes", code=0)
    shown = vpngw("show", "hub.yaml", "--json", code=0)

    script = DOCS.parent / "examples" / "terraform_import_blocks.py"
    made = subprocess.run([sys.executable, script], input=shown.out, capture_output=True, text=True, check=True).stdout

    targets = re.findall(r"^  to = (\w+)\.(\w+)$", made, re.MULTILINE)
    assert len(targets) == len(set(targets)) == len(re.findall(r'^  id = "/subscriptions/', made, re.MULTILINE))
    assert {kind for kind, _ in targets} <= set(NAMES["azurerm"])
    assert ("azurerm_virtual_network_gateway", "vgw_hub") in targets
    assert ("azurerm_virtual_network_gateway_connection", "vgw_hub_berlin") in targets
    assert "azurerm_management_lock" in dict(targets)
    told = [line for line in made.splitlines() if line.startswith("# ")]
    assert len(told) == 1, "azurerm has no assignment of a maintenance configuration to a gateway"
    assert "MaintenanceAssignment" in told[0]
    assert len(targets) + len(told) == len(shown.document["resources"])


def test_every_type_that_leads_back_is_one_of_the_page() -> None:
    spec = importlib.util.spec_from_file_location("blocks", DOCS.parent / "examples" / "terraform_import_blocks.py")
    assert spec
    assert spec.loader
    blocks = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(blocks)

    assert set(blocks.TYPES.values()) <= set(NAMES["azurerm"])
    identity = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworkGateways/v"
    setting = f"{identity}/providers/Microsoft.Insights/diagnosticSettings/logs"
    assert blocks.imported_as(setting, blocks.TYPES[blocks.type_of(setting)]) == f"{identity}|logs"
    assert blocks.type_of("/subscriptions/s/resourceGroups/g") == "microsoft.resources/resourcegroups"


def _resource(kind: str, name: str, instances: list[dict[str, Any]]) -> dict[str, Any]:
    return {"mode": "managed", "type": kind, "name": name, "provider": "", "instances": instances}
