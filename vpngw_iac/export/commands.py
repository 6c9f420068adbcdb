"""How exported templates are deployed with the Azure CLI."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from vpngw_iac.export.exported import Exported
from vpngw_iac.resources.base import Resource
from vpngw_iac.secret import EnvironmentSecret, FileSecret


def parameters_name(file: str) -> str:
    """The parameters file of a template."""
    return f"{file.removesuffix('.json')}.parameters.json"


def commands_for(exported: Exported, group: Resource | None, folder: str) -> Exported:
    """With the commands: the group, what would happen, and do it; `folder` is where the files are, from here."""
    return replace(exported, commands=tuple(_commands(exported, group, folder)))


def _commands(exported: Exported, group: Resource | None, folder: str) -> Iterator[str]:
    if group is not None:
        tags = [f"{name}={value}" for name, value in (group.tags or {}).items()]
        words = ["az", "group", "create", "--name", group.id.name, "--location", str(group.location)]
        yield shlex.join([*words, *(["--tags", *tags] if tags else [])])
    for verb in ("what-if", "create"):
        for file in exported.templates:
            yield f"{_deployment(exported, verb, file, folder)}{''.join(_parameters(exported, file, folder))}"


def _deployment(exported: Exported, verb: str, file: str, folder: str) -> str:
    place = ["--resource-group", exported.place] if exported.scope == "group" else ["--location", exported.location]
    place += ["--subscription", exported.subscription] if exported.subscription else []
    words = ["az", "deployment", exported.scope, verb, "--name", file.removesuffix(".json"), *place]
    return shlex.join([*words, "--template-file", str(Path(folder, file))])


def _parameters(exported: Exported, file: str, folder: str) -> Iterator[str]:
    """The parameters file, and each secret that is elsewhere, from where it is."""
    if (name := parameters_name(file)) in exported.parameters_files:
        yield f" --parameters {shlex.quote(f'@{Path(folder, name)}')}"
    for name in exported.given[file]:
        reference = exported.parameters[name]
        if isinstance(reference, EnvironmentSecret):
            yield f' --parameters {name}="${reference.name}"'
        elif isinstance(reference, FileSecret):
            yield f' --parameters {name}="$(cat {shlex.quote(reference.path)})"'
