"""Verifications in every format: of hostile texts too, each is well formed and does no harm."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree

import pytest

from tests.hostile import EVERYTHING, TEXTS, harm_in
from tests.report.test_hostile import poisoned
from vpngw_iac.arm import ArmId
from vpngw_iac.report import formats, renderer
from vpngw_iac.report.style import Style
from vpngw_iac.report.verification import ToldVerifications
from vpngw_iac.verify.questions import Association, BgpSession, ChildAssociation, TunnelStatus
from vpngw_iac.verify.verdict import PathVerdict, SubjectVerdict, Verification

CONNECTION = ArmId("/subscriptions/s/resourceGroups/rg/providers/Microsoft.Network/connections/con-berlin")
PATH = PathVerdict(
    "VpnConnection/hub/berlin",
    CONNECTION,
    "down",
    "tunnel is Connecting",
    tunnels=(TunnelStatus("t", "Connecting", "01/01/2026 00:00:00", 1, 2),),
    sessions=(BgpSession("10.1.255.30", "192.168.10.1", 65101, "Connected", "00:10:00", 3),),
    associations=(
        Association("a", "b", "AES256", "SHA1", "DHGroup2", 9, children=(ChildAssociation("c", "d", "e", 8),)),
    ),
    notes=("a note",),
)
FOUND = Verification(
    "hub",
    (
        SubjectVerdict("berlin", "site", "down", "tunnel is Connecting", paths=(PATH,), notes=("seen",)),
        SubjectVerdict("oslo", "site", "never up", "no device", live=False),
        SubjectVerdict("prague", "site", "up"),
    ),
    ("a run is in progress",),
)


@pytest.mark.parametrize("form", formats("verification", "text"))
@pytest.mark.parametrize("name", [*TEXTS, "everything"])
def test_a_verification_of_hostile_texts_does_no_harm(form: str, name: str) -> None:
    text = TEXTS.get(name, EVERYTHING)

    told = renderer("verification", form)(ToldVerifications((poisoned(FOUND, text),), (5,), Style()))

    assert harm_in(told) == [], told
    told.encode()
    if form == "junit":
        ElementTree.fromstring(told)
    if form == "json":
        json.loads(told)


def test_each_format_says_what_is_down() -> None:
    told = {
        form: renderer("verification", form)(ToldVerifications((FOUND,), (5,), Style())) for form in ("text", "junit")
    }

    assert "Verified hub: 0 of 1 tunnel up. 1 up, 1 down." in told["text"]
    assert "deployments" not in told["text"], "one alone needs no sum"
    suite = ElementTree.fromstring(told["junit"]).find("testsuite")
    assert suite is not None
    assert (suite.get("tests"), suite.get("failures"), suite.get("skipped")) == ("3", "1", "1")


def test_the_sum_of_several_deployments_says_where_something_is_down() -> None:
    fine = Verification("quiet", (SubjectVerdict("graz", "site", "up"),), ())

    told = renderer("verification", "text")(ToldVerifications((FOUND, fine), (5, 0), Style()))

    assert told.splitlines()[-1] == "Verified 2 deployments: 0 of 1 tunnel up. 2 up, 1 down. Down: in hub."
