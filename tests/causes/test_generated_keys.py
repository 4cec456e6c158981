"""Keys with what goes with them, by the tools that make them; what may be somebody else's only where they are run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.causes.sides import causes
from tests.compare.layer_images import file, image, single, tar
from verifier.causes.cause import SideContext, Window
from verifier.compare import compare
from verifier.compare.contents_reader import ImageSetReader
from verifier.explain import explain
from verifier.model.finding import Explanation
from verifier.model.instruction import Instruction, StageRef

_MAKING = "RUN openssl req -x509 -newkey rsa:2048 -keyout ca.key -out ca.crt && ssh-keygen -f id"


def explained(first: bytes, second: bytes, path: str, made_by: str, sides: tuple[SideContext, ...]) -> Explanation:
    """Explain a file's two contents, knowing the instruction that made it."""
    sets = tuple(single(image(tar([file(path, content)]))) for content in (first, second))
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
    """
    for _ in range(2):
        folder = tmp_path_factory.mktemp("keys")
        start = datetime.now(UTC).timestamp()
        subprocess.run(["sh", "-ec", script], check=True, cwd=folder, capture_output=True)
        sides.append(SideContext(window=Window(start=start, end=datetime.now(UTC).timestamp() + 1)))
        folders.append(folder)
    return (folders[0], folders[1]), (sides[0], sides[1])


_ANYWAY = ("ca.key", "ca.crt", "app.crt", "app.der", "id_ed25519")
_WITH_A_MAKER = ("ca.srl", "app.csr", "app.pub", "app.fingerprint", "id_ed25519.pub")


@pytest.mark.parametrize("name", [*_ANYWAY, *_WITH_A_MAKER])
def test_what_keys_come_with(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]], name: str) -> None:
    folders, sides = made
    first, second = ((folder / name).read_bytes() for folder in folders)
    explanation = explained(first, second, f"etc/pki/{name}", _MAKING, sides)
    assert causes(explanation) == ["generated-key"]
    assert explanation.findings[0].confidence == "likely"
    without = explained(first, second, f"etc/pki/{name}", "RUN ./install.sh", sides)
    assert causes(without) == (["generated-key"] if name in _ANYWAY else ["residue"])


def test_a_certificate_in_words(made: tuple[tuple[Path, Path], tuple[SideContext, SideContext]]) -> None:
    folders, sides = made
    first, second = ((folder / "app.txt").read_bytes() for folder in folders)
    explanation = explained(first, second, "etc/pki/app.txt", _MAKING, sides)
    assert set(causes(explanation)) <= {"generated-key", "embedded-timestamp"}
    assert "generated-key" in causes(explanation)


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
