#!/usr/bin/env bash
# Builds the image and runs it for real, without Docker: size, contents, user, health, embed, compare, SIGTERM. As root, on
# Debian or Ubuntu with buildah, podman and runc; the exit code is 77 where something is missing, 1 where the image is wrong.
#
#   NODE_BINARY=<file>     Node for a stand-in of the base image; default: from the npm package node-linux-<arch>
#   BASE_ROOT=<folder>     a debootstrapped root for that stand-in; default: a new one
#   KEEP_IMAGE=<name>      keeps the image under this name
set -euo pipefail

readonly MAX_MEGABYTES=110
readonly TOLD_TO_SKIP=77

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
skip() { say "Not verified: $*" >&2; exit "$TOLD_TO_SKIP"; }
fail() {
  say "FAILED: $*" >&2
  if ((${#containers[@]} > 0)); then podman logs --tail 20 "${containers[-1]}" >&2 || true; fi
  exit 1
}
expect() { # <what> <expected> <found>
  [[ $3 == "$2" ]] || fail "$1 is \"$3\", expected is \"$2\"."
  say "ok  $1: $3"
}
now_ms() { date +%s%3N; }

# ---------------------------------------------------------------------------------------------------- what it needs

missing=()
for tool in buildah podman runc node npm; do
  command -v "$tool" >/dev/null || missing+=("$tool")
done
((${#missing[@]} == 0)) || skip "missing here: ${missing[*]} (Debian: apt-get install buildah podman runc)."
[[ $(id -u) == 0 ]] || skip 'this needs root.'
[[ -d $root/node_modules/sharp ]] || skip 'the test pictures need sharp: run "npm ci" first.'

# ------------------------------------------------------------------------------------------------------- base image

node_version=$(sed -n 's/^ARG NODE_VERSION=//p' "$root/Dockerfile")
base=docker.io/library/$(sed -n 's/^FROM \(node:[^ ]*\)$/\1/p' "$root/Dockerfile")
base=${base/\$\{NODE_VERSION\}/$node_version}
readonly node_version base

# What the official image has and the service could lean on by mistake, or trip over: a user "node", npm, and an entrypoint
# that is a shell script. The script itself is left out, so that an image which still starts it fails.
import_stand_in() {
  local fs=$work/root npm_folder
  npm_folder=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  say "The base image $base cannot be pulled here; making a stand-in."
  if [[ -n ${BASE_ROOT:-} ]]; then
    cp -a "$BASE_ROOT" "$fs"
  else
    command -v debootstrap >/dev/null || skip "missing here: debootstrap, and $base cannot be pulled."
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
    --change 'ENTRYPOINT ["docker-entrypoint.sh"]' --change 'CMD ["node"]' --change 'LABEL stand-in=true' \
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
    skip "the npm package $package cannot be had; name a file with NODE_BINARY."
  echo "$work/package/bin/node"
}

podman image exists "$base" || timeout 300 podman pull --quiet "$base" >/dev/null 2>&1 || import_stand_in
say "Base: $base$([[ $(podman image inspect --format '{{index .Labels "stand-in"}}' "$base") == true ]] && echo ' (stand-in)')"

# ------------------------------------------------------------------------------------------------------------ build

# npm inside the build goes the way that npm goes on this machine: a mirror or a certificate of its own, if there is one.
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
expect 'command' '["node","dist/main.js"]' "$(config Cmd)"
expect 'health check' '["CMD","node","src/cli/healthcheck.ts"]' \
  "$(podman image inspect --format '{{json .HealthCheck.Test}}' "$image")"

unpacked=$(buildah from --pull-never "$image")
mounted=$(buildah mount "$unpacked")
expect 'ONNX files' 'app/models/synthetic/detector.onnx app/models/synthetic/recogniser.onnx' \
  "$(cd "$mounted" && find . -xdev -name '*.onnx' -printf '%P\n' | sort | xargs)"
expect 'content of /app' 'dist models node_modules package.json scripts' "$(cd "$mounted/app" && find . -mindepth 1 -maxdepth 1 -printf '%P\n' | sort | xargs)"
expect 'owner and mode of /models' '1000:1000 755' "$(stat --format '%u:%g %a' "$mounted/models")"
expect 'files of /app that the service could change' '' "$(find "$mounted/app" \( -uid 1000 -o -perm /022 \) ! -type l)"
expect 'ONNX Runtime for' "linux/$(node -p process.arch)" \
  "$(cd "$mounted/app/node_modules/onnxruntime-node/bin" && find . -mindepth 3 -maxdepth 3 -printf '%P\n' | cut -d/ -f2- | xargs)"
buildah rm "$unpacked" >/dev/null

# ------------------------------------------------------------------------------------------------------ run and ask

# Talks to the service; every command prints what it saw, and fails when that is wrong.
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

/** A bright disc on a gradient: something that the synthetic pack takes for a face. */
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

  /** The first answer of a service that may just be starting to listen. */
  async healthStatus() {
    for (const end = Date.now() + 20_000; ; await sleep(50)) {
      const answer = await ask('/v1/health').catch(() => undefined);
      if (answer) return console.log(answer.status);
      if (Date.now() > end) throw new Error('Nothing listens.');
    }
  },

  /** The same picture gives the same embedding, another picture another one. */
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
    console.log(`ok  compare: same picture ${same.distance}, another ${different.distance}`);
  },

  async photograph() {
    const { faces, model } = await embed(await readFile(args[0]), 'all');
    if (faces.length === 0) throw new Error('no face was found.');
    console.log(`ok  embed: ${faces.length} faces with ${model.embedding_space}`);
  },

  /** What was pruned from node_modules must not be missed. */
  async everythingElse() {
    for (const path of ['/docs', '/docs/swagger-ui.css', '/docs/swagger-ui-bundle.js', '/docs/start.js']) {
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

  /** Tells the container to end while it is at work. */
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
    if (openAtSignal === 0) throw new Error('everything was answered before the signal; nothing is proven.');
    if (failed.length > 0) throw new Error(`${failed.length} of 12 failed: ${failed[0].reason}`);
    console.log(`ok  SIGTERM at work: 12 of 12 answered, ${openAtSignal} of them after the signal`);
  },

  /** PID 1 cannot kill itself by SIGKILL: the kernel ignores that. */
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
    if (!inTime) throw new Error('it lived on for 3 s.');
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

# Starts a container like the strictest platform would: <name>, then more options of podman. Sets $container and $url.
start() {
  local name=$1 port
  shift
  port=$(client freePort)
  url=http://127.0.0.1:$port
  container=$volume-$name
  containers+=("$container")
  started=$(now_ms)
  # The timer of the health check needs systemd; where there is none, podman says so and goes on.
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

wait_exit() { # <start of the wait> <milliseconds it may take>
  local since=$1 limit=$2 code took
  code=$(timeout 60 podman wait "$container") || fail 'the container does not end.'
  took=$(($(now_ms) - since))
  expect 'exit code after SIGTERM' 0 "$code"
  ((took <= limit)) || fail "it took $took ms to end; at most $limit were expected."
  say "ok  ended within $took ms"
}

terminate() {
  local since
  since=$(now_ms)
  podman kill --signal TERM "$container" >/dev/null
  wait_exit "$since" 3000
}

say '--- synthetic pack: read-only, no capabilities, no writable folder at all'
start synthetic --env MODEL_NAME=synthetic
wait_ready
health=$(podman healthcheck run "$container" 2>&1) || fail "podman healthcheck run: $health"
say 'ok  podman healthcheck run'
say "ok  $(podman exec "$container" node src/cli/healthcheck.ts)"
expect 'user of PID 1, and its capabilities' '1000 0000000000000000' \
  "$(podman exec "$container" node -p "$(cat <<'JS'
const status = require('node:fs').readFileSync('/proc/1/status', 'utf8');
`${/^Uid:\s+(\d+)/m.exec(status)[1]} ${/^CapEff:\s+(\w+)/m.exec(status)[1]}`
JS
)")"
expect 'PID 1' 'node dist/main.js' \
  "$(podman exec "$container" node -p 'require("node:fs").readFileSync("/proc/1/cmdline", "utf8").split("\0").join(" ").trim()')"
client embedAndCompare "$url" || fail 'embed or compare.'
client everythingElse "$url" || fail 'something is missing from the image.'
memory
# ONNX Runtime's telemetry complains here when it is on: there is no place for its files.
expect 'lines of the log that the service did not write' '' "$(podman logs "$container" 2>&1 | grep -v '^{' || true)"
terminate

say '--- SIGTERM while it is at work'
start at-work --env MODEL_NAME=synthetic
wait_ready
since=$(now_ms)
client terminateAtWork "$url" "$container" || fail 'work in flight was lost.'
wait_exit "$since" 30000

say '--- a second SIGTERM while a request is half sent'
start impatient --env MODEL_NAME=synthetic
wait_ready
client terminateTwice "$url" "$container" || fail 'the second signal.'

say '--- no weights: a named volume, nothing to download'
start no-weights --env MODEL_AUTO_DOWNLOAD=false --volume "$volume:/models"
status=$(client healthStatus "$url") || fail 'the service does not listen.'
expect 'health' 503 "$status"
! podman healthcheck run "$container" >/dev/null 2>&1 || fail 'podman healthcheck run calls it healthy.'
podman exec "$container" node -e 'require("node:fs").writeFileSync("/models/probe", "")' ||
  fail 'the service cannot write to a new named volume.'
say 'ok  unhealthy, alive, and its user can write to a new named volume'
terminate

for folder in "$root"/../shared/models/*/; do
  [[ -d $folder ]] || continue
  pack=$(basename "$folder")
  say "--- real weights, mounted read-only: $pack"
  start "$pack" --env MODEL_NAME="$pack" --volume "$(cd "$folder/.." && pwd):/models:ro"
  wait_ready
  photograph=$root/../shared/faces/insightface/t1.jpg
  [[ ! -f $photograph ]] || client photograph "$url" "$photograph" || fail 'embed with real weights.'
  memory
  terminate
done

say 'The image holds.'
