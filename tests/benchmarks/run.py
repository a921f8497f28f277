"""Run the benchmark: `python tests/benchmarks/run.py --help`, in an environment that has localpi's requirements."""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path

if __name__ == "__main__":
    # The folder of this file would hide modules of other names; its parent makes `benchmarks` importable.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    sys.exit(import_module("benchmarks.main").main())
