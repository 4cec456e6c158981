"""Files of packages whose version differs: put down to that where they are as recorded, and left alone where not."""

from __future__ import annotations

import os
import py_compile
import subprocess
import sys
import zipfile
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from hashlib import md5, sha1, sha256
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, causes, explain_layers
from tests.compare.layer_images import Entry, file, folder, symlink, tar
from verifier.model.finding import Explanation

RELEASED = (1_700_000_000, 1_710_000_000)
"""When the files of the two versions were made, by their own times."""

Edit = Callable[[Entry], Entry | None]
"""Changes one entry of the second side, or drops it."""


@dataclass(frozen=True)
class Deb:
    """One package to make; links are files that begin with `->`."""

    name: str
    version: str
    files: Mapping[str, str]
    conffiles: tuple[str, ...] = ()
    depends: str = ""
    released: int = RELEASED[0]


OLD = Deb(
    "hello",
    "1.0-1",
    {
        "usr/bin/hello": "one\n",
        "usr/share/hello/same": "same\n",
        "usr/share/hello/dropped": "dropped\n",
        "lib/hello/libhello.so.1.0": "library one\n",
        "lib/hello/libhello.so.1": "->libhello.so.1.0",
        "etc/hello.conf": "level=1\n",
        "usr/lib/python3/dist-packages/hello.py": "A = 1\n",
    },
    conffiles=("/etc/hello.conf",),
)
NEW = replace(
    OLD,
    version="1.1-1",
    files={
        "usr/bin/hello": "another\n",
        "usr/share/hello/same": "same\n",
        "usr/share/hello/added/file": "added\n",
        "lib/hello/libhello.so.1.1": "library two\n",
        "lib/hello/libhello.so.1": "->libhello.so.1.1",
        "etc/hello.conf": "level=2\n",
        "usr/lib/python3/dist-packages/hello.py": "A = 22\n",
    },
    depends="hello-data (>= 1.0)",
    released=RELEASED[1],
)
DATA = Deb("hello-data", "1.0-1", {"usr/share/hello-data/data": "data\n"}, released=RELEASED[1])
OTHER = Deb("other", "3", {"usr/bin/other": "other\n"})


def make_deb(deb: Deb, place: Path) -> Path:
    root = place / f"{deb.name}-{deb.version}"
    for name, content in deb.files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content.startswith("->"):
            path.symlink_to(content[2:])
        else:
            path.write_text(content)
    control = root / "DEBIAN"
    control.mkdir()
    fields = {"Package": deb.name, "Version": deb.version, "Architecture": "all", "Maintainer": "A <a@example.org>"}
    fields |= {"Depends": deb.depends} if deb.depends else {}
    fields["Description"] = f"{deb.name} of {deb.version}"
    (control / "control").write_text("".join(f"{key}: {value}\n" for key, value in fields.items()))
    if deb.conffiles:
        (control / "conffiles").write_text("".join(f"{path}\n" for path in deb.conffiles))
    for path in sorted(root.rglob("*"), reverse=True):
        os.utime(path, (deb.released, deb.released), follow_symlinks=False)
    archive = place / f"{deb.name}_{deb.version}.deb"
    run("dpkg-deb", "--root-owner-group", "-Znone", "--build", str(root), str(archive))
    return archive


def run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, env={**os.environ, "LC_ALL": "C"})


def install(debs: Iterable[Deb], place: Path) -> Path:
    """Install packages into a root of their own with dpkg itself, and compile what they have of Python."""
    place.mkdir()
    root = place / "root"
    for name in ("updates", "info"):
        (root / "var/lib/dpkg" / name).mkdir(parents=True)
    (root / "var/lib/dpkg/status").touch()
    archives = [str(make_deb(deb, place)) for deb in debs]
    options = ("--force-not-root", "--force-bad-path", "--force-unsafe-io")
    run("dpkg", f"--root={root}", *options, "--log=/dev/null", "--install", *archives)
    for source in root.rglob("*.py"):
        os.utime(source, (RELEASED[0], RELEASED[0]))  # both: it stands in the bytecode, and is not what is asked here
        py_compile.compile(str(source), dfile=f"/{source.relative_to(root)}", invalidation_mode=TIMESTAMP)
    return root


