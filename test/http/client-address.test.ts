import { describe, expect, it } from 'vitest';
import { ClientAddresses, networkOf } from '../../src/http/client-address.ts';

describe("the caller's address", () => {
  const clientOf = (
    peer: string | undefined,
    forwardedFor?: string,
    proxies = ['10.0.0.0/8', '2001:db8::/32'],
  ) => new ClientAddresses(proxies).of(peer, forwardedFor);

  it('is the other end of the connection, whatever it says', () => {
    expect(clientOf('192.0.2.1', undefined, [])).toBe('192.0.2.1');
    expect(clientOf('192.0.2.1', '198.51.100.7', [])).toBe('192.0.2.1');
    expect(clientOf('192.0.2.1', '198.51.100.7')).toBe('192.0.2.1');
    expect(clientOf(undefined, '198.51.100.7')).toBeUndefined();
  });

  it.each([
    // One proxy, two, one of IPv6
    ['10.1.1.1', '198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', '198.51.100.7, 10.2.2.2', '198.51.100.7'],
    ['2001:db8::1', '2001:db9::5', '2001:db9::5'],
    // An IPv4 address on a socket of IPv6
    ['::ffff:10.1.1.1', '::ffff:198.51.100.7', '198.51.100.7'],
    // What the caller invented stands before what the proxy appended.
    ['10.1.1.1', '10.9.9.9, 203.0.113.9, 198.51.100.7', '198.51.100.7'],
    ['10.1.1.1', 'a, b, 198.51.100.7', '198.51.100.7'],
    // With ports
    ['10.1.1.1', '198.51.100.7:4711', '198.51.100.7'],
    ['10.1.1.1', '[2001:db9::5]:4711', '2001:db9::5'],
    // All are proxies
    ['10.1.1.1', '10.3.3.3,10.2.2.2', '10.3.3.3'],
    // No address
    ['10.1.1.1', 'unknown', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.7, _hidden, 10.2.2.2', '10.2.2.2'],
    ['10.1.1.1', '', '10.1.1.1'],
    ['10.1.1.1', ',,', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.7, ', '10.1.1.1'],
    ['10.1.1.1', '198.51.100.999', '10.1.1.1'],
    ['fe80::1%eth0', '198.51.100.7', 'fe80::1'],
  ])('from %s with "%s" is %s', (peer, forwardedFor, client) => {
    expect(clientOf(peer, forwardedFor)).toBe(client);
  });

  it('is found in a bounded number of steps', () => {
    const invented = Array.from({ length: 5_000 }, () => '10.2.2.2').join(',');
    expect(clientOf('10.1.1.1', `198.51.100.7,${invented}`)).toBe('10.2.2.2');
  });
});

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8:1:2::', '2001:db8:1:2::/64'],
  ['::1', '0:0:0:0::/64'],
  ['1::', '1:0:0:0::/64'],
])('%s is told apart as %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
