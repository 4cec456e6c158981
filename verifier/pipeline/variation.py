"""Vary the second build on purpose, and find out by further builds which of what was varied matters.

The first build is as always. Where the two sides differ, a control build without any variation tells which differences
are there anyway; then the factors are halved, build by build, until each difference is put down to one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from verifier.errors import NoVerdictError, UnsupportedError
from verifier.model.build import BuilderIdentity
from verifier.model.difference import Difference, LayerPair
from verifier.model.plan import Plan
from verifier.model.variation import CONTEXT_FACTORS, FACTORS, Effect, Factor, LeftOut, Variation

MAX_FURTHER_BUILDS: Final = 10
"""Of one run; what is not settled by then is said to be unsettled."""

Key = tuple[str, str, LayerPair | None, bytes | None, int, str]
"""What a difference is, whatever its values: the same in another pair of builds."""

Tries = Callable[[tuple[Factor, ...]], frozenset[Key]]
"""Builds once more with these factors varied, and gives how that differs from the first build."""

_NO_TRACE: Final = "can set it in no way that leaves no trace in the image"
_WHY_NOT: Final[dict[tuple[str, Factor], str]] = {
    ("buildkit", "cpus"): "has no option for it",
    ("buildkit", "hostname"): "takes no name for its containers: BuildKit 0.10 does",
    ("docker", "hostname"): "gives every container a name of its own in each build already",
    ("buildah", "hostname"): "gives every container a name of its own in each build already",
    ("podman", "hostname"): "gives every container a name of its own in each build already",
}


def choose_factors(
    asked: Sequence[str], builder: BuilderIdentity, plan: Plan, cpus: int
) -> tuple[tuple[Factor, ...], tuple[LeftOut, ...]]:
    """Choose what to vary: what was named, or with `all` what this builder can, and why not the rest.

    `cpus` is how many there are to choose from. Raises UnsupportedError for what is named and cannot be varied.
    """
    reasons = {factor: _why_not(factor, builder, plan, cpus) for factor in FACTORS}
    if "all" in asked:
        chosen = tuple(factor for factor in FACTORS if reasons[factor] is None)
        return chosen, tuple(LeftOut(factor=factor, reason=why) for factor, why in reasons.items() if why is not None)
    for factor in FACTORS:
        if factor in asked and (why := reasons[factor]) is not None:
            raise UnsupportedError(f"--vary {factor} cannot be done: {why}", "--vary all varies what can be")
    return tuple(factor for factor in FACTORS if factor in asked), ()


def _why_not(factor: Factor, builder: BuilderIdentity, plan: Plan, cpus: int) -> str | None:
    if factor in CONTEXT_FACTORS:
        return None
    if factor not in builder.varies:
        return f"{builder.name} {_WHY_NOT.get((builder.name, factor), _why_no_environment(builder))}"
    if factor == "cpus" and cpus < 2:
        return "there is one CPU alone"
    if factor in ("timezone", "locale") and plan.dockerfile.syntax is not None:
        return f"the Dockerfile names a frontend of its own (# syntax={plan.dockerfile.syntax})"
    return None


def _why_no_environment(builder: BuilderIdentity) -> str:
    return f"{_NO_TRACE}: BuildKit 0.16 can" if builder.name == "buildkit" else _NO_TRACE


def key_of(item: Difference) -> Key:
    """Give what a difference is, without its values."""
    return str(item.platform), item.part, item.layer, item.path, item.occurrence, item.field


def find_what_matters(
    differences: Sequence[Difference],
    factors: tuple[Factor, ...],
    left_out: tuple[LeftOut, ...],
    try_with: Tries,
) -> Variation:
    """Put every difference of the varied pair down to a factor, to none of them, or to no single one."""
    if not differences:
        return Variation(factors=factors, left_out=left_out)
    search = _Search(frozenset(map(key_of, differences)), try_with)
    settled = search.run(factors)
    numbered = [(number, key_of(item)) for number, item in enumerate(differences)]

    def positions(keys: frozenset[Key]) -> tuple[int, ...]:
        return tuple(number for number, key in numbered if key in keys)

    effects = ((factor, positions(search.effects.get(factor, frozenset()))) for factor in factors)
    return Variation(
        factors=factors,
        left_out=left_out,
        further_builds=search.builds,
        settled=settled,
        effects=tuple(Effect(factor=factor, differences=numbers) for factor, numbers in effects if numbers),
        unvaried=positions(search.unvaried),
        unsettled=positions(search.unsettled),
    )


class _Search:
    """The search by halves."""

    def __init__(self, keys: frozenset[Key], try_with: Tries) -> None:
        self._keys = keys
        self._try_with = try_with
        self.builds = 0
        self.effects: dict[Factor, frozenset[Key]] = {}
        self.unvaried: frozenset[Key] = frozenset()
        self.unsettled: frozenset[Key] = frozenset()

    def run(self, factors: tuple[Factor, ...]) -> bool:
        """Search; False where a build failed, or there were too many, and something is left unsettled for that."""
        control = self._seen(())
        if control is None:
            return False
        self.unvaried = control
        due = self._keys - control
        if len(factors) == 1:
            self.effects = {factors[0]: due} if due else {}
            return True
        return self._halve(factors, due)

    def _halve(self, factors: tuple[Factor, ...], due: frozenset[Key]) -> bool:
        """Put `due` down to `factors`: what shows with the first half alone is its doing, the rest the other half's."""
        if not due:
            return True
        middle = len(factors) // 2
        done = True
        for half in (factors[:middle], factors[middle:]):
            seen = self._seen(half) if due else frozenset()
            if seen is None:
                self.unsettled |= due
                return False
            own = due & seen
            due -= own
            if len(half) == 1:
                self.effects[half[0]] = self.effects.get(half[0], frozenset()) | own
            else:
                done = self._halve(half, own) and done
        # neither half alone brings these about
        self.unsettled |= due
        return done

    def _seen(self, factors: tuple[Factor, ...]) -> frozenset[Key] | None:
        if self.builds >= MAX_FURTHER_BUILDS:
            return None
        self.builds += 1
        try:
            return self._try_with(factors) & self._keys
        except NoVerdictError:
            return None
