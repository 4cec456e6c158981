"""Dockerfiles for the static rules: pinned bases, and a context that is only names and texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from verifier.dockerfile import parse_dockerfile
from verifier.model.context_facts import ContextFacts
from verifier.model.finding import Risk
from verifier.risks import find_risks

DIGEST = "sha256:" + "a" * 64
HEX = "6fb7b781206356f45ad79efbb19322caa6c2a5ad39092d0d44d0fec94117e118"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
BASE = f"FROM debian:12@{DIGEST}\n"


SNAPSHOT = (
    'RUN echo "deb [check-valid-until=no] http://snapshot.debian.org/archive/debian/20250101T000000Z bookworm main" '
    "> /etc/apt/sources.list && rm -f /etc/apt/sources.list.d/debian.sources"
)
AMBIENT = frozenset(
    {
        "apt-lists", "apt-log", "fontconfig-cache", "generated-key", "java-cacerts", "ldconfig-aux-cache", "machine-id",
        "pyc-mtime", "shadow-lastchg", "ssh-host-keys",
    }
)  # fmt: skip
"""What package managers leave behind: it comes along with many commands, and only `strict` cases must name it."""


@dataclass(frozen=True)
class Case:
    """`fires` are the causes with a warning, `notes` those with a note, `refuted` those that are made sure of."""

    dockerfile: str
    fires: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    refuted: tuple[str, ...] = ()
    context: Mapping[str, str] | None = None
    ignore_file: str | None = None
    whole: bool = False
    says: str = ""
    strict: bool = False

    def risks(self) -> tuple[Risk, ...]:
        """Judge it; a Dockerfile that is not `whole` gets a pinned base."""
        text = self.dockerfile if self.whole else BASE + self.dockerfile
        return risks_of(text, facts(self.context, self.ignore_file))


def facts(context: Mapping[str, str] | None, ignore_file: str | None = None) -> ContextFacts | None:
    if context is None:
        return None
    parents = {path[:index] for path in context for index, sign in enumerate(path) if sign == "/"}
    return ContextFacts(
        ignore_file=ignore_file,
        paths=frozenset(context) | parents,
        complete=True,
        texts={k: v for k, v in context.items() if v},
    )


def risks_of(text: str, context: ContextFacts | None = None, **options: object) -> tuple[Risk, ...]:
    dockerfile = parse_dockerfile((text.rstrip("\n") + "\n").encode(), "Dockerfile")
    return find_risks(dockerfile, context, **options)  # type: ignore[arg-type]


def fits(case: Case) -> None:
    """Hold a case against what the rules say, the form of the messages included."""
    ambient = frozenset() if case.strict else AMBIENT - {*case.fires, *case.notes}
    risks = [risk for risk in case.risks() if risk.cause not in ambient]

    def causes(status: str, severity: str | None = None) -> list[str]:
        found = (risk for risk in risks if risk.status == status and severity in {None, risk.severity})
        return sorted({risk.cause for risk in found})

    assert causes("latent", "warning") == sorted(case.fires), risks
    assert causes("latent", "note") == sorted(case.notes), risks
    assert causes("refuted") == sorted(case.refuted), risks
    assert case.says in "\n".join(risk.message for risk in risks if risk.status == "latent")
    for risk in risks:
        assert risk.instruction is not None
        assert "\n" not in risk.message
        assert risk.message[0] in "`abcdefghijklmnopqrstuvwxyz"
        assert not risk.message.endswith(".")
        in_place = risk.line is None or risk.instruction.line <= risk.line <= risk.instruction.end_line
        assert in_place or risk.cause == "unpinned-syntax"
