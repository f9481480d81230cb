import { BlockList, isIP } from 'node:net';

/** Proxies that one request is taken through; what is beyond was written by the caller. */
const MAX_PROXIES = 16;

/** Finds the address of a caller, also behind proxies that are trusted to tell it. */
export class ClientAddresses {
  readonly #trusted: BlockList | undefined;

  /** @param proxies addresses, or networks as address/bits. */
  constructor(proxies: readonly string[]) {
    if (proxies.length === 0) return;
    this.#trusted = new BlockList();
    for (const proxy of proxies) {
      const [address = '', bits] = proxy.split('/');
      if (bits === undefined) this.#trusted.addAddress(address, familyOf(address));
      else this.#trusted.addSubnet(address, Number(bits), familyOf(address));
    }
  }

  /**
   * The last address that no trusted proxy has: each proxy appends the address that it was called from, and what stands before
   * that may be invented.
   *
   * @param peer the other end of the connection; undefined where there is none.
   * @param forwardedFor the header X-Forwarded-For.
   */
  of(peer: string | undefined, forwardedFor: string | undefined): string | undefined {
    if (peer === undefined) return undefined;
    let client = plain(peer);
    if (this.#trusted === undefined || forwardedFor === undefined) return client;
    let end = forwardedFor.length;
    for (let hops = 0; hops < MAX_PROXIES && end > 0 && this.#isTrusted(client); hops++) {
      const begin = forwardedFor.lastIndexOf(',', end - 1) + 1;
      const next = plain(withoutPort(forwardedFor.slice(begin, end).trim()));
      // "unknown", or a name: the proxy before it is all that is known.
      if (isIP(next) === 0) break;
      client = next;
      end = begin - 1;
    }
    return client;
  }

  #isTrusted(address: string): boolean {
    return this.#trusted?.check(address, familyOf(address)) ?? false;
  }
}

/**
 * Whom an address stands for, where callers are told apart by it: an IPv6 address's network, of which a caller may use any
 * address. Source: RFC 6177.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address;
  const [head = '', tail] = address.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const missing = 8 - groups.length - (tail === '' ? 0 : tail.split(':').length);
    groups.push(...Array.from({ length: missing }, () => '0'));
    if (tail !== '') groups.push(...tail.split(':'));
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

/** An IPv4 address that a socket of IPv6 shows as ::ffff:192.0.2.1, as it is; without the name of an interface. */
function plain(address: string): string {
  const mapped = address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
  const zone = mapped.indexOf('%');
  return zone < 0 ? mapped : mapped.slice(0, zone);
}

/** Some proxies append 192.0.2.1:4711 or [2001:db8::1]:4711. */
function withoutPort(text: string): string {
  return text.match(/^\[([^\]]*)\](:\d+)?$/)?.[1] ?? text.match(/^(\d+(?:\.\d+){3}):\d+$/)?.[1] ?? text;
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 6 ? 'ipv6' : 'ipv4';
}
