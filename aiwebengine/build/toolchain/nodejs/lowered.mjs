/*
 * Lowers what stands for a module of Node.js, when the package is built: see made.mjs.
 */
import { PLAIN } from '../bundling/project.mjs';
import { mentionsBigInt } from '../lowering/bigint/mentions.mjs';
import { lower } from '../lowering/lower.mjs';

/**
 * @param {string} name - Of the module.
 * @param {string} source - In today's language.
 * @returns {{code: string, helpers: string[]}}
 */
export function lowerNodeModule(name, source) {
  const { code, helpers, map, problems } = lower(`${name}.js`, source, { own: false, entry: false, commonjs: true, project: PLAIN, known: {}, advice: {}, bigint: mentionsBigInt(source), nodes: { members: {}, exports: {} } });
  const wrong = problems.filter(({ severity }) => severity !== 'warning');
  if (map === null || wrong.length > 0) throw new Error(`node:${name} cannot be lowered: ${JSON.stringify(problems)}`);
  return { code, helpers };
}