TIMESTAMP = py_compile.PycInvalidationMode.TIMESTAMP


def entries(root: Path, moment: int) -> list[Entry]:
    """Read a root as a layer has it: below /usr what Debian has merged there, new times as of the build."""
    found = []
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        name = f"usr/{name}" if name == "lib" or name.startswith("lib/") else name
        status = path.lstat()
        is_new = status.st_mtime > max(RELEASED) or path.is_dir()
        time = moment if is_new and not path.is_symlink() else int(status.st_mtime)
        if path.is_symlink():
            found.append(symlink(name, str(path.readlink()), mtime=time))
        elif path.is_dir():
            found.append(folder(name, mtime=time))
        else:
            found.append(file(name, path.read_bytes(), mode=status.st_mode & 0o777, mtime=time))
    unique = {entry.name: entry for entry in found}
    return [unique[name] for name in sorted(unique) if not name.endswith(("/lock", "lock-frontend"))]


@pytest.fixture(scope="module")
def roots(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    place = tmp_path_factory.mktemp("roots")
    sets = {"old": (OLD,), "new": (NEW, DATA), "rebuilt": (replace(NEW, version=OLD.version, depends=""),)}
    sets |= {"more": (replace(NEW, depends=""), OTHER)}
    return {name: install(debs, place / name) for name, debs in sets.items()}


def explained(roots: Mapping[str, Path], second: str = "new", edit: Edit | None = None) -> Explanation:
    there = [entry if edit is None else edit(entry) for entry in entries(roots[second], SECOND + 4)]
    return explain_layers(tar(entries(roots["old"], FIRST + 4)), tar(filter(None, there)))


def left(explanation: Explanation) -> int:
    """Count what is not explained, and see that the digests say so too."""
    assert explanation.equal == (not explanation.residue)
    return len(explanation.residue)


def at(place: str, **changes: object) -> Edit:
    def edit(entry: Entry) -> Entry | None:
        return replace(entry, **changes) if entry.name == place else entry  # type: ignore[arg-type]

    return edit


def test_another_version_explains_its_files_and_those_of_what_it_needs(roots: dict[str, Path]) -> None:
    explanation = explained(roots)
    assert causes(explanation) == ["directory-mtime", "file-mtime", "unpinned-apt"]
    finding = explanation.findings[-1]
    assert (finding.confidence, finding.opaque) == ("likely", True)
    paths = set(finding.paths)
    assert {b"/usr/bin/hello", b"/etc/hello.conf", b"/usr/share/hello/dropped", b"/usr/share/hello/added/file"} <= paths
    assert {b"/usr/lib/hello/libhello.so.1", b"/usr/lib/hello/libhello.so.1.1", b"/var/lib/dpkg/status"} <= paths
    assert {b"/usr/share/hello-data/data", b"/usr/share/hello-data", b"/usr/share/hello/same"} <= paths
    assert any(b"__pycache__" in path for path in paths)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("usr/bin/hello", {"content": b"anotheR\n"}),
        ("usr/share/hello/added/file", {"content": b"addeD\n"}),
        ("usr/share/hello-data/data", {"content": b"datA\n"}),
        ("etc/hello.conf", {"content": b"level=3\n"}),
        ("usr/lib/hello/libhello.so.1", {"linkname": "/tmp/elsewhere"}),
        ("usr/share/hello/added/file", {"mode": 0o4755}),
        ("usr/share/hello/added/file", {"name": "usr/share/hello/added/unlisted"}),
    ],
)
def test_what_is_not_as_recorded_is_residue(roots: dict[str, Path], name: str, changes: dict[str, object]) -> None:
    # a file whose content is not as recorded may have its time from anywhere, too
    assert 1 <= left(explained(roots, edit=at(name, **changes))) <= 3


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("usr/bin/hello", {"mode": 0o755}),
        ("usr/share/hello/same", {"mode": 0o4755}),
        ("usr/bin/hello", {"pax": (("SCHILY.xattr.user.a", "b"),)}),
    ],
)
def test_modes_owners_and_attributes_are_never_the_packages(
    roots: dict[str, Path], name: str, changes: dict[str, object]
) -> None:
    assert left(explained(roots, edit=at(name, **changes))) == 1


