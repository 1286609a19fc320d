"""Prints branch coverage of the core and of the shell, and refuses to let either fall."""

import json
import subprocess
import sys
from pathlib import Path

LEAST = {"core": 0.970, "shell": 0.925}
"""Raised when coverage has risen for good; held also where the real data of some tests is absent."""
CORE = (
    "units", "chain", "counterparty", "instrument", "market", "mandate", "pricing", "mining", "book", "rfq", "risk",
    "hedge", "lifecycle", "report", "codec",
)  # fmt: skip


def main() -> int:
    """Combine what the test processes wrote, sum branches and statements by part, compare."""
    python = [sys.executable, "-m", "coverage"]
    subprocess.run([*python, "combine", "-q", "--append"], check=False, capture_output=True)
    subprocess.run([*python, "json", "-q", "-o", ".coverage.json"], check=True)
    files = json.loads(Path(".coverage.json").read_text())["files"]
    Path(".coverage.json").unlink()
    sums = {part: [0, 0] for part in LEAST}
    for name, found in files.items():
        parts = Path(name).parts
        room = parts[parts.index("headframe") + 1] if "headframe" in parts else ""
        part = "core" if room.removesuffix(".py") in CORE else "shell"
        summary = found["summary"]
        sums[part][0] += summary["covered_lines"] + summary["covered_branches"]
        sums[part][1] += summary["num_statements"] + summary["num_branches"]
    status = 0
    for part, (covered, total) in sums.items():
        share = covered / total if total else 0.0
        held = share >= LEAST[part]
        print(f"branch coverage of the {part}: {share:.1%} (ratchet {LEAST[part]:.0%}){'' if held else '  FALLEN'}")
        status |= not held
    return status


if __name__ == "__main__":
    sys.exit(main())
