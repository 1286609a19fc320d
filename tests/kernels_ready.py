"""One warmed cache of machine code for all processes of a test run.

Compiled kernels are kept beside the source or in the user's home (docs of numba); where neither can be
written, in a folder of this run. A whole demo fills it before the tests begin.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from waiting import LIMIT

SOURCE = Path(__file__).resolve().parents[1] / "src" / "headframe"


def choose_place() -> Path | None:
    """Name a folder for machine code where the source's cannot be written; return it if it is new."""
    if "NUMBA_CACHE_DIR" in os.environ or os.access(SOURCE, os.W_OK):
        return None
    folder = Path(tempfile.mkdtemp(prefix="headframe-kernels-"))
    os.environ["NUMBA_CACHE_DIR"] = str(folder)
    return folder


def warm() -> None:
    """Run the demo once, so that what most tests need is compiled before their time is counted."""
    folder = Path(tempfile.mkdtemp(prefix="headframe-warm-"))
    plain = {key: value for key, value in os.environ.items() if not key.startswith(("HEADFRAME", "COVERAGE", "COV_"))}  # fmt: skip
    try:
        done = subprocess.run(
            [sys.executable, "-m", "headframe", "demo", str(folder / "mine")],
            capture_output=True, text=True, check=False, env=plain, timeout=LIMIT,
        )  # fmt: skip
        if done.returncode:  # the tests will say what is wrong
            sys.stderr.write(f"the kernels could not be warmed: {done.stderr[-500:]}\n")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
