"""asset-digest and build-cache: what bundlers and build tools of programs for the web and others leave."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import os
import pickle
import struct
import tarfile

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, at, causes, explain_contents, explain_layers
from tests.compare.layer_images import Entry, file, folder, symlink, tar
from verifier.causes.asset_digest import cause as asset_digest
from verifier.causes.build_cache import cause as build_cache
from verifier.causes.cause import Place
from verifier.model.finding import Explanation

IN = FIRST + 4, SECOND + 4
"""While the two builds ran."""

# Webpack 5.76 (`filename: "[name].[contenthash].js"`, a banner with the date, `devtool: "source-map"`): the one date
# gives the bundle, its licences and its source map another name.
_LICENCE_NOTE = b"/*! For license information please see main.{}.js.LICENSE.txt */\n"
_SOURCE_MAP_NOTE = b"\n//# sourceMappingURL=main.{}.js.map"
_PARTS = (
    ("dist/main.{}.js", _LICENCE_NOTE + b'(()=>{var e=[];console.log("{date}")})();' + _SOURCE_MAP_NOTE),
    ("dist/main.{}.js.LICENSE.txt", b"/*! app built {date} */\n"),
    ("dist/main.{}.js.map", b'{"version":3,"file":"main.{}.js","mappings":";AAAA","names":["log","{date}"]}'),
    ("dist/index.html", b'<script defer="defer" src="/static/js/main.{}.js"></script>'),
)


def bundle(moment: float, digest: str = "", form: str = "%Y-%m-%dT%H:%M:%SZ") -> list[Entry]:
    date = at(moment, form)
    digest = digest or hashlib.sha256(date).hexdigest()[:20]
    return [
        file(
            name.replace("{}", digest),
            content.replace(b"{}", digest.encode()).replace(b"{date}", date),
            mtime=int(moment),
        )
        for name, content in _PARTS
    ]


def explain_bundles(first: list[Entry], second: list[Entry]) -> Explanation:
    return explain_layers(*(tar(sorted(entries, key=lambda entry: entry.name)) for entries in (first, second)))


def test_a_date_gives_a_bundle_another_name() -> None:
    explanation = explain_bundles(bundle(FIRST), bundle(SECOND))
    assert causes(explanation) == ["file-mtime", "asset-digest", "embedded-timestamp"]
    found = {finding.cause: finding for finding in explanation.findings}
    assert found["asset-digest"].opaque
    assert found["asset-digest"].confidence == "likely"
    assert b"/dist/index.html" in found["asset-digest"].paths
    assert b"/dist/index.html" not in found["embedded-timestamp"].paths


def test_what_else_differs_in_a_renamed_file_is_residue() -> None:
    first, second = bundle(FIRST), bundle(SECOND)
    entry = second[0]
    second[0] = file(entry.name, entry.content.replace(b"console", b"consols"), mtime=SECOND)
    assert causes(explain_bundles(first, second))[-1] == "residue"


def namesakes(moment: float, bodies: list[bytes], digests: list[str]) -> list[Entry]:
    """Chunks of one name, as Rollup gives out where several folders have an `index.ts`."""
    date = at(moment, "%Y-%m-%dT%H:%M:%SZ")
    return [
        file(f"dist/index-{digest}.js", body.replace(b"{date}", date), mtime=int(moment))
        for body, digest in zip(bodies, digests, strict=True)
    ]


_CHUNKS = [b'var a="{date}";', b'var bb="{date}";', b'var c="{date}";']
_FIRST_NAMES = ["Dh3uR7-x", "BcQ0aL2k", "C9wTz_4e"]
_SECOND_NAMES = ["Bv81XnKq", "Cq7-pJ3s", "DfY2g0Lm"]


def test_contents_tell_files_of_one_name_apart() -> None:
    first = namesakes(FIRST, _CHUNKS, _FIRST_NAMES)
    explanation = explain_bundles(first, namesakes(SECOND, _CHUNKS[::-1], _SECOND_NAMES))
    assert causes(explanation) == ["asset-digest", "embedded-timestamp"]


@pytest.mark.parametrize(
    "others",
    [
        [*_CHUNKS[:2], b'var d="{date}";'],
        # each is paired once: what stands there twice has no partner for the second
        [*_CHUNKS[:2], _CHUNKS[1]],
        _CHUNKS[:2],
    ],
)
def test_a_file_of_one_name_without_its_like_is_residue(others: list[bytes]) -> None:
    first = namesakes(FIRST, _CHUNKS, _FIRST_NAMES)
    second = namesakes(SECOND, others, _SECOND_NAMES[: len(others)])
    assert causes(explain_bundles(first, second))[-1] == "residue"


def test_of_files_of_one_name_two_that_may_be_words_are_no_pair() -> None:
    """`darkened` and `lightest` may be what somebody called them, whatever the digests beside them are."""
    first = namesakes(FIRST, _CHUNKS[:2], ["darkened", "BcQ0aL2k"])
    second = namesakes(SECOND, _CHUNKS[:2], ["lightest", "Cq7-pJ3s"])
    assert causes(explain_bundles(first, second))[-1] == "residue"
    crossed = namesakes(SECOND, _CHUNKS[1::-1], ["lightest", "Cq7-pJ3s"])
    assert causes(explain_bundles(first, crossed)) == ["asset-digest", "embedded-timestamp"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # figures alone may be a date; words are none; a digest of another length is none of the same kind
        ("a/log.20261118.js", "a/log.20261119.js"),
        ("a/theme.darkened.css", "a/theme.lightest.css"),
        ("a/app.1a2b3c4d.js", "a/app.1a2b3c4d5e.js"),
        ("a/app.1a2b3c4d.so", "a/app.5e6f7a8b.so"),
        ("a/app.1a2b3c4d.js", "b/app.5e6f7a8b.js"),
        ("a/app-1.2.3.js", "a/app-1.2.4.js"),
    ],
)
def test_other_names_are_residue(first: str, second: str) -> None:
    explanation = explain_bundles([file(first, b"", mtime=FIRST)], [file(second, b"", mtime=SECOND)])
    assert causes(explanation) == ["residue"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        # webpack's and CRA's, Next.js's, Vite's, esbuild's, Sprockets', Django's, a style that has no other name
        ("js/787.3f2a81bc.chunk.js", "js/787.90ab12cd.chunk.js"),
        ("chunks/main-0123456789abcdef.js", "chunks/main-fedcba9876543210.js"),
        ("assets/index-BhVcNk2p.css", "assets/index-x_9Qd0Ea.css"),
        ("assets/index-4ZQ7BWDK.js", "assets/index-A2BCDEF3.js"),
        (f"app-{'0a' * 32}.js.gz", f"app-{'1b' * 32}.js.gz"),
        ("static/style.55e7cbb9ba48.css", "static/style.66f8dcca0b59.css"),
        ("css/0a1b2c3d4e5f6071.css", "css/9a8b7c6d5e4f3021.css"),
    ],
)
def test_names_as_bundlers_make_them(first: str, second: str) -> None:
    texts = [b"/* built %s */" % at(moment, "%Y-%m-%d %H:%M:%S") for moment in (FIRST, SECOND)]
    if first.endswith(".gz"):
        texts = [gzip.compress(text, mtime=0) for text in texts]
    entries = (
        [file(name, text, mtime=moment)]
        for name, text, moment in zip((first, second), texts, (FIRST, SECOND), strict=True)
    )
    assert causes(explain_bundles(*entries)) == ["asset-digest", "embedded-timestamp"]
    pages = (b'{"files":{"x":"/%s"}}' % name.encode() for name in (first, second))
    assert causes(explain_contents(*pages)) == ["asset-digest"]


@pytest.mark.parametrize(
    "form",
    [
        # webpack's runtime finds chunks by such a table; Workbox lists what a service worker keeps; webpack --json
        b'r.u=e=>"static/js/"+e+"."+{787:"%s",41:"ab12cd34"}[e]+".chunk.js"',
        b'precacheAndRoute([{url:"index.html",revision:"%s0123456789abcdef01234567"}])',
        b"[{'revision':'%s0123456789abcdef01234567','url':'index.html'}]",
        b'{"hash":"%s012345678901","assetsByChunkName":{"main":["main.js"]}}',
        # rollup-plugin-visualizer numbers modules behind a digest over all that it shows
        b'const data = {"tree":{"uid":"%s-1"},"nodeParts":{"%s-1":{"metaUid":"%s-0"}}};',
    ],
)
def test_digests_in_what_bundlers_write(form: bytes) -> None:
    first, second = (form.replace(b"%s", digest) for digest in (b"3f2a81bc", b"90ab12cd"))
    assert causes(explain_contents(first, second)) == ["asset-digest"]


@pytest.mark.parametrize(
    ("form", "path"),
    [
        (b'{"hash":"%s012345678901"}', "a/b.json"),
        (b'{"revision":"%s0123456789abcdef01234567"}', "a/b.json"),
        (b'{"uid":"%s-1"}', "a/b.html"),
        (b'{"dist":{"file":"lib.%s.js"}}', "srv/package-lock.json"),
        (b"lib %s", "a/b"),
        (b'{787:"%s"}', "a/b.js"),
    ],
)
def test_digests_of_what_comes_from_elsewhere_are_residue(form: bytes, path: str) -> None:
    assert causes(explain_contents(form % b"3f2a81bc", form % b"90ab12cd", path)) == ["residue"]


@pytest.mark.parametrize(
    "path",
    [
        "/app/node_modules/.cache/webpack/default-production/0.pack",
        "/app/.next/cache/webpack/client-production/0.pack",
        "/app/.parcel-cache/data.mdb",
        "/app/.angular/cache/16.0.0/babel-webpack/0b.json",
        "/root/.cache/go-build/0a/0a1b-a",
        "/app/tmp/cache/assets/sprockets/v4.0/a/b.cache",
        "/root/.cache/uv/archive-v0/1ryddU90dgSPod7LDXm9a/x.py",
        "/home/user/.cache/pip/http-v2/0/1/2/3/4/0123",
        "/opt/pipx/logs/cmd_x.log",
        "/src/build/meson-logs/testlog.txt",
        "/home/app/.gradle/4.4.1/fileHashes/fileHashes.bin",
        "/home/app/.gradle/buildOutputCleanup/buildOutputCleanup.lock",
        "/home/gradle/.gradle/caches/8.5/fileHashes/fileHashes.lock",
        "/home/gradle/.gradle/caches/modules-2/modules-2.lock",
        "/root/.gradle/daemon/4.4.1/daemon-87.out.log",
        "/tmp/hsperfdata_root/87",
        "/src/_build/.aliases/default/all-00000000000000000000000000000000",
        "/app/_build/prod/lib/app/.mix/compile.app_tracer",
        "/app/target/release/.fingerprint/tool-63e776f21ca8c012/bin-tool.json",
        "/app/target/aarch64-unknown-linux-gnu/debug/.fingerprint/tool-63e776f21ca8c012/run-build-script-build-script",
        "/pnpm/store/v3/files/00/0a1b-index.json",
        "/root/.local/share/pnpm/store/v10/index/00/0a1b-is-odd@3.0.1.json",
        "/srv/.pnpm-store/v3/files/00/0a1b",
        "/app/.turbo/runs/2lq9BJ0x.json",
        "/tmp/jest_0/perf-cache-c9fb5c377af04cbd7ab45463fbddf895-da39a3ee5e6b4b0d3255bfef95601890",
        "/tmp/v8-compile-cache-0/x64/10.2.154.26-node.37/zSusrzSbinzSyarn.js.BLOB",
        "/app/.turbo/cache/0a1b2c3d4e5f6071.tar.zst",
        "/app/target/debug/incremental/demo-2f02jn7r9lisd/s-hofgu0oqky-gafjms-3szoa44cy7jsw/q.o",
        "/app/target/x86_64-unknown-linux-musl/release/incremental/demo-2f02jn7r9lisd/s-hofgu0oqky.lock",
    ],
)
def test_a_cache_is_taken_as_given(path: str) -> None:
    explanation = explain_contents(b"\x00one", b"\x00other", path[1:])
    assert causes(explanation) == ["build-cache"]
    assert explanation.findings[0].confidence == "likely"
    entries = ([file(path[1:] + tail, b"x", mtime=moment)] for tail, moment in (("-one", FIRST), ("-other", SECOND)))
    assert causes(explain_bundles(*entries)) == ["build-cache"]


@pytest.mark.parametrize(
    "path",
    [
        "root/.cargo/.global-cache",
        "usr/local/cargo/.global-cache",
        "src/build/meson-private/coredata.dat",
        "src/build/.ninja_log",
        "src/build/.ninja_deps",
        "ccache/2/b/stats",
        "src/_build/.digest-db",
        "root/.m2/repository/aopalliance/aopalliance/1.0/_remote.repositories",
        "usr/share/maven/ref/repository/org/example/app/1.0/resolver-status.properties",
        "root/.m2/repository/org/example/app/1.0/app-1.0.pom.lastUpdated",
        "root/.ccache/5/1/c5okk613dtvo19ojo1k9mt1ai25cf88R",
        "srv/manual/out/manual.fdb_latexmk",
        "srv/report/__pycache__/kernels.walk-4.py311.1.nbc",
        "tmp/numba/report_1f/kernels.walk-4.py313t.nbi",
    ],
)
def test_a_file_of_a_cache_by_its_name(path: str) -> None:
    assert causes(explain_contents(b"\x00one", b"\x00other", path)) == ["build-cache"]
    assert causes(explain_contents(b"\x00one", b"\x00other", path + "-not")) == ["residue"]


def test_ccaches_tree_has_other_folders() -> None:
    def tree(name: str, result: str) -> bytes:
        return tar([folder(name, mtime=0), folder(f"{name}/f", mtime=0), file(f"{name}/f/{result}", b"x", mtime=0)])

    results = "5dnfdn0nlib50lt86in89fes5id9ek6R", "fe30n8akjrqg4lsi6e9qsd8o3k2h342R"
    assert causes(explain_layers(tree("ccache/3", results[0]), tree("ccache/8", results[1]))) == ["build-cache"]
    assert causes(explain_layers(tree("other/3", results[0]), tree("other/8", results[1])))[-1] == "residue"


@pytest.mark.parametrize(
    "path",
    [
        "app/.next/trace",
        "app/.next/trace-build",
        "app/packages/web/.turbo/turbo-build.log",
        "app/.eslintcache",
        "app/.yarn/install-state.gz",
    ],
)
def test_a_log_in_one_file_is_taken_as_given(path: str) -> None:
    assert causes(explain_contents(b"\x00one", b"\x00other", path)) == ["build-cache"]


@pytest.mark.parametrize(
    ("path", "first", "second"),
    [
        ("app/src/meson-private/coredata.py", {}, {}),
        ("usr/share/ccache/notes", {}, {}),
        ("root/.gradle/gradle.properties", {}, {}),
        ("root/.m2/repository/org/example/app/1.0/app-1.0.jar", {}, {}),
        ("root/.gradle/caches/modules-2/files-2.1/org.example/app/1.0/0a1b/app-1.0.jar", {}, {}),
        ("app/.next/traces", {}, {}),
        ("srv/results.nbi", {}, {}),
        ("srv/model.py3.nbc", {}, {}),
        ("tmp/jest-results/a", {}, {}),
        ("app/.yarn/releases/yarn-4.5.0.cjs", {}, {}),
        ("app/store/v3/files/a", {}, {}),
        ("app/.turbo/config.json", {}, {}),
        ("app/node_modules/cache/a", {}, {}),
        ("root/.cache/huggingface/a", {}, {}),
        ("app/target/debug/a", {}, {}),
        ("app/.next/server/a", {}, {}),
        ("app/node_modules/.cache", {}, {}),
        ("app/node_modules/.cache/a", {}, {"mode": 0o4755}),
    ],
)
def test_what_is_no_cache_or_no_plain_file_of_one_is_residue(
    path: str, first: dict[str, int], second: dict[str, int]
) -> None:
    images = (tar([file(path, content, **more)]) for content, more in ((b"\x00one", first), (b"\x00other", second)))
    assert causes(explain_layers(*images))[-1] == "residue"


def test_times_in_a_cache_are_the_caches() -> None:
    # an entry of Go's cache (cmd/go/internal/cache, "v1 <action> <output> <size> <time>")
    first, second = (b"v1 %s %s %20d %20d\n" % (b"0a" * 32, b"1b" * 32, 5, moment * 10**9) for moment in IN)
    explanation = explain_contents(first, second, "root/.cache/go-build/0a/0a-a")
    assert causes(explanation) == ["build-cache"]
    assert explanation.findings[0].confidence == "proven"


def test_when_maven_fetched_an_artefact_is_the_caches() -> None:
    form = "#NOTE: This is a Maven Resolver internal implementation file.\n#%a %b %d %H:%M:%S UTC %Y\nx.pom>central=\n"
    explanation = explain_contents(*(at(moment, form) for moment in IN), "root/.m2/repository/x/1/_remote.repositories")
    assert causes(explanation) == ["build-cache"]
    assert explanation.findings[0].confidence == "proven"


def test_sprockets_manifest_has_a_random_name() -> None:
    form = '{{"files":{{"app-{0}.js":{{"mtime":"{1}","size":36,"digest":"{0}","integrity":"sha256-{2}="}}}}}}'

    def manifest(moment: float, name: str) -> list[Entry]:
        date = at(moment, "%Y-%m-%dT%H:%M:%S+00:00").decode()
        digest = hashlib.sha256(date.encode()).digest()
        integrity = base64.b64encode(digest).decode().rstrip("=")
        content = form.format(digest.hex(), date, integrity).encode()
        return [file(f"assets/.sprockets-manifest-{name * 8}.json", content, mtime=int(moment))]

    explanation = explain_bundles(manifest(FIRST, "7c90"), manifest(SECOND, "eb4d"))
    assert causes(explanation) == ["embedded-timestamp", "temporary-name"]


def test_counts_in_a_cache_are_the_caches() -> None:
    # uv's copy of an index page: bytes of no known format, with the seconds when they were fetched
    first, second = (b"\x00\x01index" + struct.pack("<Q", moment) + b"\xff" for moment in IN)
    assert causes(explain_contents(first, second, "root/.cache/uv/simple-v13/pypi/x.rkyv")) == ["build-cache"]
    assert causes(explain_contents(first, second, "srv/x.rkyv")) == ["embedded-timestamp"]


def test_a_link_into_a_cache() -> None:
    images = (
        tar([symlink("root/.cache/uv/wheels-v2/x", f"/root/.cache/uv/archive-v0/{name}", mtime=0)])
        for name in ("1ryddU90dgSPod7LDXm9a", "UPbsf4utEmzY-YmkgP80l")
    )
    assert causes(explain_layers(*images)) == ["build-cache"]


def test_what_rustc_answered_stands_in_any_order() -> None:
    # cargo's table of rustc's answers is a hash map (`.rustc_info.json`)
    outputs = b'"1":{"success":true}', b'"2":{"success":false}'
    first, second = (
        b'{"rustc_fingerprint":12,"outputs":{%s},"successes":{}}' % b",".join(order)
        for order in (outputs, outputs[::-1])
    )
    assert causes(explain_contents(first, second, "app/target/.rustc_info.json")) == ["build-cache"]
    assert causes(explain_contents(first, second + b"\0", "app/target/x.json"))[-1] == "residue"


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (("12345678", "3f2a81bc"), ["asset-digest", "embedded-timestamp"]),
        (("k2x9q_1a", "BhVcNk2p"), ["asset-digest", "embedded-timestamp"]),
        (("BhVcNk2p", "Settings"), ["asset-digest", "embedded-timestamp"]),
        (("settings", "profiles"), ["residue"]),
        (("12345678", "12345679"), ["residue"]),
        (("20261117", "3f2a81bc"), ["residue"]),
    ],
)
def test_a_digest_may_look_like_a_word_or_a_number(names: tuple[str, str], found: list[str]) -> None:
    images = (
        tar(
            [
                file(f"srv/app-{name}.js", b"built at %d\n" % moment, mtime=0),
                file("srv/index.html", b'<script src="/app-%s.js"></script>\n' % name.encode(), mtime=0),
            ]
        )
        for name, moment in zip(names, IN, strict=True)
    )
    assert [slug for slug in causes(explain_layers(*images)) if slug in found or slug != "embedded-timestamp"] == found


def test_they_look_at_one_side_alone() -> None:
    place = Place(part="layer", field="entry", path=b"/a/app.3f2a81bc.js", type="file")
    assert asset_digest.rename is not None
    assert asset_digest.rename(place, WINDOWS[0]) == (b"/a/app.<8 hexadecimal digits>.js", False)
    assert build_cache.given is not None
    assert not build_cache.given(place, WINDOWS[0])


def long_named(moment: float, form: int) -> bytes:
    date = at(moment, "%Y-%m-%d %H:%M:%S")
    digest = hashlib.sha256(date).hexdigest()[:12]
    return tar([file(f"{'some/folder/' * 10}app.{digest}.js", date, mtime=int(moment), pax=(("comment", "x"),))], form)


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
def test_names_that_need_an_extension_header(form: int) -> None:
    explanation = explain_layers(*(long_named(moment, form) for moment in IN))
    assert causes(explanation) == ["asset-digest", "embedded-timestamp"]


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT])
@pytest.mark.parametrize(("block", "offset"), [(0, 9), (2, 5), (2, 270)])
def test_what_hides_beside_a_long_name_is_residue(form: int, block: int, offset: int) -> None:
    """In an extension header's own name, in the name for old readers, in a field that says nothing else."""
    first, second = long_named(IN[0], form), bytearray(long_named(IN[1], form))
    start = block * 512
    second[start + offset] ^= 1
    second[start + 148 : start + 156] = b"        "
    second[start + 148 : start + 156] = b"%06o\0 " % sum(second[start : start + 512])
    assert causes(explain_layers(first, bytes(second)))[-1] == "residue"


