"""One TOML file being read: every problem in it at once, with line and remedy."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from functools import cached_property
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

from headframe.codec.checking import HOLE, checked
from headframe.codec.locate import Place, locate
from headframe.codec.values import from_json, hints, to_json
from headframe.instrument import Instrument
from headframe.units import Month, Wrong

V = TypeVar("V")
_LARGEST = 1_000_000


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing wrong with a file: where, and what to do."""

    file: str
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.file} line {self.line}: {self.text}"


class Reader:
    """One file being read: collects problems instead of stopping at the first."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self._text = text
        self.root: dict[str, object] = {}
        if len(text) > _LARGEST:
            self.problems.append(Problem(file, 1, f"the file is over {_LARGEST} characters"))
            return
        try:
            self.root = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            line = getattr(error, "lineno", None) or _line_in(str(error))
            self.problems.append(Problem(file, line, f"not readable as TOML: {error}"))
            return

    @cached_property
    def lines(self) -> dict[Place, int]:
        """The line of each key, found once a problem needs it."""
        return locate(self._text)

    def problem(self, place: Place, text: str) -> None:
        """Record a problem at a place, or at the nearest place above it that has a line."""
        while place and place not in self.lines:
            place = place[:-1]
        self.problems.append(Problem(self.file, self.lines.get(place, 1), text))

    def part(self, kind: type[V], table: object, place: Place, **given: object) -> V:
        """A dataclass from a table, with a hole for every field that has a problem.

        Unknown and missing keys, wrong types and refused values are problems.
        """
        if not isinstance(table, dict):
            self.problem(place, f"expected a table [{_words(place)}]")
            return cast("V", HOLE)
        found = cast("dict[str, object]", table)
        plain: Any = kind
        known = [one for one in _fields(plain) if one.name not in given]
        self._unknown(found, [one.name for one in known], place)
        values: dict[str, object] = dict(given)
        types = hints(plain)
        for field in known:
            here = (*place, field.name)
            if field.name in found:
                values[field.name] = self.value(types[field.name], found[field.name], here)
            elif not _optional(types[field.name]) and _required(field):
                self.problem(place, f"{_words(here)} is missing: add {field.name} = ...")
                values[field.name] = HOLE
            elif _required(field):
                values[field.name] = None
        return self.construct(kind, values, place)

    def construct(self, kind: Callable[..., V], values: Mapping[str, object], place: Place) -> V:
        """Build a value; every refusal is a problem of its table, at the line of the field it is about."""
        built = checked(kind, values, flawed=bool(self.problems))
        for one in built.refused:
            only = one.fields[0] if len(one.fields) == 1 else None
            self.problem(place if only is None else (*place, only), one.text)
        return cast("V", HOLE) if built.value is None else built.value

    def make(self, build: Callable[[], V], place: Place) -> V:
        """Build a value of one text; what it refuses is a problem of its place."""
        try:
            return build()
        except Wrong as error:
            self.problem(place, str(error))
            return cast("V", HOLE)

    def value(self, kind: Any, data: Any, place: Place) -> object:  # noqa: ANN401 - a type form
        """One value of a field's type; a hole where it cannot be read."""
        origin = get_origin(kind)
        if origin is UnionType:
            inner = next(one for one in get_args(kind) if one is not NoneType)
            return self.value(inner, data, place)
        if isinstance(kind, type) and is_dataclass(kind) and isinstance(data, dict):
            return self.part(cast("type[object]", kind), cast("object", data), place)
        if origin is tuple and isinstance(data, list):
            items = self._items(get_args(kind), cast("list[object]", data), place)
            if items is not None:
                return items
        try:
            return from_json(cast("type[object]", kind), _plain(data))  # pyright: ignore[reportUnknownArgumentType] - any value of a TOML file
        except (Wrong, ValueError) as error:
            self.problem(place, f"{_words(place)}: {error}")
            return HOLE

    def _items(self, kinds: tuple[Any, ...], data: list[object], place: Place) -> object:
        """A list item by item, each with its own problem; None where the list is read as a whole."""
        kind = kinds[0]
        if is_dataclass(kind) and not _is_text(kind):
            row_kind = cast("type[object]", kind)
            return tuple(self.part(row_kind, row, (*place, n)) for n, row in enumerate(data))
        if len(kinds) != 2 or kinds[1] is not Ellipsis:
            return None
        found: list[object] = []
        for item in data:
            try:
                found.append(from_json(cast("type[object]", kind), _plain(item)))
            except (Wrong, ValueError) as error:  # the list's place: items of a list have no lines
                self.problem(place, f"{_words(place)}: {error}")
                found.append(HOLE)
        return tuple(found)

    def rows(self, name: str) -> list[tuple[object, Place]]:
        """The tables of ``[[name]]`` with their places."""
        found = self.root.get(name, [])
        if not isinstance(found, list):
            self.problem((name,), f"write [[{name}]], one for each")
            return []
        return [(row, (name, index)) for index, row in enumerate(cast("list[object]", found))]

    def known(self, *names: str) -> None:
        """Report tables of the file that mean nothing."""
        self._unknown(self.root, list(names), ())

    def _unknown(self, table: Mapping[str, object], known: list[str], place: Place) -> None:
        for name in table:
            if name not in known:
                near = get_close_matches(name, known, 1)
                hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
                self.problem((*place, name), f"unknown key {_words((*place, name))}: {hint}")


def _plain(data: object) -> object:
    """TOML's own dates and times as the texts the codec reads."""
    if isinstance(data, datetime):
        if data.tzinfo is None:
            raise Wrong(f"an instant needs its zone, like {data.isoformat()}Z")
        return to_json(data)
    if isinstance(data, date | time):
        return data.isoformat()
    if isinstance(data, list):
        return [_plain(item) for item in cast("list[object]", data)]
    if isinstance(data, dict):
        return {key: _plain(item) for key, item in cast("dict[str, object]", data).items()}
    return data


def _fields(kind: Any) -> tuple[Field[Any], ...]:  # noqa: ANN401 - any dataclass
    return fields(kind)


def _is_text(kind: Any) -> bool:  # noqa: ANN401 - a type form
    """Return whether a dataclass is written as one text: an instrument or a month."""
    return kind in {Instrument, Month}


def _required(field: Field[Any]) -> bool:
    return field.default is MISSING and field.default_factory is MISSING


def _optional(kind: object) -> bool:
    return get_origin(kind) is UnionType and NoneType in get_args(kind)


def _words(place: Place) -> str:
    return ".".join(str(part + 1) if isinstance(part, int) else part for part in place)


def _line_in(text: str) -> int:
    words = text.replace(",", " ").replace(")", " ").split()
    for before, word in pairwise(words):
        if before == "line" and word.isdigit():
            return int(word)
    return 1
