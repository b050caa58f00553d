"""Room card: testing.store_rules.

What is here: the rules of `StoreMachine`, one class per group of store methods, over the `driver` that makes the calls.
Start reading: `driver.py`, then `requests.py`.
May import: contracts, testing.
"""
