"""`manage.py backup FILE`: everything of this hospital in one file, while work goes on."""

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from config.kernel import backup


class Command(BaseCommand):
    help = (
        "Save database and media of one moment into one new file. Keys (SECRET_KEY, FIELD_KEYS, QR_KEYS) are not in it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if file.exists():
            raise CommandError(f"{file} exists; a backup is written into a new file.")
        partial = file.with_name(file.name + ".partial")
        try:
            manifest = self._write(partial)
            os.replace(partial, file)
        except backup.REFUSALS as error:
            raise CommandError(f"The backup failed and left no file: {error}".strip()) from error
        finally:
            partial.unlink(missing_ok=True)
        rows = sum(member.get("rows", 0) for member in manifest["members"].values())
        media = sum(name.startswith("media/") for name in manifest["members"])
        for name in manifest["files_not_found"]:
            self.stderr.write(f"wardline: the database names {name}, which is not on the disk.")
        self.stdout.write(
            f"{file}: {rows} rows, {media} files, log to {manifest['log']['seq']} {manifest['log']['hash'][:12]}"
        )
        if manifest["log_breaks_at"]:
            raise CommandError(
                f"The log breaks at fact {manifest['log_breaks_at']}: it was changed outside Wardline. {file} is written, "
                "but restore refuses it and every later one until the log is whole again; keep the last one made before."
            )

    def _write(self, partial: Path) -> dict[str, Any]:
        # Readable by nobody else from the first byte: password hashes and tokens are in it.
        with os.fdopen(os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600), "w+b") as out:
            manifest = backup.save(out, at=timezone.now())
            out.flush()
            os.fsync(out.fileno())
        return manifest
