"""Room card: protocols.a2a.

What is here: A2A 1.0 and 0.3 beside it, each over JSON-RPC and HTTP+JSON. A task is a run, a context a thread, a tenant
an agent.
In: `wire.py` has the shapes, `decode.py` reads requests; `questions.py` says how a waiting task is answered and reads
the answer; `legacy.py` translates 0.3 over JSON-RPC and `legacy_proto.py` 0.3 over HTTP+JSON, both ways.
Out: `task.py` folds a run's log into a task, `encode.py` shows what each event changes of it; `history.py` has a task's
messages, `faults.py` the error table, `card.py` the agent cards, `card_key.py` and `signing.py` their signatures.
Between: `tasks.py` has the operations both bindings offer, `listing.py` the list of tasks, `push.py` the subscriptions
to notifications and `delivery.py` what brings these out. `rpc.py`, `rest.py` and `legacy_rest.py` are the bindings,
`routes.py` all of them.
Start reading: `tasks.py`, then `task.py`.
May import: server, contracts.
Invariant: decode and encode are pure; every task a client sees is a fold over the log, so any process shows the same.
"""
