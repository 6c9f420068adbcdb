"""Whether the process that holds a lock still lives on this machine.

A process number is given again after a while: where the system tells when a process began (Linux), that is compared.
"""

from __future__ import annotations

import contextlib
import os
import socket
import sys
import time
from datetime import datetime
from pathlib import Path

from vpngw_iac.state.store import Owner

_CLOCKS_DIFFER = 5.0
"""Seconds by which a process may seem to have begun after it took its lock."""


def birth_of(process: int) -> str:
    """What tells a process from a later one of the same number; empty where the system does not say.

    The boot and the clock ticks since then: field 22 of /proc/PID/stat, proc_pid_stat(5).
    """
    ticks = _stat(process)[1]
    return "" if ticks is None else f"{_boot()}:{ticks}"


def lives_here(owner: Owner) -> bool:
    """Whether the holder of a lock is a living process of this machine. False where that is not sure."""
    if owner.host.lower() != socket.gethostname().lower() or owner.process <= 0 or not _is_there(owner.process):
        return False
    state, ticks = _stat(owner.process)
    if state in ("Z", "X"):
        return False
    if ticks is None:
        return True
    if owner.birth:
        return owner.birth == f"{_boot()}:{ticks}"
    began, taken = _began(ticks), _seconds(owner.since)
    return began is None or taken is None or began <= taken + _CLOCKS_DIFFER


def _is_there(process: int) -> bool:
    if sys.platform == "win32":  # pragma: no cover - signal 0 would end a process there
        return False
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except (OSError, OverflowError):
        return False
    return True


def _stat(process: int) -> tuple[str, int | None]:
    """State and beginning of a process, in ticks since the boot; nothing where there is no /proc."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return fields[0], int(fields[19])
    return "", None


def _boot() -> str:
    with contextlib.suppress(OSError):
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return ""


def _began(ticks: int) -> float | None:
    """Unix time at which a process began."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
        return time.time() - uptime + ticks / os.sysconf("SC_CLK_TCK")
    return None


def _seconds(since: str) -> float | None:
    try:
        return datetime.fromisoformat(since).timestamp()
    except ValueError:
        return None
