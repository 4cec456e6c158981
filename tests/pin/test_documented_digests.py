"""What Docker's documentation shows of digests ("docker images --digests", "Pin base image versions"), for real.

With `name:tag@digest` the digest alone counts, and it is good in its own repository alone.
"""

from __future__ import annotations

import json
import os
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.tool import error_lines, verify_build
from tests.machine import MARKS, USUAL_ENGINES
from tests.pin.published_images import publish, release
from verifier.oci.digest import Digest

pytestmark = pytest.mark.registry

Environments = Callable[[str, str | None], Mapping[str, str]]


@dataclass(frozen=True, kw_only=True)
class Ubuntu:
    """A repository as the documentation has it: two releases, and one whose tag has moved since."""

    name: str
    other: str
    old: Digest
    new: Digest
    before: Digest
    after: Digest

    @property
    def lies(self) -> str:
        """One image, pinned by its digest under the other's tag."""
        return f"{self.name}:20.04@{self.old}"

    @property
    def unheard(self) -> str:
        """A digest that there is under a tag that there never was."""
        return f"{self.name}:no-such-tag@{self.new}"

    @property
    def moved(self) -> str:
        """A tag that has moved since it was pinned."""
        return f"{self.name}:18.04@{self.before}"

    @property
    def elsewhere(self) -> str:
        """A digest under another repository's name, which has an image of its own."""
        return f"{self.other}:1@{self.new}"


@pytest.fixture(scope="module")
def ubuntu(registry: str) -> Ubuntu:
    place = f"{registry}/{os.urandom(4).hex()}"
    name, other = f"{place}/ubuntu", f"{place}/other"
    before = publish(f"{name}:18.04", release("18.04"), created="2024-01-01T00:00:00Z")
    publish(f"{other}:1", {"hello": b"hello"})
    return Ubuntu(
        name=name,
        other=other,
        old=publish(f"{name}:16.04", release("16.04"), created="2021-01-01T00:00:00Z"),
        new=publish(f"{name}:20.04", release("20.04"), created="2025-01-01T00:00:00Z"),
        before=before,
        after=publish(f"{name}:18.04", {**release("18.04"), "fix": b"1"}, created="2024-06-01T00:00:00Z"),
    )


def write(folder: Path, *lines: str) -> Path:
    (folder / "Dockerfile").write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return folder / "Dockerfile"


def test_pin_tells_what_lies(ubuntu: Ubuntu, tmp_path: Path) -> None:
    dockerfile = write(
        tmp_path,
        f"FROM {ubuntu.lies}",
        f"COPY --from={ubuntu.unheard} /etc/os-release /unheard",
        f"COPY --from={ubuntu.moved} /etc/os-release /moved",
        f"COPY --from={ubuntu.elsewhere} /hello /hello",
        f"COPY --from={ubuntu.name}:16.04@{ubuntu.old} /etc/os-release /true",
    )
    done = verify_build("pin", dockerfile, "--format", "json")
    assert done.returncode == 1, done.stderr
    pins: list[dict[str, Any]] = json.loads(done.stdout)["pins"]
    said = [{remark["code"]: remark["message"] for remark in pin["remarks"]} for pin in pins]
    lies, unheard, moved, elsewhere, true = said
    assert lies.keys() == {"tag-moved", "says-otherwise", "one-platform"}
    assert lies["says-otherwise"] == "its os-release says Ubuntu 16.04, the tag 20.04"
    assert unheard.keys() == {"tag-absent", "one-platform"}
    assert unheard["tag-absent"].endswith("has no tag no-such-tag; the digest alone counts")
    assert moved.keys() == {"tag-moved", "one-platform"}
    assert moved["tag-moved"] == f"the tag 18.04 points to {ubuntu.after} now (created 2024-06-01T00:00:00Z)"
    assert elsewhere.keys() == {"digest-absent"}
    assert "a digest is good in its own repository alone" in elsewhere["digest-absent"]
    assert true.keys() == {"one-platform"}
    assert [pin["status"] for pin in pins] == ["to-mend"] * 4 + ["true"]
    assert [pin["current"] for pin in pins] == [
        ubuntu.new, None, ubuntu.after, pins[3]["current"], ubuntu.old
    ]  # fmt: skip
    assert pins[3]["current"] not in (None, ubuntu.new)


def test_digests_tells_tag_and_digest_apart(ubuntu: Ubuntu) -> None:
    names = [ubuntu.lies, ubuntu.unheard, ubuntu.moved, f"{ubuntu.name}:16.04", ubuntu.elsewhere]
    done = verify_build("digests", *names, "--format", "json")
    assert done.returncode == 3
    assert error_lines(done)[0].startswith(f"error: {ubuntu.elsewhere}: ")
    report = json.loads(done.stdout)
    told = {row["reference"]: (row["tag_digest"], row["manifest_digest"]) for row in report["images"]}
    assert told == {
        ubuntu.lies: (ubuntu.new, ubuntu.old),
        ubuntu.unheard: (None, ubuntu.new),
        ubuntu.moved: (ubuntu.after, ubuntu.before),
        f"{ubuntu.name}:16.04": (ubuntu.old, ubuntu.old),
    }
    (same,) = report["same"]
    assert same["digest"] == ubuntu.old
    assert set(same["references"]) == {ubuntu.lies, f"{ubuntu.name}:16.04"}


@pytest.mark.parametrize("builder", [pytest.param(name, marks=MARKS[name]) for name in ("buildkit", "docker")])
def test_the_digest_alone_is_built_on(
    ubuntu: Ubuntu, tmp_path: Path, builder_environment: Environments, builder: str
) -> None:
    environment = builder_environment(builder, USUAL_ENGINES[builder])
    context = tmp_path / "context"
    context.mkdir()
    dockerfile = write(
        context,
        f"FROM {ubuntu.lies}",
        f"COPY --from={ubuntu.unheard} /etc/os-release /unheard",
        f"COPY --from={ubuntu.moved} /etc/os-release /moved",
    )
    options = ["--builder", builder, "--expect", "sha256:" + "0" * 64, "--format", "json", "--quiet", "--no-ledger"]
    kept = tmp_path / "kept"
    done = verify_build(dockerfile, *options, "--keep", kept, environment=environment)
    assert done.returncode == 1, done.stderr
    bases = json.loads(done.stdout)["inputs"]["bases"]
    assert [base["digest"] for base in bases] == [ubuntu.old, ubuntu.new, ubuntu.before]
    assert all(base["pinned"] for base in bases)
    versions = versions_in(kept / "second")
    assert {path: text.count(b"VERSION_ID") for path, text in versions.items()}.keys() >= {"unheard", "moved"}
    assert b"16.04" in versions["etc/os-release"]
    assert b"20.04" in versions["unheard"]
    assert b"18.04" in versions["moved"]
    write(context, f"FROM {ubuntu.elsewhere}")
    done = verify_build(dockerfile, *options, environment=environment)
    assert done.returncode == 3
    assert ubuntu.elsewhere in error_lines(done)[0]


def versions_in(layout: Path) -> dict[str, bytes]:
    """Read every regular file of an image's layers, later ones over earlier ones."""
    found = {}
    blobs = layout / "blobs" / "sha256"
    (entry,) = json.loads((layout / "index.json").read_text("utf-8"))["manifests"]
    manifest = json.loads((blobs / entry["digest"].partition(":")[2]).read_text("utf-8"))
    for layer in manifest["layers"]:
        with tarfile.open(blobs / layer["digest"].partition(":")[2]) as archive:
            for member in archive:
                file = archive.extractfile(member)
                if file is not None:
                    found[member.name] = file.read()
    return found
