"""What the machine says: CPU, memory and open files of processes, cores to pin them to, versions (Linux: /proc)."""

from __future__ import annotations

import asyncio
import contextlib
import os
import platform
import re
import signal
import subprocess
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

PROC = Path("/proc")
TICK = os.sysconf("SC_CLK_TCK")
SPARE_FILES = 300

T = TypeVar("T")


def readable(proc: Path = PROC) -> bool:
    """Whether CPU and memory of processes can be read here; else their columns are missing."""
    return (proc / "self" / "stat").exists()


def cpu_seconds(pid: int, proc: Path = PROC) -> float | None:
    """User and system time of a process and of all below it, those that have ended included; None without /proc."""
    return sum(_ticks(one, proc) for one in _family(pid, proc)) / TICK if readable(proc) else None


def busy_seconds(proc: Path = PROC) -> float | None:
    """What all processes of the machine took, with what the machine was not given by its host; None without /proc."""
    if not readable(proc):
        return None
    fields = [int(field) for field in (proc / "stat").read_text("ascii").splitlines()[0].split()[1:9]]
    user, nice, system, _idle, _wait, hard, soft, stolen = fields
    return (user + nice + system + hard + soft + stolen) / TICK


def memory_bytes(pid: int, proc: Path = PROC) -> int | None:
    """The memory a process has for itself and its share of what it shares; None without /proc."""
    if not readable(proc):
        return None
    smaps = (proc / str(pid) / "smaps_rollup").read_text("ascii")
    return int(re.findall(r"^Pss:\s+(\d+)", smaps, re.MULTILINE)[0]) * 1024


def open_files(pid: int, proc: Path = PROC) -> int | None:
    """How many file handles a process has open; None without /proc."""
    return len(list((proc / str(pid) / "fd").iterdir())) if readable(proc) else None


def thread_count(pid: int, proc: Path = PROC) -> int | None:
    """How many threads a process has; None without /proc."""
    return len(list((proc / str(pid) / "task").iterdir())) if readable(proc) else None


# -- cores


def cores() -> tuple[frozenset[int], frozenset[int]]:
    """The core of a measured server, and those of everything else; both empty where nothing can be pinned."""
    if not hasattr(os, "sched_getaffinity"):
        return frozenset(), frozenset()
    first, *others = sorted(os.sched_getaffinity(0))
    return (frozenset({first}), frozenset(others)) if others else (frozenset(), frozenset())


def pin(pid: int, to: frozenset[int]) -> None:
    """Keep all threads of a process, and what they start, on these cores; on any where there are none to choose."""
    if to:
        for thread in (PROC / str(pid) / "task").iterdir():
            os.sched_setaffinity(int(thread.name), to)


def allow_open_files(wanted: int) -> int:
    """Let this process and its children have so many files open at once, or as many as the system lets them."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted + SPARE_FILES if hard == resource.RLIM_INFINITY else min(hard, wanted + SPARE_FILES)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return max(soft, most) - SPARE_FILES


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run something in an event loop, a faster one where it is installed; asked to end, it still ends what it began."""
    with asyncio.Runner(loop_factory=_faster_loop()) as runner:
        return runner.run(_ended_by_signal(main))


def _faster_loop() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ModuleNotFoundError:
        return None
    return uvloop.new_event_loop


async def _ended_by_signal(main: Coroutine[Any, Any, T]) -> T:
    """Cancelled by SIGTERM, so that no process that was started stays behind."""
    task = asyncio.current_task()
    if task is not None:
        with contextlib.suppress(NotImplementedError):  # where a loop knows no signals
            asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await main


# -- what was measured, and on what


def facts(*, pinned: bool) -> dict[str, Any]:
    """What figures depend on, for whoever compares them later."""
    server, _ = cores()
    return {
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "wakeful": version("wakeful"),
        "commit": _commit(),
        "system": f"{platform.system()} {platform.release()}",
        "processor": _processor(),
        "cores": os.cpu_count(),
        "pinned": pinned and bool(server),
        "cpu_and_memory": "from /proc" if readable() else "not measured: this system has no /proc",
        "load": list(os.getloadavg()),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def state_of_machine() -> str:
    """One line: what else the machine is doing, and which versions are measured."""
    load = " ".join(f"{one:.1f}" for one in os.getloadavg())
    python = f"{platform.python_implementation()} {platform.python_version()}"
    system = f"{platform.system()} {platform.release()}"
    return f"load {load} on {os.cpu_count()} cores; {python}, wakeful {version('wakeful')}, {system}"


def _processor() -> str:
    try:
        found = re.search(r"^model name\s*:\s*(.+)$", (PROC / "cpuinfo").read_text("utf-8"), re.MULTILINE)
    except OSError:
        found = None
    return found[1] if found else platform.machine()


def _commit() -> str | None:
    """The commit that is checked out, with a + where files differ from it; None outside of a checkout."""
    root = Path(__file__).parents[1]
    if not (root / ".git").exists():
        return None
    try:
        commit = _git(root, "rev-parse", "--short=12", "HEAD")
        return commit + ("+" if _git(root, "status", "--porcelain", "--", "src") else "")
    except (OSError, subprocess.SubprocessError):
        return None


def _git(root: Path, *arguments: str) -> str:
    command = ("git", "-C", str(root), *arguments)
    ran = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)  # noqa: S603  of this file
    return ran.stdout.strip()


def _ticks(pid: int, proc: Path) -> int:
    fields = _stat(pid, proc)
    return sum(int(field) for field in fields[11:15]) if fields else 0


def _stat(pid: int, proc: Path) -> Sequence[str]:
    """The fields of a process from its state on; none when it has ended."""
    try:
        return (proc / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def _family(pid: int, proc: Path) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in proc.iterdir():
        if entry.name.isdigit() and (fields := _stat(int(entry.name), proc)):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found: list[int] = []
    todo = [pid]
    while todo:
        found.append(todo.pop())
        todo += children.get(found[-1], [])
    return found


def differences(one: Mapping[str, Any], other: Mapping[str, Any]) -> list[str]:
    """Why figures of two machines, as `facts` tells them, say little beside one another."""
    named = ("python", "system", "processor", "cores", "pinned")
    return [
        f"{name}: {one.get(name)} then, {other.get(name)} now" for name in named if one.get(name) != other.get(name)
    ]
