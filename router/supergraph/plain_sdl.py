"""A short way through the grammar of schemas. What it does not take goes to graphql-core's parser, which words the errors.

`sdl.parse_sdl` and the composer ask it first. It may leave a text to that parser, but never takes what that one refuses, and never
reads it otherwise: `tests/unit/router/supergraph/test_plain_sdl.py` holds it to that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cached_property
from typing import Any, TypeVar, cast

from graphql import (
    ArgumentNode,
    BooleanValueNode,
    DefinitionNode,
    DirectiveDefinitionNode,
    DirectiveLocation,
    DirectiveNode,
    DocumentNode,
    EnumTypeDefinitionNode,
    EnumTypeExtensionNode,
    EnumValueDefinitionNode,
    EnumValueNode,
    FieldDefinitionNode,
    FloatValueNode,
    InputObjectTypeDefinitionNode,
    InputObjectTypeExtensionNode,
    InputValueDefinitionNode,
    InterfaceTypeDefinitionNode,
    InterfaceTypeExtensionNode,
    IntValueNode,
    ListTypeNode,
    ListValueNode,
    Location,
    NamedTypeNode,
    NameNode,
    NonNullTypeNode,
    NullValueNode,
    ObjectFieldNode,
    ObjectTypeDefinitionNode,
    ObjectTypeExtensionNode,
    ObjectValueNode,
    OperationType,
    OperationTypeDefinitionNode,
    ScalarTypeDefinitionNode,
    ScalarTypeExtensionNode,
    SchemaDefinitionNode,
    SchemaExtensionNode,
    Source,
    StringValueNode,
    Token,
    TokenKind,
    TypeExtensionNode,
    TypeNode,
    UnionTypeDefinitionNode,
    UnionTypeExtensionNode,
    ValueNode,
)
from graphql.language.block_string import dedent_block_string_lines

#: Of types, and of values, within one another; a fourth of what graphql-core's parser allows.
MAX_DEPTH = 50

_BETWEEN = r"(?:[\ufeff\t\n\r ,]|#[^\n\r\ud800-\udfff]*)*+"
# A number takes every letter, digit and sign that follows it, so that what the parser must refuse stays in one piece.
_LEXEME = (
    r"[A-Za-z_][0-9A-Za-z_]*+|[!$&():=@\[\]{|}]|-?[0-9][0-9A-Za-z_.+-]*+"
    r'|"(?!"")(?:[^"\\\n\r\ud800-\udfff]|\\["\\/bfnrt])*+"'
    r'|"""[^"\\\ud800-\udfff]*+(?:(?:""?(?!")|\\(?!"""))[^"\\\ud800-\udfff]*+)*+"""'
)
# The end of the text is an empty lexeme; a character that begins none is one by itself, which nothing takes.
_LEXEMES = re.compile(rf"{_BETWEEN}((?:{_LEXEME})|\Z|(?s:.))")
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_LINE_END = re.compile(r"\r\n|[\n\r]")
_ESCAPE = re.compile(r"\\(.)")
_ESCAPED = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}

_OPERATION_TYPES = {each.value: each for each in OperationType}
_NO_ENUM_VALUES = frozenset(("true", "false", "null"))
_new = object.__new__

_Item = TypeVar("_Item")
_Fields = tuple[FieldDefinitionNode, ...] | None
_Inputs = tuple[InputValueDefinitionNode, ...] | None
_Directives = tuple[Any, ...] | None
_Types = tuple[NamedTypeNode, ...] | None


def plain_sdl(text: str, *, with_places: bool = False) -> DocumentNode | None:
    """The document. None where graphql-core's parser is to look: the text may be wrong, is nested deeply, or has strings with rare
    escapes or directives that are extended.

    Names, types and arguments that are written alike are one node. With places, definitions and directives have a `Place`; nothing
    else has a location, but the document itself.
    """
    try:
        return _Parser(text, with_places).document()
    except _UnusualError:
        return None


