"""Room card: providers.anthropic.

What is here: the Anthropic messages wire, with thinking blocks carried in the conversation.
Start reading: `provider.py`.
May import: contracts and the shared wire modules of `providers`.
Invariant: a thinking block goes back exactly as it came, with its proof, to the provider that made it, or not at all.
"""
