"""A soak of the service on this machine: good requests beside disconnects, slow bodies, oversize and malformed ones.

    python3 tests/soak/soak.py target/release/polemic [--minutes 5] [--clients 24] [--seed 1]

Starts a server of its own on a free port of the loopback, and nothing else. At the end every good request must have been answered as it
should (or turned away with 503), the server must live, have told no panic, and hold no more memory than after the first minute (and 10 %).
"""

import argparse
import asyncio
import json
import random
import re
import subprocess
import tempfile
import time

arguments = argparse.ArgumentParser()
arguments.add_argument("polemic")
arguments.add_argument("--minutes", type=float, default=5)
arguments.add_argument("--clients", type=int, default=24)
arguments.add_argument("--seed", type=int, default=1)
arguments = arguments.parse_args()

WORDS = "the bridge toll is a fair unfair clown idiot report council you they never always read thank please 😀 naïve".split()
counts = {}


def count(what):
    counts[what] = counts.get(what, 0) + 1


def text(rng):
    return " ".join(rng.choice(WORDS) + (str(rng.randrange(10**6)) if rng.random() < 0.1 else "") for _ in range(rng.randrange(1, 60)))


def good(rng):
    said = text(rng)
    return rng.choice([
        ("/v1/score", {"text": said}),
        ("/v1/score", {"comments": [{"id": i, "parent_id": i - 1, "text": text(rng)} for i in range(rng.randrange(1, 20))]}),
        ("/v1/explain", {"text": said}),
        ("/v1alpha1/comments:analyze?key=k", {"comment": {"text": said}, "requestedAttributes": {"TOXICITY": {}, "INSULT": {}}, "languages": ["en"]}),
        ("/v1/moderations", {"input": [said, text(rng)]}),
        ("/v1/feedback", {"text": said, "decision": rng.choice(["approved", "rejected"])}),
    ])


def head(path, length, extra=""):
    return f"POST {path} HTTP/1.1\r\nHost: soak\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{extra}\r\n".encode()


async def answer(reader):
    top = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    status = int(top.split(b" ", 2)[1])
    length = re.search(rb"content-length: (\d+)", top.lower())
    body = await asyncio.wait_for(reader.readexactly(int(length[1]) if length else 0), 30)
    return status, body


async def polite(reader, writer, rng):
    """Some good requests on one connection."""
    for _ in range(rng.randrange(1, 30)):
        path, body = good(rng)
        data = json.dumps(body).encode()
        writer.write(head(path, len(data)) + data)
        status, _ = await answer(reader)
        count(f"good: {status}")
        if status not in (200, 201, 503):
            raise AssertionError(f"{status} for a good request to {path}")


async def breaks_off(reader, writer, rng):
    path, body = good(rng)
    data = json.dumps(body).encode()
    whole = head(path, len(data)) + data
    writer.write(whole[: rng.randrange(len(whole))])
    await writer.drain()
    count("broke off")


async def goes_without_reading(reader, writer, rng):
    for _ in range(5):
        path, body = good(rng)
        data = json.dumps(body).encode()
        writer.write(head(path, len(data)) + data)
    await writer.drain()
    writer.transport.abort()
    count("went without reading")


async def slow(reader, writer, rng):
    writer.write(head("/v1/score", 100_000))
    for _ in range(rng.randrange(1, 40)):
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(rng.random() / 5)
    count("slow")


async def oversize(reader, writer, rng):
    size = rng.randrange(5 << 20, 20 << 20)
    writer.write(head("/v1/score", size))
    try:
        for _ in range(64):
            writer.write(b"x" * 65536)
            await writer.drain()
        status, _ = await answer(reader)
        count(f"oversize: {status}")
    except (ConnectionError, asyncio.IncompleteReadError):
        count("oversize: cut")


async def malformed(reader, writer, rng):
    junk = rng.choice([
        bytes(rng.randrange(256) for _ in range(rng.randrange(1, 500))),
        b"GET / HTTP/9.9\r\n\r\n",
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /v1/score HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        head("/v1/score", 10) + b"[[[[[[[[[[",
        head("/v1alpha1/comments:analyze", 40) + b"{" * 40,
        b"A" * 100_000,
    ])
    writer.write(junk)
    try:
        await writer.drain()
        await asyncio.wait_for(reader.read(4096), 1)
    except (ConnectionError, asyncio.TimeoutError):
        pass
    count("malformed")


