"""Places we read: bytes in, values of the market out, everything doubtful named."""

from headframe.feed.chain_csv import read_chain_csv
from headframe.feed.deribit_summary import read_book_summary
from headframe.feed.files import market_from_text, read_text

__all__ = ["market_from_text", "read_book_summary", "read_chain_csv", "read_text"]
