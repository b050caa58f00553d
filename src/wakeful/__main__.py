"""`python -m wakeful` is the command `wakeful`."""

from __future__ import annotations

from wakeful.cli.main import main

if __name__ == "__main__":
    main(prog_name="wakeful")
