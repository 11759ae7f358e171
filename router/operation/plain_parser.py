"""A short way through the grammar for ordinary texts. What it does not take goes to graphql-core's parser, which words the errors.

`document.parse_document` asks it first. It may leave a text to that parser, but never takes what that one refuses, and never
reads it otherwise: `tests/unit/router/operation/test_plain_parser.py` holds it to that.
"""

from __future__ import annotations

from typing import Any

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DefinitionNode,
    DirectiveNode,
    DocumentNode,
    EnumValueNode,
    FieldNode,
    FloatValueNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    Location,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectValueNode,
    OperationDefinitionNode,
    OperationType,
    SelectionNode,
    SelectionSetNode,
    Source,
    StringValueNode,
    Token,
    TokenKind,
    TypeNode,
    ValueNode,
    VariableDefinitionNode,
    VariableNode,
)

from router.operation.text_form import FLOAT, INTEGER, PLAIN_STRING, lexemes_of

#: Of selection sets, and of values, within one another; a fourth of what graphql-core's parser allows.
MAX_DEPTH = 50

_OPERATION_TYPES = {each.value: each for each in OperationType}
#: Errors about these name their places.
_INTROSPECTION = frozenset(("__schema", "__type"))


def plain_document(text: str, max_tokens: int) -> DocumentNode | None:
    """The document, none of whose nodes has a location but the document itself. None where graphql-core's parser is to look:
    the text may be wrong, has more than `max_tokens` tokens, is nested deeply, asks for introspection, or has strings with
    escapes or control characters, or descriptions.
    """
    lexemes = lexemes_of(text)
    # the parser counts comments, and the ends of the text, too
    if lexemes is None or len(lexemes) + text.count("#") + 2 > max_tokens:
        return None
    try:
        definitions = _Parser(lexemes).definitions()
    except _UnusualError:
        return None
    begin, end = (Token(kind, place, place, 0, 0) for kind, place in ((TokenKind.SOF, 0), (TokenKind.EOF, len(text))))
    return DocumentNode(definitions=definitions, loc=Location(begin, end, Source(text)))


class _UnusualError(Exception):
    """The text is wrong, or right in a rare way."""


