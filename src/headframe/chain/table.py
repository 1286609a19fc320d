"""Every chain known here; a new one is its own file and one row."""

from types import MappingProxyType

from headframe.chain.bitcoin import BITCOIN
from headframe.chain.bitcoin_cash import BITCOIN_CASH
from headframe.chain.dogecoin import DOGECOIN
from headframe.chain.ethereum_classic import ETHEREUM_CLASSIC
from headframe.chain.kaspa import KASPA
from headframe.chain.litecoin import LITECOIN
from headframe.chain.monero import MONERO
from headframe.chain.rule import Chain
from headframe.chain.zcash import ZCASH
from headframe.units import Wrong

CHAINS = MappingProxyType(
    {
        chain.coin: chain
        for chain in (
            BITCOIN,
            LITECOIN,
            DOGECOIN,
            BITCOIN_CASH,
            ETHEREUM_CLASSIC,
            KASPA,
            ZCASH,
            MONERO,
        )
    }
)


def chain_of(coin: str) -> Chain:
    """The chain of a coin; Wrong where it is not known."""
    found = CHAINS.get(coin.upper()) if len(coin) < 12 else None
    if found is None:
        raise Wrong(f"coin must be one of {', '.join(CHAINS)}, was {coin[:20]!r}")
    return found
