"""A value is masked in every form in which Azure, a proxy or a library may repeat it; and nothing else is."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vpngw_iac.masks import STARS, Masks

VALUE = 'p"a/s&s<\\wörd  + x%2'
FORMS = {
    "plain": VALUE,
    "json": json.dumps(VALUE),
    "json in utf-8": json.dumps(VALUE, ensure_ascii=False),
    "json in json": json.dumps(json.dumps(VALUE, ensure_ascii=False)),
    "json with slashes": json.dumps(VALUE).replace("/", "\\/"),
    ".NET": '"p\\u0022a/s\\u0026s\\u003C\\\\w\\u00F6rd  \\u002B x%2"',
    "url": quote(VALUE, safe=""),
    "url in lower case": quote(VALUE, safe="").replace("%2F", "%2f").replace("%C3", "%c3"),
    "url path": quote(VALUE),
    "form": quote_plus(VALUE),
    "url twice": quote(quote(VALUE, safe=""), safe=""),
    "html": html.escape(VALUE),
    "python": repr(VALUE),
    "on one line": " ".join(VALUE.split()),
    "base64": base64.b64encode(VALUE.encode()).decode(),
    "base64 without padding": base64.b64encode(VALUE.encode()).decode().rstrip("="),
    "base64 for urls": base64.urlsafe_b64encode(VALUE.encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_masked(form: str) -> None:
    text = Masks([VALUE]).scrub(f"The key {FORMS[form]} is no good.")

    assert STARS in text
    for part in ("s&s", "w\\u00f6rd", "wörd", "w%C3", "w%c3", "rd"):
        assert part not in text.replace("The key", "").replace("is no good", "").replace("word", "")


@pytest.mark.parametrize("before", ["", "a", "ab", "abc", '{"user": "x", "password": "'])
@pytest.mark.parametrize("value", ["canarySecret0001", "0123456789"])
def test_inside_something_longer_in_base64_too(value: str, before: str) -> None:
    whole = base64.b64encode(f'{before}{value}"}}'.encode()).decode()

    masked = Masks([value]).scrub(whole)

    assert STARS in masked
    assert value not in base64.b64decode(masked.replace(STARS, "A" * 4) + "===", validate=False).decode("latin-1")


@given(st.text(min_size=6, max_size=40).filter(lambda t: len(t.strip()) >= 6))
def test_any_value_of_six_characters_is_masked_wherever_it_stands(value: str) -> None:
    masks = Masks([value])

    for form in (value, json.dumps(value)[1:-1], quote(value, safe="", errors="replace")):
        assert form not in masks.scrub(f"x{form}y") or form in "x***y"


@pytest.mark.parametrize(
    ("value", "text", "masked"),
    [
        ("a", "a bad gateway said 'a', \"a\" and `a`.", "a bad gateway said '***', \"***\" and `***`."),
        ("abc", "abc is 'abc' in abcdef", "abc is '***' in abcdef"),
        ("test", "The tested key test, 'test' is contested.", "The tested key ***, '***' is contested."),
        ("secret", "mysecrets", "my***s"),
        (" ", "a b", "a b"),
        ("", "a b", "a b"),
    ],
)
def test_short_values_do_not_take_words_apart(value: str, text: str, masked: str) -> None:
    assert Masks([value]).scrub(text) == masked


def test_each_long_line_of_a_value_is_secret_by_itself() -> None:
    masks = Masks(["-----BEGIN-----\nMIIBVgIBADANBg\nkqhkiG9w0BAQEF\n-----END-----"])

    assert masks.scrub("bad line kqhkiG9w0BAQEF") == "bad line ***"


def test_a_value_that_is_part_of_another_does_not_uncover_it() -> None:
    assert Masks(["secret", "mysecret42"]).scrub("mysecret42") == STARS


def test_masks_show_nothing_of_themselves() -> None:
    assert "canary" not in repr(Masks(["canarySecret"]))
