"""A held registry password never appears: every byte of output and of files, of every command that asks a registry."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote

import pytest

from tests.cli.tool import verify_build
from tests.stores.real_registry import PASSWORD, USER, run_private_registry

pytestmark = [pytest.mark.registry, pytest.mark.timeout(400)]

FORMATS = ("text", "json", "sarif", "junit", "markdown", "html", "github", "gitlab")
ENCODED = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
FORMS = tuple(
    form.encode()
    for form in (PASSWORD, quote(PASSWORD, safe=""), ENCODED, base64.b64encode(PASSWORD.encode()).decode().rstrip("="))
)


@pytest.fixture(scope="module")
def private(registry: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a registry that wants a password; `registry` provides the program."""
    with run_private_registry(tmp_path_factory.mktemp("private")) as address:
        yield address


def logged_in(folder: Path, environment: Mapping[str, str], registry: str, auth: str) -> Mapping[str, str]:
    """Give an environment in which the password is held, with buildx's plugins where they were."""
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"auths": {registry: {"auth": auth}}}), encoding="utf-8")
    before = environment.get("DOCKER_CONFIG")
    if before and (Path(before) / "cli-plugins").exists():
        (folder / "cli-plugins").symlink_to(Path(before) / "cli-plugins")
    return {**environment, "DOCKER_CONFIG": str(folder)}


@pytest.mark.buildkit
def test_everything_that_is_said_and_written(
    private: str, tmp_path: Path, builder_environment: Callable[..., Mapping[str, str]]
) -> None:
    plain = builder_environment("buildkit")
    good = logged_in(tmp_path / "good", plain, private, ENCODED)
    wrong = logged_in(tmp_path / "wrong", plain, private, base64.b64encode(f"{USER}:{PASSWORD}x".encode()).decode())
    context, written = tmp_path / "context", tmp_path / "written"
    context.mkdir()
    written.mkdir()
    dockerfile, (app, ledger) = context / "Dockerfile", (f"{private}/x/app", f"{private}/x/ledger")
    dockerfile.write_text("FROM busybox:stable\nCOPY Dockerfile /\n", encoding="utf-8")
    pinned = context / "Dockerfile.pinned"
    pinned.write_text(f"FROM {app}:1\n", encoding="utf-8")
    said: list[bytes] = []

    def run(environment: Mapping[str, str], code: int, *arguments: str | Path) -> None:
        done = verify_build(*arguments, environment=environment)
        assert done.returncode == code, (arguments, done.stderr)
        said.extend((done.stdout.encode(), done.stderr.encode()))

    def reports(name: str) -> list[str]:
        return [f"--report={form}={written / name}.{form}" for form in FORMATS]

    build = [dockerfile, "--builder", "buildkit", "--reproducible", "--verbose"]
    keep = ["--keep", written / "kept"]
    run(good, 0, *build, "--push", f"{app}:1", "--ledger", ledger, *keep, *reports("push"))
    run(good, 0, *build, "--against", f"{app}:1", "--ledger", ledger, *reports("against"))
    for environment, denied in ((good, 0), (wrong, 3)):
        run(environment, denied, "compare", f"{app}:1", f"{app}:1", "--verbose", "--verify-blobs", *reports("compare"))
        run(environment, 1, "pin", pinned)
        for form in ("text", "json"):
            run(environment, denied, "digests", f"{app}:1", "--format", form)
            run(environment, denied, "ledger", "--ledger", ledger, "--format", form)
    run(good, 0, "pin", pinned, "--lock", written / "lock", "--source-policy", written / "policy")
    run(wrong, 3, *build, "--push", f"{app}:2", "--no-ledger", *reports("refused"))
    run(wrong, 3, *build, "--against", f"{app}:1", "--no-ledger", *reports("unread"))
    kept = f"oci:{written / 'kept' / 'first'}"
    run(wrong, 0, *build, "--against", kept, "--ledger", ledger, *reports("not-remembered"))
    files = [path.read_bytes() for path in written.rglob("*") if path.is_file()]
    assert len(files) > 6 * len(FORMATS)
    assert sum(private.encode() in text for text in (*said, *files)) > 10  # it was spoken of
    for form in FORMS:
        assert not any(form in text for text in (*said, *files))
    assert not any(Path(good["TMPDIR"]).iterdir())
    assert PASSWORD not in str(sorted(os.environ.items()))
