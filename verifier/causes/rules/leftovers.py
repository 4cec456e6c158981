"""Rules for commands that are known to leave something behind that differs in every build.

Only what is in the image counts: the stages that are merely copied from may leave what they like. A file that the same
instruction removes, or that a mount keeps out of the layer, is none.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Collection, Iterator
from typing import Final

from verifier.causes.rules.apt_sources import from_snapshot
from verifier.causes.rules.command_line import read_line, subcommand
from verifier.causes.rules.wording import latent, listed
from verifier.dockerfile.mounts import mounts
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk, Severity

_APT: Final = frozenset({"apt", "apt-fast", "apt-get", "aptitude"})
_APT_VALUED: Final = frozenset(
    {"-t", "--target-release", "--default-release", "-o", "--option", "-c", "--config-file", "-S", "--snapshot"}
)
_LOGS: Final = ("/var/log/dpkg.log", "/var/log/apt/history.log", "/var/log/apt/term.log")
StaticRule = Callable[[Recipe], Iterator[Risk]]
_JAVA: Final = re.compile(r"(?:ca-certificates-java|default-(?:jre|jdk)\S*|openjdk-\d+-(?:jre|jdk)\S*)$")


def apt_log_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find apt and dpkg that leave their logs."""
    for step, command in _shipped(recipe):
        installs = _packages(command) or (command.name == "dpkg" and {"-i", "--install"} & set(command.arguments))
        if installs:
            left = [path for path in _LOGS if not _is_gone(step, path)]
            if left:
                message = f"`{command.name}` writes the time into {listed(left)}, which stay"
                yield latent("apt-log", step, message, command=command)


def apt_list_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find `apt-get update` whose lists stay in the layer."""
    for step, command in _shipped(recipe):
        updates = command.name in _APT and subcommand(command, _APT_VALUED)[0] == "update"
        if updates and not _is_gone(step, "/var/lib/apt/lists/x") and not from_snapshot(recipe, step):
            message = f"`{command.name} update` leaves the archive's lists of the day in `/var/lib/apt/lists`"
            yield latent("apt-lists", step, message, command=command)


def library_cache_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find `ldconfig` that leaves its auxiliary cache; packages with libraries run it as well."""
    path = "/var/cache/ldconfig/aux-cache"
    for step, command in _shipped(recipe):
        if _is_gone(step, path):
            continue
        if command.name == "ldconfig" and not {"-p", "--print-cache", "-N", "-V", "-n"} & set(command.arguments):
            yield latent(
                "ldconfig-aux-cache", step, f"`ldconfig` leaves `{path}`, with inodes and times", command=command
            )
        elif _packages(command):
            message = f"a package with a library runs ldconfig, which leaves `{path}`"
            yield latent("ldconfig-aux-cache", step, message, command=command, severity="note")


def byte_code_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find pip where it compiles what it unpacks without a fixed time."""
    for step, command in _shipped(recipe):
        words = command.arguments
        name = command.name
        if re.fullmatch(r"(?:python|pypy)[\d.]*", name) and words[:2] == ("-m", "pip"):
            name, words = "pip", words[2:]
        if not re.fullmatch(r"pip[\d.]*", name) or "install" not in words[:4]:
            continue
        fixed = "SOURCE_DATE_EPOCH" in _declared(recipe, step) or "SOURCE_DATE_EPOCH" in step.scope
        fixed = fixed or step.scope.get("PIP_NO_COMPILE", "") not in {"", "0", "false"}
        if not fixed and not {"--no-compile", "--dry-run"} & set(words) and not _removes_byte_code(step):
            message = "`pip install` compiles to `.pyc` files that hold the time of the build"
            yield latent("pyc-mtime", step, message, command=command)


def archive_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find `gzip` and `tar` that write the time of the build into an archive that stays."""
    for step, command in _shipped(recipe):
        problem, path = _archive(command)
        if problem and not (path and _is_gone(step, path)):
            severity: Severity = "note" if command.name == "gzip" else "warning"
            yield latent("archive-in-run", step, problem, command=command, severity=severity)


def shadow_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find new users where nothing fixes the day that `/etc/shadow` records."""
    for step, command in _shipped(recipe):
        if command.name not in {"useradd", "adduser"} or {"--help", "-D", "--defaults"} == set(command.arguments):
            continue
        if "SOURCE_DATE_EPOCH" not in _declared(recipe, step) and "SOURCE_DATE_EPOCH" not in step.scope:
            message = f"`{command.name}` writes the day of the build into `/etc/shadow`"
            yield latent("shadow-lastchg", step, message, command=command)


def _package_rule(
    cause: str, wanted: Callable[[str], bool], path: str, does: str
) -> Callable[[Recipe], Iterator[Risk]]:
    """Make a rule for packages whose installation leaves `path` behind."""

    def find(recipe: Recipe) -> Iterator[Risk]:
        for step, command in _shipped(recipe):
            named = [name for name in _packages(command) if wanted(name.partition("=")[0].partition(":")[0])]
            if named and not _is_gone(step, path):
                yield latent(cause, step, f"installing {listed(named)} {does}", command=command)

    return find


machine_id_risks = _package_rule(
    "machine-id",
    {"dbus", "systemd", "dbus-x11", "systemd-sysv"}.__contains__,
    "/etc/machine-id",
    "makes a new machine-id",
)
server_key_risks = _package_rule(
    "ssh-host-keys",
    {"openssh-server", "ssh"}.__contains__,
    "/etc/ssh/ssh_host_rsa_key",
    "makes new host keys, the same in every container",
)
snakeoil_risks = _package_rule(
    "generated-key",
    {"ssl-cert"}.__contains__,
    "/etc/ssl/private/ssl-cert-snakeoil.key",
    "makes a new key and certificate, the same in every container",
)
java_store_risks = _package_rule(
    "java-cacerts",
    lambda name: _JAVA.match(name) is not None,
    "/etc/ssl/certs/java/cacerts",
    "makes `/etc/ssl/certs/java/cacerts`, with the time at every entry",
)


def font_cache_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find fontconfig where nothing fixes the time in its caches."""
    for step, command in _shipped(recipe):
        installs = "fontconfig" in {name.partition("=")[0] for name in _packages(command)}
        if not installs and command.name != "fc-cache":
            continue
        fixed = "SOURCE_DATE_EPOCH" in _declared(recipe, step) or "SOURCE_DATE_EPOCH" in step.scope
        if not fixed and not _is_gone(step, "/var/cache/fontconfig/x.cache-8"):
            message = f"`{command.name}` makes caches in `/var/cache/fontconfig` that hold times"
            yield latent("fontconfig-cache", step, message, command=command)


