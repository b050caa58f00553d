"""Which links to files are admitted, by their host and their declared type."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from wakeful.contracts.errors import BadRequest
from wakeful.contracts.message import FilePart
from wakeful.server.config import ServerConfig
from wakeful.server.files import MAX_FILES, FileHosts, Files

HOSTS = FileHosts(["files.example.com", "*.cdn.example", "box.example:8443", "203.0.113.5", "[2001:db8::1]:8443"])


def admit(url: str, media_type: str | None = "image/png", hosts: FileHosts = HOSTS) -> FilePart:
    return Files(hosts).admit_url(url, media_type=media_type, filename="a.png")


@pytest.mark.proves("S26")
@pytest.mark.parametrize(
    "url",
    [
        "https://files.example.com/a.png",
        "HTTPS://Files.Example.Com:443/a.png?sig=a%20b@c#top",
        "https://files.example.com",
        "https://files.example.com?a=1",
        "https://a.cdn.example/x",
        "https://a.b.cdn.example/x",
        "https://box.example:8443/x",
        "https://203.0.113.5/x",
        "https://[2001:DB8::1]:8443/x",
    ],
)
def test_a_link_to_a_listed_host_is_admitted_as_it_is(url: str):
    assert admit(url) == FilePart("image/png", url, "a.png")


@pytest.mark.proves("S26")
@pytest.mark.parametrize(
    "url",
    [
        "http://files.example.com/a.png",
        "ftp://files.example.com/a.png",
        "https://example.com/a.png",
        "https://cdn.example/x",
        "https://evilcdn.example/x",
        "https://a.cdn.example.evil.test/x",
        "https://files.example.com:8443/a.png",
        "https://box.example/x",
        "https://203.0.113.6/x",
        "https://[2001:db8::1]/x",
        "https://user@files.example.com/x",
        "https://files.example.com@evil.test/x",
        "https://files.example.com:443@evil.test/x",
        "https://files.example.com\\@evil.test/x",
        "https://evil.test\\.cdn.example/x",
        "https://files.example.com/\\evil",
        "https://files.example.com/a b",
        "https://files.example.com/a\nb",
        "https://files.example.com/a\r\nx: y",
        "https://files.example.com/ä",
        "https://ﬁles.example.com/a",
        "https:///a.png",
        "https:files.example.com/a",
        "https://files.example.com:/x",
        "https://files.example.com/" + "x" * 3000,
    ],
)
def test_every_other_link_is_refused_with_what_is_allowed(url: str):
    with pytest.raises(BadRequest, match=r"linked from an allowed host: expected .* https URL of files\.example\.com"):
        admit(url)


def test_without_listed_hosts_only_inline_files_are_admitted():
    with pytest.raises(BadRequest, match="must be sent inline: expected data:"):
        admit("https://files.example.com/a.png", hosts=FileHosts())


@pytest.mark.parametrize(
    ("declared", "kept"),
    [
        (None, "*/*"),
        ("", "*/*"),
        ("image", "image/*"),
        ("image/*", "image/*"),
        ("Image/PNG; q=1", "image/png"),
        ("application/pdf", "application/pdf"),
    ],
)
def test_a_links_type_may_be_left_to_its_host(declared: str | None, kept: str):
    assert admit("https://files.example.com/a", declared).media_type == kept


def test_a_link_of_an_unknown_type_is_refused():
    with pytest.raises(BadRequest, match=r"'application/zip' are not accepted; expected one of image/\*"):
        admit("https://files.example.com/a.zip", "application/zip")


def test_links_and_inline_files_count_together():
    files = Files(HOSTS)
    for number in range(MAX_FILES):
        url = "data:image/png;base64,eA==" if number % 2 else "https://files.example.com/a.png"
        files.admit_url(url, media_type="image/png", filename=None)

    with pytest.raises(BadRequest, match="too many files"):
        files.admit_url("https://files.example.com/a.png", media_type="image/png", filename=None)


def test_the_hosts_are_a_setting():
    assert ServerConfig(file_hosts=("Files.Example.Com", "*.cdn.example:8443")).file_hosts[0] == "Files.Example.Com"
    assert admit("https://files.example.com/", hosts=FileHosts(["Files.Example.Com"]))


@pytest.mark.parametrize(
    "host",
    ["", "*", "*.", "https://files.example.com", "files.example.com/", "a b", "*.4", "*.1.2.3.4", "a:b", "user@a"],
)
def test_a_host_that_is_none_is_refused_as_a_setting(host: str):
    with pytest.raises(ValidationError, match="a file host is"):
        ServerConfig(file_hosts=(host,))
