"""The store URL: what it may say, and that nobody is shown a password."""

from __future__ import annotations

import pytest

from wakeful.bootstrap.plugs import open_store
from wakeful.contracts.errors import ConfigurationError
from wakeful.stores.postgres.address import read_address
from wakeful.stores.postgres.store import PostgresStore

PLAIN = "postgresql://ann:secret@db:5432/wakeful"


def test_a_plain_url_is_the_drivers_and_has_defaults():
    address = read_address(PLAIN)

    assert (address.dsn, address.listen_dsn, address.name) == (PLAIN, PLAIN, "wakeful")
    assert (address.pool_size, address.pool_timeout, address.pooled) == (10, 3.0, False)


def test_our_parameters_are_taken_out_and_the_drivers_stay():
    address = read_address(f"{PLAIN}?pool_size=4&sslmode=require&pool_timeout=0.5&host=%2Frun%2Fpg")

    assert address.dsn == f"{PLAIN}?sslmode=require&host=%2Frun%2Fpg"
    assert (address.pool_size, address.pool_timeout) == (4, 0.5)


def test_behind_a_pooler_the_listener_has_a_url_of_its_own():
    address = read_address(
        f"{PLAIN}?pgbouncer=true&listen_url=postgres%3A%2F%2Fann%3Ap%2540w%40direct%2Fwakeful%3Fa%3Db"
    )

    assert (address.dsn, address.pooled) == (PLAIN, True)
    assert address.listen_dsn == "postgres://ann:p%40w@direct/wakeful?a=b"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        (f"{PLAIN}?pool_size=0", "pool_size to be a number from 1 to 9999, found pool_size=0"),
        (f"{PLAIN}?pool_size=many", "found pool_size=many"),
        (f"{PLAIN}?pool_timeout=nan", "found pool_timeout=nan"),
        (f"{PLAIN}?pgbouncer=yes", "pgbouncer=true or pgbouncer=false, found pgbouncer=yes"),
        (f"{PLAIN}?pgbouncer=true", "listen_url=<the percent-encoded URL"),
        (f"{PLAIN}?listen_url=nats://secret@x", "found scheme 'nats'"),
        ("postgresql://ann:sec/ret-secret@db/wakeful", "percent-encoded, found another port"),
        ("postgresql://ann:secret@db:99999/wakeful", "a port number after each host"),
        ("postgresql://ann:secret@one:5432,two:x/wakeful", "a port number after each host"),
        ("postgresql:secret", "found scheme 'postgresql'"),
        ("postgresql://ann:secret@[db/wakeful", "found one that cannot be read"),
    ],
)
def test_a_wrong_url_is_refused_without_showing_it(url: str, message: str):
    with pytest.raises(ConfigurationError) as caught:
        read_address(url)

    assert message in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("hosts", ["", "db", "db:5432", "one:5432,two", "[::1]:65535", "[::1]", "10.0.0.1:1"])
def test_hosts_may_be_many_and_have_ports(hosts: str):
    url = f"postgresql://ann:secret@{hosts}/wakeful"

    assert read_address(url).dsn == url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres"])
def test_a_postgres_url_opens_this_store(scheme: str):
    assert isinstance(open_store(f"{scheme}://ann:secret@db/wakeful"), PostgresStore)


def test_a_scheme_of_another_driver_is_refused_without_the_password():
    with pytest.raises(ConfigurationError, match="expected a store URL") as caught:
        open_store("postgresql+asyncpg://ann:se@cret@db/wakeful")

    assert "cret" not in str(caught.value)
