"""Room card: sdk.

What is here: what an author writes with, `@tool` (`tool.py`) and `Agent` (`agent.py`).
Start reading: `tool.py`, then `signature.py` for how a signature becomes a JSON Schema and `thread.py` for where
synchronous tools run.
May import: contracts.
Invariant: a mistake of the author is a `ConfigurationError` at import time, never a surprise in a run.
"""
