"""Room card: measures the server.

What is here: the cases of `python -m bench`, growth, soak, and what they share: a scripted model server, a client that
costs little, servers on cores of their own, CPU and memory from /proc, tables and saved results.
Start reading: `cases.py`.
May import: all of wakeful.
Invariant: every server, model and client is a process of its own, on loopback, and ends with what started it.
"""
