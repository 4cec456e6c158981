"""The values of `RUN --mount` (Dockerfile reference, "RUN --mount"): comma-separated fields, quoted as in CSV."""

from __future__ import annotations

from verifier.dockerfile.document import Statement


def mounts(statement: Statement) -> tuple[dict[str, str], ...]:
    """Read each `--mount` of a RUN into its fields, keys in lower case; a field without `=` is "true"."""
    return tuple(_fields(value) for name, value in statement.flags if name == "mount" and value)


def _fields(value: str) -> dict[str, str]:
    import csv  # noqa: PLC0415 - costs start-up time

    fields: dict[str, str] = {}
    for item in next(csv.reader([value]), []):
        key, equals, rest = item.partition("=")
        fields[key.strip().lower()] = rest if equals else "true"
    return fields
