#!/usr/bin/env bash
# Builds the image and runs it, without Docker: size, contents, user, health, embed, compare, SIGTERM. Runs as root on Debian or
# Ubuntu with buildah, podman and runc. The exit code is 77 when something is missing, 1 when a check fails.
#
#   NODE_BINARY=<file>     Node for a substitute of the base image; default: from the npm package node-linux-<arch>
#   BASE_ROOT=<folder>     a debootstrapped root for that substitute; default: a new one
#   KEEP_IMAGE=<name>      keeps the image under this name
set -euo pipefail

readonly MAX_MEGABYTES=110
readonly EXIT_SKIPPED=77

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly root
work=$(mktemp -d)
readonly work
readonly image=localhost/face-embedding-verify-$$
readonly volume=face-embedding-verify-$$
containers=()

clean_up() {
  local container
  for container in "${containers[@]}"; do podman rm --force --time 0 "$container" >/dev/null 2>&1 || true; done
  podman volume rm --force "$volume" >/dev/null 2>&1 || true
  buildah rmi "$image" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap clean_up EXIT

say() { printf '%s\n' "$*"; }
skip() { say "Not verified: $*" >&2; exit "$EXIT_SKIPPED"; }
fail() {
  say "FAILED: $*" >&2
  if ((${#containers[@]} > 0)); then podman logs --tail 20 "${containers[-1]}" >&2 || true; fi
  exit 1
}
expect() { # <what> <expected> <found>
  [[ $3 == "$2" ]] || fail "$1 is \"$3\", expected \"$2\"."
  say "ok  $1: $3"
}
now_ms() { date +%s%3N; }

# ----------------------------------------------------------------------------------------------------- requirements

missing=()
for tool in buildah podman runc node npm; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
((${#missing[@]} == 0)) || skip "missing: ${missing[*]} (Debian: apt-get install buildah podman runc)."
[[ $(id -u) == 0 ]] || skip 'it must run as root.'
[[ -d $root/node_modules/sharp ]] || skip 'sharp is missing: run "npm ci" first.'

# ------------------------------------------------------------------------------------------------------- base image

node_version=$(sed -n 's/^ARG NODE_VERSION=//p' "$root/Dockerfile")
base=docker.io/library/$(sed -n 's/^FROM \(node:[^ ]*\)$/\1/p' "$root/Dockerfile")
base=${base/\$\{NODE_VERSION\}/$node_version}
readonly node_version base

# Has the parts of the official image that the service might depend on by mistake: a user "node", npm, and a shell script as
# entrypoint. The script itself is left out, so that an image that still starts it fails.
import_substitute() {
  local fs=$work/root npm_folder
  npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  say "The base image $base cannot be pulled; building a substitute."
  if [[ -n ${BASE_ROOT:-} ]]; then
    cp -a "$BASE_ROOT" "$fs"
  else
    command -v debootstrap >/dev/null || skip "debootstrap is missing, and $base cannot be pulled."
    debootstrap --variant=minbase --include=ca-certificates,libstdc++6 bookworm "$fs" >"$work/debootstrap.log" ||
      skip "debootstrap failed: $(tail -n 1 "$work/debootstrap.log")"
  fi
  install -m 755 "$(node_binary)" "$fs/usr/local/bin/node"
  mkdir -p "$fs/usr/local/lib/node_modules"
  cp -a "$npm_folder" "$fs/usr/local/lib/node_modules/npm"
  ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$fs/usr/local/bin/npm"
  grep -q '^node:' "$fs/etc/passwd" || {
    echo 'node:x:1000:1000::/home/node:/bin/bash' >>"$fs/etc/passwd"
    echo 'node:x:1000:' >>"$fs/etc/group"
    install -d -o 1000 -g 1000 "$fs/home/node"
  }
  tar -C "$fs" -c . | podman import --quiet \
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["node"]' --change 'LABEL substitute=true' \
    - "$base" >/dev/null
  rm -rf "$fs"
}

node_binary() {
  if [[ -n ${NODE_BINARY:-} ]]; then
    echo "$NODE_BINARY"
    return
  fi
  local package
  package=node-linux-$(node -p process.arch)@$node_version
  (cd "$work" && npm pack --silent "$package" >/dev/null && tar -xzf node-linux-*.tgz package/bin/node) >&2 ||
    skip "the npm package $package is not available; set NODE_BINARY to a file."
  echo "$work/package/bin/node"
}

podman image exists "$base" || timeout 300 podman pull --quiet "$base" >/dev/null 2>&1 || import_substitute
say "Base: $base$([[ $(podman image inspect --format '{{index .Labels "substitute"}}' "$base") == true ]] && echo ' (substitute)')"

# ------------------------------------------------------------------------------------------------------------ build

# The build uses the npm registry and certificate authority of this machine.
npm_access=()
{
  echo "registry=$(npm config get registry 2>/dev/null)"
  cafile=$(npm config get cafile 2>/dev/null)
  [[ $cafile == null ]] || echo "cafile=$cafile"
} >"$work/npmrc"
npm_access+=(--volume "$work/npmrc:/usr/local/etc/npmrc:ro")
[[ $cafile == null ]] || npm_access+=(--volume "$cafile:$cafile:ro")

started=$(now_ms)
buildah bud --quiet --isolation chroot --pull-never --format docker "${npm_access[@]}" --tag "$image" "$root" \
  >"$work/build.log" 2>&1 || { tail -n 60 "$work/build.log" >&2; fail 'the image cannot be built.'; }
say "Built in $((($(now_ms) - started) / 1000)) s."
[[ -z ${KEEP_IMAGE:-} ]] || buildah tag "$image" "$KEEP_IMAGE"

size_of() { podman image inspect --format '{{.Size}}' "$1"; }
bytes=$(($(size_of "$image") - $(size_of "$base")))
say "Size on top of the base: $((bytes / 1000000)) MB ($bytes bytes)"
((bytes <= MAX_MEGABYTES * 1000000)) || fail "the image is larger than $MAX_MEGABYTES MB on top of the base."

config() { podman image inspect --format "{{json .Config.$1}}" "$image"; }
expect 'user' '"1000:1000"' "$(config User)"
expect 'stop signal' '"SIGTERM"' "$(config StopSignal)"
expect 'entrypoint, which must not be a shell script' 'null' "$(config Entrypoint)"
expect 'command' '["node","dist/main.cjs"]' "$(config Cmd)"
expect 'health check' '["CMD","node","dist/cli/healthcheck.js"]' \
  "$(podman image inspect --format '{{json .HealthCheck.Test}}' "$image")"

unpacked=$(buildah from --pull-never "$image")
mounted=$(buildah mount "$unpacked")
expect 'ONNX files' 'app/models/synthetic/detector.onnx app/models/synthetic/recogniser.onnx' \
  "$(cd "$mounted" && find . -xdev -name '*.onnx' -printf '%P\n' | sort | xargs)"
expect 'content of /app' 'dist models node_modules package.json' "$(cd "$mounted/app" && find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs)"
expect 'owner and mode of /models' '1000:1000 755' "$(stat --format '%u:%g %a' "$mounted/models")"
expect 'files of /app that the service could change' '' "$(find "$mounted/app" \( -uid 1000 -o -perm /022 \) ! -type l)"
expect 'ONNX Runtime for' "linux/$(node -p process.arch)" \
  "$(cd "$mounted/app/node_modules/onnxruntime-node/bin" && find . -mindepth 3 -maxdepth 3 -printf '%P\n' | cut -d/ -f2- | xargs)"
buildah rm "$unpacked" >/dev/null

# ------------------------------------------------------------------------------------------------------------- run

# A client of the service. Every command prints its result, and fails when the result is wrong.
client() {
  (cd "$root" && node --input-type=module - "$@" <<'JS'
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import sharp from 'sharp';

const [command, url, ...args] = process.argv.slice(2);

/** A bright disc on a gradient, which the synthetic pack detects as a face. */
function picture(width, height, tint) {
  const radius = height / 4;
  const pixels = Buffer.alloc(width * height * 3);
  for (let y = 0, i = 0; y < height; y++) {
    for (let x = 0; x < width; x++, i += 3) {
      const inside = Math.hypot(x - width / 2, y - height / 2) < radius;
      pixels.set(inside ? tint : [(x * 90) / width, (y * 90) / height, 60], i);
    }
  }
  return sharp(pixels, { raw: { width, height, channels: 3 } }).jpeg().toBuffer();
}

async function ask(path, init) {
  const response = await fetch(url + path, init);
  return { status: response.status, body: await response.text() };
}

async function json(path, init) {
  const { status, body } = await ask(path, init);
  if (status !== 200) throw new Error(`${path} answered ${status}: ${body}`);
  return JSON.parse(body);
}

const embed = (bytes, faces = 'single') =>
  json(`/v1/embed?faces=${faces}&encoding_format=base64`, {
    method: 'POST',
    headers: { 'content-type': 'application/octet-stream' },
    body: bytes,
  });

const commands = {
  async freePort() {
    const server = createServer().listen(0, '127.0.0.1', () => {
      console.log(server.address().port);
      server.close();
    });
  },

  /** Milliseconds since the epoch at which /readyz first answered 200. */
  async ready() {
    for (const end = Date.now() + 60_000; Date.now() < end; await sleep(20)) {
      const answer = await ask('/readyz').catch(() => undefined);
      if (answer?.status === 200) return console.log(Date.now());
    }
    throw new Error('The service did not become ready within a minute.');
  },

  /** The first answer of a service that may not listen yet. */
  async healthStatus() {
    for (const end = Date.now() + 20_000; ; await sleep(50)) {
      const answer = await ask('/v1/health').catch(() => undefined);
      if (answer) return console.log(answer.status);
      if (Date.now() > end) throw new Error('The service does not listen.');
    }
  },

  /** Equal pictures have equal embeddings, different pictures do not. */
  async embedAndCompare() {
    const [first, again, other] = [
      await embed(await picture(640, 480, [240, 200, 180])),
      await embed(await picture(640, 480, [240, 200, 180])),
      await embed(await picture(640, 480, [30, 220, 40])),
    ];
    const { matches } = await json('/v1/compare', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        query_embedding: first.embedding,
        reference_embeddings: [
          { id: 'same', embedding: again.embedding },
          { id: 'other', embedding: other.embedding },
        ],
        threshold: 0.0001,
      }),
    });
    const [same, different] = matches;
    if (same.id !== 'same' || !same.is_match || different.is_match) throw new Error(JSON.stringify(matches));
    const { model, detection_score: score } = first;
    console.log(`ok  embed: ${JSON.stringify({ score, ...model })}`);
    console.log(`ok  compare: same picture ${same.distance}, other picture ${different.distance}`);
  },

  async photograph() {
    const { faces, model } = await embed(await readFile(args[0]), 'all');
    if (faces.length === 0) throw new Error('No face was detected.');
    console.log(`ok  embed: ${faces.length} faces with ${model.embedding_space}`);
  },

  /** The service needs none of the files that are removed from node_modules. */
  async everythingElse() {
    const files = ['swagger-ui.css', 'swagger-ui-bundle.js', 'start.css', 'start.js'];
    for (const path of ['/docs', ...files.map((name) => `/docs/${name}`)]) {
      const { status } = await ask(path);
      if (status !== 200) throw new Error(`${path} answered ${status}.`);
    }
    await json('/openapi.json');
    await json('/v1/model-info');
    const plain = sharp(await picture(640, 480, [240, 200, 180]));
    for (const format of ['jpeg', 'png', 'webp', 'gif', 'tiff', 'avif']) {
      await embed(await plain.clone().toFormat(format).toBuffer());
    }
    await embed(await picture(6000, 4000, [240, 200, 180]));
    console.log('ok  docs, openapi.json, model-info; six image formats, 24 megapixels');
  },

  /** Sends SIGTERM while requests are in progress. */
  async terminateAtWork() {
    const bytes = await picture(4000, 3000, [240, 200, 180]);
    let open = 0;
    const requests = Array.from({ length: 12 }, () => {
      open++;
      return embed(bytes).finally(() => open--);
    });
    const answers = Promise.allSettled(requests);
    await sleep(150);
    await promisify(execFile)('podman', ['kill', '--signal', 'TERM', args[0]]);
    const openAtSignal = open;
    const failed = (await answers).filter(({ status }) => status === 'rejected');
    if (openAtSignal === 0) throw new Error('All requests were answered before the signal.');
    if (failed.length > 0) throw new Error(`${failed.length} of 12 failed: ${failed[0].reason}`);
    console.log(`ok  SIGTERM at work: 12 of 12 answered, ${openAtSignal} of them after the signal`);
  },

  /** The kernel ignores a SIGKILL that PID 1 sends to itself, so the service must exit in another way. */
  async terminateTwice() {
    const kill = () => promisify(execFile)('podman', ['kill', '--signal', 'TERM', args[0]]);
    const upload = request(`${url}/v1/embed`, {
      method: 'POST',
      headers: { 'content-type': 'image/jpeg', 'content-length': 100_000 },
    });
    const ended = new Promise((resolve) => upload.once('error', resolve));
    upload.write(Buffer.alloc(1_000));
    await sleep(200);
    await kill();
    await sleep(300);
    const second = Date.now();
    await kill();
    const inTime = await Promise.race([ended.then(() => true), sleep(3_000, false)]);
    upload.destroy();
    if (!inTime) throw new Error('The service still ran after 3 s.');
    console.log(`ok  ended ${Date.now() - second} ms after the second signal`);
  },
};

try {
  await commands[command]();
} catch (error) {
  console.error(error.cause ? `${error.message}: ${error.cause}` : error.message);
  process.exitCode = 1;
}
JS
  )
}

# Starts a container with the restrictions of a strict platform: <name>, then more options of podman. Sets $container and $url.
start() {
  local name=$1 port
  shift
  port=$(client freePort)
  url=http://127.0.0.1:$port
  container=$volume-$name
  containers+=("$container")
  started=$(now_ms)
  # Without systemd, podman warns that it cannot schedule the health check, and continues.
  podman --runtime runc --cgroup-manager=cgroupfs run --detach --name "$container" --network=host \
    --ulimit nofile=1024:1024 --ulimit nproc=1024:1024 --read-only --read-only-tmpfs=false --cap-drop=all \
    --security-opt=no-new-privileges --env PORT="$port" --env SHUTDOWN_DELAY_MS=0 "$@" "$image" >"$work/run.log" 2>&1 ||
    fail "the container does not start: $(cat "$work/run.log")"
}

wait_ready() {
  local ready
  ready=$(client ready "$url") || fail 'the container does not become ready.'
  say "ok  ready $((ready - started)) ms after podman run"
}

memory() {
  local pid
  pid=$(podman inspect --format '{{.State.Pid}}' "$container")
  say "    memory: $(awk '/^VmRSS|^VmHWM/ { printf "%s %d MB  ", $1, $2 / 1024 }' "/proc/$pid/status")"
}

wait_exit() { # <start of the wait> <maximum milliseconds>
  local since=$1 limit=$2 code took
  code=$(timeout 60 podman wait "$container") || fail 'the container does not end.'
  took=$(($(now_ms) - since))
  expect 'exit code after SIGTERM' 0 "$code"
  ((took <= limit)) || fail "the container took $took ms to end; the limit is $limit ms."
  say "ok  ended within $took ms"
}

terminate() {
  local since
  since=$(now_ms)
  podman kill --signal TERM "$container" >/dev/null
  wait_exit "$since" 3000
}

say '--- synthetic pack: read-only, no capabilities, no writable folder'
start synthetic --env MODEL_NAME=synthetic
wait_ready
health=$(podman healthcheck run "$container" 2>&1) || fail "podman healthcheck run: $health"
say 'ok  podman healthcheck run'
say "ok  $(podman exec "$container" node dist/cli/healthcheck.js)"
podman exec "$container" node dist/cli/calibrate.js --help >/dev/null || fail 'calibrate does not start.'
podman exec "$container" node -e 'import("/app/dist/cli/calibrate/report/charts/charts.js")' ||
  fail 'calibrate lacks a file to draw its charts.'
say 'ok  calibrate starts, and can draw'
podman exec "$container" node dist/cli/rekey.js --help >/dev/null || fail 'rekey does not start.'
expect 'user of PID 1, and its capabilities' '1000 0000000000000000' \
  "$(podman exec "$container" node -p "$(cat <<'JS'
const status = require('node:fs').readFileSync('/proc/1/status', 'utf8');
`${/^Uid:\s+(\d+)/m.exec(status)[1]} ${/^CapEff:\s+(\w+)/m.exec(status)[1]}`
JS
)")"
expect 'PID 1' 'node dist/main.cjs' \
  "$(podman exec "$container" node -p 'require("node:fs").readFileSync("/proc/1/cmdline", "utf8").split("\0").join(" ").trim()')"
client embedAndCompare "$url" || fail 'embed or compare failed.'
client everythingElse "$url" || fail 'something is missing from the image.'
memory
expect 'log lines about libjpeg-turbo' '' "$(podman logs "$container" 2>&1 | grep libjpeg-turbo || true)"
# If ONNX Runtime's telemetry is on, it logs that it cannot write its files.
expect 'log lines of other programs' '' "$(podman logs "$container" 2>&1 | grep -v '^{' || true)"
terminate

say '--- SIGTERM while requests are in progress'
start at-work --env MODEL_NAME=synthetic
wait_ready
since=$(now_ms)
client terminateAtWork "$url" "$container" || fail 'a request in progress was lost.'
wait_exit "$since" 30000

say '--- a second SIGTERM during an upload'
start second-signal --env MODEL_NAME=synthetic
wait_ready
client terminateTwice "$url" "$container" || fail 'the second signal did not end the service.'

say '--- no weights: a named volume, downloads turned off'
start no-weights --env MODEL_AUTO_DOWNLOAD=false --volume "$volume:/models"
status=$(client healthStatus "$url") || fail 'the service does not listen.'
expect 'health' 503 "$status"
! podman healthcheck run "$container" >/dev/null 2>&1 || fail 'podman healthcheck run reports healthy.'
podman exec "$container" node -e 'require("node:fs").writeFileSync("/models/probe", "")' ||
  fail 'the service cannot write to a new named volume.'
say 'ok  unhealthy, alive, and able to write to a new named volume'
terminate

for folder in "$root"/../shared/models/*/; do
  [[ -d $folder ]] || continue
  pack=$(basename "$folder")
  say "--- real weights, mounted read-only: $pack"
  start "$pack" --env MODEL_NAME="$pack" --volume "$(cd "$folder/.." && pwd):/models:ro"
  wait_ready
  photograph=$root/../shared/faces/insightface/t1.jpg
  [[ ! -f $photograph ]] || client photograph "$url" "$photograph" || fail 'embed with real weights failed.'
  memory
  terminate
done

say 'All checks passed.'
