"""The commands of docs/configuration.md, typed into a shell."""

from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

DOCUMENT = Path(__file__).parents[3] / "docs" / "configuration.md"
pytestmark = [
    pytest.mark.network,
    pytest.mark.skipif(not (shutil.which("bash") and shutil.which("curl")), reason="needs bash and curl"),
]


async def test_the_walk_in_the_documentation_can_be_walked(start: Any) -> None:
    server = await start(
        "-m", "wakeful", "serve", "--port", "0", "--store", "sqlite:///:memory:", WAKEFUL_ADMIN_TOKEN="s3cret"
    )
    blocks = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    script = "\n".join(blocks).replace("http://127.0.0.1:3000", await server.base())

    shell = await asyncio.create_subprocess_exec(
        "bash", "-euo", "pipefail", "-c", script, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    async with asyncio.timeout(60):
        said = (await shell.communicate())[0].decode()

    assert shell.returncode == 0, said
    assert "get_weather" in said
    assert "somebody was faster" in said
    assert "refused" in said
    assert '"action":"restore"' in said
    assert len(blocks) == 8
