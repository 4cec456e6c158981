"""Packages of distributions."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import SNAPSHOT, Case, fits

CASES = {
    "apt": Case(
        "RUN apt-get update && apt-get install -y --no-install-recommends curl git",
        fires=("unpinned-apt",),
        says="`curl` and `git`",
    ),
    "apt with a version": Case("RUN apt-get install -y curl=7.88.1-10", notes=("unpinned-apt",)),
    "apt with a version of two": Case(
        "RUN apt-get install -y curl=7.88.1-10 git", fires=("unpinned-apt",), says="of `git`"
    ),
    "apt with a version from an argument": Case("ARG V\nRUN apt-get install -y curl=${V}", notes=("unpinned-apt",)),
    "apt from a snapshot": Case(f"{SNAPSHOT}\nRUN apt-get install -y curl", refuted=("unpinned-apt",)),
    "apt with --snapshot": Case("RUN apt-get install -y --snapshot 20250101T000000Z curl", refuted=("unpinned-apt",)),
    "apt from a snapshot in a file": Case(
        "COPY <<EOF /etc/apt/sources.list.d/debian.sources\nTypes: deb\nSnapshot: 20250101T000000Z\nEOF\n"
        "RUN apt-get install -y curl",
        refuted=("unpinned-apt",),
    ),
    "apt from a snapshot in the context": Case(
        "COPY sources.list /etc/apt/\nRUN apt-get install -y curl",
        refuted=("unpinned-apt",),
        context={"sources.list": "deb http://snapshot.debian.org/archive/debian/20250101T000000Z sid main"},
    ),
    "a snapshot beside the moving source": Case(
        'RUN echo "deb http://snapshot.debian.org/archive/debian/20250101T000000Z sid main" >> /etc/apt/sources.list\n'
        "RUN apt-get install -y curl",
        fires=("unpinned-apt",),
    ),
    "apt upgrade": Case("RUN apt-get -y dist-upgrade", fires=("unpinned-apt",)),
    "apt update": Case("RUN apt-get update && apt-get clean && apt-get purge -y curl && apt-get autoremove"),
    "a local package": Case("RUN apt-get install -y ./x.deb"),
    "apt's words in an echo": Case("RUN echo apt-get install curl && apt-cache search x"),
    "apt in a comment": Case("RUN true \\\n# apt-get install curl\n && true"),
    "apt options": Case(
        "RUN apt-get -o Dpkg::Options::=--force-confdef -t bookworm install -yqq a=1", notes=("unpinned-apt",)
    ),
    "apt in a loop": Case(
        "RUN for p in a b; do apt-get install -y $p; done", fires=("unpinned-apt",), says="`a` and `b`"
    ),
    "apt from a variable": Case('ENV D="a b=1"\nRUN apt-get install -y $D', fires=("unpinned-apt",), says="of `a`"),
    "apt behind xargs": Case("RUN xargs -a list apt-get install -y", fires=("unpinned-apt",)),
    "apk": Case("RUN apk add --no-cache -t .deps bash", fires=("unpinned-apk",), says="of `bash`"),
    "apk range": Case("RUN apk add 'bash~=5.2'", fires=("unpinned-apk",)),
    "apk version": Case("RUN apk add --no-cache bash=5.2.26-r0", notes=("unpinned-apk",)),
    "apk upgrade": Case("RUN apk -U upgrade", fires=("unpinned-apk",)),
    "apk del": Case("RUN apk del .deps && apk info && apk update"),
    "dnf": Case(
        "RUN dnf install -y git java-17-openjdk gcc-toolset-12", fires=("unpinned-rpm",), says="`gcc-toolset-12`"
    ),
    "dnf version": Case("RUN dnf -y install git-2.43.0-1.fc40", notes=("unpinned-rpm",)),
    "yum update": Case("RUN yum -y update", fires=("unpinned-rpm",)),
    "zypper": Case("RUN zypper --non-interactive in vim", fires=("unpinned-rpm",)),
    "zypper version": Case("RUN zypper install -y vim=9.1", notes=("unpinned-rpm",)),
    "dnf clean": Case("RUN dnf clean all && dnf remove -y git && dnf makecache"),
    "pacman": Case("RUN pacman -Syu --noconfirm git", fires=("unpinned-pacman",)),
    "pacman query": Case("RUN pacman -Qi git; pacman -Scc --noconfirm"),
    "pacman archive": Case(
        "RUN echo 'Server=https://archive.archlinux.org/repos/2025/01/01/$repo/os/$arch' > /etc/pacman.d/mirrorlist "
        "&& pacman -Syu --noconfirm git",
        refuted=("unpinned-pacman",),
    ),
    "conda": Case("RUN conda install -y -c conda-forge numpy", fires=("unpinned-conda",)),
    "conda version": Case("RUN mamba install -y numpy=1.26.4", notes=("unpinned-conda",)),
    "conda explicit": Case("RUN conda create -n x --file explicit.txt && conda clean -afy"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)
