"""Room card: providers.demo.

What is here: the model that needs no key and no network; it understands a handful of sentences.
Start reading: `commands.py` for what it understands, then `provider.py` for what it does about it.
May import: contracts and the shared wire modules of `providers`.
Invariant: the same request gets the same reply, apart from the ids of its calls.
"""
