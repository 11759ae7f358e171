"""Reads the leaves of an object by code that is made for them, for selections of which many objects were asked for.

`compiled_operation` makes it and keeps it with a selection. Read one by one, each leaf of each object takes some 25 of Python's
bytecodes, since what is known of it is looked at anew: how it is read, of which class it is, whether null may stand there. Here all that
is written out, and whatever is unusual is left to the ordinary way. Of a name under the key `called`, and of a size that may be null,
this is made:

    def read(source, results):
        value = source.name
        if value.__class__ is not str:
            return False
        results['called'] = value
        value = source.size
        if value is not None:
            if value.__class__ is not float or value - value != 0.0:
                return False
        results['size'] = value
        return True
"""

from collections.abc import Callable, Iterator, Sequence
from operator import attrgetter
from typing import Any, TypeAlias

from graphql import Undefined

from subgraphs.shell.lean_executor import LEAST_INT, MOST_INT, Leaf

#: Puts the leaves of an object into a dict, in their order. False, or an exception, where one is to be read in the ordinary way; those
#: before it are there then.
ReadLeaves: TypeAlias = Callable[[Any, dict[str, Any]], bool]

#: What else than its class makes a value one that is not serialised as it is.
_UNUSUAL = {float: " or value - value != 0.0", int: f" or not {LEAST_INT} <= value <= {MOST_INT}"}


def made_reader(leaves: Sequence[tuple[str, Leaf | str]]) -> ReadLeaves:
    """For leaves by their keys in the answer, or what stands under the key whatever the object is."""
    namespace: dict[str, Any] = {"Undefined": Undefined}
    lines: list[str] = []
    for key, leaf in leaves:
        lines += [f"results[{key!r}] = {leaf!r}"] if isinstance(leaf, str) else _lines_of(key, leaf, namespace)
    source = "\n    ".join(["def read(source, results):", *lines, "return True"])
    exec(compile(source, "<leaves>", "exec"), namespace)  # noqa: S102 - the source is ours, keys are repr'd  # nosec B102
    made: ReadLeaves = namespace["read"]
    return made


def _lines_of(key: str, leaf: Leaf, namespace: dict[str, Any]) -> Iterator[str]:
    attribute = _attribute_of(leaf.read)
    yield f"value = {f'source.{attribute}' if attribute else f'{_named(leaf.read, namespace)}(source)'}"
    indent = ""
    if leaf.nullable:
        yield "if value is not None:"
        indent = "    "
    if leaf.exact is not None:
        yield f"{indent}if value.__class__ is not {leaf.exact.__name__}{_UNUSUAL.get(leaf.exact, '')}:"
    else:
        if not leaf.nullable:
            yield "if value is None:"
            yield "    return False"
        yield f"{indent}value = {_named(leaf.serialize, namespace)}(value)"
        yield f"{indent}if value is None or value is Undefined:"
    yield f"{indent}    return False"
    yield f"results[{key!r}] = value"


def _attribute_of(read: Callable[[Any], Any]) -> str | None:
    """The attribute that it reads, if it does nothing else."""
    if not isinstance(read, attrgetter):
        return None
    names: Any = read.__reduce__()[1]
    return names[0] if len(names) == 1 and names[0].isidentifier() else None


def _named(function: Callable[[Any], Any], namespace: dict[str, Any]) -> str:
    """The name under which the made code finds the function."""
    name = f"function_{len(namespace)}"
    namespace[name] = function
    return name
