"""What a user would write instead of this service: FastAPI around InsightFace's own Python package.

PEER_PACK     the folder with the two networks; nothing is downloaded.
PEER_THREADS  threads of ONNX Runtime and OpenCV; without it, their defaults.
"""

import base64
import os

import cv2
import numpy as np
import onnxruntime
from fastapi import FastAPI, HTTPException
from insightface.app import FaceAnalysis
from pydantic import BaseModel


def open_analysis() -> FaceAnalysis:
    more = {}
    if threads := int(os.environ.get("PEER_THREADS", "0")):
        cv2.setNumThreads(threads)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        more["sess_options"] = options
    analysis = FaceAnalysis(
        os.environ["PEER_PACK"],
        allowed_modules=["detection", "recognition"],
        providers=["CPUExecutionProvider"],
        **more,
    )
    # Its default detector sizes: 128 and 640.
    analysis.prepare(ctx_id=-1, det_thresh=0.5)
    # The first run of a session is slow.
    analysis.get(np.zeros((64, 64, 3), np.uint8))
    return analysis


analysis = open_analysis()
app = FastAPI()


class EmbedRequest(BaseModel):
    image: str


@app.get("/healthz")
def healthz():
    return {"status": "ok"}


# Not "async": FastAPI then runs it in a thread, so that requests of one process overlap.
@app.post("/v1/embed")
def embed(request: EmbedRequest):
    data = np.frombuffer(base64.b64decode(request.image), np.uint8)
    image = cv2.imdecode(data, cv2.IMREAD_COLOR)
    if image is None:
        raise HTTPException(422, "not an image")
    # One face, the largest and most central: what the service does for "faces": "largest".
    faces = analysis.get(image, max_num=1)
    if not faces:
        raise HTTPException(422, "no face")
    face = faces[0]
    return {
        "embedding": face.normed_embedding.tolist(),
        "detection_score": float(face.det_score),
        "bbox": face.bbox.tolist(),
        "landmarks": face.kps.tolist(),
    }