# Workbox 7.1 with Terser 5.31: `r` and `t` are given out by how often they stand in the text, digests included.
_WORKER = b"""define(["./workbox"],function(e){self.skipWaiting(),((%s,i)=>{const %s=i;%s(%s)})(1,2),\
e.precacheAndRoute([{url:"index.html",revision:"%s"},{url:"assets/index-%s.js",revision:null}],{})});"""


def worker(names: bytes, digest: bytes) -> bytes:
    one, other = names[:1], names[1:]
    return _WORKER % (one, other, other, one, hashlib.sha256(digest).hexdigest()[:32].encode(), digest)


def test_short_names_that_a_minifier_swapped() -> None:
    first, second = worker(b"rt", b"kg4UYK5P"), worker(b"tr", b"VX6pILdY")
    assert causes(explain_contents(first, second, "dist/sw.js")) == ["asset-digest"]


@pytest.mark.parametrize(
    ("before", "after"), [(b"t(r)", b"r(r)"), (b"e.precache", b"e.precaches"), (b"const", b"let"), (b"},{", b"},i,{")]
)
def test_another_program_of_a_service_worker_is_residue(before: bytes, after: bytes) -> None:
    first, second = worker(b"rt", b"kg4UYK5P"), worker(b"rt", b"VX6pILdY").replace(before, after, 1)
    assert second != worker(b"rt", b"VX6pILdY")
    assert causes(explain_contents(first, second, "dist/sw.js")) == ["residue"]


