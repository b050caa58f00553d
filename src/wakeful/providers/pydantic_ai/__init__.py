"""Room card: providers.pydantic_ai.

What is here: the bridge to pydantic-ai's model classes, for every vendor without a wire of our own.
Start reading: `provider.py`.
May import: contracts and the shared wire modules of `providers`.
Invariant: pydantic-ai carries one request; its agents, retries and history are not used.
"""
