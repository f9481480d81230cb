"""Client of face-embedding-service, in one file. Needs Python 3.9 or later and httpx.

    from face_embedding import FaceEmbeddingClient

    with FaceEmbeddingClient("http://localhost:8000") as client:
        face = client.embed("face.jpg", faces="largest")
        print(len(face["embedding"]), face["model"]["embedding_space"])

Options and members of answers have the service's names (docs/API.md). Embeddings are `array.array("f")`, which
`numpy.frombuffer(embedding, "f4")` views without a copy. One client serves all threads of a program.
"""

from __future__ import annotations

import base64
import json
import os
import random
import re
import sys
import threading
import time
from array import array
from concurrent.futures import ThreadPoolExecutor, as_completed
from email.utils import parsedate_to_datetime
from typing import Any, Iterable, Iterator, Mapping, Optional, Sequence, Union

import httpx

__all__ = ["FaceEmbeddingClient", "FaceEmbeddingError"]
__version__ = "0.1.0"

#: The bytes of a picture, an open binary file, or a path.
Image = Union[bytes, bytearray, memoryview, "os.PathLike[str]", str, Any]

#: Statuses after which the same request may succeed later; the table is in docs/ERRORS.md.
_RETRYABLE_STATUSES = {429, 502, 503, 504}
_RETRYABLE_CODES = {"RATE_LIMITED", "OVERLOADED", "MODEL_NOT_LOADED", "DEADLINE_EXCEEDED"}

# As in the TypeScript client, whose README explains them. Times are in seconds.
_FIRST_LIMIT = 8.0
_DECREASE = 0.8
_STEADY_ANSWERS = 12.0
_MAX_GAP = 0.25
_FIRST_PAUSE = 0.1
_MAX_PAUSE = 10.0
_MAX_OPEN_PAUSE = 30.0
_OVERLOAD = 2 * _MAX_OPEN_PAUSE
_PAUSE_DECAY = 0.5 ** (1 / 3)
_JITTER = 0.5
_MAX_WAIT = 4.0
# No wait of a thread or a socket takes more: 24 days.
_MAX_TIMEOUT = (2**31 - 1) / 1000


