"""Sending a recording to the simulator, exchange by exchange, and telling where it answers something else.

Time stands still until the recording shows that an operation has ended; then it jumps to that end. What the recording
finds already there (groups, resources made by a template) is put there first, from what the recording reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.recordings.exchange import NOT_RECORDED, Skipped, lines
from tests.simulator.context import prepare
from tests.simulator.history import came_later, went_since
from vpngw_iac.simulator import Simulator, Switches, VirtualTime
from vpngw_iac.simulator.faults import AnswerInstead, Fault
from vpngw_iac.simulator.kind import kinds

HEADERS = ("azure-asyncoperation", "location", "etag")
"""Headers whose presence matters; the recorders have thinned the others."""
WEATHER = (
    "SubscriptionRequestsThrottled",
    "TooManyRequests",
    "ServerTimeout",
    "InternalServerError",
    "InvalidAuthenticationTokenTenant",
)
_ACTIONS = ("/sharedkey", "/sharedkey/reset", "/reset", "/virtualnetworkgateways/connections")
NO_SEQUENCE = "errors_bundle"
"""Recordings that are errors cut out of many sessions, each with what came next: time runs backwards between them."""
_HELD_BY_OTHERS = {"ipConfiguration", "ipConfigurations", "ipConfigurationProfiles", "serviceAssociationLinks"}
_HANGING = ("microsoft.insights/diagnosticsettings", "microsoft.maintenance/configurationassignments")
_PREVIEW = re.compile(r"(?i)/providers/microsoft\.network/.*[?&]api-version=[\d-]+-preview")
_POLL = re.compile(r"/operations/|/operationresults/|/operationstatuses/", re.IGNORECASE)
_DEPLOYMENT = "/providers/microsoft.resources/deployments/"
_VOLATILE = re.compile(
    r"etag|resourceGuid|provisioningState|[kK]ey$|ipAddress|IpAddress|fqdn|stag|privateIPAddress$|id$|gatewayManagerEtag|connectionStatus|templateHash|timestamp$|duration$|correlationId|BytesTransferred|Azure(Port|ASN)"
)


@dataclass(frozen=True, slots=True)
class Deviation:
    """One place where the simulator answers something else."""

    recording: str
    line: int
    method: str
    path: str
    what: str
    version: str = ""
    """The api-version that answered."""
    date: str = ""
    """The day on which it answered."""
    sku: str = ""
    """The SKU that the answer names."""
    busy: bool = False
    """Whether the answer shows a resource that is being changed."""

    def __str__(self) -> str:
        return f"{self.recording}:{self.line} {self.method} {self.path}: {self.what}"


@dataclass
class Replay:
    """One recording on its way through a simulator."""

    name: str
    time: VirtualTime = field(default_factory=VirtualTime)
    compared: int = 0
    urls: dict[str, str] = field(default_factory=dict)
    versions: dict[str, str] = field(default_factory=dict)
    simulator: Simulator = field(default_factory=Simulator)
    adopted: set[str] = field(default_factory=set)
    """Resources whose writes were not recorded: each read tells what was written."""

    deployments: set[str] = field(default_factory=set)
    """Deployments whose templates hold nothing that is not simulated, by path."""

    beyond: set[str] = field(default_factory=set)
    """Resources that a template made before the first line and that cannot be put there."""

    def _start_anew(self, lines: list[dict[str, Any]]) -> None:
        self.simulator = Simulator(time=self.time, switches=Switches(allow_retired=True, honour_etags=False))
        self.urls.clear()
        self.adopted.clear()
        self.beyond.clear()
        self._seed_groups(lines)

    def run(self, file: Path) -> list[Deviation]:
        """Every deviation of the recording, in order."""
        read = (line for line in lines(file) if not isinstance(line, Skipped))
        exchanges = {number: _with_own_name(exchange) for number, exchange in read}
        self._start_anew(list(exchanges.values()))
        found: list[Deviation] = []
        before = ""
        for number, exchange in exchanges.items():
            if self.name.startswith(NO_SEQUENCE) and str(exchange.get("date")) < before:
                self._start_anew(list(exchanges.values()))
            before = str(exchange.get("date"))
            self.time.advance(0.001)
            path = urlsplit(exchange["url"]).path.split("/providers/")[-1]
            version = exchange.get("api_version_answered") or exchange.get("api_version") or ""
            try:
                what = list(self._differences(exchange)) if self._is_for_us(exchange) else []
            except (LookupError, TypeError, ValueError, AttributeError) as error:
                what = [f"cannot be replayed: {type(error).__name__} {error}"]
            inside = (
                exchange["response_body"].get("properties") if isinstance(exchange["response_body"], dict) else None
            )
            busy = isinstance(inside, dict) and inside.get("provisioningState") == "Updating"
            about = (version, exchange["date"], _sku_in(inside), busy)
            found += [Deviation(self.name, number, exchange["method"], path, each, *about) for each in what]
        return found

    def _is_for_us(self, exchange: dict[str, Any]) -> bool:
        if exchange["request_body"] == NOT_RECORDED and exchange["method"] in {"PUT", "PATCH"}:
            self._adopt(exchange)
            return False
        url = exchange["url"]
        if _POLL.search(url):
            return _key(url) in self.urls
        path = urlsplit(url).path
        if _DEPLOYMENT in path.lower():
            return self._is_deployable(exchange, path.lower())
        if _type_of(path) is None or _is_for_machines(exchange) or _PREVIEW.search(url):
            return False
        return not self._is_foreign_list(exchange) and not self._is_unseen(exchange)

    def _is_deployable(self, exchange: dict[str, Any], path: str) -> bool:
        """A deployment of what is simulated, or a later look at one."""
        if exchange["method"] == "PUT":
            template = exchange["request_body"]["properties"]["template"]
            if all(each["type"].lower() in kinds() for each in template["resources"]):
                self.deployments.add(path)
        return path in self.deployments

    def _is_beyond(self, exchange: dict[str, Any]) -> bool:
        """Whether it is about something that was made before the recording and cannot be put there."""
        path, body = urlsplit(exchange["url"]).path.lower(), exchange["response_body"]
        if path in self.deployments:
            return False
        if any(path == each or path.startswith(f"{each}/") for each in self.beyond):
            return True
        known = {identifier.lower() for identifier in self.simulator.documents()}
        is_read = exchange["method"] == "GET" and exchange["status"] == 200 and isinstance(body, dict) and "id" in body
        return is_read and str(body["id"]).lower() not in known

    def _is_unseen(self, exchange: dict[str, Any]) -> bool:
        """A call on something that a template made and nobody has read yet."""
        if exchange["method"] not in {"POST", "DELETE"} and "/sharedkey" not in exchange["url"].lower():
            return False
        path = urlsplit(exchange["url"]).path.lower()
        known = [identifier.lower() for identifier in self.simulator.documents() if "/providers/" in identifier]
        return "/providers/" in path and not any(path.startswith(identifier) for identifier in known)

    def _is_foreign_list(self, exchange: dict[str, Any]) -> bool:
        """A list that also holds what other tests of that day had made."""
        body = exchange.get("response_body")
        if not (isinstance(body, dict) and isinstance(body.get("value"), list)):
            return False
        if urlsplit(exchange["url"]).path.lower().endswith("/resourcegroups"):
            return True  # groups of other days, known by name only
        known = self.simulator.documents()
        lower = {identifier.lower() for identifier in known}
        return any(isinstance(item, dict) and str(item.get("id", "")).lower() not in lower for item in body["value"])

    def _differences(self, exchange: dict[str, Any]) -> Iterator[str]:
        self._bring_about(exchange)
        if self._is_beyond(exchange):
            return
        self._make_weather(exchange)
        status, headers, content = self._send(exchange)
        self._learn(exchange, headers)
        self.compared += 1
        if status != exchange["status"]:
            yield f"status {status} {_code(_parsed(content))} instead of {exchange['status']}"
            return
        theirs = exchange["headers"]
        ours = {name.lower() for name in headers}
        for name in HEADERS if theirs else ():  # some recorders keep none at all
            if (name in theirs) != (name in ours):
                yield f"header {name} {'is missing' if name in theirs else 'is too much'}"
        told = _without_foreign(exchange["response_body"])
        if told == {"status": "Accepted"}:
            told["status"] = "Running"  # how soon a deployment has begun is a matter of luck
        yield from _body_differences(told, _parsed(content), exchange["date"])

    def _make_weather(self, exchange: dict[str, Any]) -> None:
        """Throttling and timeouts do not follow from what was asked: a fault brings them about."""
        body, status = exchange.get("response_body"), exchange["status"]
        out_of_the_blue = status == 429 and not self._is_something_running()
        if status < 500 and _code(body) not in WEATHER and not out_of_the_blue:
            return
        error = body.get("error") or {} if isinstance(body, dict) else {}
        details = error.get("details")
        instead = AnswerInstead(
            status=status,
            code=_code(body) or "ServerTimeout",
            message=str(error.get("message", "")),
            detail=str(details[0].get("code")) if details else None,
            html=isinstance(body, str),
        )
        self.simulator.faults.add(Fault(effect=instead))

    def _is_something_running(self) -> bool:
        documents = self.simulator.documents().values()
        return any((each.get("properties") or {}).get("provisioningState") == "Updating" for each in documents)

    def _send(self, exchange: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        url = exchange["url"]
        if _POLL.search(url):
            return self.simulator.send(exchange["method"], self.urls[_key(url)])
        body = exchange["request_body"]
        content = json.dumps(body).encode() if body not in (None, NOT_RECORDED) else None
        return self.simulator.send(exchange["method"], self._versioned(exchange), {}, content)

    def _versioned(self, exchange: dict[str, Any]) -> str:
        """With the api-version that really answered: requests often name another (recordings, section 0)."""
        parts = urlsplit(exchange["url"])
        arm_type = _type_of(parts.path) or ""
        answered = exchange.get("api_version_answered")
        if exchange["method"] in {"PUT", "PATCH"}:
            self.versions[arm_type] = answered or exchange["api_version"]
        version = self.versions.get(arm_type, exchange["api_version"])
        query = dict(parse_qsl(parts.query)) | {"api-version": version}
        return f"https://management.azure.com{parts.path}?{urlencode(query)}"

    def _learn(self, exchange: dict[str, Any], headers: dict[str, str]) -> None:
        theirs = exchange.get("headers") or {}
        ours = {name.lower(): value for name, value in headers.items()}
        for name in ("azure-asyncoperation", "location"):
            if name in theirs and name in ours:
                self.urls[_key(theirs[name])] = ours[name]

    def _bring_about(self, exchange: dict[str, Any]) -> None:
        """Let the operation end that the recording shows as ended, or put there what it finds there."""
        body = exchange.get("response_body")
        body = body if isinstance(body, dict) else {}
        url = exchange["url"]
        if _POLL.search(url):
            if (
                body.get("status") in {"Succeeded", "Failed"}
                or exchange["status"] not in {200, 202}
                or (exchange["status"] == 200 and "status" not in body)
            ):
                self.simulator.finish(self.urls[_key(url)])
            return
        if (body.get("properties") or {}).get("provisioningState") == "Updating" and exchange["method"] == "GET":
            return
        if exchange["status"] in {409, 429}:
            return
        deletes_group = exchange["method"] == "DELETE" and _type_of(urlsplit(url).path) == "group"
        if not deletes_group or _code(body) == "ResourceGroupNotFound":
            self._finish_around(urlsplit(url).path)
        if exchange["method"] in {"PUT", "GET"} and exchange["status"] < 300 and isinstance(body.get("id"), str):
            prepare(self.simulator, body["id"], exchange["request_body"] or body)
        if exchange["method"] == "PUT" and exchange["status"] == 200 and isinstance(body.get("id"), str):
            self._seed(body)  # an update of something that was there before the recording
        if urlsplit(url).path.lower() in self.deployments:
            return
        if exchange["method"] == "GET" and exchange["status"] == 200 and "id" in body:
            self._seed(body, again=_type_of(body["id"]) == "group" or body["id"].lower() in self.adopted)

    def _finish_around(self, path: str) -> None:
        """Whoever reads or writes a resource next has waited for it, and for what it stands in and on."""
        for identifier, document in self.simulator.documents().items():
            ours = path.lower().startswith(identifier.lower())
            is_gateway = "/virtualnetworkgateways/" in identifier.lower()
            if ours or ("/connections" in path.lower() and is_gateway) or not _is_slow(document):
                self.simulator.finish(identifier)

    def _adopt(self, exchange: dict[str, Any]) -> None:
        """A write whose body was not recorded: take what it answered."""
        body = exchange.get("response_body")
        if urlsplit(exchange["url"]).path.lower().endswith("/sharedkey"):
            self._send(exchange | {"request_body": {"value": "masked"}})
        if exchange["status"] < 300 and isinstance(body, dict) and "id" in body and _type_of(body["id"]):
            self._finish_around(urlsplit(exchange["url"]).path)
            self.adopted.add(body["id"].lower())
            prepare(self.simulator, body["id"], body)
            self._seed(body, again=True)

    def _seed(self, body: dict[str, Any], *, again: bool = False) -> None:
        known = {identifier.lower() for identifier in self.simulator.documents()}
        if str(body["id"]).lower() in known and not again:
            return
        kept = {name: body[name] for name in ("location", "tags", "sku", "zones") if name in body}
        properties = _without_read_only(body.get("properties") or {})
        clients = properties.get("vpnClientConfiguration")
        if clients and not clients.get("vpnClientAddressPool"):
            del properties["vpnClientConfiguration"]  # the defaults that only PUT and LIST show
        try:
            self.simulator.put(body["id"], {**kept, "properties": properties})
        except ValueError:
            self.beyond.add(str(body["id"]).lower())
        else:
            self.beyond.discard(str(body["id"]).lower())

    def _seed_groups(self, lines: list[dict[str, Any]]) -> None:
        """Groups that a recording uses and does not make."""
        seen: set[str] = set()
        for exchange in lines:
            match = re.match(r"(?i)^/subscriptions/([^/]+)/resourcegroups/([^/]+)", urlsplit(exchange["url"]).path)
            if match is None or match[0].lower() in seen:
                continue
            seen.add(match[0].lower())
            makes = exchange["method"] == "PUT" and urlsplit(exchange["url"]).path.count("/") == 4
            made_here = makes and exchange["request_body"] != NOT_RECORDED
            answer = exchange.get("response_body")
            if not made_here and _code(answer) != "ResourceGroupNotFound":
                location = str(answer.get("location") or "westus") if isinstance(answer, dict) else "westus"
                self.simulator.put(f"/subscriptions/{match[1]}/resourceGroups/{match[2]}", {"location": location})


def _is_for_machines(exchange: dict[str, Any]) -> bool:
    """Maintenance of machines and databases: other settings, with manners of their own."""
    scopes = [
        (body.get("properties") or {}).get("maintenanceScope")
        for body in (exchange["request_body"], exchange["response_body"])
        if isinstance(body, dict)
    ]
    return any(scope not in (None, "Resource", "Host") for scope in scopes)


def _sku_in(inside: Any) -> str:
    sku = inside.get("sku") if isinstance(inside, dict) else None
    return str(sku.get("name", "")) if isinstance(sku, dict) else ""


def _without_foreign(value: Any) -> Any:
    """Without what machines, load balancers and the like hold: they are not simulated, so nothing holds it here."""
    if isinstance(value, list):
        return [_without_foreign(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {name: _without_foreign(item) for name, item in value.items() if name not in _HELD_BY_OTHERS}
    for name in _HELD_BY_OTHERS & value.keys():
        holders = value[name] if isinstance(value[name], list) else [value[name]]
        ours = [holder for holder in holders if _is_simulated(holder)]
        if ours:
            kept[name] = ours if isinstance(value[name], list) else ours[0]
        elif name == "ipConfiguration" and value.get("publicIPAllocationMethod") == "Dynamic":
            kept.pop("ipAddress", None)
    return kept


def _is_simulated(holder: Any) -> bool:
    text = str(holder.get("id", "")).lower() if isinstance(holder, dict) else ""
    return "/virtualnetworkgateways/" in text


def _is_slow(document: dict[str, Any]) -> bool:
    """Whether a create takes so long that a recording does other things meanwhile."""
    return str(document.get("type")) == "Microsoft.Network/virtualNetworkGateways"


def _without_read_only(value: Any) -> Any:
    if isinstance(value, dict):
        dropped = {"provisioningState", "etag", "ipConfigurations"} if "addressPrefix" in value else {"etag"}
        return {name: _without_read_only(item) for name, item in value.items() if name not in dropped}
    if isinstance(value, list):
        return [_without_read_only(item) for item in value]
    return value


def _type_of(path: str) -> str | None:
    """The simulated type that a path is about; groups count, anything else does not."""
    if re.match(r"(?i)^/subscriptions/[^/]+/resourcegroups(/[^/]+)?$", path):
        return "group"
    head, marker, rest = path.rpartition("/providers/")
    if not marker or ("/providers/" in head and _type_of(head) is None):
        return None  # what hangs on a thing that is not simulated
    if rest.lower().startswith(_HANGING) and "/providers/" not in head:
        return None  # of a whole subscription or group
    segments = rest.split("/")
    arm_type, found = segments[0].lower(), None
    for position in range(1, len(segments), 2):
        arm_type = f"{arm_type}/{segments[position].lower()}"
        if arm_type not in kinds():
            return found if arm_type.endswith(_ACTIONS) else None
        found = arm_type
    return found


def _key(url: str) -> str:
    """A polling URL without its signature; of a deployment without its name, which was scrubbed."""
    return re.sub(r"/deployments/[^/]+/operationstatuses/", "/", urlsplit(url).path.lower())


def _with_own_name(exchange: dict[str, Any]) -> dict[str, Any]:
    """A deployment under the name that it answers: the recorder called all of them the same."""
    body = exchange["response_body"]
    name = body.get("name") if isinstance(body, dict) and exchange["url"].lower().find(_DEPLOYMENT) >= 0 else None
    return exchange | {"url": exchange["url"].replace("mock-deployment", name)} if name else exchange


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode()


def _code(body: Any) -> str:
    error = body.get("error", body.get("Error")) if isinstance(body, dict) else None
    return str(error.get("code", error.get("Code"))).strip() if isinstance(error, dict) else ""


def _body_differences(theirs: Any, ours: Any, date: str) -> Iterator[str]:
    if isinstance(theirs, dict) and _code(theirs):
        if _code(theirs) != _code(ours):
            yield f"error code {_code(ours)} instead of {_code(theirs)}"
        return
    left, right = dict(_leaves(theirs)), dict(_leaves(ours))
    for path in sorted(left.keys() - right.keys()):
        if not went_since(path, date):
            yield f"{path} is missing"
    for path in sorted(right.keys() - left.keys()):
        if not came_later(path, date):
            yield f"{path} is too much"
    for path in sorted(left.keys() & right.keys()):
        if left[path] != right[path] and not _VOLATILE.search(path):
            yield f"{path} is {right[path]!r} instead of {left[path]!r}"


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Paths and values; elements of lists are told apart by their name if they have one."""
    if isinstance(value, dict) and value:
        for name, item in value.items():
            yield from _leaves(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            label = item.get("name", index) if isinstance(item, dict) else index
            yield from _leaves(item, f"{path}[{label}]")
    else:
        yield path, value
