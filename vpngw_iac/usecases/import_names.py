"""Names that somebody chose before an import: a file of names, or a Terraform state."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from pathlib import Path
from typing import Any

from vpngw_iac.arm import ArmId
from vpngw_iac.errors import UsageError
from vpngw_iac.files import UnreadableFile, read_text
from vpngw_iac.late_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class ImportNames:
    """What was chosen: names by the id of a connection, what to leave alone with the reason, the deployment's name."""

    deployment: str = ""
    names: Mapping[ArmId, str] = field(default_factory=dict)
    skip: Mapping[ArmId, str] = field(default_factory=dict)


def names_text(deployment: str, names: Mapping[ArmId, str]) -> str:
    """The file of names as `--scan` writes it, to be edited and given with `--names`."""
    lines = [
        "# Names of sites and circuit links by the id of their connection. Under skip: an id and the reason.",
        f"deployment: {json.dumps(deployment)}",
        "names:" if names else "names: {}",
        *(f"  {json.dumps(str(identity))}: {json.dumps(names[identity])}" for identity in sorted(names)),
        "skip: {}",
    ]
    return "\n".join(lines) + "\n"


def chosen_names(file: str) -> ImportNames:
    """Read a file of names; raises `UsageError` that names the entry which is no id."""
    import yaml

    try:
        content = yaml.safe_load(_text(file)) or {}
    except yaml.YAMLError:
        raise UsageError(f"{file} is not YAML.", advice="`vpngw import ... --scan --names FILE` writes one.") from None
    if not isinstance(content, dict):
        raise UsageError(f"{file} holds no names.", advice="`vpngw import ... --scan --names FILE` writes one.")
    return ImportNames(
        deployment=str(content.get("deployment") or ""),
        names=_by_id(file, content.get("names")),
        skip={i: f"left out: {why}" for i, why in _by_id(file, content.get("skip")).items()},
    )


def _by_id(file: str, section: Any) -> dict[ArmId, str]:
    entries = section if isinstance(section, dict) else dict.fromkeys(section or (), "it was not wanted")
    found = {}
    for text, value in entries.items():
        identity = ArmId.of(text)
        if identity is None:
            raise UsageError(f"{file}: {text!r} is not the id of a resource.", advice="Copy the id that --scan wrote.")
        found[identity] = str(value)
    return found


# --- Terraform -------------------------------------------------------------------------------------------------------

_CONNECTION = "azurerm_virtual_network_gateway_connection"
_WHAT = (
    "azurerm_virtual_network_gateway",
    _CONNECTION,
    "azurerm_local_network_gateway",
    "azurerm_virtual_network",
    "azurerm_express_route_circuit",
)
"""Types whose groups are looked at."""


@dataclass(frozen=True, slots=True)
class TerraformState:
    """What a Terraform state says of resources in Azure, by their ids; empty without one."""

    file: str = ""
    addresses: Mapping[ArmId, str] = field(default_factory=dict)
    names: Mapping[ArmId, str] = field(default_factory=dict)
    """What Terraform calls each connection."""
    ids: frozenset[ArmId] = frozenset()
    """Gateways, networks and circuits, and what joins them."""

    @classmethod
    def read(cls, file: str) -> TerraformState:
        """Read a file once; raises `UsageError` for what is no state."""
        found = tuple(_instances(file))
        return cls(
            file,
            {identity: address for address, _, _, identity in found},
            {identity: name for _, kind, name, identity in found if kind == _CONNECTION},
            frozenset(identity for _, kind, _, identity in found if kind in _WHAT),
        )

    @property
    def required_ids(self) -> frozenset[ArmId]:
        """The ids; raises `UsageError` if the state has nothing of the kind."""
        if not self.ids:
            raise UsageError(
                f"{self.file} has no gateway, network or circuit of azurerm.", advice="Name a state of such."
            )
        return self.ids


def _instances(file: str) -> Iterator[tuple[str, str, str, ArmId]]:
    """Address, type, name and id of each managed instance."""
    text = _text(file)
    try:
        state = json.loads(text)
    except ValueError:
        state = None
    if not isinstance(state, dict) or not isinstance(state.get("resources"), list):
        raise UsageError(f"{file} is no Terraform state.", advice="`terraform state pull > FILE` writes one.")
    for resource in state["resources"]:
        if resource.get("mode") != "managed" or not str(resource.get("type")).startswith("azurerm_"):
            continue
        for instance in resource.get("instances") or ():
            identity = ArmId.of((instance.get("attributes") or {}).get("id"))
            if identity is not None:
                yield _address(resource, instance), resource["type"], _name(resource, instance), identity


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    head = f"{resource['module']}." if resource.get("module") else ""
    key = instance.get("index_key")
    return f"{head}{resource['type']}.{resource['name']}" + ("" if key is None else f"[{json.dumps(key)}]")


def _name(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    """The key of ``for_each``, or the name of the resource: what its author called it."""
    key = instance.get("index_key")
    name = str(resource["name"]) if key is None else key if isinstance(key, str) else f"{resource['name']}-{key}"
    return clean_name(name) or "site"


def clean_name(text: str) -> str:
    """A text as a name may be: hyphens for what may not stand in one; empty if nothing is left."""
    clean = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "-" for c in text)
    return clean.strip("._-")


def _text(file: str) -> str:
    try:
        return read_text(Path(file))
    except UnreadableFile as error:
        raise UsageError(f"{file} cannot be read: {error.reason}.", advice="Check the path.") from None
