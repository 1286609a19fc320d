"""From a snapshot to a surface: which quotes are believed, and what had to be mended."""

from math import log, sqrt

from headframe.market import Finding, Flaw, ForwardQuote, OptionQuote, Snapshot, TypedSmile
from headframe.numerics import quantile
from headframe.pricing.smile import Smile, Surface, without_calendar_arbitrage
from headframe.units import Wrong, expiry_label, year_fraction

_VOL_RANGE = (0.02, 4.0)
_NODES_MAX = 60


def surface_of(snapshot: Snapshot) -> tuple[Surface, tuple[Finding, ...]]:
    """The surface a snapshot supports, and what it took to make it free of calendar arbitrage."""
    raw: list[Smile] = []
    found: list[Finding] = []
    for forward in snapshot.forwards:
        smile = _smile(snapshot, forward)
        if smile is None:
            found.append(
                Finding(
                    Flaw.MISSING, expiry_label(forward.expiry), "no usable volatility: left out"
                )
            )
        else:
            raw.append(smile)
    if not raw:
        raise Wrong("the market holds no expiry with a usable volatility")
    smiles, raised = without_calendar_arbitrage(tuple(raw))
    if raised:
        found.append(
            Finding(
                Flaw.CALENDAR, "surface", f"total variance raised at {raised} nodes to rise in time"
            )
        )
    return Surface(as_of=snapshot.as_of, spot=snapshot.index, smiles=smiles), tuple(found)


def _smile(snapshot: Snapshot, forward: ForwardQuote) -> Smile | None:
    years = year_fraction(snapshot.as_of, forward.expiry)
    if years <= 0.0:
        return None
    typed = next((s for s in snapshot.typed if s.expiry == forward.expiry), None)
    nodes = (
        _typed_nodes(typed, years)
        if typed is not None
        else _quoted_nodes(snapshot.options, forward, years)
    )
    if not nodes:
        return None
    return Smile(
        expiry=forward.expiry,
        forward=forward.price,
        years=years,
        moneyness=tuple(k for k, _ in nodes),
        variance=tuple(variance for _, variance in nodes),
    )


def _typed_nodes(typed: TypedSmile, years: float) -> list[tuple[float, float]]:
    nodes: list[tuple[float, float]] = []
    for delta, vol in typed.vols:
        deviation = vol * sqrt(years)
        k = 0.0 if delta is None else 0.5 * deviation**2 - quantile(delta) * deviation
        nodes.append((k, deviation**2))
    return sorted(nodes)


def _quoted_nodes(
    quotes: tuple[OptionQuote, ...], forward: ForwardQuote, years: float
) -> list[tuple[float, float]]:
    """Out-of-the-money volatilities of quotes that somebody bids for or asks, by moneyness."""
    nodes: dict[float, float] = {}
    for quote in quotes:
        otm = quote.is_call == (quote.strike >= forward.price)
        alive = quote.expiry == forward.expiry and otm and bool(quote.bid or quote.ask)
        if alive and quote.vol is not None and _VOL_RANGE[0] <= quote.vol <= _VOL_RANGE[1]:
            nodes[log(quote.strike / forward.price)] = quote.vol**2 * years
    ordered = sorted(nodes.items())
    step = -(-len(ordered) // _NODES_MAX)
    return ordered[::step] if step > 1 else ordered


def parity_forward(quotes: tuple[OptionQuote, ...], index: float) -> float | None:
    """The forward that put-call parity of coin-settled marks implies: c - p = 1 - K/F, near the money.

    The median over the five strikes nearest to the index that carry both marks.
    """
    puts = {quote.strike: quote.mark for quote in quotes if not quote.is_call}
    pairs = [
        (abs(log(quote.strike / index)), quote.strike, quote.mark - put)
        for quote in quotes
        if quote.is_call and quote.mark is not None and (put := puts.get(quote.strike)) is not None
    ]
    implied = sorted(strike / (1.0 - gap) for _, strike, gap in sorted(pairs)[:5] if gap < 1.0)
    return implied[len(implied) // 2] if implied else None
