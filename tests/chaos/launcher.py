"""Starts `vpngw` processes quickly: everything is imported once, each command is a child of its own.

Reads one JSON line per command (arguments, folder, variables, files for stdout and stderr) and answers its process id;
``{"wait": pid}`` answers how it ended. A child is a process like any other: it can be killed, and holds its own locks.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
import traceback
from typing import Any

NEEDED = (
    "azure.identity",
    "azure.mgmt.network",
    "azure.mgmt.resource.resources",
    "vpngw_iac.azure.cloud_client",
    "vpngw_iac.cli.app",
    "vpngw_iac.preflight",
    "vpngw_iac.usecases.workspace",
)


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _warm() -> None:
    """What every command needs sooner or later."""
    for name in NEEDED:
        importlib.import_module(name)


def _become(command: dict[str, Any]) -> None:
    """In the child: be `vpngw`."""
    from vpngw_iac.cli.app import main

    os.setsid()
    os.chdir(command["folder"])
    os.environ.clear()
    os.environ.update(command["environment"])
    for descriptor, name in ((1, "out"), (2, "err")):
        file = os.open(command[name], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.dup2(file, descriptor)
        os.close(file)
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["vpngw", *command["arguments"]]
    main()


def _start(command: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        _become(command)
    except SystemExit as end:
        code = int(end.code or 0)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def main() -> None:
    """Serve until stdin ends."""
    _warm()
    _say("ready")
    ended: dict[int, int] = {}
    for line in sys.stdin:
        command = json.loads(line)
        if "wait" in command:
            child, status = os.waitpid(command["wait"], os.WNOHANG)
            if child:
                ended[child] = os.waitstatus_to_exitcode(status)
            _say(json.dumps(ended.get(command["wait"])))
        else:
            _say(str(_start(command)))


if __name__ == "__main__":
    main()
