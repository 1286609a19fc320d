"""Domain values to JSON and back, by their types: one rule for each type, not one for each class."""

from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime, time
from decimal import Decimal
from enum import Enum
from functools import cache
from types import MappingProxyType, NoneType, UnionType
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from headframe.instrument import Instrument, parse_instrument
from headframe.mandate import Approval, recall_approval
from headframe.units import Month, Wrong, instant, iso, parse_decimal

V = TypeVar("V")
Json = Any
"""None, a boolean, a number, a string, a list or an object of these."""


def to_json(value: object) -> Json:
    """A domain value as JSON: amounts as decimal strings, instants in ISO, instruments by name."""
    for kind, write in _WRITERS:
        if isinstance(value, kind):
            return write(value)
    if value is None or isinstance(value, str | bool | int | float):
        return value
    if isinstance(value, Mapping):
        pairs = cast("Mapping[object, object]", value).items()
        return {str(to_json(key)): to_json(item) for key, item in pairs}
    if isinstance(value, tuple | list):
        return [to_json(item) for item in cast("tuple[object, ...]", value)]
    assert is_dataclass(value), f"no JSON for {type(value).__name__}"
    return {
        field.name: to_json(getattr(value, field.name))
        for field in fields(value)
        if field.name != "seal"
    }


_WRITERS: tuple[tuple[type, Callable[[Any], Json]], ...] = (
    (Enum, lambda value: value.value),
    (datetime, iso),
    (date, date.isoformat),
    (time, time.isoformat),
    (Decimal, lambda value: format(value, "f")),
    (Month, str),
    (Instrument, lambda value: value.name),
)


def from_json(kind: type[V], data: Json) -> V:
    """A domain value of a type from its JSON; Wrong where it does not fit."""
    return cast("V", _read(kind, data))


@cache
def hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields, resolved once."""
    return get_type_hints(kind)


def _read(kind: Any, data: Json) -> object:  # noqa: ANN401 - a type form has no narrower type
    origin = get_origin(kind)
    if origin in {UnionType, Union}:
        return _union(get_args(kind), data)
    if origin is tuple:
        return _tuple(get_args(kind), data)
    if origin in {dict, list, MappingProxyType, Mapping}:
        return _container(origin, get_args(kind), data)
    if is_dataclass(kind) and kind not in {Instrument, Month}:
        return _dataclass(cast("type", kind), data)
    return _scalar(kind, data)


def _container(origin: Any, kinds: tuple[Any, ...], data: Json) -> object:  # noqa: ANN401
    if origin is list:
        return [_read(kinds[0], item) for item in _expect(list, data)]
    key, item = kinds
    pairs = _expect(dict, data).items()
    found = {
        int(name) if key is int else _read(key, name): _read(item, value) for name, value in pairs
    }
    return found if origin is dict else MappingProxyType(found)


def _union(kinds: tuple[Any, ...], data: Json) -> object:
    if data is None and NoneType in kinds:
        return None
    return _read(next(kind for kind in kinds if kind is not NoneType), data)


def _tuple(kinds: tuple[Any, ...], data: Json) -> object:
    items = cast("list[object]", _expect(list, data))
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        return tuple(_read(kinds[0], item) for item in items)
    if len(items) != len(kinds):
        raise Wrong(f"expected {len(kinds)} items, found {len(items)}")
    return tuple(_read(kind, item) for kind, item in zip(kinds, items, strict=True))


def _dataclass(kind: type, data: Json) -> object:
    table = cast("dict[str, object]", _expect(dict, data))
    known = hints(kind)
    unknown = [name for name in table if name not in known]
    if unknown:  # dropping it would read a renamed field as its default
        raise Wrong(
            f"{kind.__name__}: expected keys of {', '.join(known)}, got {unknown[0][:40]!r}; fix: use the "
            "version of headframe that wrote it"
        )
    read = {name: _read(known[name], item) for name, item in table.items()}
    if kind is Approval:
        return recall_approval(**cast("dict[str, Any]", read))
    try:
        return kind(**read)
    except TypeError as error:
        raise Wrong(f"{kind.__name__} cannot be read: {error}") from error


_LARGEST = 2**63
_READERS: dict[Any, Callable[[str], object]] = {
    datetime: instant,
    date: date.fromisoformat,
    time: time.fromisoformat,
    Decimal: parse_decimal,
    Month: Month.parse,
    Instrument: parse_instrument,
}


def _scalar(kind: Any, data: Json) -> object:  # noqa: ANN401 - a type form has no narrower type
    if kind is Any:
        return data
    if kind is float:
        return float(_whole(_expect(int | float, data)))
    if kind is int:
        return _whole(_expect(int, data))
    if kind in _READERS:
        return _READERS[kind](_expect(str, data))
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(_expect(str, data))
        except ValueError as error:
            allowed = ", ".join(str(member.value) for member in kind)
            raise Wrong(f"expected one of {allowed}, was {str(data)[:40]!r}") from error
    return _expect(kind, data)


def _whole(number: Any) -> Any:  # noqa: ANN401 - an integer or a float
    """The number, where an integer among them fits 64 bits."""
    if isinstance(number, int) and abs(number) >= _LARGEST:
        raise Wrong("a whole number must be below 2**63")
    return number


def _expect(kind: Any, data: Json) -> Any:  # noqa: ANN401 - the caller names the type
    if not isinstance(data, kind) or (isinstance(data, bool) and kind is not bool):
        name = getattr(kind, "__name__", "number")
        raise Wrong(f"expected {name}, was {str(data)[:40]!r}")
    return data
