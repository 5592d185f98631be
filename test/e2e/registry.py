"""A registry as small as Docker accepts, so that a pull can be slow, fail or find nothing at will."""
import gzip
import hashlib
import io
import json
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
LAYER = "application/vnd.docker.image.rootfs.diff.tar.gzip"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def make_layer():
    text = io.BytesIO()
    with tarfile.open(fileobj=text, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    return text.getvalue()


class Registry:
    """Serves the one image `slow:1`, whose layer arrives when `gate` is set, and answers every other name with 404."""

    def __init__(self):
        self.gate = threading.Event()
        tar = make_layer()
        layer = gzip.compress(tar, mtime=0)
        config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/nothing"]},
                             "rootfs": {"type": "layers", "diff_ids": [digest_of(tar)]}}).encode()
        self.manifest = json.dumps({
            "schemaVersion": 2, "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "size": len(config), "digest": digest_of(config)},
            "layers": [{"mediaType": LAYER, "size": len(layer), "digest": digest_of(layer)}]}).encode()
        self.blobs = {digest_of(config): config, digest_of(layer): layer}
        self.layer = digest_of(layer)
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self.handler())
        self.server.daemon_threads = True
        self.address = f"127.0.0.1:{self.server.server_port}"
        self.image = f"{self.address}/slow:1"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handler(self):
        registry = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def answer(self, status, content_type, body):
                self.send_response(status)
                self.send_header("Content-Type", content_type)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Docker-Content-Digest", digest_of(body))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def do_GET(self):
                name = self.path.rsplit("/", 1)[-1]
                if self.path == "/v2/":
                    self.answer(200, "application/json", b"{}")
                elif self.path.startswith("/v2/slow/manifests/"):
                    self.answer(200, MANIFEST, registry.manifest)
                elif self.path.startswith("/v2/slow/blobs/") and name in registry.blobs:
                    if name == registry.layer:
                        registry.gate.wait(120)
                    self.answer(200, "application/octet-stream", registry.blobs[name])
                else:
                    error = {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}
                    self.answer(404, "application/json", json.dumps(error).encode())

            do_HEAD = do_GET

        return Handler

    def close(self):
        self.gate.set()
        self.server.shutdown()
        self.server.server_close()
