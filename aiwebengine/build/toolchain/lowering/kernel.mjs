/*
 * What stands for the sandbox's kernel when a file of its prelude runs in the build.
 */

export const kernel = {
  captured: {
    exec: (pattern, text) => pattern.exec(text),
    test: (pattern, text) => pattern.test(text),
    indexOf: (text, wanted, from) => text.indexOf(wanted, from),
    charCodeAt: (text, at) => text.charCodeAt(at),
    slice: (text, from, to) => text.slice(from, to),
  },
};

export { kernel as __kernel };
