"""The specification's rule that `@stream` is for lists, in the place of graphql-core's, which raises AttributeError for a field of a union.

`document` validates with it.
"""

from __future__ import annotations

from typing import Any

from graphql import DirectiveNode, GraphQLError, GraphQLStreamDirective, GraphQLUnionType, Node, ValidationContext
from graphql.validation import StreamDirectiveOnListField


class StreamOnListsRule(StreamDirectiveOnListField):
    """A union has one field, its type's name, which is no list."""

    def enter_directive(self, node: DirectiveNode, _key: Any, _parent: Any, _path: Any, _ancestors: list[Node]) -> None:
        context = self.context
        assert isinstance(context, ValidationContext)
        parent = context.get_parent_type()
        if not isinstance(parent, GraphQLUnionType):
            super().enter_directive(node, _key, _parent, _path, _ancestors)
        elif node.name.value == GraphQLStreamDirective.name and context.get_field_def() is not None:
            message = f"Stream directive cannot be used on non-list field on type '{parent.name}'."
            self.report_error(GraphQLError(message, node))
