"""Room card: prices.

What is here: the plug that keeps the promise of `contracts/price.py` with the genai-prices package (`genai.py`).
Start reading: `genai.py`.
May import: contracts.
Invariant: knows prices from data that is installed; never asks the network, never guesses a price.
"""
