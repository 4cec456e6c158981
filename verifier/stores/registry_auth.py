"""How a registry is told who we are: Basic, or tokens of one repository (distribution's token authentication).

Nothing is sent before the registry asks for it with 401, and an answer of 401 at any later time is answered by a new
token. Credentials are looked up when they are first asked for.
"""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import oras.auth.token

from verifier.clients.credentials import Credential, Lookup
from verifier.errors import UnauthorizedError, UnreachableError
from verifier.stores.registry_answers import StorageRefusedError, error_code, let_go, read_bounded
from verifier.stores.registry_session import RegistrySession

if TYPE_CHECKING:
    import requests

MAX_TOKEN_BYTES: Final = 256 * 1024
"""Of a token server's answer."""

_PARAMETER: Final = re.compile(r'([A-Za-z][A-Za-z0-9_-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))')
_SCHEME: Final = re.compile(r"(?:^|,)\s*(basic|bearer)(?=\s|,|$)", re.IGNORECASE)
_MAX_CHALLENGE: Final = 16 * 1024
_CLIENT_ID: Final = "verify-build"


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge of a WWW-Authenticate header (RFC 9110, section 11.3); `scheme` is `basic` or `bearer`."""

    scheme: str
    parameters: Mapping[str, str]


def parse_challenges(header: str) -> tuple[Challenge, ...]:
    """Parse the challenges of the schemes that we know, in their order; others are passed over."""
    text = header[:_MAX_CHALLENGE]
    masked = re.sub(r'"(?:[^"\\]|\\.)*"', lambda match: '"' + "_" * (len(match[0]) - 2) + '"', text)
    starts = list(_SCHEME.finditer(masked))
    ends = [*(match.start() for match in starts), len(text)][1:] if starts else []
    return tuple(
        Challenge(scheme=match[1].lower(), parameters=_parameters(text[match.end() : end]))
        for match, end in zip(starts, ends, strict=True)
    )


def _parameters(text: str) -> dict[str, str]:
    return {
        match[1].lower(): match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
        for match in _PARAMETER.finditer(text)
    }


class RegistryAuth(oras.auth.token.TokenAuth):  # type: ignore[misc]  # oras has no types
    """The authorization of one repository's requests, as oras asks for it."""

    def __init__(
        self,
        registry: str,
        session: RegistrySession,
        look_up: Callable[[], Lookup],
        patiently: Callable[[Callable[[], requests.Response]], requests.Response],
    ) -> None:
        """Take the registry's name for messages, and how a request that may be asked again is sent."""
        super().__init__()
        self.session: RegistrySession = session
        self.prefix = "https"
        self._extra_scopes: tuple[str, ...] = ()
        self._registry = registry
        self._look_up = look_up
        self._patiently = patiently
        self._found: Lookup | None = None
        self._lock = threading.Lock()
        # `token` is what oras looks at: the whole of an Authorization header here, None as long as there is none.
        self.token: str | None = None

    def get_auth_header(self) -> dict[str, str]:
        """Give the header of requests that are sent before anything is asked."""
        token = self.token
        return {} if token is None else {"Authorization": token}

    def authenticate_request(
        self, original: requests.Response, headers: dict[str, str] | None, refresh: bool = False
    ) -> tuple[dict[str, str], bool]:
        """Answer 401 with a new authorization. Raises UnauthorizedError, UnreachableError."""
        if original.status_code != 401 or refresh or not self.session.is_home(original.url):
            raise self._refused(original)
        let_go(original)
        sent = original.request.headers.get("Authorization")
        with self._lock:
            # Another thread may have been faster, with a token of its own for the same repository.
            if self.token is None or self.token == sent:
                self.token = None
                self.token = self._authorization(original.headers.get("WWW-Authenticate", ""))
            return {**(headers or {}), "Authorization": self.token}, True

    def ask_also_for(self, scope: str) -> None:
        """Ask for tokens that are good for one more scope; the one that we have is not."""
        with self._lock:
            if scope not in self._extra_scopes:
                self._extra_scopes = (*self._extra_scopes, scope)
                if self.token is not None and self.token.startswith("Bearer "):
                    self.token = None

    def refused(self, response: requests.Response) -> UnauthorizedError:
        """Say that a registry does not take what it was told, or wants to be told something."""
        return self._refused(response)

    def _authorization(self, header: str) -> str:
        challenges = {item.scheme: item for item in reversed(parse_challenges(header))}
        credential = self._credential()
        if "bearer" in challenges:
            if credential is not None and credential.kind == "registry-token":
                return f"Bearer {credential.secret}"
            return f"Bearer {self._token(challenges['bearer'].parameters, credential)}"
        if "basic" not in challenges:
            raise self._denied("wants to be told who we are, in a way that is not known here")
        if credential is None or credential.kind != "password":
            raise self._denied("wants a user name and a password")
        return f"Basic {credential.basic}"

    def _token(self, parameters: Mapping[str, str], credential: Credential | None) -> str:
        realm = parameters.get("realm", "")
        if not realm.startswith(("https://", "http://")):
            raise UnreachableError(f"the registry {self._registry} names no address that gives tokens")
        scopes = [scope for scope in (*parameters.get("scope", "").split(" "), *self._extra_scopes) if scope]
        wanted = {"service": parameters["service"]} if parameters.get("service") else {}
        if credential is not None and credential.kind == "identity-token":
            form = {
                **wanted,
                "grant_type": "refresh_token",
                "refresh_token": credential.secret,
                "scope": " ".join(scopes),
            }
            form["client_id"] = _CLIENT_ID
            response = self._patiently(lambda: self.session.ask_realm("POST", realm, data=form, stream=True))
        else:
            headers = {} if credential is None else {"Authorization": f"Basic {credential.basic}"}
            query = [*wanted.items(), *(("scope", scope) for scope in dict.fromkeys(scopes))]
            response = self._patiently(
                lambda: self.session.ask_realm("GET", realm, params=query, headers=headers, stream=True)
            )
        return self._token_from(response, was_told=credential is not None)

    def _token_from(self, response: requests.Response, *, was_told: bool) -> str:
        raw = read_bounded(response, MAX_TOKEN_BYTES, f"the token server of {self._registry}")
        if response.status_code in (400, 401, 403):
            raise self._denied(
                "does not take the credential that is configured" if was_told else "gives no token without a credential"
            )
        if response.status_code != 200:
            raise UnreachableError(f"the token server of {self._registry} answers with {response.status_code}")
        try:
            answer: Any = json.loads(raw)
            token = answer.get("token") or answer.get("access_token")
        except (ValueError, AttributeError, RecursionError):
            token = None
        if not isinstance(token, str) or not token.isprintable():
            raise UnreachableError(f"the token server of {self._registry} answers without a token")
        return token

    def _credential(self) -> Credential | None:
        if self._found is None:
            self._found = self._look_up()
        return self._found.credential

    def _refused(self, response: requests.Response) -> UnauthorizedError:
        if not self.session.is_home(response.url):
            let_go(response)
            return StorageRefusedError(
                f"the storage that {self._registry} redirects to answers with {response.status_code}"
            )
        code = error_code(response)
        told = f" ({code})" if code else ""
        if response.status_code == 403:
            return self._denied(f"does not allow this{told}")
        has_told = self._found is not None and self._found.credential is not None
        return self._denied(
            f"does not take the credential that is configured{told}" if has_told else f"wants credentials{told}"
        )

    def _denied(self, what: str) -> UnauthorizedError:
        trouble = None if self._found is None else self._found.trouble
        return UnauthorizedError(f"the registry {self._registry} {what}", trouble or f"docker login {self._registry}")
