"""The chart of accounts. Debits are positive: what we own rises, what we owe and earn falls."""

from headframe.units import Month

COINS_FREE = "assets:coins:free"
COINS_PLEDGED = "assets:coins:pledged"
CASH = "assets:cash"
LOAN = "liabilities:loan"
CREDIT_LINE = "liabilities:credit line"
OPENING = "equity:opening"


class Accounts:
    """Accounts that carry a name: of a venue, a dealer, a trade or a month."""

    CONVERSION = "equity:conversion"
    CAPITAL = "equity:capital"
    MINED = "income:mined"
    INTEREST = "income:interest"
    OVERDUE = "liabilities:overdue"
    PREFIXES = ("assets:", "liabilities:", "equity:", "income:", "expenses:", "promises:")
    NEVER_NEGATIVE = ("assets:", "promises:firm", "promises:floored")

    @staticmethod
    def coins_posted(venue: str) -> str:
        """Coins a venue holds as margin."""
        return f"assets:coins:posted:{venue}"

    @staticmethod
    def coins_lent(name: str) -> str:
        """Coins a counterparty has borrowed of us."""
        return f"assets:coins:lent:{name}"

    @staticmethod
    def cash_posted(dealer: str) -> str:
        """Dollars a dealer holds as our collateral."""
        return f"assets:cash:posted:{dealer}"

    @staticmethod
    def cash_held(dealer: str) -> str:
        """Dollars of a dealer we hold as its collateral, and owe back."""
        return f"liabilities:collateral:{dealer}"

    @staticmethod
    def receivable(dealer: str) -> str:
        """Premium and fees that a dealer owes us until their value date."""
        return f"assets:receivable:{dealer}"

    @staticmethod
    def payable(dealer: str) -> str:
        """Premium and fees that we owe a dealer until their value date."""
        return f"liabilities:payable:{dealer}"

    @staticmethod
    def interest_receivable(name: str) -> str:
        """Interest on our collateral that has accrued and is not paid yet."""
        return f"assets:receivable:interest:{name}"

    @staticmethod
    def interest_payable(name: str) -> str:
        """Interest that we owe to a dealer or a lender and have not paid yet."""
        return f"liabilities:interest:{name}"

    @staticmethod
    def hedge(trade: str) -> str:
        """What a trade brought in, premium and settlements together."""
        return f"income:hedge:{trade}"

    @staticmethod
    def expense(what: str) -> str:
        """A kind of cost."""
        return f"expenses:{what}"

    @staticmethod
    def firm(month: Month) -> str:
        """Coins of a month sold forward or called: promised to be delivered on a rally."""
        return f"promises:firm:{month}"

    @staticmethod
    def floored(month: Month) -> str:
        """Coins of a month under bought puts alone: protected, not promised."""
        return f"promises:floored:{month}"

    @staticmethod
    def production(month: Month) -> str:
        """The month's future production out of which promises are made."""
        return f"promises:production:{month}"
