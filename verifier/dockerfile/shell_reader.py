"""Read a shell script into its simple commands: a bounded walk over the grammar's tree, however deep that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from verifier.dockerfile.shell import SHELLS, Command, Redirect, Script, Word
from verifier.dockerfile.shell_failures import HEEDED, Outcome, outcomes, stops_at_failures
from verifier.dockerfile.shell_grammar import parse_shell
from verifier.dockerfile.shell_prefixes import shell_script, strip_prefixes
from verifier.dockerfile.shell_redirects import REDIRECTS, read_redirects
from verifier.dockerfile.shell_words import WordReader

if TYPE_CHECKING:
    from tree_sitter import Node

MAX_SCRIPT: Final = 128 * 1024
"""Of one script, in bytes."""
MAX_HEREDOCS: Final = 200
"""In one script: the parser takes quadratic time over them."""
MAX_COMMANDS: Final = 5_000
MAX_DEPTH: Final = 60

LineOf = Callable[[int], int | None]
"""Gives the Dockerfile's line for an offset (UTF-8 bytes) into the script."""

_CONDITIONAL: Final = frozenset(
    {"if_statement", "while_statement", "case_item", "function_definition", "elif_clause", "else_clause"}
)


def read_script(
    text: str, scope: Mapping[str, tuple[str, ...]], line_of: LineOf, *, options: Sequence[str] = ()
) -> Script:
    """Read `text`; `scope` holds the variables that are known when it begins, `options` are its shell's."""
    reader = _Reader(dict(scope))
    reader.run(text, line_of, 0, options=options)
    return Script(commands=tuple(reader.commands), complete=reader.complete)


class _Reader:
    """Collects commands; the position of a command is fixed before its words are read."""

    def __init__(self, scope: dict[str, tuple[str, ...]]) -> None:
        self.commands: list[Command] = []
        self.complete = True
        self._scope = scope

    def run(
        self, text: str, line_of: LineOf, depth: int, within: int | None = None, options: Sequence[str] = ()
    ) -> None:
        """Read one script, or one inside another that stands in the substitution of `within`."""
        source = text.encode("utf-8", "replace")
        if depth > MAX_DEPTH or len(source) > MAX_SCRIPT or source.count(b"<<") > MAX_HEREDOCS:
            self.complete = False
            return
        tree = parse_shell(source)
        walk = _Walk(self, tree.source, self._scope, lambda at: line_of(tree.offset(at)), within)
        walk.errexit = stops_at_failures(options)
        walk.visit(tree.root, depth)

    def reserve(self, line: int | None, *, ignored: bool) -> int:
        self.commands.append(Command(argv=(), line=line, ignored=ignored))
        return len(self.commands) - 1

    def change(self, start: int, change: Callable[[Command], Command]) -> None:
        """Apply `change` to the commands from `start` on."""
        self.commands[start:] = [change(command) for command in self.commands[start:]]


