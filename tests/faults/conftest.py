"""One PostgreSQL with a furnished hospital in it for all faults; every test gets a copy of its own."""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.faults.ledger import NOTED
from tests.faults.plant import Plant
from tests.faults.servers import Postgres, Redis
from tests.furnished import fill_file, fill_postgres, of_this_run

Make = Callable[..., Plant]


@pytest.fixture(autouse=True)
def _printed_at_the_end(figures: Callable[..., None]) -> Iterator[None]:
    yield
    while NOTED:
        row, counts = NOTED.pop()
        figures(row, **counts)


@pytest.fixture(scope="session")
def yard() -> Iterator[Path]:
    """A folder that the postgres user may pass through; pytest closes its own to everybody else with every run."""
    with tempfile.TemporaryDirectory(prefix="wardline-faults-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def postgres(yard: Path) -> Iterator[Postgres]:
    server = Postgres(yard / "postgres")
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGINT)


@pytest.fixture(scope="session")
def redis(yard: Path) -> Iterator[Redis]:
    server = Redis(yard)
    server.start()
    try:
        yield server
    finally:
        server.stop(signal.SIGTERM)


@pytest.fixture(scope="session")
def furnished(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database to copy."""
    on_server(postgres, "CREATE DATABASE furnished")
    fill_postgres(postgres.url("furnished"), of_this_run(tmp_path_factory.getbasetemp()))
    return "furnished"


@pytest.fixture
def on_postgres(postgres: Postgres, furnished: str, tmp_path: Path) -> Iterator[Make]:
    """`on_postgres()` is a hospital on a copy of the furnished database; nothing of it is left at the end."""
    plants: list[Plant] = []

    def make(redis_url: str = "", **environment: str) -> Plant:
        name = f"fault_{uuid4().hex[:12]}"
        on_server(postgres, f"CREATE DATABASE {name} TEMPLATE {furnished}")
        on_server(
            postgres, "CHECKPOINT"
        )  # a copied sequence logs its steps from here on; a crash before would set it back
        plants.append(Plant(tmp_path / name, postgres.url(name), redis_url, **environment))
        return plants[-1]

    try:
        yield make
    finally:
        for plant in plants:
            plant.stop()


@pytest.fixture
def on_sqlite(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    plants: list[Plant] = []
    run = of_this_run(tmp_path_factory.getbasetemp())

    def make(folder: Path | None = None, **environment: str) -> Plant:
        place = folder or tmp_path / f"lite_{len(plants)}"
        place.mkdir(parents=True, exist_ok=True)
        fill_file(place / "hospital.sqlite3", run)
        plants.append(Plant(place, f"sqlite:///{place / 'hospital.sqlite3'}", **environment))
        return plants[-1]

    try:
        yield make
    finally:
        for plant in plants:
            plant.stop()


def on_server(postgres: Postgres, statement: str) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        connection.execute(statement.encode())
