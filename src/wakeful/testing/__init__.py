"""Room card: testing.

What is here: what anyone needs to test against Wakeful: suites that prove a backend keeps its promises, and fakes.
Start reading: `store_suite.py`.
May import: contracts, and pytest and Hypothesis, which are needed only by who runs a suite.
Invariant: a suite knows the promise, never a backend.
"""
