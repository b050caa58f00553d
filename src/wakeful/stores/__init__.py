"""Room card: stores.

What is here: one folder per database, each keeping every promise of `contracts/store.py`, and what they share:
`named_sql` reads the queries, `rows` turns rows into nouns, `accepting` requests into runs, `packing` packs logs,
`answers` sorts answers, `bulk` sizes the pages of a move.
Start reading: `sqlite/store.py`.
May import: contracts.
Invariant: the only room with SQL; neither rows nor driver errors leave it.
"""
