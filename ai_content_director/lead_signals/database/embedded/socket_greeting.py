"""Is there a server behind this socket, and does it answer? The first words of PostgreSQL's protocol, without a driver."""

import socket
import struct
from pathlib import Path

_PROTOCOL_3 = 3 << 16
_TERMINATE = b"X" + struct.pack("!i", 4)
_CANNOT_CONNECT_NOW = b"C57P03\0"  # starting up, recovering or shutting down
GREETING_SECONDS = 2.0


def somebody_listens(socket_file: Path) -> bool:
    """True when a process accepts connections at `socket_file`, ready or not."""
    try:
        _connect(socket_file).close()
    except OSError:
        return False
    return True


def server_answers(socket_file: Path, role: str) -> bool:
    """True when the server lets `role` in, or refuses it for any reason but that it is not ready yet."""
    words = b"".join(word.encode() + b"\0" for word in ("user", role, "database", "postgres", ""))  # the empty word ends the list
    try:
        with _connect(socket_file) as connection:
            connection.sendall(struct.pack("!ii", 8 + len(words), _PROTOCOL_3) + words)
            with connection.makefile("rb") as answers:
                kind, length = struct.unpack("!ci", answers.read(5))
                answer = answers.read(length - 4)
            connection.sendall(_TERMINATE)
    except (OSError, struct.error):  # nobody there, hung up, or cut off in the middle of an answer
        return False
    return kind == b"R" or (kind == b"E" and _CANNOT_CONNECT_NOW not in answer)


def _connect(socket_file: Path) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(GREETING_SECONDS)
        connection.connect(str(socket_file))
    except BaseException:
        connection.close()
        raise
    return connection