class FaceEmbeddingError(Exception):
    """Every failure of a call.

    `code` is one of docs/ERRORS.md, or `TIMEOUT`, `CONNECTION_FAILED` (no answer, or one that was cut off),
    `UNEXPECTED_ANSWER` (not the service's) or `UNREADABLE_IMAGE`. `detail` says what exactly was wrong, `reasons` the same as
    codes, where the service gives them. `retryable`: whether the same call may succeed later, after `retry_after` seconds.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        status: int = 0,
        detail: Optional[str] = None,
        reasons: Sequence[str] = (),
        request_id: Optional[str] = None,
        retryable: bool = False,
        retry_after: Optional[float] = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.status = status
        self.detail = detail
        self.reasons = tuple(reasons)
        self.request_id = request_id
        self.retryable = retryable
        self.retry_after = retry_after


class FaceEmbeddingClient:
    """Calls the service, and repeats what may succeed later for as long as the call has time.

    url: of the service, with its API prefix if it has one.
    timeout: maximum seconds of a call with all its attempts.
    max_open: maximum images at the service at a time. The client lowers it by itself when the service is full.
    open_after: seconds of nothing but refusals that open the circuit.
    transport: an httpx transport, for a proxy, a client certificate or a test.
    """

    def __init__(
        self,
        url: str,
        *,
        api_key: Optional[str] = None,
        timeout: float = 30.0,
        max_open: int = 64,
        open_after: float = 10.0,
        headers: Optional[Mapping[str, str]] = None,
        transport: Optional[httpx.BaseTransport] = None,
    ) -> None:
        own = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._timeout = timeout
        self._pressure = _Pressure(max_open, open_after)
        self._http = httpx.Client(
            base_url=url.rstrip("/"),
            headers={**own, **(headers or {})},
            transport=transport,
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=max_open),
        )

    def __enter__(self) -> "FaceEmbeddingClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the connections."""
        self._http.close()

    @property
    def circuit(self) -> str:
        """`open` when the service has refused everything for `open_after` seconds, else `closed`."""
        return "open" if self._pressure.is_circuit_open else "closed"

    def embed(self, image: Image, *, timeout: Optional[float] = None, **options: Any) -> dict:
        """Embeds the face of a picture; with `faces="all"`, every face. Options are those of `/v1/embed`."""
        request = {"params": _query(options), "content": _read(image), "headers": _BYTES}
        return self._call("POST", "/v1/embed", request, images=1, timeout=timeout)

    def embed_batch(self, images: Sequence[Image], *, timeout: Optional[float] = None, **options: Any) -> dict:
        """Embeds several pictures in one request, whose answer has a result or an error for each.

        With `fuse=True`, the answer has `template`, too: one embedding of the person that they show.
        """
        read = [_read(image) for image in images]
        request: dict = {"params": _query(options)}
        if len(read) == 1:
            # In a form, a single picture is no batch, and is answered otherwise.
            request["json"] = {"images": [base64.b64encode(image).decode() for image in read]}
        else:
            request["files"] = [("image", ("image", image, "application/octet-stream")) for image in read]
        return self._call("POST", "/v1/embed", request, images=len(read), timeout=timeout)

    def embed_many(
        self,
        images: Iterable[Image],
        *,
        order: str = "input",
        concurrency: int = 8,
        timeout: Optional[float] = None,
        **options: Any,
    ) -> Iterator[dict]:
        """Embeds any number of pictures, `concurrency` at a time; they are read as they are needed.

        Yields for each picture its answer with `index`; or `{"index", "error"}`, with a FaceEmbeddingError. `order` is `input`,
        or `ready` for each as soon as it is there. What would fail for all (a wrong key, an unknown option) is raised.
        """
        source = enumerate(images)

        def work(index: int, image: Image) -> dict:
            try:
                return {"index": index, **self.embed(image, timeout=timeout, **options)}
            except FaceEmbeddingError as error:
                if error.status in (400, 401, 404, 405):
                    raise
                return {"index": index, "error": error}

        pool = ThreadPoolExecutor(concurrency)
        running: list = []
        try:
            while True:
                while len(running) < 2 * concurrency:
                    item = next(source, None)
                    if item is None:
                        break
                    running.append(pool.submit(work, *item))
                if not running:
                    return
                done = running[0] if order == "input" else next(as_completed(running))
                running.remove(done)
                yield done.result()
        finally:
            for future in running:
                future.cancel()
            pool.shutdown(wait=False)

    def compare(self, *, timeout: Optional[float] = None, **request: Any) -> dict:
        """Ranks references by their distance to a query. Takes the members of the body of `/v1/compare`.

        Embeddings may be arrays of float32, sequences of numbers or base64; pictures are as in `embed`.
        """
        references = request.get("reference_embeddings")
        pictures = "query_image" in request
        if isinstance(references, (list, tuple)):
            pictures += sum("image" in reference for reference in references)
        body = json.dumps(_encode({**request, "encoding_format": "base64"}), separators=(",", ":"))
        sent = {"content": body, "headers": {"Content-Type": "application/json"}}
        return self._call("POST", "/v1/compare", sent, images=pictures, timeout=timeout)

    def health(self, *, timeout: float = 5.0) -> dict:
        """Whether the service can embed. It is asked once; that it cannot is an answer, too."""
        deadline = time.monotonic() + min(_MAX_TIMEOUT, timeout)
        return self._attempt("GET", "/v1/health", {}, deadline, statuses=(200, 503))

    def model_info(self, *, timeout: Optional[float] = None) -> dict:
        """The loaded model, its measured thresholds, and the limits in force."""
        return self._call("GET", "/v1/model-info", {}, images=0, timeout=timeout)

    def _call(self, method: str, path: str, request: dict, *, images: int, timeout: Optional[float]) -> dict:
        began = time.monotonic()
        deadline = began + min(_MAX_TIMEOUT, self._timeout if timeout is None else timeout)
        attempt = 0
        while True:
            self._pressure.enter(images, deadline, began)
            sent = time.monotonic()
            finding: Any = None
            try:
                answer = self._attempt(method, path, request, deadline)
                finding = "served"
                return answer
            except FaceEmbeddingError as error:
                finding = error if error.retryable else "served"
                if not error.retryable:
                    raise
                failure = error
            finally:
                self._pressure.leave(images, sent, finding)
            # Of a call without an end, the power alone would overflow after 1,000 attempts.
            backoff = min(_MAX_WAIT, _FIRST_PAUSE * 2 ** min(attempt, 16))
            asked = backoff if failure.retry_after is None else failure.retry_after
            wait = asked + _JITTER * random.random() * max(asked, backoff)
            if time.monotonic() + wait >= deadline:
                raise failure
            time.sleep(wait)
            attempt += 1

    def _attempt(
        self, method: str, path: str, request: dict, deadline: float, statuses: Sequence[int] = (200,)
    ) -> dict:
        left = deadline - time.monotonic()
        if left <= 0:
            raise FaceEmbeddingError("TIMEOUT", "The time of the call is over.", retryable=True)
        try:
            # httpx limits each wait, not their sum: the answer is read in parts, and the clock looked at between them.
            with self._http.stream(method, path, timeout=left, **request) as response:
                parts = []
                for part in response.iter_bytes():
                    parts.append(part)
                    if time.monotonic() > deadline:
                        raise FaceEmbeddingError("TIMEOUT", "The time of the call is over.", retryable=True)
        except httpx.TimeoutException as error:
            raise FaceEmbeddingError("TIMEOUT", "The time of the call is over.", retryable=True) from error
        except httpx.HTTPError as error:
            message = f"The service gave no complete answer: {error}"
            raise FaceEmbeddingError("CONNECTION_FAILED", message, retryable=True) from error
        body = _json(b"".join(parts))
        if response.status_code not in statuses:
            raise _error_of(response, body if isinstance(body, dict) else {})
        if not isinstance(body, dict) or (response.status_code != 200 and "status" not in body):
            raise FaceEmbeddingError(
                "UNEXPECTED_ANSWER", "The answer is not the service's.", status=response.status_code
            )
        return _decode(body)


