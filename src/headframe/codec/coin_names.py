"""Which coin a row names, whatever its column is called: a row's coin is read, never taken for granted."""

from collections.abc import Iterable, Mapping

from headframe.chain import CHAINS

COIN_FIELDS = (
    "coin", "coinName", "coin_name", "coinSymbol", "coin_symbol", "coinType", "coin_type",
    "cryptocurrency", "currency", "currencyCode", "currency_code", "asset", "symbol", "ticker",
)  # fmt: skip
"""Usual names of the field, the surest first."""
COIN_COLUMNS = tuple(dict.fromkeys(name.lower() for name in COIN_FIELDS))
"""The same as the headers of tables have them."""
_CODES = {
    name.casefold(): chain.coin
    for chain in CHAINS.values()
    for name in (chain.coin, chain.name, *(("XBT",) if chain.coin == "BTC" else ()))
}


def coin_named(word: str) -> str:
    """Return the code of a coin by its code or name; the word itself where it is no coin known here."""
    return _CODES.get(word.strip().casefold(), word.strip())


def coin_in(row: Mapping[str, object], fields: Iterable[str]) -> str | None:
    """Return what a row calls its coin in the first of some fields that says one; None where none does."""
    for name in fields:
        said = row.get(name)
        if isinstance(said, str) and said.strip():
            return said.strip()
    return None
