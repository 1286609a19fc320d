"""A workspace's three files as values, or every problem in them at once, with line and remedy."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field, dataclass, fields, is_dataclass
from datetime import date, datetime, time
from difflib import get_close_matches
from itertools import pairwise
from types import NoneType, UnionType
from typing import Any, TypeVar, cast, get_args, get_origin

from headframe.codec.locate import Place, locate
from headframe.codec.values import from_json, hints, to_json
from headframe.counterparty import Dossier
from headframe.mandate import Mandate
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    Costs,
    FeeOutlook,
    Machine,
    Operation,
    PoolScheme,
    SalePolicy,
    Site,
    Treasury,
)
from headframe.units import Wrong, parse_hashrate

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


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkspaceSettings:
    """The workspace itself: its name, mode and seed."""

    name: str
    mode: str
    seed: int

    def __post_init__(self) -> None:
        if self.mode != "paper":
            raise Wrong(
                f'mode must be "paper": this version trades on paper only, was "{self.mode}"'
            )
        if not 0 <= self.seed < 2**63:
            raise Wrong(f"seed must lie between 0 and 2**63, was {self.seed}")


@dataclass(frozen=True, slots=True, kw_only=True)
class VenueSettings:
    """The venue and what it charges."""

    name: str
    option_fee_coins: float
    option_fee_cap_share: float
    future_fee_share: float
    forward_spread: float
    spread_median: float
    financing_rate: float

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, float) and not 0.0 <= value < 1.0:
                raise Wrong(f"{field.name} must lie between 0 and 1, was {value}")
        if self.spread_median == 0.0:
            raise Wrong("spread_median must be above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What ``headframe.toml`` says."""

    workspace: WorkspaceSettings
    venue: VenueSettings
    operation: Operation


class _Reader:
    """One file being read: collects problems instead of stopping at the first."""

    def __init__(self, text: str, file: str) -> None:
        self.file = file
        self.problems: list[Problem] = []
        self.lines: dict[Place, int] = {}
        self.root: dict[str, object] = {}
        if len(text) > _LARGEST:
            self.problem((), f"the file is over {_LARGEST} characters")
            return
        try:
            self.root = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
            line = getattr(error, "lineno", None) or _line_in(str(error))
            self.problems.append(Problem(file, line, f"not readable as TOML: {error}"))
            return
        self.lines = locate(text)

    def problem(self, place: Place, text: str) -> None:
        """Record a problem at a place, or at the nearest place above it that has a line."""
        while place and place not in self.lines:
            place = place[:-1]
        self.problems.append(Problem(self.file, self.lines.get(place, 1), text))

    def fill(self, kind: type[V], table: object, place: Place, **given: object) -> V | None:
        """A dataclass from a table: unknown and missing keys, wrong types and values are problems."""
        if not isinstance(table, dict):
            self.problem(place, f"expected a table [{_words(place)}]")
            return None
        found = cast("dict[str, object]", table)
        before = len(self.problems)
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
            elif _required(field):
                values[field.name] = None
        if len(self.problems) > before:
            return None
        return self.make(lambda: kind(**values), place)

    def make(self, build: Callable[[], V], place: Place) -> V | None:
        """Build a value; what it refuses is a problem of its table."""
        try:
            return build()
        except Wrong as error:
            self.problem(place, str(error))
            return None

    def value(self, kind: Any, data: Any, place: Place) -> object:  # noqa: ANN401 - a type form
        """One value of a field's type."""
        origin = get_origin(kind)
        if origin is UnionType:
            inner = next(one for one in get_args(kind) if one is not NoneType)
            return self.value(inner, data, place)
        if isinstance(kind, type) and is_dataclass(kind) and isinstance(data, dict):
            return self.fill(cast("type[object]", kind), cast("object", data), place)
        if origin is tuple and isinstance(data, list) and is_dataclass(get_args(kind)[0]):
            rows = cast("list[object]", data)
            item: type[object] = get_args(kind)[0]
            return tuple(self.fill(item, row, (*place, index)) for index, row in enumerate(rows))
        try:
            return from_json(cast("type[object]", kind), _plain(data))  # pyright: ignore[reportUnknownArgumentType] - any value of a TOML file
        except (Wrong, ValueError) as error:
            self.problem(place, f"{_words(place)}: {error}")
            return None

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


