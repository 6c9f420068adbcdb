"""Findings as SARIF 2.1.0, which GitHub and other code scanners show beside the blueprint's lines.

The log validates against OASIS' schema (errata 01); what GitHub makes of each property is in its page "SARIF support
for code scanning".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import Any
from urllib.parse import quote

from vpngw_iac._version import __version__
from vpngw_iac.errors import Finding, Findings
from vpngw_iac.preflight import Rule, find
from vpngw_iac.preflight.external_rules import EXTERNAL_RULES, ExternalRule, Tool
from vpngw_iac.report.findings import FileFindings
from vpngw_iac.report.json_documents import dumps
from vpngw_iac.text import neutral, plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"

Json = dict[str, Any]

_LEVELS = {"error": "error", "warning": "warning", "info": "note"}
_WEIGHTS = {"E": "error", "F": "warning", "W": "warning", "I": "note"}
_PROBLEMS = {"error": "error", "warning": "warning", "note": "recommendation"}
_LINE = re.compile(r"^(?P<file>.+?):(?P<line>[1-9]\d*)(?::(?P<column>[1-9]\d*))?$", re.DOTALL)


def render(checked: FileFindings) -> str:
    """The log as text."""
    return dumps(sarif(checked.findings, checked.file))


def sarif(findings: Iterable[Finding], file: str) -> Json:
    """The log of one run; a finding without a line of its own is placed at the top of `file`."""
    items = Findings.of(findings).items
    top = _file_of(file)
    shown = {finding.rule: neutral(finding) for finding in reversed(items)}
    order = {rule: index for index, rule in enumerate(sorted(shown))}
    tools = _tools(items)
    driver: Json = {
        "name": "vpngw",
        "version": __version__,
        "semanticVersion": __version__,
        "rules": [_rule(shown[rule], tools) for rule in order],
    }
    if tools:
        driver["supportedTaxonomies"] = [{"name": tool.name, "index": index} for index, tool in enumerate(tools)]
    run: Json = {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"vpngw/{plain(top)}/"},
        "invocations": [{"executionSuccessful": True}],
        "columnKind": "unicodeCodePoints",
        "results": [_result(f, order[f.rule], top, print_) for f, print_ in zip(items, _prints(items), strict=True)],
    }
    if tools:
        run["taxonomies"] = [_taxonomy(tool, _twins(items, tool)) for tool in tools]
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _file_of(target: str) -> str:
    """The file of ``hub.py:name``."""
    found = re.match(r"^(.+\.\w+):[^/\\]+$", target)
    return found[1] if found else target


# --- rules and their twins -------------------------------------------------------------------------------------------


def _twins(items: Iterable[Finding], tool: Tool) -> tuple[ExternalRule, ...]:
    """Rules of another tool that these findings are about."""
    keys = sorted({key for finding in items for key in finding.see})
    return tuple(EXTERNAL_RULES[key] for key in keys if key in EXTERNAL_RULES and EXTERNAL_RULES[key].tool == tool)


def _tools(items: Sequence[Finding]) -> tuple[Tool, ...]:
    found = {EXTERNAL_RULES[key].tool for finding in items for key in finding.see if key in EXTERNAL_RULES}
    return tuple(sorted(found, key=lambda tool: tool.name))


def _taxonomy(tool: Tool, external_rules: Sequence[ExternalRule]) -> Json:
    taxa = [
        {"id": twin.id, "name": twin.name, "shortDescription": {"text": twin.name}, "helpUri": twin.page}
        for twin in external_rules
    ]
    return {"name": tool.name, "informationUri": tool.page, "isComprehensive": False, "taxa": taxa}


def _rule(finding: Finding, tools: Sequence[Tool]) -> Json:
    """What a rule says whatever is found; a finding of no rule (a type error) speaks for itself."""
    known = find(finding.rule)
    level = _WEIGHTS[known.level] if known is not None else _LEVELS[finding.level]
    rule: Json = {
        "id": finding.rule,
        "shortDescription": {"text": finding.summary},
        "defaultConfiguration": {"level": level},
        "properties": {"problem.severity": _PROBLEMS[level], "tags": _tags(finding, known)},
    }
    if known is not None:
        rule["fullDescription"] = {"text": known.what}
        rule["help"] = _help(known)
    pages = known.pages if known is not None else ()
    page = next((page.address for page in pages if page.address), finding.source)
    if page.startswith("https://"):
        rule["helpUri"] = page.split()[0]
    related = [_related(EXTERNAL_RULES[key], tools) for key in finding.see if key in EXTERNAL_RULES]
    return rule | ({"relationships": related} if related else {})


def _tags(finding: Finding, known: Rule | None) -> list[str]:
    """GitHub shows them and filters by them."""
    area = finding.rule.rpartition("-")[0]
    security = ["security"] if area in ("R-SEC", "R-PSK", "R-IPSEC") else []
    return ["azure", "vpn", *security, *([area] if known is not None else []), *finding.see]


def _help(rule: Rule) -> Json:
    pages = [page for page in rule.pages if page.address]
    external_rules = [EXTERNAL_RULES[key] for key in rule.see if key in EXTERNAL_RULES]
    text = [rule.what, f"Do: {rule.fix}" if rule.fix else "", *(f"See: {page.address}" for page in pages)]
    told = [rule.what, f"**Do**: {rule.fix}" if rule.fix else ""]
    told += ["See " + ", ".join(f"[{page.title}]({page.address})" for page in pages) + "." if pages else ""]
    told += [f"Also {twin.tool.name} [{twin.id}]({twin.page})." for twin in external_rules]
    told += [f'Accept it with `waive={{"{rule.id}": "why"}}` on the blueprint or a part.'] if rule.pages else []
    return {"text": "\n".join(filter(None, text)), "markdown": "\n\n".join(filter(None, told))}


def _related(twin: ExternalRule, tools: Sequence[Tool]) -> Json:
    component = {"name": twin.tool.name, "index": tools.index(twin.tool)}
    return {"target": {"id": twin.id, "toolComponent": component}, "kinds": ["relevant"]}


# --- results ---------------------------------------------------------------------------------------------------------


def _prints(items: Iterable[Finding]) -> Iterable[str]:
    """What makes a finding the same one tomorrow: rule and address; several at one place are numbered."""
    seen: Counter[tuple[str, str]] = Counter()
    for finding in items:
        key = (finding.rule, finding.address)
        seen[key] += 1
        yield ":".join(key) if seen[key] == 1 else f"{':'.join(key)}:{seen[key]}"


def _result(finding: Finding, index: int, file: str, fingerprint: str) -> Json:
    told = neutral(finding)
    text = " ".join(part for part in (told.summary + ".", told.detail, told.advice) if part)
    result: Json = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.level],
        "message": {"text": _unlinked(text)},
        "locations": [_location(finding, file)],
        "partialFingerprints": {"vpngw/v1": fingerprint},
    }
    if finding.waived is not None:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": told.waived}]
    return result


def _unlinked(text: str) -> str:
    """A plain text of SARIF may hold links, ``[text](target)`` (2.1.0, section 3.11.6); ours holds none."""
    return text.replace("](", "] (")


def _location(finding: Finding, file: str) -> Mapping[str, Any]:
    found = _LINE.match(finding.location)
    region: Json = {"startLine": int(found["line"]) if found else 1}
    if found and found["column"]:
        region["startColumn"] = int(found["column"])
    location: Json = {
        "physicalLocation": {"artifactLocation": _artifact(found["file"] if found else file), "region": region}
    }
    if finding.address:
        location["logicalLocations"] = [{"fullyQualifiedName": plain(finding.address), "kind": "resource"}]
    return location


def _artifact(place: str) -> Json:
    """Relative to the top of the repository, where code scanners look; an absolute path stands for itself."""
    path = place.replace("\\", "/")
    if PurePath(place).is_absolute():
        return {"uri": f"file://{quote(path, errors='surrogatepass')}"}
    return {"uri": quote(path.removeprefix("./"), errors="surrogatepass"), "uriBaseId": "%SRCROOT%"}
