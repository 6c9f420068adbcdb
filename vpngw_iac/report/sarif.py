"""Findings as SARIF 2.1.0, which GitHub and other code scanners show beside the blueprint's lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from vpngw_iac._version import __version__
from vpngw_iac.errors import Finding, Findings

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_LINE = re.compile(r"^(?P<file>.+?):(?P<line>\d+)(?::(?P<column>\d+))?$")


def sarif(findings: Iterable[Finding], file: str) -> dict[str, Any]:
    """The log of one run; a finding without a line of its own is placed at the top of `file`."""
    items = Findings.of(findings).items
    rules = {finding.rule: finding for finding in reversed(items)}
    order = {rule: index for index, rule in enumerate(sorted(rules))}
    driver = {
        "name": "vpngw",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(rules[rule]) for rule in order],
    }
    results = [_result(finding, order[finding.rule], file.partition(":")[0] or file) for finding in items]
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}],
    }


def _rule(finding: Finding) -> dict[str, Any]:
    rule: dict[str, Any] = {
        "id": finding.rule,
        "shortDescription": {"text": finding.summary},
        "defaultConfiguration": {"level": _LEVELS[finding.level]},
    }
    if finding.source.startswith("https://"):
        rule["helpUri"] = finding.source.split()[0]
    if finding.see:
        rule["properties"] = {"tags": list(finding.see)}
    return rule


def _result(finding: Finding, index: int, file: str) -> dict[str, Any]:
    text = " ".join(part for part in (finding.summary + ".", finding.detail, finding.advice) if part)
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": text},
        "locations": [_location(finding, file)],
        "partialFingerprints": {"vpngw/v1": f"{finding.rule}:{finding.address}"},
    }
    if finding.waived is not None:
        result["suppressions"] = [{"kind": "inSource", "justification": finding.waived}]
    return result


def _location(finding: Finding, file: str) -> Mapping[str, Any]:
    found = _LINE.match(finding.location)
    place = found["file"] if found else file
    physical: dict[str, Any] = {
        "artifactLocation": {"uri": place.replace("\\", "/").replace(" ", "%20")},
        "region": {"startLine": int(found["line"]) if found else 1},
    }
    location: dict[str, Any] = {"physicalLocation": physical}
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.address, "kind": "resource"}]
    return location
