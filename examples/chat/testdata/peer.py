# A peer as the notes have it: a socket of UDP and text in UTF-8. It prints what comes,
# with the sender's port, and sends the lines of its input to the address that was given.
import socket
import sys
import threading

host, port = sys.argv[1], int(sys.argv[2])
udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
udp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
udp.bind(("127.0.0.1", 0))
sys.stdin.reconfigure(encoding="utf-8")
sys.stdout.reconfigure(encoding="utf-8")
print(udp.getsockname()[1], flush=True)


def receive():
    while True:
        data, address = udp.recvfrom(65536)
        print(address[1], data.decode("utf-8"), flush=True)


threading.Thread(target=receive, daemon=True).start()
for line in sys.stdin:
    udp.sendto(line.rstrip("\n").encode("utf-8"), (host, port))
