"""Starts the built service (`node tools/build.mjs`) with the synthetic pack, and makes pictures for it."""

import json
import os
import struct
import subprocess
import time
import zlib
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).resolve().parents[2]
API_KEY = "key-of-the-python-client-in-tests"


@pytest.fixture(scope="session")
def url(tmp_path_factory):
    """The address of a service that can embed, and whose places are few."""
    settings = {
        "HOST": "127.0.0.1",
        "PORT": "0",
        "MODEL_NAME": "synthetic",
        "PREPARED_DIR": "none",
        "WORKERS": "1",
        "MAX_QUEUE": "4",
        "API_KEYS": f"test={API_KEY}",
        "SHUTDOWN_DELAY_MS": "0",
    }
    environment = {"PATH": os.environ["PATH"], **settings}
    folder = tmp_path_factory.mktemp("service")
    with subprocess.Popen(
        ["node", str(ROOT / "dist/main.cjs")], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as service:
        try:
            address = next(
                f"http://127.0.0.1:{record['port']}"
                for record in map(json.loads, service.stdout)
                if record.get("msg") == "listening"
            )
            while httpx.get(f"{address}/readyz").status_code != 200:
                time.sleep(0.05)
            yield address
        finally:
            service.kill()


def png(width, height, pixel):
    """A PNG whose grey values a function of x and y gives."""
    rows = b"".join(b"\0" + bytes(pixel(x, y) for x in range(width)) for y in range(height))

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.fixture(scope="session")
def picture():
    return png(320, 240, lambda x, y: (x * 3 + y * 5) % 256)


@pytest.fixture(scope="session")
def other():
    return png(320, 240, lambda x, y: 255 - (x * y // 90) % 256)


@pytest.fixture(scope="session")
def blank():
    return png(320, 240, lambda x, y: 128)
