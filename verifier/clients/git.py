"""Ask git about a checkout, without letting the checkout's own configuration run anything.

A repository's configuration may name programs (file system monitors, hooks, filters). None is started here: monitors
and hooks are switched off, filters that the checkout itself defines are emptied, submodules are not entered.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from verifier.errors import NoVerdictError, UnreachableError

TIMEOUT: Final = 30.0
"""Seconds that one git command may take."""

_SAFE: Final = (
    "-c", "core.fsmonitor=false",
    "-c", "core.hooksPath=/dev/null",
    "-c", "protocol.allow=never",
    "-c", "log.showSignature=false",
)  # fmt: skip
_TRANSPORTS: Final = tuple(
    word for name in ("https", "http", "git", "ssh") for word in ("-c", f"protocol.{name}.allow=always")
)
_KEPT_VARIABLES: Final = ("GIT_CONFIG_", "GIT_CEILING_DIRECTORIES", "GIT_DISCOVERY_ACROSS_FILESYSTEM")


class Checkout:
    """The git checkout that holds a folder. Every method raises NoVerdictError when git takes too long."""

    def __init__(self, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Look at the checkout around `folder`; `environment` is the process's by default."""
        self._folder = folder
        self._environment = _environment(os.environ if environment is None else environment)

    def commit_time(self) -> int | None:
        """Give the committer's time of HEAD in seconds since 1970, None without git, a checkout or a commit."""
        answer = self._git("show", "--no-patch", "--format=%ct", "HEAD", "--")
        return int(answer) if answer is not None and answer.strip().isdigit() else None

    def is_clean(self) -> bool:
        """Tell whether every file is as committed and none is there that git does not know and does not ignore."""
        overrides = self._filter_overrides()
        if overrides is None:
            return False
        answer = self._git(
            *overrides, "status", "--porcelain", "--untracked-files=normal", "--ignore-submodules=dirty", "--no-renames"
        )
        return answer == b""

    def head(self) -> str | None:
        """Give the commit of HEAD, None without git, a checkout or a commit."""
        return self._line("rev-parse", "--verify", "--quiet", "HEAD^{commit}")

    def described(self) -> str | None:
        """Describe HEAD by the nearest tag, such as `v1.2-3-gabcdef1`; None where no tag leads to it."""
        return self._line("describe", "--tags", "HEAD")

    def remote(self) -> str | None:
        """Give the address of the remote `origin` without a user's name or password; None where there is none."""
        url = self._line("config", "--get", "remote.origin.url")
        return None if url is None else re.sub(r"^([a-z+]+://)[^/@]*@", r"\1", url)

    def user(self) -> str | None:
        """Give who commits here by git's configuration, `Name <address>`; None where no name is configured."""
        name, address = self._line("config", "--get", "user.name"), self._line("config", "--get", "user.email")
        return name if name is None or address is None else f"{name} <{address}>"

    def tracked(self) -> frozenset[bytes] | None:
        """List what git tracks below the folder, by paths relative to it; None without git or a checkout."""
        answer = self._git("ls-files", "-z", "--cached", "--recurse-submodules", "--", ".")
        return None if answer is None else frozenset(path for path in answer.split(b"\0") if path)

    def _line(self, *arguments: str) -> str | None:
        answer = self._git(*arguments)
        return (answer.decode("utf-8", "replace").strip() or None) if answer is not None else None

    def _filter_overrides(self) -> Sequence[str] | None:
        """Empty the filters that the checkout's own configuration defines; None where one cannot be named safely."""
        answer = self._git("config", "--null", "--show-scope", "--name-only", "--get-regexp", r"^filter\.")
        if answer is None:
            return ()
        parts = answer.decode("utf-8", "surrogateescape").split("\0")
        overrides: list[str] = []
        for scope, name in zip(parts[::2], parts[1::2], strict=False):
            if scope not in ("local", "worktree"):
                continue
            if "=" in name:
                return None
            value = "false" if name.endswith(".required") else ""
            overrides += ["-c", f"{name}={value}"]
        return overrides

    def _git(self, *arguments: str) -> bytes | None:
        """Run one command; None when it fails or there is no git."""
        try:
            done = subprocess.run(
                ["git", "-C", str(self._folder), *_SAFE, *arguments],  # noqa: S607 - the user's own, found on PATH
                stdin=subprocess.DEVNULL,
                capture_output=True,
                env=self._environment,
                timeout=TIMEOUT,
                check=False,
            )
        except OSError:
            return None
        except subprocess.TimeoutExpired:
            raise NoVerdictError(f"git took more than {TIMEOUT:.0f} s in {self._folder}") from None
        return done.stdout if done.returncode == 0 else None


def remote_commit(url: str, name: str | None, environment: Mapping[str, str] | None = None) -> str | None:
    """Ask a repository which commit a branch, a tag or HEAD is at; an annotated tag is followed to its commit.

    None where the repository has no such name. Raises UnreachableError where it could not be asked.
    """
    wanted = ["HEAD"] if name is None else [f"refs/tags/{name}^{{}}", f"refs/tags/{name}", f"refs/heads/{name}", name]
    argv = ["git", *_SAFE, *_TRANSPORTS, "ls-remote", "--", url, *wanted]
    surroundings = _environment(os.environ if environment is None else environment)
    surroundings["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes"
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, env=surroundings, timeout=TIMEOUT, check=False
        )
    except OSError:
        raise UnreachableError(f"{url} cannot be asked: there is no git", "install git") from None
    except subprocess.TimeoutExpired:
        raise UnreachableError(f"{url} did not answer within {TIMEOUT:.0f} s") from None
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UnreachableError(f"{url} cannot be asked: {said[-1][:200] if said else 'git failed'}")
    lines = done.stdout.decode("ascii", "replace").splitlines()
    found = {reference: commit for commit, _, reference in (line.partition("\t") for line in lines)}
    return next((found[each] for each in wanted if each in found), None)


def _environment(given: Mapping[str, str]) -> dict[str, str]:
    """Drop what points git at another repository (a hook's environment does), and keep what configures it."""
    kept = {
        name: value for name, value in given.items() if not name.startswith("GIT_") or name.startswith(_KEPT_VARIABLES)
    }
    return kept | {
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
