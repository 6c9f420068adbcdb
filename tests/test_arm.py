"""ARM ids: built, parsed, compared without case, and refused with what is wrong with them."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from vpngw_iac.arm import RESOURCE_GROUP_TYPE, SUBSCRIPTION_TYPE, ArmId, InvalidArmId, Scope

SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
SUBNETS = "Microsoft.Network/virtualNetworks/subnets"
NAMES = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,20}", fullmatch=True)


@given(NAMES, NAMES, NAMES)
def test_what_is_built_can_be_parsed(group: str, network: str, subnet: str) -> None:
    built = ArmId.build(SUBSCRIPTION, group, SUBNETS, network, subnet)

    parsed = ArmId(str(built))

    assert built == parsed
    assert (SUBSCRIPTION, group, "Microsoft.Network", SUBNETS) == (
        parsed.subscription,
        parsed.group,
        parsed.namespace,
        parsed.type,
    )
    assert ((network, subnet), subnet) == (parsed.names, parsed.name)


@given(NAMES, NAMES, st.sampled_from([str.upper, str.lower, str.title]))
def test_ids_are_compared_without_case(group: str, name: str, recase: type[str]) -> None:
    one = ArmId.build(SUBSCRIPTION, group, "Microsoft.Network/publicIPAddresses", name)
    other = ArmId(recase(str(one)))

    assert one == other
    assert hash(one) == hash(other)
    assert one.type.lower() == other.type.lower()
    assert one.parent == other.parent
    assert not one < other
    assert not other < one


def test_a_back_reference_of_azure_is_the_same_id() -> None:
    """Azure upper-cases names in back references (recording test_network_vpn_gateway)."""
    ours = ArmId(
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg/providers/Microsoft.Network/virtualNetworkGateways/g"
    )
    azures = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/RG/providers/Microsoft.Network/virtualNetworkGateways/G"

    assert {ours} == {ArmId(azures), ours}
    assert azures == str(ArmId(azures))


def test_the_way_up_ends_at_the_resource_group() -> None:
    subnet = ArmId.build(SUBSCRIPTION, "rg", SUBNETS, "vnet", "GatewaySubnet")
    network = ArmId.build(SUBSCRIPTION, "rg", "Microsoft.Network/virtualNetworks", "vnet")
    group = ArmId.resource_group_of(SUBSCRIPTION, "rg")

    assert [network, group, None] == [subnet.parent, network.parent, group.parent]
    assert subnet == network.child("subnets", "GatewaySubnet")
    assert group == subnet.resource_group
    assert group.type == RESOURCE_GROUP_TYPE
    assert group.name == "rg"


def test_a_subscription_is_an_id_too() -> None:
    subscription = ArmId(f"/subscriptions/{SUBSCRIPTION}/")

    assert (subscription.type, subscription.name, subscription.parent) == (SUBSCRIPTION_TYPE, SUBSCRIPTION, None)
    with pytest.raises(InvalidArmId, match="not in a resource group"):
        _ = subscription.resource_group


def test_an_extension_is_named_by_its_last_provider() -> None:
    group = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg"
    lock = ArmId(f"{group}/providers/Microsoft.Network/virtualNetworks/v/providers/Microsoft.Authorization/locks/no")

    assert lock.type == "Microsoft.Authorization/locks"
    assert lock.name == "no"
    assert lock.is_extension


def test_an_extension_hangs_on_the_resource_that_its_id_begins_with() -> None:
    subnet = ArmId.build(SUBSCRIPTION, "rg", SUBNETS, "vnet", "GatewaySubnet")
    gateway = ArmId.build(SUBSCRIPTION, "rg", "Microsoft.Network/virtualNetworkGateways", "x")
    setting = ArmId(f"{gateway}/providers/Microsoft.Insights/diagnosticSettings/y")
    shouted = ArmId(f"{gateway}/PROVIDERS/microsoft.insights/diagnosticSettings/y")

    assert gateway == setting.parent == shouted.parent
    assert subnet == ArmId(f"{subnet}/providers/Microsoft.Authorization/locks/l").parent
    assert gateway.contains(setting)
    assert not gateway.is_extension


def test_what_lies_in_a_group_is_no_extension() -> None:
    group = ArmId.resource_group_of(SUBSCRIPTION, "rg")
    lock = ArmId(f"{group}/providers/Microsoft.Authorization/locks/no")

    assert group == lock.parent
    assert not lock.is_extension


def test_containing_is_by_whole_names() -> None:
    network = ArmId.build(SUBSCRIPTION, "rg", "Microsoft.Network/virtualNetworks", "vnet")
    longer = ArmId.build(SUBSCRIPTION, "rg", "Microsoft.Network/virtualNetworks", "vnet-2")

    assert network.contains(network)
    assert network.contains(network.child("subnets", "s"))
    assert not network.contains(longer)
    assert network.resource_group.contains(longer)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "must start with /subscriptions"),
        ("vnet-hub", "must start with /subscriptions"),
        ("/subscriptions/s/resourceGroups/rg/virtualNetworks/v", "expected /providers/"),
        ("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network", "must come in pairs"),
        ("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks", "must come in pairs"),
        ("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks//subnets", "in pairs"),
    ],
)
def test_what_is_no_id_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(InvalidArmId, match=says):
        ArmId(text)


def test_each_type_segment_needs_a_name() -> None:
    with pytest.raises(InvalidArmId, match="takes 2 names, got 1: vnet"):
        ArmId.build(SUBSCRIPTION, "rg", SUBNETS, "vnet")


def test_ids_are_values() -> None:
    one = Scope(SUBSCRIPTION).group_id("rg")

    assert one == pickle.loads(pickle.dumps(one))
    assert f"ArmId('/subscriptions/{SUBSCRIPTION}/resourceGroups/rg')" == repr(one)
    assert one != str(one)
    with pytest.raises(AttributeError, match="immutable"):
        one.text = "other"


def test_ids_enter_and_leave_models_as_text() -> None:
    adapter = TypeAdapter(ArmId)
    one = Scope(SUBSCRIPTION).group_id("rg")

    assert one == adapter.validate_python(str(one)) == adapter.validate_python(one)
    assert one == adapter.validate_json(adapter.dump_json(one))
    with pytest.raises(ValidationError):
        adapter.validate_python("rg")
