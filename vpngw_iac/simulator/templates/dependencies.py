"""What a resource of a template waits for: what it says (``dependsOn``), and what it asks of others (``reference``)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from graphlib import CycleError, TopologicalSorter
from typing import Any

from vpngw_iac.simulator.templates.errors import TemplateError
from vpngw_iac.simulator.templates.evaluation import Environment
from vpngw_iac.simulator.templates.syntax import Expression, calls, is_expression, parse
from vpngw_iac.simulator.templates.template import TemplateResource


class Index:
    """The instances of a template by all that they are called."""

    def __init__(self, instances: Sequence[TemplateResource]) -> None:
        self._named: dict[str, list[TemplateResource]] = defaultdict(list)
        for instance in instances:
            names = {instance.key, f"{instance.type}/{instance.name}", instance.name, instance.symbol, instance.loop}
            names |= {instance.id.partition("/providers/")[2]}
            for name in {name.lower().strip("/") for name in names if name}:
                self._named[name].append(instance)

    def named(self, name: str) -> list[TemplateResource]:
        """All that a name stands for: one resource, or each turn of a loop."""
        return self._named.get(name.lower().strip("/"), [])

    def one(self, name: str) -> TemplateResource | None:
        """The one resource of a name or an id; raises `TemplateError` when several are called so."""
        found = self.named(name)
        if len({instance.key for instance in found}) > 1:
            raise TemplateError(
                f"The resource '{name}' is defined multiple times in a template. Please see "
                "https://aka.ms/arm-syntax-resources for usage details."
            )
        return found[0] if found else None

    def asked(self, name: str) -> TemplateResource | None:
        """The same for what ``reference`` names; raises `TemplateError` for a name that nothing has."""
        found = self.one(name)
        if found is None and not name.startswith("/"):
            raise TemplateError(
                f"The template reference '{name}' is not valid: could not find template resource or resource copy with "
                "this name. Please see https://aka.ms/arm-function-reference for usage details."
            )
        return found


def check_outputs(outputs: Mapping[str, Any], instances: Sequence[TemplateResource], environment: Environment) -> None:
    """Raise `TemplateError` for an output that asks a resource that is not there."""
    index = Index(instances)
    for name, output in outputs.items():
        try:
            for asked in _asked(output, environment, nested=False):
                index.asked(asked)
        except TemplateError as error:
            raise TemplateError(f"The template output '{name}' is not valid: {error}") from None


def needs(instances: Sequence[TemplateResource], environment: Environment) -> dict[str, tuple[str, ...]]:
    """Per instance (by key) those that must be done before; raises `TemplateError` for a circle or an unknown name."""
    index = Index(instances)
    found = {instance.key: tuple(dict.fromkeys(_of(instance, index, environment, instances))) for instance in instances}
    try:
        TopologicalSorter(found).prepare()
    except CycleError as error:
        circle = ", ".join(dict.fromkeys(error.args[1]))
        raise TemplateError(
            f"Circular dependency detected on resource: '{error.args[1][0]}' ({circle}). Please see "
            "https://aka.ms/arm-syntax-resources for usage details."
        ) from None
    return found


def _of(
    instance: TemplateResource, index: Index, whole: Environment, instances: Sequence[TemplateResource]
) -> Iterator[str]:
    environment = replace(whole, loops=instance.loops, running=False)
    told = instance.told.get("dependsOn") or []
    for name in environment.value(told) if isinstance(told, list) else [environment.value(told)]:
        yield from _named(str(name), instance, index)
    if instance.batch:
        first = instance.turn // instance.batch * instance.batch
        same = (each for each in instances if each.loop == instance.loop and each.type == instance.type)
        yield from (each.key for each in same if first - instance.batch <= each.turn < first)
    for name in _asked(
        {n: v for n, v in instance.told.items() if n != "resources"}, environment, nested=instance.is_nested
    ):
        found = index.asked(name)
        if found is not None and found.key != instance.key:
            yield found.key


def _named(name: str, by: TemplateResource, index: Index) -> Iterator[str]:
    found = index.named(name)
    if not found:
        raise TemplateError(
            f"The resource '{name}' is not defined in the template: '{by.type}/{by.name}' depends on it. Please see "
            "https://aka.ms/arm-syntax for usage details."
        )
    yield from (each.key for each in found)


def _asked(value: Any, environment: Environment, *, nested: bool) -> Iterator[str]:
    """Names or ids that expressions ask at run time, as far as they are known before."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not (nested and name == "template"):
                yield from _asked(item, environment, nested=nested)
    elif isinstance(value, list):
        for item in value:
            yield from _asked(item, environment, nested=nested)
    elif isinstance(value, str) and is_expression(value):
        for target in _targets(parse(value)):
            try:
                found = environment.expression(target)
            except TemplateError:  # known only while it runs, or in a loop inside
                continue
            if isinstance(found, str):
                yield found


def _targets(expression: Expression) -> Iterator[Expression]:
    """What ``reference`` and ``list...`` are asked about, at any depth."""
    for call in calls(expression):
        name = call.name.lower()
        if (name == "reference" or name.startswith("list")) and call.arguments:
            yield call.arguments[0]