class _Pressure:
    """How much of a client's work may be at the service at a time; see `pressure.ts` of the TypeScript client."""

    def __init__(self, max_open: int, open_after: float) -> None:
        self._changed = threading.Condition()
        self._max_open = max_open
        self._open_after = open_after
        self._limit = min(_FIRST_LIMIT, float(max_open))
        self._steady_from = float("inf")
        self._open = 0
        self._waiting: list = []
        self._paused_until = 0.0
        self._prolonged = 1.0
        self._refused_since: Optional[float] = None
        self._refused_at = float("-inf")
        self._last_cut = float("-inf")
        self._last_refusal: Optional[FaceEmbeddingError] = None

    @property
    def is_circuit_open(self) -> bool:
        since = self._refused_since
        return since is not None and self._refused_at - since >= self._open_after

    def enter(self, images: int, deadline: float, order: float) -> None:
        """Waits until a request may be sent: callers by their order, in which a repeated call keeps its place."""
        ticket = (order, threading.get_ident())
        with self._changed:
            self._waiting.append(ticket)
            try:
                while True:
                    now = time.monotonic()
                    pause = self._paused_until - now
                    is_next = images == 0 or ticket == min(self._waiting)
                    if pause <= 0 and is_next and self._has_room(images):
                        self._open += images
                        return
                    if now >= deadline or (pause > 0 and self._paused_until > deadline):
                        raise self._last_refusal or FaceEmbeddingError(
                            "TIMEOUT", "The call waited for this client's other calls until its deadline.", retryable=True
                        )
                    self._changed.wait(min(deadline - now, pause) if pause > 0 else deadline - now)
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()

    def _has_room(self, images: int) -> bool:
        # A batch larger than the limit must be possible.
        return self._open == 0 or images == 0 or self._open + images <= int(self._limit)

    def leave(self, images: int, sent: float, finding: Any) -> None:
        """finding: `served`, the refusal, or None when nothing was found out."""
        now = time.monotonic()
        with self._changed:
            if finding == "served":
                self._served(images)
                if images and self._waiting and self._steady_from < float("inf"):
                    # A place at a full service is left to others for a moment.
                    gap = random.random() * _MAX_GAP * (now - sent)
                    timer = threading.Timer(gap, self._free, (images,))
                    timer.daemon = True
                    timer.start()
                    return
            self._open -= images
            if isinstance(finding, FaceEmbeddingError):
                self._refused(images, sent, now, finding)
            self._changed.notify_all()

    def _free(self, images: int) -> None:
        with self._changed:
            self._open -= images
            self._changed.notify_all()

    def _served(self, images: int) -> None:
        self._prolonged = max(1.0, self._prolonged * _PAUSE_DECAY)
        self._refused_since = self._last_refusal = None
        if images and self._open >= int(self._limit):
            answers = 1.0 if self._limit < self._steady_from else max(_STEADY_ANSWERS, 2 * self._limit)
            self._limit = min(float(self._max_open), self._limit + images / answers)

    def _refused(self, images: int, sent: float, now: float, refusal: FaceEmbeddingError) -> None:
        if now - self._refused_at > _OVERLOAD:
            self._refused_since, self._prolonged = None, 1.0
        if self._refused_since is None:
            self._refused_since = now
        self._refused_at = now
        self._last_refusal = refusal
        if images:
            self._limit = max(1.0, min(self._limit, float(self._open)))
            if sent > self._last_cut:
                self._limit = max(1.0, self._limit * _DECREASE)
                if self._open:
                    self._steady_from = self._limit
                self._last_cut = now
        # A rate limit holds for all requests. Otherwise an answer to one that is open will tell when to go on.
        if self._open == 0 or refusal.status == 429:
            asked = refusal.retry_after or 0.0
            longest = _MAX_OPEN_PAUSE if self.is_circuit_open else _MAX_PAUSE
            pause = max(asked, min(longest, max(asked, _FIRST_PAUSE) * self._prolonged))
            if pause < longest:
                self._prolonged *= 2
            self._paused_until = max(self._paused_until, now + pause * (1 + _JITTER * random.random()))