class _Walk:
    """One script's tree; `within` and `conditional` say where the walk stands."""

    def __init__(
        self,
        reader: _Reader,
        source: bytes,
        scope: dict[str, tuple[str, ...]],
        line_of: LineOf,
        within: int | None,
    ) -> None:
        self._reader = reader
        self._scope = scope
        self._line_of = line_of
        self._words = WordReader(source, scope, self._substitution)
        self._within = within
        self._control = False
        self._conditional = False
        self._depth = 0
        self.errexit = False
        self._outcome = HEEDED
        self._outcomes: dict[int, Outcome | None] = {}

    def visit(self, node: Node, depth: int) -> None:
        if depth > MAX_DEPTH or len(self._reader.commands) > MAX_COMMANDS:
            self._reader.complete = False
            return
        before, self._depth = self._depth, depth
        outer = self._outcome
        outcome = self._outcomes.get(node.id, outer)
        self._outcome = Outcome(not self.errexit, not self.errexit) if outcome is None else outcome
        self._outcomes |= outcomes(node, self._outcome)
        handler = _HANDLERS.get(node.type)
        if handler is not None:
            handler(self, node, depth + 1)
        elif node.type in _CONDITIONAL:
            self._conditionally(node.named_children, depth + 1)
        else:
            for child in node.named_children:
                self.visit(child, depth + 1)
        self._depth, self._outcome = before, outer

    def _conditionally(self, nodes: Sequence[Node], depth: int) -> None:
        before, self._conditional = self._conditional, True
        for child in nodes:
            self.visit(child, depth)
        self._conditional = before

    def _substitution(self, node: Node) -> None:
        for child in node.named_children:
            self.visit(child, self._depth + 1)

    def visit_list(self, node: Node, depth: int) -> None:
        # `a && b || c`: what stands behind a `||` may not run
        seen_or = False
        for child in node.children:
            if child.type == "||":
                seen_or = True
            elif child.is_named and seen_or:
                self._conditionally((child,), depth)
            elif child.is_named:
                self.visit(child, depth)

    def visit_command(self, node: Node, _: int) -> None:
        position = self._begin(node)
        outer, self._within = self._within, position
        control, self._control = self._control, False
        assignments, argv, redirects = [], [], []
        for child in node.named_children:
            if child.type == "variable_assignment":
                assignments.append(self._assignment(child))
            elif child.type in REDIRECTS:
                redirects += read_redirects(child, self._words)
            elif child.type == "command_name":
                argv.append(self._words.read(child.named_children[0] if child.named_children else child))
            elif child.type not in {"comment", "heredoc_body"}:
                argv.append(self._words.read(child))
        self._within, self._control = outer, control
        self._finish(position, tuple(argv), assignments, redirects)

    def visit_test(self, node: Node, _: int) -> None:
        position = self._begin(node)
        outer, self._within = self._within, position
        words = [Word(text="[", values=("[",))]
        pending = list(reversed(node.named_children))
        while pending:
            child = pending.pop()
            if child.type in _GROUPS:
                pending += reversed(child.named_children)
            else:
                words.append(self._words.read(child))
        self._within = outer
        self._finish(position, tuple(words), [], [])

    def visit_assign(self, node: Node, _: int) -> None:
        """Read `A=b`, `export A=b` and `local A`: a command without words."""
        position = self._begin(node)
        outer, self._within = self._within, position
        found = [node] if node.type == "variable_assignment" else node.named_children
        pairs = [self._assignment(child) for child in found if child.type == "variable_assignment"]
        self._within = outer
        exported = node.type == "declaration_command" and self._words.text_of(node).startswith(("export", "declare -x"))
        for name, word in pairs:
            known = self._scope.get(name, ()) if self._conditional else ()
            both = (*known, *(value for value in word.values if value not in known))
            self._scope[name] = both if word.known else ()
        self._store(position, Command(argv=(), assignments=tuple(pairs), exported=exported))

    def _assignment(self, node: Node) -> tuple[str, Word]:
        name, value = node.child_by_field_name("name"), node.child_by_field_name("value")
        word = Word(text="", values=("",)) if value is None else self._words.read(value)
        return "" if name is None else self._words.text_of(name), word

    def visit_redirected(self, node: Node, depth: int) -> None:
        body = node.child_by_field_name("body")
        start = len(self._reader.commands)
        if body is None:
            self._begin(node)
        else:
            self.visit(body, depth)
        end = len(self._reader.commands)
        redirects: list[Redirect] = []
        outer, self._within = self._within, self._last(start, end)
        for child in node.children_by_field_name("redirect"):
            redirects += read_redirects(child, self._words)
        self._within = outer
        self._attach(body, start, end, tuple(redirects))
        heredocs = [child for child in node.children_by_field_name("redirect") if child.type == "heredoc_redirect"]
        for child in heredocs:
            self._behind_heredoc(child, self._last(start, end), depth)
        last = self._last(start, end)
        if last is not None and shell_script(self._reader.commands[last].argv) is None:
            self._nested(self._reader.commands[last], redirects)

    def _attach(self, body: Node | None, start: int, end: int, redirects: tuple[Redirect, ...]) -> None:
        """Give redirections to whom they belong: a group's to all in it, a list's or a pipe's to its last command."""
        commands = self._reader.commands
        own = start if body is None or body.type == "command" else None
        if body is not None and body.type in {"list", "pipeline", "negated_command"}:
            own = self._last(start, end)
            start = end if own is None else own
        for position in range(start, end):
            if position == own:
                commands[position] = replace(commands[position], redirects=(*commands[position].redirects, *redirects))
            elif commands[position].within == self._within:
                inherited = (*redirects, *commands[position].inherited)
                commands[position] = replace(commands[position], inherited=inherited)

    def _last(self, start: int, end: int) -> int | None:
        """Find the last command of a range that is no substitution of another in it."""
        own = [position for position in range(start, end) if self._reader.commands[position].within == self._within]
        return own[-1] if own else None

    def _behind_heredoc(self, node: Node, last: int | None, depth: int) -> None:
        """Read what follows `<<EOF` on its line: the grammar puts it inside the redirection."""
        for child in node.named_children:
            if child.type == "pipeline":
                start = len(self._reader.commands)
                self.visit(child, depth)
                if last is not None and start < len(self._reader.commands):
                    self._connect(last, start, len(self._reader.commands))
            elif child.type not in {"heredoc_start", "heredoc_body", "heredoc_end", "file_redirect", "file_descriptor"}:
                self.visit(child, depth)

    def visit_pipeline(self, node: Node, depth: int) -> None:
        previous: tuple[int, int] | None = None
        for child in node.named_children:
            if child.type == "comment":
                continue
            start = len(self._reader.commands)
            self.visit(child, depth)
            end = len(self._reader.commands)
            if previous is not None and end > start:
                last = self._last(*previous)
                if last is not None:
                    self._connect(last, start, end, previous[0])
            previous = (start, end) if end > start else previous

    def _connect(self, last: int, start: int, end: int, first: int | None = None) -> None:
        """Let what ends at `last` write into the commands from `start` on."""
        commands = self._reader.commands
        for position in range(last if first is None else first, start):
            if commands[position].within == self._within and commands[position].piped_to is None:
                commands[position] = replace(commands[position], piped_to=start)
        for position in range(start, end):
            if commands[position].within == self._within and commands[position].piped_from is None:
                commands[position] = replace(commands[position], piped_from=last)

    def visit_for(self, node: Node, depth: int) -> None:
        variable = node.child_by_field_name("variable")
        control, self._control = self._control, True
        words = [self._words.read(child) for child in node.children_by_field_name("value")]
        self._control = control
        if variable is not None:
            values = tuple(dict.fromkeys(value for word in words for value in word.values))
            known = bool(words) and all(word.known for word in words)
            self._scope[self._words.text_of(variable)] = values if known else ()
        body = node.child_by_field_name("body")
        if body is not None:
            self.visit(body, depth)

    def visit_case(self, node: Node, depth: int) -> None:
        control, self._control = self._control, True
        value = node.child_by_field_name("value")
        if value is not None:
            self._words.read(value)
        self._control = control
        for item in node.named_children:
            if item.type == "case_item":
                patterns = {child.id for child in item.children_by_field_name("value")}
                self._conditionally([child for child in item.named_children if child.id not in patterns], depth)

    def _begin(self, node: Node) -> int:
        return self._reader.reserve(self._line_of(node.start_byte), ignored=self._outcome.ignored)

    def _finish(
        self, position: int, argv: tuple[Word, ...], assignments: list[tuple[str, Word]], redirects: list[Redirect]
    ) -> None:
        plain = strip_prefixes(argv)
        command = Command(
            argv=plain.argv,
            assignments=(*assignments, *plain.assignments),
            redirects=tuple(redirects),
            more_arguments=plain.more_arguments,
        )
        self._store(position, command)
        if command.name == "set":
            unset = stops_at_failures([word.replace("+", "-", 1) for word in command.arguments if word[:1] != "-"])
            self.errexit = stops_at_failures(command.arguments) or (self.errexit and not unset)
        self._nested(self._reader.commands[position], redirects)

    def _store(self, position: int, command: Command) -> None:
        self._reader.commands[position] = replace(
            command,
            within=self._within,
            in_control=self._control,
            conditional=self._conditional,
            ignored=self._reader.commands[position].ignored,
            line=self._reader.commands[position].line,
        )

    def _nested(self, command: Command, redirects: Sequence[Redirect]) -> None:
        """Read the script that a shell is given as an argument or on its standard input."""
        script = shell_script(command.argv)
        if script is None and command.name in SHELLS and all(word.startswith("-") for word in command.arguments):
            bodies = [redirect.target for redirect in redirects if redirect.operator in {"<<", "<<<"}]
            script = bodies[-1] if bodies else None
        if script is None or not script.text:
            return
        start = len(self._reader.commands)
        options = command.arguments if command.name in SHELLS else ()
        self._reader.run(script.text, lambda _: command.line, self._depth + 5, self._within, options)
        outputs = (*command.redirects, *command.inherited)
        self._reader.change(start, lambda inner: replace(inner, inherited=(*outputs, *inner.inherited)))


_GROUPS: Final = frozenset({"binary_expression", "unary_expression", "parenthesized_expression"})
_HANDLERS: Final[dict[str, Callable[[_Walk, Node, int], None]]] = {
    "list": _Walk.visit_list,
    "command": _Walk.visit_command,
    "test_command": _Walk.visit_test,
    "variable_assignment": _Walk.visit_assign,
    "variable_assignments": _Walk.visit_assign,
    "declaration_command": _Walk.visit_assign,
    "redirected_statement": _Walk.visit_redirected,
    "pipeline": _Walk.visit_pipeline,
    "for_statement": _Walk.visit_for,
    "case_statement": _Walk.visit_case,
}
