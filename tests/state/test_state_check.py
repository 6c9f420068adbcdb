"""Each way in which a state can be invalid is found, and told in words that name the place."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from tests.state.samples import BINDING, TENANT, a_state, an_entry, an_id, law, states
from vpngw_iac.errors import UsageError
from vpngw_iac.secret import FingerprintKey
from vpngw_iac.state.check import checked_name, is_safe_name
from vpngw_iac.state.model import Binding

CASES = {
    "an unknown dependency": (
        a_state(an_entry(1, needs=[9])),
        f"Thing/0001 needs {an_id(9)}, which is not an entry.",
    ),
    "two entries with one id, whatever its casing": (
        a_state(an_entry(1), an_entry(1, address="Thing/other", id=str(an_id(1)).replace("rg-hub", "RG-Hub"))),
        "Thing/0001 and Thing/other have the same id " + str(an_id(1)).replace("rg-hub", "RG-Hub") + ".",
    ),
    "entries that need each other": (
        a_state(an_entry(1, needs=[2]), an_entry(2, needs=[1])),
        "in a circle: Thing/0001 needs Thing/0002 needs Thing/0001.",
    ),
    "an entry that needs itself": (
        a_state(an_entry(1, needs=[1])),
        "in a circle: Thing/0001 needs Thing/0001.",
    ),
    "an entry under another key": (
        a_state(entries={"Thing/x": an_entry(1)}),
        "The entry 'Thing/x' says that its address is 'Thing/0001'.",
    ),
    "an address without a kind": (
        a_state(an_entry(1, address="berlin")),
        "'berlin' is not an address of the form Kind/name.",
    ),
    "a deployment that could leave its folder": (
        a_state(deployment="../other"),
        "The deployment '../other' has no valid name.",
    ),
    "a lineage that is none": (a_state(lineage="mine"), "The lineage 'mine' is not a UUID."),
    "a negative serial": (a_state(serial=-1), "The serial -1 is negative."),
    "a cloud without a name": (
        a_state(binding=Binding(cloud="", endpoint="https://x", tenant=TENANT)),
        "names the cloud ''",
    ),
    "no endpoint": (a_state(binding=Binding(cloud="public", endpoint=" ", tenant=TENANT)), "names no endpoint."),
    "no tenant": (a_state(binding=Binding(cloud="public", endpoint="https://x", tenant="")), "names no tenant."),
    "the value of a shared key": (
        a_state(an_entry(1, applied={"properties": {"sharedKey": "hunter2"}})),
        "Thing/0001 holds something at properties.sharedKey that may be a secret's value.",
    ),
    "a RADIUS secret inside a list": (
        a_state(an_entry(1, applied={"radiusServers": [{"radiusServerSecret": "hunter2"}]})),
        "at radiusServers[0].radiusServerSecret that may be",
    ),
    "a value disguised as a reference": (
        a_state(an_entry(1, applied={"anything": {"$secret": "hunter2"}})),
        "at anything that may be",
    ),
    "a reference with a value beside it": (
        a_state(an_entry(1, applied={"a": {"$secret": {"source": "env", "name": "A"}, "value": "hunter2"}})),
        "at a that may be",
    ),
    "a reference of an unknown source": (
        a_state(an_entry(1, applied={"a": {"$secret": {"source": "literal", "value": "hunter2"}}})),
        "at a that may be",
    ),
    "a private key": (
        a_state(an_entry(1, applied={"data": "-----BEGIN PRIVATE KEY-----\nMIIE"})),
        "at data that may be",
    ),
    "a secret in what a policy wrote": (
        a_state(an_entry(1, overruled={"properties.authorizationKey": "hunter2"})),
        "at properties.authorizationKey that may be",
    ),
    "a secret below what a policy wrote": (
        a_state(an_entry(1, overruled={"properties.x[0]": {"sharedKey": "hunter2"}})),
        "at properties.x[0].sharedKey that may be",
    ),
    "a fingerprint that is a value": (
        a_state(an_entry(1, fingerprints={"properties.sharedKey": {"key": "k", "hmac": "hunter2"}})),
        "holds something at properties.sharedKey that is not a fingerprint.",
    ),
    "a fingerprint with more than one": (
        a_state(an_entry(1, fingerprints={"p": {"key": "k", "hmac": "0" * 64, "value": "hunter2"}})),
        "at p that is not a fingerprint.",
    ),
}


@pytest.mark.parametrize(("state", "told"), CASES.values(), ids=CASES.keys())
def test_each_broken_invariant_is_told_once_and_shows_no_secret(state, told):
    problems = state.check()

    assert [told in problem for problem in problems] == [True], problems
    assert "hunter2" not in " ".join(problems)


def test_what_may_stand_in_the_place_of_a_secret():
    key = FingerprintKey.new()
    entry = an_entry(
        1,
        applied={
            "properties": {
                "sharedKey": {"$secret": {"source": "env", "name": "BERLIN_PSK"}},
                "authorizationKey": {"$output": {"source": str(an_id(2)), "path": "properties.authorizationKey"}},
                "radiusServerSecret": None,
            },
            "tags": {"sharedKey": "a tag may have any name"},
        },
        fingerprints={"properties.sharedKey": key.fingerprint("x", "v1").dump()},
    )

    assert a_state(entry).check() == ()


def test_a_state_does_not_follow_one_with_a_higher_serial_or_another_lineage():
    stored = a_state(serial=5)

    assert a_state(serial=5).check(stored) == ()
    assert a_state(serial=6).check(stored) == ()
    assert "The serial 4 is below the stored state's 5" in a_state(serial=4).check(stored)[0]
    other = a_state(serial=9, lineage="44444444-4444-4444-8444-444444444444")
    assert "they are different states" in other.check(stored)[0]


@law
@given(states(), st.data())
def test_taking_any_needed_entry_out_by_hand_is_found(state, data):
    needed = sorted({need for entry in state.entries.values() for need in entry.needs})
    assume(needed)
    gone = data.draw(st.sampled_from(needed))

    rest = {key: entry for key, entry in state.entries.items() if entry.id != gone}

    assert any(str(gone) in problem for problem in state.model_copy(update={"entries": rest}).check())


@law
@given(states(), st.data())
def test_closing_a_circle_is_found(state, data):
    pairs = [(entry, need) for entry in state.entries.values() for need in entry.needs]
    assume(pairs)
    entry, need = data.draw(st.sampled_from(pairs))

    by_id = state.by_id()
    target = by_id[need].model_copy(update={"needs": (*by_id[need].needs, entry.id)})
    mutated = state.model_copy(update={"entries": {**state.entries, target.address: target}})

    assert any("in a circle" in problem for problem in mutated.check())


@pytest.mark.parametrize("name", ["a", "contoso-hub", "Hub_2.eu", "x" * 64])
def test_a_plain_name_names_a_folder(name):
    assert checked_name(name) == name


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../x", "a/b", "a\\b", "-a", ".hidden", "a.", "a b", "x" * 65, "con", "NUL.txt", "é", "a\n"]
)
def test_a_name_that_could_leave_its_folder_is_refused(name):
    assert not is_safe_name(name)
    with pytest.raises(UsageError, match="cannot be the name of a deployment"):
        checked_name(name)


def test_the_binding_of_the_samples_is_valid():
    assert a_state(binding=BINDING).check() == ()
