/*
 * Which modules of a bundle wait at their top level, by what esbuild tells of their imports.
 */
const STATIC = 'import-statement';

/**
 * @param {object} inputs - Of esbuild's metafile: id of a module to its imports.
 * @param {Set<string>} own - Ids of those that have `await` themselves.
 * @returns {{waits: Map<string, string[]>, required: {importer: string, specifier: string}[]}} For every module that
 *   imports one that waits, the specifiers, and `awaits:at ID` for the others in a cycle with it; and each require() of
 *   one, which cannot be.
 */
export function waiting(inputs, own) {
  const all = new Set(own);
  for (let size = -1; size !== all.size;) {
    size = all.size;
    for (const [id, { imports }] of Object.entries(inputs)) if (imports.some(({ path, kind }) => kind === STATIC && all.has(path))) all.add(id);
  }
  const next = (id) => inputs[id].imports.filter(({ path, kind }) => kind === STATIC && all.has(path)).map(({ path }) => path);
  const reached = new Map([...all].map((id) => [id, from(id, next)]));
  const cycle = (id) => [...reached.get(id)].filter((other) => other !== id && reached.get(other).has(id));
  const waits = new Map();
  const required = [];
  for (const [id, { imports }] of Object.entries(inputs)) {
    const needed = imports.filter(({ path, original }) => original !== undefined && all.has(path));
    const specifiers = [...new Set(needed.filter(({ kind }) => kind !== 'require-call').map(({ original }) => original))];
    // Whoever imports one of a cycle waits until the whole of it has finished.
    const others = needed.filter(({ path, kind }) => kind === STATIC && !(reached.get(id)?.has(path) && reached.get(path).has(id))).flatMap(({ path }) => cycle(path));
    if (specifiers.length > 0) waits.set(id, [...specifiers, ...new Set(others.map((one) => `awaits:at ${one}`))].sort());
    required.push(...needed.filter(({ kind }) => kind === 'require-call').map(({ original }) => ({ importer: id, specifier: original })));
  }
  return { waits, required };
}

function from(id, next) {
  const found = new Set();
  for (const waiting = [id]; waiting.length > 0;) {
    for (const one of next(waiting.pop())) {
      if (found.has(one)) continue;
      found.add(one);
      waiting.push(one);
    }
  }
  return found;
}
