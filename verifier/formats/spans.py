"""Cut a content into fields one after the other, so that none of its bytes is left out."""

from __future__ import annotations

from verifier.formats.field import Field, Node


class Cutter:
    """Takes fields off a content from its start to its end."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.position = 0
        self.parts: list[Field | Node] = []
        """What was taken so far."""

    @property
    def left(self) -> int:
        """How many bytes were not taken yet."""
        return len(self.data) - self.position

    def take(self, name: str, kind: str, size: int, *, derived: bool = False) -> bytes:
        """Take the next `size` bytes as one field. Raises ValueError where there are not so many."""
        if not 0 <= size <= self.left:
            raise ValueError(f"{name} of {size} bytes, {self.left} are left")
        value = self.data[self.position : self.position + size]
        if size:
            self.parts.append(Field(name=name, kind=kind, value=value, offset=self.position, derived=derived))
        self.position += size
        return value

    def tell(self, name: str, kind: str, value: bytes, size: int, *, derived: bool = False) -> None:
        """Put `value`, which may be empty, in place of the next `size` bytes: it must say all that they do."""
        self.parts.append(Field(name=name, kind=kind, value=value, offset=self.position, derived=derived))
        self.position += size

    def peek(self, size: int) -> bytes:
        """Give the next `size` bytes without taking them."""
        return self.data[self.position : self.position + size]

    def nest(self, node: Node, size: int) -> None:
        """Put a container in place of the next `size` bytes."""
        self.parts.append(node)
        self.position += size

    def finish(self, name: str, kind: str, offset: int = 0) -> Node:
        """Take what is left as one field, and give the whole."""
        self.take("rest", "bytes", self.left)
        return Node(name=name, format=kind, parts=tuple(self.parts), offset=offset)
