"""The content outlives the process, however it ends, and is shared by several."""

from __future__ import annotations

import itertools
import json
import signal
import stat
import subprocess
import sys
import threading
import time as wall
import urllib.request
from http.client import HTTPException
from pathlib import Path

import pytest

from tests.simulator.conftest import GROUP, NETWORK, REGION, connection, gateway, public_ip, site, vnet
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import ScaledTime, Simulator, VirtualTime
from vpngw_iac.simulator.files import erase

VERSION = "?api-version=2026-03-01"

SERVE = """
import sys
from pathlib import Path
from vpngw_iac.errors import SimulatorError
from vpngw_iac.simulator import ScaledTime, Simulator
from vpngw_iac.simulator.server import Server
simulator = Simulator(Path(sys.argv[1]), time=ScaledTime(speed=600))
Server(simulator, require_token=False).serve(ready=lambda url: print(url, flush=True))
print("ended", flush=True)
"""


def test_content_and_time_go_on_in_the_next_process(tmp_path: Path) -> None:
    first = Simulator(tmp_path, time=VirtualTime(100.0))
    first.put(GROUP, {"location": REGION})
    first.vault.put("kv", "berlin", "secret-value")

    second = Simulator(tmp_path, time=VirtualTime())

    assert second.documents() == first.documents()
    assert second.vault.get("KV", "berlin") == "secret-value"
    assert second.time.now() == 100.0


def test_an_operation_in_flight_is_finished_by_whoever_looks_next(tmp_path: Path) -> None:
    first = Simulator(tmp_path, time=VirtualTime())
    first.put(GROUP, {"location": REGION})
    _, headers, _ = first.send("PUT", f"{NETWORK}/virtualNetworks/v{VERSION}", {}, json.dumps(vnet()).encode())

    time = VirtualTime()
    second = Simulator(tmp_path, time=time)
    before = json.loads(second.send("GET", headers["Azure-AsyncOperation"])[2])
    time.advance(60)
    after = json.loads(second.send("GET", headers["Azure-AsyncOperation"])[2])

    assert (before["status"], after["status"]) == ("InProgress", "Succeeded")
    assert first.documents()[f"{NETWORK}/virtualNetworks/v"]["properties"]["provisioningState"] == "Succeeded"


def test_two_simulators_on_one_folder_see_each_other_at_once(tmp_path: Path) -> None:
    first, second = Simulator(tmp_path), Simulator(tmp_path)

    first.put(GROUP, {"location": REGION})
    second.put(f"{NETWORK}/localNetworkGateways/one", site())
    first.put(f"{NETWORK}/localNetworkGateways/two", site())

    assert first.documents() == second.documents()
    assert len(first.documents()) == 3


