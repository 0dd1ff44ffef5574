/**
 * The things of a list between two of them, both included, whichever comes first.
 * @template T
 * @param {T[]} list
 * @param {T} one
 * @param {T} other
 * @returns {T[]} only the other, if the one is not there any more
 */
export function range(list, one, other) {
  const [from, to] = [list.indexOf(one), list.indexOf(other)];
  if (from < 0) return [other];
  return list.slice(Math.min(from, to), Math.max(from, to) + 1);
}

/**
 * Some things of a list, evenly spread over it, the first among them.
 * @template T
 * @param {T[]} list
 * @param {number} count at most
 * @returns {T[]}
 */
export function spread(list, count) {
  if (list.length <= count) return list;
  return Array.from({ length: count }, (_, index) => list[Math.floor((index * list.length) / count)]);
}
