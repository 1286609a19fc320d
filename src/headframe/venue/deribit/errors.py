"""The venue's error table: what each code means for us, and what to do about it.

Source: docs.deribit.com, "RPC error codes". A code is one of three things: refused (nothing was done;
asking again as it is will not help, or only later), unknown (it may have been done), malformed (we and
the venue do not understand each other; a person must look). Codes that are not listed are refusals.
"""

from headframe.desk.ports import Broken, Malformed, Refused, Unreachable

_UNKNOWN = {
    -32603: "an internal error of the venue: whether it was done is not known",
    10001: "an error of the venue without a name: whether it was done is not known",
    11031: "an error of the venue without a name: whether it was done is not known",
    13888: "the venue's matching engine did not answer in time: whether it was done is not known",
}
_MISUNDERSTOOD = {
    -32700: "the venue could not read what was sent",
    -32600: "the venue took the frame for no request, or for too large a one",
    -32601: "the venue does not know this method: is the base URL one of Deribit's API?",
}
_TABLE = """
-32602 a parameter is missing or out of its bounds
-32000 the venue could not serve the request now; wait before asking again
10000 sign in first: the session has no credentials
10002 the size is below the venue's least
10003 the order would trade with one of our own
10004 the venue knows no such order of ours
10005 the price is too low for the venue's band
10006 the price is too low for the index
10007 the price is too high for the venue's band
10008 the price is too high for the index
10009 not enough funds at the venue: move collateral there first
10010 it was closed already
10011 the venue does not allow this price
10012 the book is closed
10013 too many open orders in all
10014 too many open orders of futures
10015 too many open orders of options
10016 too much in open orders of futures
10017 too much in open orders of options
10018 the position would exceed the venue's limit
10019 the venue has locked the account: call it
10020 the venue does not trade this instrument
10021 the size is below the venue's least block or not in whole ratios
10022 the quantity is not one the venue takes
10023 the price is not one the venue takes
10024 the shown amount is not one the venue takes
10025 the order's id is not one of the venue's
10026 the price has too many decimals
10027 the amount is not in whole contracts
10028 too many requests: the venue ends the session; wait before asking again
10029 the order is not ours
10030 this needs a WebSocket
10031 the arguments do not fit the instrument
10032 the order is worth too little
10033 the venue does not offer this yet
10034 the trigger price is too high
10035 the trigger price is too low
10036 the shown amount is not one the venue takes
10037 too many short options for a standard margin account
10038 only so many orders that reduce risk
10039 not enough funds in this currency at the venue
10040 the venue asks to try again later
10041 the venue settles (about 08:00 UTC): ask again in a minute
10043 the price is not on the tick
10044 the trigger price is not on the tick
10045 a liquidation order cannot be cancelled
10046 a liquidation order cannot be edited
10047 the matching engine's queue is full: wait before asking again
10048 not on this server: is the base URL right?
10049 cancel on disconnect could not be set
10066 too many requests at once: wait before asking again
10072 switched off while the position is locked
11008 it was filled already
11013 too many open spot orders
11021 a post-only order's price cannot be changed
11022 too large a spot order
11029 the venue does not accept these arguments together
11030 the venue rejected it without a reason
11035 too many trigger orders
11036 the trigger price is not one the venue takes
11037 the instrument is outdated for an order in volatility
11038 no advanced orders on futures
11039 no advanced post-only orders
11041 not an advanced order
11042 the key may not do this
11043 an argument is wrong
11044 the request is no longer open
11045 the event is not one the venue knows
11046 the instrument has expired
11047 these arguments do not go together
11048 the shown amount is wrong for an option
11049 arguments are wrong
11050 the request is badly made
11051 the venue is under maintenance
11052 the subscription failed
11053 no such transfer
11054 a post-only order would have traded at once
11055 post-only is not allowed here
11056 the venue serves only signed-in callers now
12001 too many accounts below this one
12998 the security key is wrong
12999 the security key is wrong
13004 the credentials are wrong
13005 the password does not match
13006 a security check failed: look at the venue's own page
13007 no such user
13008 the request failed at the venue
13009 the session is not signed in, or its scope lacks what this needs
13010 a value is missing
13011 a value is too short
13012 not for a subaccount
13020 the venue found nothing under this name
13021 the key's scope lacks what this needs
13025 the venue has switched this method off
13028 not available for the moment: wait before asking again
13030 the maker's protection has tripped
13031 the account must be verified first
13032 an order carries this label already
13034 no more security keys
13035 too many active combos
13036 not for combo books
13037 the account's papers are not complete: call the venue
13040 the maker's protection must be set first
13042 cancel on disconnect is not on
13043 the maker's quotes are frozen
13403 the token's scope is exceeded
13503 not available
13666 the user took the request back
13777 it was replaced
13778 this subscription needs a signed-in session
13780 too many moves of positions
13901 no more linked orders
13902 this mass cancel is limited
13903 no trade at this price now
13904 no such request for quotes is open to us
13905 too many quotes on one request
13906 too many quotes on one side of a request
13907 not filled whole at this price, or too many open requests: the message says which
13910 our own quotes would cross
13917 the account's limit of quotes is reached
13918 inverse futures cannot be crossed here
"""
ADVICE: dict[int, str] = (
    _UNKNOWN
    | _MISUNDERSTOOD
    | {
        int(code): words
        for code, _, words in (line.partition(" ") for line in _TABLE.split("\n") if line)
    }
)
LATER = frozenset({-32000, 10028, 10040, 10041, 10047, 10066, 11051, 13028})
"""Refusals that pass by themselves."""


class VenueError(Refused):
    """The venue's own refusal, with its code."""

    def __init__(self, code: int, message: str, reason: str = "") -> None:
        super().__init__(_words(code, message, reason))
        self.code = code
        self.message = message
        self.passes = code in LATER


def error_of(code: int, message: str, reason: str = "") -> Broken:
    """What an error of the venue is to us."""
    if code in _UNKNOWN:
        return Unreachable(_words(code, message, reason))
    if code in _MISUNDERSTOOD:
        return Malformed(_words(code, message, reason))
    return VenueError(code, message, reason)


def _words(code: int, message: str, reason: str) -> str:
    advice = f" ({ADVICE[code]})" if code in ADVICE else ""
    detail = f": {reason}" if reason else ""
    return f"the venue refused with {code} {message}{detail}{advice}"