def test_an_owner_is_not_the_packages(roots: dict[str, Path]) -> None:
    assert "owner-drift" in causes(explained(roots, edit=at("usr/bin/hello", uid=7)))


def test_the_time_of_bytecode_is_not_the_packages(roots: dict[str, Path]) -> None:
    name = next(entry.name for entry in entries(roots["new"], 0) if entry.name.endswith(".pyc"))
    assert left(explained(roots, edit=at(name, mtime=1_600_000_000))) == 1


def test_bytecode_of_a_source_that_is_not_as_recorded_is_residue(roots: dict[str, Path]) -> None:
    source = "usr/lib/python3/dist-packages/hello.py"
    assert left(explained(roots, edit=at(source, content=b"A = 33\n"))) >= 2


def test_a_file_without_a_record_is_residue(roots: dict[str, Path]) -> None:
    name = "var/lib/dpkg/info/hello.md5sums"

    def edit(entry: Entry) -> Entry | None:
        lines = (entry.content or b"").splitlines(keepends=True)
        kept = b"".join(line for line in lines if b"usr/bin/hello" not in line)
        return replace(entry, content=kept) if entry.name == name else entry

    assert left(explained(roots, edit=edit)) >= 1
    assert left(explained(roots, edit=lambda entry: None if entry.name == name else entry)) >= 5


def certificates(version: str, moment: int, names: Iterable[str], **more: Edit) -> list[Entry]:
    """Write what ca-certificates and update-ca-certificates leave: by dpkg's format, and as its manual page has it."""
    files = {name: f"-----BEGIN CERTIFICATE-----\n{name}\n-----END CERTIFICATE-----\n".encode() for name in names}
    place = "usr/share/ca-certificates/mozilla"
    digests = {name: md5(content, usedforsecurity=False).hexdigest() for name, content in files.items()}
    status = f"Package: ca-certificates\nStatus: install ok installed\nArchitecture: all\nVersion: {version}\n\n"
    made = [
        file("var/lib/dpkg/status", status.encode()),
        file("var/lib/dpkg/info/ca-certificates.list", b"".join(f"/{place}/{name}.crt\n".encode() for name in files)),
        file(
            "var/lib/dpkg/info/ca-certificates.md5sums",
            b"".join(f"{digest}  {place}/{name}.crt\n".encode() for name, digest in digests.items()),
        ),
        *(file(f"{place}/{name}.crt", content) for name, content in files.items()),
        file("etc/ca-certificates.conf", b"# a list\n" + b"".join(f"mozilla/{name}.crt\n".encode() for name in files)),
        file("etc/ssl/certs/ca-certificates.crt", b"".join(files.values())),
        *(symlink(f"etc/ssl/certs/{name}.pem", f"/{place}/{name}.crt") for name in files),
        *(symlink(f"etc/ssl/certs/{digest[:8]}.0", f"{name}.pem") for name, digest in digests.items()),
    ]
    edited = [entry if more.get("edit") is None else more["edit"](entry) for entry in made]
    return [replace(entry, mtime=moment) for entry in edited if entry is not None]


def test_what_is_made_of_files_of_a_package_follows_from_them() -> None:
    first = certificates("1", FIRST + 4, ["Old", "Same"])
    explanation = explain_layers(tar(first), tar(certificates("2", SECOND + 4, ["Same", "New", "Newer"])))
    assert causes(explanation) == ["file-mtime", "unpinned-apt"]
    assert b"/etc/ssl/certs/New.pem" in explanation.findings[1].paths


