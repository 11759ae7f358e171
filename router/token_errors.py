"""What reading a token may raise: the router reads those of clients with it, and so does each subgraph at its own port."""

from __future__ import annotations

import jwt

#: It is the token that is wrong then, never its reader. A head of a thousand lists within one another is among them.
WRONG_TOKEN_ERRORS = (
    jwt.PyJWTError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    ArithmeticError,
    RecursionError,
)
