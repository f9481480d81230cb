import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { ServiceProcess } from '../support/processes/service-process.ts';

let service: ServiceProcess;
afterEach(() => service.end());

describe('a process that may open few files', () => {
  // With 30, Node cannot read the files of the program; with 150, the service could start and serve hardly anyone.
  it.each([30, 50, 150])('(%d) ends with one sentence', async (openFiles) => {
    service = new ServiceProcess({}, {}, openFiles);
    expect(await service.exit).toEqual({ code: 1, signal: null });
    expect(service.stdout).toBe('');
    // Node 24 reads its files with fewer of them open, and the service can say how many it may have.
    expect(service.stderr).toMatch(
      new RegExp(`^This process may (not open more files \\(EMFILE\\)|have ${openFiles} files open).*\\n$`),
    );
  });

  it('closes connections beyond what it may have, and can still open files', async () => {
    service = new ServiceProcess({}, {}, 220);
    const address = await service.ready();
    const { port } = new URL(address);
    let closed = 0;
    const sockets: Socket[] = Array.from({ length: 250 }, () =>
      connect(Number(port), '127.0.0.1')
        .on('error', () => {})
        .on('close', () => closed++),
    );
    await expect.poll(() => closed).toBeGreaterThanOrEqual(150);
    // Connections that were accepted are kept.
    expect(closed).toBeLessThan(200);
    for (const socket of sockets.splice(0)) socket.destroy();
    await expect
      .poll(() =>
        fetch(`${address}/docs/swagger-ui.css`).then(
          ({ status }) => status,
          () => 0,
        ),
      )
      .toBe(200);
    expect(await service.stop()).toEqual({ code: 0, signal: null });
    expect(service.stderr).toBe('');
  });
});
