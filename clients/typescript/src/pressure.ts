import { FaceEmbeddingError } from './errors.ts';

/** Requests that are open at a time at first. */
const FIRST_LIMIT = 8;

/** To what share of the open requests a refusal reduces the limit. */
const DECREASE = 0.8;

/** Answers, at least, before the limit grows by one: each such step may cost a refusal. */
const STEADY_ANSWERS = 12;

/** The share of a request's time for which a place at a full service is left to other clients, at most. */
const MAX_GAP = 0.25;

/** The pause after a refusal that gives no time. */
const FIRST_PAUSE_MS = 100;

const MAX_PAUSE_MS = 10_000;

/** The same while the circuit is open. */
const MAX_OPEN_PAUSE_MS = 30_000;

/** Refusals that are further apart are not of one overload. */
const OVERLOAD_MS = 2 * MAX_OPEN_PAUSE_MS;

/**
 * A refusal after a pause doubles the next pause, and an answer divides it by the cube root of two: pauses grow until three of
 * four requests are answered.
 */
const PAUSE_GROWTH = 2;
const PAUSE_DECAY = 2 ** (-1 / 3);

/** How much longer than asked a pause may be, so that callers do not come back all at once. */
const JITTER = 0.5;

/** What a request found out about the service. */
export type Finding =
  /** It takes requests. */
  | 'served'
  /** It was full, away, or too slow. */
  | FaceEmbeddingError
  /** Nothing. */
  | undefined;

export interface PressureOptions {
  /** Maximum images that are open at a time. */
  maxOpen: number;
  /** How long nothing but refusals opens the circuit, in milliseconds. */
  openAfterMs: number;
}

interface Call {
  order: number;
  images: number;
  /** On the clock of performance.now(). */
  deadline: number;
}

interface Waiting extends Call {
  admit: () => void;
  fail: (error: unknown) => void;
}

/**
 * How much of a client's work may be at the service at a time.
 *
 * The limit follows what the service takes, as TCP's congestion window follows a network: it grows with answers, quickly until
 * the first refusal and slowly after it, and a refusal cuts it to what the service holds. From then on, a request is sent when
 * another has been answered. When the service holds nothing of this client and refuses, nothing is sent for a time: that which it
 * asks for (`Retry-After`), or one that grows with each refusal, and then a single request. Each pause is prolonged at random.
 *
 * When it has refused everything for `openAfterMs`, the circuit is open: pauses grow further. A call whose deadline comes before
 * the end of a pause fails at once, as waiting would not help it.
 */
export class Pressure {
  readonly #options: PressureOptions;
  #limit = FIRST_LIMIT;
  /** Below it, the limit grows with every answer. */
  #steadyFrom = Number.POSITIVE_INFINITY;
  #open = 0;
  readonly #waiting: Waiting[] = [];
  #pausedUntil = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** How much longer than asked the next pause is, at least 1. */
  #prolonged = 1;
  /** The first and the latest refusal since the last answer. */
  #refusedSince: number | undefined;
  #refusedAt = 0;
  #lastRefusal: FaceEmbeddingError | undefined;
  /** Requests that were sent before do not cut the limit once more. */
  #lastCut = Number.NEGATIVE_INFINITY;

  constructor(options: PressureOptions) {
    this.#options = options;
    this.#limit = Math.min(FIRST_LIMIT, options.maxOpen);
  }

  /** Images at the service, and images that may be there at a time. */
  get open(): number {
    return this.#open;
  }