async def stream(reader, writer, rng):
    lines = rng.randrange(1, 400)
    writer.write(b"POST /v1/score HTTP/1.1\r\nHost: soak\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")

    async def send():
        for i in range(lines):
            line = (b"{oops" if rng.random() < 0.1 else json.dumps({"id": i, "text": text(rng)}).encode()) + b"\n"
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()
        writer.write(b"0\r\n\r\n")

    sending = asyncio.create_task(send())
    leaves = rng.random() < 0.3
    top = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 30)
    if b" 503 " in top.split(b"\r\n")[0]:
        count("stream: 503")
        sending.cancel()
        return
    got = 0
    while True:
        size = int(await asyncio.wait_for(reader.readline(), 30), 16)
        got += (await asyncio.wait_for(reader.readexactly(size + 2), 30)).count(b"\n") - 1
        if size == 0 or (leaves and got > lines / 2):
            break
    await asyncio.gather(sending, return_exceptions=True) if not leaves else sending.cancel()
    if not leaves:
        # The last chunk has no line.
        if got + 1 != lines and got != lines:
            raise AssertionError(f"{got} answers to {lines} lines")
    count("stream")


async def stalled(reader, writer, rng):
    """Sends lines and never reads: the server must not gather answers without end."""
    writer.write(b"POST /v1/score HTTP/1.1\r\nHost: soak\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n")
    line = json.dumps({"text": "you clown " * 50}).encode() + b"\n"
    chunk = b"%x\r\n%s\r\n" % (len(line), line)
    sent = 0
    try:
        while sent < 256 << 20:
            writer.write(chunk * 100)
            sent += 100 * len(chunk)
            await asyncio.wait_for(writer.drain(), 2)
        raise AssertionError("256 MiB were taken without an answer being read")
    except asyncio.TimeoutError:
        count("stalled: held back")
    except ConnectionError:
        count("stalled: cut")


async def client(port, until, seed):
    rng = random.Random(seed)
    kinds = [polite] * 8 + [breaks_off, goes_without_reading, slow, oversize, malformed, malformed, stream, stream, stalled]
    while time.monotonic() < until:
        kind = rng.choice(kinds)
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        try:
            await kind(reader, writer, rng)
        except (ConnectionError, asyncio.IncompleteReadError) as error:
            if kind is polite:
                # An idle connection may be closed; a request that was sent may not.
                count(f"good: {type(error).__name__}")
        finally:
            writer.transport.abort()


def resident(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])


async def watch(pid, until, samples):
    while time.monotonic() < until:
        samples.append(resident(pid))
        await asyncio.sleep(1)


async def main():
    with tempfile.TemporaryDirectory() as folder:
        log = open(f"{folder}/log", "w+")
        server = subprocess.Popen(
            [arguments.polemic, "serve", "--listen", "127.0.0.1:0", "--db", f"{folder}/f.db", "--timeout", "3"],
            stdout=subprocess.PIPE, stderr=log, text=True)
        try:
            port = int(re.search(r"127\.0\.0\.1:(\d+)", server.stdout.readline())[1])
            until = time.monotonic() + 60 * arguments.minutes
            samples = []
            clients = [client(port, until, arguments.seed * 1000 + i) for i in range(arguments.clients)]
            await asyncio.gather(watch(server.pid, until, samples), *clients)
            assert server.poll() is None, "the server ended"
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await polite(reader, writer, random.Random(0))
            settled = max(samples[len(samples) // 5 : len(samples) // 2])
            late = max(samples[len(samples) // 2 :])
            server.terminate()
            assert server.wait(20) == 0, "it did not end well"
            log.seek(0)
            told = log.read()
            assert "panic" not in told, told
            for what in sorted(counts):
                print(f"{counts[what]:>8}  {what}")
            print(f"resident: {samples[0] >> 10} MiB at first, {settled >> 10} MiB at most in the first half, {late >> 10} MiB in the second")
            assert late <= settled * 1.1, "memory grew"
        finally:
            server.kill()


asyncio.run(main())
print("ok")
