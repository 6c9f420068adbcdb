"""Derived names: one policy, cut to Azure's limit, stable; patterns can be given."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.blueprints.samples import SCOPE, gateway, site
from vpngw_iac import Naming, SiteToSite
from vpngw_iac.blueprints.naming import LIMIT, fit
from vpngw_iac.errors import InvalidValue

NAMES = st.text("abcXYZ019-_.", min_size=1, max_size=200)


@given(NAMES)
def test_a_name_fits_the_limit_and_stays_if_it_does(name: str) -> None:
    assert len(fit(name)) <= LIMIT
    assert fit(name) == name or len(name) > LIMIT


@given(NAMES, NAMES)
def test_two_names_stay_two_names(one: str, two: str) -> None:
    assert (fit(one) == fit(two)) == (one == two)


def test_a_cut_name_never_changes() -> None:
    assert fit("con-" + "a" * 100) == "con-" + "a" * 67 + "-9252347c"


def test_patterns_can_be_given() -> None:
    naming = Naming(connection="vpn-{name}", public_ip="{gateway}-ip{number}")
    blueprint = SiteToSite(name="case", gateway=gateway(), sites=[site()], naming=naming)

    names = {item.address: item.id.name for item in blueprint.resources(SCOPE)}

    assert names["VpnConnection/vgw-hub/berlin"] == "vpn-berlin"
    assert names["PublicIp/vgw-hub/1"] == "vgw-hub-ip1"
    assert names["LocalNetworkGateway/vgw-hub/berlin"] == "lgw-berlin"


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("con-{site}", "may use {name} only"),
        ("con-{", "may use {name} only"),
        ("con", "must use {name}, or two things get one name"),
    ],
)
def test_a_pattern_that_cannot_work_is_refused(pattern: str, words: str) -> None:
    with pytest.raises(InvalidValue) as caught:
        Naming(connection=pattern)

    assert words in str(caught.value)
