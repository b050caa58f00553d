"""Room card: contracts.

What is here: the nouns (messages, events, runs, threads, specs), the tables of legal moves, the error tree
and the sockets that plugs fit into (`store.py` -> `stores/`, `bus.py` -> `buses/`, `model.py` -> `providers/`,
`backend.py` -> `backends/`, `tool_source.py` -> `plugins/`, `price.py` -> `prices/`). `document.py` is what protocols
and plugs keep beside the log, `signal.py` the word between processes, `portable.py` how a store moves house.
Start reading: `event.py`, then `run.py` and `lifecycle.py`, then `store.py` with `query.py`.
May import: nothing of ours.
Invariant: says what things are. No I/O, no clock, no function over 15 lines.
"""
