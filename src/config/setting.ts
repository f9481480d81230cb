import { isIP } from 'node:net';

/** One environment variable, described once: types, validation and documents derive from it. */
export interface Setting<T> {
  /** The value when the variable is unset or empty. A function where it depends on the machine. */
  default: NoInfer<T> | (() => NoInfer<T>);
  /** The default in words, where it is not a plain value. */
  defaultLabel?: string;
  /** Returns undefined for a value that is not accepted. */
  parse: (text: string) => T | undefined;
  /** Completes the sentence "accepted is …". */
  accepts: string;
  description: string;
  /** Its value must not appear in errors or logs. */
  secret?: true;
}

/** What the documents say about a setting. */
export type SettingDescription = Omit<Setting<unknown>, 'parse'>;

export type SettingValue<S> = S extends Setting<infer T> ? T : never;

export const integer = (min: number, max = Number.MAX_SAFE_INTEGER) => ({
  parse: (text: string) => {
    const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
    return value >= min && value <= max ? value : undefined;
  },
  accepts:
    max === Number.MAX_SAFE_INTEGER
      ? `a whole number of at least ${min}`
      : `a whole number from ${min} to ${max}`,
});

export const oneOf = <const T extends string>(...values: T[]) => ({
  parse: (text: string) => values.find((value) => value === text),
  accepts: values.join(', '),
});

export const boolean = {
  parse: (text: string) => ({ true: true, false: false, '1': true, '0': false })[text.toLowerCase()],
  accepts: 'true or false',
};

export const matching = (pattern: RegExp, accepts: string) => ({
  parse: (text: string) => (pattern.test(text) ? text : undefined),
  accepts,
});

export const setting = <T>(description: Setting<T>) => description;

/** Addresses, and networks as address/bits, separated by commas. */
export const networks = {
  parse: (text: string) => {
    const items = text.split(',').map((item) => item.trim());
    return items.every(isNetwork) ? items : undefined;
  },
  accepts: 'IP addresses and networks such as 10.0.0.0/8, separated by commas',
};

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

/** A list of texts separated by commas. */
export const list = (pattern: RegExp, accepts: string) => ({
  parse: (text: string) => {
    const items = text.split(',').map((item) => item.trim());
    return items.every((item) => pattern.test(item)) ? items : undefined;
  },
  accepts,
});
