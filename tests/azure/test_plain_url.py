"""Where a URL leads decides who gets our token: every reader of it must agree."""

from __future__ import annotations

import pytest

from tests.azure.scripted import ENDPOINT, GATEWAY, OPERATION, SITE, Reply, Script, cloud_of, document
from vpngw_iac.azure.plain_url import leads_home
from vpngw_iac.engine.ports import Call, Pending
from vpngw_iac.errors import EndpointError

HOSTILE = [
    "https://evil.example\\@management.azure.com/subscriptions/x",
    "https://evil.example\\.management.azure.com/x",
    "https:\\\\evil.example\\@management.azure.com/x",
    "https://management.azure.com\\@evil.example/x",
    "https://management.azure.com@evil.example/x",
    "https://evil.example@management.azure.com/x",
    "https://user:password@management.azure.com/x",
    "https://@management.azure.com/x",
    "https://evil.example/https://management.azure.com/x",
    "https://evil.example#@management.azure.com/x",
    "https://evil.example?@management.azure.com/x",
    "https://management.azure.com#fragment",
    "https://management.azure.com/x#fragment",
    "https://management.azure.com.evil.example/x",
    "https://evilmanagement.azure.com/x",
    "https://management.azure.com:8443/x",
    "https://management.azure.com:0/x",
    "https://management.azure.com:00443/x",
    "https://management.azure.com:4430000/x",
    "https://management.azure.com:/x",
    "https://management.azure.com:x/x",
    "https://management.azure.com:443@evil.example/x",
    "http://management.azure.com/x",
    "HTTPS://management.azure.com/x",
    "ftp://management.azure.com/x",
    "//management.azure.com/x",
    "/subscriptions/x",
    "management.azure.com/x",
    "javascript:https://management.azure.com/x",
    " https://management.azure.com/x",
    "https://management.azure.com/x ",
    "https://management.azure.com /x",
    "https://management.azure.com/a b",
    "https://man\tagement.azure.com/x",
    "https://management.azure.com/x\r\nHost: evil.example",
    "https://management.azure.com/\x00",
    "https://management.azure.com%2f@evil.example/x",
    "https://%6danagement.azure.com/x",
    "https://evil.example%00.management.azure.com/x",
    "https://evil.example／.management.azure.com/x",
    "https://evil。example.management.azure.com/x",
    "https://mаnagement.azure.com/x",
    "https://ⓜanagement.azure.com/x",
    "https://management.azure.com./x",
    "https://.management.azure.com/x",
    "https://-.management.azure.com/x",
    "https://a..management.azure.com/x",
    "https://management.azure.com/ü",
    "https://management.azure.com/{0}",
    "https://[not a url",
    "https://[::1]/x",
    "https://",
    "",
    "https://management.azure.com/" + "x" * 10_000,
    None,
    7,
    ["https://management.azure.com/x"],
]
HOME = [
    "https://management.azure.com",
    "https://management.azure.com/",
    "https://management.azure.com:443/subscriptions/x?api-version=1&t=1&s=a%2Bb&h=x-_~.!*'()",
    "https://MANAGEMENT.azure.com/x",
    "https://westeurope.management.azure.com/subscriptions/x?$skiptoken=a|b==",
]


@pytest.mark.parametrize("url", HOSTILE, ids=repr)
def test_what_is_not_plain_or_leads_elsewhere_is_refused(url: object) -> None:
    assert not leads_home(url, "https://management.azure.com")


@pytest.mark.parametrize("url", HOME)
def test_urls_of_azure_are_followed(url: str) -> None:
    assert leads_home(url, "https://management.azure.com")


def test_an_endpoint_of_another_port_has_its_own() -> None:
    assert leads_home("https://[::1]:8443/x", "https://[::1]:8443")
    assert not leads_home("https://[::1]/x", "https://[::1]:8443")


@pytest.mark.parametrize("url", [u for u in HOSTILE if isinstance(u, str) and u.isprintable()], ids=repr)
@pytest.mark.parametrize("header", ["Azure-AsyncOperation", "Location"])
def test_nobody_gets_our_token_by_an_operation_url(header: str, url: str) -> None:
    script = (
        Script()
        .on("PUT", "/lgw-berlin", Reply(201, document(SITE, "Updating"), {header: url}))
        .on("GET", "/lgw-berlin", Reply(200, document(SITE)))
    )
    cloud = cloud_of(script)

    pending = cloud.begin(Call("put", SITE, {}))
    assert isinstance(pending, Pending)
    cloud.poll(pending)
    cloud.poll(Pending("put", SITE, url))

    assert pending.url is None
    assert {asked.url.partition("?")[0] for asked in script.asked} == {f"{ENDPOINT}{SITE}"}


def test_the_other_header_serves_where_one_cannot_be_followed() -> None:
    headers = {"Azure-AsyncOperation": HOSTILE[0], "Location": OPERATION}
    script = Script().on("PUT", "/vgw-hub", Reply(201, document(GATEWAY, "Updating"), headers))

    pending = cloud_of(script).begin(Call("put", GATEWAY, {}))

    assert isinstance(pending, Pending)
    assert pending.url == OPERATION


@pytest.mark.parametrize("link", [u for u in HOSTILE if u], ids=repr)
def test_nobody_gets_our_token_by_the_next_page_of_a_list(link: object) -> None:
    script = Script().on("GET", "/virtualnetworkgateways", Reply(200, {"value": [], "nextLink": link}))
    twin = type(GATEWAY)(f"{GATEWAY}-2")

    with pytest.raises(EndpointError):
        cloud_of(script).observe([GATEWAY, twin])

    assert len(script.asked) == 1


@pytest.mark.parametrize("turn", [1, 2])
def test_a_list_that_leads_in_a_circle_ends(turn: int) -> None:
    pages = [f"{ENDPOINT}/page{number}" for number in range(turn)]
    script = Script().on("GET", "/virtualnetworkgateways", Reply(200, {"value": [], "nextLink": pages[0]}))
    for number in range(turn):
        script.on("GET", f"/page{number}", Reply(200, {"value": [], "nextLink": pages[(number + 1) % turn]}))

    with pytest.raises(EndpointError, match="circle"):
        cloud_of(script).observe([GATEWAY, type(GATEWAY)(f"{GATEWAY}-2")])


def test_a_list_without_an_end_has_one() -> None:
    class Endless(Script):
        pages = 0

        def send(self, method, url, headers, body):  # type: ignore[no-untyped-def]
            self.pages += 1
            return 200, {}, Reply(200, {"value": [], "nextLink": f"{ENDPOINT}/page{self.pages}"}).content

    script = Endless()

    with pytest.raises(EndpointError, match="does not end"):
        cloud_of(script).observe([GATEWAY, type(GATEWAY)(f"{GATEWAY}-2")])

    assert script.pages <= 1001
