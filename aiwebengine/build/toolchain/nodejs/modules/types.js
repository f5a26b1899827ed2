/*
 * node:util/types: what a value is, whatever its prototype says.
 */
const tag = (value) => Object.prototype.toString.call(value).slice(8, -1);
const isObject = (value) => (typeof value === 'object' && value !== null) || typeof value === 'function';

/* Whether a method or getter of a built-in class takes a value for one of its own. */
function takes(prototype, name, ...given) {
  const { get, value } = Object.getOwnPropertyDescriptor(prototype, name);
  const method = get ?? value;
  return (one) => {
    if (!isObject(one)) return false;
    try {
      method.call(one, ...given);
      return true;
    } catch {
      return false;
    }
  };
}

const isBuffer = (value) => value instanceof ArrayBuffer;
const typed = (name) => (value) => ArrayBuffer.isView(value) && !(value instanceof DataView) && value instanceof globalThis[name];
const boxed = (name) => { const made = takes(globalThis[name].prototype, 'valueOf'); return (value) => typeof value === 'object' && made(value); };
const TYPED = ['Int8Array', 'Uint8Array', 'Uint8ClampedArray', 'Int16Array', 'Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array'];
const BOXES = ['Number', 'String', 'Boolean', 'Symbol'];

const types = {
  isAnyArrayBuffer: isBuffer,
  isArrayBuffer: isBuffer,
  isSharedArrayBuffer: () => false,
  isArrayBufferView: (value) => ArrayBuffer.isView(value),
  isDataView: (value) => value instanceof DataView,
  isTypedArray: (value) => ArrayBuffer.isView(value) && !(value instanceof DataView),
  ...Object.fromEntries(TYPED.map((name) => [`is${name}`, typed(name)])),
  isBigInt64Array: (value) => value instanceof BigInt64Array,
  isBigUint64Array: (value) => value instanceof BigUint64Array,
  isDate: takes(Date.prototype, 'getTime'),
  isRegExp: (value) => isObject(value) && tag(value) === 'RegExp' && value instanceof RegExp,
  isMap: takes(Map.prototype, 'has', 0),
  isSet: takes(Set.prototype, 'has', 0),
  isWeakMap: takes(WeakMap.prototype, 'has', {}),
  isWeakSet: takes(WeakSet.prototype, 'has', {}),
  isMapIterator: (value) => isObject(value) && tag(value) === 'Map Iterator',
  isSetIterator: (value) => isObject(value) && tag(value) === 'Set Iterator',
  isPromise: (value) => value instanceof Promise,
  isNativeError: (value) => value instanceof Error,
  isArgumentsObject: (value) => isObject(value) && tag(value) === 'Arguments',
  isAsyncFunction: (value) => typeof value === 'function' && tag(value) === 'AsyncFunction',
  isGeneratorFunction: (value) => typeof value === 'function' && tag(value) === 'GeneratorFunction',
  isGeneratorObject: (value) => isObject(value) && tag(value) === 'Generator',
  isModuleNamespaceObject: (value) => isObject(value) && tag(value) === 'Module',
  ...Object.fromEntries(BOXES.map((name) => [`is${name}Object`, boxed(name)])),
  isBigIntObject: () => false,
  isProxy: () => false,
  isExternal: () => false,
  isCryptoKey: (value) => isObject(value) && /^Crypto\S+$/.test(tag(value)),
  isKeyObject: (value) => isObject(value) && tag(value) === 'KeyObject',
};
types.isBoxedPrimitive = (value) => BOXES.some((name) => types[`is${name}Object`](value));

module.exports = types;
