"""Room card: cli.

What is here: the command line's door: `main` (the commands and their options), `commands` (what serving and looking
after a store do), `chat`, `doctor`, and `target` (finds what a command was given). Start reading: `main.py`.
May import: embed, bootstrap and below.
Invariant: `main` imports nothing heavy, so that `--help` is instant.
"""