def test_short_names_of_another_program_are_residue() -> None:
    assert causes(explain_contents(b"f(r,t)", b"f(t,r)", "dist/app.js")) != ["asset-digest"]


def test_the_folder_in_which_workbox_bundles() -> None:
    first, second = (
        b'{"version":3,"sources":["../../../tmp/%s/sw.js"]}' % hashlib.sha256(seed).hexdigest()[:32].encode()
        for seed in (b"first", b"second")
    )
    assert causes(explain_contents(first, second, "dist/sw.js.map")) == ["temporary-name"]


def test_what_sphinx_keeps_of_its_documents() -> None:
    def environment(moment: float, names: list[str]) -> bytes:
        times = {"index": moment, "usage": moment + 1}
        return pickle.dumps({"all_docs": times, "included": names, "uid": os.urandom(16).hex()}, protocol=4)

    first, second = environment(FIRST + 5, ["a", "b"]), environment(SECOND + 5, ["b", "a"])
    for path in ("srv/doctrees/environment.pickle", "srv/html/.doctrees/index.doctree", "srv/json/environment.pickle"):
        explanation = explain_contents(first, second, path)
        assert causes(explanation) == ["build-cache"]
        assert explanation.findings[0].opaque
    assert causes(explain_contents(first, second, "srv/model.pickle"))[-1] == "residue"


