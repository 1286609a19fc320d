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
from headframe.units import (
    Month,
    Wrong,
    instant,
    iso,
    parse_clock,
    parse_day,
    parse_decimal,
    parse_whole,
)

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
    return cast("V", _reader(cast("Any", kind))(data))


@cache
def hints(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields, resolved once."""
    return get_type_hints(kind)


_Reader = Callable[[Json], object]


@cache
def _reader(kind: Any) -> _Reader:  # noqa: ANN401 - a type form has no narrower type
    """What reads values of a type, made once for each type: a replay reads a hundred thousand of them."""
    origin = get_origin(kind)
    if origin in {UnionType, Union}:
        return _union(get_args(kind))
    if origin is tuple:
        return _tuple(get_args(kind))
    if origin is list:
        return _list(get_args(kind)[0])
    if origin in {dict, MappingProxyType, Mapping}:
        return _mapping(origin, *get_args(kind))
    if is_dataclass(kind) and kind not in {Instrument, Month}:
        return _dataclass(cast("type", kind))
    return _scalar(kind)


def _list(kind: Any) -> _Reader:  # noqa: ANN401
    item = _reader(kind)
    return lambda data: [item(one) for one in _expect(list, data)]


def _mapping(origin: Any, key: Any, item: Any) -> _Reader:  # noqa: ANN401
    name: Callable[[Any], object] = parse_whole if key is int else _reader(key)
    value = _reader(item)

    def read(data: Json) -> object:
        found = {name(one): value(other) for one, other in _expect(dict, data).items()}
        return found if origin is dict else MappingProxyType(found)

    return read


def _union(kinds: tuple[Any, ...]) -> _Reader:
    inner = _reader(next(kind for kind in kinds if kind is not NoneType))
    if NoneType not in kinds:
        return inner
    return lambda data: None if data is None else inner(data)


def _tuple(kinds: tuple[Any, ...]) -> _Reader:
    if len(kinds) == 2 and kinds[1] is Ellipsis:
        item = _reader(kinds[0])
        return lambda data: tuple([item(one) for one in _expect(list, data)])
    items = [_reader(kind) for kind in kinds]

    def read(data: Json) -> object:
        found = cast("list[object]", _expect(list, data))
        if len(found) != len(items):
            raise Wrong(f"expected {len(items)} items, found {len(found)}")
        return tuple([item(one) for item, one in zip(items, found, strict=True)])

    return read


def _dataclass(kind: type) -> _Reader:
    """Reads a table by the fields of a class; their readers are made when the first one is read.

    Later, because a class may have fields of its own type.
    """
    known = hints(kind)
    readers: dict[str, _Reader] = {}
    build: Callable[..., object] = recall_approval if kind is Approval else kind

    def read(data: Json) -> object:
        table = cast("dict[str, object]", _expect(dict, data))
        if not readers:
            readers.update({name: _reader(one) for name, one in known.items()})
        try:
            found = {name: readers[name](item) for name, item in table.items()}
        except KeyError:
            _refuse_unknown(kind, table)
            raise
        try:
            return build(**cast("dict[str, Any]", found))
        except TypeError as error:
            raise Wrong(f"{kind.__name__} cannot be read: {error}") from error

    return read


def _refuse_unknown(kind: type, table: dict[str, object]) -> None:
    """Refuse a key that is no field: dropping it would read a renamed field as its default."""
    known = hints(kind)
    unknown = [name for name in table if name not in known]
    if unknown:
        raise Wrong(
            f"{kind.__name__}: expected keys of {', '.join(known)}, got {unknown[0][:40]!r}; fix: use the "
            "version of headframe that wrote it"
        )


_LARGEST = 2**63
_PARSERS: dict[Any, Callable[[str], object]] = {
    datetime: instant,
    date: parse_day,
    time: parse_clock,
    Decimal: parse_decimal,
    Month: Month.parse,
    Instrument: parse_instrument,
}


def _scalar(kind: Any) -> _Reader:  # noqa: ANN401 - a type form has no narrower type
    if kind is Any:
        return lambda data: data
    if kind is float:
        return lambda data: float(_whole(_expect((int, float), data)))
    if kind is int:
        return lambda data: _whole(_expect(int, data))
    if kind in _PARSERS:
        parse = _PARSERS[kind]
        return lambda data: parse(_expect(str, data))
    if isinstance(kind, type) and issubclass(kind, Enum):
        return _enum(kind)
    return lambda data: _expect(kind, data)


def _enum(kind: type[Enum]) -> _Reader:
    def read(data: Json) -> object:
        try:
            return kind(_expect(str, data))
        except ValueError as error:
            allowed = ", ".join(str(member.value) for member in kind)
            raise Wrong(f"expected one of {allowed}, was {str(data)[:40]!r}") from error

    return read


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
