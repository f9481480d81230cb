import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';

const TYPE_A = 1;

/** A DNS server that answers every A query with all addresses of the set, and every other query with none. */
export async function startDnsServer(addresses: ReadonlySet<string>): Promise<Socket> {
  const socket = createSocket('udp4');
  socket.on('message', (query, sender) => {
    socket.send(answerTo(query, addresses), sender.port, sender.address);
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

function answerTo(query: Buffer, addresses: ReadonlySet<string>): Buffer {
  // The question follows the header of 12 bytes: a name as labels with their lengths, a type and a class.
  let end = 12;
  while (query.readUInt8(end) !== 0) end += query.readUInt8(end) + 1;
  const question = query.subarray(12, end + 5);
  const listed = query.readUInt16BE(end + 1) === TYPE_A ? [...addresses] : [];
  const header = Buffer.from([0, 0, 0x81, 0x80, 0, 1, 0, listed.length, 0, 0, 0, 0]);
  query.copy(header, 0, 0, 2);
  // A pointer to the name in the question, type A, class IN, a lifetime of 5 s, an address of 4 bytes.
  const records = listed.map((address) =>
    Buffer.from([0xc0, 12, 0, TYPE_A, 0, 1, 0, 0, 0, 5, 0, 4, ...address.split('.').map(Number)]),
  );
  return Buffer.concat([header, question, ...records]);
}
