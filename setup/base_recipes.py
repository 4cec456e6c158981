"""What each base image of the fixtures consists of, where no hub gives the original."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

EPOCH = 1735689600
"""2025-01-01: every time in a base is this or earlier, so that a base made again has the same digest."""

RELEASE = "bookworm"
SOURCES = (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list"))
BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
LOCAL_AUTHORITIES = Path("/usr/local/share/ca-certificates")
MERGED_USR = "/usr/share/mmdebstrap/hooks/merged-usr"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# The slim images leave these out too: dpkg itself does, for packages that a Dockerfile installs later.
SLIM = (
    *(f"path-exclude=/usr/share/{name}/*" for name in ("doc", "man", "info", "groff", "locale")),
    "path-include=/usr/share/locale/locale.alias",
    "path-include=/usr/share/doc/*/copyright",
)

# The files that the original images have in /etc/apt/apt.conf.d.
APT_CONFIGURATION = {
    "docker-clean": (
        'DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb '
        '/var/cache/apt/*.bin || true"; };\n'
        'APT::Update::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/archives/partial/*.deb '
        '/var/cache/apt/*.bin || true"; };\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    ),
    "docker-gzip-indexes": 'Acquire::GzipIndexes "true";\n',
    "docker-no-languages": 'Acquire::Languages "none";\n',
    "docker-autoremove-suggests": 'Apt::AutoRemove::SuggestsImportant "false";\n',
}


class RecipeError(Exception):
    """A base image cannot be made here; the message says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """A base image: Debian packages on top of Debian's smallest system, or BusyBox alone when `packages` is None."""

    reference: str
    packages: tuple[str, ...] | None
    command: tuple[str, ...]
    commands_inside: tuple[str, ...] = ()
    env: tuple[str, ...] = field(default=(f"PATH={PATH}",))


RECIPES = (
    Recipe(reference="debian:bookworm-slim", packages=(), command=("bash",)),
    Recipe(reference="busybox:stable", packages=None, command=("sh",)),
    Recipe(
        reference="python:3.11-slim",
        packages=("python3", "python3-pip", "python3-venv", "ca-certificates"),
        command=("python3",),
        # The original's pip installs into the system without a word, and its interpreter is called `python`.
        commands_inside=("rm -f /usr/lib/python3*/EXTERNALLY-MANAGED", "ln -s /usr/bin/python3 /usr/local/bin/python"),
        env=(f"PATH={PATH}", "LANG=C.UTF-8"),
    ),
    Recipe(reference="gcc:12", packages=("gcc", "libc6-dev", "make"), command=("bash",)),
)


def debian_sources() -> str:
    """Give this machine's own Debian sources, for the base's release. Raises RecipeError where there are none."""
    release = dict(
        line.split("=", 1) for line in Path("/etc/os-release").read_text("utf-8").splitlines() if "=" in line
    )
    if release.get("ID", "").strip('"') != "debian":
        raise RecipeError("no hub answers, and this machine's packages are not Debian's: pull the base images by hand")
    codename = release.get("VERSION_CODENAME", "").strip('"')
    for path in SOURCES:
        lines = [line for line in path.read_text("utf-8").splitlines() if line[:1] != "#"] if path.exists() else []
        if any(line.strip() for line in lines):
            return "\n".join(lines).replace(codename, RELEASE).strip() + "\n"
    raise RecipeError(f"no apt source in {' or '.join(map(str, SOURCES))}")


def apt_options() -> tuple[str, ...]:
    """Give the settings without which apt does not reach this machine's sources: its proxy, its frozen mirror."""
    dump = subprocess.run(["apt-config", "dump"], check=True, capture_output=True, text=True).stdout
    wanted = ("Acquire::Check-Valid-Until ", "Acquire::Check-Date ", "Acquire::http::Proxy ", "Acquire::https::Proxy ")
    return tuple(line for line in dump.splitlines() if line.startswith(wanted) and '""' not in line)


