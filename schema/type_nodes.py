"""Types as they are written in SDL: `[User!]!` as text, the name inside, whether something has to be given for it."""

from __future__ import annotations

from graphql import ListTypeNode, NamedTypeNode, NameNode, NonNullTypeNode, TypeNode, ValueNode


def named_type(node: TypeNode) -> str:
    while not isinstance(node, NamedTypeNode):
        assert isinstance(node, ListTypeNode | NonNullTypeNode)
        node = node.type
    return node.name.value


def type_text(node: TypeNode) -> str:
    if isinstance(node, NamedTypeNode):
        return node.name.value
    if isinstance(node, NonNullTypeNode):
        return f"{type_text(node.type)}!"
    assert isinstance(node, ListTypeNode)
    return f"[{type_text(node.type)}]"


def is_required(node: TypeNode, default: ValueNode | None) -> bool:
    return isinstance(node, NonNullTypeNode) and default is None


def renamed(node: TypeNode, names: dict[str, str]) -> TypeNode:
    """The same type of what `names` calls the named type inside."""
    if isinstance(node, NonNullTypeNode):
        inner = renamed(node.type, names)
        assert isinstance(inner, NamedTypeNode | ListTypeNode)
        return NonNullTypeNode(type=inner)
    if isinstance(node, ListTypeNode):
        return ListTypeNode(type=renamed(node.type, names))
    name = named_type(node)
    return NamedTypeNode(name=NameNode(value=names[name])) if name in names else node
