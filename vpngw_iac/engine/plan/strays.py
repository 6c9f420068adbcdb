"""What bears our own deployment's tag without an entry of ours: never a guest. Pure.

Its entry was lost, or somebody copied our tag: nobody would look after it, and `destroy` would leave it behind.
"""

from __future__ import annotations

from collections.abc import Iterator

from vpngw_iac.arm import ArmId
from vpngw_iac.engine.plan.inputs import Basis
from vpngw_iac.engine.ports import Attached
from vpngw_iac.errors import Finding


def strays(basis: Basis) -> tuple[Attached, ...]:
    """Each once; not what is declared (that is refused by its own id) and not what was forgotten on purpose."""
    known = {entry.id for entry in basis.state.entries.values()} | set(basis.graph.by_id) | set(basis.state.forgotten)
    expected = {text.lower() for resource in basis.graph.resources.values() for text in resource.expected}
    found: dict[ArmId, Attached] = {}
    for item in sorted(basis.snapshot.attached, key=lambda item: (item.kind == "resource", item.holder, item.name)):
        if item.id is None or item.id in known or item.owner != basis.deployment:
            continue
        if not {item.name.lower(), item.id.key} & expected:
            found.setdefault(item.id, item)
    return tuple(item for _, item in sorted(found.items()))


def refusals(basis: Basis) -> Iterator[Finding]:
    """A destroy that left these behind would say that nothing is left."""
    for item in strays(basis) if basis.options.destroy else ():
        yield Finding(
            rule="V-OWN-04",
            level="error",
            address="",
            summary="Bears the tag of this deployment, but has no entry",
            detail=f"{item.id} bears the tag vpngw-deployment={basis.deployment}, and the state does not know it: "
            "destroy would leave it in Azure.",
            advice=way_out(item),
        )


def way_out(item: Attached) -> str:
    """What to do about one of them."""
    return (
        f"`vpngw state rebuild FILE --include {item.id}` takes it into the state (protected). If it is nobody's, "
        "delete it or take its tag vpngw-deployment off."
    )
