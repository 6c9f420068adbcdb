"""What no plan can vouch for: secrets that Azure did not tell, that cannot be compared, or that cannot be read here.

Three situations, told apart, since the way out of each is another one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING, Literal

from vpngw_iac.engine.compare.document import lookup
from vpngw_iac.late_dataclass import dataclass
from vpngw_iac.resources.wire import SECRET_TYPES

if TYPE_CHECKING:
    from vpngw_iac.engine.plan.inputs import ResourceCase

Why = Literal["not read", "not comparable", "not readable here"]
"""``not read``: we know what we applied, no answer of Azure carried what it has. ``not comparable``: no fingerprint to
compare with (imported, or the store's key was lost). ``not readable here``: the reference cannot be resolved."""


@dataclass(frozen=True, slots=True)
class Unverified:
    """One secret that was not verified, and why."""

    address: str
    path: str
    why: Why
    reference: str = ""
    """The reference as people write it; never a value."""


def unverified_in(cases: Iterable[ResourceCase]) -> Iterator[Unverified]:
    """Every secret of what is ours and there whose value nothing vouches for."""
    for case in cases:
        if case.entry is None or not case.observed.present:
            continue
        told = case.comparison
        body = case.resource.body()
        for path in (*told.unseen, *told.unverified):
            found = lookup(body, path)
            reference = str(found) if isinstance(found, SECRET_TYPES) else ""
            yield Unverified(case.address, path, _why(path, told.unseen, told.unreadable), reference)


def _why(path: str, unseen: Collection[str], unreadable: Collection[str]) -> Why:
    if path in unreadable:
        return "not readable here"
    return "not read" if path in unseen else "not comparable"


def doubts(secrets: tuple[Unverified, ...], values: Iterable[str]) -> tuple[Unverified, ...]:
    """Those, and of other values (``address: path``) that no answer carried them."""
    known = {(item.address, item.path) for item in secrets}
    others = (text.partition(": ") for text in values)
    return (*secrets, *(Unverified(a, path, "not read") for a, _, path in others if (a, path) not in known))


def texts(items: Iterable[Unverified], others: Iterable[str] = ()) -> tuple[str, ...]:
    """``address: path`` of each, once."""
    return tuple(sorted({*others, *(f"{item.address}: {item.path}" for item in items)}))


def of_kind(items: Iterable[Unverified], why: Why) -> tuple[Unverified, ...]:
    """Those in one situation."""
    return tuple(item for item in items if item.why == why)
