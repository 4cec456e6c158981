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
