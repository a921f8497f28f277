"""Hot rows: one URL asked for again and again, by `wrk` where it is installed, else by our own client."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import asdict
from typing import TYPE_CHECKING

from benchmarks.load import Load, Plan
from benchmarks.processes import HOST, BenchmarkError, run_module

if TYPE_CHECKING:
    from collections.abc import Mapping

UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}
TIMEOUT_S = 10
GRACE_S = 60


def client() -> str:
    """Name the client that hot rows are driven with."""
    return "wrk" if shutil.which("wrk") else "own"


def drive(port: int, path: str, *, headers: Mapping[str, str], connections: int, seconds: float) -> Load:
    """Ask a server here for `path` over `connections` for some seconds, in a closed loop."""
    if client() == "own":
        plan = Plan(HOST, port, path, dict(headers), connections, seconds)
        return load_of(run_module("load", json.dumps(asdict(plan)), deadline_s=seconds + GRACE_S))
    fields = [part for name, value in headers.items() for part in ("-H", f"{name}: {value}")]
    threads = ("-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", f"--timeout={TIMEOUT_S}s")
    command = ["wrk", *threads, "--latency", *fields, f"http://{HOST}:{port}{path}"]
    run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=seconds + GRACE_S)
    if run.returncode:
        raise BenchmarkError(f"wrk: {(run.stderr or run.stdout)[-500:]}")
    return read_wrk(run.stdout)


def load_of(output: str) -> Load:
    """Read what the own client printed."""
    return Load(**json.loads(output))


def read_wrk(output: str) -> Load:
    """Read what `wrk --latency` printed; requests that timed out count as failed."""
    total = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m)", output)
    if total is None:
        raise BenchmarkError(f"wrk: no figures in {output[-500:]!r}")
    failed = sum(int(found) for found in re.findall(r"Non-2xx or 3xx responses: (\d+)", output))
    errors = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", output)
    failed += sum(map(int, errors.groups())) if errors else 0
    return Load(
        requests=int(total[1]),
        seconds=float(total[2]) * UNITS[total[3]],
        p50_s=_latency(output, r"50%"),
        p99_s=_latency(output, r"99%"),
        max_s=_latency(output, r"Latency\s+\S+\s+\S+"),
        failed=failed,
    )


def _latency(output: str, label: str) -> float:
    found = re.search(rf"{label}\s+([\d.]+)(us|ms|s|m)\b", output)
    return float(found[1]) * UNITS[found[2]] if found else float("nan")
