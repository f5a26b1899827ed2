/*
 * Source maps (ECMA-426) as comments, which is how esbuild takes them.
 */
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/** Code with its map; esbuild takes the last comment of the kind, so whatever the code says itself does not count. */
export function withMap(code, map) {
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${Buffer.from(JSON.stringify({ ...map, sourcesContent: undefined })).toString('base64')}`;
}

/** A map that leads from the first line to one place; line and column count from 1. */
export function mapTo(source, line, column) {
  return { version: 3, sources: [source], names: [], mappings: [0, 0, line - 1, column - 1].map(digits).join('') };
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
