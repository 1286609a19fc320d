"""A forecast that somebody else made, read from a table: previewed, mapped, and frozen as a version."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from headframe.codec import TableRow, canonical, each_row, number, sha256, to_json
from headframe.desk import users
from headframe.desk.known import Version
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Invalid, Json
from headframe.desk.production import MONTHS, compute, gather, record_version
from headframe.mining import (
    GIVEN_NEEDED,
    GIVEN_OPTIONAL,
    Band,
    Forecast,
    check_given,
    with_given,
)
from headframe.units import Month, Wrong, parse_month

_NEEDED = ("month", *GIVEN_NEEDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a table would change, before anything is kept."""

    source: str
    columns: dict[str, str]
    forecast: Forecast
    new: int
    updated: int
    unchanged: int
    missing: int


def chosen_columns(pairs: Sequence[str]) -> dict[str, str]:
    """``field=column`` pairs as typed."""
    found: dict[str, str] = {}
    for pair in pairs:
        field, mark, column = pair.partition("=")
        if not mark or field.strip() not in (*_NEEDED, *GIVEN_OPTIONAL) or not column.strip():
            known = ", ".join((*_NEEDED, *GIVEN_OPTIONAL))
            raise Invalid(f"--map is FIELD=COLUMN with a field of {known}, was {pair[:60]!r}")
        found[field.strip()] = column.strip().lower()
    return found


def preview(
    office: Office, rows: Sequence[TableRow], chosen: Mapping[str, str], source: str
) -> Preview:
    """What the table says against the forecast in force; every bad row is named at once."""
    state = office.state()
    columns = _columns(rows, {**state.mappings.get("forecast", {}), **chosen}, source)
    found = _read(rows, columns, source)
    held = state.forecast
    first = Month.of(office.now())
    last = max(found)
    ahead = (last.year - first.year) * 12 + last.number - first.number
    if not 1 <= ahead <= 36:
        raise Invalid(f"{source} ends {last}; a forecast covers at most 36 months after {first}")
    prepared = gather(office, months=max(ahead, MONTHS))
    base = compute(prepared, explain=False)
    known = {row.month for row in base.months}
    strangers = sorted(month for month in found if month not in known)
    if strangers:
        raise Invalid(
            f"{source}: {strangers[0]} has begun or lies outside {base.months[0].month} on"
        )
    before = {row.month: row.coins for row in held.months} if held is not None else {}
    counts = [_change(before.get(month), values) for month, values in found.items()]
    return Preview(
        source=source,
        columns=columns,
        forecast=with_given(base, found, held),
        new=counts.count("new"),
        updated=counts.count("updated"),
        unchanged=counts.count("unchanged"),
        missing=sum(month not in found for month in before if month > first),
    )


@serialised
def take(office: Office, found: Preview) -> Version:
    """Freeze the previewed forecast as a version, with its mapping remembered."""
    person = users.allowed(office, users.Action.PREPARE)
    body: Json = {
        "forecast": to_json(found.forecast),
        "case": None,
        "inputs_sha256": sha256(canonical(to_json(found.forecast.months))),
        "source": f"import {found.source}",
        "mapping": found.columns,
    }
    return record_version(office, body, person, office.now())


def _columns(rows: Sequence[TableRow], wanted: Mapping[str, str], source: str) -> dict[str, str]:
    """Which column each field is read from: as mapped, else by its own name."""
    if not rows:
        raise Invalid(f"{source} holds no rows")
    there = list(rows[0][1])
    found: dict[str, str] = {}
    for field in (*_NEEDED, *GIVEN_OPTIONAL):
        column = wanted.get(field, field)
        if column in there:
            found[field] = column
        elif field in _NEEDED:
            raise Invalid(
                f"{source} has no column {column!r} for {field}; it has {', '.join(there)}: use "
                f"--map {field}=COLUMN"
            )
    return found


def _read(
    rows: Sequence[TableRow], columns: Mapping[str, str], source: str
) -> dict[Month, dict[str, float]]:
    def one(row: Mapping[str, str]) -> tuple[Month, dict[str, float]]:
        values = {
            field: number(row[column], column)
            for field, column in columns.items()
            if field != "month" and row.get(column)
        }
        check_given(values)
        return parse_month(row.get(columns["month"], "")), values

    try:
        pairs = each_row(rows, source, one)
    except Wrong as error:
        raise Invalid(str(error)) from error
    found = dict(pairs)
    if len(found) < len(pairs):
        months = [month for month, _ in pairs]
        twice = next(month for month in months if months.count(month) > 1)
        raise Invalid(f"{source}: {twice} comes twice")
    return dict(sorted(found.items()))


def _change(before: Band | None, values: Mapping[str, float]) -> str:
    if before is None:
        return "new"
    same = all(
        abs(getattr(before, field) - value) <= 5e-9 * max(abs(value), 1.0)
        for field, value in values.items()
        if field != "power_usd"
    )
    return "unchanged" if same else "updated"
