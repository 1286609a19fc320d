"""Kernels compiled on their first call, so that importing a room never imports the compiler."""

from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]
P = ParamSpec("P")
R = TypeVar("R")


class Compiled(Generic[P, R]):
    """A kernel that turns into machine code when it is first called.

    ``python`` is the same function uncompiled: the second implementation that tests compare with.
    Contraction and reassociation of floating-point operations stay off, so that the same inputs
    give the same bits whatever the number of threads.
    """

    def __init__(self, function: Callable[P, R]) -> None:
        self.python = function
        self._machine: Callable[P, R] | None = None
        update_wrapper(self, function)

    def machine(self) -> Callable[P, R]:
        """The compiled function; compiles it, and the kernels it calls, when it must."""
        if self._machine is None:
            self._machine = _compile(self.python)
        return self._machine

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return (self._machine or self.machine())(*args, **kwargs)


def compiled(function: Callable[P, R]) -> Compiled[P, R]:
    """Mark a function of scalars and arrays as a kernel."""
    return Compiled(function)


def _compile(function: Callable[P, R]) -> Callable[P, R]:
    from numba import njit  # noqa: PLC0415 - importing numba costs 0.3 s, and only numbers need it

    assert isinstance(function, FunctionType)
    known: dict[str, Any] = dict(function.__globals__)
    for name in function.__code__.co_names:
        if isinstance(kernel := known.get(name), Compiled):
            known[name] = kernel.machine()
    bound = FunctionType(
        function.__code__, known, function.__name__, function.__defaults__, function.__closure__
    )
    bound.__module__ = function.__module__
    bound.__qualname__ = function.__qualname__
    try:
        return njit(cache=True, error_model="numpy")(bound)  # type: ignore[no-any-return]
    except RuntimeError:  # nowhere to keep machine code between runs: compile in this one
        return njit(error_model="numpy")(bound)  # type: ignore[no-any-return]
