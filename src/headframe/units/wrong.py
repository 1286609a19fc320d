"""The one exception of the core: a value that cannot be what it claims to be."""

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar


class Wrong(ValueError):
    """What was found and what is allowed, in one line a person can act on."""


_collected: ContextVar[list[str] | None] = ContextVar("collected", default=None)


def refuse(text: str) -> None:
    """Raise Wrong; within ``collecting_refusals`` keep the text and go on to the next check."""
    texts = _collected.get()
    if texts is None:
        raise Wrong(text)
    texts.append(text)


@contextmanager
def collecting_refusals() -> Generator[list[str]]:
    """Collect what the checks of values refuse, so that one fault does not hide the next."""
    texts: list[str] = []
    token = _collected.set(texts)
    try:
        yield texts
    finally:
        _collected.reset(token)
