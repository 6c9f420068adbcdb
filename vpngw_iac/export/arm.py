"""ARM templates of a deployment.

One group: a template for `az deployment group`. Several groups or subscriptions: a template for `az deployment sub`
that makes the groups and holds a nested template for each part of a group that can be deployed at once. Beyond 800
resources or 0.9 MB a group has several nested templates; beyond 3.5 MB there are several files.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import field

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, ArmId
from vpngw_iac.export.commands import commands_for, parameters_name
from vpngw_iac.export.exported import Exported
from vpngw_iac.export.expressions import Place, Unsayable, Words
from vpngw_iac.export.parameters import Parameters, declaration, parameters_file, vault_name
from vpngw_iac.export.segments import Segment, place_of, segments
from vpngw_iac.export.units import INSIDE, Unit, units, unsaid, waits
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.paths import walk
from vpngw_iac.resources.base import Document, Resource
from vpngw_iac.resources.graph import Graph
from vpngw_iac.secret import GeneratedSecret, KeyVaultSecret, SecretReference

_SCHEMAS = "https://schema.management.azure.com/schemas"
GROUP_SCHEMA = f"{_SCHEMAS}/2019-04-01/deploymentTemplate.json#"
SUBSCRIPTION_SCHEMA = f"{_SCHEMAS}/2018-05-01/subscriptionDeploymentTemplate.json#"
MOST_BYTES = 3_500_000
"""Of one file; Azure takes 4 MB ("Best practices for templates", template limits)."""
DEPLOYMENTS_VERSION = "2025-04-01"
_FIRST = ("type", "apiVersion", "name", "scope", "subscriptionId", "resourceGroup", "location", "tags", "sku", "zones")
_LAST = ("dependsOn", "properties")


@dataclass(slots=True)
class _Item:
    """One resource of a root template."""

    label: str
    """What ``dependsOn`` calls it."""
    written: Document
    parameters: set[str] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class _Export:
    """All that writing a deployment needs."""

    name: str
    graph: Graph
    version: Callable[[Resource], str]
    parameters: Parameters

    def words(self, place: Place, used: set[str]) -> Words:
        def parameter(reference: SecretReference) -> str:
            used.add(name := self.parameters.name(reference))
            return name

        return Words(place, parameter, self._version_of)

    def _version_of(self, identifier: ArmId) -> str:
        known = self.graph.by_id.get(identifier)
        alike = (each for each in self.graph.resources.values() if each.arm_type.lower() == identifier.type.lower())
        found = known or next(alike, None) or next(iter(self.graph.resources.values()))
        return self.version(found)

    def written(self, unit: Unit, words: Words, before: Sequence[ArmId]) -> Document:
        """A unit as a resource of a template; `before` are those of the same template that it waits for."""
        identifier, body = unit.id, words.value(unit.resource.body())
        for child in unit.children:
            inside = body.setdefault("properties", {}).setdefault(INSIDE[child.id.type.lower()], [])
            inside.append({"name": child.id.name, **words.value(child.body())})
        names = (identifier.name,) if not identifier.names else identifier.names
        resource: Document = {
            "type": unit.resource.arm_type if identifier.names else RESOURCE_GROUP_TYPE,
            "apiVersion": self.version(unit.resource),
            "name": "/".join(names),
            **body,
        }
        owner = identifier.parent if identifier.is_extension else None
        if owner is not None and owner.names:
            resource["scope"] = f"[{words.id(owner)}]"
        if before:
            resource["dependsOn"] = [f"[{words.id(target)}]" for target in before]
        return _in_order(resource)


def arm_templates(
    name: str,
    graph: Graph,
    version: Callable[[Resource], str],
    vaults: Mapping[str, str],
    *,
    subscription: str,
    folder: str = "",
) -> Exported:
    """The templates of a deployment; reads nothing but the graph.

    `version` is the api-version of a resource's type, `vaults` the ids of key vaults by name, `subscription` the one
    that was not given, so that it is told nowhere; `folder` is where the commands find the files.
    """
    export = _Export(name, graph, version, Parameters())
    left_out = dict(_left_out(export))
    made = units(graph, left_out)
    places = Counter(place_of(unit.id) for unit in made if unit.id.names)
    alone = _alone(places)
    if alone is not None:
        made = [unit for unit in made if unit.id.names]
    awaited = waits(made)
    sizes = {
        unit.id: len(json.dumps(export.written(unit, export.words(place_of(unit.id), set()), ()))) for unit in made
    }
    parts = segments(made, awaited, sizes)
    home = alone or _home(places, subscription)
    items = _items(export, parts, awaited, home, _location(graph))
    templates = _files(export, items, home, whole=len(parts) == 1 and alone is not None)
    given = {file: tuple(sorted(template.get("parameters") or {})) for file, template in templates.items()}
    taken = {name for names in given.values() for name in names}  # not those of what is left out
    parameters = {name: secret for name, secret in export.parameters.all.items() if name in taken}
    vault_ids, unknown = _vault_ids(parameters, vaults)
    files = dict(_parameters_files(parameters, given, vault_ids))
    told = sorted((graph.by_id[identifier].address, why) for identifier, why in left_out.items())
    exported = Exported(
        deployment=name,
        scope="group" if alone is not None else "sub",
        place=_spelled(graph, home),
        subscription=_spelled(graph, Place(home.subscription)) if len({p.subscription for p in places}) > 1 else "",
        location=_location(graph),
        templates=templates,
        parameters_files=files,
        parameters=parameters,
        given=given,
        before=tuple(_before(graph, alone, parameters, subscription)),
        unsaid=(*(f"{address}: {why}" for address, why in told), *_gates(graph, left_out), *unknown),
        commands=(),
    )
    return commands_for(exported, _group(graph, alone), folder)


def _alone(places: Mapping[Place, int]) -> Place | None:
    """The one group that everything is in."""
    return next(iter(places)) if len(places) == 1 and next(iter(places)).group else None


def _home(places: Mapping[Place, int], subscription: str) -> Place:
    """The subscription that the root template is deployed to: ours if something is there, or else the fullest."""
    counts: Counter[str] = Counter()
    for place, number in places.items():
        counts[place.subscription] += number
    if subscription.lower() in counts or not counts:
        return Place(subscription.lower())
    return Place(max(counts, key=lambda each: (counts[each], each)))


def _left_out(export: _Export) -> Iterator[tuple[ArmId, str]]:
    """What no template can say, and what needs it."""
    found = {resource.id: why for resource, why in unsaid(export.graph)}
    for resource in export.graph.resources.values():
        try:
            export.words(Place.of(resource.id), set()).value(resource.body())
        except Unsayable as error:
            found.setdefault(resource.id, str(error))
    for identifier, why in list(found.items()):
        yield identifier, why
        for address in sorted(export.graph.dependents(export.graph.by_id[identifier].address)):
            dependent = export.graph.resources[address].id
            if dependent not in found:
                found[dependent] = why
                yield dependent, f"it needs {export.graph.by_id[identifier].address}, which is left out"


def _gates(graph: Graph, left_out: Mapping[ArmId, str]) -> Iterator[str]:
    """A template cannot wait for people."""
    told = {
        f"{holder.address}: {gate.says} A template does not wait for that: where Azure refuses what needs it, deploy "
        "the template again afterwards"
        for address, resource in graph.resources.items()
        if resource.id not in left_out
        for holder, gate in graph.gates(address)
    }
    yield from sorted(told)


def _before(
    graph: Graph, alone: Place | None, parameters: Mapping[str, SecretReference], subscription: str
) -> Iterator[str]:
    for existing in graph.existing.values():
        yield f"{existing.address} ({_short(existing.id, subscription)}) is used and not made: it must be there."
    for named, by in sorted(_named_elsewhere(graph).items()):
        yield f"{_short(named, subscription)} is named by {by} and not made: it must be there."
    made = {resource.id for resource in graph.resources.values() if not resource.id.names}
    groups = {r.id.resource_group for r in graph.resources.values() if r.id.group}
    for group in sorted(groups - made):
        if alone is None:
            yield f"The resource group {group.name} is not made: it must be there."
    for reference in parameters.values():
        if isinstance(reference, GeneratedSecret):
            yield f"The secret {reference.name} must be in the key vault {vault_name(reference)}: Azure makes none."


def _named_elsewhere(graph: Graph) -> dict[ArmId, str]:
    """Ids in bodies of what is neither made nor used as a whole: a workspace, a NAT gateway. Roles are Azure's own."""
    known = graph.by_id.keys() | graph.existing.keys()
    found: dict[ArmId, str] = {}
    for address, resource in graph.resources.items():
        for _, value in walk(resource.body(), ""):
            named = ArmId.of(value) if isinstance(value, str) else None
            if named is None or not named.names or named.type.lower().startswith("microsoft.authorization/"):
                continue
            if not any(above in known for above in _upwards(named)):
                found.setdefault(named, address)
    return found


