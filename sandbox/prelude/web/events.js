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
        K.define(this, 'type', String(type), true);
        K.define(this, 'bubbles', !!(options && options.bubbles), true);
        K.define(this, 'cancelable', !!(options && options.cancelable), true);
        K.define(this, 'timeStamp', K.now(), true);
        K.hide(this, { target: null, prevented: false, stopped: false, passive: false });
    }
    K.getter(Event.prototype, 'target', function () { return K.hidden(this).target; });
    K.getter(Event.prototype, 'currentTarget', function () { return K.hidden(this).target; });
    K.getter(Event.prototype, 'defaultPrevented', function () { return K.hidden(this).prevented; });
    K.define(Event.prototype, 'preventDefault', function preventDefault() {
        var state = K.hidden(this);
        if (this.cancelable && !state.passive) state.prevented = true;
    });
    K.define(Event.prototype, 'stopPropagation', function stopPropagation() {});
    K.define(Event.prototype, 'stopImmediatePropagation', function stopImmediatePropagation() { K.hidden(this).stopped = true; });
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
        if (callback === null || callback === undefined) return;
        if (typeof callback !== 'function' && typeof callback !== 'object') throw new TypeError('addEventListener: expected a function, not ' + K.quote(callback));
        type = String(type);
        var list = listenersOf(this), capture = captures(options), signal = options && options.signal, target = this;
        if (find(list, type, callback, capture) >= 0 || (signal && signal.aborted)) return;
        list.push({ type: type, callback: callback, capture: capture, once: !!(options && options.once), passive: !!(options && options.passive) });
        if (signal) signal.addEventListener('abort', function () { target.removeEventListener(type, callback, capture); }, { once: true });
    });
    K.define(EventTarget.prototype, 'removeEventListener', function removeEventListener(type, callback, options) {
        var list = listenersOf(this), at = find(list, String(type), callback, captures(options));
        if (at >= 0) list.splice(at, 1)[0].removed = true;
    });
    K.define(EventTarget.prototype, 'dispatchEvent', function dispatchEvent(event) {
        if (!(event instanceof Event)) throw new TypeError('dispatchEvent: expected an Event');
        var state = K.hidden(event), list = listenersOf(this).slice();
        state.target = this;
        state.stopped = false;
        var property = this['on' + event.type];
        if (typeof property === 'function' && isHandler(this, event.type)) list.unshift({ type: event.type, callback: property });
        for (var i = 0; i < list.length && !state.stopped; i++) {
            var listener = list[i];
            if (listener.type !== event.type || listener.removed) continue;
            if (listener.once) this.removeEventListener(listener.type, listener.callback, listener.capture);
            state.passive = !!listener.passive;
            try {
                if (typeof listener.callback === 'function') listener.callback.call(this, event);
                else listener.callback.handleEvent(event);
            } catch (error) {
                // A listener's error is nobody's to catch here; it fails the invocation like a lost rejection.
                K.Promise.reject(error);
            }
        }
        return !state.prevented;
    });
    K.define(EventTarget.prototype, Symbol.toStringTag, 'EventTarget', true);

    /* `onabort` works on signals; on other targets `on...` is only a property. */
    function isHandler(target, type) { return target instanceof AbortSignal && type === 'abort'; }

    /* -- AbortController and AbortSignal --------------------------------------------------- */

    function AbortSignal() { throw new TypeError('Illegal constructor; use new AbortController().signal'); }
    AbortSignal.prototype = Object.create(EventTarget.prototype);
    K.define(AbortSignal.prototype, 'constructor', AbortSignal);
    K.define(AbortSignal.prototype, Symbol.toStringTag, 'AbortSignal', true);
    /* A target hides its list of listeners; that of a signal carries its state as well. */
    K.getter(AbortSignal.prototype, 'aborted', function () { return K.hidden(this).aborted === true; });
    K.getter(AbortSignal.prototype, 'reason', function () { return K.hidden(this).reason; });
    K.define(AbortSignal.prototype, 'onabort', null);
    K.define(AbortSignal.prototype, 'throwIfAborted', function throwIfAborted() { if (this.aborted) throw this.reason; });

    function makeSignal() {
        var signal = Object.create(AbortSignal.prototype);
        K.hide(signal, []);
        return signal;
    }

    function abort(signal, reason) {
        var state = K.hidden(signal);
        if (state.aborted) return;
        state.reason = reason === undefined ? new DOMException('This operation was aborted', 'AbortError') : reason;
        state.aborted = true;
        signal.dispatchEvent(new Event('abort'));
    }

    K.define(AbortSignal, 'abort', function (reason) {
        var signal = makeSignal();
        abort(signal, reason);
        return signal;
    });
    K.define(AbortSignal, 'timeout', function timeout(milliseconds) {
        var signal = makeSignal();
        setTimeout(function () { abort(signal, new DOMException('The operation was aborted due to timeout', 'TimeoutError')); }, milliseconds);
        return signal;
    });
    K.define(AbortSignal, 'any', function any(signals) {
        var made = makeSignal(), list = Array.from(signals);
        for (var i = 0; i < list.length; i++) if (list[i].aborted) { abort(made, list[i].reason); return made; }
        list.forEach(function (signal) {
            signal.addEventListener('abort', function () { abort(made, signal.reason); }, { once: true });
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
    K.global('DOMException', DOMException);
    K.global('Event', Event);
    K.global('CustomEvent', CustomEvent);
    K.global('EventTarget', EventTarget);
    K.global('AbortSignal', AbortSignal);
    K.global('AbortController', AbortController);
}(__kernel));
