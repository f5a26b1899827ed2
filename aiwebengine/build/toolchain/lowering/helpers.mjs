/*
 * What Babel's lowered code calls, such as `asyncToGenerator`.
 *
 * Babel would write these functions into every file that needs them and lower them there, which takes about as long as
 * the file itself.  Here a file only names them, as globals that nobody has (`__helper_asyncToGenerator`); esbuild takes
 * what files name from one module.  The functions were lowered when the package was built: see helpers-module.mjs.
 */
/** How names begin by which files call helpers. */
export const HELPER = '__helper_';

/** The name by which files call a helper. */
export function helperName(name) {
  return HELPER + name;
}

/**
 * @returns A Babel plugin. Its option `helpers` is a list that is filled with the names of those that the file calls.
 */
export function sharedHelpers({ types: t }, { helpers }) {
  return {
    name: 'aiwebengine-helpers',
    pre(file) {
      file.set('helperGenerator', (name) => {
        if (!helpers.includes(name)) helpers.push(name);
        return t.identifier(helperName(name));
      });
    },
  };
}

export class Helpers {
  /**
   * @param {object} made - Of helpers-module.mjs: `exported`, the function that each helper is; `statements`, each with
   *   its `code`, what it `declares` and what of others it `uses`.
   */
  constructor({ exported, statements }) {
    this.exported = exported;
    this.statements = statements;
    this.declaring = new Map(statements.flatMap((one) => one.declares.map((name) => [name, one])));
  }

  /**
   * @param {Iterable<string>} names - Of helpers.
   * @returns {string} A module with these helpers and what they use.
   */
  module(names) {
    const given = [...names].map((name) => `${this.exported[name]} as ${helperName(name)}`);
    return [...this.needed(names), `export { ${given.join(', ')} };`].join('\n');
  }

  /**
   * @param {string[]} names - Of helpers.
   * @returns {string} Statements that declare these helpers, and nothing else.
   */
  block(names) {
    if (names.length === 0) return '';
    const given = names.map((name) => `${helperName(name)} = ${this.exported[name]};`);
    return `var ${names.map(helperName).join(', ')};\n(function () {\n${[...this.needed(names), ...given].join('\n')}\n}());\n`;
  }

  /* The statements that declare helpers and what they use, in their order. */
  needed(names) {
    const needed = new Set();
    const need = (name) => {
      const statement = this.declaring.get(name);
      if (statement === undefined || needed.has(statement)) return;
      needed.add(statement);
      statement.uses.forEach(need);
    };
    for (const name of names) need(this.exported[name]);
    return this.statements.filter((one) => needed.has(one)).map((one) => one.code);
  }
}
