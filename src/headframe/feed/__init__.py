"""Places we read: bytes in, values of the market and the mine out, everything doubtful named."""

from headframe.feed.chain_csv import read_chain_csv, write_chain_csv
from headframe.feed.deribit_summary import read_book_summary
from headframe.feed.esplora import AddressReceipts, ReceiptRules
from headframe.feed.fetch import (
    fetch_deliveries,
    fetch_funding,
    fetch_market,
    fetch_periods,
    fetch_receipts,
    fetch_settlement_prices,
    fetch_ticker,
)
from headframe.feed.files import market_from_text, read_text
from headframe.feed.pool import fetch_pool
from headframe.feed.sheets import read_table, write_table
from headframe.feed.tables import (
    mined_rows,
    read_blocks,
    read_history,
    telemetry_rows,
)

__all__ = [
    "AddressReceipts",
    "ReceiptRules",
    "fetch_deliveries",
    "fetch_funding",
    "fetch_market",
    "fetch_periods",
    "fetch_pool",
    "fetch_receipts",
    "fetch_settlement_prices",
    "fetch_ticker",
    "market_from_text",
    "mined_rows",
    "read_blocks",
    "read_book_summary",
    "read_chain_csv",
    "read_history",
    "read_table",
    "read_text",
    "telemetry_rows",
    "write_chain_csv",
    "write_table",
]
