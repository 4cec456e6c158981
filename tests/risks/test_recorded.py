"""What a build records of its own circumstances."""

from __future__ import annotations

import pytest

from tests.risks.dockerfiles import DIGEST, SNAPSHOT, Case, fits

CASES = {
    "date": Case("RUN date > /d", fires=("embedded-timestamp",)),
    "date in a file": Case('RUN echo "built $(date -u +%F)" >> /etc/motd', fires=("embedded-timestamp",)),
    "date through a variable": Case('RUN D=$(date +%s); echo "$D" > /d', fires=("embedded-timestamp",)),
    "date for a compiler": Case('RUN go build -ldflags "-X main.d=$(date)" .', fires=("embedded-timestamp",)),
    "date in a here-document": Case("RUN cat <<EOF > /d\n$(date)\nEOF", fires=("embedded-timestamp",)),
    "date in a quoted here-document": Case("RUN cat <<'EOF' > /d\n$(date)\nEOF"),
    "date in the log": Case(
        'RUN date && echo "at $(date)" && date >&2 && date | tee /dev/null >/dev/null && S=$(date +%s)'
    ),
    "date of the epoch": Case('RUN date -u -d "@$SOURCE_DATE_EPOCH" > /d && date -r f > /e'),
    "random": Case("RUN echo $RANDOM > /r", fires=("random-value",)),
    "random in the log": Case("RUN echo $RANDOM; sleep $RANDOM"),
    "a variable of that name": Case("ARG RANDOM=4\nRUN echo $RANDOM > /r"),
    "uuid": Case("RUN uuidgen > /u", fires=("random-value",)),
    "openssl rand": Case("RUN openssl rand -hex 32 -out /k", fires=("random-value",)),
    "urandom": Case("RUN head -c 32 /dev/urandom | base64 > /k", fires=("random-value",)),
    "uuid of the kernel": Case("RUN cat /proc/sys/kernel/random/uuid > /u", fires=("random-value",)),
    "urandom is named": Case("RUN ls -l /dev/urandom && rm -f /dev/random && echo /dev/urandom > /f"),
    "ssh key": Case("RUN ssh-keygen -t ed25519 -N '' -f /k", fires=("generated-key",)),
    "ssh key shown": Case("RUN ssh-keygen -lf /k.pub && ssh-keygen -y -f /k && ssh-keygen -R host"),
    "host keys": Case("RUN ssh-keygen -A", fires=("ssh-host-keys",)),
    "certificate": Case(
        "RUN openssl req -x509 -newkey rsa:2048 -nodes -keyout k -out c -subj /CN=a", fires=("generated-key",)
    ),
    "certificate shown": Case("RUN openssl x509 -in c -noout -text && openssl version && openssl dgst -sha256 f"),
    "class archive": Case("RUN java -Xshare:dump", fires=("java-class-archive",)),
    "class archive at exit": Case("RUN java -XX:ArchiveClassesAtExit=/a.jsa -jar a.jar", fires=("java-class-archive",)),
    "class archive in use": Case("RUN java -XX:SharedArchiveFile=/a.jsa -Xshare:auto -jar a.jar"),
    "chpasswd": Case("RUN echo a:b | chpasswd", fires=("password-salt",)),
    "chpasswd with a hash": Case("RUN echo 'a:$6$x$y' | chpasswd -e"),
    "hostname": Case("RUN echo $(hostname) > /h", fires=("hostname",)),
    "hostname is set": Case("RUN hostname && hostname example.org > /dev/null; echo $HOSTNAME"),
    "date into a file by sed -i": Case('RUN sed -i "s/@/$(date -I)/" /f', fires=("embedded-timestamp",)),
    "date into the log by sed": Case('RUN sed "s/@/$(date -I)/" /f'),
    "uname": Case("RUN uname -r > /k", fires=("kernel-state",)),
    "uname of the platform": Case('RUN uname -m > /k && wget --spider "https://x/$(uname -s)" && uname -a'),
    "cpuinfo": Case("RUN grep -c processor /proc/cpuinfo > /n", fires=("kernel-state",)),
    "headers": Case(
        f"{SNAPSHOT}\nRUN apt-get install -y linux-headers-$(uname -r)",
        fires=("kernel-state",),
        refuted=("unpinned-apt",),
    ),
    "native": Case("RUN gcc -O2 -march=native -o /x x.c", fires=("cpu-dependent",)),
    "native by ENV": Case('ENV RUSTFLAGS="-C target-cpu=native"\nRUN true', fires=("cpu-dependent",)),
    "not native": Case("RUN gcc -O2 -march=x86-64-v2 -o /x x.c && echo -march=native"),
    "nproc kept": Case("RUN nproc > /n", fires=("cpu-dependent",)),
    "nproc for jobs": Case(
        "RUN make -j$(nproc) && make -j `nproc` && cmake --build . --parallel $(nproc)", notes=("parallel-race",)
    ),
    "nproc through a variable": Case('RUN n="$(nproc)"; make -j "$n"', notes=("parallel-race",)),
    "counted for jobs": Case(
        'RUN make -j$(grep -c processor /proc/cpuinfo) && make -j "$(cat /proc/cpuinfo | grep -c ^processor)"\n'
        "RUN ninja -j `getconf _NPROCESSORS_ONLN` && make -j$(expr $(nproc) + 1) && make -j$(( $(nproc) + 1 ))",
        notes=("parallel-race",),
    ),
    "jobs of other tools": Case(
        "RUN bundle exec rake --jobs=$(nproc) && npm_config_jobs=$(nproc) npm run build && cargo fmt --jobs $(nproc)\n"
        'RUN export MAKEFLAGS="-j$(nproc)" CMAKE_BUILD_PARALLEL_LEVEL=$(nproc) && sh -c "make -j$(nproc) all"',
        notes=("parallel-race",),
    ),
    "counted through variables": Case(
        "RUN n=$(grep -c processor /proc/cpuinfo) && m=$n && make -j${m}", notes=("parallel-race",)
    ),
    "a job count and more": Case('RUN make -j$(nproc) CFLAGS="-DN=$(nproc)"', fires=("cpu-dependent",)),
    "a counted macro": Case("RUN make -j4 N=$(grep -c processor /proc/cpuinfo)", fires=("kernel-state",)),
    "a job count in a file": Case('RUN echo "MAKEFLAGS=-j$(nproc)" >> /etc/environment', fires=("cpu-dependent",)),
    "a variable that is kept": Case('RUN CORES=$(nproc); make -j$CORES; echo "$CORES" > /n', fires=("cpu-dependent",)),
    "a job count in a setting": Case("RUN bundle config set --global jobs $(nproc)", fires=("cpu-dependent",)),
    "getconf kept": Case("RUN getconf _NPROCESSORS_ONLN > /n && getconf PAGESIZE", fires=("cpu-dependent",)),
    "make": Case("RUN make -j4"),
    "build date": Case("ARG BUILD_DATE\nLABEL created=$BUILD_DATE", fires=("build-arg-leak",)),
    "build number": Case("ARG BUILD_NUMBER=unknown\nRUN true", fires=("build-arg-leak",)),
    "a fixed date": Case(
        "ARG SNAPSHOT_DATE=20250101\nARG BUILD_DATE=2025-01-01\nARG SOURCE_DATE_EPOCH\nARG VERSION\nARG UPDATE"
    ),
    "build date of another stage": Case(
        f"FROM a@{DIGEST} AS b\nARG BUILD_DATE\nRUN true\nFROM a@{DIGEST}\nCOPY --from=b /x /", whole=True
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_rule_fires_stays_silent_and_is_mended(case: Case) -> None:
    fits(case)
