"""framework-build-id: what frameworks for the web make up for every build."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path

import pytest

from tests.causes.sides import FIRST, SECOND, WINDOWS, causes, explain_layers
from tests.compare.layer_images import Entry, file, folder, image, single, tar
from verifier.causes.cause import SideContext
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.explain.diff_ids import prove_diff_ids
from verifier.formats.build_identity import identities_of_file
from verifier.model.finding import Explanation

IDS = "Ns_G6tBfXjb5qIqX0q-zk", "-yq3fPqRr9sWm8Yk2cV_T"
UUIDS = "0d9f1c4e-58a7-4f0b-9a51-3c1de0a2b417", "f6f1a8a4-0b1c-4d2e-8f30-415263748596"
VERSIONS = (FIRST + 4) * 1000 + 123, (SECOND + 4) * 1000 + 456


def explain_files(first: list[Entry], second: list[Entry], sides: tuple[SideContext, ...] = WINDOWS) -> Explanation:
    return explain_layers(*(tar(sorted(entries, key=lambda one: one.name)) for entries in (first, second)), sides)


# Next.js 14: `BUILD_ID`, pages, React's stream in an app's page, and the same in a string of a script.
NEXT_PAGES = (
    '<script src="/_next/static/{}/_ssgManifest.js" defer=""></script>',
    '{{"props":{{}},"page":"/","query":{{}},"buildId":"{}","isFallback":false}}',
    '0:["{}",[[["",{{"children":["dash",{{}}]}}]]]]\n',
    '{{"dataRouteRegex":"^/_next/data/{}/index.json$"}}',
    'self.__next_f.push([1,"0:[\\"$\\",null,{{\\"buildId\\":\\"{}\\",\\"assetPrefix\\":\\"\\"}}]\\n"])',
)


@pytest.mark.parametrize("page", NEXT_PAGES)
@pytest.mark.parametrize("sides", [WINDOWS, (SideContext(), SideContext())], ids=["built", "compared"])
def test_the_build_id_of_next(page: str, sides: tuple[SideContext, ...]) -> None:
    pairs = [
        [
            file("srv/.next/BUILD_ID", one.encode()),
            file("srv/.next/page", page.format(one.replace("-", r"\\-") if "Regex" in page else one).encode()),
            folder(f"srv/.next/static/{one}"),
            file(f"srv/.next/static/{one}/_buildManifest.js", b"self.__BUILD_MANIFEST={}"),
        ]
        for one in IDS
    ]
    explanation = explain_files(*pairs, sides)
    assert causes(explanation) == ["framework-build-id"]
    assert explanation.findings[0].opaque


def test_the_build_id_of_static_files_alone() -> None:
    pairs = [
        [file("w/index.html", one.encode()), file(f"w/_next/static/{one}/_ssgManifest.js", b"self.x=1")] for one in IDS
    ]
    assert causes(explain_files(*pairs)) == ["framework-build-id"]


def test_another_folder_below_static_is_residue() -> None:
    pairs = [[file("w/index.html", one.encode()), file(f"w/static/{one}/app.txt", b"1")] for one in IDS]
    assert causes(explain_files(*pairs)) == ["residue"]


@pytest.mark.parametrize("ids", [("3f2a81bc", "90ab12cd"), ("v1.0", "v1.1"), (IDS[0] + "x", IDS[1] + "x")])
def test_an_id_that_somebody_set_is_residue(ids: tuple[str, str]) -> None:
    pairs = [[file("a/BUILD_ID", one.encode()), file("a/page", one.encode())] for one in ids]
    assert causes(explain_files(*pairs)) == ["residue"]


def test_what_else_differs_in_a_page_is_residue() -> None:
    pairs = [
        [file("a/BUILD_ID", one.encode()), file("a/page", f"{one} {price}".encode())]
        for one, price in zip(IDS, ("1 EUR", "2 EUR"), strict=True)
    ]
    assert causes(explain_files(*pairs)) == ["framework-build-id", "residue"]


def test_the_other_sides_id_is_none_of_this_side() -> None:
    pairs = [
        [file("a/BUILD_ID", one.encode()), file("a/page", other.encode())]
        for one, other in zip(IDS, reversed(IDS), strict=True)
    ]
    assert causes(explain_files(*pairs)) == ["framework-build-id", "residue"]


def test_the_keys_of_next() -> None:
    pairs = []
    for seed in (b"first", b"second"):
        key = hashlib.sha256(seed).digest()
        preview = {
            "previewModeId": key[:16].hex(),
            "previewModeSigningKey": key.hex(),
            "previewModeEncryptionKey": key[::-1].hex(),
        }
        actions = {"node": {}, "encryptionKey": base64.b64encode(key).decode()}
        pairs.append(
            [
                file("a/prerender-manifest.json", json.dumps({"preview": preview}).encode()),
                file("a/prerender-manifest.js", f"self.x={json.dumps(json.dumps(preview))}".encode()),
                file("a/server/server-reference-manifest.json", json.dumps(actions).encode()),
                file("a/server/edge.js", f'e={{__NEXT_PREVIEW_MODE_ID:"{key[:16].hex()}"}}'.encode()),
            ]
        )
    assert causes(explain_files(*pairs)) == ["framework-build-id"]


def svelte(version: int, digest: str) -> list[Entry]:
    return [
        file("b/client/_app/version.json", f'{{"version":"{version}"}}'.encode()),
        file("b/client/_app/chunks/entry.js", f"(n=globalThis.__sveltekit_{digest})==null?void 0:n.base".encode()),
        file("b/server/chunks/internal.js", f'\tversion_hash: "{digest}"\n'.encode()),
        file("b/server/index.js.map", json.dumps({"sourcesContent": [f'  version_hash: "{digest}"\n']}).encode()),
        file("b/server/env.js", f'const version = "{version}";'.encode()),
    ]


def test_the_version_of_sveltekit_is_a_time_and_its_digest_is_computed() -> None:
    # SvelteKit 2.5.25 wrote these two digests for these two versions
    written = {b"1795450007172": b"glmurh", b"1795450135116": b"m0w8rj"}
    for version, digest in written.items():
        found = [one.pattern for one in identities_of_file(b"_app/version.json", b'{"version":"%s"}' % version)]
        assert len(found) == 2
        assert digest in found[1]


def test_sveltekit() -> None:
    digests = []
    for version in VERSIONS:
        content = b'{"version":"%d"}' % version
        pattern = [one.pattern for one in identities_of_file(b"version.json", content)][1]
        digests.append(pattern.removesuffix(b"(?![0-9a-z])").rpartition(b")")[2].decode())
    explanation = explain_files(*(svelte(version, digest) for version, digest in zip(VERSIONS, digests, strict=True)))
    assert causes(explanation) == ["framework-build-id"]
    assert explanation.findings[0].confidence == "proven"
    # another digest than the version's is none
    wrong = explain_files(
        *(svelte(version, digest) for version, digest in zip(VERSIONS, ("abc123", "def456"), strict=True))
    )
    assert causes(wrong) == ["framework-build-id", "residue"]


def test_a_version_that_is_no_time_of_the_build_is_residue() -> None:
    explanation = explain_files(*(svelte(version - 10**9, "abc123") for version in VERSIONS))
    assert causes(explanation) == ["residue"]


def test_the_build_id_of_nuxt() -> None:
    pairs = []
    for one, moment in zip(UUIDS, (FIRST + 4, SECOND + 4), strict=True):
        meta = json.dumps({"id": one, "timestamp": moment * 1000 + 7}).encode()
        pairs.append(
            [
                file("p/_nuxt/builds/latest.json", meta),
                file(f"p/_nuxt/builds/meta/{one}.json", meta),
                file("p/index.html", f'<script>window.__NUXT__.config={{app:{{buildId:"{one}"}}}}</script>'.encode()),
            ]
        )
    assert causes(explain_files(*pairs)) == ["framework-build-id", "embedded-timestamp"]


def test_layers_are_written_again_without_what_a_framework_made_up(tmp_path: Path) -> None:
    pairs = [[file("a/BUILD_ID", one.encode()), file("a/page", f"<{one}>".encode())] for one in IDS]
    sets = [single(image(tar(entries))) for entries in pairs]
    comparison = compare(*sets, workspace=tmp_path)
    reader = ImageSetReader(*sets)
    sides = WINDOWS[0], WINDOWS[1]
    explanation = explain(comparison, first=sides[0], second=sides[1], contents=reader, instructions=lambda _: None)
    assert causes(explanation) == ["framework-build-id"]
    written = prove_diff_ids(comparison, explanation, sides=sides, layers=reader, instructions=lambda _: None).diff_ids
    assert [one.first == one.second is not None for one in written] == [True]


@pytest.mark.parametrize("name", ["next-server.js.nft.json", "server/pages-manifest.json"])
def test_the_order_in_which_nexts_jobs_end_is_nobodys_hash(name: str) -> None:
    # Next.js 14.2.15 on one machine, twice
    first = b'{"/_app":"pages/_app.js","/_error":"pages/_error.js","/api/health":"pages/api/health.js"}'
    second = b'{"/_app":"pages/_app.js","/api/health":"pages/api/health.js","/_error":"pages/_error.js"}'
    assert causes(explain_files([file(f"app/.next/{name}", first)], [file(f"app/.next/{name}", second)])) == ["residue"]
    assert causes(explain_files([file("a/b.json", first)], [file("a/b.json", second)])) == ["hash-order"]
