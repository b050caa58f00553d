"""Room card: testing.store_cases.

What is here: the tests of `contracts/store.py`, a file per subject, and the builders they share.
Start reading: `../store_suite.py`, which puts them together.
May import: contracts, pytest.
Invariant: tests only what the promise says; every test starts from an empty, open store.
"""
