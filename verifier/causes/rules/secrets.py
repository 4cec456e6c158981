"""Rules for commands that make keys, salts and certificates: new in every build."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.rules.leftovers import server_key_risks, snakeoil_risks
from verifier.causes.rules.wording import latent
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk

_SSH_READS: Final = re.compile(r"-[lyFRBHDreiLQkcp]")
_GPG_MAKES: Final = frozenset(
    {"--gen-key", "--generate-key", "--full-gen-key", "--full-generate-key", "--quick-gen-key", "--quick-generate-key"}
)
_OTHERS: Final = {
    ("wg", "genkey"): "wg genkey",
    ("wg", "genpsk"): "wg genpsk",
    ("openvpn", "--genkey"): "openvpn --genkey",
    ("step", "ca"): "step ca",
    ("caddy", "trust"): "caddy trust",
}
_ALONE: Final = frozenset(
    {
        "opendkim-genkey",
        "tsig-keygen",
        "ddns-confgen",
        "rndc-confgen",
        "dnssec-keygen",
        "dropbearkey",
        "make-ssl-cert",
        "mkcert",
        "easyrsa",
        "certtool",
    }
)


def key_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find commands that make a key or sign a certificate, and packages that do so when they are installed."""
    yield from snakeoil_risks(recipe)
    for step, command in recipe.runs():
        made = _made(command)
        if made and not _is_removed(step, command):
            yield latent(
                "generated-key", step, f"`{made}` makes a new key or certificate in every build", command=command
            )


def host_key_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find `ssh-keygen -A` and its kin: an SSH server's host keys."""
    yield from server_key_risks(recipe)
    for step, command in recipe.runs():
        words = command.arguments
        if (command.name == "ssh-keygen" and "-A" in words) or (
            command.name == "dpkg-reconfigure" and any("openssh-server" in word for word in words)
        ):
            yield latent("ssh-host-keys", step, f"`{command.name}` makes new host keys in every build", command=command)


def salt_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find passwords that are hashed during the build: with a new salt each time."""
    for step, command in recipe.runs():
        words = command.arguments
        salted = ""
        if command.name == "chpasswd" and not {"-e", "--encrypted"} & set(words):
            salted = "chpasswd"
        elif command.name == "passwd" and (command.piped_from is not None or "--stdin" in words):
            salted = "passwd"
        elif command.name == "openssl" and words[:1] == ("passwd",) and "-salt" not in words:
            salted = "openssl passwd"
        elif command.name == "mkpasswd" and not {"-S", "--salt"} & set(words):
            salted = "mkpasswd"
        elif command.name == "htpasswd" and not any("d" in word for word in words if re.fullmatch(r"-[a-zA-Z]+", word)):
            salted = "htpasswd"
        kept = salted not in {"openssl passwd", "mkpasswd"} or step.script.is_kept(command)
        if salted and kept:
            yield latent("password-salt", step, f"`{salted}` takes a new salt in every build", command=command)


def _made(command: Command) -> str:
    name, words = command.name, command.arguments
    if name == "ssh-keygen":
        return "" if "-A" in words or any(_SSH_READS.match(word) for word in words) or not words else "ssh-keygen"
    if name == "openssl" and words:
        verb = words[0]
        made = verb in {"genrsa", "genpkey", "gendsa", "dhparam", "ecparam"} and _openssl_makes(verb, words)
        made = made or (verb == "req" and bool({"-x509", "-new", "-newkey"} & set(words)))
        made = made or (
            verb in {"x509", "ca"}
            and bool({"-req", "-CAcreateserial", "-signkey", "-in"} & set(words))
            and (verb == "ca" or "-req" in words)
        )
        return f"openssl {verb}" if made else ""
    if name in {"gpg", "gpg2"}:
        return f"{name} {next(iter(_GPG_MAKES & set(words)))}" if _GPG_MAKES & set(words) else ""
    if name == "keytool":
        return "keytool -genkeypair" if {"-genkey", "-genkeypair", "-genseckey"} & set(words) else ""
    if name in _ALONE:
        return name if "--help" not in words else ""
    return _OTHERS.get((name, words[0] if words else ""), "")


def _openssl_makes(verb: str, words: tuple[str, ...]) -> bool:
    if verb == "ecparam":
        return "-genkey" in words
    return "-in" not in words or verb == "genpkey"


def _is_removed(step: Step, command: Command) -> bool:
    """Tell whether the key's file is removed by the same instruction."""
    outputs = {
        after for word, after in zip(command.arguments, command.arguments[1:], strict=False) if word in {"-f", "-out"}
    }
    removed = {word for item in step.commands if item.name == "rm" for word in item.arguments}
    return bool(outputs) and outputs <= removed