def _upwards(identifier: ArmId) -> Iterator[ArmId]:
    """The resource, and those that it is a part of."""
    above: ArmId | None = identifier
    while above is not None and above.names:
        yield above
        above = above.parent


def _short(identifier: ArmId, subscription: str) -> str:
    return str(identifier).removeprefix(f"/subscriptions/{subscription}") if subscription else str(identifier)


def _vault_ids(
    parameters: Mapping[str, SecretReference], vaults: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """The id of each vault, and what to say of those whose id nobody knows."""
    known = {name.lower(): identifier for name, identifier in vaults.items()}
    found: dict[str, str] = {}
    unknown: list[str] = []
    for reference in parameters.values():
        if not isinstance(reference, KeyVaultSecret | GeneratedSecret):
            continue
        name = vault_name(reference)
        if name.lower() not in known | found:
            unknown.append(
                f"key vault {name}: a template names it by its whole id, which the blueprint does not tell; give it "
                "with --vault, or replace SUBSCRIPTION and GROUP in the parameters file"
            )
        place = "/subscriptions/SUBSCRIPTION/resourceGroups/GROUP/providers/Microsoft.KeyVault/vaults"
        found[name.lower()] = known.get(name.lower(), f"{place}/{name}")
    return found, unknown


def _parameters_files(
    parameters: Mapping[str, SecretReference], given: Mapping[str, tuple[str, ...]], vault_ids: Mapping[str, str]
) -> Iterator[tuple[str, Document]]:
    """One for each template that takes secrets of a key vault."""
    for file, names in given.items():
        found = {name: parameters[name] for name in names}
        in_vaults = {n: r for n, r in found.items() if isinstance(r, KeyVaultSecret | GeneratedSecret)}
        if in_vaults:
            yield parameters_name(file), parameters_file(in_vaults, vault_ids)


def _location(graph: Graph) -> str:
    return next((str(r.location) for r in graph.resources.values() if r.location), "westeurope")


def _group(graph: Graph, alone: Place | None) -> Resource | None:
    """The one group, if it is the deployment's to make."""
    groups = (r for r in graph.resources.values() if not r.id.names)
    return next((r for r in groups if alone is not None and Place.of(r.id) == alone), None)


def _spelled(graph: Graph, place: Place) -> str:
    """A place's name as the blueprint spells it."""
    ids = (resource.id for resource in graph.resources.values())
    found = next(
        (i for i in ids if Place.of(i) == place or (not place.group and i.subscription.lower() == place.subscription)),
        None,
    )
    if found is None:
        return place.group or place.subscription
    return (found.group or "") if place.group else found.subscription


def _items(
    export: _Export, parts: Sequence[Segment], awaited: Mapping[ArmId, set[ArmId]], home: Place, location: str
) -> list[_Item]:
    """The resources of the root template: groups of its own subscription, and a nested template for everything else."""
    names = _names(export.name, parts)
    number_of = {unit.id: number for number, part in enumerate(parts) for unit in part.units}
    items: list[_Item] = []
    for number, part in enumerate(parts):
        used: set[str] = set()
        words = export.words(part.place, used)
        within = [
            export.written(unit, words, sorted(t for t in awaited[unit.id] if number_of[t] == number))
            for unit in part.units
        ]
        if part.place == home and not home.group:
            ids = [f"[{words.id(unit.id)}]" for unit in part.units]
            items += [_Item(label, resource, used) for label, resource in zip(ids, within, strict=True)]
            continue
        groups = {t for unit in part.units for t in awaited[unit.id] if parts[number_of[t]].place == home}
        needs = [names[n] for n in sorted(part.after) if parts[n].place != home or home.group]
        needs += [f"[{export.words(home, set()).id(group)}]" for group in sorted(groups) if not home.group]
        written = _nested(part, names[number], within, used, home, location, needs, export)
        items.append(_Item(names[number], written, used))
    return items


def _names(name: str, parts: Sequence[Segment]) -> list[str]:
    """Names of the nested deployments: unlike each other, and short enough for Azure."""
    counts = Counter(part.place for part in parts)
    seen: Counter[Place] = Counter()
    found = []
    for number, part in enumerate(parts, 1):
        seen[part.place] += 1
        where = part.place.group or part.place.subscription[:8]
        ending = f"-{seen[part.place]}" if counts[part.place] > 1 else ""
        whole = f"{name}-{where}{ending}"
        found.append(whole if len(whole) <= 64 else f"{whole[: 63 - len(str(number))]}-{number}")
    return found


def _nested(
    part: Segment,
    name: str,
    within: list[Document],
    used: set[str],
    home: Place,
    location: str,
    needs: list[str],
    export: _Export,
) -> Document:
    elsewhere = (
        {"subscriptionId": part.units[0].id.subscription} if part.place.subscription != home.subscription else {}
    )
    group = {"resourceGroup": part.units[0].id.group} if part.place.group and part.place != home else {}
    here = {} if part.place.group else {"location": location}
    template = {
        "$schema": GROUP_SCHEMA if part.place.group else SUBSCRIPTION_SCHEMA,
        "contentVersion": "1.0.0.0",
        **_declared(export, used),
        "resources": within,
    }
    properties: Document = {"mode": "Incremental", "expressionEvaluationOptions": {"scope": "inner"}}
    if used:
        properties["parameters"] = {each: {"value": f"[parameters('{each}')]"} for each in sorted(used)}
    head = {"type": "Microsoft.Resources/deployments", "apiVersion": DEPLOYMENTS_VERSION, "name": name}
    ordered = {"dependsOn": needs} if needs else {}
    return _in_order(
        {**head, **elsewhere, **group, **here, **ordered, "properties": properties | {"template": template}}
    )


def _declared(export: _Export, used: set[str]) -> Document:
    declared = {name: declaration(secret) for name, secret in export.parameters.all.items() if name in used}
    return {"parameters": declared} if used else {}


def _files(export: _Export, items: list[_Item], home: Place, *, whole: bool) -> dict[str, Document]:
    """The root templates by file name. One group in one part needs no nesting."""
    if whole:
        (item,) = items
        return {f"{export.name}.json": item.written["properties"]["template"]}
    files: list[list[_Item]] = [[]]
    size = 0
    for item in items:
        size += (more := len(json.dumps(item.written)))
        if files[-1] and size > MOST_BYTES:
            files.append([])
            size = more
        files[-1].append(item)
    names = (
        [f"{export.name}.json"] if len(files) == 1 else [f"{export.name}-{n}.json" for n in range(1, len(files) + 1)]
    )
    return {name: _root(export, file, home) for name, file in zip(names, files, strict=True)}


def _root(export: _Export, items: list[_Item], home: Place) -> Document:
    here = {item.label for item in items}
    resources = []
    for item in items:
        needs = [name for name in item.written.get("dependsOn", []) if name in here]
        kept = {name: value for name, value in item.written.items() if name != "dependsOn"}
        resources.append(_in_order({**kept, "dependsOn": needs}) if needs else kept)
    return {
        "$schema": GROUP_SCHEMA if home.group else SUBSCRIPTION_SCHEMA,
        "contentVersion": "1.0.0.0",
        **_declared(export, {name for item in items for name in item.parameters}),
        "resources": resources,
    }


def _in_order(resource: Document) -> Document:
    """What it is first, then when, then what it says."""
    middle = [name for name in resource if name not in _FIRST and name not in _LAST]
    return {name: resource[name] for name in (*_FIRST, *middle, *_LAST) if name in resource}
