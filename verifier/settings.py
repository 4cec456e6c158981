"""Settings beside the Dockerfile: options, and tolerances with their reasons.

`.verify-build.toml` is looked for in the Dockerfile's folder and upwards, then `[tool.verify-build]` in a
pyproject.toml on the same way; the nearest file wins, whole. Its keys are the command line's options.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from verifier.errors import UsageError
from verifier.model.tolerance import NAMED_ALONE, Tolerance

SETTINGS_NAME: Final = ".verify-build.toml"
MAX_SETTINGS_BYTES: Final = 1024 * 1024

_TOLERANCE_KEYS: Final = frozenset({"cause", "path", "field", "reason", "expires"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a settings file says. `options` are words for the command line by their option, in the file's order."""

    path: Path
    options: Mapping[str, tuple[str, ...]]
    tolerances: tuple[Tolerance, ...]


def find_settings(dockerfile: Path) -> Settings | None:
    """Find and read the settings for a Dockerfile; None where there are none. Raises UsageError."""
    folder = dockerfile.absolute().parent
    for each in map(_near, (folder, *folder.parents)):
        own, shared = each / SETTINGS_NAME, each / "pyproject.toml"
        if own.is_file():
            return read_settings(own)
        if shared.is_file():
            table = _load(shared).get("tool", {})
            if isinstance(table, dict) and isinstance(table.get("verify-build"), dict):
                return _settings(shared, table["verify-build"])
    return None


def _near(folder: Path) -> Path:
    """Name a folder from here where it is here or below, so that messages stay short."""
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def read_settings(path: Path) -> Settings:
    """Read one settings file. Raises UsageError with the file, and the key or the line."""
    return _settings(path, _load(path))


def _load(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_SETTINGS_BYTES + 1)
    except OSError as error:
        raise UsageError(f"{path}: the settings cannot be read: {error.strerror}") from None
    if len(raw) > MAX_SETTINGS_BYTES:
        raise UsageError(f"{path}: settings of more than {MAX_SETTINGS_BYTES} bytes are none")
    try:
        return tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: is not TOML: {str(error)[:200]}") from None


def _settings(path: Path, table: Mapping[str, Any]) -> Settings:
    tolerances = table.get("tolerate", [])
    if not isinstance(tolerances, list) or not all(isinstance(item, dict) for item in tolerances):
        raise UsageError(f"{path}: tolerate is not an array of tables", "write each as [[tolerate]]")
    return Settings(
        path=path,
        options={key.replace("_", "-"): tuple(_words(path, key, table[key])) for key in table if key != "tolerate"},
        tolerances=tuple(
            _tolerance(f"{path.name}: tolerate[{number}]", item) for number, item in enumerate(tolerances)
        ),
    )


def _words(path: Path, key: str, value: Any) -> Iterator[str]:
    """Give the words that stand for one option; a switch that is off stands for none."""
    option = f"--{key.replace('_', '-')}"
    if isinstance(value, bool):
        yield from [option] if value else []
    elif isinstance(value, str | int | float):
        yield f"{option}={value}"
    elif isinstance(value, list) and all(isinstance(item, str) for item in value):
        yield from (f"{option}={item}" for item in value)
    elif isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        yield from (f"{option}={name}={item}" for name, item in value.items())
    else:
        raise UsageError(f"{path}: {key} is neither a text, a number, a switch, nor a list or table of texts")


def _tolerance(place: str, item: Mapping[str, Any]) -> Tolerance:
    unknown = sorted(set(item) - _TOLERANCE_KEYS)
    if unknown:
        raise UsageError(f"{place}: there is no key {unknown[0]!r}", f"keys: {', '.join(sorted(_TOLERANCE_KEYS))}")
    for key in ("cause", "path", "field", "reason"):
        if key in item and (not isinstance(item[key], str) or not item[key].strip()):
            raise UsageError(f"{place}: {key} is not a text")
    if "reason" not in item:
        raise UsageError(f"{place} has no reason", 'say why this difference does not matter: reason = "…"')
    if not {"cause", "path", "field"} & set(item):
        raise UsageError(f"{place} names nothing", "name a cause, a path or a field: not everything is tolerated")
    field = item.get("field")
    if "cause" not in item and "path" not in item and field in NAMED_ALONE:
        raise UsageError(f"{place}: {field} needs a path, or a cause, beside it")
    return Tolerance(
        cause=_known(place, item.get("cause")),
        path=item.get("path"),
        field=field,
        reason=item["reason"],
        expires=_date(place, item.get("expires")),
        place=place,
    )


def _known(place: str, cause: str | None) -> str | None:
    from verifier.causes import CAUSES  # noqa: PLC0415  # takes long to import

    if cause is not None and cause not in {each.slug for each in CAUSES}:
        raise UsageError(f"{place}: there is no cause {cause!r}", "verify-build causes lists them")
    return cause


def _date(place: str, value: Any) -> date | None:
    if isinstance(value, datetime):
        return value.date()
    if value is None or isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise UsageError(f"{place}: expires is no date", "for example: expires = 2027-01-31") from None