  get limit(): number {
    return Math.max(1, Math.floor(this.#limit));
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  get isCircuitOpen(): boolean {
    const since = this.#refusedSince;
    return since !== undefined && this.#refusedAt - since >= this.#options.openAfterMs;
  }

  /**
   * Waits until a request may be sent. Calls are let in by their order, in which a repeated call keeps its place.
   *
   * @param images that the request has; none if it takes no place at the service.
   * @param deadline on the clock of performance.now().
   * @returns a function to call with the finding when the request is over.
   * @throws {FaceEmbeddingError} the last refusal if the deadline comes first, else TIMEOUT; the reason of the signal.
   */
  async enter(order: number, images: number, deadline: number, signal: AbortSignal) {
    signal.throwIfAborted();
    const isNext = images === 0 || this.#waiting.length === 0;
    if (isNext && this.#hasRoom(images)) this.#open += images;
    else await this.#wait({ order, images, deadline }, signal);
    const sent = performance.now();
    let left = false;
    return (finding: Finding) => {
      if (left) return;
      left = true;
      this.#leave(images, sent, finding);
    };
  }

  #hasRoom(images: number): boolean {
    if (performance.now() < this.#pausedUntil) return false;
    // A batch larger than the limit must be possible.
    return this.#open === 0 || images === 0 || this.#open + images <= this.limit;
  }

  async #wait(call: Call, signal: AbortSignal): Promise<void> {
    let stop = () => {};
    const entered = new Promise<void>((admit, fail) => {
      const waiting = { ...call, admit, fail };
      const abort = () => fail(signal.reason);
      const timer = setTimeout(() => fail(this.#tooLate()), Math.max(0, call.deadline - performance.now()));
      signal.addEventListener('abort', abort);
      stop = () => {
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
        this.#remove(waiting);
      };
      const at = this.#waiting.findIndex(({ order }) => order > call.order);
      this.#waiting.splice(at < 0 ? this.#waiting.length : at, 0, waiting);
    });
    this.#admit();
    await entered.finally(stop);
  }

  #remove(waiting: Waiting): void {
    const at = this.#waiting.indexOf(waiting);
    if (at >= 0) this.#waiting.splice(at, 1);
    // Or it would keep the process from ending.
    if (this.#waiting.length === 0) clearTimeout(this.#timer);
  }

  #tooLate(): FaceEmbeddingError {
    return (
      this.#lastRefusal ??
      new FaceEmbeddingError('TIMEOUT', "The call waited for this client's other calls until its deadline.", {
        retryable: true,
      })
    );
  }

  #leave(images: number, sent: number, finding: Finding): void {
    const now = performance.now();
    if (finding === 'served') this.#served(images);
    const isFull = this.#waiting.length > 0 && Number.isFinite(this.#steadyFrom);
    const gap = finding === 'served' && isFull && images > 0 ? Math.random() * MAX_GAP * (now - sent) : 0;
    const free = () => {
      this.#open -= images;
      if (finding instanceof FaceEmbeddingError) this.#refused(images, sent, finding);
      this.#admit();
    };
    if (gap > 0) setTimeout(free, gap);
    else free();
  }

  #served(images: number): void {
    this.#prolonged = Math.max(1, this.#prolonged * PAUSE_DECAY);
    this.#refusedSince = undefined;
    this.#lastRefusal = undefined;
    // A limit that is not reached says nothing about the service.
    if (images === 0 || this.#open < this.limit) return;
    const answers = this.#limit < this.#steadyFrom ? 1 : Math.max(STEADY_ANSWERS, 2 * this.#limit);
    this.#limit = Math.min(this.#options.maxOpen, this.#limit + images / answers);
  }

  #refused(images: number, sent: number, refusal: FaceEmbeddingError): void {
    const now = performance.now();
    if (now - this.#refusedAt > OVERLOAD_MS) {
      this.#refusedSince = undefined;
      this.#prolonged = 1;
    }
    this.#refusedSince ??= now;
    this.#refusedAt = now;
    this.#lastRefusal = refusal;
    if (images > 0) {
      this.#limit = Math.max(1, Math.min(this.#limit, this.#open));
      if (sent > this.#lastCut) {
        this.#limit = Math.max(1, this.#limit * DECREASE);
        if (this.#open > 0) this.#steadyFrom = this.#limit;
        this.#lastCut = now;
      }
    }
    // A rate limit holds for all requests. Otherwise an answer to one that is open will tell when to go on.
    if (this.#open === 0 || refusal.status === 429) this.#pause(now, refusal.retryAfterMs ?? 0);
  }

  #pause(now: number, asked: number): void {
    const max = this.isCircuitOpen ? MAX_OPEN_PAUSE_MS : MAX_PAUSE_MS;
    const first = Math.max(asked, FIRST_PAUSE_MS);
    const pause = Math.max(asked, Math.min(max, first * this.#prolonged));
    // No further, or it would take as many answers to shrink again.
    if (pause < max) this.#prolonged *= PAUSE_GROWTH;
    this.#pausedUntil = Math.max(this.#pausedUntil, now + pause * (1 + JITTER * Math.random()));
  }

  /** Lets in those for whom there is room, and fails those whom a pause outlasts. */
  #admit(): void {
    clearTimeout(this.#timer);
    const pause = this.#pausedUntil - performance.now();
    if (pause > 0) {
      for (const late of this.#waiting.filter(({ deadline }) => deadline < this.#pausedUntil)) {
        this.#remove(late);
        late.fail(this.#tooLate());
      }
      if (this.#waiting.length > 0) this.#timer = setTimeout(() => this.#admit(), pause);
      return;
    }
    let next = this.#waiting[0];
    while (next && this.#hasRoom(next.images)) {
      this.#waiting.shift();
      this.#open += next.images;
      next.admit();
      next = this.#waiting[0];
    }
  }
}
