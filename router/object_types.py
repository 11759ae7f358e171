"""Which object types an object of a type can have. Not compiled: graphql-core's annotation says a list where it gives a tuple,
which compiled code refuses.
"""

from __future__ import annotations

from typing import Any

from graphql import GraphQLObjectType, GraphQLSchema, is_abstract_type


def object_types_of(schema: GraphQLSchema, type_: Any) -> tuple[GraphQLObjectType, ...]:
    """The members of a union, the implementations of an interface, and any other type by itself."""
    return tuple(schema.get_possible_types(type_)) if is_abstract_type(type_) else (type_,)
