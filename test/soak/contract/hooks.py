"""Puts a photograph where the schema says only "binary" or "string", so that answers to pictures are checked, too."""

import base64
import json
import os

import schemathesis
from hypothesis import strategies as st

with open(os.environ["SOAK_PICTURE"], "rb") as file:
    PICTURE = file.read()

TEXT = base64.b64encode(PICTURE).decode()

for media_type in ("image/*", "image/jpeg", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, st.sampled_from([PICTURE, PICTURE[:500], b""]))
schemathesis.openapi.format("binary", st.sampled_from([PICTURE, PICTURE[:500]]))


def with_pictures(value):
    """Replaces texts of pictures, in every other object."""
    if isinstance(value, list):
        return [with_pictures(item) for item in value]
    if not isinstance(value, dict):
        return value
    replaced = {name: with_pictures(member) for name, member in value.items()}
    for name in ("image", "query_image"):
        if isinstance(replaced.get(name), str) and len(replaced[name]) % 2 == 0:
            replaced[name] = TEXT
    if isinstance(replaced.get("images"), list):
        replaced["images"] = [TEXT if isinstance(item, str) else item for item in replaced["images"]]
    return replaced


@schemathesis.hook
def map_body(context, body):
    return with_pictures(body)


BOOLEANS = ("quality", "return_face", "return_embeddings", "aligned", "fuse", "allow_provisional")
REFERENCES = ("embedding", "embeddings", "image")
QUERIES = ("query_embedding", "query_embeddings", "query_image")


@schemathesis.hook
def before_load_schema(context, raw_schema):
    """What one answer says of the model goes into the next request, so that sequences are tested, too."""
    raw_schema["paths"]["/v1/model-info"]["get"]["responses"]["200"]["links"] = {
        "compare": {
            "operationRef": "#/paths/~1v1~1compare/post",
            "requestBody": {
                "query_embedding": [0.6, 0.8],
                "reference_embeddings": [{"id": "a", "embedding": [0.8, 0.6]}],
                "embedding_space": "$response.body#/embedding_space",
            },
        }
    }


@schemathesis.hook
def before_call(context, case, kwargs):
    body = case.body if isinstance(case.body, dict) else {}
    query = case.query or {}
    if case.meta is not None and case.meta.generation.mode == schemathesis.GenerationMode.POSITIVE:
        follow_words(case, body, query)
        return
    for options in (body, query):
        # Text has more ways to write a boolean than the schema says, which is no fault.
        for name in BOOLEANS:
            if not isinstance(options.get(name, True), bool) and str(options[name]).lower() in ("0", "1", "true", "false"):
                options[name] = "neither"


def follow_words(case, body, query):
    """Follows the rules that the document has in words only: between several members, or between the body and the query."""
    case.query = {name: value for name, value in query.items() if name not in body}
    for options in (body, case.query):
        if options.get("detection") == "fast":
            del options["detection"]
        # It goes with few of the other options, and with none of the pictures here.
        options.pop("aligned", None)
        # These go with a batch only, with measured thresholds and without a threshold, and with a model that the service has not.
        for name in ("fuse", "max_far", "max_fpir", "liveness"):
            options.pop(name, None)
    for name in [name for name in QUERIES if name in body][1:]:
        del body[name]
    if "reference_embeddings" in body and not any(name in body for name in QUERIES):
        body["query_embedding"] = [0.6, 0.8]
    references = body.get("reference_embeddings")
    for reference in references if isinstance(references, list) else []:
        forms = [name for name in REFERENCES if name in reference]
        for name in forms[1:]:
            del reference[name]
        if not forms:
            reference["embedding"] = [0.6, 0.8]


@schemathesis.deserializer("application/x-ndjson")
def first_line(context, response):
    """The document describes one line."""
    return json.loads(response.content.split(b"\n", 1)[0])
