"""``Microsoft.Authorization/permissions``: what the caller may do at a scope, one item for each role assignment.

Evidence: REST reference "Permissions - List For Resource Group" (2022-04-01); a subscription answers it too.
"""

from __future__ import annotations

from collections.abc import Sequence

from vpngw_iac.simulator import lists
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.governance import Grant
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """Every grant that reaches the scope."""
    if request.method != "GET" or list(parts[-3:]) != ["providers", "microsoft.authorization", "permissions"]:
        return None
    scope = scope_of(cloud, request, 3)
    grants = cloud.grants if cloud.grants is not None else (Grant(),)
    return lists.page(cloud, request, [_shown(grant) for grant in grants if grant.reaches(scope)])


def _shown(grant: Grant) -> Json:
    return {
        "actions": list(grant.actions),
        "notActions": list(grant.not_actions),
        "dataActions": list(grant.data_actions),
        "notDataActions": list(grant.not_data_actions),
    }
