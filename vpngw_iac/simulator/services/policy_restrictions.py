"""``Microsoft.PolicyInsights/checkPolicyRestrictions``: whether a policy would deny a resource; nothing is changed.

Evidence: REST reference "Policy Restrictions - Check At Resource Group Scope" (shape of request and answer).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from vpngw_iac.simulator.body import read_body
from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.governance import Policy, value_at
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.scope import scope_of
from vpngw_iac.simulator.wire import HttpRequest, HttpResponse, Json

_PATH = ["providers", "microsoft.policyinsights", "checkpolicyrestrictions"]


def answer(cloud: CloudView, request: HttpRequest, parts: Sequence[str]) -> HttpResponse | None:
    """At a subscription or a resource group."""
    if request.method != "POST" or list(parts[-3:]) != _PATH:
        return None
    scope = scope_of(cloud, request, 3)
    details = read_body(request).get("resourceDetails") or {}
    content = details.get("resourceContent")
    if not isinstance(content, dict) or "type" not in content:
        raise refuse("InvalidCheckRestrictionsRequest", "The resource content must have a type.")
    hits = cloud.governance.denying(scope, str(content["type"]), content)
    found = [_evaluation(policy, content) for policy in hits]
    return HttpResponse(200, {"fieldRestrictions": [], "contentEvaluationResult": {"policyEvaluations": found}})


def _evaluation(policy: Policy, content: Json) -> dict[str, Any]:
    expressions = [
        {
            "result": "True",
            "expressionKind": "Field",
            "expression": condition.path,
            "path": condition.path,
            "expressionValue": value_at(content, condition.path),
            "targetValue": condition.value,
            "operator": condition.operator[0].upper() + condition.operator[1:],
        }
        for condition in policy.when
    ]
    return {
        "policyInfo": {"policyAssignmentId": policy.assignment, "policyDefinitionId": "", "policySetDefinitionId": ""},
        "evaluationResult": "NonCompliant",
        "evaluationDetails": {"evaluatedExpressions": expressions},
        "effectDetails": {"policyEffect": "Deny"},
    }
