"""Room card: sdk.

What is here: what an author writes with: `@tool` (`tool.py`), `Agent` (`agent.py`), `@agent` for agents of code
(`function_agent.py`, and `yields.py` for what they yield), `Exposed` with `@resource` and `@prompt` (`exposure.py`).
Start reading: `tool.py`, then `signature.py` for how a signature becomes a JSON Schema and `thread.py` for where
synchronous tools run; `function_agent.py`.
May import: contracts.
Invariant: a mistake of the author is a `ConfigurationError` at import time, never a surprise in a run.
"""
