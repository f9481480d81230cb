import { gzipSync } from 'node:zlib';

export interface TarMember {
  name: string;
  content?: Uint8Array;
  /** `0` for a file, by default. */
  type?: string;
  /** What the header claims, by default the truth. */
  size?: number;
}

/** A gzipped tar archive as npm makes it. */
export function tarballOf(members: TarMember[]): Buffer {
  return gzipSync(Buffer.concat([...members.map(member), Buffer.alloc(1024)]), { level: 1 });
}

/** The members of a package with these files, by their paths inside of it. */
export function packageOf(files: Record<string, Uint8Array>, folder = 'package'): TarMember[] {
  return Object.entries(files).map(([path, content]) => ({ name: `${folder}/${path}`, content }));
}

/** A pax header that gives the next member a longer name than a header can hold. */
export function paxName(name: string): TarMember {
  const record = (length: number) => `${length} path=${name}\n`;
  let length = record(0).length;
  while (Buffer.byteLength(record(length)) !== length) length = Buffer.byteLength(record(length));
  return { name: 'PaxHeader', type: 'x', content: Buffer.from(record(length)) };
}

function member({ name, content = Buffer.alloc(0), type = '0', size = content.length }: TarMember): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  header.write('0000644\0', 100);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const padding = Buffer.alloc((512 - (content.length % 512)) % 512);
  return Buffer.concat([header, content, padding]);
}
