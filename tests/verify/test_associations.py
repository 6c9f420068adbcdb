"""What was negotiated against what was declared: known spellings, the first rekey, old associations, weak defaults."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.verify.conftest import BERLIN, Hub, site, speaking
from vpngw_iac import IpsecPolicy, Link, Secret, Site
from vpngw_iac.arm import ArmId
from vpngw_iac.verify.associations import judge_associations, last_change
from vpngw_iac.verify.expectation import IpsecExpectation, PathExpectation
from vpngw_iac.verify.questions import Association, Associations, ChildAssociation, LastWrite, Unknown

NOWHERE = ArmId("/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/connections/c")
POLICY = IpsecExpectation("AES256", "SHA256", "DHGroup14", "AES256", "SHA256", "PFS2048")
PATH = PathExpectation("VpnConnection/hub/berlin", NOWHERE, NOWHERE, policy=POLICY)
CHILD = ChildAssociation("AES256", "SHA256", "None", 100)
ONE = Association("40.1.2.3", "203.0.113.10", "AES256", "SHA256", "DHGroup14", 100, children=(CHILD,))
LATELY = LastWrite(50_000.0)


def judged(one: Association, path: PathExpectation = PATH, changed: LastWrite | Unknown = LATELY) -> tuple[str, str]:
    found = judge_associations(path, Associations((one,)), changed)
    return "; ".join(found.wrong), "; ".join(found.notes)


@pytest.mark.parametrize("group", ["DHGroup14", "DHGroup2048", "MODP2048", "Group-14", "dh_group_14"])
def test_the_same_group_is_known_in_every_spelling(group: str) -> None:
    assert judged(replace(ONE, dh_group=group))[0] == ""


@pytest.mark.parametrize("group", ["Kyber768", "99", ""])
def test_a_spelling_that_nobody_knows_proves_nothing(group: str) -> None:
    assert judged(replace(ONE, dh_group=group))[0] == ""


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dh_group": "DHGroup2"}, "DH group is DHGroup2, declared is DHGroup14"),
        ({"encryption": "DES3"}, "IKE encryption is DES3"),
        ({"integrity": "SHA1"}, "IKE integrity is SHA1"),
    ],
)
def test_what_is_not_as_declared_is_wrong(changes: dict[str, str], said: str) -> None:
    assert said in judged(replace(ONE, **changes))[0]  # type: ignore[arg-type]


def test_a_combined_cipher_needs_no_integrity_of_its_own() -> None:
    policy = replace(POLICY, ipsec_encryption="GCMAES256", ipsec_integrity="GCMAES256")
    child = replace(CHILD, encryption="GCMAES256", integrity="None")

    assert judged(replace(ONE, children=(child,)), replace(PATH, policy=policy))[0] == ""


def test_pfs_is_unknown_until_the_first_rekey_and_then_judged_on_the_youngest_child() -> None:
    first = judged(ONE)
    old, young = replace(CHILD, age=30_000, pfs="None"), replace(CHILD, age=20, pfs="None")
    after = judged(replace(ONE, age=30_000, children=(old, young)))
    right = judged(replace(ONE, age=30_000, children=(old, replace(young, pfs="PFS2048"))))

    assert (first[0], "PFS is not known before the first rekey" in first[1]) == ("", True)
    assert "PFS group is None, declared is PFS2048" in after[0]
    assert right == ("", "")


def test_ikev1_has_pfs_from_the_first_child_on() -> None:
    assert "PFS group is None" in judged(ONE, replace(PATH, ikev1=True))[0]


def test_an_association_older_than_the_policy_is_to_be_reset_and_not_wrong() -> None:
    wrong, notes = judged(replace(ONE, dh_group="DHGroup2", age=4000), changed=LastWrite(60.0))

    assert wrong == ""
    assert "old SA" in notes
    assert "reset to enforce" in notes


def test_where_nobody_knows_when_the_policy_changed_nothing_is_wrong() -> None:
    wrong, notes = judged(replace(ONE, dh_group="DHGroup2"), changed=Unknown("not permitted"))

    assert (wrong, "not permitted" in notes) == ("", True)


@pytest.mark.parametrize(
    ("logged", "put", "known", "wrong"),
    [
        (LastWrite(3600.0), 3600.0, 3590.0, True),  # ours is the last that anybody knows of
        (LastWrite(None), 90_000.0, 89_000.0, True),  # nobody wrote it for a day
        (LastWrite(None), None, 50_000.0, True),  # taken over, and nobody wrote it since
        (LastWrite(3600.0), 60.0, 50.0, False),  # ours is not in the log yet: an old association
        (Unknown("not permitted"), 60.0, 50.0, False),
        (Unknown("not permitted"), 3600.0, 3590.0, False),
        (LastWrite(3600.0), 50_000.0, 49_000.0, False),  # somebody else's, and who knows what came after
        (LastWrite(3600.0), None, None, False),  # nothing is remembered here
    ],
)
def test_that_a_log_is_late_is_counted_with(
    logged: LastWrite | Unknown, put: float | None, known: float | None, wrong: bool
) -> None:
    found = judged(replace(ONE, dh_group="DHGroup2", age=1800), changed=last_change(logged, put, known))

    assert bool(found[0]) is wrong
    assert ("reset to enforce" in found[1]) is not wrong


def test_under_the_default_policy_weak_algorithms_are_a_note() -> None:
    wrong, notes = judged(replace(ONE, dh_group="DHGroup2", integrity="SHA1"), replace(PATH, policy=None))

    assert wrong == ""
    assert "the default policy led to SHA1, group 2" in notes


def test_a_pair_that_nobody_declared_is_wrong_and_a_missing_one_is_not() -> None:
    path = replace(PATH, selectors=(("10.1.0.0/16", "192.168.10.0/24"), ("10.1.0.0/16", "192.168.11.0/24")))
    inside = replace(CHILD, local=("10.1.0.0-10.1.255.255",), remote=("192.168.10.0-192.168.10.255",))
    outside = replace(inside, remote=("0.0.0.0-255.255.255.255",))

    assert judged(replace(ONE, children=(inside,)), path)[0] == ""
    assert "which is no declared pair" in judged(replace(ONE, children=(outside,)), path)[0]


# --- through the cloud -----------------------------------------------------------------------------------------------


def test_a_named_site_is_looked_at_closely_and_its_policy_holds(world: Hub) -> None:
    world.apply(speaking("berlin", 10))
    world.set(BERLIN, happens="rekey")
    world.clock.advance(100)

    path = world.verdict("berlin", "berlin").paths[0]

    assert path.word == "up"
    assert [(one.dh_group, one.children[-1].pfs) for one in path.associations] == [("ECP384", "ECP384")]
    assert path.notes == ()


@pytest.mark.parametrize("pfs", ["ECP384", "PFSMM"])
def test_under_ikev1_the_first_child_has_the_declared_group(world: Hub, pfs: Any) -> None:
    policy = IpsecPolicy.strong().model_copy(update={"pfs_group": pfs})
    link = Link(name="dsl", public_ip="203.0.113.10", prefixes=["192.168.10.0/24"], protocol="IKEv1", ipsec=policy,
                shared_key=Secret.env("BERLIN_PSK"))  # fmt: skip
    world.apply(Site(name="berlin", links=[link]))

    path = world.verdict("berlin", "berlin").paths[0]

    assert (path.word, path.notes) == ("up", ())


def test_an_old_association_after_an_edit_says_reset_to_enforce(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.compatible()))
    world.set(BERLIN, happens="keep-sa")
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.strong()), then=600)

    path = world.verdict("berlin", "berlin").paths[0]

    assert path.word == "up"
    assert any("old SA" in note and "reset to enforce" in note for note in path.notes)


def test_a_young_association_that_is_not_as_declared_is_degraded(world: Hub) -> None:
    world.apply(site("berlin", 10, ipsec=IpsecPolicy.compatible()))
    world.simulator.set(BERLIN, {"properties.ipsecPolicies": []})
    world.clock.advance(600)

    unnamed, named = world.words(), world.verdict("berlin", "berlin")

    assert unnamed == {"berlin": "up"}
    assert (named.word, "DH group is DHGroup2" in named.reason) == ("degraded", True)


def test_nothing_is_negotiated_while_a_tunnel_is_down(world: Hub) -> None:
    world.apply(site("berlin", 10))
    world.set(BERLIN, other_end="wrong-key")

    path = world.verdict("berlin", "berlin").paths[0]

    assert "There is no security association: nothing was negotiated." in path.notes


def test_what_a_neighbour_is_not_told_is_degraded_but_for_what_azure_filters(world: Hub) -> None:
    world.apply(speaking("berlin", 10))
    world.set(BERLIN, announces="10.1.0.0/16")
    told = world.words("berlin")

    assert told == {"berlin": "up"}
