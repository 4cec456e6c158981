"""Downloads and clones, and the checks that settle them."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import COMMIT, HEX, Case, fits

CASES = {
    "curl": Case("RUN curl -fsSLo f https://x.org/f", fires=("network-download",)),
    "curl checked": Case(
        f'RUN curl -fsSLo f https://x.org/f && echo "{HEX}  f" | sha256sum -c -', refuted=("network-download",)
    ),
    "curl checked later": Case(
        f'RUN curl -fsSLo f https://x.org/f\nRUN echo "{HEX}  f" | sha256sum -c -', fires=("network-download",)
    ),
    "another file checked": Case(
        f'RUN curl -o a https://x.org/a && curl -o b https://x.org/b && echo "{HEX} b" | sha256sum -c',
        fires=("network-download",),
        refuted=("network-download",),
        says="https://x.org/a",
    ),
    "only a file of another name checked": Case(
        f'RUN curl -o a https://x.org/a && echo "{HEX}  b" | sha256sum -c', fires=("network-download",)
    ),
    "checked under its next name": Case(
        f'RUN curl -o a https://x.org/a && mv a b && echo "{HEX}  b" | sha256sum -c', refuted=("network-download",)
    ),
    "checked by a tagged line": Case(
        f'RUN curl -o a https://x.org/a && echo "SHA256 (a) = {HEX}" | sha256sum -c', refuted=("network-download",)
    ),
    "checked by openssl": Case(
        f"RUN curl -o a https://x.org/a && openssl dgst -sha256 a | grep {HEX}", refuted=("network-download",)
    ),
    "checked by a file": Case(
        f'RUN wget -q https://x.org/f.tgz && echo "{HEX}  f.tgz" > sums && sha256sum --check --status sums',
        refuted=("network-download",),
    ),
    "checked by a here-string": Case(
        f'SHELL ["/bin/bash", "-c"]\nRUN wget -q https://x.org/f && sha256sum -c <<< "{HEX}  f"',
        refuted=("network-download",),
    ),
    "checked by test": Case(
        f'RUN curl -o f https://x.org/f && [ "$(sha256sum f | cut -d" " -f1)" = "{HEX}" ]',
        refuted=("network-download",),
    ),
    "checked by test, with the file's name": Case(
        f'RUN curl -o f https://x.org/f && test "$(sha256sum f)" = "{HEX}  f"', refuted=("network-download",)
    ),
    **{
        f"checked in vain: {name}": Case(
            f"RUN curl -o f https://x.org/f{tail}".replace("CHECK", f'echo "{HEX}  f" | sha256sum -c'),
            fires=("network-download",),
            says="the RUN goes on",
        )
        for name, tail in (
            ("without set -e", "; CHECK; tar xf f"),
            ("with || true", " && (CHECK || true) && tar xf f"),
            ("with || echo", " && { CHECK || echo bad; }; tar xf f"),
            ("set +e", "; set -e; set +e; CHECK; tar xf f"),
            ("if !", "; if ! CHECK; then echo bad; fi; tar xf f"),
            ("a shell of its own", "; bash -c 'true; CHECK; tar xf f'"),
        )
    },
    **{
        f"checked: {name}": Case(
            f"{tail}".replace("CHECK", f'echo "{HEX}  f" | sha256sum -c').replace("GET", "curl -o f https://x.org/f"),
            refuted=("network-download",),
        )
        for name, tail in (
            ("set -e", "RUN set -ex; GET; CHECK; tar xf f"),
            ("set -o errexit", "RUN set -o errexit; GET; CHECK; tar xf f"),
            ("SHELL with -e", 'SHELL ["/bin/bash", "-eo", "pipefail", "-c"]\nRUN GET; CHECK; tar xf f'),
            ("bash -ec", "RUN bash -ec 'GET; CHECK; tar xf f'"),
            ("a here-document with -e", "RUN <<EOF\n#!/bin/bash -e\nGET\nCHECK\ntar xf f\nEOF"),
            ("|| exit", "RUN GET; CHECK || exit 1; tar xf f"),
            ("|| a group that exits", "RUN GET; CHECK || { echo bad; exit 1; }; tar xf f"),
            ("if ! and exit", "RUN GET; if ! CHECK; then echo bad; exit 1; fi; tar xf f"),
            ("what is behind && uses it", "RUN GET; CHECK && tar xf f; rm f"),
            ("last", "RUN GET; CHECK"),
        )
    },
    "here-document whose first line has options": Case(
        "RUN <<EOF\n#!/bin/bash -eux\ncurl -o f https://x.org/f\nEOF", fires=("network-download",)
    ),
    "SHELL that runs a shell": Case(
        'SHELL ["conda", "run", "-n", "x", "/bin/bash", "-c"]\nRUN curl -o f https://x.org/f',
        fires=("network-download",),
    ),
    **{
        f"clone, then {name}": Case(
            f"RUN git clone https://x.org/a && cd a && {tail}", fires=("network-download",), says="no commit"
        )
        for name, tail in (
            ("one commit picked", f"git cherry-pick {COMMIT}"),
            ("one merged", f"git merge {COMMIT}"),
            ("one file of a commit", f"git checkout {COMMIT} -- README"),
            ("pulled again", f"git checkout {COMMIT} && git pull"),
            ("a tag that is a date", "git checkout 20240101"),
        )
    },
    "two clones, the first at a commit": Case(
        f"RUN git clone https://x.org/a && git clone https://x.org/b && git -C a checkout {COMMIT}",
        fires=("network-download",),
        refuted=("network-download",),
        says="https://x.org/b",
    ),
    "two clones, each at a commit": Case(
        f"RUN git clone https://x.org/a.git && git clone https://x.org/b /src/b && cd a && git checkout {COMMIT}"
        f" && cd /src/b && git checkout {COMMIT}",
        refuted=("network-download",),
    ),
    "digest from ENV": Case(
        f'ENV S={HEX}\nRUN wget -O f "https://x.org/f" && echo "$S *f" | sha256sum -c -', refuted=("network-download",)
    ),
    "digest from an argument": Case(
        'ARG S\nRUN wget -O f "https://x.org/f" && echo "$S *f" | sha256sum -c -', refuted=("network-download",)
    ),
    "digest by architecture": Case(
        f'RUN case "$(uname -m)" in x86_64) u=https://x.org/a; s={HEX};; *) u=https://x.org/b; s={HEX[::-1]};; '
        "esac; \\\n"
        ' wget -O f "$u"; echo "$s  f" | sha256sum -c',
        refuted=("network-download",),
    ),
    "digest from the context": Case(
        "ARG A\nCOPY digests/f.$A.sha256 .\nRUN wget -O f https://x.org/f && sha256sum -c f.${A}.sha256",
        notes=("network-download",),
    ),
    "digest from the context by name": Case(
        "ARG A=arm\nCOPY digests/f.$A.sha256 .\nRUN wget -O f https://x.org/f && sha256sum -c f.${A}.sha256",
        refuted=("network-download",),
    ),
    "digest downloaded as well": Case(
        "RUN curl -LO https://x.org/f && curl -LO https://x.org/f.sha256 && sha256sum -c f.sha256",
        fires=("network-download",),
        says="downloaded as well",
    ),
    "signature": Case(
        "RUN curl -LO https://x.org/f && curl -LO https://x.org/f.asc && gpg --verify f.asc f",
        notes=("network-download",),
        says="signature",
    ),
    "into a shell": Case("RUN curl -sSL https://x.org/i.sh | bash -s -- -y", fires=("network-download",), says="runs"),
    "nothing kept": Case(
        "RUN curl -fI https://x.org && curl -o /dev/null https://x.org && curl http://localhost:80/ && wget --spider https://x"
        " && curl --version && command -v curl"
    ),
    "by commit": Case(f"RUN wget https://raw.githubusercontent.com/a/b/{COMMIT}/f", refuted=("network-download",)),
    "not run here": Case(
        "HEALTHCHECK CMD curl -f http://x.org/ || exit 1\nCMD wget https://x.org/f\nONBUILD COPY f /f"
    ),
    "run on top of this": Case(
        "ONBUILD RUN wget https://x/f", notes=("network-download",), says="in a build on this image: `wget`"
    ),
    "clone": Case("RUN git clone https://x.org/r", fires=("network-download",), says="default branch"),
    "clone of a tag": Case(
        "RUN git clone --depth 1 -b v1.2 https://x.org/r", fires=("network-download",), says="`v1.2` can"
    ),
    "clone at a commit": Case(
        f"RUN git clone https://x.org/r && cd r && git checkout -q {COMMIT}", refuted=("network-download",)
    ),
    "clone at a commit from ENV": Case(
        f'ENV C={COMMIT}\nRUN git clone https://x.org/r && git -C r checkout "$C"', refuted=("network-download",)
    ),
    "clone at an argument": Case(
        "ARG C\nRUN git clone https://x.org/r && git -C r reset --hard $C", notes=("network-download",)
    ),
    "fetch of a commit": Case(
        f"RUN git init r && cd r && git fetch --depth 1 https://x.org/r {COMMIT} && git checkout FETCH_HEAD",
        refuted=("network-download",),
    ),
    "add": Case("ADD https://x.org/f /", fires=("remote-add",)),
    "add checked": Case(f"ADD --checksum=sha256:{HEX} https://x.org/f /", refuted=("remote-add",)),
    "add of a branch": Case("ADD https://github.com/a/b.git#main /b", fires=("remote-add",)),
    "add of a commit": Case(f"ADD https://github.com/a/b.git#{COMMIT}:sub /b", refuted=("remote-add",)),
    "add of a file": Case("ADD f /"),
    "add of an archive": Case("ADD rootfs.tar.xz /", notes=("local-tar-add",)),
    "copy of an archive": Case("COPY rootfs.tar.xz /"),
    "cache mount": Case("RUN --mount=type=cache,target=/root/.cache make", notes=("cache-mount",)),
    "bind mount": Case("RUN --mount=type=bind,target=/src make"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)
