"""Room card: stores.

What is here: one folder per database, each keeping every promise of `contracts/store.py`; `named_sql` reads the
queries of all.
Start reading: `sqlite/store.py`.
May import: contracts.
Invariant: the only room with SQL; neither rows nor driver errors leave it.
"""
