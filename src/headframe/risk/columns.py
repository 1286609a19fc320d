"""Arrays of the engine's kernels by name: the results of paths, the paths walked, the legs of a hedge.

The kernels know places in an array; here each place has its name, and nothing else counts columns.
"""

from typing import NamedTuple

from headframe.numerics import Array, Singles
from headframe.risk.kernels import FIGURES


class PathFigures(NamedTuple):
    """Figures of the whole horizon, (paths,) each, in the order in which the kernel fills them."""

    end_price_usd: Singles | Array
    coins: Singles | Array
    sales_usd: Singles | Array
    costs_usd: Singles | Array
    hedge_usd: Singles | Array
    lowest_liquidity_unhedged_usd: Singles | Array
    lowest_liquidity_hedged_usd: Singles | Array
    liquidity_drawdown_unhedged_usd: Singles | Array
    liquidity_drawdown_hedged_usd: Singles | Array
    largest_cumulative_call_usd: Singles | Array


class PathResults(NamedTuple):
    """What a run keeps of its paths: figures of the horizon, and (paths, months) by month."""

    figures: PathFigures
    month_coins: Singles | Array
    month_unhedged_usd: Singles | Array
    month_hedged_usd: Singles | Array


class WalkedPaths(NamedTuple):
    """Prices of paths day by day and what marks need beside, (days + 1, paths) each: views, not copies."""

    price_usd: Array
    log_move: Array
    """The logarithm of the price over the start's."""
    variance_root4: Array
    """The fourth root of the variance a year."""
    carry_stray: Array
    """What the carry of forwards adds to today's."""


def results_by_name(results: Singles | Array) -> PathResults:
    """Return the results of a run, (paths, columns), by name."""
    months = (results.shape[1] - FIGURES) // 3
    ends = [FIGURES + months, FIGURES + 2 * months]
    return PathResults(
        figures=PathFigures(*results[:, :FIGURES].T),
        month_coins=results[:, FIGURES : ends[0]],
        month_unhedged_usd=results[:, ends[0] : ends[1]],
        month_hedged_usd=results[:, ends[1] :],
    )


def walked_by_name(walked: Array) -> WalkedPaths:
    """Return the paths walked, (days + 1, 4, paths), by name."""
    return WalkedPaths(*walked.swapaxes(0, 1))
