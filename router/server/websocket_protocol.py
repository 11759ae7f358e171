"""uvicorn's WebSocket protocol, which frames that are wrong must not make fail: what they say is answered with a close code.

`workers` serves with it, and subgraphs do.
"""

from __future__ import annotations

from contextlib import suppress

from uvicorn._types import ASGISendEvent
from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

INVALID_TEXT = 1007


class StrictWebSocketProtocol(WebSocketsSansIOProtocol):
    def data_received(self, data: bytes) -> None:
        try:
            super().data_received(data)
        except InvalidState:  # bytes after a close, which nobody is there for
            self.transport.close()

    async def send(self, message: ASGISendEvent) -> None:
        """Raises ClientDisconnected once the connection is closed, also where the protocol closed it by itself."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    def send_receive_event_to_app(self) -> None:
        """Of a text that is none uvicorn writes a trace to the log, and fails where the client's close came with it."""
        if self.curr_msg_data_type == "text" and not self.close_sent:
            try:
                b"".join(self.frames).decode()
            except UnicodeDecodeError:
                self.frames = []
                with suppress(InvalidState):  # the client has closed already, and was answered
                    self.conn.send_close(INVALID_TEXT)
                self._end()
                return
        super().send_receive_event_to_app()

    def _end(self) -> None:
        """What `handle_parser_exception` does, for a connection that its client may be closing."""
        closed = self.conn.close_sent
        code = closed.code if closed is not None else INVALID_TEXT
        self.queue.put_nowait({"type": "websocket.disconnect", "code": code, "reason": ""})
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()
