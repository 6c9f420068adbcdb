"""A name that was edited without ``moved``: the plan deletes and creates, and says which line would spare both."""

from __future__ import annotations

from tests.workspace.conftest import Harness
from tests.worlds import Deployment, connection, hub, network, peering, site
from vpngw_iac.errors import Finding


def notes(harness: Harness, deployment: Deployment) -> list[Finding]:
    return [finding for finding in harness.plan(deployment).findings if finding.rule == "V-RENAME-01"]


def with_site(name: str, number: int = 0, **changes: str) -> Deployment:
    return hub("paris").plus(
        site(name, number, derived_name=True, **changes), connection(name, derived_name=True, to=f"lgw-{name}")
    )


def test_a_renamed_site_gets_the_very_line_that_keeps_it(harness: Harness) -> None:
    harness.environment |= {"PSK_HAMBURG": harness.environment["PSK_BERLIN"]}
    harness.create(with_site("berlin", 7))

    (note,) = notes(harness, with_site("hamburg", 7))

    assert note.level == "info"
    assert 'moved={"berlin": "hamburg"}' in note.advice
    assert "LocalNetworkGateway/hub/berlin" in note.detail
    assert "VpnConnection/hub/hamburg" in note.detail
    after = with_site("hamburg", 7).named(moved={"berlin": "hamburg"})
    assert set(harness.changes(after).values()) == {"move"}
    assert notes(harness, after) == []


def test_links_of_one_site_are_one_note_with_the_name_of_the_site(harness: Harness) -> None:
    harness.environment |= {
        f"PSK_{n}": "0123456789abcdefghij" for n in ("OSLO-ONE", "OSLO-TWO", "BERGEN-ONE", "BERGEN-TWO")
    }

    def links(name: str) -> Deployment:
        both = [(f"{name}-one", 5), (f"{name}-two", 6)]
        return hub().plus(*(site(n, i, derived_name=True) for n, i in both))

    harness.create(links("oslo"))

    (note,) = notes(harness, links("bergen"))

    assert 'moved={"oslo": "bergen"}' in note.advice


def test_another_site_in_place_of_one_is_no_rename(harness: Harness) -> None:
    harness.environment |= {"PSK_HAMBURG": "0123456789abcHamburg"}
    harness.create(with_site("berlin", 7))

    assert notes(harness, with_site("hamburg", 8)) == []


def test_a_likeness_that_is_not_unique_is_no_rename(harness: Harness) -> None:
    harness.create(hub().plus(site("berlin", 7), site("paris", 7)))

    assert notes(harness, hub().plus(site("oslo", 7), site("rome", 7))) == []


def test_a_spoke_that_moves_to_another_hub_is_no_rename(harness: Harness) -> None:
    before = hub().plus(network("north", "10.3.0.0/16"), network("red", "10.4.0.0/16"), peering("hub", "red"))
    harness.create(before)

    after = before.without("Peering/hub/red").plus(peering("north", "red"))

    assert notes(harness, after) == []
