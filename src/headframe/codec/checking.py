"""Every fault of one value being built, though a check stops at what it cannot read and checks follow checks.

A field that is missing or cannot be read is a ``HOLE``: comparisons with it come out as a run wants them.
A refusal counts if it comes whichever way they come out. Then the fields it is about are holes too, so that
what only follows from it is not said, and the value is built again until nothing is refused.
"""

from collections.abc import Callable, Generator, Iterable, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from headframe.units import Wrong, collecting_refusals

V = TypeVar("V")
_MARK = "\ufffdhole\ufffd"
_outcome: ContextVar[bool] = ContextVar("outcome", default=True)


class Hole:
    """A value that could not be read; it takes part in every check and decides none."""

    def _compare(self, other: object) -> bool:
        del other
        return _outcome.get()

    def _itself(self, *args: object, **kwargs: object) -> "Hole":
        del args, kwargs
        return self

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _compare
    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _itself
    __truediv__ = __rtruediv__ = __floordiv__ = __mod__ = __pow__ = __neg__ = __abs__ = _itself
    __call__ = __getitem__ = _itself

    def __getattr__(self, name: str) -> "Hole":
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __eq__(self, other: object) -> bool:
        return self._compare(other)

    def __ne__(self, other: object) -> bool:
        return not self._compare(other)

    def __hash__(self) -> int:
        return hash(_MARK)

    def __bool__(self) -> bool:
        return _outcome.get()

    def __len__(self) -> int:
        return int(_outcome.get())

    def __iter__(self) -> "Generator[Hole]":
        if _outcome.get():
            yield self

    def __float__(self) -> float:
        return 0.5

    def __repr__(self) -> str:
        return _MARK

    def __format__(self, spec: str) -> str:
        return _MARK


HOLE: Any = Hole()
"""The one hole."""


def readable_text(value: object) -> str | None:
    """Return a text that was read, or None for a hole in its place."""
    return value if isinstance(value, str) else None


@contextmanager
def _comparing(*, outcome: bool) -> Generator[None]:
    token = _outcome.set(outcome)
    try:
        yield
    finally:
        _outcome.reset(token)


def _run(build: Callable[[], V], *, outcome: bool) -> tuple[V | None, list[str], Exception | None]:
    """Build once; what was refused, and the error that ended the run where one did."""
    with _comparing(outcome=outcome), collecting_refusals() as texts:
        try:
            return build(), texts, None
        except Wrong as error:
            return None, [*texts, str(error)], None
        except Exception as error:  # noqa: BLE001 - a check met a hole, or a value refused before it
            return None, texts, error


def refusals(build: Callable[[], V], *, flawed: bool) -> tuple[V | None, tuple[str, ...]]:
    """Return what was built, if anything, and each refusal that does not depend on a hole.

    ``flawed`` says that there are holes somewhere: then an error of another kind is a check that met one.
    """
    made, first, error = _run(build, outcome=True)
    if error is not None and not first and not flawed:
        raise error
    if not first:
        return made, ()
    other, second, _ = _run(build, outcome=False)
    texts = tuple(dict.fromkeys(t for t in first if t in second and _MARK not in t))
    return (other if made is None else made), texts


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is refused, and the fields it is about: none where it is about the value as a whole."""

    text: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked(Generic[V]):
    """A value with holes where fields were refused (None where nothing could be built), and why."""

    value: V | None
    refused: tuple[Refusal, ...]


def checked(kind: Callable[..., V], values: Mapping[str, object], *, flawed: bool) -> Checked[V]:
    """Return a value of a kind and every independent refusal of its fields, in the order of its checks."""
    held, found = dict(values), list[Refusal]()
    while True:
        made, texts = refusals(partial(kind, **held), flawed=flawed or bool(found))
        if not texts:
            return Checked(made, tuple(found))
        fields = _about(kind, held, texts[0])
        found.append(Refusal(texts[0], fields))
        if not fields:
            return Checked(None, tuple(found))
        found += [Refusal(text, fields) for text in _also(kind, held, texts[1:], fields)]
        held |= dict.fromkeys(fields, HOLE)


def _about(kind: Callable[..., V], values: Mapping[str, object], text: str) -> tuple[str, ...]:
    """Return the fields without which a refusal does not come."""
    given = [name for name in values if values[name] is not HOLE]
    return tuple(name for name in given if _gone(kind, values, name, text))


def _gone(kind: Callable[..., V], values: Mapping[str, object], name: str, text: str) -> bool:
    _, texts = refusals(partial(kind, **{**values, name: HOLE}), flawed=True)
    return text not in texts


def _also(
    kind: Callable[..., V],
    values: Mapping[str, object],
    texts: Iterable[str],
    fields: tuple[str, ...],
) -> list[str]:
    """Return further refusals of one list: each of its items has a check of its own."""
    if len(fields) != 1 or not isinstance(values[fields[0]], tuple):
        return []
    return [text for text in texts if _about(kind, values, text) == fields]


def agree(check: Callable[[], Iterable[V]], *, flawed: bool) -> list[V]:
    """Return what a check across values finds, whichever way their holes compare."""
    if not flawed:
        return list(check())
    first, second = (_found(check, outcome=outcome) for outcome in (True, False))
    texts = {str(one) for one in second}
    return [one for one in first if str(one) in texts and _MARK not in str(one)]


def _found(check: Callable[[], Iterable[V]], *, outcome: bool) -> list[V]:
    found: list[V] = []
    with _comparing(outcome=outcome):
        try:
            found.extend(check())
        except (TypeError, LookupError, AttributeError, ValueError):
            return found  # the check met a hole: what it found so far stands
    return found