def read_settings(text: str, file: str = "headframe.toml") -> Settings | tuple[Problem, ...]:
    """The operation and its workspace, or all problems of the file."""
    reader = _Reader(text, file)
    if reader.problems:
        return tuple(reader.problems)
    reader.known(
        "workspace",
        "venue",
        "operation",
        "pool",
        "site",
        "machine",
        "batch",
        "fees",
        "costs",
        "treasury",
    )
    root = reader.root
    workspace = reader.fill(WorkspaceSettings, root.get("workspace"), ("workspace",))
    venue = reader.fill(VenueSettings, root.get("venue"), ("venue",))
    operation = _operation(reader)
    if reader.problems or workspace is None or venue is None or operation is None:
        return tuple(sorted(set(reader.problems)))
    return Settings(workspace=workspace, venue=venue, operation=operation)


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationTable:
    entity: str
    coin: str
    sale_policy: SalePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class _PoolTable:
    scheme: PoolScheme
    fee: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _MachineTable:
    model: str
    hashrate: str
    power_w: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _BatchTable:
    site: str
    machine: str
    count: int
    since: date | None
    until: date | None


def _operation(reader: _Reader) -> Operation | None:
    root = reader.root
    head = reader.fill(_OperationTable, root.get("operation"), ("operation",))
    pool = reader.fill(_PoolTable, root.get("pool"), ("pool",))
    fees = reader.fill(FeeOutlook, root.get("fees"), ("fees",))
    costs = reader.fill(Costs, root.get("costs"), ("costs",))
    treasury = reader.fill(Treasury, root.get("treasury"), ("treasury",))
    sites = [_site(reader, row, place) for row, place in reader.rows("site")]
    machines = dict(KNOWN_MACHINES)
    for row, place in reader.rows("machine"):
        own = _machine(reader, row, place)
        if own is not None:
            machines[own.model] = own
    batches = [_batch(reader, row, place, machines) for row, place in reader.rows("batch")]
    if not sites or not batches:
        reader.problem((), "a mine needs at least one [[site]] and one [[batch]] of machines")
    if head is None or pool is None or fees is None or costs is None or treasury is None:
        return None
    if head.coin != "BTC":
        reader.problem(
            ("operation", "coin"), f'coin must be "BTC" in this version, was "{head.coin}"'
        )
    if reader.problems:
        return None
    return reader.make(
        lambda: Operation(
            entity=head.entity,
            coin=head.coin,
            sites=tuple(site for site in sites if site is not None),
            fleet=tuple(batch for batch in batches if batch is not None),
            pool_scheme=pool.scheme,
            pool_fee=pool.fee,
            sale_policy=head.sale_policy,
            fees=fees,
            costs=costs,
            treasury=treasury,
        ),
        ("batch",),
    )


def _site(reader: _Reader, row: object, place: Place) -> Site | None:
    """A site; one power price stands for all twelve months."""
    if isinstance(row, dict):
        table = dict(cast("dict[str, object]", row))
        price = table.get("power_usd_mwh")
        if isinstance(price, int | float) and not isinstance(price, bool):
            table["power_usd_mwh"] = [float(price)] * 12
        return reader.fill(Site, table, place)
    return reader.fill(Site, row, place)


def _machine(reader: _Reader, row: object, place: Place) -> Machine | None:
    """A machine type of one's own; its hashrate is typed with its unit."""
    table = reader.fill(_MachineTable, row, place)
    if table is None:
        return None
    return reader.make(
        lambda: Machine(
            model=table.model,
            hashrate_ths=parse_hashrate(table.hashrate) / 1e12,
            power_w=table.power_w,
        ),
        place,
    )


def _batch(
    reader: _Reader, row: object, place: Place, machines: Mapping[str, Machine]
) -> Batch | None:
    table = reader.fill(_BatchTable, row, place)
    if table is None:
        return None
    machine = machines.get(table.machine)
    if machine is None:
        near = get_close_matches(table.machine, machines, 1)
        hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(machines)}"
        reader.problem((*place, "machine"), f"unknown machine {table.machine!r}: {hint}")
        return None
    return reader.make(
        lambda: Batch(
            site=table.site,
            machine=machine,
            count=table.count,
            since=table.since,
            until=table.until,
        ),
        place,
    )


def read_mandate(text: str, file: str = "mandate.toml") -> Mandate | tuple[Problem, ...]:
    """The mandate, or all problems of the file."""
    reader = _Reader(text, file)
    if reader.problems:
        return tuple(reader.problems)
    mandate = reader.fill(Mandate, reader.root, ())
    if mandate is None or reader.problems:
        return tuple(sorted(set(reader.problems)))
    return mandate


def read_counterparties(
    text: str, file: str = "counterparties.toml"
) -> tuple[Dossier, ...] | tuple[Problem, ...]:
    """The dossiers, or all problems of the file."""
    reader = _Reader(text, file)
    if reader.problems:
        return tuple(reader.problems)
    reader.known("counterparty")
    found = [reader.fill(Dossier, row, place) for row, place in reader.rows("counterparty")]
    names = [dossier.name for dossier in found if dossier is not None]
    for name in sorted({name for name in names if names.count(name) > 1}):
        reader.problem(("counterparty",), f"two counterparties are called {name}")
    if reader.problems:
        return tuple(sorted(set(reader.problems)))
    return tuple(dossier for dossier in found if dossier is not None)


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
