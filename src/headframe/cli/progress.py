"""A progress bar for long work: on a terminal only, on stderr, gone when it is done."""

import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager


@contextmanager
def bar(title: str) -> Generator[Callable[[int, int], None]]:
    """A function to tell how much of how much is done."""
    if not sys.stderr.isatty():
        yield lambda _done, _all: None
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        task = progress.add_task(title, total=None)
        yield lambda done, all_of_it: progress.update(task, completed=done, total=all_of_it)
