/*
 * node:assert and node:assert/strict: the package `assert`.
 */
const assert = require('npm:assert');

for (const one of [assert, assert.strict]) {
  one.match ??= (text, pattern, message) => {
    if (!pattern.test(text)) one.fail(message ?? `The input did not match the regular expression ${pattern}. Input:\n\n'${text}'\n`);
  };
  one.doesNotMatch ??= (text, pattern, message) => {
    if (pattern.test(text)) one.fail(message ?? `The input was expected to not match the regular expression ${pattern}. Input:\n\n'${text}'\n`);
  };
}

module.exports = assert;
