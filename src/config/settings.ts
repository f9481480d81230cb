import { IMAGES_PER_GPU_WORKER } from './concurrency.ts';
import { availableCores } from './cores.ts';
import { AUTO_ORDER, type AutoDevice, DEVICE_NAMES, DEVICES, type Device } from './devices.ts';
import { boolean, integer, list, matching, networks, oneOf, type SettingValue, setting } from './setting.ts';

const MIB = 1024 * 1024;
const ONE_HOUR_MS = 3_600_000;

/** The values of the setting DETECTION and of the request option `detection`. */
export const DETECTION_MODES = ['full', 'fast'] as const;

/** The values of the setting COLOUR_PROFILES. */
export const COLOUR_PROFILE_MODES = ['ignore', 'honour'] as const;

/** The values of the setting ORIENTATION and of the request option `orientation`. */
export const ORIENTATION_MODES = ['exif', 'auto'] as const;

/** The values of the setting LIVENESS and of the request option `liveness`. */
export const LIVENESS_MODES = ['off', 'report', 'require'] as const;

/** The highest value of MAX_FACES: the detector finds no more faces. */
export const HIGHEST_MAX_FACES = 1_000;

export const SETTINGS = {
  APP_NAME: setting({
    default: 'face-embedding-service',
    ...matching(/^[\x20-\x7e]{1,100}$/, 'up to 100 printable ASCII characters'),
    description: 'Name of the service in the log and in the OpenAPI document.',
  }),
  LOG_LEVEL: setting({
    default: 'info',
    ...oneOf('fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'),
    description: 'Minimum severity that is logged.',
  }),
  HOST: setting({
    default: '0.0.0.0',
    ...matching(/^[\w.:-]+$/, 'an address or a host name'),
    description: 'Address to listen on.',
  }),
  PORT: setting({
    default: 8000,
    ...integer(0, 65535),
    description: 'Port to listen on; 0 takes a free one.',
  }),
  API_PREFIX: setting({
    default: '',
    parse: (text: string) => (/^(\/[\w.~-]+)*\/?$/.test(text) ? text.replace(/\/$/, '') : undefined),
    accepts: 'empty, or a path such as /api',
    description: 'Path before every route; `/api` serves `/api/v1/embed`.',
  }),
  WORKERS: setting({
    default: () => availableCores(),
    defaultLabel: 'usable cores, fewer where memory is short, or 1 on a GPU',
    ...integer(1, 256),
    description:
      'Worker threads. Each has sessions of its own and processes one image at a time, or up to ' +
      `${IMAGES_PER_GPU_WORKER} on a GPU (\`DEVICE\`). ` +
      "The default follows the container's CPU quota, and its memory by the pack's need. " +
      `\`DEVICE=webgpu\` takes ${DEVICES.webgpu.maxWorkers} only: ONNX Runtime crashes when two threads use it.`,
  }),
  INTRA_OP_THREADS: setting({
    default: 1,
    ...integer(1, 64),
    description:
      'ONNX Runtime threads of each worker. More threads lower the latency of a single request and the throughput of many; ' +
      'divide `WORKERS` by the same factor.',
  }),
  LONE_REQUEST_THREADS: setting({
    default: () => Math.min(2, availableCores()),
    defaultLabel: '2, or 1 on one core',
    ...integer(1, 64),
    description:
      'ONNX Runtime threads for an image while no other image is processed. A value above `INTRA_OP_THREADS` loads a second copy ' +
      'of both networks in one worker; 1 avoids it.',
  }),
  MODEL_NAME: setting({
    default: 'buffalo_l',
    ...matching(/^[A-Za-z0-9][\w.-]{0,99}$/, 'a pack of the catalogue, synthetic, or a folder in MODELS_DIR'),
    description: 'Model pack: one of the catalogue, `synthetic`, or any folder in `MODELS_DIR`.',
  }),
  MODELS_DIR: setting({
    default: './models',
    ...matching(/./, 'a folder'),
    description: 'Folder that holds one folder for each model pack.',
  }),
  PREPARED_DIR: setting({
    default: '',
    ...matching(/^.*$/, 'a folder, none, or empty'),
    defaultLabel: '`.prepared` in `MODELS_DIR`',
    description:
      'Folder for networks that were optimised for this processor: made at the first start, shared by all workers and processes. ' +
      'It may be deleted at any time. With `none`, or where nothing can be written, each worker loads its own copy.',
  }),
  MODEL_AUTO_DOWNLOAD: setting({
    default: true,
    ...boolean,
    description: 'Download a missing pack of the catalogue at start.',
  }),
  MODEL_BASE_URL: setting({
    default: '',
    ...matching(/^(https?:\/\/\S+)?$/, 'empty, or an http(s) URL'),
    description: 'Mirror to download `<MODEL_BASE_URL>/<pack>.zip` from, instead of the public sources.',
  }),
  DETECTION_THRESHOLD: setting({
    default: 0.5,
    parse: (text: string) => {
      const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= 0 && value <= 1 ? value : undefined;
    },
    accepts: 'a number from 0 to 1',
    description: 'Minimum detection score of a face; a request may override it.',
  }),
  DETECTION_SIZES: setting<number[] | undefined>({
    default: undefined,
    defaultLabel: "the detector's: `128,640` for SCRFD, `256,512` for YuNet",
    parse: (text: string) => {
      const sizes = text.split(',').map((part) => (/^\s*\d+\s*$/.test(part) ? Number(part) : Number.NaN));
      const valid = sizes.every((size) => size >= 32 && size <= 2048 && size % 32 === 0);
      return valid && sizes.length <= 4 && new Set(sizes).size === sizes.length ? sizes : undefined;
    },
    accepts: 'up to four different multiples of 32 from 32 to 2048, separated by commas',
    description:
      'Sides of the square detector inputs. The detector runs at every size and the results are merged: with SCRFD, 128 finds faces ' +
      'that fill the picture, 640 all others. With YuNet, small pictures are seen at three quarters or a half of the larger sizes. A detector ' +
      'with an input of one size ignores it: that of `lite`, `opencv` and `auraface`.',
  }),
  DETECTION: setting({
    default: 'full',
    ...oneOf(...DETECTION_MODES),
    description:
      'Default of the request option `detection`, for `faces=largest`: `fast` stops after the smallest detector input when the ' +
      'face found there is large and its score high.',
  }),
  ORIENTATION: setting({
    default: 'auto',
    ...oneOf(...ORIENTATION_MODES),
    description:
      'Default of the request option `orientation`: `exif` takes a picture as its EXIF orientation says; `auto` also turns one ' +
      'whose faces are not upright.',
  }),
  DEVICE: setting({
    default: 'cpu',
    ...oneOf(...DEVICE_NAMES, 'auto'),
    description:
      `Where inference runs: ${DEVICE_NAMES.map((name) => `\`${name}\` (${DEVICES[name].platforms.join(', ')}; ${DEVICES[name].tried})`).join(', ')}. ` +
      'Both networks run whole on the device, or not at all: the service does not start without it. ' +
      `\`auto\` takes the first that works and is not slower than one thread of the processor, of ${AUTO_ORDER.map((name) => `\`${name}\``).join(', ')}; ` +
      'the log and `/v1/model-info` say which, and why not those before it.',
  }),
  BATCH_WINDOW_MS: setting({
    default: 2,
    ...integer(0, 1000),
    description:
      'On a GPU only: maximum time that a face waits for faces of other requests, to be recognised in one run. ' +
      'A CPU gains nothing from batches, and recognises each face at once.',
  }),
  GRAPH_REWRITES: setting({
    default: true,
    ...boolean,
    description:
      'Rewrite the networks at load into faster ones that compute the same, up to rounding in the last digits. ' +
      '`/v1/model-info` lists the rewrites. On a GPU none of them is made, but `constant-scales` always, so that the device can run ' +
      'the detector whole.',
  }),
  MAX_IMAGE_SIZE: setting({
    default: 10 * MIB,
    ...integer(1024),
    description: 'Maximum bytes of one encoded image.',
  }),
  MAX_IMAGE_PIXELS: setting({
    default: 50_000_000,
    ...integer(1024, 268_000_000),
    description:
      'Maximum pixels of one decoded image. A worker needs three bytes for each, up to eight while it decodes, and 18 for ' +
      'an AVIF. One side may be at most 100 times the other, unless it has at most 1,000 pixels.',
  }),
  REDUCED_DECODING_SIDE: setting({
    default: 0,
    parse: (text: string) => {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return value === 0 || (value >= 640 && value <= 65_535) ? value : undefined;
    },
    accepts: '0 for never, or a whole number from 640 to 65535',
    description:
      'Decode a JPEG at 1/8 or 1/4 of its size if its longer side then has at least this many pixels. A photograph of 12 ' +
      'megapixels takes 0.7 of the time, and its embedding changes (cosine to that of full decoding: 0.993 in the median, ' +
      'at least 0.984).',
  }),
  COLOUR_PROFILES: setting({
    default: 'ignore',
    ...oneOf(...COLOUR_PROFILE_MODES),
    description:
      'Whether a colour profile in a picture changes its colours. `ignore` gives the embeddings of InsightFace, which reads pictures ' +
      'with OpenCV. `honour` converts to sRGB, and gives other embeddings of pictures with another profile, such as those of ' +
      'iPhones; their embedding space has a name of its own, with `:icc`. docs/COLOUR.md has the table.',
  }),
  MAX_REQUEST_SIZE: setting({
    default: 32 * MIB,
    ...integer(1024),
    description: 'Maximum bytes of one request body. Base64 makes an image a third larger.',
  }),
  MAX_BATCH_SIZE: setting({
    default: 64,
    defaultLabel: '64, or WORKERS + MAX_QUEUE when that is less',
    ...integer(1, 10_000),
    description: 'Maximum images of one request. Each takes a place, as a request with one image does.',
  }),
  MAX_REFERENCES: setting({
    default: 10_000,
    ...integer(1),
    description: 'Maximum references, and maximum queries, of one compare request.',
  }),
  MAX_COMPARISONS: setting({
    default: 1_000_000,
    ...integer(1),
    description:
      'Maximum queries times references of one compare request, for embeddings of at most 512 numbers; fewer in proportion for ' +
      'longer ones. The JSON thread compares a million in less than half a second.',
  }),
  MAX_FACES: setting({
    default: 100,
    ...integer(1, HIGHEST_MAX_FACES),
    description:
      'Maximum faces embedded for one image with `faces=all`, best score first; `faces_omitted` counts the rest.',
  }),
  MAX_QUEUE: setting({
    default: 64,
    ...integer(0, 100_000),
    description: 'Maximum images that wait for a worker; more are refused with `OVERLOADED`.',
  }),
  MAX_QUEUE_PER_KEY: setting<number | undefined>({
    default: undefined,
    defaultLabel: 'an equal share of the places',
    ...integer(1, 100_000),
    description:
      'Maximum images that hold a place for one API key (without keys: for one address) while others hold places, too. Alone, a ' +
      'key may use all. By default, the places are shared equally among those that use them. A key below its share finds a place ' +
      'beyond `MAX_QUEUE`, up to half as many again, when others have taken them all.',
  }),
  RATE_LIMIT_PER_KEY: setting({
    default: 0,
    parse: (text: string) => {
      const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      return value >= 0 && value <= 1_000_000 ? value : undefined;
    },
    accepts: 'a number from 0 to 1000000',
    description:
      'Requests a second of one API key (without keys: of one address), on average; 0 for no limit. As many may come at once. A ' +
      'batch counts as its images. More are refused with `RATE_LIMITED`. Each process counts for itself.',
  }),
  TRUSTED_PROXIES: setting<string[]>({
    default: [],
    ...networks,
    description:
      'Proxies whose `X-Forwarded-For` is believed: the address of the caller is the last one in it that is none of these. Without ' +
      'them it is the other end of the connection. It is in the log, and callers without API keys are told apart by it.',
  }),
  REQUEST_TIMEOUT_MS: setting({
    default: 10_000,
    ...integer(1, ONE_HOUR_MS),
    description:
      'Maximum wait for a free worker; then `DEADLINE_EXCEEDED`. Work that has started is finished.',
  }),
  WORKER_TIMEOUT_MS: setting({
    default: 60_000,
    parse: (text: string) => {
      const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
      return value === 0 || (value >= 1_000 && value <= ONE_HOUR_MS) ? value : undefined;
    },
    accepts: `0 for never, or a whole number from 1000 to ${ONE_HOUR_MS}`,
    description:
      'Maximum time for a worker to process one image, or for the JSON thread to read one body. A thread that takes longer is ' +
      'taken to hang: its request gets `PROCESSING_ERROR`, and another thread takes its place. When three hang at a time, the ' +
      'process answers what it has accepted and ends, for its supervisor to start it again.',
  }),
  MAX_INFLIGHT_BYTES: setting({
    default: 256 * MIB,
    ...integer(1024),
    description:
      'Maximum bytes of all request bodies and answers held at a time; more are refused with `OVERLOADED`. ' +
      'A declared length counts from the start of its request until the work is done, an answer of more than 64 KiB until it ' +
      'has left.',
  }),
  MAX_UPLOADS: setting({
    default: 1_000,
    ...integer(1),
    description: 'Maximum request bodies that arrive at a time; more are refused with `OVERLOADED`.',
  }),
  MIN_UPLOAD_RATE: setting({
    default: 1_000,
    ...integer(0),
    description:
      'Minimum bytes a second at which a request body must arrive, on average after its first five seconds; 0 for none.',
  }),
  HEADERS_TIMEOUT_MS: setting({
    default: 10_000,
    ...integer(1, ONE_HOUR_MS),
    description: 'Maximum time for the headers of a request to arrive.',
  }),
  BODY_TIMEOUT_MS: setting({
    default: 30_000,
    ...integer(1, ONE_HOUR_MS),
    description:
      'Maximum time for the body of a request to arrive. A client that stops reading its answer for this long is disconnected.',
  }),
  ANSWER_TIMEOUT_MS: setting({
    default: 60_000,
    ...integer(1, ONE_HOUR_MS),
    description:
      'Maximum time that an answer may wait for its reader, all moments together; then the client is disconnected.',
  }),
  KEEP_ALIVE_TIMEOUT_MS: setting({
    default: 75_000,
    ...integer(1, ONE_HOUR_MS),
    description:
      'How long an idle connection is kept. It must be longer than the load balancer keeps it (often 60 s), ' +
      'or callers occasionally get a 502.',
  }),
  SHUTDOWN_DELAY_MS: setting({
    default: 5_000,
    ...integer(0, ONE_HOUR_MS),
    description:
      'After SIGTERM, SIGINT or SIGHUP, readiness and health fail at once, and requests are served for this long, so that load balancers ' +
      'notice before the port closes.',
  }),
  SHUTDOWN_GRACE_MS: setting({
    default: 25_000,
    ...integer(0, ONE_HOUR_MS),
    description: 'Maximum time for accepted work after the port has closed; then the process is killed.',
  }),
  API_KEYS: setting({
    default: '',
    ...matching(/./, 'keys separated by commas, each plain or sha256:<hex>, with name= before it or not'),
    description:
      'Keys of the callers; several can be in force, for rotation. A plain key has at least 16 characters of A–Z a–z 0–9 - . _ ~ + /; ' +
      '`sha256:` is followed by the hex digest of one. Names appear in the log. Without keys, every caller is served.',
    secret: true,
  }),
  API_KEYS_FILE: setting({
    default: '',
    ...matching(/./, 'the path of a file'),
    description:
      'A file with more keys, one on each line, such as a mounted secret. It is read again when it changes.',
  }),
  REQUIRE_API_KEYS: setting<boolean | undefined>({
    default: undefined,
    defaultLabel: 'not set',
    ...boolean,
    description:
      '`true` stops the start when no API keys are configured. Without a value, a variable that looks like a misspelt `API_KEYS` ' +
      'stops it too; `false` starts without keys in any case.',
  }),
  METRICS_PORT: setting<number | undefined>({
    default: undefined,
    defaultLabel: 'the main port',
    ...integer(1, 65535),
    description:
      'A separate port for `/metrics`, which then needs no API key and is not served on the main port.',
  }),
  METRICS_TOKEN: setting({
    default: '',
    ...matching(/^[\x21-\x7e]{16,}$/, 'at least 16 printable characters without spaces'),
    description:
      'Bearer token that `/metrics` requires. Without it, the main port requires an API key, if any are configured.',
    secret: true,
  }),
  CORS_ENABLED: setting({
    default: false,
    ...boolean,
    description: 'Allow browsers to call from the origins in `CORS_ORIGINS`.',
  }),
  CORS_ORIGINS: setting<string[]>({
    default: [],
    ...list(
      /^(\*|https?:\/\/[\w.-]+(:\d+)?)$/,
      'origins such as https://app.example.com, separated by commas, or *',
    ),
    description: 'Exact origins that may call from a browser; `*` allows all.',
  }),
  EMBEDDING_KEY: setting({
    default: '',
    ...matching(/./, 'name=secret, with a secret of at least 32 characters A–Z a–z 0–9 - . _ ~ + /'),
    description:
      'Key that protects embeddings: they leave as a keyed orthogonal transform, in an embedding space of their own, with ' +
      '`:k-` and the name. Another secret needs another name. docs/PROTECTION.md says what that is, and what it is not.',
    secret: true,
  }),
  EMBEDDING_KEY_FILE: setting({
    default: '',
    // A key that was put here by mistake would be shown as a path is.
    ...matching(/^(?![a-z0-9-]{1,32}=[A-Za-z0-9\-._~+/]{32,}=*$)./, 'the path of a file, not the key itself'),
    description:
      'A file with the key instead, in a line `name=secret`, such as a mounted secret. It is read once, at start.',
    secret: true,
  }),
  REQUIRE_COMMERCIAL_WEIGHTS: setting({
    default: false,
    ...boolean,
    description:
      '`true` stops the start unless commercial use of the weights is `allowed`, according to the catalogue or the manifest of the ' +
      'pack. `disputed`, `unknown` and `excluded` are refused; see `docs/MODELS.md`.',
  }),
  LIVENESS: setting({
    default: 'off',
    ...oneOf(...LIVENESS_MODES),
    description:
      'Default of the request option `liveness`: `report` scores each face, `require` also refuses one that is not live with ' +
      '`LIVENESS_FAILED`. It needs `LIVENESS_MODEL`, and `require` a threshold. docs/LIVENESS.md says what it is not.',
  }),
  LIVENESS_MODEL: setting({
    default: '',
    ...matching(/./, 'a name of the catalogue, or paths of files or of a folder, separated by commas'),
    description:
      'Network that scores liveness: `insightface-liveness`, or the path of a file, of two files of MiniFASNet separated by a comma, ' +
      'or of a folder; relative to `MODELS_DIR`. Empty for none, which costs nothing.',
  }),
  LIVENESS_THRESHOLD: setting<number | undefined>({
    default: undefined,
    defaultLabel: "that of `liveness.json` in the pack's folder",
    parse: (text: string) => {
      const value = /^\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      // 0 would call every face live.
      return value > 0 && value <= 1 ? value : undefined;
    },
    accepts: 'a number above 0, up to 1',
    description: 'Score from which a face is live. `npm run calibrate -- --liveness` measures it.',
  }),
  PLAYGROUND: setting({
    default: true,
    ...boolean,
    description:
      'Serve the page for people at `/` and `/playground`: whether the service is ready, and photographs to try. Calls from it need ' +
      'an API key where others do. `false` removes it.',
  }),
} as const;

export type SettingName = keyof typeof SETTINGS;
export type Config = {
  readonly [N in Exclude<SettingName, 'DEVICE'>]: SettingValue<(typeof SETTINGS)[N]>;
} & {
  /** Never `auto`, but what it stands for. */
  readonly DEVICE: Device;
  /** What was found for DEVICE=auto; undefined with another value. */
  readonly autoDevice?: AutoDevice | undefined;
};
