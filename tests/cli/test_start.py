"""What a command costs before it does anything."""

import subprocess
import sys


def test_reading_the_books_needs_no_compiler_nor_array_library() -> None:
    """They cost a tenth of a second and more each: they are fetched when numbers are asked for."""
    script = (
        "import sys; import headframe.cli.frame, headframe.desk.office; "
        "print([name for name in ('numpy', 'numba', 'scipy', 'fastapi', 'rich') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