def _shipped(recipe: Recipe) -> Iterator[tuple[Step, Command]]:
    return ((step, command) for step, command in recipe.runs() if step.shipped)


def _packages(command: Command) -> tuple[str, ...]:
    """List what apt installs, from the archive or from files; empty for everything else."""
    if command.name not in _APT:
        return ()
    verb, line = subcommand(command, _APT_VALUED)
    if line.has("-d", "--download-only", "-s", "--simulate", "--dry-run", "--print-uris"):
        return ()
    return line.operands if verb in {"install", "reinstall", "build-dep"} else ()


def _is_gone(step: Step, path: str) -> bool:
    """Tell whether the instruction removes or empties `path`, or keeps it out of the layer."""
    for mount in mounts(step.statement):
        target = mount.get("target") or mount.get("dst") or mount.get("destination") or ""
        if mount.get("type") in {"cache", "tmpfs"} and _covers(target.rstrip("/"), path):
            return True
    for command in step.commands:
        words = [value for word in command.argv[1:] for value in (word.values or (word.text,))]
        if command.name in {"rm", "unlink", "truncate", "shred", "find"} and any(_covers(word, path) for word in words):
            return True
        file = step.script.output_file(command)
        if file == path and (not command.argv or command.name in {":", "true", "cat"}):
            return True
    return False


def _covers(pattern: str, path: str) -> bool:
    """Tell whether removing `pattern` removes `path`: itself, a directory above it, or a shell pattern for either."""
    pattern = pattern.rstrip("/")
    if pattern == path:
        return True
    if not pattern.startswith("/"):
        return False
    options = [text for piece in (pattern,) for text in _braces(piece)]
    parts = path.split("/")
    above = ["/".join(parts[:end]) for end in range(2, len(parts) + 1)]
    return any(
        fnmatch.fnmatchcase(candidate, option) for option in options for candidate in above if candidate.count("/") > 1
    )


def _braces(pattern: str) -> Collection[str]:
    """Expand one level of `{a,b}`."""
    match = re.search(r"\{([^{}]*,[^{}]*)\}", pattern)
    if match is None:
        return (pattern,)
    return [pattern[: match.start()] + choice + pattern[match.end() :] for choice in match[1].split(",")]


def _removes_byte_code(step: Step) -> bool:
    words = [word for command in step.commands if command.name in {"find", "rm"} for word in command.arguments]
    return any("__pycache__" in word or ".pyc" in word or ".py[co]" in word for word in words)


def _declared(recipe: Recipe, step: Step) -> frozenset[str]:
    """Name the ARGs that are declared before the step: they have a value only when the build is given one."""
    names = {
        word.partition("=")[0]
        for other in recipe.earlier(step)
        if other.statement.keyword == "ARG"
        for word in other.statement.arguments
    }
    return frozenset(names)


def _archive(command: Command) -> tuple[str, str]:
    """Say what is wrong with a command that makes an archive, and where it puts it."""
    if command.name == "gzip" and command.piped_from is None:
        line = read_line(command, {"-S", "--suffix"})
        letters = line.letters()
        if (
            line.operands
            and not set("dltchVLn") & set(letters)
            and not line.has("--no-name", "--decompress", "--list", "--test", "--stdout", "--help", "--version")
        ):
            return f"`gzip` writes the time of {listed(line.operands)} into its header", f"{line.operands[0]}.gz"
    if command.name == "tar":
        return _tar(command)
    return "", ""


def _tar(command: Command) -> tuple[str, str]:
    words = list(command.arguments)
    if words and re.fullmatch(r"[a-zA-Z]+", words[0]):
        words[0] = "-" + words[0]
    creates = any(re.fullmatch(r"-[a-zA-Z]*c[a-zA-Z]*", word) for word in words) or "--create" in words
    fixed = any(word.startswith("--mtime") for word in words)
    position = next((i for i, word in enumerate(words) if re.fullmatch(r"-[a-zA-Z]*f|--file", word)), None)
    target = words[position + 1] if position is not None and position + 1 < len(words) else ""
    target = next((word.partition("=")[2] for word in words if word.startswith("--file=")), target)
    if not creates or fixed or target in {"", "-"}:
        return "", ""
    return f"`tar` writes the times of the build into `{target}`, in the order of the file system", target
