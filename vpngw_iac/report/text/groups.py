"""What is alike is said once: blocks of a plan, findings, values that were not read. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

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
    """The blocks in their order; what is like an earlier one of its kind is told below that."""
    groups: dict[tuple[str, ...], list[int]] = {}
    for at, (address, lines) in enumerate(blocks):
        groups.setdefault((_kind(address), *map(_label, _form(address, lines))), []).append(at)
    told: dict[int, list[str]] = dict(enumerate(lines for _, lines in blocks))
    for members in groups.values():
        first, *others = members
        found = {at: _differing(blocks[first], blocks[at], style) for at in others}
        near = {at: differing for at, differing in found.items() if differing is not None}
        if len(near) >= ALIKE - 1:
            told[first] = [*told[first], *_below(blocks, first, near, style)]
            told = {at: lines for at, lines in told.items() if at not in near}
    return list(told.values())


def _differing(first: Block, other: Block, style: Style) -> list[str] | None:
    """The few lines in which one block differs from another; None if these are not few."""
    pairs = zip(other[1], _form(*other), _form(*first), strict=True)
    found = [line for line, form, known in pairs if form != known]
    return found if len(found) <= _DIFFERING and sum(map(visible, found)) < 2 * style.width else None


def _below(blocks: Sequence[Block], first: int, near: Mapping[int, list[str]], style: Style) -> Iterator[str]:
    beside = blocks[first][0]
    same = [_name_beside(beside, blocks[at][0]) for at, lines in near.items() if not lines]
    if same:
        nouns = plural(len(same), in_words(_kind(beside)))
        yield from style.wrap(f"and {nouns} like this one: {listed(same, most=30)}", "      ")
    for address, lines, head in ((blocks[at][0], lines, blocks[at][1][0]) for at, lines in near.items() if lines):
        what = ", ".join(re.sub(r" {2,}", " ", line.strip()) for line in lines)
        yield f"{head.partition(address)[0]}{address}  {what}"


def _form(address: str, lines: Iterable[str]) -> list[str]:
    """Lines without the names that are the resource's own."""
    own = re.compile(rf"{re.escape(address)}|(?<![\w.-]){re.escape(_name(address))}(?![\w-]|\.\w)")
    return [own.sub("*", line) for line in lines]


def _label(line: str) -> str:
    """What a line is about: everything of a head, the path of a value."""
    return line.strip().partition("  ")[0] if line.startswith("      ") else line


def _kind(address: str) -> str:
    return address.partition("/")[0]


def _name(address: str) -> str:
    return address.rpartition("/")[2]


def _name_beside(first: str, address: str) -> str:
    """Its name, with what it is part of where that is another than the first one's."""
    one_parent = address.rpartition("/")[0] == first.rpartition("/")[0]
    return _name(address) if one_parent else address.partition("/")[2]


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
    kinds = {_kind(address) for address in addresses}
    noun = in_words(kinds.pop()) if len(kinds) == 1 else "resource"
    return f"{path} of {plural(len(addresses), noun)}: {listed(addresses)}"
