"""What a blueprint says about its own checks and no resource carries: waivers, backup sites, networks of gateways."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId, Scope
from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.compiling.context import CompileContext
from vpngw_iac.blueprints.compiling.merged_parts import gateway_uses
from vpngw_iac.errors import Finding
from vpngw_iac.paths import steps_of
from vpngw_iac.resources.base import Resource
from vpngw_iac.resources.existing import Existing
from vpngw_iac.text import listed


def waivers_of(*blueprints: Blueprint) -> dict[str, str]:
    """Accepted rules for `check`: ``RULE`` where a blueprint says it, ``RULE@NAME`` where a part does.

    A part's waiver holds for what bears the part's name: a site's for its connections, a gateway's for all on it.
    """
    return {
        f"{waiver.rule}@{where}" if where else waiver.rule: waiver.reason
        for blueprint in blueprints
        for waiver in blueprint.waivers()
        for where in (_name(_part(blueprint, waiver.path)),)
    }


def backups_of(*blueprints: Blueprint) -> dict[str, str]:
    """Sites that are the failover path of another, by name: equal prefixes are then meant."""
    return {
        site.name: site.backup_of
        for blueprint in blueprints
        for site in _sites(blueprint)
        if site.backup_of is not None
    }


def gateway_networks_of(scope: Scope, *blueprints: Blueprint) -> dict[ArmId, ArmId]:
    """Networks of gateways, where a blueprint names them: of an existing one no property says it offline.

    What has no resource group has no id; that is told as a finding of the blueprint.
    """
    return {
        context.gateway_id(use.part): context.network_id(use.part.network)
        for blueprint in blueprints
        for context in (CompileContext(scope, blueprint.naming),)
        for use in gateway_uses(blueprint.contributions())
        if use.part.network is not None and context.place(use.part).group and context.place(use.part.network).group
    }


def named_twice(deployments: Iterable[tuple[str, str]]) -> Iterator[Finding]:
    """Deployments of several files that bear one name; each comes with its file. Their states would be one."""
    known: dict[str, str] = {}
    for name, file in deployments:
        other = known.setdefault(name.lower(), file)
        if other != file:
            yield Finding(
                "P-NAME",
                "error",
                summary="Two deployments have one name",
                detail=f"{other} and {file} both hold a deployment called {name!r}: its state is kept under that name.",
                advice="Rename one of them.",
                location=file,
            )


def managed_twice(deployments: Sequence[tuple[str, Collection[Resource | Existing]]]) -> Iterator[Finding]:
    """Resources that two deployments both manage: whoever comes second finds them and is refused.

    A resource group is used by all. It warns, since the deployments may be meant for two subscriptions.
    """
    ours: dict[str, Mapping[ArmId, str]] = {}
    for name, items in deployments:
        managed = [item for item in items if isinstance(item, Resource)]
        mine = {item.id: item.address for item in managed if item.id.type.lower() != RESOURCE_GROUP_TYPE.lower()}
        for other, theirs in ours.items():
            both = sorted(mine[found] for found in mine.keys() & theirs.keys())
            if both and other.lower() != name.lower():  # those of one name are told as such
                yield Finding(
                    "P-TWICE",
                    "warning",
                    both[0],
                    "Two deployments manage one resource",
                    detail=f"{other!r} and {name!r} both manage {listed(both)}; the one applied second is refused.",
                    advice="Join them with Topology(blueprints=[...]), use it with .existing(...) in one of them, or "
                    "say subscription=... on the network if they are meant for two subscriptions.",
                )
        ours[name] = mine


def _part(blueprint: Blueprint, path: str) -> Any:
    value: Any = blueprint
    for step in steps_of(path):
        value = value[int(step)] if step.isdigit() else getattr(value, step)
    return value


def _name(part: Any) -> str:
    """What addresses of a part hold: its name, for a pair both; empty for a whole blueprint."""
    if isinstance(part, Blueprint):
        return ""
    if hasattr(part, "a") and hasattr(part, "b"):
        return f"{part.a.address_name}/{part.b.address_name}"
    named = next((getattr(part, name) for name in ("network", "circuit") if _is_only(part, name)), part)
    return str(getattr(named, "address_name", None) or getattr(named, "name", ""))


def _is_only(part: Any, name: str) -> bool:
    """Whether a part is called after another one: a spoke after its network, a link after its circuit."""
    return hasattr(part, name) and not getattr(part, "name", None)


def _sites(blueprint: Blueprint) -> Iterator[Any]:
    yield from getattr(blueprint, "sites", ())
    inner: Iterable[Blueprint] = getattr(blueprint, "blueprints", ())
    for part in inner:
        yield from _sites(part)
