"""Files that people hand over: every form that is known, and whatever else is on their disks."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from vpngw_iac.errors import FileDenied, UsageError
from vpngw_iac.verify.azure_rows import moment
from vpngw_iac.verify.log_files import LogFile, read_log
from vpngw_iac.verify.log_lines import judge

MISMATCH = "Remote 203.0.113.10:500: Local 198.51.100.4:500: [SEND][NOTIFY] Sending Notify Message - Policy Mismatch"
AT = datetime(2026, 11, 28, 22, 11, 12, 123000, UTC)

PORTAL = f'"TimeGenerated [UTC]",Message\n"11/28/2026, 10:11:12.123 PM","{MISMATCH}"\n'
QUERY = json.dumps([{"Message": MISMATCH, "TableName": "PrimaryResult", "TimeGenerated": "2026-11-28T22:11:12.123Z"}])
SERVICE = json.dumps(
    {
        "tables": [
            {
                "name": "PrimaryResult",
                "columns": [{"name": "TimeGenerated", "type": "datetime"}, {"name": "Message", "type": "string"}],
                "rows": [["2026-11-28T22:11:12.123Z", MISMATCH]],
            }
        ]
    }
)
STORED = json.dumps(
    {"time": "2026-11-28T22:11:12.123Z", "category": "IKEDiagnosticLog", "properties": {"message": MISMATCH}}
)


def read(folder: Path, content: str | bytes) -> LogFile:
    path = folder / "log"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_log(path)


@pytest.mark.parametrize(
    "content",
    [
        PORTAL,
        "\ufeff" + PORTAL.replace("\n", "\r\n"),
        PORTAL.encode("utf-16"),
        QUERY,
        SERVICE,
        SERVICE.replace("tables", "Tables").replace("columns", "Columns").replace('"rows"', '"Rows"'),
        json.dumps({"value": json.loads(QUERY)}),
        STORED + "\n" + STORED + "\n",
        STORED + ",\n" + STORED + ",\n",
        f"{STORED}\n# page 2\n{STORED}\n",
        json.dumps(json.loads(STORED), indent=2) * 2,
    ],
    ids=["portal", "windows", "powershell", "az", "service", "kusto", "rest", "storage", "commas", "pages", "jq"],
)
def test_azure_s_log_is_read_in_each_form_with_its_time(tmp_path: Path, content: str | bytes) -> None:
    found = read(tmp_path, content)

    assert (found.source, found.lines[0].remote, found.lines[0].at) == ("azure", "203.0.113.10", AT)
    assert judge(found.lines).causes == ("ike-proposal", "ipsec-proposal", "pfs")


@pytest.mark.parametrize(
    ("content", "source", "causes"),
    [
        (f"{MISMATCH}\nIkeCleanupQMNegotiation called with error 13868 and flags a\n", "azure", "ipsec-proposal pfs"),
        (
            "Jun 23 08:07:26 gw charon-systemd[2440]: tried 1 shared key for '192.168.1.2' - '192.168.0.1', but MAC "
            "mismatched\nJun 23 08:07:26 charon[2440]: 13[ENC] generating IKE_AUTH response 1 [ N(AUTH_FAILED) ]\n",
            "strongswan", "key",
        ),
        (
            'date=2021-01-03 time=04:22:03 eventtime=1609618924346420462 tz="+0800" logid="0101037125" type="event" '
            'subtype="vpn" level="error" logdesc="IPsec phase 2 error" msg="IPsec phase 2 error" action="negotiate" '
            'vpntunnel="AZURE-XYZ" status="negotiate_error" reason="peer SA proposal not match local policy"\n',
            "fortigate", "ipsec-proposal pfs",
        ),
        (
            "*Mar  1 00:42:09.431: IKEv2-ERROR:(SESSION ID = 71,SA ID = 1):: Auth exchange failed\n",
            "ios", "key identity",
        ),
        (
            "2026/11/28 22:00:00 ikemgr IKE phase-2 negotiation failed when processing Proxy ID. Received local id "
            "10.1.0.0/16 type IPv4 address protocol 0 port 0\n", "panos", "selectors",
        ),
        ("12:00 vpnd: peer 198.51.100.4 sent TS_UNACCEPTABLE\n", "device", "selectors"),
    ],
    ids=["network-watcher", "strongswan", "fortigate", "ios", "panos", "other"],
)  # fmt: skip
def test_a_device_s_log_is_known_by_what_it_says(tmp_path: Path, content: str, source: str, causes: str) -> None:
    found = read(tmp_path, content)

    assert source == found.source
    assert causes == " ".join(judge(found.lines).causes)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xff\xfea", "UTF-16"),
        (b"MISMATCH \xff\xfe\xfa", "UTF-8"),
        (b"\x7fELF\0\0\0", "NUL"),
        (b"PK\x03\x04\0\0", "packed by zip"),
        (gzip.compress(b"ike 0: no proposal chosen"), "packed by gzip"),
        (b"<!DOCTYPE html><html><body>Sign in</body></html>", "web page"),
        (b'<?xml version="1.0"?><svg/>', "web page"),
        (b"Dear colleagues,\nthe tunnel is down again.\n", "looks like an IKE log"),
        (b'{"error": {"code": "AuthorizationFailed"}}', "Message"),
        (b"[1, 2, 3]", "Message"),
        (b'{"tables": "none"}', "Message"),
        (b'{"tables": [3, {"columns": null, "rows": [[1]]}, {"rows": 3}]}', "Message"),
        (b'{"records": "none"}', "Message"),
        (b"[" * 200_000, "looks like an IKE log|nested"),
        (b'TimeGenerated,Message\n"' + b"x" * 200_000 + b'","y"\n', "table"),
    ],
    ids=[
        "empty",
        "blank",
        "utf-16",
        "latin",
        "elf",
        "zip",
        "gzip",
        "html",
        "svg",
        "letter",
        "json",
        "numbers",
        "text",
        "odd-tables",
        "records",
        "deep",
        "cell",
    ],
)
def test_what_is_no_log_is_refused_in_a_sentence_with_the_way_out(tmp_path: Path, content: bytes, why: str) -> None:
    with pytest.raises(UsageError, match=why) as told:
        read(tmp_path, content)

    assert told.value.advice


def test_a_folder_and_a_missing_file_are_refused_too(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises((UsageError, FileDenied)):
            read_log(path)


def test_of_an_endless_line_only_the_beginning_is_looked_at(tmp_path: Path) -> None:
    found = read(tmp_path, f"{MISMATCH}{'x' * 5_000_000}\n")

    assert len(found.lines[0].text) == 4000


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-28T22:11:12.1230000Z", AT),
        ("2026-11-29T00:11:12.123+02:00", AT),
        ("11/28/2026, 10:11:12.123 PM", AT),
        ("99/99/2026, 10:11:12.123 PM", None),
        ("2026-13-45T99:99:99Z", None),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59.5-01:00", None),
        ("yesterday", None),
        (17, None),
    ],
)
def test_times_are_utc_or_nothing(text: object, expected: datetime | None) -> None:
    assert expected == moment(text)


def test_a_device_s_clock_without_a_zone_is_no_time(tmp_path: Path) -> None:
    found = read(tmp_path, "2026-11-28 22:11:12 charon: 07[IKE] giving up after 5 retransmits\n")

    assert None is found.lines[0].at
