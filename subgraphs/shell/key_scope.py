"""What an API key may do, as the claim `scope` of its tokens says it. Named by `scopes` on fields, chosen by people in users.

A token of a sign-in has `read` and `write`, which are all of these and what no key has; a key's has `key` and its own.
"""

from enum import StrEnum

from subgraphs.shell.grant_area import GrantArea

READ = "read"
WRITE = "write"
KEY = "key"
#: To decide about the account itself and nothing in it: all that is left to write of one that waits for its erasure.
OWN_ACCOUNT = "account"


class KeyScope(StrEnum):
    """What a person may let a program do in their name: the areas are those that a grant opens. What an endpoint of webhooks
    is told of, its key has to be allowed to read. Whoever plans for clients needs reading and writing of the area besides.
    """

    READ_BODY = "read:body"
    WRITE_BODY = "write:body"
    READ_DIARY = "read:diary"
    WRITE_DIARY = "write:diary"
    READ_TRAINING = "read:training"
    WRITE_TRAINING = "write:training"
    READ_PROGRESS = "read:progress"
    WRITE_PROGRESS = "write:progress"
    PLAN_FOR_CLIENTS = "plan:clients"
    MANAGE_WEBHOOKS = "manage:webhooks"


def reading(area: GrantArea) -> KeyScope:
    """The scope that a key needs to read the area."""
    return KeyScope[f"READ_{area.name}"]
