"""A progress bar for long work: on a terminal only, on stderr, after a second, gone when it is done."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from time import monotonic

_PATIENCE_SECONDS = 1.0


@contextmanager
def bar(title: str) -> Generator[Callable[[int, int], None]]:
    """A function to tell how much of how much is done; nothing is shown of work that is soon over."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress

    progress = Progress(console=Console(stderr=True), transient=True)
    task = progress.add_task(title, total=None)
    begun = monotonic()

    def told(done: int, all_of_it: int) -> None:
        progress.update(task, completed=done, total=all_of_it)
        if not progress.live.is_started and monotonic() - begun > _PATIENCE_SECONDS:
            progress.start()

    try:
        yield told
    finally:
        progress.stop()
