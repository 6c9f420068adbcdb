"""Resource groups: used when present, created when absent, never put over."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from vpngw_iac.arm import RESOURCE_GROUP_TYPE
from vpngw_iac.resources.base import Durations, PartKind, Resource


class ResourceGroup(Resource):
    """A resource group of `Microsoft.Resources`."""

    arm_type: ClassVar[str] = RESOURCE_GROUP_TYPE
    kind: ClassVar[str] = "ResourceGroup"
    sdk: ClassVar[str] = "resource.resource_groups"
    sdk_calls: ClassVar[Mapping[str, str]] = {"put": "create_or_update", "delete": "begin_delete", "tag": "update"}
    listed_by: ClassVar[Literal["group", "parent", "none"]] = "none"
    only_if_absent: ClassVar[bool] = True
    lists: ClassVar[tuple[str, str, PartKind] | None] = ("resource.resources", "list_by_resource_group", "resource")
    # Creating is one synchronous call; deleting is polled every 15 s (recorded Retry-After).
    durations: ClassVar[Durations] = Durations(create=1, update=1, delete=15)