class _Parser:
    """Reads lexemes from the first to the last. Every method raises _UnusualError where the next ones do not begin what it reads."""

    def __init__(self, lexemes: list[str]) -> None:
        self._lexemes = [*lexemes, ""]  # which begins nothing
        self._at = 0
        self._depth = 0

    def definitions(self) -> tuple[DefinitionNode, ...]:
        found: list[DefinitionNode] = [self._definition()]
        while self._lexemes[self._at]:
            found.append(self._definition())
        return tuple(found)

    def _definition(self) -> DefinitionNode:
        lexeme = self._lexemes[self._at]
        if lexeme == "{":
            return OperationDefinitionNode(operation=OperationType.QUERY, selection_set=self._selection_set())
        self._at += 1
        if lexeme == "fragment":
            return self._fragment_definition()
        operation = _OPERATION_TYPES.get(lexeme)
        if operation is None:
            raise _UnusualError
        return OperationDefinitionNode(
            operation=operation,
            name=self._name() if self._lexemes[self._at].isidentifier() else None,
            variable_definitions=self._variable_definitions(),
            directives=self._directives(is_constant=False),
            selection_set=self._selection_set(),
        )

    def _fragment_definition(self) -> FragmentDefinitionNode:
        name = self._fragment_name()
        self._take("on")
        return FragmentDefinitionNode(
            name=name,
            variable_definitions=(),
            type_condition=NamedTypeNode(name=self._name()),
            directives=self._directives(is_constant=False),
            selection_set=self._selection_set(),
        )

    def _take(self, lexeme: str) -> None:
        if self._lexemes[self._at] != lexeme:
            raise _UnusualError
        self._at += 1

    def _name(self) -> NameNode:
        lexeme = self._lexemes[self._at]
        if not lexeme.isidentifier():
            raise _UnusualError
        self._at += 1
        return NameNode(value=lexeme)

    def _fragment_name(self) -> NameNode:
        if self._lexemes[self._at] == "on":
            raise _UnusualError
        return self._name()

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _UnusualError

    # -- selections --------------------------------------------------------------------------------------------

    def _selection_set(self) -> SelectionSetNode:
        self._take("{")
        self._deeper()
        lexemes, selections = self._lexemes, [self._selection()]
        while lexemes[self._at] != "}":
            selections.append(self._selection())
        self._at += 1
        self._depth -= 1
        return SelectionSetNode(selections=tuple(selections))

    def _selection(self) -> SelectionNode:
        lexemes = self._lexemes
        if lexemes[self._at] == "...":
            return self._fragment()
        name, alias = self._name(), None
        if lexemes[self._at] == ":":
            self._at += 1
            alias, name = name, self._name()
        if name.value in _INTROSPECTION:
            raise _UnusualError
        arguments = self._arguments(is_constant=False) if lexemes[self._at] == "(" else None
        directives = self._directives(is_constant=False) if lexemes[self._at] == "@" else None
        selection_set = self._selection_set() if lexemes[self._at] == "{" else None
        return FieldNode(
            name=name, alias=alias, arguments=arguments, directives=directives, selection_set=selection_set
        )

    def _fragment(self) -> FragmentSpreadNode | InlineFragmentNode:
        self._at += 1
        condition = None
        if self._lexemes[self._at] == "on":
            self._at += 1
            condition = NamedTypeNode(name=self._name())
        elif self._lexemes[self._at].isidentifier():
            return FragmentSpreadNode(name=self._name(), directives=self._directives(is_constant=False))
        return InlineFragmentNode(
            type_condition=condition,
            directives=self._directives(is_constant=False),
            selection_set=self._selection_set(),
        )

    def _arguments(self, *, is_constant: bool) -> tuple[ArgumentNode, ...]:
        self._take("(")
        arguments = [self._argument(is_constant=is_constant)]
        while self._lexemes[self._at] != ")":
            arguments.append(self._argument(is_constant=is_constant))
        self._at += 1
        return tuple(arguments)

    def _argument(self, *, is_constant: bool) -> ArgumentNode:
        name = self._name()
        self._take(":")
        return ArgumentNode(name=name, value=self._value(is_constant=is_constant))

    def _directives(self, *, is_constant: bool) -> tuple[Any, ...] | None:
        found = []
        while self._lexemes[self._at] == "@":
            self._at += 1
            name = self._name()
            arguments = self._arguments(is_constant=is_constant) if self._lexemes[self._at] == "(" else None
            found.append(DirectiveNode(name=name, arguments=arguments))
        return tuple(found) or None

    # -- variables and values ----------------------------------------------------------------------------------

    def _variable_definitions(self) -> tuple[VariableDefinitionNode, ...] | None:
        if self._lexemes[self._at] != "(":
            return None
        self._at += 1
        found = [self._variable_definition()]
        while self._lexemes[self._at] != ")":
            found.append(self._variable_definition())
        self._at += 1
        return tuple(found)

    def _variable_definition(self) -> VariableDefinitionNode:
        variable = self._variable()
        self._take(":")
        type_ = self._type()
        default: Any = None
        if self._lexemes[self._at] == "=":
            self._at += 1
            default = self._value(is_constant=True)
        return VariableDefinitionNode(
            variable=variable, type=type_, default_value=default, directives=self._directives(is_constant=True)
        )

    def _variable(self) -> VariableNode:
        self._take("$")
        return VariableNode(name=self._name())

    def _type(self) -> TypeNode:
        if self._lexemes[self._at] == "[":
            self._at += 1
            self._deeper()
            type_: Any = ListTypeNode(type=self._type())
            self._depth -= 1
            self._take("]")
        else:
            type_ = NamedTypeNode(name=self._name())
        if self._lexemes[self._at] == "!":
            self._at += 1
            return NonNullTypeNode(type=type_)
        return type_  # type: ignore[no-any-return] # of one of two classes

    def _value(self, *, is_constant: bool) -> ValueNode:
        lexeme = self._lexemes[self._at]
        if lexeme == "$" and not is_constant:
            return self._variable()
        self._at += 1
        if lexeme == "[":
            return self._list(is_constant=is_constant)
        if lexeme == "{":
            return self._object(is_constant=is_constant)
        if lexeme.isidentifier():
            return _named_value(lexeme)
        if INTEGER.fullmatch(lexeme):
            return IntValueNode(value=lexeme)
        if FLOAT.fullmatch(lexeme):
            return FloatValueNode(value=lexeme)
        if PLAIN_STRING.fullmatch(lexeme):
            return StringValueNode(value=lexeme[1:-1], block=False)
        raise _UnusualError

    def _list(self, *, is_constant: bool) -> ListValueNode:
        self._deeper()
        values = []
        while self._lexemes[self._at] != "]":
            values.append(self._value(is_constant=is_constant))
        self._at += 1
        self._depth -= 1
        return ListValueNode(values=tuple(values))

    def _object(self, *, is_constant: bool) -> ObjectValueNode:
        self._deeper()
        fields = []
        while self._lexemes[self._at] != "}":
            name = self._name()
            self._take(":")
            fields.append(ObjectFieldNode(name=name, value=self._value(is_constant=is_constant)))
        self._at += 1
        self._depth -= 1
        return ObjectValueNode(fields=tuple(fields))


def _named_value(name: str) -> ValueNode:
    if name in ("true", "false"):
        return BooleanValueNode(value=name == "true")
    return NullValueNode() if name == "null" else EnumValueNode(value=name)
