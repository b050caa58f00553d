"""Room card: pools.

What is here: models that stand in for one another: `pool` (a provider made of others), `homes` (who is asked first),
`breaker` (who is not asked for a while). Start reading: `pool.py`.
May import: contracts.
Invariant: a pool goes on to another model only while nothing of a reply was shown; after that the failure is the
engine's, which takes the text back before it asks again.
"""
