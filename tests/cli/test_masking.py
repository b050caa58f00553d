"""Passwords of store URLs are never shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from wakeful.bootstrap.masking import masked, masked_url
from wakeful.bootstrap.plugs import open_store
from wakeful.cli.main import main
from wakeful.contracts.errors import ConfigurationError

URLS = [
    ("postgresql://me:secret@host:5432/db", "postgresql://me:***@host:5432/db"),
    ("postgresql://me:sec:ret/with?all#of@it@host/db", "postgresql://me:***@host/db"),
    ("postgresql://me:two words secret@host/db", "postgresql://me:***@host/db"),
    ("postgresql://:secret@host/db", "postgresql://:***@host/db"),
    ("postgresql://host/db?user=me&password=secret&x=1", "postgresql://host/db?user=me&password=***&x=1"),
    ("postgresql://host/db?listen_url=postgresql%3A%2F%2Fme%3Asecret%40h", "postgresql://host/db?listen_url=***"),
    ("postgresql://me@host:5432/db?pool_size=3", "postgresql://me@host:5432/db?pool_size=3"),
    ("sqlite:///folder/wakeful.db", "sqlite:///folder/wakeful.db"),
]


@pytest.mark.parametrize(("url", "shown"), URLS)
def test_a_url_is_shown_without_its_password(url: str, shown: str):
    assert masked_url(url) == shown


def test_a_message_may_name_several_urls():
    said = masked("from postgresql://a:secret@one/db to postgresql://b:secret@two/db?password=secret by me@home")

    assert said == "from postgresql://a:***@one/db to postgresql://b:***@two/db?password=*** by me@home"


@pytest.mark.parametrize("url", ["mysql://host/db?password=secret", "mysql://me:two words secret@host/db"])
def test_a_url_of_no_store_is_refused_without_its_password(url: str):
    with pytest.raises(ConfigurationError, match=r"found 'mysql://.*\*\*\*") as refused:
        open_store(url)

    assert "secret" not in refused.value.message


@pytest.mark.parametrize(
    "store",
    [
        "mysql://me:secret@host/db",
        "mysql://host/db?password=secret",
        "postgresql://me:secret@127.0.0.1:1/db",
        "postgresql://me:secret@host:99999/db",
        "postgresql://127.0.0.1:1/db?password=secret&sslmode=nonsense",
        "postgresql://me:secret@127.0.0.1:1/db?pool_size=none",
    ],
)
@pytest.mark.parametrize(
    "command", [["db", "upgrade"], ["db", "sizes"], ["db", "copy", "sqlite:///x.db"], ["doctor"], ["chat"]]
)
def test_no_command_shows_a_password_in_its_errors(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], store: str
):
    monkeypatch.chdir(tmp_path)

    result = CliRunner().invoke(main, [*command, *([store] if "copy" in command else ["--store", store])])

    assert result.exit_code == 1
    assert "secret" not in result.output
