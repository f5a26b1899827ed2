/**
 * @param {string} code - Lowered: outside of strings and patterns nothing stands in it that is not ASCII, but comments.
 * @returns {string} The same in ASCII, which Duktape reads.
 */
export function escaped(code) {
  return code.replace(/\\?[^\n\r\t\x20-\x7e]/g, (found) => {
    const character = found.length > 1 ? found.slice(1) : found;
    return Array.from({ length: character.length }, (_, i) => `\\u${character.charCodeAt(i).toString(16).padStart(4, '0')}`).join('');
  });
}
