from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from verifier.errors import UsageError
from verifier.oci.reference import ImageName, parse_image_name, parse_reference

ZEROS = "sha256:" + "0" * 64


def parse(text: str, *existing: str) -> ImageName:
    return parse_image_name(text, existing.__contains__)


@pytest.mark.parametrize(
    ("text", "canonical", "familiar"),
    [
        ("ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("ubuntu:22.04", "docker.io/library/ubuntu:22.04", "ubuntu:22.04"),
        ("docker.io/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("index.docker.io/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("library/ubuntu", "docker.io/library/ubuntu:latest", "ubuntu:latest"),
        ("library/a/b", "docker.io/library/a/b:latest", "library/a/b:latest"),
        ("owner/name", "docker.io/owner/name:latest", "owner/name:latest"),
        ("localhost/x", "localhost/x:latest", "localhost/x:latest"),
        ("localhost:5000/x", "localhost:5000/x:latest", "localhost:5000/x:latest"),
        ("localhost:5000", "docker.io/library/localhost:5000", "localhost:5000"),
        ("127.0.0.1:5000/x/y:t", "127.0.0.1:5000/x/y:t", "127.0.0.1:5000/x/y:t"),
        ("[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"),
        ("[2001:db8::1]/x:t", "[2001:db8::1]/x:t", "[2001:db8::1]/x:t"),
        ("registry.example/a.b/c__d/e-f:T_1.0-x", *["registry.example/a.b/c__d/e-f:T_1.0-x"] * 2),
        ("HOST/x", "HOST/x:latest", "HOST/x:latest"),
        (f"ubuntu@{ZEROS}", f"docker.io/library/ubuntu@{ZEROS}", f"ubuntu@{ZEROS}"),
        (f"ubuntu:t@{ZEROS}", f"docker.io/library/ubuntu:t@{ZEROS}", f"ubuntu:t@{ZEROS}"),
        (f"localhost:5000/x@{ZEROS}", *[f"localhost:5000/x@{ZEROS}"] * 2),
    ],
)
def test_references(text: str, canonical: str, familiar: str) -> None:
    reference = parse_reference(text)
    assert reference.canonical == canonical
    assert str(reference) == familiar
    assert parse_reference(canonical) == parse_reference(familiar) == reference


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("", "does not say which image", "images are named"),
        (":tag", "does not say which image", "images are named"),
        ("ubuntu:", "'' is not a tag", "leave out the colon"),
        ("ubuntu:.x", "'.x' is not a tag", "begins with a letter"),
        ("ubuntu:" + "x" * 129, "is not a tag", "at most 128"),
        ("ubuntu:ü", "is not a tag", "at most 128"),
        ("Ubuntu", "is not a repository's name", "lower-case"),
        ("owner/Name", "is not a repository's name", "lower-case"),
        ("a//b", "is not a repository's name", "images are named"),
        ("a/-b", "is not a repository's name", "images are named"),
        ("a__.b", "is not a repository's name", "images are named"),
        ("-host.example/x", "is not a registry's", None),
        ("host_.example/x", "is not a registry's", None),
        ("host.example:port/x", "is not a registry's", None),
        ("host.example:70000/x", "there is no port 70000", None),
        ("host.example:" + "9" * 5000 + "/x", "there is no port 99999", None),
        ("[::1/x", "is not a registry's", None),
        ("[::1::2]/x", "is not an IPv6 address", None),
        ("a" * 300, "longer than 255", None),
        ("0" * 64, "is an image ID", "docker-daemon:sha256:000"),
        ("ubuntu@sha256:12", "'sha256:12' is not a digest", "64 hexadecimal digits"),
        ("ubuntu@", "'' is not a digest", "64 hexadecimal digits"),
        ("ubuntu@md5:" + "0" * 32, "is not a digest", "64 hexadecimal digits"),
        ("ubuntu@SHA256:" + "0" * 64, "is not a digest", "64 hexadecimal digits"),
    ],
)
def test_what_is_no_reference(text: str, message: str, hint: str | None) -> None:
    with pytest.raises(UsageError) as caught:
        parse_reference(text)
    assert message in caught.value.message
    assert len(caught.value.message) < 600
    assert (hint or "") in (caught.value.hint or "")
    assert caught.value.exit_code == 2


@pytest.mark.parametrize("text", ["ubuntu:22.04", "docker://ubuntu:22.04", "docker://docker.io/library/ubuntu:22.04"])
def test_registry_names(text: str) -> None:
    name = parse(text)
    assert name.transport == "registry"
    assert str(name) == text
    assert name.reference == parse_reference("ubuntu:22.04")
    assert name.tag == "22.04"


