/** One system call in the output of `strace -f -y`. */
export interface SystemCall {
  name: string;
  args: string;
  result: string;
}

export interface FileUse {
  path: string;
  call: string;
}

export type SocketUse = FileUse;

/** Reads a trace. Calls that another thread interrupted are put together again. */
export function readTrace(text: string): SystemCall[] {
  const unfinished = new Map<string, string>();
  const calls: SystemCall[] = [];
  for (const line of text.split('\n')) {
    const [, thread = '', rest = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (rest.endsWith('<unfinished ...>')) {
      unfinished.set(thread, rest.slice(0, -'<unfinished ...>'.length).trimEnd());
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/.exec(rest);
    const whole = resumed ? (unfinished.get(thread) ?? '') + resumed[1] : rest;
    const call = /^(\w+)\((.*)\) += (.+)$/.exec(whole);
    if (call) calls.push({ name: call[1] as string, args: call[2] as string, result: call[3] as string });
  }
  return calls;
}

/** Devices that keep nothing; and standard output, where the log goes, when it is opened again to write without waiting. */
const HARMLESS = /^\/dev\/(null|zero|u?random|tty)$|^\/proc\/self\/fd\/[12]$/;

const CHANGES =
  /^(mkdir|mkdirat|mknod|mknodat|rename|renameat|renameat2|link|linkat|symlink|symlinkat|truncate|unlink|unlinkat|rmdir|memfd_create|creat|chmod|fchmodat|utimensat)$/;

/** Files that were opened for writing, and other changes of the file system, successful or not. */
export function filesWritten(calls: readonly SystemCall[]): FileUse[] {
  return calls.flatMap(({ name, args, result }) => {
    const opens =
      /^open(at2?)?$/.test(name) && /O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND|O_TMPFILE/.test(args);
    if (!opens && !CHANGES.test(name)) return [];
    const path = /"([^"]*)"/.exec(args)?.[1] ?? '';
    return HARMLESS.test(path) ? [] : [{ path, call: `${name}(${args}) = ${result}` }];
  });
}

/** Attempts to connect to anything, and sockets that were bound without listening for callers. */
export function socketsUsed(calls: readonly SystemCall[]): SocketUse[] {
  return calls.flatMap(({ name, args, result }) =>
    name === 'connect' || (name === 'sendto' && args.includes('sa_family')) || name === 'sendmmsg'
      ? [
          {
            path: /sun_path="([^"]*)"|sin_port=htons\((\d+)\)/.exec(args)?.[0] ?? '',
            call: `${name}(${args}) = ${result}`,
          },
        ]
      : [],
  );
}
