"""Saved graphs: what `compile --save` writes where no identity is, and how it is read where one is."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from vpngw_iac._version import __version__
from vpngw_iac.arm import SIGNED_IN
from vpngw_iac.blueprints.load import LoadedFile
from vpngw_iac.engine.plan.saved_graph import SavedGraph, check_places, dump_graph, load_graph
from vpngw_iac.errors import Finding, PlanError, VpngwError
from vpngw_iac.usecases.offline import blueprint_context
from vpngw_iac.usecases.session import Deployable, Session, SessionSettings, said_by


def saved_document(
    place: SessionSettings, blueprint: Deployable, name: str, findings: Iterable[Finding], file: LoadedFile | None
) -> dict[str, Any]:
    """The file of a blueprint's graph. Raises `UsageError` without a subscription: its ids would be those of nobody."""
    place = replace(place, subscription=place.required_subscription())
    scope = replace(place.scope, tenant=place.tenant or SIGNED_IN)
    items = tuple(blueprint.resources(scope))
    context = blueprint_context(scope, blueprint)
    places = {item.address: where for item in items if (where := file.locate(item.address) if file else "")}
    own_name = name == blueprint.name
    graph = SavedGraph(
        name,
        items,
        said_by(blueprint, "formerly") if own_name else None,
        said_by(blueprint, "moved"),
        context["waive"],
        tuple(findings),
        context.get("backups", {}),
        context.get("gateway_networks", {}),
        places,
    )
    return dump_graph(graph, __version__)


def read_graph(document: Mapping[str, Any], place: SessionSettings) -> SavedGraph:
    """The graph, if it stays within what is configured here."""
    graph = load_graph(document)
    ours = (place.required_subscription(), *place.allowed_subscriptions)
    tenants = (*((place.tenant,) if place.tenant else ()), *place.allowed_tenants)
    check_places(document, ours, tenants)
    return graph


@contextlib.contextmanager
def only_told_errors(session: Session) -> Iterator[None]:
    """What a graph of a stranger breaks in here is told in a line, and is no bug of ours to be reported."""
    try:
        yield
    except VpngwError:
        raise
    except (TypeError, ValueError, KeyError, AttributeError, IndexError, RecursionError) as error:
        if session.saved_graph is None:
            raise
        raise PlanError(
            f"The graph cannot be planned: {type(error).__name__}.",
            advice="Make it again with `vpngw compile FILE --save graph.json`, with the same version of vpngw.",
        ) from None