@pytest.mark.parametrize(
    ("text", "location"),
    [
        ("docker-daemon:sample:one", "sample:one"),
        ("docker-daemon:sample", "sample:latest"),
        ("docker-daemon:docker.io/library/sample:one", "sample:one"),
        ("docker-daemon:localhost:5000/sample", "localhost:5000/sample:latest"),
        (f"docker-daemon:sample@{ZEROS}", f"sample@{ZEROS}"),
        (f"docker-daemon:{ZEROS}", ZEROS),
        ("docker-daemon:0123456789ab", "0123456789ab"),
        ("docker-daemon:feed", "feed:latest"),
    ],
)
def test_engine_names(text: str, location: str) -> None:
    name = parse(text)
    assert (name.transport, name.location) == ("docker-daemon", location)


@pytest.mark.parametrize("transport", ["oci", "oci-archive", "docker-archive"])
class TestFiles:
    def test_path_alone(self, transport: str) -> None:
        name = parse(f"{transport}:/a/b.tar", "/a/b.tar")
        assert (name.transport, name.location, name.tag, name.digest) == (transport, "/a/b.tar", None, None)
        assert str(name.path) == "/a/b.tar"
        assert name.reference is None

    @pytest.mark.parametrize("tag", ["one", "sample:one", "localhost:5000/x:y"])
    def test_tag(self, transport: str, tag: str) -> None:
        for existing in ((), ("/a/b",)):
            name = parse(f"{transport}:/a/b:{tag}", *existing)
            assert (name.location, name.tag, name.digest) == ("/a/b", tag, None)

    def test_digest(self, transport: str) -> None:
        name = parse(f"{transport}:/a/b@{ZEROS}", "/a/b")
        assert (name.location, name.tag, name.digest) == ("/a/b", None, ZEROS)
        name = parse(f"{transport}:/a/b:t@{ZEROS}", "/a/b")
        assert (name.location, name.tag, name.digest) == ("/a/b", "t", ZEROS)

    def test_the_longest_path_that_exists_wins(self, transport: str) -> None:
        name = parse(f"{transport}:a:b:c", "a", "a:b")
        assert (name.location, name.tag) == ("a:b", "c")
        name = parse(f"{transport}:a:b:c", "a", "a:b:c")
        assert (name.location, name.tag) == ("a:b:c", None)
        name = parse(f"{transport}:a@{ZEROS}", f"a@{ZEROS}")
        assert (name.location, name.digest) == (f"a@{ZEROS}", None)
        name = parse(f"{transport}:a@b:c", "a@b")
        assert (name.location, name.tag) == ("a@b", "c")
        name = parse(f"{transport}:a:b@{ZEROS}", "a:b")
        assert (name.location, name.tag, name.digest) == ("a:b", None, ZEROS)

    @pytest.mark.parametrize("rest", ["", ":one", f"@{ZEROS}", "/a:", "/a:b c", "/a@sha256:1", "/a:b@c"])
    def test_bad(self, transport: str, rest: str) -> None:
        with pytest.raises(UsageError):
            parse(f"{transport}:{rest}", "/a")


def test_containers_storage_is_passed_on() -> None:
    name = parse("containers-storage:[vfs@/x+/y]localhost/sample:one")
    assert (name.transport, name.location) == ("containers-storage", "[vfs@/x+/y]localhost/sample:one")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("https://registry.example/x", "leave out https://"),
        ("oci:///tmp/x", None),
        ("docker-daemon://x", "docker-daemon:"),
        ("./image.tar", "docker-archive:./image.tar or oci-archive:./image.tar"),
        ("/tmp/layout", "oci:/tmp/layout"),
        ("Image.tar", "docker-archive:Image.tar"),
        ("docker-deamon:x/y", "images are named"),
        ("dir:/tmp/x", "images are named"),
        (" ubuntu", "images are named"),
        ("ubuntu\n", "images are named"),
        ("oci:/tmp/\x1b", "images are named"),
        ("containers-storage:", "containers-storage:NAME"),
        ("docker-daemon:sha256:12", "sha256:"),
        ("docker-daemon:Sample", "lower-case"),
        ("docker-daemon:", "docker-daemon:NAME:TAG"),
        ("x" * 9000, "at most"),
    ],
)
def test_hints(text: str, hint: str | None) -> None:
    if hint is None:
        assert parse(text).location == "///tmp/x"
        return
    with pytest.raises(UsageError) as caught:
        parse(text, "Image.tar")
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@given(
    st.one_of(
        st.text(max_size=80),
        st.text(alphabet="aA0.:/@[]_- sha256", max_size=120),
        st.builds("{}:{}".format, st.sampled_from(["oci", "docker-daemon", "docker-archive", "docker"]), st.text()),
    )
)
def test_any_text_is_a_name_or_a_usage_error(text: str) -> None:
    try:
        name = parse_image_name(text, lambda _path: False)
    except UsageError:
        return
    assert name.text == text
    if name.reference is not None:
        assert parse_reference(name.reference.canonical) == name.reference
        assert parse_reference(str(name.reference)) == name.reference
