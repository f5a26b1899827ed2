// --- a setter of the parent
class Base { told: unknown[] = []; set size(value: number) { this.told.push(value) } }
// @ts-ignore
class Box extends Base { size = 3; other = 1 }
const box = new Box(); out(Object.keys(box), box.told, Object.getOwnPropertyDescriptor(box, 'size') === undefined);

// --- fields without a value
class Bare { a: number; b = 1; declare c: number; static d: number; static e = 2; 'f g': string; }
out(Object.keys(new Bare()), 'd' in Bare, Bare.e);

// --- a parent that fills fields
class Loaded { constructor(values: object) { Object.assign(this, values) } }
class Row extends Loaded { id: number; name?: string; size = 5 }
out(new Row({ id: 1, name: 'x', size: 2 }));

// --- values that come from parameters
class Service { constructor(private readonly size: number, public word = 'w') {} get() { return this.size } }
class User { twice = this.service ? this.service.get() * 2 : 'no service'; constructor(private service: Service, twice: number) { out(twice) } }
out(new User(new Service(4), 9).twice);

// --- values and names of the constructor
const size = 'outer', text = 'outer too';
class Names { a = size; b = () => [text, this.a]; constructor(public c: string, other: number) { const inner = 'inner'; out(this.a, this.b(), inner, other, c) } }
out(Object.keys(new Names('c', 1)));

// --- below a parent
class Up { constructor(public up: number) {} }
class Down extends Up { sum = this.up + 1; constructor(public down: number, up: number) { 'use strict'; super(up); this.sum += this.down } both = [this.sum] }
out(new Down(10, 1));

// --- computed and private
const key = 'k'; class Odd { [key] = 1; #p = 2; static [key + 's'] = 3; static #q = 4; 0 = 'zero'; read() { return [this.#p, Odd.#q] } }
out(new Odd(), (Odd as any).ks, new Odd().read());

// --- static ones in order
class Order { static a = out('a'); static { out('block') } static b = Order.a === undefined ? 'b' : 'c'; static self = this === Order }
out(Order.b, Order.self);

// --- class expressions
const made = class Inner { x = 1; y = () => this.x; z?: number }; out(new made().y(), Object.keys(new made()), made.name);
