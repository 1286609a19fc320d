"""Every rule of a mandate with its clause number; breaches sort by this order, most serious first."""

from enum import StrEnum


class Rule(StrEnum):
    """A rule and, as ``clause``, the number people cite it by."""

    NOT_SIGNED = "not_signed"
    NOT_IN_FORCE = "not_in_force"
    STRUCTURE_NOT_ALLOWED = "structure_not_allowed"
    VENUE_NOT_ALLOWED = "venue_not_allowed"
    BEYOND_HORIZON = "beyond_horizon"
    FIRM_ABOVE_P10 = "firm_above_p10"
    PUTS_ABOVE_P50 = "puts_above_p50"
    UNWIND_NOT_DEALABLE = "unwind_not_dealable"
    ABOVE_CEILING = "above_ceiling"
    BELOW_FLOOR = "below_floor"
    OVER_HEDGED = "over_hedged"
    TRACKING_TOO_LOOSE = "tracking_too_loose"
    R2_TOO_LOW = "r2_too_low"
    DEALER_NOT_APPROVED = "dealer_not_approved"
    LINE_EXCEEDED = "line_exceeded"
    CONCENTRATION = "concentration"
    TENOR_TOO_LONG = "tenor_too_long"
    SUBLIMIT_EXCEEDED = "sublimit_exceeded"
    GROUP_LINE = "group_line"
    PREMIUM_BUDGET = "premium_budget"
    MARGIN_STRESS = "margin_stress"
    MARGIN_NOT_FUNDED = "margin_not_funded"
    RESIDUAL_DEBIT = "residual_debit"
    TOO_FEW_DEALERS = "too_few_dealers"
    BLOCK_TOO_SMALL = "block_too_small"
    RFQ_ALREADY_LIVE = "rfq_already_live"
    REPEATED_TRADE = "repeated_trade"
    CLIP_TOO_SOON = "clip_too_soon"
    LAST_LOOK_REJECTIONS = "last_look_rejections"
    MARKET_STALE = "market_stale"
    QUIET_WINDOW = "quiet_window"
    MACRO_EVENT = "macro_event"
    WEEKEND = "weekend"
    SPREAD_TOO_WIDE = "spread_too_wide"
    SPOT_MOVED = "spot_moved"
    OPEN_INTEREST = "open_interest"
    BLACKOUT = "blackout"
    LENDER_MOST = "lender_most"
    LENDER_LEAST = "lender_least"
    LENDER_STRUCTURE = "lender_structure"
    NOT_A_PREPARER = "not_a_preparer"

    @property
    def clause(self) -> str:
        """The clause's number, as ``M-2.3``."""
        return _CLAUSES[self]


_CLAUSES = {
    Rule.NOT_SIGNED: "M-1.1",
    Rule.NOT_IN_FORCE: "M-1.2",
    Rule.STRUCTURE_NOT_ALLOWED: "M-1.3",
    Rule.VENUE_NOT_ALLOWED: "M-1.4",
    Rule.BEYOND_HORIZON: "M-1.5",
    Rule.BELOW_FLOOR: "M-2.1",
    Rule.ABOVE_CEILING: "M-2.2",
    Rule.FIRM_ABOVE_P10: "M-2.3",
    Rule.PUTS_ABOVE_P50: "M-2.4",
    Rule.OVER_HEDGED: "M-2.6",
    Rule.UNWIND_NOT_DEALABLE: "M-2.5",
    Rule.TRACKING_TOO_LOOSE: "M-3.1",
    Rule.R2_TOO_LOW: "M-3.2",
    Rule.DEALER_NOT_APPROVED: "M-4.1",
    Rule.LINE_EXCEEDED: "M-4.2",
    Rule.CONCENTRATION: "M-4.3",
    Rule.TENOR_TOO_LONG: "M-4.4",
    Rule.SUBLIMIT_EXCEEDED: "M-4.5",
    Rule.GROUP_LINE: "M-4.6",
    Rule.PREMIUM_BUDGET: "M-5.1",
    Rule.MARGIN_STRESS: "M-5.2",
    Rule.MARGIN_NOT_FUNDED: "M-5.3",
    Rule.RESIDUAL_DEBIT: "M-5.4",
    Rule.TOO_FEW_DEALERS: "M-6.1",
    Rule.BLOCK_TOO_SMALL: "M-6.2",
    Rule.RFQ_ALREADY_LIVE: "M-6.3",
    Rule.REPEATED_TRADE: "M-6.4",
    Rule.CLIP_TOO_SOON: "M-6.5",
    Rule.LAST_LOOK_REJECTIONS: "M-6.6",
    Rule.MARKET_STALE: "M-7.1",
    Rule.QUIET_WINDOW: "M-7.2",
    Rule.MACRO_EVENT: "M-7.3",
    Rule.WEEKEND: "M-7.4",
    Rule.SPREAD_TOO_WIDE: "M-7.5",
    Rule.SPOT_MOVED: "M-7.6",
    Rule.OPEN_INTEREST: "M-7.7",
    Rule.BLACKOUT: "M-7.8",
    Rule.NOT_A_PREPARER: "M-8.1",
    Rule.LENDER_LEAST: "M-10.1",
    Rule.LENDER_MOST: "M-10.2",
    Rule.LENDER_STRUCTURE: "M-10.3",
}
