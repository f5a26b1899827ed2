// --- accessors of a decorator
function observed(target: any, key: string) { let kept: any; Object.defineProperty(target, key, { configurable: true, enumerable: true, get() { return kept }, set(value) { out('set', key, value); kept = value } }) }
class Model { @observed count = 1; @observed name!: string; plain = 2 }
const model = new Model(); model.count += 1; out(model.count, Object.keys(model));

// --- what a decorator is given
function given(...all: unknown[]): void { out(all.length, String(all[1]), typeof all[2]) }
class Given { @given a = 1; @given static b = 2; @given 'c d': number; @given m() {} }
out(Object.keys(new Given()), Given.b);

// --- several, and with arguments
const say = (word: string) => { out('made', word); return (_: any, key: string) => { out('used', word, key) } };
class Several { @say('one') @say('two') field = 1 }
out(new Several().field);

// --- a descriptor
const fixed = (value: number) => (_: any, key: string): any => ({ get: () => value, set: (other: number) => { out('refused', key, other) }, configurable: true });
class Fixed { @fixed(7) size = 1; @fixed(8) other: number }
out(new Fixed().size, new Fixed().other);
