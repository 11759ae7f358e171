"""What every subgraph stands on, whichever domain it holds: process, HTTP, tokens, database, pages, errors, telemetry."""
