"""Exposure profiles of the workspace's dealers: the trades on, their agreements, their grades."""

from datetime import date

from headframe.counterparty import Dossier, Grid, score
from headframe.desk import simulation, users
from headframe.desk.office import Office
from headframe.desk.ports import Invalid
from headframe.desk.valuation import Valuation, value_now
from headframe.risk import (
    DEALER,
    Facing,
    Ladder,
    Profile,
    dealer_of,
    faces_of,
    marked_on,
    prepare,
    profiles,
)
from headframe.units import Wrong


def of_dealers(
    office: Office, *, kind: Ladder, months: int, paths: int, seed: int | None
) -> tuple[Profile, ...]:
    """A profile of every dealer with trades on; none where nothing is on."""
    users.allowed(office, users.Action.READ)
    asked = simulation.Asked(
        kind=kind,
        months=months,
        paths=paths,
        seed=seed,
        thread_count=None,
        covenant_usd=0.0,
        moves=(),
    )
    made = simulation.programme(office, asked, apart=True)
    now = value_now(office)
    faces, names = faces_of([one.name for one in made.hedge.sets])
    facing = [_facing(now, name) for name in names]
    if not any(one.default_year for one in facing):
        return ()
    try:
        found = profiles(
            prepare(made, marked_on=marked_on),
            facing,
            paths=paths,
            seed=office.state().seed if seed is None else seed,
            faces=faces,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error
    return tuple(
        profile for profile, one in zip(found, facing, strict=True) if one.default_year > 0.0
    )


def _facing(now: Valuation, name: str) -> Facing:
    """Who is on the other side: a dealer with its collateral and grade, or the venue, which is none."""
    dealer = dealer_of(name)
    dossier = now.state.dossiers.get(dealer) if name.startswith(DEALER) else None
    return Facing(
        name=dealer,
        held_usd=now.held(dealer) if dossier else 0.0,
        posted_usd=now.posted(dealer) if dossier else 0.0,
        default_year=_failing(dossier, now.at.date(), now.state.grid),
        loss_given_default=now.state.grid.loss_given_default,
        terms=dossier.collateral if dossier else None,
        falls_with_coin=dossier.falls_with_coin if dossier else 0.0,
    )


def _failing(dossier: Dossier | None, on: date, grid: Grid) -> float:
    """A dealer's chance of failing in a year by its grade; 0 for what is no dealer."""
    if dossier is None:
        return 0.0
    return grid.default_probability(score(dossier, on, grid).grade)
