"""Reading a market file: which of the known shapes it has."""

from datetime import datetime
from pathlib import Path

from headframe.codec import cells_of
from headframe.feed.chain_csv import read_chain_csv
from headframe.feed.deribit_summary import read_book_summary
from headframe.feed.typed_csv import COLUMNS, read_typed_csv
from headframe.market import Snapshot
from headframe.units import Wrong

_LARGEST = 64 * 1024 * 1024


def read_text(path: Path) -> str:
    """The text of a file, or Wrong with what is the matter with it."""
    try:
        if path.stat().st_size > _LARGEST:
            raise Wrong(f"{path.name} is over 64 MiB; give a smaller file")
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise FileNotFoundError(f"there is no file {path}") from error
    except (OSError, UnicodeDecodeError) as error:
        raise Wrong(f"{path.name} cannot be read as text: {error}") from error


def market_from_text(text: str, *, name: str, as_of: datetime | None) -> Snapshot:
    """A snapshot from a CSV option chain, from typed figures, or from the JSON of a book summary."""
    if text.lstrip()[:1] in {"{", "["}:
        return read_book_summary(text, name=name, as_of=as_of)
    header, _ = cells_of(text, name)
    if set(COLUMNS) <= {column.lower() for column in header}:
        return read_typed_csv(text, name=name)
    return read_chain_csv(text, name=name)
