"""What is shown cannot do harm, and is still what was written."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.hostile import TEXTS, harm_in
from vpngw_iac.arm import ArmId
from vpngw_iac.errors import AzureIds, AzureRefused, Finding, Refused
from vpngw_iac.report.json_documents import dumps
from vpngw_iac.report.style import Style
from vpngw_iac.secret import GithubMaskedSecrets, LocalSecrets, Secret
from vpngw_iac.state.model import Entry
from vpngw_iac.text import guarded, in_words, neutral, plain, report, workflow_data

COLOURED = Style(colour=True)


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_value_becomes_one_harmless_line(text: str) -> None:
    assert "\n" not in plain(text)
    assert harm_in(guarded(plain(text))) == []
    assert plain(plain(text)) == plain(text)


@given(st.text(st.characters()))
def test_whatever_is_written_is_harmless_and_made_plain_once(text: str) -> None:
    assert harm_in(guarded(plain(text))) == []
    assert harm_in(guarded(text)) == []
    assert plain(plain(text)) == plain(text)
    assert guarded(guarded(text)) == guarded(text)


@pytest.mark.parametrize(
    "text",
    [
        "Zürich, 東京, القاهرة, Ελλάδα",
        "👨\u200d👩\u200d👧 ⚠️",
        "می\u200cخواهم",
        "2001:db8::/32, ::/0 and fe80::1",
        "a::b c # d [e]",
    ],
)
def test_what_people_write_stays_as_it_is(text: str) -> None:
    assert plain(text) == text
    assert guarded(f"seen: {text}") == f"seen: {text}"


def test_escapes_are_those_of_json() -> None:
    assert plain("a\nb\x1b\u202e\x7f\x9b\U000e0041") == r"a\nb\u001b\u202e\u007f\u009b\udb40\udc41"
    assert plain("##[error]") == r"##\u005berror]"


def test_an_output_keeps_its_lines_and_our_colours_only() -> None:
    ours = f"{COLOURED.paint('a', 'red', 'bold')}\n{COLOURED.paint('b', 'dim')}"

    assert guarded(ours) == ours
    assert guarded("\x1b[8mhidden\x1b[0m") == "\\u001b[8mhidden\x1b[0m"


@pytest.mark.parametrize("blank", ["", " ", "\u00a0", "\u3000", "\t", "\v", "\u2003 "])
def test_no_line_of_an_output_begins_a_command_whatever_blank_stands_before_it(blank: str) -> None:
    assert harm_in(guarded(f"{blank}::add-mask::x")) == []


@pytest.mark.parametrize("text", [*TEXTS.values(), "a ::b:: c"])
def test_a_json_document_is_harmless_and_its_values_are_exact(text: str) -> None:
    document = {text: [text, {"a": text}]}

    told = dumps(document)

    assert harm_in(told) == []
    told.encode("utf-8")
    assert json.loads(told) == document


@dataclass(frozen=True, slots=True)
class Held:
    """One of the values that reports are given."""

    name: str
    number: int = 0
    more: Any = None


class Pair(NamedTuple):
    first: str
    second: int


def test_texts_are_found_wherever_they_stand_in_a_structure() -> None:
    evil = "a\nb"
    held = Held(evil, 7, {evil: (evil, [Held(evil)], frozenset({evil}), Pair(evil, 1))})

    clean = neutral(held)

    assert clean == Held(r"a\nb", 7, {r"a\nb": (r"a\nb", [Held(r"a\nb")], frozenset({r"a\nb"}), Pair(r"a\nb", 1))})
    assert held.name == evil, "what was given is not changed"


def test_models_ids_and_errors_are_structures_too() -> None:
    evil = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/a\x1bb"
    entry = Entry(address="VirtualNetwork/a\nb", id=ArmId(evil), applied={"tags": {"k\u202e": "v"}})
    error = AzureRefused("no\n::x::", code="C\x1b", ids=AzureIds(request="r\n"), advice="d\n", address="a\n")
    refused = Refused("no\n", findings=[Finding("R", "error", "a", "s", detail="d\x1b")])

    shown, told = neutral(entry), neutral(error)

    assert (shown.address, str(shown.id)[-8:]) == (r"VirtualNetwork/a\nb", r"a\u001bb")
    assert shown.applied == {"tags": {r"k\u202e": "v"}}
    assert isinstance(told, AzureRefused)
    assert harm_in("".join([told.message, told.code, told.ids.request, told.advice, told.address])) == []
    assert neutral(refused).findings[0].detail == r"d\u001b"
    assert error.message == "no\n::x::"


def test_what_needs_nothing_is_the_same_object() -> None:
    held = Held("a", 1, {"b": [Held("c")]})

    assert neutral(held) is held


def test_a_report_is_given_plain_values_and_says_guarded_text() -> None:
    @report
    def told(*values: str, last: str) -> str:
        return "\n".join((*values, last))

    assert told("a\nb", last="::warning::c") == "a\\nb\n\\u003a:warning::c"


# --- commands of our own ---------------------------------------------------------------------------------------------


def test_data_of_a_workflow_command_is_encoded() -> None:
    assert workflow_data("50%\r\noff%0A") == "50%25%0D%0Aoff%250A"


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "a\rb", "\n\na\n\nb\n", "a\u2028b\x85c\x0bd"])
def test_a_secret_of_several_lines_is_masked_line_by_line(value: str) -> None:
    told: list[str] = []

    GithubMaskedSecrets(LocalSecrets({"PSK": value}), told.append).resolve(Secret.env("PSK"))

    assert told == [f"::add-mask::{letter}\n" for letter in "abcd" if letter in value]


def test_a_secret_cannot_write_a_command_of_its_own() -> None:
    told: list[str] = []

    GithubMaskedSecrets(LocalSecrets({"PSK": "x\n::set-env name=A::b%0A::c"}), told.append).resolve(Secret.env("PSK"))

    assert all(line.startswith("::add-mask::") and line.count("\n") == 1 for line in told)


@pytest.mark.parametrize(
    ("noun", "words"),
    [
        ("VpnConnection", "VPN connection"),
        ("PublicIp", "public IP"),
        ("ExpressRouteGateway", "ExpressRoute gateway"),
        ("VnetConnection", "VNet connection"),
        ("Subnet", "subnet"),
        ("NatRule", "NAT rule"),
        ("link", "link"),
    ],
)
def test_a_noun_is_said_as_the_field_spells_it(noun: str, words: str) -> None:
    assert in_words(noun) == words