def island(moment: float, digest: str, *, name: str = "Clock") -> bytes:
    page = f'<astro-island uid="{digest}" component-url="/_astro/{name}.js" ssr client="idle"><b>%s</b></astro-island>'
    return page.encode() % at(moment, "%Y-%m-%dT%H:%M:%SZ")


def test_an_islands_digest_follows_from_what_it_renders() -> None:
    explanation = explain_contents(island(IN[0], "iLjWK"), island(IN[1], "ZESHb6"), "www/index.html")
    assert causes(explanation) == ["embedded-timestamp"]
    # nothing that it could have been made from varies
    assert causes(explain_contents(island(1, "iLjWK"), island(1, "ZESHb6"), "www/index.html")) == ["residue"]
    # another island
    other = island(IN[1], "ZESHb6", name="Watch")
    assert causes(explain_contents(island(IN[0], "iLjWK"), other, "www/index.html")) == ["residue"]


def optimized(digest: str, config: str = "6e86c661", src: str = "../../preact/dist/preact.mjs") -> bytes:
    """What Vite 6 notes of the dependencies that it bundled."""
    value = {"hash": "52deae94", "configHash": config, "lockfileHash": "1e55063f", "browserHash": "dd1b506d"}
    file = {"src": src, "file": "preact.js", "fileHash": digest, "needsInterop": False}
    return json.dumps({**value, "optimized": {"preact": file}, "chunks": {}}, indent=2).encode()


def test_what_vite_notes_of_its_dependencies() -> None:
    path = "srv/deps/_metadata.json"
    assert causes(explain_contents(optimized("75b4b449"), optimized("4fe20a6e"), path)) == ["build-cache"]
    assert causes(explain_contents(optimized("75b4b449"), optimized("4fe20a6e", src="x.mjs"), path))[-1] == "residue"
    assert causes(explain_contents(optimized("75b4b449"), optimized("4fe20a6e"), "srv/deps/data.json")) == ["residue"]
    other = b'{"fileHash": "%s"}'
    assert causes(explain_contents(other % b"75b4b449", other % b"4fe20a6e", path)) == ["residue"]
