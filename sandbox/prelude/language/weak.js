/*
 * WeakRef and FinalizationRegistry (ECMA-262, 26.1 and 26.2), and Error.captureStackTrace of V8.
 *
 * The engine has no weak references.  The standard allows a target never to be collected and a callback never to be
 * called, so a WeakRef keeps its target for as long as it is kept itself, and a registry keeps nothing.
 */
(function (K) {
    'use strict';

    var TARGET = K.secret('weak target'), UNREGISTERED = 'Invalid unregister token', defineProperty = Object.defineProperty;

    function canBeHeldWeakly(value) {
        return typeof value === 'object' && value !== null || typeof value === 'function' || typeof value === 'symbol' && Symbol.keyFor(value) === undefined;
    }

    function WeakRef(target) {
        if (!(this instanceof WeakRef)) throw new TypeError("Constructor WeakRef requires 'new'");
        if (!canBeHeldWeakly(target)) throw new TypeError('WeakRef: invalid target');
        K.define(this, TARGET, target);
    }
    K.define(WeakRef.prototype, 'deref', function deref() {
        if (!K.own(this, TARGET)) throw new TypeError('deref is called on something that is not a WeakRef');
        return this[TARGET];
    });
    K.define(WeakRef.prototype, Symbol.toStringTag, 'WeakRef', true);

    function FinalizationRegistry(cleanup) {
        if (!(this instanceof FinalizationRegistry)) throw new TypeError("Constructor FinalizationRegistry requires 'new'");
        if (typeof cleanup !== 'function') throw new TypeError('FinalizationRegistry: cleanup must be callable');
        K.define(this, TARGET, new WeakMap());
    }
    function tokens(registry) {
        if (!K.own(registry, TARGET)) throw new TypeError('this is not a FinalizationRegistry');
        return registry[TARGET];
    }
    K.define(FinalizationRegistry.prototype, 'register', function register(target, held, token) {
        var known = tokens(this);
        if (!canBeHeldWeakly(target)) throw new TypeError('FinalizationRegistry.prototype.register: invalid target');
        if (target === held) throw new TypeError('FinalizationRegistry.prototype.register: target and holdings must not be same');
        if (token === undefined) return;
        if (!canBeHeldWeakly(token)) throw new TypeError(UNREGISTERED);
        if (typeof token !== 'symbol') known.set(token, true);
    });
    K.define(FinalizationRegistry.prototype, 'unregister', function unregister(token) {
        var known = tokens(this);
        if (!canBeHeldWeakly(token)) throw new TypeError(UNREGISTERED);
        return typeof token !== 'symbol' && known['delete'](token);
    });
    K.define(FinalizationRegistry.prototype, Symbol.toStringTag, 'FinalizationRegistry', true);

    K.global('WeakRef', WeakRef);
    K.global('FinalizationRegistry', FinalizationRegistry);

    /* An error has its stack already, with places for the server; and frames are not left out. */
    K.define(Error, 'captureStackTrace', function captureStackTrace(target) {
        if (target === null || typeof target !== 'object' && typeof target !== 'function') throw new TypeError('Error.captureStackTrace: invalid argument');
        if (target instanceof Error) return;
        var name = target.name === undefined ? 'Error' : String(target.name), message = target.message === undefined ? '' : String(target.message);
        var frames = String(new Error('').stack).split('\n').slice(1).join('\n');
        defineProperty(target, 'stack', { value: (message ? name + ': ' + message : name) + (frames ? '\n' + frames : ''), writable: true, configurable: true });
    });
}(__kernel));
