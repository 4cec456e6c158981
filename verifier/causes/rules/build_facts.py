"""Rules for commands that print what differs between builds by nature: the time, chance, the host, its processors."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from verifier.causes.rules.command_line import read_line
from verifier.causes.rules.job_counts import counts_processors, is_for_jobs
from verifier.causes.rules.wording import latent, shortened
from verifier.dockerfile.recipe import Recipe, Step
from verifier.dockerfile.shell import Command
from verifier.model.finding import Risk, Severity

_DATE_VALUED: Final = frozenset({"-d", "--date", "-r", "--reference", "-s", "--set", "-f", "--file", "-D"})
_FIXED_DATE: Final = re.compile(r"@|\d{4}-\d\d|SOURCE_DATE_EPOCH")
_RANDOM_FILES: Final = re.compile(r"/dev/(?:u|h|a)?random$|/proc/sys/kernel/random/uuid$")
_KERNEL_FILES: Final = re.compile(
    r"/proc/(?:uptime|loadavg|stat|meminfo|cpuinfo|version|vmstat|interrupts|self/stat|sys/kernel/(?:osrelease|version|random/boot_id))$|"
    r"/sys/(?:devices|class|kernel)/"
)
_NATIVE: Final = re.compile(r"-m(?:arch|tune|cpu)=native\b|target-cpu=native\b|\bxHost\b")


def clock_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find `date` and the shell's own clocks where what they print is kept."""
    for step, command in recipe.runs():
        if command.name == "date" and not _is_fixed_date(command) and step.script.is_kept(command):
            message = f"`{shortened(_shown(command))}` gives the time of the build, and it is kept"
            yield latent("embedded-timestamp", step, message, command=command)
        elif _printf_time(command) and step.script.is_kept(command):
            yield latent("embedded-timestamp", step, "`printf` prints the time of the build", command=command)
        else:
            yield from _variable_risks(
                "embedded-timestamp", step, command, {"EPOCHSECONDS", "EPOCHREALTIME"}, "is the time of the build"
            )


def chance_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find random values that are kept: `$RANDOM`, uuidgen, `openssl rand`, the kernel's generator."""
    for step, command in recipe.runs():
        words = command.arguments
        what = ""
        if command.name in {"uuidgen", "mcookie", "pwgen", "apg", "dbus-uuidgen"} and not _named_uuid(command):
            what = command.name if step.script.is_kept(command) or "--ensure" in " ".join(words) else ""
        elif command.name == "openssl" and words[:1] == ("rand",):
            what = "openssl rand" if step.script.is_kept(command) or "-out" in words else ""
        elif command.name == "shuf":
            what = (
                "shuf" if step.script.is_kept(command) and not any("--random-source" in word for word in words) else ""
            )
        else:
            what = _random_file(step, command)
        if what:
            message = f"`{what}` gives another value in every build"
            severity: Severity = "note" if _is_environment(step, command) else "warning"
            yield latent("random-value", step, message, command=command, severity=severity)
        yield from _variable_risks(
            "random-value", step, command, {"RANDOM", "SRANDOM"}, "is another number in every build"
        )


def host_name_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find the container's name where it is kept."""
    for step, command in recipe.runs():
        asks = command.name == "hostname" and not [word for word in command.arguments if not word.startswith("-")]
        named = command.name == "uname" and bool({"-n", "--nodename"} & set(command.arguments))
        read = command.name == "cat" and "/etc/hostname" in command.arguments
        if (asks or named or read) and step.script.is_kept(command):
            message = f"`{shortened(_shown(command))}` gives the build container's name, and it is kept"
            yield latent("hostname", step, message, command=command)
        yield from _variable_risks("hostname", step, command, {"HOSTNAME"}, "is the build container's name")


