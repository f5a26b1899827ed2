/*
 * Promise, written for this engine: ECMA-262 section 27.2, with short ways where nobody can tell.
 *
 * core-js's Promise costs several times as much for a chain of awaits, and every async handler is
 * one.  State lies under symbols on the promise itself (assigning is cheaper than defining, and
 * symbols stay out of keys and JSON).  This file runs before core.js, which then keeps this Promise;
 * `Symbol.species` and `Symbol.iterator` are therefore looked up when they are needed.
 *
 * Calls K.microtask(job, a, b, c) to queue work, K.onRejected(promise, reason) when a promise is
 * rejected that nobody listens to, and K.onHandled(promise) when somebody does afterwards.
 */
(function (K) {
    'use strict';

    var STATE = K.secret('promise state'), VALUE = K.secret('promise value'), QUEUE = K.secret('promise reactions'), HANDLED = K.secret('promise handled');
    var PENDING = 0, FULFILLED = 1, REJECTED = 2;
    var defineProperty = Object.defineProperty, isArray = Array.isArray;
    var INTERNAL = function () {};

    function Promise(executor) {
        if (!(this instanceof Promise)) throw new TypeError("Class constructor Promise cannot be invoked without 'new'");
        this[STATE] = PENDING;
        if (executor === INTERNAL) return;
        if (typeof executor !== 'function') throw new TypeError('Promise resolver ' + describe(executor) + ' is not a function');
        var settle = resolvers(this);
        try {
            executor(settle.resolve, settle.reject);
        } catch (error) {
            settle.reject(error);
        }
    }

    function describe(value) {
        return value === null || typeof value !== 'object' ? String(value) : '#<Object>';
    }

    function isPromise(value) {
        return value !== null && typeof value === 'object' && hasState(value);
    }
    /* A symbol read on a Proxy would run its traps, so the brand is checked by instanceof's cheaper cousin first. */
    function hasState(value) {
        return value[STATE] !== undefined;
    }

    /*
     * Only a getter `then` can call these again before they return.  Otherwise they are done at their end: one that
     * finds the call stack full can then still be rejected by whoever catches that, and nobody waits for ever.
     */
    function resolvers(promise) {
        var done = false;
        return {
            resolve: function (value) {
                if (done) return;
                if (value === null || (typeof value !== 'object' && typeof value !== 'function')) settle(promise, FULFILLED, value);
                else {
                    done = true;
                    resolvePromise(promise, value);
                }
                done = true;
            },
            reject: function (reason) {
                if (done) return;
                rejectPromise(promise, reason);
                done = true;
            }
        };
    }

    function resolvePromise(promise, value) {
        if (value === promise) { rejectPromise(promise, new TypeError('Chaining cycle detected for promise')); return; }
        if (value === null || (typeof value !== 'object' && typeof value !== 'function')) { settle(promise, FULFILLED, value); return; }
        var then;
        try {
            then = value.then;
        } catch (error) {
            rejectPromise(promise, error);
            return;
        }
        if (typeof then !== 'function') { settle(promise, FULFILLED, value); return; }
        K.microtask(adopt, promise, value, then);
    }

    function adopt(promise, thenable, then) {
        if (then === prototypeThen && hasState(thenable)) {
            react(thenable, { kind: ADOPT, target: promise });
            return;
        }
        var functions = resolvers(promise);
        try {
            then.call(thenable, functions.resolve, functions.reject);
        } catch (error) {
            functions.reject(error);
        }
    }

    function rejectPromise(promise, reason) {
        settle(promise, REJECTED, reason);
        if (!promise[HANDLED]) K.onRejected(promise, reason);
    }

    function settle(promise, state, value) {
        var queue = promise[QUEUE];
        promise[STATE] = state;
        promise[VALUE] = value;
        if (queue === undefined) return;
        if (!isArray(queue)) K.microtask(run, queue, state, value);
        else for (var i = 0; i < queue.length; i++) K.microtask(run, queue[i], state, value);
        promise[QUEUE] = undefined;
    }

    var ADOPT = 1, PLAIN = 2, FOREIGN = 3, LISTEN = 4;

    /* One reaction is kept bare, several in a list: most promises have one. */
    function react(promise, reaction) {
        var state = promise[STATE];
        if (state === PENDING) {
            var queue = promise[QUEUE];
            if (queue === undefined) promise[QUEUE] = reaction;
            else if (isArray(queue)) queue[queue.length] = reaction;
            else promise[QUEUE] = [queue, reaction];
        } else {
            if (state === REJECTED && !promise[HANDLED]) K.onHandled(promise);
            K.microtask(run, reaction, state, promise[VALUE]);
        }
        if (!promise[HANDLED]) promise[HANDLED] = true;
    }

    function run(reaction, state, value) {
        var target = reaction.target;
        if (reaction.kind === ADOPT) {
            if (state === FULFILLED) settle(target, FULFILLED, value);
            else rejectPromise(target, value);
            return;
        }
        var handler = state === FULFILLED ? reaction.fulfilled : reaction.rejected, result;
        if (reaction.kind === LISTEN) { handler(value, reaction.target); return; }
        if (handler === undefined) {
            if (reaction.kind === FOREIGN) (state === FULFILLED ? target.resolve : target.reject)(value);
            else if (state === FULFILLED) resolvePromise(target, value);
            else rejectPromise(target, value);
            return;
        }
        try {
            result = handler(value);
        } catch (error) {
            if (reaction.kind === FOREIGN) target.reject(error);
            else rejectPromise(target, error);
            return;
        }
        if (reaction.kind === FOREIGN) target.resolve(result);
        else resolvePromise(target, result);
    }

    function species(promise) {
        var constructor = promise.constructor;
        if (constructor === Promise || constructor === undefined) return Promise;
        if (constructor === null || (typeof constructor !== 'object' && typeof constructor !== 'function')) throw new TypeError('The .constructor property is not an object');
        var other = constructor[Symbol.species];
        return other === undefined || other === null ? Promise : other;
    }

    function capability(Constructor) {
        if (typeof Constructor !== 'function') throw new TypeError(describe(Constructor) + ' is not a constructor');
        var made = { promise: undefined, resolve: undefined, reject: undefined };
        made.promise = new Constructor(function (resolve, reject) {
            if (made.resolve !== undefined || made.reject !== undefined) throw new TypeError('Promise executor has already been invoked with non-undefined arguments');
            made.resolve = resolve;
            made.reject = reject;
        });
        if (typeof made.resolve !== 'function' || typeof made.reject !== 'function') throw new TypeError('Promise resolve or reject function is not callable');
        return made;
    }

    function prototypeThen(fulfilled, rejected) {
        if (!isPromise(this)) throw new TypeError('Method Promise.prototype.then called on incompatible receiver ' + describe(this));
        var Constructor = species(this);
        var reaction = {
            kind: PLAIN,
            target: undefined,
            fulfilled: typeof fulfilled === 'function' ? fulfilled : undefined,
            rejected: typeof rejected === 'function' ? rejected : undefined
        };
        if (Constructor === Promise) {
            var result = new Promise(INTERNAL);
            reaction.target = result;
            react(this, reaction);
            return result;
        }
        var made = capability(Constructor);
        reaction.kind = FOREIGN;
        reaction.target = made;
        react(this, reaction);
        return made.promise;
    }

    function resolveWith(Constructor, value) {
        if (isPromise(value) && value.constructor === Constructor) return value;
        if (Constructor === Promise) {
            var promise = new Promise(INTERNAL);
            resolvePromise(promise, value);
            return promise;
        }
        var made = capability(Constructor);
        made.resolve(value);
        return made.promise;
    }

    function method(object, name, length, body) {
        defineProperty(body, 'name', { value: name, configurable: true });
        defineProperty(body, 'length', { value: length, configurable: true });
        defineProperty(object, name, { value: body, writable: true, configurable: true, enumerable: false });
    }

    method(Promise.prototype, 'then', 2, prototypeThen);
    method(Promise.prototype, 'catch', 1, function (rejected) { return this.then(undefined, rejected); });
    method(Promise.prototype, 'finally', 1, function (onFinally) {
        var Constructor = species(this);
        if (typeof onFinally !== 'function') return this.then(onFinally, onFinally);
        return this.then(function (value) {
            return resolveWith(Constructor, onFinally()).then(function () { return value; });
        }, function (reason) {
            return resolveWith(Constructor, onFinally()).then(function () { throw reason; });
        });
    });

    method(Promise, 'resolve', 1, function (value) {
        if (this === null || (typeof this !== 'function' && typeof this !== 'object')) throw new TypeError('PromiseResolve called on non-object');
        return resolveWith(this, value);
    });
    method(Promise, 'reject', 1, function (reason) {
        if (this === Promise) {
            var promise = new Promise(INTERNAL);
            rejectPromise(promise, reason);
            return promise;
        }
        var made = capability(this);
        made.reject(reason);
        return made.promise;
    });
    method(Promise, 'withResolvers', 0, function () { return capability(this); });
    method(Promise, 'try', 1, function (callback) {
        var made = capability(this), values = [];
        for (var i = 1; i < arguments.length; i++) values[i - 1] = arguments[i];
        try {
            made.resolve(callback.apply(undefined, values));
        } catch (error) {
            made.reject(error);
        }
        return made.promise;
    });

    /* Calls visit(item, index) for each item; an array nobody tampered with is walked by index. */
    function each(items, visit) {
        var i = 0;
        if (isArray(items) && items[Symbol.iterator] === Array.prototype[Symbol.iterator]) {
            for (; i < items.length; i++) visit(items[i], i);
            return;
        }
        var start = items === null || items === undefined ? undefined : items[Symbol.iterator];
        if (typeof start !== 'function') throw new TypeError(describe(items) + ' is not iterable');
        var iterator = start.call(items), next = iterator.next, step;
        while (!(step = next.call(iterator)).done) {
            try {
                visit(step.value, i++);
            } catch (error) {
                try { if (typeof iterator['return'] === 'function') iterator['return'](); } catch (ignored) { /* the first error counts */ }
                throw error;
            }
        }
    }

    /* all, allSettled and any differ in what each outcome does to the list and when it is full. */
    function gather(name, onFulfilled, onRejected, whenFull) {
        method(Promise, name, 1, function (items) {
            var Constructor = this, made = capability(Constructor);
            try {
                var resolve = Constructor.resolve, values = [], left = 1;
                if (typeof resolve !== 'function') throw new TypeError('Promise resolve or reject function is not callable');
                var put = function (index, shape) {
                    var called = false;
                    return function (value) {
                        if (called) return;
                        called = true;
                        values[index] = shape(value);
                        if (--left === 0) whenFull(made, values);
                    };
                };
                each(items, function (item, index) {
                    values[index] = undefined;
                    left++;
                    var fulfilled = onFulfilled ? put(index, onFulfilled) : made.resolve;
                    var rejected = onRejected ? put(index, onRejected) : made.reject;
                    resolve.call(Constructor, item).then(fulfilled, rejected);
                });
                if (--left === 0) whenFull(made, values);
            } catch (error) {
                made.reject(error);
            }
            return made.promise;
        });
    }

    function same(value) { return value; }
    gather('all', same, null, function (made, values) { made.resolve(values); });
    gather('allSettled', function (value) { return { status: 'fulfilled', value: value }; }, function (reason) { return { status: 'rejected', reason: reason }; }, function (made, values) { made.resolve(values); });
    gather('any', null, same, function (made, errors) { made.reject(new AggregateError(errors, 'All promises were rejected')); });
    method(Promise, 'race', 1, function (items) {
        var Constructor = this, made = capability(Constructor);
        try {
            var resolve = Constructor.resolve;
            if (typeof resolve !== 'function') throw new TypeError('Promise resolve or reject function is not callable');
            each(items, function (item) { resolve.call(Constructor, item).then(made.resolve, made.reject); });
        } catch (error) {
            made.reject(error);
        }
        return made.promise;
    });

    defineProperty(Promise, 'length', { value: 1, configurable: true });
    if (Symbol.species === undefined) defineProperty(Symbol, 'species', { value: Symbol('Symbol.species') });
    defineProperty(Promise, Symbol.species, { get: function () { return this; }, configurable: true });
    defineProperty(Promise.prototype, Symbol.toStringTag, { value: 'Promise', configurable: true });
    defineProperty(Promise.prototype, 'constructor', { value: Promise, writable: true, configurable: true, enumerable: false });
    defineProperty(Promise, 'prototype', { writable: false });
    defineProperty(globalThis, 'Promise', { value: Promise, writable: true, configurable: true, enumerable: false });

    K.Promise = Promise;
    K.isPromise = isPromise;
    /* 0 pending, 1 fulfilled, 2 rejected; and what it holds: for the kernel, which must not call `then`. */
    K.promiseState = function (promise) { return promise[STATE]; };
    K.promiseValue = function (promise) { return promise[VALUE]; };
    /*
     * For the kernel, without closures (each is a cycle for the garbage collector) and without looking
     * up anything that scripts may replace: `then` from which no promise comes, whose functions get
     * `about` as a second argument; a pending promise, and what settles it.
     */
    K.listen = function (promise, fulfilled, rejected, about) { react(promise, { kind: LISTEN, target: about, fulfilled: fulfilled, rejected: rejected }); };
    K.pending = function () { return new Promise(INTERNAL); };
    K.resolve = resolvePromise;
    K.reject = rejectPromise;
    K.isHandled = function (promise) { return promise[HANDLED] === true; };
    K.markHandled = function (promise) { if (promise[STATE] === REJECTED && !promise[HANDLED]) K.onHandled(promise); promise[HANDLED] = true; };
}(__kernel));
