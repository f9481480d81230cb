# Weights are not part of the image: the service downloads them to /models, or takes what is mounted there. To bake a pack
# of the catalogue in (its licence comes with it): docker build --build-arg BAKE_MODEL=buffalo_l .
# tools/verify-image.sh builds and runs this file without Docker.
ARG NODE_VERSION=24.21.0


FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
# .npmrc keeps npm from running the scripts of dependencies; ONNX Runtime's would fetch CUDA.
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY models ./models
COPY scripts ./scripts
RUN npm run build
# A strict umask on the machine that builds must not hide the files from the user in the last stage.
RUN find dist -name '*.map' -delete \
 && rm -f dist/.tsbuildinfo \
 && chmod -R a+rX,go-w package.json dist models scripts


FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
# Dead weight, in this order: ONNX Runtime for other platforms (of 288 MB, 46 stay); what src/routes/docs.ts does not serve of
# Swagger UI; types, TypeScript and C++ sources, source maps; documents other than licences. Node loads none of them.
WORKDIR /app/node_modules
RUN platform="linux/$(node -p process.arch)" \
 && find onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/$platform" -exec rm -r {} + \
 && find swagger-ui-dist -type f ! -name swagger-ui.css ! -name swagger-ui-bundle.js ! -name package.json \
      ! -name LICENSE ! -name NOTICE -delete \
 && find . -type f -regextype posix-extended -regex '.*\.([cm]?ts|cc|h|map)' -delete \
 && find . -type f -iname '*.md' ! -iname '*licen[cs]e*' ! -iname '*notice*' ! -path './@img/*' -delete \
 && find . -type d -empty -delete \
 && chmod -R a+rX,go-w .


FROM build AS weights
ARG BAKE_MODEL=
# A mirror instead of the public sources.
ARG MODEL_BASE_URL=
RUN mkdir /models \
 && if [ -n "$BAKE_MODEL" ]; then MODELS_DIR=/models node dist/cli/models.js install "$BAKE_MODEL"; fi


FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="face-embedding-service" \
      org.opencontainers.image.description="Turns a photograph into a face embedding and compares embeddings, over HTTP"
ARG BAKE_MODEL=
# ORT_DISABLE_TELEMETRY: since 1.29, ONNX Runtime reports sessions, models and the machine to its maker unless told not to.
# MALLOC_ARENA_MAX: resident memory after 600 photographs over 4 connections, two workers, medians of six interleaved runs:
# glibc's defaults 432 MB, two arenas 391 MB, jemalloc 5.3 402 MB; no difference in speed (29, 30, 28 a second, noisy).
ENV NODE_ENV=production \
    MALLOC_ARENA_MAX=2 \
    ORT_DISABLE_TELEMETRY=1 \
    MODELS_DIR=/models \
    MODEL_NAME=${BAKE_MODEL}
WORKDIR /app
COPY --from=dependencies /app/node_modules ./node_modules
COPY --from=build /app/package.json ./
COPY --from=build /app/models ./models
COPY --from=build /app/scripts ./scripts
COPY --from=build /app/dist ./dist
# A new named volume takes the owner and the content of this folder. No VOLUME: each container started without one would
# leave its own copy of the weights behind.
COPY --from=weights --chown=1000:1000 /models /models
# The user "node" of the base. As a number, so that Kubernetes can tell that it is not root.
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
# The start may download 290 MB; a probe that succeeds ends the start period early.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m --retries=3 CMD ["node", "src/cli/healthcheck.ts"]
# The base's entrypoint is a shell script. The service is PID 1 itself and handles the signals.
ENTRYPOINT []
CMD ["node", "dist/main.cjs"]
