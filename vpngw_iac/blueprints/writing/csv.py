"""Many alike sites as a table beside the blueprint: one row each, what they share stays in the blueprint."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.part import Part
from vpngw_iac.blueprints.site import Site
from vpngw_iac.blueprints.writing.fields import fields_of, secret_arguments
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.secret import EnvironmentSecret

FEWEST = 12
"""So many alike sites are a table."""

_OF_ROWS = ("name", "public_ip", "fqdn", "prefixes", "shared_key", "connection_name", "local_gateway_name")
"""What may differ from row to row."""


@dataclass(frozen=True, slots=True)
class SiteTable:
    """The alike ones among the sites of one blueprint."""

    whole: tuple[Site, ...]
    """All sites of that blueprint."""
    alike: tuple[Site, ...]

    @property
    def others(self) -> tuple[Site, ...]:
        """Those that stand in no row."""
        rows = {id(site) for site in self.alike}  # to compare each with each takes seconds for a thousand
        return tuple(site for site in self.whole if id(site) not in rows)

    @property
    def columns(self) -> tuple[str, ...]:
        """Fields that stand in the table."""
        return tuple(name for name, _ in fields_of(self.alike[0]) if name in _OF_ROWS)

    @property
    def text(self) -> str:
        """The table as CSV; several prefixes are separated by spaces."""
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(self.columns)
        writer.writerows([_cell(getattr(site, name)) for name in self.columns] for site in self.alike)
        return out.getvalue()


def table_of(blueprint: Blueprint) -> SiteTable | None:
    """The largest table that a blueprint's sites give; none if no twelve are alike."""
    found = [table for sites in _lists(blueprint) if (table := _largest(sites)) is not None]
    return max(found, key=lambda table: len(table.alike), default=None)


def _lists(blueprint: Blueprint) -> Iterator[tuple[Site, ...]]:
    yield from (inner_sites for inner in getattr(blueprint, "blueprints", ()) for inner_sites in _lists(inner))
    yield getattr(blueprint, "sites", ())


def _largest(sites: tuple[Site, ...]) -> SiteTable | None:
    kinds: defaultdict[str, list[Site]] = defaultdict(list)
    for site in sites:
        if isinstance(site.shared_key, EnvironmentSecret):
            kinds[_kind(site)].append(site)
    alike = max(kinds.values(), key=len, default=[])
    return SiteTable(sites, tuple(alike)) if len(alike) >= FEWEST else None


def _kind(part: Part) -> str:
    """Which fields a site says, and what it says beside those of a row."""
    said = dict(fields_of(part))
    return repr((sorted(said), {name: value for name, value in said.items() if name not in _OF_ROWS}))


def _cell(value: Any) -> str:
    if isinstance(value, EnvironmentSecret):
        return secret_arguments(value)[1][0]
    return " ".join(value) if isinstance(value, tuple) else str(value)
