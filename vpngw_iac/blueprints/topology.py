"""Several blueprints as one deployment: equal networks and gateways become one resource."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, SerializeAsAny

from vpngw_iac.blueprints.base import Blueprint, kind_named, kinds
from vpngw_iac.blueprints.contribution import Contribution
from vpngw_iac.blueprints.part import Many
from vpngw_iac.errors import Finding
from vpngw_iac.field import rule_error
from vpngw_iac.text import suggestion


def _of_its_kind(value: Any, info: Any) -> Any:
    """In YAML each entry says its kind."""
    if isinstance(value, Blueprint) or not isinstance(value, dict):
        return value
    wanted = str(value.get("kind", ""))
    model = kind_named(wanted)
    if model is None:
        hint = suggestion(wanted, kinds()) or f"Write one of {', '.join(sorted(kinds()))}."
        raise rule_error("T-KIND", f"{wanted!r} is not a kind of blueprint. {hint}")
    body = {key: item for key, item in value.items() if key != "kind"}
    return model.__pydantic_validator__.validate_python(body, context=info.context)


def _distinct(value: tuple[Blueprint, ...]) -> tuple[Blueprint, ...]:
    names = [blueprint.name.lower() for blueprint in value]
    if len(set(names)) < len(names):
        raise rule_error("T-TOPOLOGY", "Two blueprints bear one name. Give each its own.")
    return value


AnyBlueprint = Annotated[SerializeAsAny[Blueprint], BeforeValidator(_of_its_kind)]


class Topology(Blueprint):
    """Blueprints that are planned and applied together.

    ``Topology(name="hub", blueprints=[SiteToSite(name="offices", gateway=gateway, sites=[berlin])])``
    """

    blueprints: Annotated[Many[AnyBlueprint], AfterValidator(_distinct), Field(min_length=1)]

    def contributions(self) -> Iterable[Contribution]:
        """The contributions of all, with their place in the list."""
        for index, blueprint in enumerate(self.blueprints):
            yield from (
                contribution.below(f"blueprints[{index}]", self.tags) for contribution in blueprint.contributions()
            )

    def contradictions(self) -> Iterable[Finding]:
        """Those of each blueprint, in their place."""
        for index, blueprint in enumerate(self.blueprints):
            for finding in blueprint.contradictions():
                yield replace(finding, location=f"blueprints[{index}].{finding.location}")
