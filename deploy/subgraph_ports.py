"""Where the subgraphs listen when nobody says otherwise. Apart from `stack`, which a process that serves does not load."""

SUBGRAPH_PORTS = {"users": 8081, "nutrition": 8082, "workouts": 8083, "analytics": 8084}


def ports_of(text: str) -> dict[str, int]:
    """From `users=8081,nutrition=8082`."""
    return {name: int(port) for name, port in (pair.split("=") for pair in text.split(","))}
