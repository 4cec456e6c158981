"""Keys with what goes with them, by the tools that make them; what may be somebody else's only where they are run."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.causes.sides import WINDOWS, causes
from tests.compare.layer_images import Entry, file, image, single, tar
from verifier.causes.cause import Place, SideContext, Window
from verifier.causes.generated_key import cause
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.formats.field import Field
from verifier.model.finding import Explanation
from verifier.model.instruction import Instruction, StageRef

_MAKING = "RUN openssl req -x509 -newkey rsa:2048 -keyout ca.key -out ca.crt && ssh-keygen -f id"


def explained_entries(first: Entry, second: Entry, made_by: str, sides: tuple[SideContext, ...]) -> Explanation:
    """Explain two images of one entry each, knowing the instruction that made it."""
    sets = tuple(single(image(tar([entry]))) for entry in (first, second))
    instruction = Instruction(stage=StageRef(index=0), line=2, end_line=2, text=made_by)
    with tempfile.TemporaryDirectory() as workspace:
        comparison = compare(*sets, workspace=Path(workspace))
    return explain(
        comparison,
        first=sides[0],
        second=sides[1],
        contents=ImageSetReader(*sets),
        instructions=lambda _: instruction,
    )


def explained(first: bytes, second: bytes, path: str, made_by: str, sides: tuple[SideContext, ...]) -> Explanation:
    """Explain a file's two contents, knowing the instruction that made it."""
    return explained_entries(file(path, first), file(path, second), made_by, sides)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[tuple[Path, Path], tuple[SideContext, SideContext]]:
    """Make an authority with a certificate and its texts, and an SSH key, twice; tell the windows."""
    if shutil.which("openssl") is None or shutil.which("ssh-keygen") is None:
        pytest.skip("openssl and ssh-keygen are not both installed")
    folders, sides = [], []
    script = """
        openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=Local CA" -keyout ca.key -out ca.crt
        openssl req -newkey rsa:2048 -nodes -subj "/CN=app" -keyout app.key -out app.csr
        openssl x509 -req -in app.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out app.crt
        openssl x509 -in app.crt -noout -text -out app.txt
        openssl x509 -in app.crt -noout -fingerprint -sha256 > app.fingerprint
        openssl x509 -in app.crt -outform der -out app.der
        openssl rsa -in app.key -pubout -out app.pub
        ssh-keygen -q -t ed25519 -N '' -C deploy -f id_ed25519
        sed 's/^/git.local /' id_ed25519.pub > known_hosts
        ssh-keygen -H -f known_hosts
        ssh-keygen -q -s id_ed25519 -I web -h -n web -V +52w id_ed25519.pub
        ssh-keygen -lvf id_ed25519.pub > id_ed25519.art
        ssh-keygen -L -f id_ed25519-cert.pub > certificate.txt
        printf '[ca]\\ndefault_ca=c\\n[c]\\ndatabase=index.txt\\nnew_certs_dir=.\\nserial=serial\\n' > ca.cnf
        printf 'crlnumber=number\\ncertificate=ca.crt\\nprivate_key=ca.key\\ndefault_md=sha256\\n' >> ca.cnf
        printf 'default_days=30\\ndefault_crl_days=7\\npolicy=p\\n[p]\\ncommonName=supplied\\n' >> ca.cnf
        touch index.txt
        echo 01 > number
        printf '5%s\\n' "$(openssl rand -hex 15 | tr a-f A-F | cut -c2-)" > serial
        openssl ca -batch -config ca.cnf -in app.csr -out issued.crt
        openssl ca -config ca.cnf -revoke issued.crt
        openssl ca -config ca.cnf -gencrl -out crl.pem
        openssl crl -in crl.pem -noout -text > crl.txt
        openssl crl -in crl.pem -outform der -out crl.der
    """
    for _ in range(2):
        folder = tmp_path_factory.mktemp("keys")
        start = datetime.now(UTC).timestamp()
        subprocess.run(["sh", "-ec", script], check=True, cwd=folder, capture_output=True)
        sides.append(SideContext(window=Window(start=start, end=datetime.now(UTC).timestamp() + 1)))
        folders.append(folder)
    return (folders[0], folders[1]), (sides[0], sides[1])


_ANYWAY = ("ca.key", "ca.crt", "app.crt", "app.der", "id_ed25519", "crl.pem", "crl.der")
_WITH_A_MAKER = (
    "ca.srl",
    "serial",
    "app.csr",
    "app.pub",
    "app.fingerprint",
    "id_ed25519.pub",
    "id_ed25519-cert.pub",
)
_WITH_TIMES = ("app.txt", "issued.crt", "crl.txt", "index.txt")
_BY_SSH_KEYGEN = ("id_ed25519.art", "certificate.txt")