@pytest.mark.parametrize(
    "edit",
    [
        lambda entry: (
            replace(entry, content=(entry.content or b"").replace(b"New\n", b"neW\n"))
            if entry.name.endswith("certificates.crt")
            else entry
        ),
        lambda entry: (
            replace(entry, content=(entry.content or b"") + b"mozilla/Unknown.crt\n")
            if entry.name.endswith(".conf")
            else entry
        ),
        lambda entry: replace(entry, linkname="/tmp/New.crt") if entry.name.endswith("/New.pem") else entry,
        lambda entry: (
            replace(entry, linkname="/usr/share/ca-certificates/mozilla/Same.crt")
            if entry.name.endswith("/New.pem")
            else entry
        ),
    ],
)
def test_what_is_made_of_anything_else_is_residue(edit: Edit) -> None:
    first = certificates("1", FIRST + 4, ["Old", "Same"])
    second = certificates("2", SECOND + 4, ["Same", "New", "Newer"], edit=edit)
    assert left(explain_layers(tar(first), tar(second))) >= 1


def test_the_same_version_with_other_files_is_residue(roots: dict[str, Path]) -> None:
    explanation = explained(roots, "rebuilt")
    assert "residue" in causes(explanation)
    assert b"/usr/bin/hello" not in {path for finding in explanation.findings for path in finding.paths}


def test_a_package_that_nothing_needs_is_residue(roots: dict[str, Path]) -> None:
    explanation = explained(roots, "more")
    assert "residue" in causes(explanation)
    paths = {path for finding in explanation.findings for path in finding.paths if finding.cause == "unpinned-apt"}
    assert b"/usr/bin/hello" in paths
    assert b"/usr/bin/other" not in paths
    assert b"/var/lib/dpkg/status" not in paths


@dataclass(frozen=True)
class Wheel:
    """One Python package to make."""

    version: str
    files: Mapping[str, str]
    requires: tuple[str, ...] = field(default=())
    name: str = "greet_ing"


def digest_of(content: str) -> str:
    return "sha256=" + urlsafe_b64encode(sha256(content.encode()).digest()).decode().rstrip("=")


