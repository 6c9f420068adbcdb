"""The way out to Terraform: an `import` block for each resource that a deployment manages.

    vpngw show blueprint.py --json | python examples/terraform_import_blocks.py > imports.tf
    terraform plan -generate-config-out=generated.tf

Ids are written in the form in which azurerm 5.2.0 imports each type. Terraform (1.5 or newer) writes the configuration
itself; shared keys are not in it. What azurerm has no resource for is named in a comment.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

TYPES = {
    "microsoft.resources/resourcegroups": "azurerm_resource_group",
    "microsoft.network/virtualnetworks": "azurerm_virtual_network",
    "microsoft.network/virtualnetworks/subnets": "azurerm_subnet",
    "microsoft.network/virtualnetworks/virtualnetworkpeerings": "azurerm_virtual_network_peering",
    "microsoft.network/networksecuritygroups": "azurerm_network_security_group",
    "microsoft.network/routetables": "azurerm_route_table",
    "microsoft.network/publicipaddresses": "azurerm_public_ip",
    "microsoft.network/virtualnetworkgateways": "azurerm_virtual_network_gateway",
    "microsoft.network/virtualnetworkgateways/natrules": "azurerm_virtual_network_gateway_nat_rule",
    "microsoft.network/localnetworkgateways": "azurerm_local_network_gateway",
    "microsoft.network/connections": "azurerm_virtual_network_gateway_connection",
    "microsoft.network/expressroutecircuits": "azurerm_express_route_circuit",
    "microsoft.network/expressroutecircuits/peerings": "azurerm_express_route_circuit_peering",
    "microsoft.network/expressroutecircuits/authorizations": "azurerm_express_route_circuit_authorization",
    "microsoft.network/expressroutecircuits/peerings/connections": "azurerm_express_route_circuit_connection",
    "microsoft.authorization/locks": "azurerm_management_lock",
    "microsoft.authorization/roleassignments": "azurerm_role_assignment",
    "microsoft.maintenance/maintenanceconfigurations": "azurerm_maintenance_configuration",
    "microsoft.insights/diagnosticsettings": "azurerm_monitor_diagnostic_setting",
}


def type_of(identity: str) -> str:
    """The ARM type that an id names, in lower case."""
    if "/providers/" not in identity:
        return "microsoft.resources/resourcegroups"
    provider, *rest = identity.rpartition("/providers/")[2].split("/")
    return "/".join((provider, *rest[::2])).lower()


def imported_as(identity: str, kind: str) -> str:
    """The id as azurerm takes it: a diagnostic setting is named behind a bar."""
    if kind == "azurerm_monitor_diagnostic_setting":
        resource, _, name = identity.partition("/providers/Microsoft.Insights/diagnosticSettings/")
        return f"{resource}|{name}"
    return identity


def blocks(resources: list[Mapping[str, Any]]) -> Iterator[str]:
    """A block for each; its name is made of the address, and every name is given once."""
    for resource in resources:
        kind = TYPES.get(type_of(resource["id"]))
        if kind is None:
            yield f"# {resource['address']}: azurerm has no resource for {resource['id']}\n"
            continue
        name = re.sub(r"[^a-z0-9]+", "_", resource["address"].partition("/")[2].lower()).strip("_")
        identity = json.dumps(imported_as(resource["id"], kind))
        yield f"import {{\n  to = {kind}.{name if name[0].isalpha() else f'n{name}'}\n  id = {identity}\n}}\n"


if __name__ == "__main__":
    print("\n".join(blocks(json.load(sys.stdin)["resources"])), end="")
