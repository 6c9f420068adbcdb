"""Ids that findings bear which no rule of Azure has: what vpngw itself refuses or tells, so that each can be explained.

T: a value in a file. B: a blueprint as a whole. P: preflight. V: a plan.
"""

from __future__ import annotations

import functools
from typing import Final, cast

from vpngw_iac.preflight.registry import Rule, Weight

_TABLE: Final = """
B-ADDRESS | E | Two resources have one address | Addresses name resources in plans and in the state. | Rename one, or give one a label.
B-BACKUP | E | A failover path names something that does not exist | `backup_of` names another site or a circuit of this file. | Correct the name.
B-CLIENTS | E | Point-to-site on a gateway that is not ours | The client configuration is part of the gateway's own settings. | Declare the gateway and take it over with --adopt, or set it up where it is managed.
B-COEXISTENCE | E | Coexisting gateways stand in two networks | They share one GatewaySubnet (R-ER-01). | Use one network for both.
B-CONTRADICTION | E | Two places say different things about one resource | Equal values are one resource; these differ. | Write it once and use the value in both places, or give them different names.
B-DEFAULT-SITE | E | The default site of a gateway does not exist | `default_site` names a site of the gateway, or site/link. | Name one of them.
B-GATEWAY-SUBNET | E | The network of a gateway has no GatewaySubnet | A gateway stands in the subnet of that name (R-SUBNET-01). | Add gateway_subnet to the network.
B-GROUP | E | No resource group is given | What is made stands in a resource group. | Add resource_group, or run with -g NAME.
B-HUB | E | The network of an existing gateway is not given | Spokes are peered with the network of the gateway. | Give network to .existing(...).
B-LOCATION | E | The region of an existing resource is not given | What is made for it stands in its region. | Give location to .existing(...).
B-NAME | E | Two resources get one name in Azure | Azure compares names without case. | Name one of them yourself, or rename a part.
B-PAIR | E | A gateway at the far end of an IPsec pair says too little about itself | The other side needs its addresses. | Give them to .existing(...).
B-SITE | E | Two sites have one name | A site is one name on its gateway. | Rename one, or make them two links of one site.
P-FACT | I | Not checked: needs plan | Rules about an existing resource need facts that the file does not give. | `vpngw plan` reads them; or give them to .existing(...).
P-NAME | E | Two deployments have one name | The state of a deployment is kept under its name. | Rename one of them.
P-TWICE | W | Two deployments manage one resource | The one applied second is refused. | Join them in a Topology, or use it with .existing(...) in one of them.
P-WAIVER | W | Waiver without a finding | Nothing breaks the rule that is waived, or no rule has that id. | Remove the waiver, or correct its id.
T-BOUNDS | E | A value is out of bounds | A number, a text or a list is too small or too large. | Write one within the bounds.
T-CERT | E | A certificate cannot be used | It cannot be read, is a private key, or is several. | Give the public certificate alone, as file, pem or base64.
T-CHOICE | E | A value is not one of the allowed ones | The field takes certain words; casing does not count. | Write one of them.
T-CIDR | E | A value is not an address prefix | A prefix has a length and no host bits: 10.1.0.0/16. | Write it so.
T-CIRCUIT | E | A circuit or a link of one contradicts itself | A circuit has a provider or a port; links bear distinct names. | Do as the finding says.
T-FIELD | E | There is no such field | The noun has no field of that name. | Correct the name; `vpngw schema` has every field.
T-FILE | E | The file cannot become a blueprint | It cannot be read, raises an error, or exposes no blueprint. | Correct the line that is named.
T-FQDN | E | A value is not a fully qualified domain name | A name of a device has at least two labels. | Write for example vpn.example.com.
T-HUB | E | Which gateway the spokes use is not said | Spokes use one gateway of the file. | Say which one, or leave the spokes out.
T-ID | E | An id names another type of resource | The field wants the id of a certain type. | Copy the id of such a resource.
T-IP | E | A value is not an IP address | IPv4 or IPv6, without a prefix length. | Write for example 10.1.0.4.
T-IPV4 | E | A value is not an IPv4 address | Four numbers from 0 to 255. | Write for example 203.0.113.10.
T-KIND | E | There is no such kind of blueprint | `kind` says what the file is. | Write one of the kinds that are named.
T-LINK | E | Two links of a site bear one name | A link is one name on its site. | Rename one.
T-LNG | E | A local network gateway and its link contradict each other | What belongs to a LocalGateway is said there. | Do as the finding says.
T-MISSING | E | A field is missing | A field without a default must be given. | Add it.
T-NAME | E | A name has a form that Azure refuses | 1 to 80 letters, digits, '.', '_' and '-', starting alphanumeric. | Choose another name.
T-NAMED | E | No entry bears that name | A text names an entry of a section at the top of the file. | Correct the name, or add the entry.
T-NAMING | E | A pattern of names cannot work | It uses an unknown word, or gives two things one name. | Use the words that the finding lists.
T-P2S | E | A client configuration contradicts itself | Clients need addresses, and each way to sign in once. | Do as the finding says.
T-PAIR | E | A pair of gateways contradicts itself | It joins two different gateways. | Do as the finding says.
T-REACH | E | A Global Reach connection contradicts itself | It joins two different circuits by a /29. | Do as the finding says.
T-ROLE | E | There is no such role | Roles that are known by name, or the GUID of a role's definition. | Correct the name, or write the GUID.
T-ROUTE | E | A route contradicts itself | Only a virtual appliance has a next_hop_ip; routes of a table have distinct names. | Do as the finding says.
T-RULE | E | Rules of a security group contradict each other | Names differ, and so do priorities in one direction. | Give each a name and a priority of its own.
T-SECRET | E | A secret is not given by reference | A blueprint says where a secret is found, never the secret. | Write Secret.env("NAME"), in YAML {env: NAME}.
T-SINK | E | Logs have nowhere to go | A diagnostic setting names a workspace, a storage account or an event hub. | Give one of them.
T-SITE | E | A site contradicts itself | It has links, or an address of its own. | Move what belongs to a link to the link.
T-SKU | E | There is no such SKU | The list of SKUs of this version does not have it. | Correct it; a new one is written Sku.other("NAME").
T-SUBNET | E | Subnets do not fit | They lie in the address space, do not overlap and have distinct names. | Do as the finding says.
T-TOPOLOGY | E | Two blueprints of a topology bear one name | Each has its own. | Rename one.
T-TYPE | E | A value has the wrong type | The finding says what was expected and what stands there. | Write what it says.
V-ADOPT-01 | E | There is nothing to adopt | Neither Azure nor the state knows what --adopt names. | Check name, group and subscription; leave --adopt out for what is to be created.
V-ADOPT-02 | W | The pattern adopts nothing | Nothing that it fits is declared, present and without an entry. | Compare it with the addresses of `vpngw compile FILE`.
V-CHANGE-01 | E | Azure cannot make this change | Neither in place nor by building it again. | The finding names the way out.
V-EXIST-01 | E | Existing resource is not there | The blueprint uses it and Azure does not have it. | Check id and subscription.
V-EXIST-02 | E | Azure contradicts a given fact | A fact in .existing(...) is not what Azure shows. | Correct it, or leave it out: it is read at plan.
V-EXIST-03 | W | Existing resource is in a failed state | What depends on it may be refused (R-OPS-04). | Ask its owner to repair it.
V-FOREIGN-01 | E | Something that is not ours depends on it | It would lose what this plan deletes or replaces. | Ask its owner to let go first.
V-FOREIGN-02 | W | Something that is not ours would be lost | It hangs on what this plan replaces, and nothing uses it now. | Ask its owner before you apply.
V-FOREIGN-03 | I | Kept, since something that is not ours uses it | It is no longer declared and stays. | Nothing.
V-GRAPH-01 | E | Resources need each other in a circle | None of them can be created first. | Remove one of the references.
V-JOURNAL-01 | I | An earlier run left this operation open | It is ours and may still run in Azure. | `vpngw apply` or `vpngw wait` continues.
V-MOVED-01 | W | Moved by Azure | Azure has another value, and only a replacement could change it back: it is left. | Write what Azure has.
V-OUTAGE-01 | E | Outage is longer than allowed | --max-outage allows less. | Plan a window, or name who agreed with --outage-agreed.
V-OWN-01 | E | Exists in Azure and is not ours | The state has no entry of it. | Take it over with --adopt ADDRESS, use it with .existing(...), or choose another name.
V-OWN-02 | E | Belongs to another deployment | It bears that deployment's tag. | Use it with .existing(...), or remove it there first.
V-OWN-03 | E | The network has such a gateway already | A network takes one gateway of each type (R-SKU-19). | Use that one, or remove it first.
V-OWN-04 | E | Bears the tag of this deployment, but has no entry | Destroy would leave it in Azure. | Include it with `vpngw state rebuild FILE --include ID`, or take its tag off.
V-OWN-05 | E | Moved to another resource group outside | This plan would create a second one beside it. | Write its new group and rebuild the state, or move it back.
V-OWN-06 | E | Azure has this connection already | Another one joins the same two ends. | Adopt that one, or remove one of the two.
V-PEER-01 | W | The other side of a peering is out of step | It misses address space, and is not ours. | Ask its owner to synchronise it.
V-PEER-02 | E | A peering that is not ours uses a gateway | Azure refuses to take the gateway away under it. | Ask its owner to switch useRemoteGateways off.
V-PEER-03 | E | A peering would use a gateway that is not there | This plan deletes the last gateway of the network it uses. | Switch transit off in the same blueprint, or keep the gateway.
V-PROBE-01 | W | Rights are missing | Whoever is signed in may not do what the plan needs. | Ask for a role with the actions that are named.
V-PROBE-02 | E | A management lock stands in the way | It refuses what the plan would do. | Ask its owner to take it away for this change.
V-PROBE-03 | E | Resource provider is not registered | Azure refuses to create anything of it. | `az provider register --namespace NAME`.
V-PROBE-04 | E | Quota would be exceeded | The subscription has not so many left in the region. | Ask for more, or release what is not used.
V-PROBE-05 | E | A policy denies it | A policy assignment refuses the resource as declared. | Change the blueprint, or ask for an exemption.
V-PROBE-06 | E | Availability zone is not there | The subscription has other zones in that region. | Declare the zones that are there.
V-PROBE-07 | E | Region is not there | The subscription has no such region. | Correct it; `az account list-locations` lists them.
V-PROTECT-01 | E | Protected | The entry is protected, and the plan would delete or replace it. | Apply once with protect=False if that is meant.
V-RENAME-01 | I | Renamed? What is deleted and created here differs only in name | A rename would delete and create it. | Say it with moved={"old": "new"}.
V-REPLACE-01 | E | Replacement must be named | It would be deleted and created again. | Run again with --replace ADDRESS if that is meant.
V-RUN-01 | I | The last run came from no pipeline | Somebody applied or destroyed past the pipeline that did before. | `vpngw log` tells who and what.
V-SECRET-01 | W | Secret not verified | No fingerprint tells whether it is the one that was applied. | `vpngw apply FILE --resend-secrets` sets it again.
V-SECRET-02 | E | An update would lose a secret that we do not have | A PUT without it would remove it (R-RAD-06). | Declare it with a secret reference.
V-SECRET-03 | W | Secret cannot be resolved here | A changed value is not seen, and apply refuses to write it. | Set the variable or file; `vpngw secret check FILE` tells of all.
V-SECRET-04 | W | Every user of this machine can read the secret file | Its mode lets others in. | chmod 600 FILE.
V-STATE-01 | E | Everything would be deleted and made anew | No entry of the state belongs to the blueprint. | Say formerly="old name", or moved={...}.
V-STATE-02 | E | Nothing of this deployment is in Azure any more | All entries are absent at once: perhaps the wrong subscription. | Run with --all-gone if that is right.
V-STATE-03 | E | The state is empty, but this deployment is in Azure | Resources bear its tag, and the state knows none of them. | Name the state with --state, or rebuild it: `vpngw state rebuild FILE`.
V-STATE-04 | W | The state folder lies behind a symbolic link | Whoever may change the link decides which state is used. | Name the folder itself with --state.
V-STATE-05 | I | The key of the state cannot be read here | Secrets are not compared, and a plan that is saved is not sealed. | Apply a plan that was made where the key can be read.
V-STATE-06 | I | The key lies beside the state | Whoever may read the state can read its key. | `vpngw state init` moves it into a container of its own.
V-UNREAD-01 | E | What guards a delete could not be read | Locks or peerings that could forbid it are not to be seen. | Apply as somebody who may read them, or with --no-probe.
V-UNREAD-02 | E | A value that is needed could not be read | Another resource takes it from something that may not be read. | Give it to .existing(...).
"""  # noqa: E501 - one line for each id

_WHERE = {
    "T": "when the file is read, by every command.",
    "B": "when the blueprint is compiled, by every command.",
    "P": "by `vpngw validate` and `vpngw plan`.",
    "V": "by `vpngw plan` and `vpngw apply`.",
}


@functools.cache
def vpngw_rules() -> tuple[Rule, ...]:
    """Each id as a rule, in the order of ids."""
    return tuple(_rule(*(cell.strip() for cell in line.split("|"))) for line in _TABLE.strip().splitlines())


def _rule(rule_id: str, level: str, title: str, why: str, fix: str) -> Rule:
    return Rule(rule_id, cast("Weight", level), "always", "checked", title, "", why=why, fix=fix)


def told_by(rule: Rule) -> str:
    """Which command finds it; empty for a rule of Azure."""
    return _WHERE.get(rule.id[0], "")
