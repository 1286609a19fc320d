"""The production forecast: gathered from the operation and the chain, computed, and kept."""

from datetime import datetime

from headframe.chain import Retarget, latest, retargets
from headframe.codec import canonical, sha256, to_json
from headframe.desk.office import Office, serialised
from headframe.desk.ports import Draft, Invalid
from headframe.mining import Forecast, Operation, estimate, first_full_month, forecast
from headframe.units import Wrong

MONTHS = 12
PATHS = 20_000


def history(until: datetime) -> tuple[Retarget, ...]:
    """Every retarget known by an instant: no forecast sees what came after it."""
    return tuple(row for row in (*retargets(), latest()) if row.at <= until)


@serialised
def make(office: Office, *, months: int = MONTHS, paths: int = PATHS) -> Forecast:
    """Forecast from the first full month ahead, and keep it with the hash of its inputs."""
    state = office.state()
    operation = office.settings().operation
    at = state.clock or office.now()
    made, inputs = _compute(operation, office, months, paths)
    body = {"forecast": to_json(made), "inputs_sha256": inputs}
    if state.forecast_inputs != inputs:
        office.record(Draft("forecast", body), at=at)
    return made


def current(office: Office) -> Forecast:
    """The forecast of the present inputs: the one kept, or a new one where anything changed."""
    state = office.state()
    if state.forecast is not None:
        wanted = _inputs(office.settings().operation, office, len(state.forecast.months), PATHS)
        if wanted == state.forecast_inputs:
            return state.forecast
    return make(office)


def _inputs(operation: Operation, office: Office, months: int, paths: int) -> str:
    state = office.state()
    at = state.clock or office.now()
    last = history(at)[-1]
    facts = {
        "operation": to_json(operation),
        "first": str(first_full_month(at)),
        "last_retarget": to_json(last),
        "months": months,
        "paths": paths,
        "seed": state.seed,
    }
    return sha256(canonical(facts))


def _compute(operation: Operation, office: Office, months: int, paths: int) -> tuple[Forecast, str]:
    state = office.state()
    at = state.clock or office.now()
    known = history(at)
    try:
        made = forecast(
            operation,
            first_full_month(at),
            as_of=at,
            last=known[-1],
            model=estimate(known),
            months=months,
            paths=paths,
            seed=state.seed,
        )
    except Wrong as error:
        raise Invalid(str(error)) from error
    return made, _inputs(operation, office, months, paths)
