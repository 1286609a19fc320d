"""Kernels compiled on their first call, and numpy imported on its first use.

Importing the compiler costs 0.3 s and numpy 0.1 s: a room full of kernels must cost neither until
numbers are needed. ``np`` is numpy, fetched when an attribute of it is first asked for.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from functools import update_wrapper
from types import FunctionType
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeAlias, TypeVar, cast

from headframe.numerics.kernel_cache import cache_file, share_cache

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array: TypeAlias = NDArray[np.float64]
    Places: TypeAlias = NDArray[np.int64]
    Singles: TypeAlias = NDArray[np.float32]
else:

    class _Late:
        """numpy, when it is needed."""

        def __getattr__(self, name: str) -> object:
            import numpy  # noqa: ICN001, PLC0415 - the point of this class

            return getattr(numpy, name)

    np = _Late()
    Array = Any
    Places = Any
    Singles = Any

__all__ = [
    "Array",
    "Compiled",
    "Places",
    "Singles",
    "compiled",
    "lane",
    "np",
    "parallel",
    "prange",
    "scalar",
    "thread_count",
    "threads",
]

prange = range
"""A loop that threads may share where a kernel is marked ``parallel``; a plain range in Python."""

P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A kernel: machine code when it loops over arrays, and always inside other kernels.

    A ``scalar`` kernel called from Python runs as Python, so that a handful of prices never waits
    for the compiler and the same call always takes the same way. ``python`` is the function
    uncompiled. Contraction and reassociation of floating-point operations stay off: the same
    inputs give the same bits whatever the number of threads.
    """

    def __init__(
        self,
        function: Callable[P, R],
        *,
        in_python: bool,
        parallel: bool = False,
        lane: bool = False,
    ) -> None:
        self.python = function
        self._in_python = in_python
        self._options: dict[str, Any] = {"parallel": parallel, "forceinline": lane}
        self._machine: Callable[P, R] | None = None
        update_wrapper(self, function)

    def machine(self) -> Callable[P, R]:
        """The compiled function; compiles it, and the kernels it calls, when it must."""
        if self._machine is None:
            self._machine = _compile(self.python, self._options)
            _stamp(self._machine, [called.machine() for called in self.called()])
            share_cache(self._machine)
        return self._machine

    def called(self) -> list["Compiled[..., Any]"]:
        """The kernels that this one calls."""
        function = cast("FunctionType", self.python)
        known = (function.__globals__.get(name) for name in function.__code__.co_names)
        return [one for one in known if isinstance(one, Compiled)]

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        """The kernel's value for these arguments."""
        if self._in_python:
            return self.python(*args, **kwargs)
        return (self._machine or self.machine())(*args, **kwargs)


def compiled(function: Callable[P, R]) -> Compiled[P, R]:
    """Mark a function that loops over arrays as a kernel."""
    return Compiled(function, in_python=False)


def parallel(function: Callable[P, R]) -> Compiled[P, R]:
    """Mark a kernel whose ``prange`` loop is shared among threads, each row computed whole by one."""
    return Compiled(function, in_python=False, parallel=True)


def scalar(function: Callable[P, R]) -> Compiled[P, R]:
    """Mark a function of a few numbers as a kernel."""
    return Compiled(function, in_python=True)


def lane(function: Callable[P, R]) -> Compiled[P, R]:
    """Mark a branch-free scalar kernel that is always written out where it is called.

    Only so can a loop over it run on all lanes of a vector unit at once.
    """
    return Compiled(function, in_python=True, lane=True)


@contextmanager
def threads(count: int | None) -> Generator[None]:
    """So many threads for the kernels called inside, at most those there are; None leaves it be."""
    from numba import get_num_threads, set_num_threads  # noqa: PLC0415 - now numbers are needed

    before = get_num_threads()
    with suppress(ValueError):  # more than there are: as many as there are
        set_num_threads(before if count is None else count)
    try:
        yield
    finally:
        set_num_threads(before)


def thread_count() -> int:
    """How many threads the kernels called here may use."""
    from numba import get_num_threads  # noqa: PLC0415 - now numbers are needed

    return int(get_num_threads())


def _stamp(machine: object, called: list[Any]) -> None:
    """Make kept machine code stale when any kernel it was made from has changed.

    The compiler itself looks at the kernel's own file only, and would go on using what it kept after
    a kernel called from it was mended. Callees are compiled first, so their stamps hold theirs.
    """
    kept = [cache_file(one) for one in (machine, *called)]
    if kept[0] is not None:
        stamps = tuple(one._source_stamp for one in kept if one is not None)  # noqa: SLF001
        kept[0]._source_stamp = stamps  # noqa: SLF001 - the compiler has no door for it


def _compile(function: Callable[P, R], options: dict[str, Any]) -> Callable[P, R]:
    import numpy  # noqa: ICN001, PLC0415 - now numbers are needed
    from numba import njit  # noqa: PLC0415
    from numba import prange as shared_range  # noqa: PLC0415

    assert isinstance(function, FunctionType)
    known: dict[str, Any] = dict(function.__globals__)
    for name in function.__code__.co_names:
        value = known.get(name)
        if isinstance(value, Compiled):
            known[name] = value.machine()
        elif value is np:
            known[name] = numpy
        elif name == "prange":
            known[name] = shared_range
    bound = FunctionType(
        function.__code__, known, function.__name__, function.__defaults__, function.__closure__
    )
    bound.__module__ = function.__module__
    bound.__qualname__ = function.__qualname__
    try:
        return cast("Callable[P, R]", njit(cache=True, error_model="numpy", **options)(bound))
    except RuntimeError:  # nowhere to keep machine code between runs: compile in this one
        return cast("Callable[P, R]", njit(error_model="numpy", **options)(bound))
