"""Figures without the last bits, which differ from machine to machine."""

from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar, cast

T = TypeVar("T")


def steady(value: float) -> float:
    """A measured or fitted figure to 12 significant digits.

    Linear algebra and elementary functions of a machine's own library agree between processors in all but
    the last digits of a double. What is kept or hashed, or fed to what is hashed, goes through here.
    """
    return float(f"{value:.11e}")


def steadied(value: T) -> T:
    """A frozen dataclass, or a tuple, with every float in it ``steady``; anything else as it is."""
    found: Any = value
    if isinstance(value, float):
        found = steady(value)
    elif isinstance(value, tuple):
        found = tuple(steadied(one) for one in cast("tuple[Any, ...]", value))
    elif is_dataclass(value) and not isinstance(value, type):
        changed = {
            one.name: steadied(getattr(value, one.name)) for one in fields(value) if one.init
        }
        found = replace(cast("Any", value), **changed)
    return cast("T", found)
