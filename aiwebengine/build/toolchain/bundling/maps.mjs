/*
 * Source maps (ECMA-426) as comments, which is how esbuild takes them.
 */
import { ADDED } from '../lowering/places.mjs';

const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * Code with its map; esbuild takes the last comment of the kind, so whatever the code says itself does not count.
 *
 * @param {string} name - What the author's file is called in the map.
 */
export function withMap(code, map, name) {
  const sources = map.sources.map((one) => (one === ADDED ? `${ADDED}:` : name));
  const text = JSON.stringify({ ...map, sources, sourcesContent: undefined });
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(text).toString('base64')}`;
}

/**
 * A program's map as stacks need it: for each line its first place in an author's file, if it has one.
 *
 * @param {object} map - Of esbuild.
 * @param {function(string): string|null} nameOf - The file that a source of the map is, null for none.
 * @param {function(string): Array[]} functionsOf - Its functions (see places.mjs).
 * @returns {object} A map; its `functions` holds those of each source.
 */
export function placesOnly(map, nameOf, functionsOf) {
  const sources = [];
  const indexes = new Map();
  const names = map.sources.map(nameOf);
  let [source, line, column] = [0, 0, 0];
  let [lastSource, lastLine, lastColumn] = [0, 0, 0];
  const mappings = map.mappings.split(';').map((group) => {
    let first = null;
    for (const segment of group ? group.split(',') : []) {
      const numbers = decoded(segment);
      if (numbers.length < 4) continue;
      source += numbers[1];
      line += numbers[2];
      column += numbers[3];
      if (names[source] !== null) first ??= [names[source], line, column];
    }
    if (first === null) return '';
    const [name, atLine, atColumn] = first;
    if (!indexes.has(name)) indexes.set(name, sources.push(name) - 1);
    const vlq = [0, indexes.get(name) - lastSource, atLine - lastLine, atColumn - lastColumn].map(digits).join('');
    [lastSource, lastLine, lastColumn] = [indexes.get(name), atLine, atColumn];
    return vlq;
  });
  return { version: 3, sources, names: [], mappings: mappings.join(';'), functions: sources.map(functionsOf) };
}

/**
 * Read what `placesOnly` has made.
 *
 * @returns {function(number): number[]|null} For a line, from 0, its source, line and column, from 0; null if it has none.
 */
export function placesOf({ mappings }) {
  let [source, line, column] = [0, 0, 0];
  const places = mappings.split(';').map((group) => {
    if (group === '') return null;
    const [, bySource, byLine, byColumn] = decoded(group);
    [source, line, column] = [source + bySource, line + byLine, column + byColumn];
    return [source, line, column];
  });
  return (number) => places[number] ?? null;
}

/** A map that leads from the first line to one place; line and column count from 1. */
export function mapTo(line, column) {
  return { version: 3, sources: [''], names: [], mappings: [0, 0, line - 1, column - 1].map(digits).join('') };
}

function digits(number) {
  let rest = number < 0 ? (-number << 1) | 1 : number << 1;
  let text = '';
  do {
    text += DIGITS[(rest & 31) | (rest > 31 ? 32 : 0)];
    rest >>>= 5;
  } while (rest > 0);
  return text;
}

function decoded(segment) {
  const numbers = [];
  let [value, shift] = [0, 0];
  for (const character of segment) {
    const digit = DIGITS.indexOf(character);
    value |= (digit & 31) << shift;
    if (digit & 32) {
      shift += 5;
      continue;
    }
    numbers.push(value & 1 ? -(value >>> 1) : value >>> 1);
    [value, shift] = [0, 0];
  }
  return numbers;
}
