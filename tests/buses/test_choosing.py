"""Which bus a process uses, which installation it belongs to, and what is said about it."""

from __future__ import annotations

import platform
import sys
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from tests.buses.test_live_streams import Air

from wakeful.bootstrap.application import build_app
from wakeful.bootstrap.build import build_runtime
from wakeful.bootstrap.demo import demo_agents
from wakeful.bootstrap.install import install_name
from wakeful.bootstrap.masking import masked, masked_url
from wakeful.bootstrap.plugs import open_bus
from wakeful.buses.nats.address import read_address
from wakeful.cli.main import main
from wakeful.contracts.bus import NO_BUS, BusStatus
from wakeful.contracts.errors import ConfigurationError
from wakeful.runtime.config import RuntimeConfig
from wakeful.runtime.runtime import Runtime
from wakeful.server.config import ServerConfig
from wakeful.stores.sqlite.store import SQLiteStore
from wakeful.testing.clock import FakeClock

POSTGRES = "postgresql://me:secret@db.example.com/wakeful"


def test_a_url_names_servers_and_who_asks():
    address = read_address("tls://me:p%40ss@one.example.com:4222,[::1]:4223/production")

    assert address.servers == ("tls://one.example.com:4222", "tls://[::1]:4223")
    assert (address.user, address.password, address.token) == ("me", "p@ss", None)
    assert address.name == "production"
    assert read_address("nats://t0ken@host").token == "t0ken"
    assert read_address("nats://host").name is None


@pytest.mark.parametrize(
    "url",
    [
        "redis://me:secret@host",
        "nats:host",
        "nats://",
        "nats://me:secret@",
        "nats://me:secret@host:port",
        "nats://me:secret@host/a.b",
        "nats://me:secret@host/a/b",
        "nats://me:secret@host?x=1",
        "nats://me:sec/ret@host",
    ],
)
def test_another_url_is_refused_without_being_shown(url: str):
    with pytest.raises(ConfigurationError, match="expected one such as nats://") as refused:
        read_address(url)

    assert "sec" not in refused.value.message


def test_without_a_url_there_is_no_bus():
    assert build_runtime(agents=demo_agents()).bus is NO_BUS


@pytest.mark.parametrize("store", [None, "sqlite:///:memory:", "sqlite:///wakeful.db"])
def test_sqlite_has_no_use_for_a_bus(store: str | None):
    with pytest.raises(ConfigurationError, match="a bus is for processes that share PostgreSQL"):
        build_runtime(agents=demo_agents(), store=store, config=RuntimeConfig(bus="nats://host"))


def test_a_store_without_a_url_needs_a_bus_with_a_name():
    store = SQLiteStore(":memory:")

    with pytest.raises(ConfigurationError, match="the bus needs a name"):
        open_bus("nats://host", store, FakeClock())

    assert open_bus("nats://host/production", store, FakeClock()).status is not None


def test_a_missing_client_is_told_with_the_way_to_get_it(monkeypatch: pytest.MonkeyPatch):
    for name in [name for name in sys.modules if name.startswith("wakeful.buses")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "nats.aio.client", None)

    with pytest.raises(ConfigurationError, match=r'pip install "wakeful\[nats\]"'):
        open_bus("nats://host", POSTGRES, FakeClock())


@pytest.mark.parametrize("command", ["serve", "worker"])
def test_the_command_line_refuses_a_bus_it_cannot_use_without_showing_its_password(
    command: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("WAKEFUL_BUS", "")  # so that what the command sets is taken back

    result = CliRunner().invoke(main, [command, "--store", "sqlite:///:memory:", "--bus", "nats://me:secret@host"])

    assert result.exit_code == 1
    assert "share PostgreSQL" in result.output
    assert "secret" not in result.output


def test_one_database_is_one_installation_whoever_asks_and_however():
    name = install_name(POSTGRES)

    assert install_name("postgres://other:word@DB.example.com:5432/wakeful?pool_size=3&listen_url=x") == name
    assert install_name("postgresql:///wakeful?host=db.example.com") == name
    assert install_name("postgresql://a.example.com,b.example.com/w") == install_name(
        "postgresql://b.example.com,a.example.com:5432/w"
    )


@pytest.mark.parametrize("part", [("db.", "db2."), ("/wakeful", "/staging"), ("com/", "com:5433/")])
def test_another_database_is_another_installation(part: tuple[str, str]):
    assert install_name(POSTGRES.replace(*part)) != install_name(POSTGRES)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://localhost/wakeful",
        "postgresql://127.0.0.1/wakeful",
        "postgresql://[::1]:5432/wakeful",
        "postgresql:///wakeful",
        "postgresql:///wakeful?host=/run/postgresql",
        "postgresql://%2Frun%2Fpostgresql/wakeful",
    ],
)
def test_what_each_machine_calls_its_own_is_another_installation_on_each(url: str, monkeypatch: pytest.MonkeyPatch):
    here = install_name(url)
    monkeypatch.setattr(platform, "node", lambda: "another-machine")

    assert install_name(url) != here


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("nats://me:secret@host:4222/name", "nats://***@host:4222/name"),
        ("nats://s3cret@host", "nats://***@host"),
        ("tls://me:secret@one,two:4222", "tls://***@one,two:4222"),
        ("nats://host:4222", "nats://host:4222"),
    ],
)
def test_a_bus_is_shown_without_who_asks(url: str, shown: str):
    assert masked_url(url) == shown
    assert masked(f"from {url} to {POSTGRES}") == f"from {shown} to postgresql://me:***@db.example.com/wakeful"


def test_doctor_shows_which_bus_is_set_but_not_its_password(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("WAKEFUL_BUS", "nats://me:secret@host:4222")

    shown = CliRunner().invoke(main, ["doctor"]).output

    assert "setting WAKEFUL_BUS: nats://***@host:4222" in shown
    assert "secret" not in shown
    assert "secret" not in repr(RuntimeConfig())


class Told(Air):
    """A bus that is as the test says."""

    state: Any = "connected"

    @property
    def status(self) -> BusStatus:
        return BusStatus(self.state, 3, 5)


@pytest.mark.parametrize(("state", "gauge"), [("connected", "1.0"), ("degraded", "0.0")])
async def test_health_and_metrics_say_how_the_bus_is(listen: Any, state: str, gauge: str):
    plain = build_runtime(agents=demo_agents())
    bus = Told()
    bus.state = state
    runtime = Runtime(catalogs=plain.catalogs, store=plain.store, clock=plain.clock, config=plain.config, bus=bus)

    async with listen(build_app(runtime, ServerConfig())) as port, httpx.AsyncClient(trust_env=False) as client:
        health = await client.get(f"http://127.0.0.1:{port}/health")
        metrics = (await client.get(f"http://127.0.0.1:{port}/metrics")).text
        runtime.cut_off()

    assert health.status_code == 200
    assert health.json() == {"status": "healthy", "components": {"store": "ok", "runtime": "ok", "bus": state}}
    assert f"wakeful_bus_connected {gauge}\n" in metrics
    assert 'wakeful_bus_batches_total{way="sent"} 3.0\n' in metrics
    assert 'wakeful_bus_batches_total{way="heard"} 5.0\n' in metrics
