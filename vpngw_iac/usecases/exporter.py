"""Going out: a blueprint as templates that Azure deploys without us. Offline, but for the files that it writes."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from vpngw_iac.arm import ArmId
from vpngw_iac.azure.reads import PACKAGES
from vpngw_iac.errors import Findings, UsageError
from vpngw_iac.export.arm import arm_templates
from vpngw_iac.export.exported import Exported
from vpngw_iac.resources.base import Document, Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.usecases.offline import OfflineWorkspace
from vpngw_iac.usecases.session import OFFLINE_SUBSCRIPTION, Deployable

_VAULTS = "microsoft.keyvault/vaults"
REFUSED = {
    "bicep": "`az bicep decompile -f FILE.json` makes Bicep of an exported template.",
    "terraform": "`terraform import` and azurerm's own import blocks take over what is deployed.",
}
"""Formats that are asked for and that vpngw does not write, and what to do instead."""


def check_format(name: str) -> None:
    """Raise `UsageError` for a format that is not written, with what to do instead."""
    if name in REFUSED:
        raise UsageError(
            f"{name.capitalize()} files are not written: nothing here could prove them.",
            advice=f"Export with --format arm. {REFUSED[name]}",
        )


def export_blueprint(
    workspace: OfflineWorkspace, blueprint: Deployable, vaults: Sequence[str] = (), folder: str = ""
) -> Exported:
    """The templates of a blueprint; `vaults` are whole ids of key vaults, `folder` is where they will be written.

    What Azure would refuse is exported as it is, and told. Raises `BlueprintError` for a blueprint that contradicts
    itself, `UsageError` for what is no id of a key vault.
    """
    place = workspace.offline_scope
    graph = Graph.of(blueprint.resources(place))
    _check_subscription(graph, place.subscription)
    name = re.sub(r"[^\w.()-]", "-", workspace.name_of(blueprint))
    exported = arm_templates(
        name, graph, api_version, _vault_ids(vaults), subscription=place.subscription, folder=folder
    )
    return replace(exported, refusals=Findings(workspace.validate(blueprint).findings).blocking)


def _check_subscription(graph: Graph, subscription: str) -> None:
    """Where several subscriptions are named, ours must be known too."""
    found = {identifier.subscription for identifier in (*graph.by_id, *graph.existing)}
    if subscription == OFFLINE_SUBSCRIPTION and subscription in found and len(found) > 1:
        raise UsageError(
            "The blueprint names another subscription, and yours is not told: templates must name both.",
            advice="Add --subscription ID.",
        )


def _vault_ids(vaults: Sequence[str]) -> Mapping[str, str]:
    found = {}
    for text in vaults:
        identifier = ArmId.of(text)
        if identifier is None or identifier.type.lower() != _VAULTS:
            raise UsageError(
                f"{text!r} is no id of a key vault.", advice="`az keyvault show --name NAME --query id` prints it."
            )
        found[identifier.name] = str(identifier)
    return found


def api_version(resource: Resource) -> str:
    """The version that the SDK speaks, for a type of its own; of other providers what the type says."""
    return resource.api_version or PACKAGES[resource.sdk.partition(".")[0]].api_version


def write(exported: Exported, folder: Path) -> tuple[str, ...]:
    """Write the files into a folder, which is made; their paths."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise UsageError(f"{folder} is no folder.", advice="Give -o a folder; it is made if it is not there.") from None
    written = []
    for name, content in {**exported.templates, **exported.parameters_files}.items():
        path = folder / name
        path.write_text(as_text(content), encoding="utf-8")
        written.append(str(path))
    return tuple(written)


def printed(exported: Exported) -> tuple[str, ...]:
    """What goes to stdout where no folder is given; raises `UsageError` when it is more than one template."""
    if len(exported.templates) > 1:
        raise UsageError(
            f"{exported.deployment} comes to {len(exported.templates)} templates.", advice="Add -o DIR to write them."
        )
    return tuple(as_text(template) for template in exported.templates.values())


def as_text(content: Document) -> str:
    """A template as its file holds it."""
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"
