"""Checks of the machine: shared memory, disk, memory, files, clock, GPU."""

from __future__ import annotations

import ctypes
import os
import resource
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from pathlib import Path

from gatepost_server.cli.doctor.finding import Finding, failed, ok, warning

MIB = 1 << 20
SHARED_MEMORY_BYTES = 512 * MIB  # 810 MB were seen after one image of 60 MiB; it never shrinks
MEMORY_BYTES = 2_500 * MIB  # of the whole process tree, measured (README.md)
FILES_BESIDE = 256  # of libraries, logs, databases and Triton, beside the callers' connections
_TIME_ERROR = 5  # adjtimex(2): the clock is not synchronised
_CUDA_S = 60.0


def shared_memory(folder: Path = Path("/dev/shm"), needed: int = SHARED_MEMORY_BYTES) -> Finding:
    """Tensors pass between Triton and its models there."""
    check = "shared memory"
    if not folder.is_dir():
        return failed(check, f"there is no {folder}", "mount a tmpfs there (containers: --shm-size=1g)")
    if not os.access(folder, os.W_OK | os.X_OK):
        return failed(check, f"{folder} cannot be written", "run as a user who may write there")
    free = shutil.disk_usage(folder).free
    if free < needed:
        advice = "make it larger (containers: --shm-size=1g), or remove what a killed server left: gatepostd up does"
        return failed(check, f"{free // MIB} MiB free in {folder}, {needed // MIB} are needed", advice)
    return ok(check, f"{free // MIB} MiB free")


def disk(check: str, folder: Path, needed: int) -> Finding:
    """Room for all that may wait there."""
    there = next(each for each in (folder, *folder.absolute().parents) if each.exists())
    if not os.access(there, os.W_OK | os.X_OK):
        return failed(check, f"{there} cannot be written", "give this user the folder, or name another one (--state)")
    free = shutil.disk_usage(there).free
    if free < needed:
        advice = "free some, or lower backlog_bytes and record_handover_bytes"
        return warning(check, f"{free // MIB} MiB free under {there}, up to {needed // MIB} may be needed", advice)
    return ok(check, f"{free // MIB} MiB free under {there}")


def memory(needed: int = MEMORY_BYTES, table: Path = Path("/proc/meminfo")) -> Finding:
    """For the nets of one instance each."""
    found = {line.split(":")[0]: int(line.split()[1]) * 1024 for line in table.read_text().splitlines()}
    free = found["MemAvailable"]
    if free < needed:
        advice = "stop something else, or take a larger machine"
        return warning("memory", f"{free // MIB} MiB are free, {needed // MIB} are taken", advice)
    return ok("memory", f"{free // MIB} MiB free")


def files(connections: int) -> Finding:
    """As many as there may be callers."""
    needed, (soft, _) = connections + FILES_BESIDE, resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < needed:
        advice = f"ulimit -n {2 * needed}, or LimitNOFILE={2 * needed} in the unit"
        return failed("open files", f"{soft} may be open, {needed} may be needed", advice)
    return ok("open files", "any number may be open" if soft == resource.RLIM_INFINITY else f"{soft} may be open")


def clock(written: Iterable[Path] = ()) -> Finding:
    """Tickets and tokens are only as good as the clock. `written`: files of ours, none of which is of tomorrow."""
    check, now = "clock", time.time()
    for path in written:
        if path.exists() and (ahead := path.stat().st_mtime - now) > 60.0:
            said = f"{path.name} was written {ahead:.0f} s in the future: the clock went back, or was wrong"
            return failed(
                check, said, "set the clock (timedatectl set-ntp true), then look at the tickets given meanwhile"
            )
    timex = ctypes.create_string_buffer(512)  # struct timex, with modes 0: only asked
    libc = ctypes.CDLL(None, use_errno=True)
    if hasattr(libc, "adjtimex") and libc.adjtimex(timex) == _TIME_ERROR:
        advice = "timedatectl set-ntp true; in a container, see to the host's"
        return warning(check, "the kernel says that nothing keeps it right", advice)
    return ok(check, time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(now)))


def gpu(device: str, driver: Path = Path("/proc/driver/nvidia/version")) -> Finding:
    """`device`: as GATEPOST_MODEL_DEVICE has it; "" takes what is there."""
    if device == "cpu" or (not device and not driver.exists()):
        return ok("GPU", "not used" if device else "there is none; the CPU is used")
    try:
        asked = subprocess.run(
            [sys.executable, "-c", "import torch; print(torch.cuda.get_device_name(0))"],
            capture_output=True,
            text=True,
            timeout=_CUDA_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return failed("GPU", f"torch did not find it in {_CUDA_S:g} s", "look at nvidia-smi and dmesg")
    if asked.returncode == 0:
        return ok("GPU", asked.stdout.strip())
    why = (asked.stderr.strip().splitlines() or ["torch cannot be imported"])[-1]
    if device:
        advice = "install torch's CUDA build and a driver that fits it, or GATEPOST_MODEL_DEVICE=cpu"
        return failed("GPU", f"{device} is asked for: {why}", advice)
    return warning(
        "GPU", f"there is a driver, and torch cannot use it: {why}", "docs/gpu.md; until then the CPU is used"
    )
