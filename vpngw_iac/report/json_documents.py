"""What all JSON documents have in common, and those that need no plan: findings, errors, rules."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from vpngw_iac.errors import AzureIds, BlueprintError, CloudError, Finding, Findings, Forbidden, Refused, VpngwError
from vpngw_iac.text import guarded

if TYPE_CHECKING:
    from vpngw_iac.preflight import Rule

FORMAT = 1

Document = dict[str, Any]


def document(kind: str, **content: Any) -> Document:
    """A document with its head."""
    return {"format": FORMAT, "kind": kind, **content}


def dumps(content: Mapping[str, Any]) -> str:
    """The text of a document: what misleads a terminal or a runner is escaped, every value stays exact."""
    return guarded(json.dumps(content, indent=2, ensure_ascii=False, default=str)) + "\n"


def findings_list(findings: Iterable[Finding]) -> list[Document]:
    """Findings in their order of display."""
    return [asdict(finding) | {"see": list(finding.see)} for finding in Findings.of(findings).items]


def validate_document(findings: Iterable[Finding]) -> Document:
    """What `validate` found."""
    items = Findings.of(findings)
    return document("validate", valid=not items.blocking, findings=findings_list(items.items))


def ids_document(ids: AzureIds) -> Document:
    """What Microsoft's support asks for first."""
    return asdict(ids)


def error_document(error: VpngwError) -> Document:
    """Why there is no other document."""
    content: Document = {
        "error": type(error).__name__,
        "message": error.message,
        "advice": error.advice,
        "address": error.address,
        "location": error.location,
        "exit_code": int(error.exit_code),
    }
    if isinstance(error, BlueprintError | Refused | Forbidden):
        content["findings"] = findings_list(error.findings)
    if isinstance(error, CloudError):
        content |= {"status": error.status, "code": error.code, "ids": ids_document(error.ids)}
    return document("error", **content)


def rule_document(rules: Iterable[Rule]) -> Document:
    """Preflight rules."""
    return document("rule", rules=[_rule(rule) for rule in rules])


def _rule(rule: Rule) -> Document:
    from vpngw_iac.preflight.catalogue import area_of

    return {
        "id": rule.id,
        "area": area_of(rule.id),
        "level": rule.level,
        "when": rule.when,
        "status": rule.status,
        "title": rule.title,
        "what": rule.what if rule.status == "checked" else "",
        "fix": rule.fix,
        "source": rule.source,
        "url": next((page.address for page in rule.pages if page.address), ""),
        "pages": [asdict(page) for page in rule.pages],
        "why": rule.why,
        "see": list(rule.see),
        "ages": rule.ages,
    }
