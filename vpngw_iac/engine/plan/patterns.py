"""Patterns of ``--adopt``: ``'VpnConnection/*'`` takes what is present and has no entry. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from vpngw_iac.engine.compare.matching import match
from vpngw_iac.engine.graph import Graph
from vpngw_iac.engine.plan.plan import Options
from vpngw_iac.engine.ports import Snapshot
from vpngw_iac.errors import Finding
from vpngw_iac.state.model import State


def by_pattern(
    options: Options, graph: Graph, state: State, snapshot: Snapshot, moved: Mapping[str, str]
) -> tuple[Options, list[Finding]]:
    """The options with addresses in place of patterns, and a warning about each pattern that takes nothing.

    ``*`` stands for any text and ``?`` for one character, in an address or an id, in any casing.
    """
    patterns = sorted(text for text in options.adopt if "*" in text or "?" in text)
    if not patterns:
        return options, []
    matched = match(graph, state, moved)
    free = [
        resource
        for address, resource in matched.graph.resources.items()
        if address not in matched.entries and not resource.only_if_absent and snapshot.get(resource.id).present
    ]
    found: set[str] = set()
    findings = []
    for pattern in patterns:
        wanted = re.compile("".join({"*": ".*", "?": "."}.get(c, re.escape(c)) for c in pattern), re.IGNORECASE)
        taken = {r.address for r in free if wanted.fullmatch(r.address) or wanted.fullmatch(str(r.id))}
        found |= taken
        if not taken:
            findings.append(_takes_nothing(pattern))
    return replace(options, adopt=(options.adopt - set(patterns)) | found), findings


def _takes_nothing(pattern: str) -> Finding:
    return Finding(
        rule="V-ADOPT-02",
        level="warning",
        address="",
        summary="The pattern adopts nothing",
        detail=f"Nothing that --adopt {pattern} fits is declared, present in Azure and without an entry.",
        advice="Leave it out if everything is ours already; else compare it with the addresses of "
        "`vpngw compile FILE`.",
    )
