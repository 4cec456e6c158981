"""What a run made in a Docker engine, noted before it is made, and removed by name and ID when the run ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Final

from verifier.clients.engine import StoredImage
from verifier.errors import NoVerdictError

if TYPE_CHECKING:
    from verifier.clients.engine_client import Engine

PRIVATE_HOST: Final = "verify-build.invalid"
"""The registry name of our own tags: `.invalid` never resolves (RFC 2606), so nothing can be pulled or pushed by it."""

_CONTAINER_TRIES: Final = 20
_LOOKS: Final = 3
_PAUSE_SECONDS: Final = 0.25


class Traces:
    """The tags, images and containers of one run in one engine. An image that was there before is never removed."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._before = {image.id: image for image in engine.images()}
        self._containers_before = frozenset(container.id for container in engine.containers())
        self._tags: dict[str, None] = {}
        self._images: dict[str, None] = {}
        self._containers: dict[str, None] = {}
        self._kept: set[str] = set()

    def was_there(self, image: str) -> bool:
        """Tell whether an image ID was there before the run."""
        return image in self._before

    def add_tag(self, name: str) -> None:
        """Note a tag that is about to be set."""
        self._tags[name] = None

    def add_image(self, identifier: str) -> None:
        """Note an image of ours by its full ID."""
        if not self.was_there(identifier):
            self._images[identifier] = None

    def add_container(self, identifier: str) -> None:
        """Note a container that a build has started."""
        self._containers[identifier] = None

    def drop_container(self, identifier: str) -> None:
        """Note that the builder has removed a container itself."""
        self._containers.pop(identifier, None)

    def add_unseen_containers(self, image: str, command: str) -> None:
        """Note the containers that a step has started and that the builder had no time to tell of.

        `image` is what the step stands on. On an image that is not ours a container counts only when it runs `command`.
        """
        for _ in range(_LOOKS):
            time.sleep(_PAUSE_SECONDS)
            for container in self._engine.containers():
                if container.id in self._containers_before or container.image != image:
                    continue
                if image in self._images or (command and command in container.command):
                    self._containers[container.id] = None

    def keep(self, identifier: str) -> None:
        """Leave an image, and what it stands on, in the engine: the user asked for it."""
        self._kept.add(identifier)

    def remove(self) -> tuple[str, ...]:
        """Remove everything and name what is left."""
        left: list[str] = []
        for work in (self._remove_containers, self._remove_tags, self._remove_images):
            try:
                left += work()
            except NoVerdictError as error:
                left += [f"{name}: {error.message}" for name in (*self._images, *self._tags, *self._containers)]
        return tuple(left)

    def _remove_containers(self) -> list[str]:
        left = []
        for identifier in tuple(self._containers):
            problem = _attempt(partial(self._remove_container, identifier))
            if problem:
                left.append(f"container {identifier[:12]}: {problem}")
            self.drop_container(identifier)
        return left

    def _remove_container(self, identifier: str) -> None:
        # An interrupted build's own removal may be under way: the engine then answers with a conflict for a while.
        for attempt in range(_CONTAINER_TRIES):
            try:
                self._engine.remove_container(identifier)
            except NoVerdictError as error:
                if "in progress" not in error.message or attempt == _CONTAINER_TRIES - 1:
                    raise
                time.sleep(_PAUSE_SECONDS)
            else:
                return

    def _remove_tags(self) -> list[str]:
        left = []
        for name in tuple(self._tags):
            problem = _attempt(partial(self._remove_tag, name))
            if problem:
                left.append(f"tag {name}: {problem}")
            self._tags.pop(name, None)
        return left

    def _remove_tag(self, name: str) -> None:
        """Remove a tag; an image that was there before, or that is kept, survives even when this was its last name."""
        images = self._engine.images()
        holder = next((image for image in images if name in image.tags), None)
        if holder is not None and holder.tags == (name,) and (self.was_there(holder.id) or holder.id in self._kept):
            other = next((image for image in images if any(tag not in self._tags for tag in image.tags)), None)
            if other is None or other.id == holder.id:
                raise NoVerdictError("it is the only name of an image that was there before")
            self._engine.tag(other.id, name)
        self._engine.remove_image(name)

    def _remove_images(self) -> list[str]:
        known = {image.id: image for image in self._listed()}
        self._adopt_children(known.values())
        waiting = [name for name in self._images if name in known and not self._is_kept(name, known)]
        problems: dict[str, str] = {}
        while waiting:
            problems = {name: problem for name in waiting if (problem := self._try_image(name, known))}
            if len(problems) == len(waiting):
                break
            waiting = list(problems)
        self._images.clear()
        return [f"image {name.removeprefix('sha256:')[:12]}: {problem}" for name, problem in problems.items()]

    def _listed(self) -> Iterable[StoredImage]:
        return self._engine.images() if self._images else ()

    def _adopt_children(self, images: Iterable[StoredImage]) -> None:
        """Add what an interrupted build made of our images and had no time to name."""
        untagged = [image for image in images if not image.tags and not self.was_there(image.id)]
        while children := [i.id for i in untagged if i.parent in self._images and i.id not in self._images]:
            self._images.update(dict.fromkeys(children))

    def _is_kept(self, name: str, known: dict[str, StoredImage]) -> bool:
        for kept in self._kept:
            step: str | None = kept
            while step:
                if step == name:
                    return True
                step = known[step].parent if step in known else None
        return False

    def _try_image(self, name: str, known: dict[str, StoredImage]) -> str | None:
        if any(tag not in self._tags for tag in known[name].tags):
            return "somebody has tagged it meanwhile"
        return _attempt(partial(self._engine.remove_image, name))


def _attempt(work: Callable[[], object]) -> str | None:
    try:
        work()
    except NoVerdictError as error:
        return error.message
    return None