_BYTES = {"Content-Type": "application/octet-stream"}


def _query(options: Mapping[str, Any]) -> dict:
    given = {name: value for name, value in options.items() if value is not None}
    texts = {name: str(value).lower() if isinstance(value, bool) else value for name, value in given.items()}
    return {**texts, "encoding_format": "base64"}


def _read(image: Image) -> bytes:
    if isinstance(image, (bytes, bytearray, memoryview)):
        return bytes(image)
    try:
        if hasattr(image, "read"):
            return image.read()
        with open(image, "rb") as file:
            return file.read()
    except OSError as error:
        raise FaceEmbeddingError("UNREADABLE_IMAGE", f"The file cannot be read: {error.strerror}.") from error


def _floats(values: Iterable[float]) -> array:
    return values if isinstance(values, array) and values.typecode == "f" else array("f", values)


def _swapped(values: array) -> array:
    """Little-endian, as the service reads and writes them."""
    if sys.byteorder == "big":
        values = array("f", values)
        values.byteswap()
    return values


def _encode(value: Any, name: str = "") -> Any:
    """The JSON value of a request: pictures and embeddings become base64."""
    if name in ("image", "query_image"):
        return base64.b64encode(_read(value)).decode()
    if isinstance(value, Mapping):
        return {member: _encode(of, member) for member, of in value.items() if of is not None}
    if isinstance(value, array) or hasattr(value, "__array__"):
        flat = value if isinstance(value, array) else value.astype("f4").ravel().tolist()
        return base64.b64encode(_swapped(_floats(flat)).tobytes()).decode()
    if isinstance(value, (list, tuple)):
        return [_encode(item) for item in value]
    return value


def _decode(value: Any) -> Any:
    """Replaces, in place and at any depth, the base64 of each `embedding` by its numbers."""
    if isinstance(value, dict):
        for name, of in value.items():
            if name == "embedding" and isinstance(of, str):
                try:
                    value[name] = _swapped(array("f", base64.b64decode(of)))
                except ValueError as error:
                    message = "An embedding of the answer is not base64 of float32."
                    raise FaceEmbeddingError("UNEXPECTED_ANSWER", message) from error
            else:
                _decode(of)
    elif isinstance(value, list):
        for item in value:
            _decode(item)
    return value


def _json(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _error_of(response: httpx.Response, body: dict) -> FaceEmbeddingError:
    code = body.get("error_code")
    detail = body.get("detail")
    message = body.get("error") or f"The answer has the status {response.status_code}."
    return FaceEmbeddingError(
        code or "UNEXPECTED_ANSWER",
        f"{message} {detail}" if detail else message,
        status=response.status_code,
        detail=detail,
        reasons=body.get("reasons") or (),
        request_id=body.get("request_id") or response.headers.get("x-request-id"),
        retryable=code in _RETRYABLE_CODES if code else response.status_code in _RETRYABLE_STATUSES,
        retry_after=_retry_after(response.headers),
    )


def _retry_after(headers: Mapping[str, str]) -> Optional[float]:
    """Reads seconds, or a date. Source: RFC 9110, section 10.2.3; some proxies send fractions of seconds.

    Returns None for anything else, and for a time that is over, which says nothing about when to come back.
    """
    text = headers.get("retry-after", "").strip()
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?", text):
        return float(text)
    try:
        # By the clock of who sent it, which need not be that of this machine.
        sent = parsedate_to_datetime(headers["date"]).timestamp() if "date" in headers else time.time()
        seconds = parsedate_to_datetime(text).timestamp() - sent
    except (TypeError, ValueError):
        return None
    return seconds if seconds > 0 else None