class Place(Location):
    """Where a node begins, behind its description. The text is read once more by whoever asks first."""

    __slots__ = ("_index", "_lexed")

    def __init__(self, lexed: _Lexed, index: int) -> None:
        self._lexed = lexed
        self._index = index

    @property
    def start(self) -> int:  # type: ignore[override] # as graphql-core's, but found when it is asked for
        return self._lexed.starts[self._index]

    @property
    def end(self) -> int:  # type: ignore[override]
        return self.start + len(self._lexed.lexemes[self._index])

    @property
    def source(self) -> Source:  # type: ignore[override]
        return self._lexed.source


class _UnusualError(Exception):
    """The text is wrong, or right in a rare way."""


class _Lexed:
    def __init__(self, text: str) -> None:
        # behind the end as many more as are looked at beyond a sign
        self.lexemes: list[str] = [*_LEXEMES.findall(text), "", ""]
        self.source = Source(text)

    @cached_property
    def starts(self) -> list[int]:
        return [found.start(1) for found in _LEXEMES.finditer(self.source.body)]


class _Parser:
    """Reads lexemes from the first to the last. Every method raises _UnusualError where the next ones do not begin what it reads.

    Nodes are frozen dataclasses, whose constructors take five times as long as filling their members does (`members = node.__dict__`).
    """

    def __init__(self, text: str, with_places: bool) -> None:
        self._lexed = _Lexed(text)
        self._lexemes = self._lexed.lexemes
        self._with_places = with_places
        self._at = 0
        self._depth = 0
        self._names = {
            lexeme: NameNode(value=lexeme)
            for lexeme in set(self._lexemes)
            if lexeme.isidentifier() and lexeme.isascii()
        }
        self._named_types = {name: NamedTypeNode(name=node) for name, node in self._names.items()}
        self._non_null_types = {name: NonNullTypeNode(type=node) for name, node in self._named_types.items()}
        self._arguments: dict[tuple[str, ...], tuple[ArgumentNode, ...]] = {}
        self._directives_without_places: dict[tuple[str, ...], DirectiveNode] = {}
        self._definitions: dict[str, Callable[[StringValueNode | None], DefinitionNode]] = {
            "schema": self._schema,
            "scalar": self._scalar,
            "type": lambda description: self._composite(ObjectTypeDefinitionNode, description),
            "interface": lambda description: self._composite(InterfaceTypeDefinitionNode, description),
            "union": lambda description: self._union(UnionTypeDefinitionNode, description),
            "enum": lambda description: self._enum(EnumTypeDefinitionNode, description),
            "input": lambda description: self._input(InputObjectTypeDefinitionNode, description),
            "directive": self._directive_definition,
        }
        self._extensions: dict[str, Callable[[], Any]] = {
            "schema": self._schema_extension,
            "scalar": self._scalar_extension,
            "type": lambda: self._composite(ObjectTypeExtensionNode, None),
            "interface": lambda: self._composite(InterfaceTypeExtensionNode, None),
            "union": lambda: self._union(UnionTypeExtensionNode, None),
            "enum": lambda: self._enum(EnumTypeExtensionNode, None),
            "input": lambda: self._input(InputObjectTypeExtensionNode, None),
        }

    def document(self) -> DocumentNode:
        definitions = [self._definition()]
        while self._lexemes[self._at]:
            definitions.append(self._definition())
        source = self._lexed.source
        last = len(source.body)
        begin, end = (Token(kind, place, place, 0, 0) for kind, place in ((TokenKind.SOF, 0), (TokenKind.EOF, last)))
        return DocumentNode(definitions=tuple(definitions), loc=Location(begin, end, source))

    def _definition(self) -> DefinitionNode:
        start = self._at
        keyword = self._lexemes[start]
        if keyword == "extend":
            self._at += 2
            extension = self._extensions.get(self._lexemes[start + 1])
            if extension is None:
                raise _UnusualError
            return self._placed(extension(), start)
        description = self._description()
        if description is not None:
            start += 1
            keyword = self._lexemes[start]
        definition = self._definitions.get(keyword)
        if definition is None:
            raise _UnusualError
        self._at = start + 1
        return self._placed(definition(description), start)

    def _placed(self, node: DefinitionNode, start: int) -> DefinitionNode:
        if self._with_places:
            node.__dict__["loc"] = Place(self._lexed, start)
        return node

    # -- what definitions are made of --------------------------------------------------------------------------

    def _name(self) -> NameNode:
        name = self._names.get(self._lexemes[self._at])
        if name is None:
            raise _UnusualError
        self._at += 1
        return name

    def _take(self, lexeme: str) -> None:
        if self._lexemes[self._at] != lexeme:
            raise _UnusualError
        self._at += 1

    def _deeper(self) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _UnusualError

    def _between(self, begin: str, end: str, read: Callable[[], _Item]) -> tuple[_Item, ...] | None:
        """At least one, where the first sign is there."""
        lexemes = self._lexemes
        if lexemes[self._at] != begin:
            return None
        self._at += 1
        items = [read()]
        while lexemes[self._at] != end:
            items.append(read())
        self._at += 1
        return tuple(items)

    def _separated(self, sign: str, read: Callable[[], _Item]) -> tuple[_Item, ...]:
        if self._lexemes[self._at] == sign:
            self._at += 1
        items = [read()]
        while self._lexemes[self._at] == sign:
            self._at += 1
            items.append(read())
        return tuple(items)

    def _named_type(self) -> NamedTypeNode:
        node = self._named_types.get(self._lexemes[self._at])
        if node is None:
            raise _UnusualError
        self._at += 1
        return node

    def _type(self) -> TypeNode:
        lexemes, at = self._lexemes, self._at
        lexeme = lexemes[at]
        if lexeme in self._named_types:
            if lexemes[at + 1] == "!":
                self._at = at + 2
                return self._non_null_types[lexeme]
            self._at = at + 1
            return self._named_types[lexeme]
        if lexeme != "[":
            raise _UnusualError
        self._deeper()
        self._at = at + 1
        node = ListTypeNode(type=self._type())
        self._take("]")
        self._depth -= 1
        if lexemes[self._at] == "!":
            self._at += 1
            return NonNullTypeNode(type=node)
        return node

    def _string(self, lexeme: str) -> StringValueNode:
        self._at += 1
        node = _new(StringValueNode)
        members = node.__dict__
        members["block"] = is_block = lexeme[:3] == '"""'
        if is_block:
            members["value"] = _block_value(lexeme[3:-3])
        else:
            members["value"] = _ESCAPE.sub(_unescaped, lexeme[1:-1]) if "\\" in lexeme else lexeme[1:-1]
        return node

    # -- directives and values ---------------------------------------------------------------------------------

    def _directives(self) -> _Directives:
        lexemes = self._lexemes
        if lexemes[self._at] != "@":
            return None
        found = [self._directive()]
        while lexemes[self._at] == "@":
            found.append(self._directive())
        return tuple(found)

    def _directive(self) -> DirectiveNode:
        lexemes, start = self._lexemes, self._at
        has_arguments = lexemes[start + 2] == "("
        end = start + 2
        if has_arguments:
            try:
                end = lexemes.index(")", end) + 1
            except ValueError:
                raise _UnusualError from None
        if self._with_places:
            node = self._new_directive(tuple(lexemes[start + 2 : end]))
            node.__dict__["loc"] = Place(self._lexed, start)
            return node
        written = tuple(lexemes[start:end])
        known = self._directives_without_places.get(written)
        if known is None:
            known = self._directives_without_places[written] = self._new_directive(written[2:])
        self._at = end
        return known

    def _new_directive(self, written: tuple[str, ...]) -> DirectiveNode:
        """`written` are the arguments, which are not read again where they have been read elsewhere."""
        self._at += 1
        node = _new(DirectiveNode)
        members = node.__dict__
        members["name"] = self._name()
        known = self._arguments.get(written)
        if known is None and written:
            known = self._between("(", ")", self._argument)
            assert known is not None
            self._arguments[written] = known
        else:
            self._at += len(written)
        members["arguments"] = known
        return node

    def _argument(self) -> ArgumentNode:
        name = self._name()
        self._take(":")
        return ArgumentNode(name=name, value=self._value())

    def _value(self) -> ValueNode:
        lexeme = self._lexemes[self._at]
        if lexeme[:1] == '"' and len(lexeme) > 1:
            return self._string(lexeme)
        self._at += 1
        if lexeme in self._names:
            return _named_value(lexeme)
        if lexeme == "[":
            return ListValueNode(values=self._until("]", self._value))
        if lexeme == "{":
            return ObjectValueNode(fields=self._until("}", self._object_field))
        if _INTEGER.fullmatch(lexeme):
            return IntValueNode(value=lexeme)
        if _FLOAT.fullmatch(lexeme):
            return FloatValueNode(value=lexeme)
        raise _UnusualError

    def _until(self, end: str, read: Callable[[], _Item]) -> tuple[_Item, ...]:
        """Maybe none."""
        self._deeper()
        items = []
        while self._lexemes[self._at] != end:
            items.append(read())
        self._at += 1
        self._depth -= 1
        return tuple(items)

    def _object_field(self) -> ObjectFieldNode:
        name = self._name()
        self._take(":")
        return ObjectFieldNode(name=name, value=self._value())

    # -- fields, arguments and values of enums -----------------------------------------------------------------

    def _field(self) -> FieldDefinitionNode:
        lexemes = self._lexemes
        description = self._description()
        start = self._at
        node = _new(FieldDefinitionNode)
        members = node.__dict__
        members["description"] = description
        members["name"] = self._name()
        members["arguments"] = self._inputs("(", ")") if lexemes[self._at] == "(" else None
        self._take(":")
        members["type"] = self._type()
        members["directives"] = self._directives() if lexemes[self._at] == "@" else None
        members["loc"] = Place(self._lexed, start) if self._with_places else None
        return node

    def _inputs(self, begin: str, end: str) -> _Inputs:
        return self._between(begin, end, self._input_value)

    def _input_value(self) -> InputValueDefinitionNode:
        lexemes = self._lexemes
        description = self._description()
        start = self._at
        node = _new(InputValueDefinitionNode)
        members = node.__dict__
        members["description"] = description
        members["name"] = self._name()
        self._take(":")
        members["type"] = self._type()
        members["default_value"] = None
        if lexemes[self._at] == "=":
            self._at += 1
            members["default_value"] = self._value()
        members["directives"] = self._directives() if lexemes[self._at] == "@" else None
        members["loc"] = Place(self._lexed, start) if self._with_places else None
        return node

    def _enum_value(self) -> EnumValueDefinitionNode:
        description = self._description()
        start = self._at
        if self._lexemes[start] in _NO_ENUM_VALUES:
            raise _UnusualError
        node = _new(EnumValueDefinitionNode)
        members = node.__dict__
        members["description"] = description
        members["name"] = self._name()
        members["directives"] = self._directives()
        members["loc"] = Place(self._lexed, start) if self._with_places else None
        return node

    def _description(self) -> StringValueNode | None:
        lexeme = self._lexemes[self._at]
        return self._string(lexeme) if lexeme[:1] == '"' and len(lexeme) > 1 else None

    # -- definitions and extensions ----------------------------------------------------------------------------

    def _schema(self, description: StringValueNode | None) -> SchemaDefinitionNode:
        directives, operation_types = self._directives(), self._between("{", "}", self._operation_type)
        if operation_types is None:
            raise _UnusualError
        return SchemaDefinitionNode(description=description, directives=directives, operation_types=operation_types)

    def _schema_extension(self) -> SchemaExtensionNode:
        directives, operation_types = self._directives(), self._between("{", "}", self._operation_type)
        if directives is None and operation_types is None:
            raise _UnusualError
        return SchemaExtensionNode(directives=directives, operation_types=operation_types)

    def _operation_type(self) -> OperationTypeDefinitionNode:
        operation = _OPERATION_TYPES.get(self._lexemes[self._at])
        if operation is None:
            raise _UnusualError
        self._at += 1
        self._take(":")
        return OperationTypeDefinitionNode(operation=operation, type=self._named_type())

    def _scalar(self, description: StringValueNode | None) -> ScalarTypeDefinitionNode:
        name = self._name()
        return ScalarTypeDefinitionNode(description=description, name=name, directives=self._directives())

    def _scalar_extension(self) -> ScalarTypeExtensionNode:
        name, directives = self._name(), self._directives()
        if directives is None:
            raise _UnusualError
        return ScalarTypeExtensionNode(name=name, directives=directives)

    def _composite(self, kind: type[Any], description: StringValueNode | None) -> DefinitionNode:
        name, interfaces = self._name(), None
        if self._lexemes[self._at] == "implements":
            self._at += 1
            interfaces = self._separated("&", self._named_type)
        directives, fields = self._directives(), self._between("{", "}", self._field)
        return _made(kind, description, name, interfaces=interfaces, directives=directives, fields=fields)

    def _union(self, kind: type[Any], description: StringValueNode | None) -> DefinitionNode:
        name, directives, types = self._name(), self._directives(), None
        if self._lexemes[self._at] == "=":
            self._at += 1
            types = self._separated("|", self._named_type)
        return _made(kind, description, name, directives=directives, types=types)

    def _enum(self, kind: type[Any], description: StringValueNode | None) -> DefinitionNode:
        name, directives = self._name(), self._directives()
        return _made(kind, description, name, directives=directives, values=self._between("{", "}", self._enum_value))

    def _input(self, kind: type[Any], description: StringValueNode | None) -> DefinitionNode:
        name, directives = self._name(), self._directives()
        return _made(kind, description, name, directives=directives, fields=self._inputs("{", "}"))

    def _directive_definition(self, description: StringValueNode | None) -> DirectiveDefinitionNode:
        self._take("@")
        name, arguments, directives = self._name(), self._inputs("(", ")"), self._directives()
        is_repeatable = self._lexemes[self._at] == "repeatable"
        if is_repeatable:
            self._at += 1
        self._take("on")
        locations = self._separated("|", self._name)
        if not all(location.value in DirectiveLocation.__members__ for location in locations):
            raise _UnusualError
        return DirectiveDefinitionNode(
            description=description,
            name=name,
            arguments=arguments,
            directives=directives,
            repeatable=is_repeatable,
            locations=locations,
        )


def _made(kind: type[Any], description: StringValueNode | None, name: NameNode, **members: Any) -> DefinitionNode:
    """A definition of a type, or an extension, which says at least something and has no description."""
    if not issubclass(kind, TypeExtensionNode):
        members["description"] = description
    elif not any(members.values()):
        raise _UnusualError
    return cast("DefinitionNode", kind(name=name, **members))


def _block_value(text: str) -> str:
    lines = _LINE_END.split(text)
    if len(lines) == 1:
        return "" if text.strip(" \t") == "" else text
    return "\n".join(dedent_block_string_lines(lines))


def _named_value(name: str) -> ValueNode:
    if name in ("true", "false"):
        return BooleanValueNode(value=name == "true")
    return NullValueNode() if name == "null" else EnumValueNode(value=name)


def _unescaped(found: re.Match[str]) -> str:
    return _ESCAPED.get(found[1], found[1])
