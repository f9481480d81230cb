import io
import math
import re
import time
from array import array
from concurrent.futures import ThreadPoolExecutor
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
from conftest import API_KEY

from face_embedding import FaceEmbeddingClient, FaceEmbeddingError


@pytest.fixture
def client(url):
    with FaceEmbeddingClient(url, api_key=API_KEY) as client:
        yield client


def failure(call):
    with pytest.raises(FaceEmbeddingError) as caught:
        call()
    return caught.value


def scripted(*answers, **options):
    """A client whose requests these answers answer, the last one all that follow; and when each was sent."""
    sent = []

    def answer(request):
        request.read()
        sent.append(time.monotonic())
        given = answers[min(len(sent), len(answers)) - 1]
        if isinstance(given, Exception):
            raise given
        return httpx.Response(given[0], json=given[1], headers=given[2] if len(given) > 2 else {})

    return FaceEmbeddingClient("http://service.test", transport=httpx.MockTransport(answer), **options), sent


FOUND = (200, {"embedding": "AACAPwAAAAA=", "face_detected": True})
BUSY = {"error": "Full.", "error_code": "OVERLOADED", "request_id": "r-1"}


def test_embed_answers_with_numbers(client, picture):
    face = client.embed(picture, faces="largest", quality=True)
    assert isinstance(face["embedding"], array) and len(face["embedding"]) == 512
    assert math.isclose(sum(value * value for value in face["embedding"]), 1, rel_tol=1e-5)
    assert face["model"]["embedding_space"].startswith("synthetic:")
    assert "score" in face["quality"]


def test_embed_takes_bytes_files_and_paths(client, picture, tmp_path):
    path = tmp_path / "a.png"
    path.write_bytes(picture)
    expected = client.embed(picture)["embedding"]
    for image in (bytearray(picture), memoryview(picture), io.BytesIO(picture), path, str(path)):
        assert client.embed(image)["embedding"] == expected


def test_embed_takes_the_options_of_the_service(client, blank):
    assert client.embed(blank, faces="all", quality=False)["faces"] == []
    assert failure(lambda: client.embed(blank, min_quality=3)).code == "INVALID_REQUEST"


def test_embed_batch_has_a_result_for_each(client, picture, blank):
    results = client.embed_batch([picture, blank])["results"]
    assert isinstance(results[0]["embedding"], array)
    assert results[1]["error_code"] == "NO_FACE_DETECTED"
    (one,) = client.embed_batch([picture])["results"]
    assert one["embedding"] == results[0]["embedding"]


def test_embed_batch_makes_one_embedding_of_a_person(client, picture):
    template = client.embed_batch([picture, picture], fuse=True)["template"]
    assert isinstance(template["embedding"], array) and template["used"] == [0, 1]


@pytest.mark.parametrize("order", ["input", "ready"])
def test_embed_many_has_a_result_for_each(client, picture, other, blank, order):
    images = [picture, other, blank, "/no/such/file"] * 3
    results = list(client.embed_many(images, order=order, concurrency=4))
    assert sorted(result["index"] for result in results) == list(range(12))
    if order == "input":
        assert [result["index"] for result in results] == list(range(12))
    by_index = {result["index"]: result for result in results}
    assert by_index[4]["embedding"] == client.embed(picture)["embedding"]
    assert by_index[6]["error"].code == "NO_FACE_DETECTED"
    assert by_index[7]["error"].code == "UNREADABLE_IMAGE"


def test_embed_many_raises_what_fails_for_all(client, picture):
    assert failure(lambda: list(client.embed_many([picture] * 3, min_quality=3))).code == "INVALID_REQUEST"


def test_compare_takes_embeddings_in_every_form(client, picture, other):
    a, b = client.embed(picture)["embedding"], client.embed(other)["embedding"]
    references = [{"id": "other", "embedding": b}, {"id": "same", "embedding": list(a)}]
    answer = client.compare(query_embedding=a, reference_embeddings=references, threshold=0.3)
    assert [match["id"] for match in answer["matches"]] == ["same", "other"]
    assert answer["best_match"]["is_match"] is True
    block = {"ids": ["other", "same"], "embeddings": b + a}
    assert client.compare(query_embedding=a, reference_embeddings=block)["best_match"]["id"] == "same"


def test_compare_takes_pictures(client, picture, other):
    references = [{"id": "other", "image": other}, {"id": "same", "image": picture}]
    answer = client.compare(query_image=picture, reference_embeddings=references, return_embeddings=True)
    assert answer["best_match"]["id"] == "same"
    assert answer["query"]["embedding"] == client.embed(picture)["embedding"]


def test_health_and_model_info(client):
    assert client.health() == {"status": "healthy", "model_loaded": True, "model_name": "synthetic"}
    assert client.model_info()["embedding_size"] == 512


def test_an_error_has_what_the_service_says(client, url, blank):
    error = failure(lambda: client.embed(blank))
    assert (error.code, error.detail, error.status, error.retryable) == ("NO_FACE_DETECTED", "0 faces", 422, False)
    assert re.fullmatch("[0-9a-f-]{36}", error.request_id)
    assert failure(FaceEmbeddingClient(url, api_key="another").model_info).code == "UNAUTHORIZED"


