"""What commands are known to leave behind, and the removals in the same instruction that end it."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import DIGEST, SNAPSHOT, Case, fits

CLEAN = "rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/ldconfig/aux-cache"
PINNED = f"{SNAPSHOT}\nRUN apt-get update && apt-get install -y"

CASES = {
    "lists and logs": Case(
        "RUN apt-get update && apt-get install -y a=1",
        fires=("apt-lists", "apt-log"),
        notes=("ldconfig-aux-cache", "unpinned-apt"),
        strict=True,
    ),
    "removed": Case(f"{PINNED} a=1 && {CLEAN}", refuted=("unpinned-apt",), strict=True),
    "removed by braces and a directory": Case(
        f"{PINNED} a && rm -rf /var/lib/apt/lists /var/log/apt /var/log/{{dpkg,alternatives}}.log /var/cache/*",
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "removed by find": Case(
        f"{PINNED} a && find /var/log -type f -delete && rm -f /var/cache/ldconfig/aux-cache",
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "removed in part": Case(
        f"{PINNED} a && rm -rf /var/log/apt /var/cache/ldconfig",
        fires=("apt-log",),
        refuted=("unpinned-apt",),
        strict=True,
        says="into `/var/log/dpkg.log`, which",
    ),
    "removed too late": Case(
        f"{PINNED} a\nRUN {CLEAN}",
        fires=("apt-log",),
        notes=("ldconfig-aux-cache",),
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "kept out by mounts": Case(
        f"{SNAPSHOT}\nRUN --mount=type=tmpfs,target=/var/log --mount=type=tmpfs,target=/var/cache apt-get install -y a",
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "in a stage that is only copied from": Case(
        f"FROM a@{DIGEST} AS b\n{PINNED} a\nFROM a@{DIGEST}\nCOPY --from=b /x /",
        refuted=("unpinned-apt",),
        whole=True,
        strict=True,
    ),
    "services": Case(
        f"{PINNED} openssh-server ssl-cert dbus openjdk-17-jre-headless fontconfig && {CLEAN}",
        fires=("fontconfig-cache", "generated-key", "java-cacerts", "machine-id", "ssh-host-keys"),
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "services mended": Case(
        f"{PINNED} openssh-server ssl-cert dbus openjdk-17-jre-headless fontconfig && {CLEAN} \\\n"
        " && rm -f /etc/ssh/ssh_host_*_key* /etc/ssl/private/ssl-cert-snakeoil.key /etc/ssl/certs/java/cacerts \\\n"
        " && : > /etc/machine-id && rm -rf /var/cache/fontconfig",
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "clients are no services": Case(
        f"{PINNED} openssh-client libdbus-1-3 fonts-dejavu systemd-timesyncd=1 && {CLEAN}",
        refuted=("unpinned-apt",),
        strict=True,
    ),
    "ldconfig": Case("RUN ldconfig", fires=("ldconfig-aux-cache",), strict=True),
    "ldconfig mended": Case("RUN ldconfig && rm /var/cache/ldconfig/aux-cache && ldconfig -p", strict=True),
    "bytecode": Case("RUN pip install a==1", fires=("pyc-mtime",), notes=("unpinned-pip",), strict=True),
    "bytecode with a fixed time": Case(
        "ARG SOURCE_DATE_EPOCH\nRUN pip install a==1", notes=("unpinned-pip",), strict=True
    ),
    "no bytecode": Case("RUN pip install --no-compile a==1", notes=("unpinned-pip",), strict=True),
    "no bytecode by ENV": Case("ENV PIP_NO_COMPILE=1\nRUN pip install a==1", notes=("unpinned-pip",), strict=True),
    "bytecode removed": Case(
        "RUN pip install a==1 && find / -name '*.pyc' -delete", notes=("unpinned-pip",), strict=True
    ),
    "user": Case("RUN useradd -r app", fires=("shadow-lastchg",), strict=True),
    "user with a fixed day": Case("ARG SOURCE_DATE_EPOCH\nRUN useradd -r app", strict=True),
    "group": Case("RUN groupadd -g 1000 app && usermod -aG app root && id", strict=True),
    "tar": Case("RUN tar czf /x.tgz /etc", fires=("archive-in-run",), strict=True),
    "tar mended": Case("RUN tar --sort=name --mtime=@0 -czf /x.tgz /etc", strict=True),
    "tar that stays not": Case(
        "RUN tar czf x.tgz /etc && tar xzf x.tgz && tar cf - a | tar xf - && rm x.tgz", strict=True
    ),
    "gzip": Case("RUN gzip -9 f", notes=("archive-in-run",), strict=True),
    "gzip mended": Case("RUN gzip -n f && gzip -d g.gz && gunzip h.gz && cat f | gzip > g.gz", strict=True),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_what_is_left_behind(case: Case) -> None:
    fits(case)
