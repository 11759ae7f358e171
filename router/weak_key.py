"""What others keep notes of an object by, for as long as it lives. Not compiled: objects of compiled classes bear no weak references."""

from __future__ import annotations


class WeakKey:
    """An object's own. Equal to no other."""

    __slots__ = ("__weakref__",)
