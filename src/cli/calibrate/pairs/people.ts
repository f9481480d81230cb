/**
 * Numbers the people behind the pictures. Where nobody says who is on a picture, the pairs do: pictures that are linked
 * by pairs of one person, or that are the same file, show one person. Two such groups may still be one person that no
 * pair links.
 *
 * @param pairs [{a, b, same}]. @param personOf name → person, where it is known. @param fileOf name → hash of the file.
 * @returns {personOf: name → number, people: how many}.
 */
export function numberPeople(pairs, { personOf, fileOf }) {
  const parents = new Map();
  const rootOf = (key) => {
    let root = key;
    while (parents.get(root) !== root) root = parents.get(root);
    // The next look-up is short.
    for (let at = key; at !== root; ) {
      const next = parents.get(at);
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  const keyOf = (name) => {
    const key = personOf ? `person ${personOf(name)}` : `file ${fileOf(name)}`;
    if (!parents.has(key)) parents.set(key, key);
    return key;
  };
  for (const { a, b, same } of pairs) {
    const [first, second] = [rootOf(keyOf(a)), rootOf(keyOf(b))];
    if (same && first !== second) parents.set(first, second);
  }
  const numbers = new Map();
  const numberOf = (name) => {
    const root = rootOf(keyOf(name));
    if (!numbers.has(root)) numbers.set(root, numbers.size);
    return numbers.get(root);
  };
  for (const { a, b } of pairs) {
    numberOf(a);
    numberOf(b);
  }
  return { personOf: numberOf, people: numbers.size };
}
