"""``vpngw diagnose`` on the command line: a log that was handed over, and what it prints."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import CANARY, HUB, Shell

MORE = (
    HUB
    + """
  - {name: oslo, fqdn: vpn.oslo.example.com, prefixes: [192.168.20.0/24], shared_key: {source: env, name: OSLO_PSK}}
"""
)


ENDS = "Remote {remote}:500: Local 198.51.100.4:500: "


def azure(*messages: str, remote: str = "203.0.113.10") -> str:
    """Rows as `az monitor log-analytics query` prints them, newest first."""
    texts = [text.replace("@", ENDS.format(remote=remote)) for text in messages]
    times = [f"2026-11-28T22:11:1{9 - number}.5Z" for number in range(len(texts))]
    rows = [{"Message": text, "TimeGenerated": time} for text, time in zip(texts, times, strict=True)]
    return json.dumps(rows)


REFUSED = azure("@[SEND][NOTIFY] Sending Notify Message - Authentication failed", "@[RECEIVED][SA_AUTH] message")
MISMATCH = azure(
    "@[SEND][NOTIFY] Sending Notify Message - Policy Mismatch",
    "IkeCleanupQMNegotiation called with error 13868 and flags a",
    "@[RECEIVED][SA_AUTH] Received IKE AUTH message",
)
CHARON = "Jun 23 08:07:26 gw charon[2440]: 13[IKE] received NO_PROPOSAL_CHOSEN notify, no CHILD_SA built\n"


def causes(vpngw: Shell, *arguments: str) -> dict[str, list[str]]:
    document = vpngw("diagnose", "hub.yaml", *arguments, "--json", code=0).document
    assert document["kind"] == "diagnose"
    return {link["name"]: [each["cause"] for each in link["causes"]] for link in document["links"]}


def test_a_log_of_azure_is_read_without_azure(vpngw: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VPNGW_CLOUD", "public")  # nobody signs in
    vpngw.write("hub.yaml", MORE)
    vpngw.write("ike.json", REFUSED)

    answer = vpngw("diagnose", "hub.yaml", "--log", "ike.json", code=0)

    assert causes(vpngw, "--log", "ike.json") == {"berlin": ["key", "identity"]}
    for text in ("One of these:", "(key)", "(identity)", "Next, at the device:", "Azure was not asked"):
        assert text in answer.out


def test_the_first_child_of_an_association_has_no_pfs_to_differ_in(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)
    vpngw.write("ike.json", MISMATCH)

    assert causes(vpngw, "--log", "ike.json") == {"berlin": ["ipsec-proposal"]}


def test_a_log_of_a_device_belongs_to_the_site_that_is_named(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", MORE)
    vpngw.write("charon.log", CHARON)

    refused = vpngw("diagnose", "hub.yaml", "--log", "charon.log", code=64)

    assert "vpngw diagnose FILE SITE --log LOG" in refused.err
    assert causes(vpngw, "oslo", "--log", "charon.log") == {"oslo": ["ipsec-proposal", "pfs"]}


def test_lines_about_another_site_s_address_are_never_those_of_a_site_with_a_name(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", MORE)
    vpngw.write("berlin.json", REFUSED)
    vpngw.write(
        "oslo.json", azure("@[SEND][NOTIFY] Sending Notify Message - Authentication failed", remote="192.0.2.9")
    )

    vpngw("diagnose", "hub.yaml", "oslo", "--log", "berlin.json", code=64)

    assert causes(vpngw, "oslo", "--log", "oslo.json") == {"oslo": ["key", "identity"]}
    assert "192.0.2.9, an address of no other site" in vpngw("diagnose", "hub.yaml", "oslo", "--log", "oslo.json").out


def test_a_log_that_tells_of_no_failure_names_no_cause(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)
    vpngw.write("ike.json", azure("@[RECEIVED][SA_AUTH] Received IKE AUTH message"))

    answer = vpngw("diagnose", "hub.yaml", "--log", "ike.json", code=0)

    assert "Nothing that was seen names a cause." in answer.out
    assert causes(vpngw, "--log", "ike.json") == {"berlin": []}


def test_what_the_peer_gets_says_both_ends_and_no_name_of_ours(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)
    vpngw.write("ike.json", REFUSED)

    text = vpngw("diagnose", "hub.yaml", "--log", "ike.json", "--for-peer", code=0).out
    document = vpngw("diagnose", "hub.yaml", "--log", "ike.json", "--for-peer", "--json", code=0)

    assert "203.0.113.10" in text
    assert "Authentication failed" in text
    assert document.document["kind"] == "handover"
    for word in ("berlin", "hub", "vnet", "rg-", "con-", "lgw-", CANARY):
        assert word not in text
        assert word not in json.dumps(document.document["tunnels"])


def test_on_the_simulator_a_wrong_key_is_found_and_explained(vpngw: Shell) -> None:
    diagnostics = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.OperationalInsights/workspaces/law"
    vpngw.write(
        "hub.yaml", HUB.replace("sku: VpnGw1AZ}", f"sku: VpnGw1AZ, diagnostics: {{workspace: {diagnostics}}}}}")
    )
    vpngw("apply", "hub.yaml", "--yes", code=0)
    vpngw("simulator", "set", "con-berlin", "other-end=wrong-key", code=0)
    vpngw("simulator", "set", "vgw-hub", "log-lag=0", code=0)

    for _ in range(20):  # simulated time runs on: the first rows must be written
        answer = vpngw("diagnose", "hub.yaml", "--json", "--since", "1d", code=0)
        found = {link["name"]: [one["cause"] for one in link["causes"]] for link in answer.document["links"]}
        if found.get("berlin"):
            break

    assert found == {"berlin": ["key", "identity"]}
    assert CANARY not in answer.out + answer.err


def test_the_line_that_keeps_logs_is_in_the_language_of_the_file(hub: Shell) -> None:
    hub("simulator", "set", "con-berlin", "other-end=wrong-key", code=0)

    answer = hub("diagnose", "hub.yaml", code=0)

    assert "Add diagnostics: {workspace: ...} to the gateway at hub.yaml:9" in " ".join(answer.out.split())


def test_with_everything_up_there_is_nothing_to_diagnose(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", HUB)
    vpngw("apply", "hub.yaml", "--yes", code=0)

    for _ in range(20):  # the tunnel comes up some seconds after the apply
        answer = vpngw("diagnose", "hub.yaml", code=0)
        if "As declared: berlin." in answer.out:
            break

    assert "Nothing to diagnose in hub." in answer.out
    assert "Everything is up." in vpngw("diagnose", "hub.yaml", "--for-peer", code=0).out


@pytest.mark.parametrize(
    "arguments",
    [("brelin",), ("--since", "forever"), ("--log", "absent.log"), ("--log", "."), ("--log", "hub.yaml")],
    ids=" ".join,
)
def test_what_cannot_be_done_is_a_sentence_with_the_way_out(vpngw: Shell, arguments: tuple[str, ...]) -> None:
    vpngw.write("hub.yaml", HUB)

    answer = vpngw("diagnose", "hub.yaml", *arguments, code=64)

    assert "Do: " in answer.err
    assert "Traceback" not in answer.err


def test_what_a_log_holds_beside_its_lines_reaches_no_terminal_and_no_runner(vpngw: Shell) -> None:
    hostile = "@[SEND][NOTIFY] Sending Notify Message - Authentication failed \x1b[2J ::error::owned \u202e ##[group]x"
    vpngw.write("ike.json", azure(hostile, "@[RECEIVED][SA_AUTH] message"))

    for more in ((), ("--for-peer",), ("--json",)):
        out = vpngw("diagnose", "hub.yaml", "--log", "ike.json", *more, code=0).out

        assert "Authentication failed" in " ".join(out.split())
        assert not any(mark in out for mark in ("\x1b", "\u202e", "##[group]"))
        assert not any(line.lstrip().startswith("::") for line in out.splitlines())


UP = "Jun 23 09:00:00 gw charon[2440]: 13[IKE] CHILD_SA net{1} established with SPIs c1_i c2_o and TS a === b\n"


def test_a_device_s_log_in_which_the_tunnel_came_up_names_no_cause_of_before(vpngw: Shell) -> None:
    vpngw.write("charon.log", CHARON + UP)

    answer = vpngw("diagnose", "hub.yaml", "berlin", "--log", "charon.log", code=0)

    assert causes(vpngw, "berlin", "--log", "charon.log") == {"berlin": []}
    assert "what failed before has passed" in " ".join(answer.out.split())


def test_a_device_s_log_of_several_tunnels_names_no_cause_until_it_is_one(vpngw: Shell) -> None:
    error = 'logid="0101037124" subtype="vpn" msg="IPsec phase 1 error" remip={} reason="peer SA proposal not match '
    lines = [error.format(far) + 'local policy"\n' for far in ("192.0.2.7", "198.51.100.4")]
    vpngw.write("two.log", "".join(lines))
    vpngw.write("one.log", lines[1])

    answer = vpngw("diagnose", "hub.yaml", "berlin", "--log", "two.log", code=0)

    assert causes(vpngw, "berlin", "--log", "two.log") == {"berlin": []}
    assert "192.0.2.7" in answer.out
    assert causes(vpngw, "berlin", "--log", "one.log") == {"berlin": ["ike-proposal"]}


def test_a_phrase_that_nobody_published_is_probable_and_never_certain(vpngw: Shell) -> None:
    vpngw.write("pan.log", "ikemgr: IKE phase-2 negotiation failed when processing Proxy ID. Received local id\n")
    vpngw.write("any.log", "vpnd: peer sent TS_UNACCEPTABLE\n")

    found = [vpngw("diagnose", "hub.yaml", "berlin", "--log", name, code=0) for name in ("pan.log", "any.log")]

    assert ["Probably:" in answer.out for answer in found] == [True, False]
    assert "not confirmed" in found[0].out


def test_one_company_never_gets_the_sheet_of_another_unasked(vpngw: Shell) -> None:
    vpngw.write("hub.yaml", MORE.replace("fqdn: vpn.oslo.example.com", "public_ip: 203.0.113.20"))
    both = json.loads(REFUSED) + json.loads(azure("@[SEND][NOTIFY] Sending Notify Message - Authentication failed",
                                                  "@[RECEIVED][SA_AUTH] message", remote="203.0.113.20"))  # fmt: skip
    vpngw.write("ike.json", json.dumps(both))

    refused = vpngw("diagnose", "hub.yaml", "--log", "ike.json", "--for-peer", code=64)
    one = vpngw("diagnose", "hub.yaml", "oslo", "--log", "ike.json", "--for-peer", code=0)

    assert "berlin" in refused.err
    assert "203.0.113.20" in one.out
    assert "203.0.113.10" not in one.out
    assert vpngw("diagnose", "hub.yaml", "--log", "ike.json", "--for-peer", "--json", code=0).document["kind"]
