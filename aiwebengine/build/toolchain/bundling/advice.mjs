/*
 * What to write instead of imports that cannot be had.
 */
import { builtinModules } from 'node:module';

const BUILT_IN = new Set(builtinModules.map((one) => one.split('/')[0]));

/** The module of Node.js that a specifier names, such as `fs` for `node:fs/promises`; null if it names none. */
export function builtIn(specifier) {
  const bare = specifier.replace(/^node:/, '').split('/')[0];
  return specifier.startsWith('node:') || BUILT_IN.has(bare) ? bare : null;
}

/** What takes the place of a module of Node.js, by what the engine advises (`node:fs`: ...). */
export function insteadOf(name, advice) {
  return advice[`node:${name}`] ?? 'Look in the reference for what replaces it.';
}

/**
 * What is wrong with an import that begins like an address, such as `npm:zod@3` or `https://esm.sh/zod`.
 *
 * @returns {{message: string, hint: string}|null} null if it is none.
 */
export function addressAdvice(specifier) {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(specifier)?.[1].toLowerCase();
  if (scheme === undefined || scheme === 'node') return null;
  if (scheme === 'npm' || scheme === 'jsr') {
    const match = /^[a-z]+:\/?(@[^/@]+\/[^/@]+|[^/@]+)(?:@([^/]+))?(\/.*)?$/i.exec(specifier);
    if (scheme === 'npm' && match !== null) return declare(`"npm:" is how Deno names packages.`, match[1], match[2], match[3]);
    return { message: '"jsr:" is how Deno names packages of the registry JSR.', hint: 'Import a package of npm that is in the dependencies of package.json.' };
  }
  if (scheme === 'http' || scheme === 'https') {
    const match = /^https?:\/\/(?:esm\.sh|cdn\.skypack\.dev|unpkg\.com|esm\.run|(?:cdn|esm)\.jsdelivr\.net\/npm|jspm\.dev|ga\.jspm\.io\/npm:?)\/?(@[^/@?]+\/[^/@?]+|[^/@?]+)(?:@([^/?]+))?/i.exec(specifier);
    if (match !== null) return declare('Scripts cannot import from the network.', match[1], match[2], '');
    return { message: 'Scripts cannot import from the network.', hint: 'Deploy the file with the script and import it by its path, or add the package to the dependencies of package.json.' };
  }
  if (scheme === 'file') return { message: 'Scripts cannot import files of the server.', hint: 'Deploy the file with the script and import it by its path, such as "./data.json".' };
  if (scheme === 'data') return { message: 'Imports of data: URLs are not available.', hint: 'Put the content into a file of the script and import that.' };
  return { message: `"${scheme}:" modules belong to another system and do not exist here.`, hint: 'Look in the reference for what replaces it.' };
}

function declare(message, name, version, sub) {
  return { message, hint: `Write import ... from "${name}${sub ?? ''}", and in package.json "dependencies": { "${name}": "${version || '...'}" }.` };
}
