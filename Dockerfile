# The image has no weights: the service downloads them to /models, unless a volume with weights is mounted there. To include
# a pack of the catalogue, with its licence: docker build --build-arg BAKE_MODEL=buffalo_l .
# tools/verify-image.sh builds the image without Docker, and runs it.
ARG NODE_VERSION=24.21.0


FROM node:${NODE_VERSION}-bookworm-slim AS build
WORKDIR /app
# .npmrc disables the install scripts of dependencies; that of ONNX Runtime would download CUDA.
COPY package.json package-lock.json .npmrc ./
RUN npm ci
COPY tsconfig.json tsconfig.build.json ./
COPY tools/build.mjs ./tools/build.mjs
COPY src ./src
COPY models ./models
RUN npm run build
# With a strict umask on the host, the user of the last stage could not read the files otherwise.
RUN find dist -name '*.map' -delete \
 && rm -f dist/.tsbuildinfo \
 && chmod -R a+rX,go-w package.json dist models


FROM node:${NODE_VERSION}-bookworm-slim AS dependencies
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev
# Of @julusian/jpeg-turbo, libjpeg-turbo stays; its binding and the 40 packages that would compile it go.
RUN cd node_modules/@julusian/jpeg-turbo \
 && mkdir /tmp/library \
 && cp --parents package.json LICENSE "prebuilds/jpeg-turbo-linux-$(node -p process.arch)/libturbojpeg.so.0" /tmp/library \
 && cd /app \
 && npm uninstall --offline --omit=dev @julusian/jpeg-turbo \
 && mkdir -p node_modules/@julusian \
 && mv /tmp/library node_modules/@julusian/jpeg-turbo
# Deletes files that Node does not load, in this order: ONNX Runtime for other platforms (46 of 288 MB stay); the files of
# Swagger UI that src/routes/docs-page.ts does not serve (1.9 of 12 MB stay) and what it would report installations with;
# sources of koffi; OpenJPEG's encoder; the bundles, locales and themes of ECharts, and bundles of what it and calibrate import
# (5.5 of 67 MB stay); types, TypeScript and C++ sources, source maps; documents other than licences.
WORKDIR /app/node_modules
RUN platform="linux/$(node -p process.arch)" \
 && find onnxruntime-node/bin -mindepth 3 -maxdepth 3 -type d ! -path "*/$platform" -exec rm -r {} + \
 && find swagger-ui-dist -type f ! -name swagger-ui.css ! -name swagger-ui-bundle.js ! -name package.json \
      ! -name LICENSE ! -name NOTICE ! -name swagger-ui-bundle.js.LICENSE.txt -delete \
 && rm -r @scarf \
 && rm -r koffi/vendor koffi/doc \
 && find @cornerstonejs/codec-openjpeg/dist -type f ! -name 'openjpegwasm_decode.*' -delete \
 && rm -r echarts/dist echarts/i18n echarts/theme echarts/extension echarts/ssr zrender/dist zrender/build csv-parse/dist \
 && find . -type f -regextype posix-extended -regex '.*\.([cm]?ts|cc|h|map)' -delete \
 && find . -type f -iname '*.md' ! -iname '*licen[cs]e*' ! -iname '*notice*' ! -path './@img/*' -delete \
 && find . -type d -empty -delete \
 && chmod -R a+rX,go-w .


FROM build AS weights
ARG BAKE_MODEL=
# A mirror to download from instead of the public sources.
ARG MODEL_BASE_URL=
RUN mkdir /models \
 && if [ -n "$BAKE_MODEL" ]; then MODELS_DIR=/models PREPARED_DIR=none node dist/cli/models.js install "$BAKE_MODEL"; fi


FROM node:${NODE_VERSION}-bookworm-slim
LABEL org.opencontainers.image.title="face-embedding-service" \
      org.opencontainers.image.description="Turns a photograph into a face embedding and compares embeddings, over HTTP"
ARG BAKE_MODEL=
# ORT_DISABLE_TELEMETRY: since 1.29, ONNX Runtime sends telemetry about sessions, models and the machine by default.
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
COPY --from=build /app/dist ./dist
# A new named volume takes the owner and the content of this folder. With VOLUME, every container that is started without a
# volume would leave its own copy of the weights behind.
COPY --from=weights --chown=1000:1000 /models /models
# The user "node" of the base image. Kubernetes can check only a number against runAsNonRoot.
USER 1000:1000
EXPOSE 8000
STOPSIGNAL SIGTERM
# The first start may download 290 MB. A successful probe ends the start period early.
HEALTHCHECK --interval=10s --timeout=5s --start-period=10m --retries=3 CMD ["node", "dist/cli/healthcheck.js"]
# The entrypoint of the base image is a shell script. The service itself is PID 1 and handles the signals.
ENTRYPOINT []
CMD ["node", "dist/main.cjs"]
