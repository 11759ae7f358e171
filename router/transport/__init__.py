"""How the router talks to subgraphs: connections, retries, circuits, requests that several operations share."""
