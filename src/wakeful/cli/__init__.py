"""Room card: cli.

What is here: the command line's door: `main` (the commands and their options), `commands` (what serving does),
`database` (what looking after a store does) with `moving` (copies one into another), `chat`, `doctor`, and `target`
(finds what a command was given). Start reading: `main.py`.
May import: embed, bootstrap and below.
Invariant: `main` imports nothing heavy, so that `--help` is instant.
"""
