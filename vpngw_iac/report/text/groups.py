"""What is alike is said once: blocks of a plan, findings, values that were not read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from vpngw_iac.errors import Finding
from vpngw_iac.report.style import Style, visible
from vpngw_iac.text import in_words, listed, plural

ALIKE = 3
"""So many are worth saying once."""

_DIFFERING = 3
"""A block that differs from the first in at most so many lines is told by these."""

Block = tuple[str, list[str]]
"""Address of a resource and the lines about it, the head first."""


def said_once(blocks: Sequence[Block], style: Style) -> list[list[str]]:
    """The blocks in their order; those like an earlier one come below it, counted or by what differs."""
    groups: dict[tuple[str, ...], list[Block]] = {}
    for address, lines in blocks:
        groups.setdefault(tuple(_label(line) for line in _form(address, lines)), []).append((address, lines))
    return [block for members in groups.values() for block in _told(members, style)]


def _told(members: list[Block], style: Style) -> list[list[str]]:
    (address, lines), *others = members
    first = _form(address, lines)
    differing = [
        [line for line, form, known in zip(other, _form(name, other), first, strict=True) if form != known]
        for name, other in others
    ]
    near = [d for d in differing if len(d) <= _DIFFERING and sum(map(visible, d)) < 2 * style.width]
    if len(near) < ALIKE - 1:
        return [lines for _, lines in members]
    same = [name for (name, _), lines in zip(others, differing, strict=True) if not lines]
    told = list(lines)
    if same:
        nouns = plural(len(same), in_words(address.partition("/")[0]))
        told += style.wrap(f"and {nouns} like this one: {listed(map(_name, same), most=30)}", "      ")
    rest: list[list[str]] = []
    for (name, other), changed in zip(others, differing, strict=True):
        if changed not in near:
            rest.append(other)
        elif changed:
            what = ", ".join(re.sub(r" {2,}", " ", line.strip()) for line in changed)
            told.append(f"{other[0].partition(name)[0]}{name}  {what}")
    return [told, *rest]


def _form(address: str, lines: Iterable[str]) -> list[str]:
    """Lines without the names that are the resource's own."""
    own = re.compile(rf"{re.escape(address)}|(?<![\w.-]){re.escape(_name(address))}(?![\w-]|\.\w)")
    return [own.sub("*", line) for line in lines]


def _label(line: str) -> str:
    """What a line is about: everything of a head, the path of a value."""
    return line.strip().partition("  ")[0] if line.startswith("      ") else line


def _name(address: str) -> str:
    return address.rpartition("/")[2]


def alike(findings: Iterable[Finding], *, loosely: bool = False) -> Iterator[tuple[Finding, list[Finding]]]:
    """Findings of one rule with the same words, as the first of them and the others.

    Taken `loosely`, those that refuse nothing are alike whatever they say.
    """
    groups: dict[object, list[Finding]] = {}
    for finding in findings:
        kind = (finding.rule, finding.level, finding.summary, finding.waived)
        words = (
            () if loosely and not finding.blocks else _form(finding.address or "-", (finding.detail, finding.advice))
        )
        groups.setdefault((kind, *words), []).append(finding)
    yield from ((members[0], members[1:]) for members in groups.values())


def others_line(others: Sequence[Finding]) -> str:
    """``Also: A, B and 3 more``, each with its place in the file."""
    told = (f"{other.address} ({other.location})" if other.location else other.address for other in others)
    return f"Also: {listed(told)}"


def values_line(path: str, addresses: Sequence[str]) -> str:
    """``properties.sharedKey of 24 VPN connections: A, B and 22 more``."""
    kinds = {address.partition("/")[0] for address in addresses}
    noun = in_words(kinds.pop()) if len(kinds) == 1 else "resource"
    return f"{path} of {plural(len(addresses), noun)}: {listed(addresses)}"
