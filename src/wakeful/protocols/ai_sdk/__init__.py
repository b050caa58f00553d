"""Room card: protocols.ai_sdk.

What is here: the Vercel AI SDK UI message stream in the vocabularies of its majors 5, 6 and 7; a client says which it
speaks (`dialects.py`). `wire.py` has the shape of a request, `parts.py` those of UI messages, `chunks.py` those of the
stream; `build.py` fills the larger ones. `decode.py` reads a chat request. `encode.py` turns a run's log into chunks,
with `stream.py` (what is open), `calls.py` (tool calls), `values.py` (data and artifacts), `notices.py` (what is shown
beside the message) and `record.py` (what ends repeat). `history.py` turns stored messages into UI messages, with
`history_calls.py`. `routes.py` serves them.
Start reading: `parts.py`, then `encode.py`.
May import: server, contracts.
Invariant: decode and encode are pure and await nothing; the id a stream gives a message is the id history gives it,
and history has the parts the stream had, in their order.
"""
