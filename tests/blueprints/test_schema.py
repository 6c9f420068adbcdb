"""The JSON Schema of files: complete, self-contained, and as people write."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from vpngw_iac.blueprints.base import kinds
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.schema import field_docs, schema

SCHEMA = schema()


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def test_it_is_json_and_every_reference_in_it_resolves() -> None:
    document = json.loads(json.dumps(SCHEMA))

    assert set() == {ref for ref in references(document) if ref.removeprefix("#/$defs/") not in document["$defs"]}


OTHER_WAY_ROUND = """
import json, sys
from vpngw_iac.resources import registry
registry()
from vpngw_iac.blueprints.schema import schema
json.dump(schema(), sys.stdout)
"""


def test_the_schema_does_not_depend_on_what_was_imported_before() -> None:
    """Python gives equal `Literal` types, whatever their order, the identity of the first one."""
    answer = subprocess.run([sys.executable, "-c", OTHER_WAY_ROUND], capture_output=True, text=True, check=True)

    assert answer.stdout == json.dumps(SCHEMA)


def test_each_kind_is_chosen_by_its_name() -> None:
    found = {entry["properties"]["kind"]["const"] for entry in SCHEMA["oneOf"] if "kind" in entry["properties"]}

    every = {"SiteToSite", "PointToSite", "VnetToVnet", "ExpressRoute", "ExpressRouteCoexistence", "Topology"}
    assert every == found == set(kinds())


def test_named_values_may_stand_at_the_top_and_where_a_value_is_expected() -> None:
    file = next(entry for entry in SCHEMA["oneOf"] if entry["properties"].get("kind", {}).get("const") == "SiteToSite")

    assert {"networks", "gateways", "circuits", "secrets"} <= set(file["properties"])
    assert "string" in {form.get("type") for form in file["properties"]["gateway"]["anyOf"]}


def test_a_secret_is_a_reference_and_never_a_value() -> None:
    by_name, reference = SCHEMA["$defs"]["RadiusServer"]["properties"]["secret"]["anyOf"]
    secret = SCHEMA["$defs"]["Secret"]

    assert by_name["description"] == "Name of an entry under 'secrets:'."
    assert reference == {"$ref": "#/$defs/Secret"} == SCHEMA["$defs"]["secrets"]["additionalProperties"]
    assert list(secret["properties"]) == ["env", "file", "key_vault", "generated"]
    assert (secret["minProperties"], secret["maxProperties"], secret["additionalProperties"]) == (1, 1, False)


def test_only_what_a_file_can_reach_is_defined() -> None:
    used = {reference.removeprefix("#/$defs/") for reference in references(SCHEMA)}

    assert set(SCHEMA["$defs"]) == used


def test_fields_are_described_by_their_docstrings() -> None:
    entry = SCHEMA["$defs"]["Link"]["properties"]

    assert "R-DPD-01" in entry["dpd"]["description"]
    assert "R-LNG-02" in entry["public_ip"]["description"]


UNEXPLAINED = {
    "name", "tags", "waive", "protect", "on_removal", "tenant", "label", "existing", "location", "network", "sku",
    "address_space", "sites", "gateway", "vpn", "expressroute", "circuits", "circuit", "pairs", "blueprints", "a", "b",
    "links", "active_active", "primary", "secondary", "vlan", "peering_location", "bandwidth", "value", "address",
    "gateway_subnet", "public_ips", "asn", "spokes", "subnets",
}  # fmt: skip
"""Fields whose name says all there is to say somewhere."""


@pytest.mark.parametrize("name", sorted(name for name, model in Part.models.items() if not name.startswith("_")))
def test_every_field_of_a_noun_is_explained(name: str) -> None:
    model = Part.models[name]

    assert set() == set(model.model_fields) - set(field_docs(model)) - UNEXPLAINED