def ingredients(recipe: Recipe) -> str:
    """Give everything of this machine that goes into the image, as a text: the cache's key."""
    parts = [repr(recipe), str(EPOCH)]
    if recipe.packages is not None:
        parts += [debian_sources(), repr(apt_options()), repr(SLIM), repr(APT_CONFIGURATION)]
        parts += [path.read_text("utf-8") for path in authorities()]
    return "\n".join(parts)


def authorities() -> list[Path]:
    """Name this machine's certificate bundle and the authorities that its owner added (a company proxy's)."""
    bundle = [BUNDLE] if BUNDLE.exists() else []
    return bundle + sorted(LOCAL_AUTHORITIES.glob("*.crt"))


def debian_rootfs(recipe: Recipe, target: Path) -> None:
    """Write a root file system as a tar with mmdebstrap. Raises RecipeError with mmdebstrap's last lines."""
    if shutil.which("mmdebstrap") is None:
        installed = subprocess.run([Path(__file__).with_name("packages.sh"), "mmdebstrap"], check=False)
        if installed.returncode != 0:
            raise RecipeError(f"{recipe.reference} is made with mmdebstrap, which is not there")
    with tempfile.TemporaryDirectory(prefix="verify-build-base-") as folder:
        one_line = debian_sources().startswith("deb ")
        sources = Path(folder, "sources.list" if one_line else "debian.sources")
        sources.write_text(debian_sources(), "utf-8")
        for name, text in APT_CONFIGURATION.items():
            Path(folder, name).write_text(text, "utf-8")
        hooks = [
            'find "$1/etc/apt/sources.list.d" -type f -delete; rm -f "$1/etc/apt/sources.list"',
            f"upload {sources} /etc/apt/{'' if one_line else 'sources.list.d/'}{sources.name}",
            *(f"upload {Path(folder, name)} /etc/apt/apt.conf.d/{name}" for name in APT_CONFIGURATION),
            f'mkdir -p "$1/etc/ssl/certs" "$1{LOCAL_AUTHORITIES}"',
            *(f"upload {path} {path}" for path in authorities()),
            *(f"chroot \"$1\" sh -c '{line}'" for line in recipe.commands_inside),
        ]
        argv = [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--format=tar"),
            # As the original: `usrmerge`, which satisfies the same dependency, would bring all of Perl.
            *(f"--include={name}" for name in ("usr-is-merged", *(recipe.packages or ()))),
            f"--hook-dir={MERGED_USR}",
            *(f"--dpkgopt={option}" for option in SLIM),
            *(f"--aptopt={option}" for option in apt_options()),
            *(f"--customize-hook={hook}" for hook in hooks),
            *(RELEASE, str(target), str(sources)),
        ]
        environment = {
            "PATH": PATH,
            "SOURCE_DATE_EPOCH": str(EPOCH),
            "LC_ALL": "C.UTF-8",
            "TZ": "UTC",
            "DEBIAN_FRONTEND": "noninteractive",
        }
        done = subprocess.run(argv, check=False, capture_output=True, text=True, env=environment, cwd="/")
    if done.returncode != 0:
        target.unlink(missing_ok=True)
        raise RecipeError(f"mmdebstrap failed for {recipe.reference}: {done.stderr.strip()[-400:]}")


def busybox_binary(folder: Path) -> Path:
    """Unpack the static BusyBox of this machine's own distribution below `folder`, without installing it."""
    argv = ["apt-get", "-qq", "-o", "APT::Sandbox::User=root", "download", "busybox-static"]
    if subprocess.run(argv, check=False, capture_output=True, cwd=folder).returncode != 0:
        subprocess.run(["apt-get", "-qq", "update"], check=False, capture_output=True)
        done = subprocess.run(argv, check=False, capture_output=True, text=True, cwd=folder)
        if done.returncode != 0:
            raise RecipeError(f"apt-get could not download busybox-static: {done.stderr.strip()[-400:]}")
    package = next(folder.glob("busybox-static_*.deb"))
    subprocess.run(["dpkg", "-x", str(package), str(folder)], check=True)
    for candidate in (folder / "bin/busybox", folder / "usr/bin/busybox"):
        if candidate.exists():
            return candidate
    raise RecipeError("the package busybox-static holds no busybox")
