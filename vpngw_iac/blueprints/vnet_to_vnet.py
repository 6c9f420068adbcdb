"""VNet-to-VNet: pairs of VPN gateways joined by tunnels."""

from collections.abc import Iterable
from typing import Annotated

from pydantic import Field, model_validator

from vpngw_iac.blueprints.base import Blueprint
from vpngw_iac.blueprints.contribution import Contribution, GatewayLike, PlacedPart
from vpngw_iac.blueprints.gateway import AnyVpnGateway
from vpngw_iac.blueprints.part import Many, listed
from vpngw_iac.blueprints.peer import Pair, Spoke
from vpngw_iac.blueprints.site_to_site import on_each
from vpngw_iac.field import rule_error


class VnetToVnet(Blueprint):
    """Gateways joined in pairs. NAT is impossible here (R-V2V-09), which is why there is no field for it.

    ``VnetToVnet(name="west-north", pairs=Pair(a=gateway, b=other_gateway, shared_key=Secret.env("WEST_NORTH_PSK")))``
    """

    pairs: Annotated[Many[Pair], listed, Field(min_length=1)]
    hub: AnyVpnGateway | None = None
    """The gateway that the spokes use. Default: the only `a` of all pairs."""
    spokes: Many[Spoke] = ()
    """Networks that reach the others through the hub's gateway."""

    @model_validator(mode="after")
    def _one_hub(self) -> "VnetToVnet":
        if self.spokes and self.hub is None and any(pair.a != self.pairs[0].a for pair in self.pairs):
            raise rule_error("T-HUB", "Several gateways are `a` of a pair: say with hub=... which one the spokes use.")
        return self

    def contributions(self) -> Iterable[Contribution]:
        """What this blueprint says."""
        ends: tuple[PlacedPart[GatewayLike], ...] = tuple(
            PlacedPart(gateway, f"pairs[{index}].{end}", self.name, self.tags)
            for index, pair in enumerate(self.pairs)
            for end, gateway in (("a", pair.a), ("b", pair.b))
        )
        hub = self.hub or self.pairs[0].a
        yield Contribution(
            gateways=(*ends, *((PlacedPart(self.hub, "hub", self.name, self.tags),) if self.hub else ())),
            pairs=tuple(
                PlacedPart(pair, f"pairs[{index}]", self.name, self.tags) for index, pair in enumerate(self.pairs)
            ),
            spokes=on_each(self, "spokes", self.spokes, (hub,)),
        )