@pytest.mark.parametrize("name", [*_ANYWAY, *_WITH_A_MAKER])
def test_what_keys_come_with(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]], name: str) -> None:
    folders, sides = made
    first, second = ((folder / name).read_bytes() for folder in folders)
    explanation = explained(first, second, f"etc/pki/{name}", _MAKING, sides)
    assert causes(explanation) == ["generated-key"]
    assert explanation.findings[0].confidence == "likely"
    without = explained(first, second, f"etc/pki/{name}", "RUN ./install.sh", sides)
    assert causes(without) == (["generated-key"] if name in _ANYWAY else ["residue"])


@pytest.mark.parametrize("name", _WITH_TIMES)
def test_in_words_and_in_a_list(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]], name: str) -> None:
    folders, sides = made
    first, second = ((folder / name).read_bytes() for folder in folders)
    explanation = explained(first, second, f"etc/pki/{name}", _MAKING, sides)
    assert set(causes(explanation)) <= {"generated-key", "embedded-timestamp"}
    assert "generated-key" in causes(explanation)
    assert causes(explained(first, second, f"etc/pki/{name}", "RUN ./install.sh", sides))[-1] == "residue"


@pytest.mark.parametrize("name", _BY_SSH_KEYGEN)
def test_what_ssh_keygen_prints(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]], name: str) -> None:
    folders, sides = made
    first, second = ((folder / name).read_bytes() for folder in folders)
    making = "RUN ssh-keygen -q -t ed25519 -f id && ssh-keygen -lvf id.pub > id.art"
    assert causes(explained(first, second, f"etc/ssh/{name}", making, sides)) == ["generated-key"]
    # whose key it is, is not known
    for other in ("RUN ssh-keygen -lvf key.pub > id.art", f"{making} && ssh-keyscan git.local > id"):
        assert causes(explained(first, second, f"etc/ssh/{name}", other, sides))[-1] == "residue"


def test_a_list_of_revoked_ones_that_is_older_is_residue(
    made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]],
) -> None:
    folders, sides = made
    later = tuple(
        SideContext(window=Window(start=side.window.end + 7200, end=side.window.end + 7260))
        for side in sides
        if side.window is not None
    )
    for name in ("crl.pem", "crl.der", "ca.crt"):
        first, second = ((folder / name).read_bytes() for folder in folders)
        assert causes(explained(first, second, f"etc/pki/{name}", _MAKING, later)) == ["residue"]


def test_a_certificate_that_is_dated_back_is_its_makers(
    made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]],
) -> None:
    folders, sides = made
    later = tuple(
        SideContext(window=Window(start=side.window.start + 300, end=side.window.end + 300))
        for side in sides
        if side.window is not None
    )
    first, second = ((folder / "ca.crt").read_bytes() for folder in folders)
    assert causes(explained(first, second, "etc/ca.pem", "RUN cfssl gencert -initca a.json", later)) == [
        "generated-key"
    ]
    assert causes(explained(first, second, "etc/ca.pem", "RUN curl https://ca/root", later)) == ["residue"]
    quoted = [b'{"cert":"' + content.replace(b"\n", b"\\n") + b'"}\n' for content in (first, second)]
    assert causes(explained(quoted[0], quoted[1], "etc/ca.json", "RUN cfssl gencert -initca a.json", later)) == [
        "generated-key"
    ]


_ONE, _OTHER = "QOir0Oq37NNIXlh19G2w3+g7DOfHnyR+rneEisLTt2E=", "wDMVxpb0q0M7zl7oNlR/r6e9QO5WQKDsFJFGuhHEcX4="
_STATIC = "-----BEGIN OpenVPN Static key V1-----\n{}-----END OpenVPN Static key V1-----\n"
_TEXTS = (
    ("RUN wg genkey | tee key | wg pubkey > pub", "[Interface]\nPrivateKey = {}\n", _ONE, _OTHER),
    ("RUN wg genpsk > psk", "{}\n", _ONE, _OTHER),
    ("RUN tsig-keygen x > k", 'key "x" {{\n\talgorithm hmac-sha256;\n\tsecret "{}";\n}};\n', _ONE, _OTHER),
    ("RUN opendkim-genkey -s m", 'm IN TXT ( "v=DKIM1; k=rsa; "\n\t  "p={}" )\n', _ONE * 2, _OTHER * 2),
    ("RUN openvpn --genkey secret ta.key", _STATIC, ("0cb4940d" * 4 + "\n") * 16, ("60e34f9f" * 4 + "\n") * 16),
)


@pytest.mark.parametrize(("making", "text", "first", "second"), _TEXTS)
def test_keys_in_settings(making: str, text: str, first: str, second: str) -> None:
    if "DKIM" in text:
        first, second = first.replace("=", ""), second.replace("=", "")
    contents = [text.format(value).encode() for value in (first, second)]
    assert causes(explained(contents[0], contents[1], "etc/some.conf", making, WINDOWS)) == ["generated-key"]
    other = explained(contents[0], contents[1], "etc/some.conf", "RUN ./install.sh", WINDOWS)
    # a static key is secret whoever made it
    assert causes(other) == (["generated-key"] if "Static" in text else ["residue"])
    assert causes(explained(contents[0], contents[1] + b"x\n", "etc/some.conf", making, WINDOWS))[-1] == "residue"


