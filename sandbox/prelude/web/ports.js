/*
 * MessageChannel and MessagePort (HTML standard, 9.5), within one script; packages use them to wait for a turn.
 *
 * A message arrives in a task of its own, after all that was waiting.  A port is not a thing that can be transferred.
 */
(function (K) {
    'use strict';

    function MessageEvent(type, options) {
        Event.call(this, type, options);
        K.define(this, 'data', options && options.data !== undefined ? options.data : null, true);
    }
    MessageEvent.prototype = Object.create(Event.prototype);
    K.define(MessageEvent.prototype, 'constructor', MessageEvent);
    K.define(MessageEvent.prototype, Symbol.toStringTag, 'MessageEvent', true);

    var STATE = K.secret('message port'), later = setTimeout;

    function MessagePort() { throw new TypeError('Illegal constructor; use new MessageChannel().port1'); }
    MessagePort.prototype = Object.create(EventTarget.prototype);
    K.define(MessagePort.prototype, 'constructor', MessagePort);

    function port() {
        var made = Object.create(MessagePort.prototype);
        K.define(made, STATE, { other: null, started: false, closed: false, waiting: [], handler: null });
        return made;
    }

    function stateOf(value) {
        var state = value === null || value === undefined ? undefined : value[STATE];
        if (state === undefined) throw new TypeError('Illegal invocation: this is not a MessagePort');
        return state;
    }

    function deliver(target) {
        later(function () {
            var state = stateOf(target);
            if (state.closed || !state.started || state.waiting.length === 0) return;
            target.dispatchEvent(new MessageEvent('message', { data: state.waiting.shift() }));
        }, 0);
    }

    K.define(MessagePort.prototype, 'postMessage', function postMessage(message) {
        var state = stateOf(this), target = state.other, copy = structuredClone(message);
        if (state.closed || stateOf(target).closed) return;
        stateOf(target).waiting.push(copy);
        if (stateOf(target).started) deliver(target);
    });
    K.define(MessagePort.prototype, 'start', function start() {
        var state = stateOf(this);
        if (state.started) return;
        state.started = true;
        for (var i = 0; i < state.waiting.length; i++) deliver(this);
    });
    K.define(MessagePort.prototype, 'close', function close() {
        var state = stateOf(this);
        state.closed = true;
        stateOf(state.other).closed = true;
    });
    Object.defineProperty(MessagePort.prototype, 'onmessage', {
        get: function () { return stateOf(this).handler; },
        set: function (handler) {
            var state = stateOf(this), port = this;
            if (state.handler === null) {
                this.addEventListener('message', function (event) { if (state.handler !== null) state.handler.call(port, event); });
            }
            state.handler = typeof handler === 'function' ? handler : null;
            this.start();
        },
        configurable: true, enumerable: true
    });
    K.define(MessagePort.prototype, Symbol.toStringTag, 'MessagePort', true);

    function MessageChannel() {
        if (!(this instanceof MessageChannel)) throw new TypeError("Class constructor MessageChannel cannot be invoked without 'new'");
        var one = port(), two = port();
        stateOf(one).other = two;
        stateOf(two).other = one;
        K.define(this, 'port1', one, true);
        K.define(this, 'port2', two, true);
    }
    K.define(MessageChannel.prototype, Symbol.toStringTag, 'MessageChannel', true);

    K.global('MessageEvent', MessageEvent);
    K.global('MessagePort', MessagePort);
    K.global('MessageChannel', MessageChannel);
}(__kernel));
