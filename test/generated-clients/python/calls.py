"""Calls the service with the generated client, and prints a line of JSON for each call."""

import base64
import json
import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

from face_embedding_service_client import AuthenticatedClient
from face_embedding_service_client.api.faces import compare, embed, embed_form, embed_image
from face_embedding_service_client.models import (
    CompareRequest,
    CompareResponse,
    EmbedBatchRequest,
    EmbeddedBatch,
    EmbeddedFace,
    EmbedErrorResponse,
    EmbedForm,
    EmbedRequest,
    EncodingFormat,
    ErrorCode,
    FaceResult,
    FaceSelection,
    FailedResult,
    QualityReason,
    ReferenceEmbedding,
)
from face_embedding_service_client.types import File

client = AuthenticatedClient(base_url=os.environ["BASE_URL"], token="any")
data = Path("face.webp").read_bytes()
image = base64.b64encode(data).decode()


def expect_embedding(embedding: list[float] | str) -> None:
    length = len(base64.b64decode(embedding)) // 4 if isinstance(embedding, str) else len(embedding)
    assert length == 512, f"The embedding has {length} numbers."


def as_json() -> None:
    answer = embed.sync(client=client, body=EmbedRequest(image=image, faces=FaceSelection.LARGEST))
    assert isinstance(answer, EmbeddedFace), answer
    expect_embedding(answer.embedding)
    assert answer.bbox.width > 0


def as_form() -> None:
    form = EmbedForm(image=[File(payload=BytesIO(data), file_name="face.webp")], quality=False)
    answer = embed_form.sync(client=client, body=form)
    assert isinstance(answer, EmbeddedFace), answer
    expect_embedding(answer.embedding)
    assert not answer.quality


def as_bytes() -> None:
    answer = embed_image.sync(
        client=client,
        body=File(payload=BytesIO(data)),
        encoding_format=EncodingFormat.BASE64,
        return_face=True,
    )
    assert isinstance(answer, EmbeddedFace), answer
    expect_embedding(answer.embedding)
    assert isinstance(answer.face_image, str) and answer.face_image.startswith("data:image/jpeg")


def batch() -> None:
    answer = embed.sync(client=client, body=EmbedBatchRequest(images=[image, "AAAA"]))
    assert isinstance(answer, EmbeddedBatch), answer
    first, second = answer.results
    assert isinstance(first, FaceResult), first
    expect_embedding(first.embedding)
    assert isinstance(second, FailedResult), second
    assert second.error_code == ErrorCode.UNSUPPORTED_FORMAT


def comparison() -> None:
    references = [ReferenceEmbedding(id="user_001", embedding=[0.5, 0.9])]
    request = CompareRequest(query_embedding=[0.6, 0.8], reference_embeddings=references, threshold=0.7)
    answer = compare.sync(client=client, body=request)
    assert isinstance(answer, CompareResponse), answer
    assert answer.best_match and answer.best_match.id == "user_001"
    assert answer.matches[0].is_match is True


def error() -> None:
    answer = embed.sync(client=client, body=EmbedRequest(image=image, min_face_size=1000))
    assert isinstance(answer, EmbedErrorResponse), answer
    assert answer.error_code == ErrorCode.LOW_QUALITY
    assert answer.reasons == [QualityReason.TOO_SMALL]


CALLS: dict[str, Callable[[], None]] = {
    "json": as_json,
    "form": as_form,
    "bytes": as_bytes,
    "batch": batch,
    "compare": comparison,
    "error": error,
}

for name, call in CALLS.items():
    failure = None
    try:
        call()
    except Exception as exception:
        failure = f"{type(exception).__name__}: {exception}"
    print(json.dumps({"name": name, "failure": failure}))
