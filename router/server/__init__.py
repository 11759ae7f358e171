"""HTTP, WebSocket and event-stream edges of the router."""
