"""Role assignments at a resource group or below, listed: who may do what there. Each by itself is a resource.

Evidence: REST reference "Role Assignments - List For Resource Group" (2022-04-01): the scope and everything below it.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.governance import is_below
from vpngw_iac.simulator.kind import kind_of
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.types.role_assignment import TYPE
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """The list of a scope."""
    if list(parts[-3:]) != ["providers", *TYPE.lower().split("/")] or request.method != "GET":
        return None
    scope = scope_of(cloud, request, 3)
    found = [each for each in cloud.of_type(TYPE) if is_below(each.id, scope)]
    return lists.page(cloud, request, [kind_of(each).show(cloud, each, "list") for each in found])
