"""What was signed is verified again, and whatever is changed afterwards is refused."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Callable
from dataclasses import replace
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.cli.tool import error_lines, verify_build
from tests.images import digest
from tests.sign_off.made import NOW, Keys, different, make_keys, write_report
from verifier.errors import UsageError
from verifier.model.report import Report
from verifier.model.request import Surroundings
from verifier.model.sign_off import SIGN_OFF_TYPE, SUMMARY_TYPE, SignOffRequest, VerifiedSignOff
from verifier.pipeline.sign_off import sign_off
from verifier.reports.verified_form import verified_object
from verifier.sign_off.envelope import bundle_of, parse_envelope, sign_payload
from verifier.sign_off.keys import load_private_key, load_public_key
from verifier.sign_off.verify import SeenImage, verify_envelope

NAMES = ("verification-summary", "sign-off")
SURROUNDINGS = Surroundings(environment={"PATH": "/usr/bin:/bin"}, now=lambda: NOW, sleep=lambda _: None)
IMAGE = SeenImage(reference="app:1", top=(), platforms=((digest("m"), digest("c m")),))


@pytest.fixture(params=["ed25519", "ecdsa"])
def keys(request: pytest.FixtureRequest, tmp_path: Path) -> Keys:
    return make_keys(tmp_path, request.param)


@pytest.fixture
def out(report: Report, keys: Keys, tmp_path: Path) -> Path:
    raw = write_report(report, tmp_path / "report.json").read_bytes()
    signed = sign_off(SignOffRequest(report=raw, key=keys.private, signer="Somebody"), SURROUNDINGS, lambda: b"")
    (tmp_path / "out").mkdir()
    for file in signed.files:
        (tmp_path / "out" / file.name).write_bytes(file.content)
    return tmp_path / "out"


def check(raw: bytes, keys: Keys, report: bytes | None = None, image: SeenImage | None = None) -> VerifiedSignOff:
    from verifier.oci.digest import digest_bytes  # noqa: PLC0415

    return verify_envelope(
        parse_envelope(raw, "it"),
        load_public_key(keys.public),
        None if report is None else digest_bytes(report),
        image,
    )


def outcome(verified: VerifiedSignOff) -> dict[str, bool | None]:
    return {each.name: each.holds for each in verified.checks}


def test_kept_files(report: Report, keys: Keys, tmp_path: Path) -> None:
    path, out = write_report(report, tmp_path / "report.json"), tmp_path / "out"
    done = verify_build("sign-off", path, "--out", out, "--key", keys.private, "--signer", "Somebody")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("SIGNED OFF: level manifest holds, manifest was required\n")
    assert sorted(each.name for each in out.iterdir()) == [
        "report.json",
        "sign-off.dsse.json",
        "sign-off.html",
        "verification-summary.dsse.json",
    ]
    assert (out / "report.json").read_bytes() == path.read_bytes()


def test_statements(out: Path, keys: Keys) -> None:
    statements = [json.loads(parse_envelope((out / f"{name}.dsse.json").read_bytes(), name).payload) for name in NAMES]
    summary, own = (each["predicate"] for each in statements)
    assert [each["predicateType"] for each in statements] == [SUMMARY_TYPE, SIGN_OFF_TYPE]
    for each in statements:
        assert each["_type"] == "https://in-toto.io/Statement/v1"
        assert [item["digest"] for item in each["subject"]] == [{"sha256": digest("m").removeprefix("sha256:")}]
    assert summary["verificationResult"] == "PASSED"
    assert summary["verifiedLevels"] == ["VERIFY_BUILD_REPRODUCIBLE_MANIFEST"]
    assert summary["timeVerified"] == "2026-03-04T05:06:07Z" == NOW.isoformat().replace("+00:00", "Z")
    assert own["varied"] == ["mtime"]
    assert "hostname" in own["not_varied"]
    assert own["source"]["state"] == "clean"
    assert own["risks"][0]["cause"] == "unpinned-base"
    assert own["signer"] == "Somebody"
    assert own["key"] == load_public_key(keys.public).digest


def test_what_was_signed_holds(out: Path, keys: Keys) -> None:
    report = (out / "report.json").read_bytes()
    for name in NAMES:
        raw = (out / f"{name}.dsse.json").read_bytes()
        bundle = bundle_of(raw, load_public_key(keys.public))
        for each in (raw, bundle):
            verified = check(each, keys, report, IMAGE)
            assert verified.exit_code == 0
            assert set(outcome(verified).values()) == {True}
    done = verify_build("sign-off", "--verify", out / "sign-off.dsse.json", "--key", keys.public,
                        "--report", out / "report.json")  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[0]) == (0, "VERIFIED")


def test_json_of_what_was_verified(out: Path, keys: Keys, tmp_path: Path) -> None:
    """A program reads the outcome and each step; what holds, is refused and was not asked for are told apart."""
    schema = resources.files("verifier.reports").joinpath("schemas/verified-sign-off-v1.schema.json").read_text("utf-8")
    report, other = out / "report.json", make_keys(tmp_path, "ed25519", name="other")
    another = tmp_path / "another.json"
    another.write_bytes(report.read_bytes() + b"\n")
    whole = {"signature": True, "statement": True, "verdict": True, "report": True, "image": None}
    for key, given, code, outcome, steps in (
        (keys, report, 0, "verified", whole),
        (keys, another, 1, "refused", {**whole, "report": False}),
        (other, report, 1, "refused", {"signature": False}),
    ):
        done = verify_build("sign-off", "--verify", out / "sign-off.dsse.json", "--key", key.public,
                            "--report", given, "--format", "json")  # fmt: skip
        assert (done.returncode, done.stderr) == (code, "")
        value = json.loads(done.stdout)
        jsonschema.Draft202012Validator(json.loads(schema)).validate(value)
        assert (value["kind"], value["outcome"], value["exceptions"]) == ("verified-sign-off", outcome, [])
        assert {each["name"]: each["holds"] for each in value["checks"]} == steps


def test_another_report_or_image_is_refused(out: Path, keys: Keys) -> None:
    report = (out / "report.json").read_bytes()
    for name in NAMES:
        raw = (out / f"{name}.dsse.json").read_bytes()
        assert outcome(check(raw, keys, report.replace(b'"level": "manifest"', b'"level": "config"'))) == {
            "signature": True, "statement": True, "verdict": True, "report": False, "image": None,
        }  # fmt: skip
        another = replace(IMAGE, platforms=((digest("another"), digest("c another")),))
        assert outcome(check(raw, keys, report, another))["image"] is False
        one_of_two = replace(IMAGE, platforms=(*IMAGE.platforms, (digest("another"),)))
        assert outcome(check(raw, keys, report, one_of_two))["image"] is False
        assert check(raw, keys, report, another).exit_code == 1


def test_another_key_is_refused(out: Path, tmp_path: Path) -> None:
    for kind in ("ed25519", "ecdsa"):
        other = make_keys(tmp_path, kind, name="other")
        done = verify_build("sign-off", "--verify", out / "sign-off.dsse.json", "--key", other.public)
        assert done.returncode == 1
        assert done.stdout.startswith("REFUSED\n")


def changed(value: dict[str, Any], key: str, change: Callable[[bytes], bytes]) -> bytes:
    made = json.loads(json.dumps(value))
    place = made["signatures"][0] if key == "sig" else made
    place[key] = base64.b64encode(change(base64.b64decode(place[key]))).decode()
    return json.dumps(made).encode()


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def test_every_changed_byte_is_refused(out: Path, keys: Keys) -> None:
    """Payload, signature and payload type: one bit, anywhere in them."""
    value = json.loads((out / "verification-summary.dsse.json").read_bytes())
    sizes = {key: len(base64.b64decode(text)) for key, text in (("payload", value["payload"]),
                                                                ("sig", value["signatures"][0]["sig"]))}  # fmt: skip
    for key, size in sizes.items():
        for at in {*range(0, size, max(1, size // 60)), size - 1}:
            made = changed(value, key, lambda data, at=at: flipped(data, at))  # type: ignore[misc]
            assert outcome(check(made, keys)) == {"signature": False}, (key, at)
        assert check(changed(value, key, lambda data: data + b" "), keys).exit_code == 1
        assert check(changed(value, key, lambda data: data[:-1]), keys).exit_code == 1
    value["payloadType"] += " "
    assert outcome(check(json.dumps(value).encode(), keys)) == {"signature": False}


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"[]",
        b"{}",
        b'{"payload": "e30=", "payloadType": "x", "signatures": []}',
        b'{"payload": "e30", "payloadType": "x", "signatures": [{"sig": "e30="}]}',
        b'{"payload": "e31=", "payloadType": "x", "signatures": [{"sig": "e30="}]}',
        b'{"payload": "e30=", "payloadType": "x", "signatures": [{"sig": 1}]}',
        b'{"payload": "e30=", "payloadType": 1, "signatures": [{"sig": "e30="}]}',
        b'{"payload": "e30=", "payload": "e30=", "payloadType": "x", "signatures": [{"sig": "e30="}]}',
        b"[" * 100_000,
    ],
)
def test_what_is_no_envelope(raw: bytes) -> None:
    with pytest.raises(UsageError):
        parse_envelope(raw, "it")


@pytest.mark.parametrize("payload", [b"", b"{}", b"[1]", b'{"_type": "https://in-toto.io/Statement/v1"}'])
def test_what_is_signed_and_no_sign_off(payload: bytes, keys: Keys) -> None:
    raw = sign_payload(payload, load_private_key(keys.private, lambda: b""))
    assert outcome(check(raw, keys)) == {"signature": True, "statement": False}


@pytest.mark.parametrize(
    "missing", ["subject", "predicate", "verificationResult", "inputAttestations", "verifiedLevels"]
)
def test_a_statement_that_lacks_something(missing: str, out: Path, keys: Keys) -> None:
    value = json.loads(parse_envelope((out / "verification-summary.dsse.json").read_bytes(), "it").payload)
    value.pop(missing, None) or value["predicate"].pop(missing)
    raw = sign_payload(json.dumps(value).encode(), load_private_key(keys.private, lambda: b""))
    assert outcome(check(raw, keys)) == {"signature": True, "statement": False}


def test_signed_in_spite_of_a_difference_is_no_pass(report: Report, keys: Keys, tmp_path: Path) -> None:
    path = write_report(different(report), tmp_path / "report.json")
    options = ["--out", tmp_path, "--key", keys.private, "--signer", "x", "--allow", "different"]
    assert verify_build("sign-off", path, *options).returncode == 0
    for name in NAMES:
        verified = check((tmp_path / f"{name}.dsse.json").read_bytes(), keys)
        assert outcome(verified)["verdict"] is False
        assert verified.exit_code == 1
    assert [text.partition(":")[0] for text in verified_object(verified)["exceptions"]] == ["different"]


def test_what_cannot_be_looked_at_is_no_verdict(out: Path, keys: Keys) -> None:
    options = ["--verify", out / "sign-off.dsse.json", "--key", keys.public]
    done = verify_build("sign-off", *options, "--image", "oci:nowhere")
    assert done.returncode == 3
    error_lines(done)
    done = verify_build("sign-off", "--verify", out / "nothing", "--key", keys.public)
    assert done.returncode == 2


def test_same_report_same_statement_bytes(report: Report, tmp_path: Path) -> None:
    """Under another time zone, locale, umask and hash seed."""
    path = write_report(report, tmp_path / "report.json")
    seen = set()
    for number, extra in enumerate(({"TZ": "Asia/Tokyo", "PYTHONHASHSEED": "1"}, {"TZ": "UTC", "LC_ALL": "C"})):
        folder = tmp_path / str(number)
        done = verify_build("sign-off", path, "--out", folder, "--signer", "x", environment={**os.environ, **extra})
        assert done.returncode == 0
        seen.add((folder / "verification-summary.intoto.json").read_bytes())
    assert len(seen) == 1
