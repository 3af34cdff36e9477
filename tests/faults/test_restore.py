"""A backup taken while reports and photos come in; restored, it is a moment that was: counts, references and chain."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import Make
from tests.faults.ledger import count, note
from tests.faults.load import Load
from tests.faults.plant import Plant
from tests.faults.servers import Postgres, until

pytestmark = pytest.mark.faults
LEFT_BEHIND = {"django_session", "kernel_lease"}


def manifest(file: Path) -> dict[str, Any]:
    return dict(json.loads(zipfile.ZipFile(file).read("manifest.json")))


def rows_in(plant: Plant, told: dict[str, Any]) -> dict[str, int]:
    names = [
        name.removeprefix("tables/").removesuffix(".jsonl") for name in told["members"] if name.startswith("tables/")
    ]
    return {name: plant.number(f'SELECT count(*) FROM "{name}"') for name in names}  # noqa: S608


def saved_under_load(plant: Plant, folder: Path, backups: int) -> tuple[Load, list[Path]]:
    plant.start("web-1", "clock-1")
    load, files = Load(plant, clients=3, pause=0.05), []
    with load.running():
        for turn in range(backups):
            until(lambda turn=turn: len(load.acknowledged) > 10 * (turn + 1), "the flow of reports")
            files.append(folder / f"{turn}.wardline")
            plant.manage("backup", str(files[-1]))
    plant.all_numbered()
    plant.kill("web-1")
    plant.kill("clock-1")
    return load, files


def restored(target: Plant, file: Path) -> tuple[bool, bool]:
    """Whether counts and chain of the restored database are those of the file."""
    target.manage("restore", str(file), "--replace")
    told = manifest(file)
    expected = {
        name.removeprefix("tables/").removesuffix(".jsonl"): member["rows"]
        for name, member in told["members"].items()
        if name.startswith("tables/")
    }
    again = file.with_suffix(".again")
    target.manage("backup", str(again))
    same = manifest(again)["members"] == told["members"]
    return rows_in(target, told) == expected and same, target.chain_is_whole()


@pytest.mark.parametrize("kind", [pytest.param("postgresql", marks=pytest.mark.lengthy), "sqlite"])
def test_a_backup_under_load_restores_to_a_moment_that_was(
    on_postgres: Make, on_sqlite: Make, postgres: Postgres, tmp_path: Path, kind: str
) -> None:
    source = on_postgres() if kind == "postgresql" else on_sqlite()
    backups = count(1, 10)
    load, files = saved_under_load(source, tmp_path, backups)
    targets = {"postgresql": on_postgres() if count(0, 1) or kind == "postgresql" else None, "sqlite": on_sqlite()}

    equal = whole = tried = 0
    for file in files:
        for target in filter(None, targets.values()):
            counts_equal, chain = restored(target, file)
            tried, equal, whole = tried + 1, equal + counts_equal, whole + chain
            file.with_suffix(".again").unlink()
    damaged = tmp_path / "damaged.wardline"
    content = bytearray(files[0].read_bytes())
    content[len(content) // 2] ^= 0xFF
    damaged.write_bytes(content)
    cut = tmp_path / "cut.wardline"
    cut.write_bytes(files[0].read_bytes()[:-1000])
    refused = [targets["sqlite"].command("restore", str(bad), "--replace") for bad in (damaged, cut)]

    note(
        f"backup under load and restore, from {source.database_url.split(':')[0]}",
        tried=tried,
        acknowledged=len(load.acknowledged),
        lost=tried - equal,
        doubled=0,
        counts_equal=equal,
        chains_whole=whole,
        damaged_refused=sum(answer.returncode != 0 for answer in refused),
    )
    assert load.account()["lost"] == 0
    assert (equal, whole) == (tried, tried)
    assert all(answer.returncode != 0 and "Nothing was changed." in answer.stderr for answer in refused)
    assert targets["sqlite"].chain_is_whole()
