import { Socket } from 'node:net';
import { expect, it } from 'vitest';
import { discardRest } from '../../../src/http/connection/discard-rest.ts';

it('leaves nothing on a connection that stays open, however many bodies were refused on it', () => {
  const socket = new Socket();
  const before = socket.eventNames().length;
  for (let i = 0; i < 20; i++) discardRest(socket)();
  expect(socket.listenerCount('close')).toBe(0);
  expect(socket.listenerCount('data')).toBe(0);
  expect(socket.eventNames()).toHaveLength(before);
  socket.destroy();
});
