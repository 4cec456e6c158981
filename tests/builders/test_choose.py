"""`auto`, and the table of `doctor`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from verifier.builders import choose
from verifier.builders.choose import BUILDERS, choose_builder, survey
from verifier.builders.protocol import Builder, BuilderSession
from verifier.errors import BuilderUnavailableError, UnsupportedError, UsageError
from verifier.model.build import BuilderIdentity, BuilderName


class Answers:
    """A builder that answers; choosing asks it nothing else."""

    def __init__(self, name: BuilderName, *, reproducible: bool) -> None:
        self.identity = BuilderIdentity(name=name, version="1.0", reproducible=reproducible, shows_manifest=True)

    def identify(self) -> BuilderIdentity:
        return self.identity

    def open(self, workspace: Path) -> BuilderSession:
        raise AssertionError(workspace)


class Silent:
    """A builder that does not answer."""

    def __init__(self, name: str) -> None:
        self.name = name

    def identify(self) -> BuilderIdentity:
        raise BuilderUnavailableError(f"{self.name} is not installed", f"apt-get install {self.name}")

    def open(self, workspace: Path) -> BuilderSession:
        raise AssertionError(workspace)


Install = Callable[..., None]


@pytest.fixture
def install(monkeypatch: pytest.MonkeyPatch) -> Install:
    """Let exactly the named builders answer; a value tells whether it has a reproducible mode."""

    def replace(**answering: bool) -> None:
        def make(name: BuilderName) -> Callable[[], Builder]:
            able = answering.get(name)
            return lambda: Silent(name) if able is None else Answers(name, reproducible=able)

        monkeypatch.setattr(choose, "BUILDERS", tuple((name, make(name)) for name, _ in BUILDERS))

    return replace


def test_auto_takes_the_first_that_answers(install: Install) -> None:
    install(docker=False, buildah=True)
    builder, why = choose_builder("auto", need_reproducible=False)
    assert builder.identify().name == "docker"
    assert why == (
        "docker: the first of buildkit, docker, buildah and podman that answers (buildkit: buildkit is not installed)"
    )


def test_auto_passes_over_a_builder_without_a_reproducible_mode(install: Install) -> None:
    install(docker=False, buildah=True, podman=True)
    builder, why = choose_builder("auto", need_reproducible=True)
    assert builder.identify().name == "buildah"
    assert "answers and has a reproducible mode" in why
    assert "docker: 1.0 has no reproducible mode" in why


def test_nothing_answers(install: Install) -> None:
    install()
    with pytest.raises(BuilderUnavailableError, match=r"no builder answers here: buildkit: .*; podman: ") as caught:
        choose_builder("auto", need_reproducible=False)
    assert caught.value.hint is not None
    assert "apt-get install buildah" in caught.value.hint


def test_nothing_with_a_reproducible_mode_answers(install: Install) -> None:
    install(docker=False)
    with pytest.raises(BuilderUnavailableError, match="no builder with a reproducible mode answers here"):
        choose_builder("auto", need_reproducible=True)


def test_a_named_builder_is_taken_or_refused(install: Install) -> None:
    install(docker=False, podman=True)
    builder, why = choose_builder("podman", need_reproducible=True)
    assert (builder.identify().name, why) == ("podman", "podman: asked for")
    with pytest.raises(UnsupportedError, match=r"docker 1\.0 has no reproducible mode"):
        choose_builder("docker", need_reproducible=True)
    with pytest.raises(BuilderUnavailableError, match="buildah is not installed"):
        choose_builder("buildah", need_reproducible=False)
    with pytest.raises(UsageError, match="there is no builder 'kaniko'"):
        choose_builder("kaniko", need_reproducible=False)


def test_the_survey_has_a_row_a_builder(install: Install) -> None:
    install(buildah=True)
    rows = {row.name: row for row in survey()}
    assert list(rows) == ["buildkit", "docker", "buildah", "podman"]
    assert rows["buildah"].identity is not None
    assert rows["buildah"].problem is None
    assert rows["podman"].identity is None
    assert rows["podman"].problem == "podman is not installed"
    assert rows["podman"].remedy == "apt-get install podman"


def test_the_real_builders_give_an_identity_or_a_remedy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    for row in survey():
        assert row.identity is None
        assert row.problem
        assert row.remedy