def make_wheel(wheel: Wheel, place: Path) -> Path:
    archive = place / f"{wheel.name}-{wheel.version}-py3-none-any.whl"
    info = f"{wheel.name}-{wheel.version}.dist-info"
    needs = "".join(f"Requires-Dist: {name}\n" for name in wheel.requires)
    members = {
        **wheel.files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {wheel.name}\nVersion: {wheel.version}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{name},{digest_of(content)},{len(content)}\n" for name, content in members.items()]
    members[f"{info}/RECORD"] = "".join([*lines, f"{info}/RECORD,,\n"])
    with zipfile.ZipFile(archive, "w") as out:
        for name, content in members.items():
            out.writestr(name, content)
    return archive


def pip_installed(wheels: Iterable[Wheel], place: Path, *, by_name: bool = True) -> Path:
    """Install wheels with pip itself, by their names as from an index, or as the files that they are."""
    place.mkdir()
    made = [(wheel, str(make_wheel(wheel, place))) for wheel in wheels]
    names = [f"{wheel.name}=={wheel.version}" if by_name else archive for wheel, archive in made]
    options = ("--no-index", "--no-deps", "--quiet", "--disable-pip-version-check", "--root-user-action", "ignore")
    target = place / "root" / "app"
    run(sys.executable, "-m", "pip", "install", *options, "--find-links", str(place), "--target", str(target), *names)
    return place / "root"


def test_another_version_of_what_was_built_here(tmp_path: Path) -> None:
    wheels = (Wheel(version, {"greeting.py": f"A = {version}\n"}) for version in ("1.0", "1.1"))
    first, second = (pip_installed((wheel,), tmp_path / wheel.version, by_name=False) for wheel in wheels)
    explanation = explain_layers(tar(entries(first, FIRST + 4)), tar(entries(second, SECOND + 4)))
    assert "unpinned-pip" not in causes(explanation)
    assert "residue" in causes(explanation)


def test_another_version_of_a_python_package(tmp_path: Path) -> None:
    one = Wheel("1.0", {"greeting/__init__.py": "A = 1\n", "greeting/gone.py": "B = 2\n"})
    two = Wheel("1.1", {"greeting/__init__.py": "A = 11\n", "greeting/new/x.txt": "C\n"}, requires=("Need-Ed>=2",))
    needed = Wheel("2.0", {"needed.py": "D = 4\n"}, name="need_ed")
    first = entries(pip_installed((one,), tmp_path / "one"), FIRST + 4)
    second = entries(pip_installed((two, needed), tmp_path / "two"), SECOND + 4)
    explanation = explain_layers(tar(first), tar(second))
    assert "residue" not in causes(explanation)
    finding = next(finding for finding in explanation.findings if finding.cause == "unpinned-pip")
    assert (finding.confidence, finding.opaque) == ("likely", True)
    assert {b"/app/greeting/__init__.py", b"/app/needed.py", b"/app/greeting/new/x.txt"} <= set(finding.paths)
    edits = {"app/greeting/__init__.py": b"A = 12\n", "app/greeting/new/x.txt": b"c\n", "app/needed.py": b"D = 5\n"}
    for name, content in edits.items():
        edited = [replace(entry, content=content) if entry.name == name else entry for entry in second]
        assert left(explain_layers(tar(first), tar(edited))) >= 1
    unneeded = [
        replace(entry, content=(entry.content or b"").replace(b"Need-Ed", b"Another"))
        if entry.name.endswith("1.1.dist-info/METADATA")
        else entry
        for entry in second
    ]
    assert left(explain_layers(tar(first), tar(unneeded))) >= 3


def apk_layer(version: str, files: Mapping[str, bytes], more: str = "", moment: int = FIRST + 4) -> list[Entry]:
    """Write what apk leaves of one package `zlib`; its database is written by the format's specification."""
    listed = "".join(
        f"R:{name}\na:0:0:755\nZ:Q1{b64encode(sha1(content, usedforsecurity=False).digest()).decode()}\n"
        for name, content in files.items()
    )
    record = f"C:Q1{version}\nP:zlib\nV:{version}\nA:x86_64\nT:a library\nD:so:libc.so.1\n{more}F:lib\n{listed}\n"
    database = f"C:Q1musl\nP:musl\nV:1.2\nA:x86_64\np:so:libc.so.1=1\nF:lib\nR:libc.so.1\n\n{record}"
    held = [
        symlink(f"lib/{name}", content.decode(), mtime=moment)
        if name.endswith(".so.1")
        else file(f"lib/{name}", content, mtime=moment)
        for name, content in files.items()
    ]
    return [folder("lib", mtime=moment), *held, file("lib/apk/db/installed", database.encode(), mtime=moment)]


def test_another_version_of_an_alpine_package() -> None:
    first = apk_layer("1.3-r0", {"libz.so.1.3": b"one", "libz.so.1": b"libz.so.1.3"})
    second = apk_layer("1.4-r0", {"libz.so.1.4": b"two", "libz.so.1": b"libz.so.1.4"}, moment=SECOND + 4)
    explanation = explain_layers(tar(first), tar(second))
    assert causes(explanation) == ["directory-mtime", "file-mtime", "unpinned-apk"]
    assert explanation.findings[-1].confidence == "likely"
    for changes in ({"linkname": "libz.so.1.5"}, {"content": b"Two"}):
        edited = [
            replace(entry, **changes)  # type: ignore[arg-type]
            if (entry.content == b"two") == ("content" in changes) and "libz" in entry.name
            else entry
            for entry in second
        ]
        assert left(explain_layers(tar(first), tar(edited))) >= 1
