"""The mine as ``headframe.toml`` writes it: sites, machines, batches, firmware, pool, costs, treasury."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from difflib import get_close_matches
from functools import partial
from typing import cast

from headframe.chain import chain_of
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


def read_operation(reader: Reader) -> Operation | None:
    """The operation; None where the file has problems, which the reader keeps."""
    root = reader.root
    head = reader.fill(_OperationTable, root.get("operation"), ("operation",))
    pool = reader.fill(Pool, root.get("pool"), ("pool",))
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
    _same_algorithm(reader, batches)
    if reader.problems:
        return None
    return reader.make(
        lambda: Operation(
            entity=head.entity,
            coin=head.coin,
            sites=tuple(site for site in sites if site is not None),
            fleet=_tuned(reader, tuple(batch for batch in batches if batch is not None)),
            pool=pool,
            sale_policy=head.sale_policy,
            fees=fees,
            costs=costs,
            treasury=treasury,
        ),
        ("batch",),
    )


def _same_algorithm(reader: Reader, batches: list[Batch | None]) -> None:
    for (_, place), batch in zip(reader.rows("batch"), batches, strict=True):
        if batch is not None and not _ALGORITHM.startswith(batch.machine.algorithm):
            words = f"{batch.machine.model} works on {batch.machine.algorithm}, not on {_ALGORITHM}"
            reader.problem((*place, "machine"), words)


def _site(reader: Reader, row: object, place: Place) -> Site | None:
    """A site; one power price, or one derating, stands for all twelve months."""
    if isinstance(row, dict):
        table = dict(cast("dict[str, object]", row))
        for name in ("power_usd_mwh", "derating"):
            one = table.get(name)
            if isinstance(one, int | float) and not isinstance(one, bool):
                table[name] = [one] * 12
        return reader.fill(Site, table, place, power_hours=())
    return reader.fill(Site, row, place, power_hours=())


def _machine(reader: Reader, row: object, place: Place) -> Machine | None:
    """A machine type of one's own; its hashrate is typed with its unit."""
    table = reader.fill(_MachineTable, row, place)
    if table is None:
        return None
    return reader.make(
        lambda: Machine(
            model=table.model,
            hashrate_ths=parse_hashrate(table.hashrate) / 1e12,
            power_w=table.power_w,
            algorithm=table.algorithm,
            released=table.released,
        ),
        place,
    )


def _batch(
    reader: Reader, row: object, place: Place, machines: Mapping[str, Machine]
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
            ramp_days=table.ramp_days,
            delay_days=table.delay_days,
            hashrate=table.hashrate,
            power=table.power,
        ),
        place,
    )


def _tuned(reader: Reader, fleet: tuple[Batch, ...]) -> tuple[Batch, ...]:
    """The fleet with its firmware: each [[firmware]] is for the machines of one type at one site."""
    for row, place in reader.rows("firmware"):
        table = reader.fill(_FirmwareTable, row, place)
        if table is None:
            continue
        step = reader.make(partial(_firmware, table), place)
        meant = [b for b in fleet if (b.site, b.machine.model) == (table.site, table.machine)]
        if not meant:
            reader.problem(place, f"no {table.machine} stands at {table.site}")
        if step is not None:
            fleet = tuple(
                replace(b, firmware=(*b.firmware, step)) if b in meant else b for b in fleet
            )
    return fleet


def _firmware(table: _FirmwareTable) -> Firmware:
    return Firmware(since=table.since, hashrate=table.hashrate, power=table.power)