def kernel_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find what the running kernel says of itself, where it is kept."""
    for step, command in recipe.runs():
        if command.name == "uname" and step.script.is_kept(command):
            letters = "".join(word[1:] for word in command.arguments if re.fullmatch(r"-[a-z]+", word))
            long = {"--kernel-release", "--kernel-version", "--all"} & set(command.arguments)
            if set(letters) & set("arv") or long:
                message = f"`{shortened(_shown(command))}` names the kernel of the machine that builds"
                yield latent("kernel-state", step, message, command=command)
            continue
        files = [word for word in (*command.arguments, *_inputs(command)) if _KERNEL_FILES.match(word)]
        if not files or (counts_processors(command) and is_for_jobs(step, command)):
            continue
        if command.name not in {"ls", "test", "[", "mount", "rm"} and _lands(step, command):
            message = f"`{shortened(files[0])}` is the state of the machine that builds"
            yield latent("kernel-state", step, message, command=command)


def processor_risks(recipe: Recipe) -> Iterator[Risk]:
    """Find code for the builder's own processor, and their number where it is kept."""
    for step in recipe.steps:
        if step.statement.keyword == "ENV" and (match := _NATIVE.search(step.statement.rest)):
            yield latent("cpu-dependent", step, _native_message(match[0]))
    for step, command in recipe.runs():
        if command.name in {"echo", "printf", "grep"} and not step.script.is_kept(command):
            continue
        texts = [word.text for _, word in command.assignments] + list(command.arguments)
        native = next((match[0] for text in texts if (match := _NATIVE.search(text))), None)
        if native is not None and native not in {match[0] for match in _NATIVE.finditer(" ".join(step.scope.values()))}:
            yield latent("cpu-dependent", step, _native_message(native), command=command)
        asks = counts_processors(command) and command.name in {"nproc", "lscpu", "getconf"}
        if asks and step.script.is_kept(command) and not is_for_jobs(step, command):
            message = f"`{command.name}` gives what the machine has that builds, and it is kept"
            yield latent("cpu-dependent", step, message, command=command)


def race_risks(recipe: Recipe) -> Iterator[Risk]:
    """Note builds that run as many jobs at once as the machine has processors."""
    for step in recipe.steps:
        counts = [command for command in step.commands if counts_processors(command) and is_for_jobs(step, command)]
        if counts:
            message = "how many jobs run at once depends on the machine: it shows where a makefile lacks dependencies"
            yield latent("parallel-race", step, message, command=counts[0], severity="note")


def _native_message(flag: str) -> str:
    return f"`{flag}` compiles for the processor of the machine that builds"


def _variable_risks(cause: str, step: Step, command: Command, names: set[str], does: str) -> Iterator[Risk]:
    set_here = {name for item in step.commands for name, _ in item.assignments}
    used = [name for word in command.words() for name in word.variables if name in names]
    used = [name for name in used if name not in step.scope and name not in set_here]
    if used and _lands(step, command):
        yield latent(cause, step, f"`${used[0]}` {does}, and it is kept", command=command)


def _lands(step: Step, command: Command) -> bool:
    """Tell whether what a command is given can reach the image: by its output, or because it is no mere printer."""
    if command.name in {"[", "[[", "test", "sleep", "export", "set"}:
        return False
    if not command.argv:
        return any(
            _lands(step, user) for name, _ in command.assignments for user in step.script.mentions(name) if user.argv
        )
    if command.name in {
        "echo",
        "printf",
        "cat",
        "grep",
        "awk",
        "sed",
        "cut",
        "head",
        "tr",
        "wc",
        "od",
        "xxd",
        "base64",
    }:
        return step.script.is_kept(command)
    return True


def _is_environment(step: Step, command: Command) -> bool:
    """Tell whether the value is only handed to one command as a variable (`SECRET=$(uuidgen) command`)."""
    if command.within is None:
        return False
    outer = step.commands[command.within]
    return bool(outer.argv) and bool(outer.assignments) and not any("$(" in word.text for word in outer.argv)


def _is_fixed_date(command: Command) -> bool:
    line = read_line(command, _DATE_VALUED)
    if line.has("-r", "--reference", "-s", "--set", "--help", "--version"):
        return True
    return any(_FIXED_DATE.search(value) for value in line.values("-d", "--date", "-f"))


def _printf_time(command: Command) -> bool:
    return command.name == "printf" and any(re.search(r"%\([^)]*\)T", word) for word in command.arguments)


def _named_uuid(command: Command) -> bool:
    return command.name == "uuidgen" and bool({"--md5", "--sha1", "-m", "-s"} & set(command.arguments))


def _inputs(command: Command) -> Iterator[str]:
    for redirect in command.redirects:
        if redirect.operator == "<":
            yield redirect.target.text


def _random_file(step: Step, command: Command) -> str:
    words = [word.removeprefix("if=") for word in command.arguments]
    found = next((word for word in (*words, *_inputs(command)) if _RANDOM_FILES.match(word)), "")
    if not found or command.name in {"ls", "test", "[", "rm", "mknod", "ln", "chmod", "echo", "printf", "sed"}:
        return ""
    if command.name == "dd":
        return (
            found
            if any(word.startswith("of=") and "/dev/null" not in word for word in words)
            or (step.script.is_kept(command))
            else ""
        )
    return found if step.script.is_kept(command) or command.name in {"cp", "rngd", "shred"} else ""


def _shown(command: Command) -> str:
    return " ".join(word.text for word in command.argv)
