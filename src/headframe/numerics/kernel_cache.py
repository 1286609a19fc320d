"""Machine code kept between runs, safe for several processes at once.

The compiler numbers its files: two processes that start with an empty cache both write number 1, for
different argument types, and the index of one may then name the code of the other. A file that an older
kernel left has the same number too. Here the name of a file says what is in it, and one process compiles
a kernel while the others wait and load what it wrote.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from typing import Any

__all__ = ["cache_file", "share_cache"]


def _file_locks() -> Any:
    try:
        import fcntl  # noqa: PLC0415 - not everywhere
    except (
        ImportError
    ):  # Windows: each process compiles for itself, file names still keep code apart
        return None
    return fcntl


_locks: Any = _file_locks()


def cache_file(machine: object) -> Any:
    """Return the compiler's index of a kernel's kept code, or None if nothing is kept."""
    return getattr(getattr(machine, "_cache", None), "_cache_file", None)


def share_cache(machine: Any) -> None:
    """Make the kept code of a compiled function safe for several processes at once."""
    index = cache_file(machine)
    if index is None:
        return
    index.save = _save_by_content(index, index.save)
    machine.compile = _compile_once(index, machine.compile)


def _save_by_content(index: Any, save: Callable[..., None]) -> Callable[..., None]:
    """Name each data file by the source and the argument types it was made from."""

    def save_named(key: object, data: object) -> None:
        digest = sha256(repr((index._source_stamp, key)).encode()).hexdigest()[:24]  # noqa: SLF001
        base = index._index_name.removesuffix(".nbi")  # noqa: SLF001 - the compiler has no door for it

        def file_named(number: int) -> str:
            return f"{base}.{digest}.{number}.nbc"

        index._data_name = file_named  # noqa: SLF001
        save(key, data)

    return save_named


def _compile_once(index: Any, compile_: Callable[..., Any]) -> Callable[..., Any]:
    """Hold the kernel's lock while it is loaded or compiled.

    The compiler's own lock comes first: the other way round two threads, one compiling a caller and
    one its callee, would wait for each other.
    """
    from numba.core.compiler_lock import global_compiler_lock  # noqa: PLC0415 - now numbers are needed

    @wraps(compile_)
    def compile_shared(signature: Any) -> Any:
        with global_compiler_lock, _locked(f"{index._index_path}.lock"):  # noqa: SLF001
            return compile_(signature)

    return compile_shared


_held: set[str] = set()
"""Locks of this process: a kernel that calls itself is compiled inside its own compilation."""


@contextmanager
def _locked(path: str) -> Generator[None]:
    """Hold an exclusive lock on a file; the system drops it when the process dies."""
    if _locks is None or path in _held:
        yield
        return
    try:
        handle = open(path, "ab")  # noqa: PTH123, SIM115 - closed below; the core knows no paths
    except OSError:  # the place can be read only: what is kept there is used, nothing is written
        yield
        return
    with handle:
        _locks.flock(handle, _locks.LOCK_EX)
        _held.add(path)
        try:
            yield
        finally:
            _held.discard(path)
