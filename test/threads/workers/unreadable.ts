import { BlockList } from 'node:net';

/** An object that Node sends to another thread, where it finds no class for it. */
export function unreadable(): BlockList {
  const list = new BlockList();
  const symbols = Object.getOwnPropertySymbols(BlockList.prototype);
  const clone = symbols.find(({ description }) => description === 'messaging_clone_symbol') as symbol;
  return Object.defineProperty(list, clone, {
    value: () => ({ data: {}, deserializeInfo: 'internal/none:None' }),
  });
}
