"""The mine as ``headframe.toml`` writes it: sites, machines, batches, firmware, pool, costs, treasury."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date
from difflib import get_close_matches
from typing import cast

from headframe.chain import chain_of
from headframe.codec.checking import HOLE, readable_text
from headframe.codec.locate import Place
from headframe.codec.reader import Reader
from headframe.mining import (
    KNOWN_MACHINES,
    Batch,
    Costs,
    FeeOutlook,
    Firmware,
    Machine,
    Operation,
    Pool,
    SalePolicy,
    Site,
    Treasury,
)
from headframe.units import parse_hashrate

_ALGORITHM = chain_of("BTC").algorithm


@dataclass(frozen=True, slots=True, kw_only=True)
class _OperationTable:
    entity: str
    coin: str
    sale_policy: SalePolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class _MachineTable:
    model: str
    hashrate: str
    power_w: float
    algorithm: str = "SHA-256"
    released: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _BatchTable:
    site: str
    machine: str
    count: int
    since: date | None
    until: date | None
    ramp_days: float = 0.0
    delay_days: float = 0.0
    hashrate: float = 1.0
    power: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _FirmwareTable:
    site: str
    machine: str
    since: date
    hashrate: float
    power: float


def read_operation(reader: Reader) -> Operation:
    """The operation, with holes where the file has problems, which the reader keeps."""
    root = reader.root
    head = reader.part(_OperationTable, root.get("operation"), ("operation",))
    parts = {
        "pool": reader.part(Pool, root.get("pool"), ("pool",)),
        "fees": reader.part(FeeOutlook, root.get("fees"), ("fees",)),
        "costs": reader.part(Costs, root.get("costs"), ("costs",)),
        "treasury": reader.part(Treasury, root.get("treasury"), ("treasury",)),
    }
    sites = tuple(_site(reader, row, place) for row, place in reader.rows("site"))
    machines = _machines(reader)
    batches = tuple(_batch(reader, row, place, machines) for row, place in reader.rows("batch"))
    if not sites or not batches:
        reader.problem((), "a mine needs at least one [[site]] and one [[batch]] of machines")
    coin: object = head.coin
    if coin is not HOLE and coin != "BTC":
        reader.problem(("operation", "coin"), f'coin must be "BTC" in this version, was "{coin}"')
    _same_algorithm(reader, batches)
    values: dict[str, object] = {
        "entity": head.entity,
        "coin": head.coin,
        "sale_policy": head.sale_policy,
        "sites": sites or HOLE,
        "fleet": _tuned(reader, batches) or HOLE,
        **parts,
    }
    return reader.construct(Operation, values, ("batch",))


def _machines(reader: Reader) -> dict[str, Machine]:
    """The machines known here and those of the file, by model."""
    machines = dict(KNOWN_MACHINES)
    for row, place in reader.rows("machine"):
        own = _machine(reader, row, place)
        model = readable_text(own.model)
        if model is not None:
            machines[model] = own
    return machines


def _same_algorithm(reader: Reader, batches: tuple[Batch, ...]) -> None:
    for (_, place), batch in zip(reader.rows("batch"), batches, strict=True):
        algorithm: object = batch.machine.algorithm
        if algorithm is not HOLE and not _ALGORITHM.startswith(batch.machine.algorithm):
            words = f"{batch.machine.model} works on {batch.machine.algorithm}, not on {_ALGORITHM}"
            reader.problem((*place, "machine"), words)


def _site(reader: Reader, row: object, place: Place) -> Site:
    """A site; one power price, or one derating, stands for all twelve months."""
    if isinstance(row, dict):
        table = dict(cast("dict[str, object]", row))
        for name in ("power_usd_mwh", "derating"):
            one = table.get(name)
            if isinstance(one, int | float) and not isinstance(one, bool):
                table[name] = [one] * 12
        return reader.part(Site, table, place, power_hours=())
    return reader.part(Site, row, place, power_hours=())


def _machine(reader: Reader, row: object, place: Place) -> Machine:
    """A machine type of one's own; its hashrate is typed with its unit."""
    table = reader.part(_MachineTable, row, place)
    hashrate: object = table.hashrate
    if hashrate is not HOLE:
        hashrate = reader.make(lambda: parse_hashrate(table.hashrate) / 1e12, (*place, "hashrate"))
    values = {
        "model": table.model,
        "hashrate_ths": hashrate,
        "power_w": table.power_w,
        "algorithm": table.algorithm,
        "released": table.released,
    }
    return reader.construct(Machine, values, place)


def _batch(reader: Reader, row: object, place: Place, machines: Mapping[str, Machine]) -> Batch:
    table = reader.part(_BatchTable, row, place)
    machine: Machine = HOLE
    name = readable_text(table.machine)
    if name is not None:
        machine = machines.get(name, HOLE)
        if machine is HOLE:
            near = get_close_matches(name, machines, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(machines)}"
            reader.problem((*place, "machine"), f"unknown machine {name!r}: {hint}")
    values = {one.name: getattr(table, one.name) for one in fields(_BatchTable)}
    return reader.construct(Batch, values | {"machine": machine}, place)


def _tuned(reader: Reader, fleet: tuple[Batch, ...]) -> tuple[Batch, ...]:
    """The fleet with its firmware: each [[firmware]] is for the machines of one type at one site."""
    for row, place in reader.rows("firmware"):
        table = reader.part(_FirmwareTable, row, place)
        values = {name: getattr(table, name) for name in ("since", "hashrate", "power")}
        step = reader.construct(Firmware, values, place)
        stand = [(b.site, b.machine.model) for b in fleet]
        meant = (readable_text(table.site), readable_text(table.machine))
        if None in meant:
            continue
        if not any(_may_be(one, meant) for one in stand):
            reader.problem(place, f"no {table.machine} stands at {table.site}")
        fleet = tuple(
            replace(b, firmware=(*b.firmware, step)) if one == meant and step is not HOLE else b
            for b, one in zip(fleet, stand, strict=True)
        )
    return fleet


def _may_be(stands: tuple[object, object], meant: tuple[object, object]) -> bool:
    """Return whether a batch is the one meant, or might be where the file is not readable."""
    return all(a is HOLE or a == b for a, b in zip(stands, meant, strict=True))
