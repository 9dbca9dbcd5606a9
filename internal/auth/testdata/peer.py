"""An end of a connection of multiprocessing for the tests: listens or dials, and echoes."""
import sys
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client, Listener

role, key = sys.argv[1], sys.argv[2].encode()


def echo(connection):
    while True:
        try:
            message = connection.recv_bytes()
        except EOFError:
            return
        connection.send_bytes(message)


if role == "listen":
    listener = Listener(("127.0.0.1", 0), authkey=key)
    print(listener.address[1], flush=True)
    dial = listener.accept
else:
    dial = lambda: Client(("127.0.0.1", int(sys.argv[3])), authkey=key)

try:
    echo(dial())
    print("done", flush=True)
except AuthenticationError:
    print("refused", flush=True)
except (EOFError, ConnectionError):  # the other end closed when it refused
    print("closed", flush=True)
