"""Room card: providers.openai_responses.

What is here: the OpenAI responses wire, stateless (`store: false`), with reasoning carried in the conversation.
Start reading: `provider.py`.
May import: contracts and the shared wire modules of `providers`.
Invariant: the vendor keeps nothing; encrypted reasoning goes back only to the provider that made it.
"""