def test_a_file_that_is_called_by_its_serial_number() -> None:
    making = "RUN easyrsa build-server-full a"
    key = "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n"
    contents = [key.format(value).encode() for value in (_ONE, _OTHER)]
    for names, expected in (
        (("3F" * 16 + ".key", "A1" * 16 + ".key"), ["generated-key"]),
        (("3F" * 16 + ".key", "A1" * 16 + ".conf"), ["residue"]),
        (("FACADE.key", "DECADE.key"), ["residue"]),
        (("3F" * 16 + ".key", "a1" * 16 + ".key"), ["residue"]),
    ):
        entries = [file(f"pki/{name}", content) for name, content in zip(names, contents, strict=True)]
        assert causes(explained_entries(entries[0], entries[1], making, WINDOWS))[-1:] == expected[-1:]


@pytest.mark.parametrize(
    "text", [b"v=DKIM1; ", b"-----BEGIN PRIVATE KEY-----\n", b"algorithm hmac-md5; secret ", b"  AB:\n"]
)
def test_hostile_texts_end(text: bytes) -> None:
    making = "RUN " + "gpg ssh-keygen opendkim-genkey tsig-keygen " * 1_000
    place = Place(part="layer", field="content", path=b"/x", made_by=making)
    field = Field(name="", kind="text", value=text * (400_000 // len(text)), offset=0)
    start = time.monotonic()
    assert cause.normalise is not None
    assert not list(cause.normalise(field, place, WINDOWS[0]))
    assert time.monotonic() - start < 20


@pytest.mark.skipif(shutil.which("gpg") is None, reason="gpg is not installed")
def test_an_openpgp_key_and_its_listings(tmp_path: Path) -> None:
    script = """
        gpg --batch --passphrase '' --quick-gen-key 'Release <r@example.org>' ed25519 sign 1y
        gpg --armor --export > release.asc
        gpg --batch --armor --export-secret-keys > secret.asc
        gpg --list-keys --with-colons > list
        gpg --list-keys | tail -n +3 > list.txt
        echo hello > hello
        gpg --batch --armor --detach-sign hello
        gpgconf --kill all
    """
    making = "RUN gpg --batch --passphrase '' --quick-gen-key 'Release <r@example.org>' ed25519 sign 1y && gpg --export"
    sides, homes = [], []
    for name in ("a", "b"):
        home = tmp_path / name / ".gnupg"
        home.mkdir(parents=True, mode=0o700)
        start = datetime.now(UTC).timestamp()
        environment = {"PATH": os.environ["PATH"], "GNUPGHOME": ".gnupg"}
        subprocess.run(["sh", "-ec", script], check=True, cwd=home.parent, capture_output=True, env=environment)
        sides.append(SideContext(window=Window(start=start, end=datetime.now(UTC).timestamp() + 1)))
        homes.append(home.parent)
    both = (sides[0], sides[1])

    def tried(name: str, made_by: str, path: str = "srv/") -> list[str]:
        first, second = ((home / name).read_bytes() for home in homes)
        return causes(explained(first, second, f"{path}{name}", made_by, both))

    for name in ("release.asc", "secret.asc", "hello.asc"):
        assert tried(name, making) == ["generated-key"]
    for name in ("release.asc", "hello.asc", "list"):
        # a signature by a key that is given, or another's key
        assert tried(name, "RUN gpg --armor --detach-sign hello && gpg --list-keys")[-1] == "residue"
    for name in ("list", "list.txt"):
        assert set(tried(name, making)) <= {"generated-key", "embedded-timestamp"}
    for name in (".gnupg/pubring.kbx", ".gnupg/trustdb.gpg"):
        assert "gnupg-home" in tried(name, making, "root/")
        assert tried(name, "RUN gpg --import key.asc", "root/")[-1] == "residue"


def test_known_hosts_with_salted_names(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]]) -> None:
    folders, sides = made
    first, second = ((folder / "known_hosts").read_bytes() for folder in folders)
    assert first.startswith(b"|1|")
    assert set(causes(explained(first, second, "etc/ssh/known_hosts", _MAKING, sides))) == {
        "generated-key",
        "random-value",
    }
    # whose key it is, is not known where it came over the network
    asked = "RUN ssh-keyscan git.local > /etc/ssh/known_hosts && ssh-keygen -H -f /etc/ssh/known_hosts"
    assert causes(explained(first, second, "etc/ssh/known_hosts", asked, sides))[-1] == "residue"


def test_another_authoritys_certificate_in_der_is_residue(
    made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]],
) -> None:
    folders, _ = made
    first, second = ((folder / "app.der").read_bytes() for folder in folders)
    earlier = SideContext(window=Window(start=1_600_000_000, end=1_600_000_060))
    assert causes(explained(first, second, "etc/pki/app.der", _MAKING, (earlier, earlier))) == ["residue"]
    assert causes(explained(first, second + b"\0", "etc/pki/app.der", _MAKING, (earlier, earlier))) == ["residue"]
