"""Room card: providers.

What is here: the plugs that keep the promise of `contracts/model.py`, one vendor wire each. `openai`,
`openai_responses`, `anthropic` and `pydantic_ai` hold the same three files: `provider` (the class), `prompt` (our
request into the vendor's) and `reply` (the vendor's stream into our chunks). `scripted` and `demo` need no vendor.
Shared wire modules: `vendor` (what asking one endpoint with one key takes), `http` (one POST, read as it arrives),
`sse`, `failures` (statuses and error bodies into `ModelError`s), `sources` (what a reply cites), `generated` (files it
made), `call_ids`, `parts`, `words`.
Start reading: `openai/provider.py`, then `vendor.py` and `http.py`.
May import: contracts, and the shared wire modules above; never another provider.
Invariant: asks once. No retry, no sleep, no environment; every failure is a `ModelError` without a secret in it.
"""
