"""Network security groups, with their rules inside.

Evidence: REST reference "Network Security Groups" (defaults, read-only members), "Security Rules" (priority from 100 to
4096, once in a direction).
"""

from __future__ import annotations

from vpngw_iac.simulator.cloud_view import CloudView
from vpngw_iac.simulator.document import Document
from vpngw_iac.simulator.kind import Kind, PutRequest, Reader, defaults
from vpngw_iac.simulator.refusal import refuse
from vpngw_iac.simulator.relations import subnets_with
from vpngw_iac.simulator.wire import Json

GROUPS = "Microsoft.Network/networkSecurityGroups"
_LISTS = (
    "sourcePortRanges",
    "destinationPortRanges",
    "sourceAddressPrefixes",
    "destinationAddressPrefixes",
)


class NetworkSecurityGroup(Kind):
    """``Microsoft.Network/networkSecurityGroups``."""

    arm_type = GROUPS
    retry_after = 3.0
    etag_header = True
    contention = 409
    create_seconds = 3.0
    update_seconds = 3.0
    remove_seconds = 10.0
    top_level = ("location", "tags")
    read_only = frozenset({"defaultSecurityRules", "networkInterfaces", "subnets", "flowLogs"})

    def fill(self, change: PutRequest) -> Json:
        """Lists are empty where nothing is said."""
        properties = super().fill(change)
        defaults(properties, securityRules=[])
        properties["securityRules"] = [
            {
                "name": str(item.get("name")),
                "properties": {**{name: [] for name in _LISTS}, **(item.get("properties") or {})},
            }
            for item in properties["securityRules"]
        ]
        return properties

    def check(self, change: PutRequest, properties: Json) -> None:
        """Priorities; codes as in the page about rules."""
        seen: dict[tuple[object, object], str] = {}
        for rule in properties["securityRules"]:
            said = rule["properties"]
            if not 100 <= int(said.get("priority") or 0) <= 4096:
                raise refuse(
                    "SecurityRuleInvalidPriority",
                    f"Security rule {rule['name']} of {change.id} has a priority outside of 100 to 4096.",
                )
            other = seen.setdefault((said.get("direction"), said["priority"]), rule["name"])
            if other != rule["name"]:
                raise refuse(
                    "SecurityRuleConflict",
                    f"Security rule {rule['name']} conflicts with rule {other}. Rules cannot have the same "
                    "Priority and Direction.",
                )

    def refuse_delete(self, cloud: CloudView, document: Document) -> None:
        """400 while a subnet uses it."""
        for subnet in subnets_with(cloud, "networkSecurityGroup", document.id):
            raise refuse(
                "InUseNetworkSecurityGroupCannotBeDeleted",
                f"Network security group {document.id} cannot be deleted because it is in use by {subnet}.",
            )

    def properties(self, cloud: CloudView, document: Document, reader: Reader) -> Json:
        """With the subnets that use it, and each rule as a resource of its own."""
        shown = dict(document.properties)
        shown["securityRules"] = [
            {"id": f"{document.id}/securityRules/{rule['name']}", **rule, "etag": document.etag}
            | {"properties": {"provisioningState": document.state, **rule["properties"]}}
            for rule in shown.get("securityRules") or ()
        ]
        if users := subnets_with(cloud, "networkSecurityGroup", document.id):
            shown["subnets"] = [{"id": user} for user in users]
        return shown


KIND = NetworkSecurityGroup()
