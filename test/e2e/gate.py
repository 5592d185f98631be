"""A door between a worker and its Docker: requests that contain certain words wait in it until they may pass.

It runs as a process of its own, one for each run of the daemon behind it: drover tells one run of Docker from the next by
the process that listens on the socket.

usage: gate.py SOCKET TARGET [WORDS...]; reads "hold WORDS" and "release WORDS" from standard input
"""
import os
import socket
import subprocess
import sys
import threading


class Gate:
    """The test's side of it."""

    def __init__(self, path, target):
        self.path, self.target = str(path), str(target)
        self.process = None
        self.start()

    def start(self, *held):
        self.process = subprocess.Popen([sys.executable, __file__, self.path, self.target, *held],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def tell(self, verb, words):
        print(verb, words, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "done\n"

    def hold(self, words):
        """From now on a request whose bytes contain the words waits."""
        self.tell("hold", words)

    def release(self, words):
        self.tell("release", words)

    def stop(self):
        self.process.kill()
        self.process.wait()


class Door:
    """The process's side."""

    def __init__(self, held):
        self.held = {words.encode(): threading.Event() for words in held}

    def take_orders(self):
        for line in sys.stdin:
            verb, words = line.strip().split(" ", 1)
            if verb == "hold":
                self.held[words.encode()] = threading.Event()
            else:
                self.held.pop(words.encode()).set()
            print("done", flush=True)

    def serve(self, client, target):
        server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            server.connect(target)
        except OSError:
            client.close()
            return
        threading.Thread(target=self.copy, args=(server, client, False), daemon=True).start()
        self.copy(client, server, True)

    def copy(self, source, sink, is_request):
        try:
            while data := source.recv(65536):
                events = [event for words, event in list(self.held.items()) if is_request and words in data]
                for event in events:
                    event.wait()
                sink.sendall(data)
        except OSError:
            pass
        for each in (source, sink):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


def main(path, target, *held):
    door = Door(held)
    if os.path.exists(path):
        os.unlink(path)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(path)
    listener.listen(64)
    threading.Thread(target=door.take_orders, daemon=True).start()
    print("ready", flush=True)
    while True:
        client, _ = listener.accept()
        threading.Thread(target=door.serve, args=(client, target), daemon=True).start()


if __name__ == "__main__":
    main(*sys.argv[1:])
