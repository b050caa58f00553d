"""Room card: protocols.ai_sdk.

What is here: the Vercel AI SDK UI message stream, in the vocabulary of its major version 6, of 7 for clients that ask
for it with the header `x-wakeful-ai-sdk: 7`. `wire.py` has the shapes (`build.py` fills the larger ones), `decode.py`
reads a chat request, `encode.py` turns a run's log into chunks, `history.py` turns stored messages into UI messages,
`routes.py` serves them.
Start reading: `wire.py`, then `encode.py`.
May import: server, contracts.
Invariant: decode and encode are pure and await nothing; the id a stream gives a message is the id history gives it.
"""