def test_a_refused_call_is_sent_again_and_not_sooner_than_asked():
    client, sent = scripted((503, BUSY, {"Retry-After": "1"}), FOUND)
    assert client.embed(b"1")["embedding"] == array("f", [1, 0])
    assert len(sent) == 2 and sent[1] - sent[0] >= 1


@pytest.mark.parametrize("offset", [0, -3600])
def test_a_date_is_read_by_the_clock_of_who_sent_it(offset):
    now = time.time() + offset
    headers = {"Retry-After": formatdate(now + 60, usegmt=True), **({"Date": formatdate(now, usegmt=True)} if offset else {})}
    client, _ = scripted((503, BUSY, headers))
    assert failure(lambda: client.embed(b"1", timeout=9)).retry_after == pytest.approx(60, abs=2)


@pytest.mark.parametrize("given", ["soon", "-1", "", formatdate(0)])
def test_a_time_that_cannot_be_read_is_none(given):
    client, _ = scripted((503, BUSY, {"Retry-After": given}))
    assert failure(lambda: client.embed(b"1", timeout=0.01)).retry_after is None


def test_a_fraction_of_a_second_is_waited_for():
    client, sent = scripted((503, BUSY, {"Retry-After": "0.4"}), FOUND)
    client.embed(b"1")
    assert sent[1] - sent[0] >= 0.4


def test_a_call_may_have_no_end(url, picture):
    with FaceEmbeddingClient(url, api_key=API_KEY, timeout=math.inf) as client:
        assert client.embed(picture, timeout=math.inf)["face_detected"] is True
        assert client.health(timeout=math.inf)["status"] == "healthy"
        # More than may be open at a time: some wait for the others.
        with ThreadPoolExecutor(12) as pool:
            assert len(list(pool.map(lambda _: client.embed(picture), range(24)))) == 24


@pytest.mark.parametrize("first", [httpx.ConnectError("refused"), httpx.ReadError("cut off"), (502, {})])
def test_a_call_without_an_answer_is_sent_again(first):
    client, sent = scripted(first, FOUND)
    assert client.embed(b"1")["face_detected"] is True
    assert len(sent) == 2


def test_a_call_fails_when_it_has_no_time_for_another_attempt():
    client, sent = scripted((503, BUSY, {"Retry-After": "60"}))
    error = failure(lambda: client.embed(b"1", timeout=30))
    assert (error.code, error.retryable, error.retry_after, error.request_id) == ("OVERLOADED", True, 60, "r-1")
    assert len(sent) == 1


def test_a_fault_of_the_request_is_not_sent_again():
    client, sent = scripted((422, {"error": "No.", "error_code": "LOW_QUALITY", "detail": "too dark", "reasons": ["TOO_DARK"]}))
    error = failure(lambda: client.embed(b"1"))
    assert (error.code, error.detail, error.reasons) == ("LOW_QUALITY", "too dark", ("TOO_DARK",))
    assert len(sent) == 1


def test_nothing_is_sent_after_the_deadline():
    client, sent = scripted((503, BUSY))
    began = time.monotonic()
    assert failure(lambda: client.embed(b"1", timeout=3)).code == "OVERLOADED"
    assert len(sent) > 1 and max(sent) < began + 3


def test_the_circuit_opens_and_closes():
    client, sent = scripted(*[(503, BUSY)] * 5, FOUND, open_after=0.2)
    # With its refusal; on a machine that does something else until the deadline, with TIMEOUT.
    assert failure(lambda: client.embed(b"1", timeout=0.9)).retryable
    while len(sent) < 5:
        failure(lambda: client.embed(b"1", timeout=2))
    assert client.circuit == "open"
    client.embed(b"1")
    assert client.circuit == "closed"


def counts(url):
    text = httpx.get(f"{url}/metrics", headers={"X-API-Key": API_KEY}).text
    found = re.findall(r'^face_http_requests_total\{route="/v1/embed",status="(\d+)"[^}]*\} (\d+)$', text, re.M)
    refused = sum(int(count) for status, count in found if status == "503")
    return sum(int(count) for _, count in found) - refused, refused


def test_many_callers_of_a_full_service_are_all_answered(url, picture):
    served_before, refused_before = counts(url)
    with FaceEmbeddingClient(url, api_key=API_KEY, timeout=120) as client, ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: client.embed(picture), range(400)))
    served, refused = (after - before for after, before in zip(counts(url), (served_before, refused_before)))
    print(f"{served} served, {refused} refused")
    assert all(len(answer["embedding"]) == 512 for answer in answers)
    assert served == 400 and 0 < refused <= 200


def test_the_example_of_the_readme_runs(url, picture, other, blank, tmp_path, monkeypatch, capsys):
    readme = Path(__file__).with_name("README.md").read_text()
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, re.M | re.S)
    for name, content in {"face": picture, "anna": picture, "ben": other, "empty-room": blank}.items():
        (tmp_path / f"{name}.jpg").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    exec(example.replace('"http://localhost:8000"', f'"{url}", api_key="{API_KEY}"'), {})
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("512 synthetic:")
    assert sorted(lines[1:4]) == ["0 512", "1 512", "2 NO_FACE_DETECTED"]
    assert lines[4] == "anna True"
    assert lines[5].startswith("NO_FACE_DETECTED 0 faces False ")
