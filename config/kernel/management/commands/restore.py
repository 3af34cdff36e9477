"""`manage.py restore FILE`: a backup becomes this hospital, whole or not at all."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from config.kernel import backup


class Command(BaseCommand):
    help = (
        "Put a backup into an empty database (or with --replace over this one). Reads all of it before it touches any."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--replace", action="store_true", help="remove what is in this database and its media first"
        )
        parser.add_argument("--check", action="store_true", help="only say whether the file is fit to be restored")
        parser.add_argument("--any-key", action="store_true", help="go on although names and phones cannot be read")

    def handle(self, *args: Any, file: Path, **options: Any) -> None:
        if not file.is_file():
            raise CommandError(f"There is no file {file}. Nothing was changed.")
        try:
            with file.open("rb") as source:
                reader = backup.inspect(source, any_key=options["any_key"])
                if not options["check"]:
                    backup.restore(reader, replace=options["replace"])
        except backup.REFUSALS as error:
            raise CommandError(f"{str(error).strip()} Nothing was changed.") from error
        log, media = reader.manifest["log"], len(reader.media())
        rows = sum(reader.count(name) for name in reader.tables())
        word = "is fit to be restored" if options["check"] else "restored"
        self.stdout.write(f"{file} {word}: {rows} rows, {media} files, log to {log['seq']} {log['hash'][:12]}")
