/*
 * util.inspect() and util.format(): values as Node.js shows them.
 */
const types = require('./types.js');

const CUSTOM = Symbol.for('nodejs.util.inspect.custom');
const PLAIN = /^[a-zA-Z_][a-zA-Z_0-9]*$/;
const COLOUR = /\u001b\[\d\d?m/g;
const ESCAPES = { '\b': '\\b', '\t': '\\t', '\n': '\\n', '\f': '\\f', '\r': '\\r', '\\': '\\\\' };
const BOXES = ['Number', 'String', 'Boolean', 'Symbol'];
const MOST_COLUMNS = 15;
const SEPARATOR = 2;
const BIAS = 3;

const DEFAULTS = { showHidden: false, depth: 2, colors: false, customInspect: true, showProxy: false, maxArrayLength: 100, maxStringLength: 10000, breakLength: 128, compact: 3, sorted: false, getters: false, numericSeparator: false };

const codes = {
  reset: [0, 0], bold: [1, 22], dim: [2, 22], italic: [3, 23], underline: [4, 24], inverse: [7, 27], hidden: [8, 28], strikethrough: [9, 29],
  black: [30, 39], red: [31, 39], green: [32, 39], yellow: [33, 39], blue: [34, 39], magenta: [35, 39], cyan: [36, 39], white: [37, 39], gray: [90, 39], grey: [90, 39],
  redBright: [91, 39], greenBright: [92, 39], yellowBright: [93, 39], blueBright: [94, 39], magentaBright: [95, 39], cyanBright: [96, 39], whiteBright: [97, 39],
  bgBlack: [40, 49], bgRed: [41, 49], bgGreen: [42, 49], bgYellow: [43, 49], bgBlue: [44, 49], bgMagenta: [45, 49], bgCyan: [46, 49], bgWhite: [47, 49],
};
const styles = { special: 'cyan', number: 'yellow', bigint: 'yellow', boolean: 'yellow', undefined: 'grey', null: 'bold', string: 'green', symbol: 'green', date: 'magenta', regexp: 'red', module: 'underline' };

const own = (object, key) => Object.getOwnPropertyDescriptor(object, key);
const seen = (text) => text.replace(COLOUR, '').length;

class Shown {
  constructor(options) {
    Object.assign(this, DEFAULTS, inspect.defaultOptions, options);
    this.options = options ?? {};
    for (const name of ['depth', 'maxArrayLength', 'maxStringLength', 'breakLength']) this[name] ??= Infinity;
    this.open = []; // the objects around what is shown
    this.circular = new Map();
    this.indentation = 0;
    this.deepest = 0;
  }

  style(text, kind) {
    const code = this.colors ? codes[styles[kind]] : undefined;
    return code === undefined ? text : `\u001b[${code[0]}m${text}\u001b[${code[1]}m`;
  }

  value(value, level, typed = false) {
    if (value === null) return this.style('null', 'null');
    if (typeof value !== 'object' && typeof value !== 'function') return this.primitive(value);
    const custom = this.customInspect ? value[CUSTOM] : undefined;
    if (typeof custom === 'function' && custom !== inspect && !(value.constructor?.prototype === value)) {
      const depth = this.depth === Infinity ? Infinity : this.depth - level;
      const { open, circular, indentation, deepest, options, ...given } = this;
      const made = custom.call(value, depth, { ...given, ...options, depth, stylize: (text, kind) => this.style(text, kind) }, inspect);
      if (made !== value) return typeof made === 'object' && made !== null ? this.value(made, level) : String(made).replaceAll('\n', `\n${' '.repeat(this.indentation)}`);
    }
    if (this.open.includes(value)) {
      if (!this.circular.has(value)) this.circular.set(value, this.circular.size + 1);
      return this.style(`[Circular *${this.circular.get(value)}]`, 'special');
    }
    return this.object(value, level, typed);
  }

  primitive(value) {
    if (typeof value === 'string') return this.string(value);
    if (typeof value === 'number') return this.style(Object.is(value, -0) ? '-0' : String(value), 'number');
    if (typeof value === 'symbol') return this.style(value.toString(), 'symbol');
    return this.style(typeof value === 'bigint' ? `${value}n` : String(value), typeof value);
  }

  string(value) {
    const rest = value.length - this.maxStringLength;
    const text = rest > 0 ? value.slice(0, this.maxStringLength) : value;
    const more = rest > 0 ? `... ${rest} more character${rest > 1 ? 's' : ''}` : '';
    if (text.length > 16 && text.length > this.breakLength - this.indentation - 4 && this.compact !== true) {
      return text.match(/[^\n]*\n|[^\n]+/g).map((line) => this.style(quoted(line), 'string')).join(` +\n${' '.repeat(this.indentation + 2)}`) + more;
    }
    return this.style(quoted(text), 'string') + more;
  }

  object(value, level, typed) {
    const name = nameOf(value);
    const { base, braces, entries, list = false } = this.kind(value, name, level);
    const keys = this.keys(value, list || ArrayBuffer.isView(value) || types.isStringObject(value));
    const nothing = keys.length === 0 && (entries === undefined || value.length === 0 || value.size === 0);
    if (nothing && (base === '' || entries === undefined)) return base === '' ? `${braces[0]}${braces[1]}` : base;
    if (level > this.depth) return this.style(`[${Array.isArray(value) ? 'Array' : tagged(value, name, 'Object').trim()}]`, 'special');
    this.open.push(value);
    this.deepest = level;
    const output = entries === undefined ? [] : entries(level + 1);
    output.push(...keys.map((key) => this.property(value, key, level + 1, false)));
    this.open.pop();
    if (this.sorted) output.push(...output.splice(list ? output.length - keys.length : 0).sort(typeof this.sorted === 'function' ? this.sorted : undefined));
    const reference = this.circular.get(value);
    const mark = reference === undefined ? '' : this.style(`<ref *${reference}>`, 'special');
    if (mark === '') return this.joined(output, base, braces, list, level, value);
    if (this.compact === true) return this.joined(output, base, [`${mark} ${braces[0]}`, braces[1]], list, level, value);
    return this.joined(output, base === '' ? mark : `${mark} ${base}`, braces, list, level, value);
  }

  /* How a value begins and ends, and what it holds beside its properties. */
  kind(value, name, level) {
    const before = (fallback, size = '') => `${tagged(value, name, fallback, size)}`;
    if (Array.isArray(value)) return { base: '', braces: [name === 'Array' ? '[' : `${before('Array', `(${value.length})`)}[`, ']'], entries: (depth) => this.items(value, depth), list: true };
    if (types.isTypedArray(value)) return { base: '', braces: [`${before(name ?? 'TypedArray', `(${value.length})`)}[`, ']'], entries: () => this.items(value, level), list: true };
    if (types.isSet(value)) return { base: '', braces: [`${before('Set', `(${value.size})`)}{`, '}'], entries: (depth) => this.indented(() => [...value].map((one) => this.value(one, depth))) };
    if (types.isMap(value)) return { base: '', braces: [`${before('Map', `(${value.size})`)}{`, '}'], entries: (depth) => this.indented(() => [...value].map(([key, one]) => `${this.value(key, depth)} => ${this.value(one, depth)}`)) };
    if (typeof value === 'function') return { base: this.style(this.functionOf(value, name), 'special'), braces: ['{', '}'] };
    if (types.isRegExp(value)) return { base: this.style(String(value), 'regexp'), braces: ['{', '}'] };
    if (types.isDate(value)) return { base: this.style(Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString(), 'date'), braces: ['{', '}'] };
    if (types.isNativeError(value)) return { base: this.error(value), braces: ['{', '}'], ...(value.cause !== undefined && !own(value, 'cause')?.enumerable ? { entries: (depth) => [`[cause]: ${this.value(value.cause, depth)}`] } : {}) };
    if (value instanceof ArrayBuffer) return { base: '', braces: [`${before('ArrayBuffer')}{`, '}'], entries: () => [`[Uint8Contents]: <${[...new Uint8Array(value).subarray(0, 50)].map((one) => one.toString(16).padStart(2, '0')).join(' ')}>`, `byteLength: ${this.primitive(value.byteLength)}`] };
    for (const box of BOXES) {
      if (types[`is${box}Object`](value)) return { base: this.style(`[${box}: ${inspect(globalThis[box].prototype.valueOf.call(value))}]`, box.toLowerCase()), braces: ['{', '}'] };
    }
    if (types.isArgumentsObject(value)) return { base: '', braces: ['[Arguments] [', ']'], entries: (depth) => this.items(value, depth), list: true };
    const start = name === 'Object' && tagOf(value, name) === '' ? '' : before('Object');
    return { base: '', braces: [`${start}{`, '}'] };
  }

  functionOf(value, name) {
    const prototype = own(value, 'prototype');
    const isClass = prototype !== undefined && !prototype.writable && globalThis[value.name] !== value;
    if (isClass) {
      const parent = Object.getPrototypeOf(value);
      return `[class ${value.name || '(anonymous)'}${parent?.name ? ` extends ${parent.name}` : ''}]`;
    }
    return `[${name === null ? 'Function (null prototype)' : 'Function'}${value.name ? `: ${value.name}` : ' (anonymous)'}]`;
  }

  error(value) {
    const stack = typeof value.stack === 'string' && value.stack !== '' ? value.stack : Error.prototype.toString.call(value);
    const text = /\n {4}at /.test(stack) ? stack : `[${stack}]`;
    return this.indentation === 0 ? text : text.replaceAll('\n', `\n${' '.repeat(this.indentation)}`);
  }

  indented(make) {
    this.indentation += 2;
    const made = make();
    this.indentation -= 2;
    return made;
  }

  items(value, level) {
    const made = [];
    const most = Math.min(Math.max(0, this.maxArrayLength), value.length);
    let at = 0;
    while (at < value.length && made.length < most) {
      if (Object.hasOwn(value, at) || ArrayBuffer.isView(value)) {
        made.push(this.property(value, at, level, true));
        at += 1;
        continue;
      }
      const begun = at;
      while (at < value.length && !Object.hasOwn(value, at)) at += 1;
      made.push(this.style(`<${at - begun} empty item${at - begun > 1 ? 's' : ''}>`, 'undefined'));
    }
    const rest = value.length - at;
    if (rest > 0) made.push(`... ${rest} more item${rest > 1 ? 's' : ''}`);
    return made;
  }

  keys(value, isList) {
    const names = this.showHidden ? Object.getOwnPropertyNames(value) : Object.keys(value);
    const symbols = Object.getOwnPropertySymbols(value).filter((one) => this.showHidden || own(value, one)?.enumerable);
    const shown = names.filter((one) => !(isList && /^(?:0|[1-9]\d*)$/.test(one)));
    return [...(types.isNativeError(value) ? shown.filter((one) => !['stack', 'message'].includes(one)) : shown), ...symbols];
  }

  property(value, key, level, isItem) {
    const descriptor = own(value, key) ?? { value: value[key], enumerable: true };
    const text = descriptor.get === undefined && descriptor.set === undefined ? this.nested(descriptor.value, level, isItem) : this.accessor(value, key, descriptor, level);
    if (isItem) return text;
    const plain = typeof key === 'symbol' ? this.style(key.toString(), 'symbol') : key === '__proto__' ? "['__proto__']" : PLAIN.test(key) ? key : this.style(quoted(key), 'string');
    const name = typeof key !== 'symbol' && !descriptor.enumerable ? `[${key}]` : plain;
    return `${name}: ${text}`;
  }

  nested(value, level, isItem) {
    const more = this.compact === true && isItem ? 0 : 2;
    this.indentation += more;
    const text = this.value(value, level);
    this.indentation -= more;
    return text;
  }

  accessor(value, key, { get, set }, level) {
    if (get === undefined) return this.style('[Setter]', 'special');
    const kind = set === undefined ? 'Getter' : 'Getter/Setter';
    if (!this.getters || (this.getters === 'get' && set !== undefined) || (this.getters === 'set' && set === undefined)) return this.style(`[${kind}]`, 'special');
    try {
      return `${this.style(`[${kind}:`, 'special')} ${this.nested(get.call(value), level, false)}${this.style(']', 'special')}`;
    } catch (error) {
      return `${this.style(`[${kind}: <Inspection threw (${error.message})>]`, 'special')}`;
    }
  }

  /* What an object holds on one line if it fits, and otherwise on several. */
  joined(given, base, braces, isList, level, value) {
    const before = base === '' ? '' : `${base} `;
    let output = given;
    if (typeof this.compact === 'number' && this.compact >= 1) {
      if (isList && output.length > 6) output = this.grouped(output, value);
      if (this.deepest - level < this.compact && output.length === given.length) {
        const start = output.length + this.indentation + braces[0].length + base.length + 10;
        const length = output.reduce((sum, one) => sum + seen(one), output.length + start);
        const line = output.join(', ');
        if (length + output.length <= this.breakLength + output.length && !base.includes('\n') && !line.includes('\n')) return `${before}${braces[0]} ${line} ${braces[1]}`;
      }
    } else if (this.compact === true) {
      const line = `${braces[0]}${before === '' ? '' : ` ${base}`} ${output.join(', ')} ${braces[1]}`;
      if (line.length <= this.breakLength && !line.includes('\n')) return line;
    }
    const indentation = `\n${' '.repeat(this.indentation)}`;
    return `${before}${braces[0]}${indentation}  ${output.join(`,${indentation}  `)}${indentation}${braces[1]}`;
  }

  /* The items of a long list in columns. */
  grouped(output, value) {
    const hasMore = this.maxArrayLength < output.length;
    const items = hasMore ? output.slice(0, -1) : output;
    const lengths = items.map(seen);
    const longest = Math.max(...lengths) + SEPARATOR;
    const total = lengths.reduce((sum, one) => sum + one + SEPARATOR, 0);
    if (longest * 3 + this.indentation >= this.breakLength || (total / longest <= 5 && longest - SEPARATOR > 6)) return output;
    const usual = Math.max(longest - BIAS - Math.sqrt(longest - total / output.length), 1);
    const columns = Math.min(Math.round(Math.sqrt(2.5 * usual * items.length) / usual), Math.floor((this.breakLength - this.indentation) / longest), this.compact * 4, MOST_COLUMNS);
    if (columns <= 1) return output;
    const widths = Array.from({ length: columns }, (_, at) => Math.max(...lengths.filter((_one, index) => index % columns === at)) + SEPARATOR);
    const toRight = items.every((_, at) => typeof value[at] === 'number' || typeof value[at] === 'bigint');
    const lines = [];
    for (let at = 0; at < items.length; at += columns) {
      const row = items.slice(at, at + columns);
      lines.push(row.map((one, index) => {
        const last = index === row.length - 1;
        const space = ' '.repeat(Math.max(0, widths[index] - (last ? SEPARATOR : 0) - lengths[at + index] - (last ? 0 : SEPARATOR)));
        if (toRight) return `${space}${one}${last ? '' : ', '}`;
        return last ? one : `${one}, ${space}`;
      }).join(''));
    }
    return hasMore ? [...lines, output.at(-1)] : lines;
  }
}

function quoted(text) {
  const mark = !text.includes("'") ? "'" : !text.includes('"') ? '"' : !text.includes('`') && !text.includes('${') ? '`' : "'";
  const escaped = text.replace(/[\u0000-\u001f\\\u007f-\u009f]/g, (one) => ESCAPES[one] ?? `\\x${one.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`);
  const whole = escaped.isWellFormed() ? escaped : Array.from(escaped, (one) => (one.isWellFormed() ? one : `\\u${one.charCodeAt(0).toString(16).toUpperCase()}`)).join('');
  return mark + (mark === "'" ? whole.replaceAll("'", "\\'") : whole) + mark;
}

/* The class of a value; null if it has no prototype. */
function nameOf(value) {
  for (let at = value; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = own(at, 'constructor');
    if (typeof descriptor?.value === 'function' && descriptor.value.name !== '') return descriptor.value.name;
  }
  return null;
}

function tagOf(value, name) {
  const tag = value[Symbol.toStringTag];
  return typeof tag === 'string' && tag !== '' && tag !== name ? tag : '';
}

/* What stands before the brace: `Name `, `Name(2) `, `Name [tag] `. */
function tagged(value, name, fallback, size = '') {
  const tag = tagOf(value, name);
  return `${name === null ? `[${fallback}${size}: null prototype]` : `${name}${size}`}${tag === '' ? '' : ` [${tag}]`} `;
}

function inspect(value, options, ...older) {
  const [depth, colors] = older;
  const given = typeof options === 'boolean' ? { showHidden: options } : { ...options };
  if (depth !== undefined) given.depth = depth;
  if (colors !== undefined) given.colors = colors;
  const shown = new Shown(given);
  return shown.value(value, 0);
}
inspect.custom = CUSTOM;
inspect.colors = codes;
inspect.styles = styles;
inspect.defaultOptions = { ...DEFAULTS };

/* A string where a %s stands. */
function plain(value, options) {
  if (typeof value === 'bigint') return `${value}n`;
  if (typeof value === 'number') return Object.is(value, -0) ? '-0' : String(value);
  if (typeof value !== 'object' && typeof value !== 'function') return String(value);
  const hasOwnText = value !== null && typeof value.toString === 'function' && value.toString !== Object.prototype.toString && value.toString !== Array.prototype.toString && !(typeof value === 'function');
  return hasOwnText ? String(value) : inspect(value, { ...options, depth: 0, colors: false, compact: 3 });
}

const number = (value, read) => (typeof value === 'bigint' ? `${value}n` : typeof value === 'symbol' ? 'NaN' : String(read(value)));
const DIRECTIVES = {
  s: plain,
  d: (value) => (typeof value === 'object' ? String(NaN) : number(value, Number)),
  i: (value) => (typeof value === 'object' ? String(NaN) : number(value, parseInt)),
  f: (value) => (typeof value === 'symbol' ? 'NaN' : String(parseFloat(value))),
  j(value) {
    try {
      return JSON.stringify(value);
    } catch (error) {
      if (/circular|cyclic/i.test(error.message)) return '[Circular]';
      throw error;
    }
  },
  o: (value, options) => inspect(value, { ...options, showHidden: true, showProxy: true, depth: 4 }),
  O: inspect,
  c: () => '',
};

function formatWithOptions(options, first, ...rest) {
  const values = [...rest];
  const shown = (one) => (typeof one === 'string' ? one : inspect(one, { ...options, compact: 3, colors: options?.colors ?? false }));
  if (arguments.length === 1) return '';
  if (typeof first !== 'string') return [first, ...values].map(shown).join(' ');
  if (values.length === 0) return first;
  const text = first.replace(/%[sdifjoOc%]/g, (one) => {
    if (one === '%%') return '%';
    return values.length === 0 ? one : DIRECTIVES[one[1]](values.shift(), options);
  });
  return [text, ...values.map(shown)].join(' ');
}

const format = (...given) => formatWithOptions(undefined, ...given);

const CONTROL = /[\u001b\u009b][[\]()#;?]*(?:(?:(?:(?:;[-a-zA-Z\d/#&.:=?%@~_]+)*|[a-zA-Z\d]+(?:;[-a-zA-Z\d/#&.:=?%@~_]*)*)?\u0007)|(?:(?:\d{1,4}(?:;\d{0,4})*)?[\dA-PR-TZcf-ntqry=><~]))/g;

module.exports = { inspect, format, formatWithOptions, stripVTControlCharacters: (text) => text.replace(CONTROL, '') };