def test_many_threads_of_two_simulators_lose_nothing(tmp_path: Path) -> None:
    simulators = [Simulator(tmp_path), Simulator(tmp_path)]
    simulators[0].put(GROUP, {"location": REGION})

    def work(simulator: Simulator, worker: int) -> None:
        for number in range(10):
            simulator.put(f"{NETWORK}/localNetworkGateways/lgw-{worker}-{number}", site())

    threads = [threading.Thread(target=work, args=(simulators[worker % 2], worker)) for worker in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(Simulator(tmp_path).documents()) == 61
    guids = {document["properties"].get("resourceGuid") for document in simulators[0].documents().values()}
    assert len(guids) == 61


def test_a_torn_last_line_is_ignored_and_cut_off(tmp_path: Path) -> None:
    first = Simulator(tmp_path)
    first.put(GROUP, {"location": REGION})
    log = tmp_path / "content.jsonl"
    log.write_bytes(log.read_bytes() + b'{"format": 1, "records": [{"kin')

    second = Simulator(tmp_path)
    second.put(f"{NETWORK}/localNetworkGateways/one", site())

    assert len(Simulator(tmp_path).documents()) == 2
    assert all(json.loads(line) for line in log.read_text().splitlines())


def test_a_long_log_is_written_anew_and_others_follow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vpngw_iac.simulator.files._COMPACT_FROM", 20_000)
    first, second = Simulator(tmp_path), Simulator(tmp_path)
    first.put(GROUP, {"location": REGION})

    for number in range(40):
        first.put(f"{NETWORK}/localNetworkGateways/one", site(f"203.0.113.{number}"))

    assert (tmp_path / "content.jsonl").stat().st_size < 100_000
    assert second.documents() == first.documents()


def test_a_damaged_content_says_what_to_do_and_can_be_erased(tmp_path: Path) -> None:
    Simulator(tmp_path).put(GROUP, {"location": REGION})
    log = tmp_path / "content.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"records"', b'"rec', 1) + b"{}\n")

    with pytest.raises(SimulatorError, match="vpngw simulator reset"):
        Simulator(tmp_path)
    erase(tmp_path)

    assert Simulator(tmp_path).documents() == {}


def test_the_content_is_for_its_owner_only(tmp_path: Path) -> None:
    Simulator(tmp_path).put(GROUP, {"location": REGION})

    assert stat.S_IMODE((tmp_path / "content.jsonl").stat().st_mode) == 0o600


def test_documents_never_hold_a_secret(tmp_path: Path) -> None:
    simulator = Simulator(tmp_path)
    simulator.put(GROUP, {"location": REGION})
    simulator.put(f"{NETWORK}/virtualNetworks/vnet-hub", vnet())
    simulator.put(f"{NETWORK}/publicIPAddresses/pip-1", public_ip())
    simulator.put(f"{NETWORK}/localNetworkGateways/lgw-berlin", site())
    radius = {"radiusServerAddress": "10.1.0.4", "radiusServerSecret": "MARKER-R", "vpnClientProtocols": ["IkeV2"]}
    simulator.put(f"{NETWORK}/virtualNetworkGateways/vgw-hub", gateway(vpnClientConfiguration=radius))
    simulator.put(f"{NETWORK}/connections/con", connection(key="MARKERK"))
    simulator.vault.put("kv", "name", "MARKER-V")

    shown = json.dumps(simulator.documents()) + repr(simulator) + repr(simulator.vault) + repr(simulator.requests)

    assert "MARKER" not in shown


def test_scaled_time_goes_on_while_nobody_runs(tmp_path: Path) -> None:
    first = Simulator(tmp_path, time=ScaledTime(speed=1000))
    first.put(GROUP, {"location": REGION})
    moment = first.time.now()
    wall.sleep(0.05)

    second = Simulator(tmp_path, time=ScaledTime(speed=10))

    assert second.time.now() >= moment + 40


def test_a_served_cloud_survives_kill_9_in_the_middle_of_writing(tmp_path: Path) -> None:
    written = 0
    for moment in (0.0, 0.013, 0.051):
        process, url = _start(tmp_path)
        if written == 0:
            _put(f"{url}{GROUP}{VERSION}", {"location": REGION})
        killer = threading.Timer(moment, process.send_signal, [signal.SIGKILL])
        try:
            for number in itertools.count():
                if number == 2:
                    killer.start()
                _put(f"{url}{NETWORK}/localNetworkGateways/lgw-{written}{VERSION}", site())
                written += 1
        except (OSError, HTTPException):  # refused, reset, or an answer that ends in the middle
            process.wait()
        killer.join()
        process.stdout.close() if process.stdout else None

    survived = Simulator(tmp_path, time=ScaledTime(speed=600)).documents()

    assert written >= 6
    assert {f"{NETWORK}/localNetworkGateways/lgw-{number}" for number in range(written)} <= set(survived)


def test_a_served_cloud_ends_by_itself_on_sigterm(tmp_path: Path) -> None:
    process, _ = _start(tmp_path)

    process.terminate()
    output, _ = process.communicate(timeout=10)

    assert (process.returncode, output.strip()) == (0, "ended")


def _start(directory: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen([sys.executable, "-c", SERVE, str(directory)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _put(url: str, body: object) -> None:
    request = urllib.request.Request(url, data=json.dumps(body).encode(), method="PUT")
    with urllib.request.urlopen(request, timeout=10) as answer:
        assert answer.status in {200, 201}
