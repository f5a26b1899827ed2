/*
 * DOMException, Event, EventTarget, AbortController and AbortSignal.
 *
 * For other files: K.DOMException, K.AbortController, K.abortSignal(controller.signal, reason).
 */
(function (K) {
    'use strict';

    /* -- DOMException ---------------------------------------------------------------------- */

    var CODES = { IndexSizeError: 1, HierarchyRequestError: 3, WrongDocumentError: 4, InvalidCharacterError: 5, NoModificationAllowedError: 7, NotFoundError: 8, NotSupportedError: 9, InUseAttributeError: 10, InvalidStateError: 11, SyntaxError: 12, InvalidModificationError: 13, NamespaceError: 14, InvalidAccessError: 15, TypeMismatchError: 17, SecurityError: 18, NetworkError: 19, AbortError: 20, URLMismatchError: 21, QuotaExceededError: 22, TimeoutError: 23, InvalidNodeTypeError: 24, DataCloneError: 25 };

    function DOMException(message, options) {
        if (!(this instanceof DOMException)) throw new TypeError("Class constructor DOMException cannot be invoked without 'new'");
        var name = options === undefined ? 'Error' : typeof options === 'object' && options !== null ? options.name === undefined ? 'Error' : options.name : options;
        var error = K.makeError(Object.getPrototypeOf(this), message === undefined ? '' : String(message));
        K.define(error, 'name', String(name));
        K.define(error, 'code', CODES[name] || 0);
        if (options && typeof options === 'object' && 'cause' in options) K.define(error, 'cause', options.cause);
        return error;
    }
    DOMException.prototype = Object.create(Error.prototype);
    K.define(DOMException.prototype, 'constructor', DOMException);
    K.define(DOMException.prototype, Symbol.toStringTag, 'DOMException', true);
    var CONSTANTS = 'INDEX_SIZE DOMSTRING_SIZE HIERARCHY_REQUEST WRONG_DOCUMENT INVALID_CHARACTER NO_DATA_ALLOWED NO_MODIFICATION_ALLOWED NOT_FOUND NOT_SUPPORTED INUSE_ATTRIBUTE INVALID_STATE SYNTAX INVALID_MODIFICATION NAMESPACE INVALID_ACCESS VALIDATION TYPE_MISMATCH SECURITY NETWORK ABORT URL_MISMATCH QUOTA_EXCEEDED TIMEOUT INVALID_NODE_TYPE DATA_CLONE';
    CONSTANTS.split(' ').forEach(function (name, index) {
        Object.defineProperty(DOMException, name + '_ERR', { value: index + 1, enumerable: true });
        Object.defineProperty(DOMException.prototype, name + '_ERR', { value: index + 1, enumerable: true });
    });

    /* -- Event and EventTarget ------------------------------------------------------------- */

    function Event(type, options) {
        if (!(this instanceof Event)) throw new TypeError("Class constructor Event cannot be invoked without 'new'");
        if (arguments.length === 0) throw new TypeError('Event needs a type, for example new Event("done")');
        var state = { type: typeof type === 'string' ? type : String(type), bubbles: false, cancelable: false, composed: false, at: K.now(), target: null, current: null, prevented: false, stopped: false, halted: false, passive: false, trusted: false };
        if (options !== undefined && options !== null) {
            dictionary('Event', options);
            state.bubbles = !!options.bubbles;
            state.cancelable = !!options.cancelable;
            state.composed = !!options.composed;
        }
        K.hide(this, state);
    }
    function dictionary(name, options) {
        if (typeof options !== 'object' && typeof options !== 'function') throw new TypeError(name + ': the options must be an object, not ' + K.quote(options));
    }
    function stateGetter(name, field) {
        K.getter(Event.prototype, name, function () { return K.hidden(this)[field]; });
    }
    stateGetter('type', 'type');
    stateGetter('bubbles', 'bubbles');
    stateGetter('cancelable', 'cancelable');
    stateGetter('timeStamp', 'at');
    stateGetter('target', 'target');
    stateGetter('srcElement', 'target');
    stateGetter('currentTarget', 'current');
    stateGetter('defaultPrevented', 'prevented');
    stateGetter('composed', 'composed');
    stateGetter('isTrusted', 'trusted');
    K.getter(Event.prototype, 'eventPhase', function () { return K.hidden(this).current === null ? 0 : 2; });
    K.getter(Event.prototype, 'returnValue', function () { return !K.hidden(this).prevented; }, function (value) { if (!value) this.preventDefault(); });
    K.getter(Event.prototype, 'cancelBubble', function () { return K.hidden(this).halted; }, function (value) { if (value) this.stopPropagation(); });
    ['NONE', 'CAPTURING_PHASE', 'AT_TARGET', 'BUBBLING_PHASE'].forEach(function (name, number) {
        Object.defineProperty(Event, name, { value: number, enumerable: true });
        Object.defineProperty(Event.prototype, name, { value: number, enumerable: true });
    });
    K.define(Event.prototype, 'composedPath', function composedPath() {
        var current = K.hidden(this).current;
        return current === null ? [] : [current];
    });
    K.define(Event.prototype, 'initEvent', function initEvent(type, bubbles, cancelable) {
        if (arguments.length === 0) throw new TypeError('initEvent needs a type');
        var state = K.hidden(this);
        if (state.current !== null) return;
        state.type = String(type);
        state.bubbles = !!bubbles;
        state.cancelable = !!cancelable;
        state.prevented = state.stopped = state.halted = false;
        state.target = null;
    });
    K.define(Event.prototype, 'preventDefault', function preventDefault() {
        var state = K.hidden(this);
        if (state.cancelable && !state.passive) state.prevented = true;
    });
    K.define(Event.prototype, 'stopPropagation', function stopPropagation() { K.hidden(this).halted = true; });
    K.define(Event.prototype, 'stopImmediatePropagation', function stopImmediatePropagation() {
        var state = K.hidden(this);
        state.stopped = state.halted = true;
    });
    K.define(Event.prototype, Symbol.toStringTag, 'Event', true);

    function CustomEvent(type, options) {
        Event.call(this, type, options);
        K.define(this, 'detail', options && options.detail !== undefined ? options.detail : null, true);
    }
    CustomEvent.prototype = Object.create(Event.prototype);
    K.define(CustomEvent.prototype, 'constructor', CustomEvent);
    K.define(CustomEvent.prototype, Symbol.toStringTag, 'CustomEvent', true);

    function EventTarget() {
        if (!(this instanceof EventTarget)) throw new TypeError("Class constructor EventTarget cannot be invoked without 'new'");
    }

    function listenersOf(target) {
        var list = K.hidden(target);
        return list === undefined ? K.hide(target, []) : list;
    }
    function find(list, type, callback, capture) {
        for (var i = 0; i < list.length; i++) {
            if (list[i].type === type && list[i].callback === callback && list[i].capture === capture) return i;
        }
        return -1;
    }
    function captures(options) { return typeof options === 'boolean' ? options : !!(options && options.capture); }

    K.define(EventTarget.prototype, 'addEventListener', function addEventListener(type, callback, options) {
        if (arguments.length < 2) throw new TypeError('addEventListener needs a type and a function');
        if (options && options.signal !== undefined && !(options.signal instanceof AbortSignal)) throw new TypeError('addEventListener: signal must be an AbortSignal, not ' + K.quote(options.signal));
        var capture = captures(options), once = !!(options && options.once), passive = !!(options && options.passive);
        if (callback === null || callback === undefined) return;
        if (typeof callback !== 'function' && typeof callback !== 'object') throw new TypeError('addEventListener: expected a function, not ' + K.quote(callback));
        type = String(type);
        var list = listenersOf(this), signal = options && options.signal, target = this;
        if (find(list, type, callback, capture) >= 0 || (signal && signal.aborted)) return;
        list.push({ type: type, callback: callback, capture: capture, once: once, passive: passive });
        if (signal) signal.addEventListener('abort', function () { target.removeEventListener(type, callback, capture); }, { once: true });
    });
    K.define(EventTarget.prototype, 'removeEventListener', function removeEventListener(type, callback, options) {
        if (arguments.length < 2) throw new TypeError('removeEventListener needs a type and a function');
        var list = listenersOf(this), at = find(list, String(type), callback, captures(options));
        if (at >= 0) list.splice(at, 1)[0].removed = true;
    });
    K.define(EventTarget.prototype, 'dispatchEvent', function dispatchEvent(event) {
        if (!(event instanceof Event)) throw new TypeError('dispatchEvent: expected an Event');
        var state = K.hidden(event);
        if (state.current !== null) throw new DOMException('The event is already being dispatched', 'InvalidStateError');
        state.trusted = false;
        return dispatch(this, event, state);
    });

    function dispatch(target, event, state) {
        var list = state.halted ? [] : listenersOf(target).slice();
        state.target = state.current = target;
        for (var i = 0; i < list.length && !state.stopped; i++) {
            var listener = list[i];
            if (listener.type !== state.type || listener.removed) continue;
            if (listener.once) target.removeEventListener(listener.type, listener.callback, listener.capture);
            state.passive = !!listener.passive;
            try {
                if (typeof listener.callback === 'function') listener.callback.call(target, event);
                else listener.callback.handleEvent(event);
            } catch (error) {
                // A listener's error is nobody's to catch here; it fails the invocation like a lost rejection.
                K.Promise.reject(error);
            }
        }
        state.current = null;
        state.stopped = state.halted = state.passive = false;
        return !state.prevented;
    }
    K.define(EventTarget.prototype, Symbol.toStringTag, 'EventTarget', true);

    /* -- AbortController and AbortSignal --------------------------------------------------- */

    function AbortSignal() { throw new TypeError('Illegal constructor; use new AbortController().signal'); }
    AbortSignal.prototype = Object.create(EventTarget.prototype);
    K.define(AbortSignal.prototype, 'constructor', AbortSignal);
    K.define(AbortSignal.prototype, Symbol.toStringTag, 'AbortSignal', true);
    /* A target hides its list of listeners; that of a signal carries its state as well. */
    K.getter(AbortSignal.prototype, 'aborted', function () { return K.hidden(this).aborted === true; });
    K.getter(AbortSignal.prototype, 'reason', function () { return K.hidden(this).reason; });
    K.getter(AbortSignal.prototype, 'onabort', function () { return K.hidden(this).handler || null; }, function (value) {
        var state = K.hidden(this), wanted = typeof value === 'function' || typeof value === 'object' && value !== null ? value : null;
        if (wanted === null && state.handler) this.removeEventListener('abort', state.calls);
        if (wanted !== null && !state.handler) {
            // It takes its turn where it was first set.
            state.calls = function (event) { if (typeof state.handler === 'function') state.handler.call(this, event); };
            this.addEventListener('abort', state.calls);
        }
        state.handler = wanted;
    });
    K.define(AbortSignal.prototype, 'throwIfAborted', function throwIfAborted() { if (this.aborted) throw this.reason; });

    function makeSignal() {
        var signal = Object.create(AbortSignal.prototype);
        K.hide(signal, []);
        return signal;
    }

    function abort(signal, reason) {
        var state = K.hidden(signal), dependent = state.dependent || [], changed = [signal];
        if (state.aborted) return;
        state.reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
        state.aborted = true;
        // All that AbortSignal.any made of it are aborted before the first event.
        for (var i = 0; i < dependent.length; i++) {
            var other = K.hidden(dependent[i]);
            if (other.aborted) continue;
            other.reason = state.reason;
            other.aborted = true;
            changed[changed.length] = dependent[i];
        }
        for (i = 0; i < changed.length; i++) {
            if (K.hidden(changed[i]).length === 0) continue;
            var event = new Event('abort'), about = K.hidden(event);
            about.trusted = true;
            dispatch(changed[i], event, about);
        }
    }

    K.define(AbortSignal, 'abort', function (reason) {
        var signal = makeSignal();
        abort(signal, reason);
        return signal;
    });
    K.define(AbortSignal, 'timeout', function timeout(milliseconds) {
        if (arguments.length === 0 || !(milliseconds >= 0 && milliseconds <= 9007199254740991)) throw new TypeError('AbortSignal.timeout needs a number of milliseconds from 0, not ' + K.quote(milliseconds));
        var signal = makeSignal();
        setTimeout(function () { abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')); }, milliseconds);
        return signal;
    });
    K.define(AbortSignal, 'any', function any(signals) {
        var made = makeSignal(), list = signals === null || typeof signals !== 'object' || typeof signals[Symbol.iterator] !== 'function' ? [undefined] : Array.from(signals);
        for (var j = 0; j < list.length; j++) if (!(list[j] instanceof AbortSignal)) throw new TypeError('AbortSignal.any needs a list of AbortSignals, not ' + K.quote(list[j]));
        for (var i = 0; i < list.length; i++) if (list[i].aborted) { abort(made, list[i].reason); return made; }
        var mine = K.hidden(made);
        mine.sources = [];
        list.forEach(function (signal) {
            // One that was made of others depends on those.
            (K.hidden(signal).sources || [signal]).forEach(function (source) {
                var state = K.hidden(source);
                if (mine.sources.indexOf(source) >= 0) return;
                mine.sources.push(source);
                (state.dependent || (state.dependent = [])).push(made);
            });
        });
        return made;
    });

    function AbortController() {
        if (!(this instanceof AbortController)) throw new TypeError("Class constructor AbortController cannot be invoked without 'new'");
        K.hide(this, makeSignal());
    }
    K.getter(AbortController.prototype, 'signal', function () { return K.hidden(this); });
    K.define(AbortController.prototype, 'abort', function (reason) { abort(this.signal, reason); });
    K.define(AbortController.prototype, Symbol.toStringTag, 'AbortController', true);

    K.DOMException = DOMException;
    K.AbortController = AbortController;
    K.AbortSignal = AbortSignal;
    K.EventTarget = EventTarget;
    K.Event = Event;
    K.global('DOMException', DOMException);
    K.global('Event', Event);
    K.global('CustomEvent', CustomEvent);
    K.global('EventTarget', EventTarget);
    K.global('AbortSignal', AbortSignal);
    K.global('AbortController', AbortController);
}(__kernel));
