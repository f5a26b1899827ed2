/*
 * What was thrown, as text for the wire: `<code> {"name","message","stack","code"?,"call"?,"hint"?,"retryAfter"?}`.
 *
 * Anything may have been thrown: null, an object whose `stack` throws, a Proxy.  Nothing may be thrown
 * here: what gets out of the pump ends the process.
 */
(function (K) {
    'use strict';

    var quoteText = K.quoteText, slice = K.captured.slice, safeText = K.safeText;
    var LONGEST_NAME = 200, LONGEST = 8000, HOST_MEMBERS = ['code', 'call', 'hint', 'retryAfter'];
    var OUT_OF_MEMORY = { 'alloc failed': true, 'out of memory': true, 'error in error handling': true };

    function read(object, name) {
        try { return object[name]; } catch (error) { return undefined; }
    }

    /* What fn makes of it as text; `instead` if a script has broken what fn stands on. */
    function attempt(fn, instead, a, b) {
        try { return safeText(fn(a, b)); } catch (error) { return safeText(instead); }
    }

    function isObject(value) { return value !== null && (typeof value === 'object' || typeof value === 'function'); }

    function json(name, message, stack, more) {
        return '{"name":' + quoteText(slice(name, 0, LONGEST_NAME)) + ',"message":' + quoteText(slice(message, 0, LONGEST)) + ',"stack":' + quoteText(slice(stack, 0, LONGEST)) + more + '}';
    }

    function hostMembers(error) {
        var more = '';
        for (var i = 0; i < HOST_MEMBERS.length; i++) {
            var value = read(error, HOST_MEMBERS[i]);
            if (typeof value === 'string') more += ',"' + HOST_MEMBERS[i] + '":' + quoteText(slice(value, 0, 1000));
            else if (typeof value === 'number' && value >= 0 && value < 1e15) more += ',"' + HOST_MEMBERS[i] + '":' + value;
        }
        return more;
    }

    /* The stack with the error's own members, and those of the errors that led to it. */
    function stackOf(error) {
        if (!(error instanceof Error)) {
            var stack = read(error, 'stack');
            return typeof stack === 'string' ? stack : '';
        }
        return attempt(K.errorText, '', error, 'caused by: ');
    }

    function thrown(code, error) {
        if (!isObject(error)) return code + ' ' + json('thrown value', safeText(error), '', '');
        var name = read(error, 'name'), message = read(error, 'message'), more = '';
        if (message === undefined && !(error instanceof Error)) {
            return code + ' ' + json('thrown value', attempt(K.show, error, error), '', '');
        }
        name = typeof name === 'string' && name !== '' ? name : 'Error';
        message = message === undefined ? '' : safeText(message);
        if (OUT_OF_MEMORY[message] === true && error instanceof Error) code = 'memory';
        if (K.isRefusal(error)) more = hostMembers(error);
        return code + ' ' + json(name, attempt(K.message, message, message, name), stackOf(error), more);
    }

    K.described = function (code, error) {
        try {
            return thrown(code, error);
        } catch (worse) {
            return code + ' {"name":"thrown value","message":"something that cannot be shown","stack":""}';
        }
    };
}(__kernel));
