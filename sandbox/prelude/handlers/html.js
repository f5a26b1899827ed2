/*
 * Html: text that is already safe to send as HTML.
 *
 * `html` (a template tag) and `h`/`Fragment` (what JSX calls) make it; whatever they are given
 * that is not Html itself is escaped.  A promise among the children makes the value pending: it
 * is awaited when the answer is made, never rendered as "[object Promise]".
 *
 * Globals: html, h, Fragment.  For answers.js: K.Html, K.htmlText(value) -> text or Promise of text.
 */
(function (K) {
    'use strict';

    var isArray = Array.isArray;
    var ESCAPED = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
    var SPECIAL = /[&<>"']/;
    var ALL_SPECIAL = /[&<>"']/g;
    var TAG = /^[A-Za-z][\w.:-]*$/;
    var BAD_ATTRIBUTE = /[\s"'<>\/=\u0000-\u001f\u007f]/;
    var SCRIPT_URL = /^[\u0000-\u0020]*j[\r\n\t]*a[\r\n\t]*v[\r\n\t]*a[\r\n\t]*s[\r\n\t]*c[\r\n\t]*r[\r\n\t]*i[\r\n\t]*p[\r\n\t]*t[\r\n\t]*:/i;
    var HYPHENATED = /^(?:stroke|fill|font|text|clip|color|dominant|alignment|baseline|stop|flood|lighting|marker|paint|pointer|shape|vector|word|letter|writing|image|accept|http|unicode|underline|overline|strikethrough|glyph)[A-Z]/;
    var CAMEL_SVG = /^(?:textLength|clipPathUnits|stopColorValue)$/;
    var VOID = words('area base br col embed hr img input link meta param source track wbr');
    var URLS = words('href src action formaction xlink:href');
    var UNITLESS = words('animation-iteration-count aspect-ratio border-image-slice border-image-width column-count columns fill-opacity flex flex-grow flex-shrink flood-opacity font-weight grid-area grid-column grid-column-end grid-column-start grid-row grid-row-end grid-row-start line-clamp line-height opacity order orphans scale stop-opacity stroke-dasharray stroke-dashoffset stroke-miterlimit stroke-opacity stroke-width tab-size widows z-index zoom');

    function words(text) {
        var set = Object.create(null), list = text.split(' ');
        for (var i = 0; i < list.length; i++) set[list[i]] = true;
        return set;
    }

    /* Parts: text, or promises of what may stand among children.  One text part is the usual case. */
    function Html(parts) {
        K.define(this, 'parts', parts);
    }
    K.define(Html.prototype, 'toString', function toString() {
        var text = joined(this.parts);
        if (typeof text !== 'string') {
            throw new TypeError('This Html still waits for a promise among its children; await that value first, or return the Html from the handler, which awaits it.');
        }
        return text;
    });
    K.define(Html.prototype, 'toJSON', function toJSON() { return this.toString(); });

    function escape(text) {
        return SPECIAL.test(text) ? text.replace(ALL_SPECIAL, function (character) { return ESCAPED[character]; }) : text;
    }

    function isThenable(value) {
        return value !== null && typeof value === 'object' && typeof value.then === 'function';
    }

    /* Appends what `value` renders to; texts next to each other become one part. */
    function append(parts, value, where) {
        if (value === null || value === undefined || value === true || value === false) return;
        if (typeof value === 'string') { appendText(parts, escape(value)); return; }
        if (typeof value === 'number') { appendText(parts, String(value)); return; }
        if (value instanceof Html) {
            for (var i = 0; i < value.parts.length; i++) {
                if (typeof value.parts[i] === 'string') appendText(parts, value.parts[i]);
                else parts[parts.length] = value.parts[i];
            }
            return;
        }
        if (isArray(value)) {
            for (var j = 0; j < value.length; j++) append(parts, value[j], where);
            return;
        }
        if (isThenable(value)) { parts[parts.length] = value; return; }
        if (typeof value === 'function') {
            throw new TypeError('A function cannot be rendered' + where + '; call it and render what it returns.');
        }
        if (typeof value === 'symbol') throw new TypeError('A symbol cannot be rendered' + where + '.');
        if (typeof value[Symbol.iterator] === 'function') { append(parts, Array.from(value), where); return; }
        if (value.toString === Object.prototype.toString) {
            throw new TypeError('An object (keys: ' + Object.keys(value).slice(0, 5).join(', ') + ') cannot be rendered' + where + '; render one of its properties, or JSON.stringify it.');
        }
        appendText(parts, escape(String(value)));
    }

    function appendText(parts, text) {
        var last = parts.length - 1;
        if (last >= 0 && typeof parts[last] === 'string') parts[last] += text;
        else parts[last + 1] = text;
    }

    function joined(parts) {
        if (parts.length === 1 && typeof parts[0] === 'string') return parts[0];
        if (parts.length === 0) return '';
        for (var i = 0; i < parts.length; i++) if (typeof parts[i] !== 'string') return settled(parts);
        return parts.join('');
    }

    function settled(parts) {
        return K.Promise.all(parts).then(function (values) {
            var next = [];
            for (var i = 0; i < values.length; i++) {
                if (typeof parts[i] === 'string') appendText(next, values[i]);
                else append(next, values[i], ' where a promise stood');
            }
            return joined(next);
        });
    }

    function html(strings) {
        if (!isArray(strings) || !strings.raw) {
            throw new TypeError('html is a template tag: write html`<p>${text}</p>`; html.raw(text) trusts a string as it is.');
        }
        var parts = [strings[0]];
        for (var i = 1; i < strings.length; i++) {
            append(parts, arguments[i], ' in html`` (value ' + i + ')');
            appendText(parts, strings[i]);
        }
        return new Html(parts);
    }
    K.define(html, 'raw', function raw(text) { return new Html([String(text)]); });
    K.define(html, 'escape', function (text) { return escape(String(text)); });

    function Fragment(props) {
        var parts = [];
        append(parts, props && props.children, ' in a fragment');
        return new Html(parts);
    }

    /* What JSX calls: h('div', { className: 'a' }, child, ...), h(Component, props, child, ...). */
    function h(type, props) {
        var children = [];
        for (var i = 2; i < arguments.length; i++) children[i - 2] = arguments[i];
        if (typeof type === 'function') return component(type, props, children);
        if (typeof type !== 'string' || !TAG.test(type)) {
            throw new TypeError('JSX element type is ' + (type === undefined ? 'undefined (is the component exported and imported under this name?)' : K.show ? K.show(type) : String(type)) + '; expected a tag name or a component function.');
        }
        return element(type, props || {}, children);
    }

    function component(type, props, children) {
        var properties = {};
        if (props) for (var key in props) if (Object.prototype.hasOwnProperty.call(props, key)) properties[key] = props[key];
        if (children.length) properties.children = children.length === 1 ? children[0] : children;
        var name = type.name || 'component';
        var made = type.prototype && typeof type.prototype.render === 'function' ? new type(properties).render() : type(properties);
        if (made instanceof Html) return made;
        var parts = [];
        append(parts, made, ' by <' + name + '>');
        return new Html(parts);
    }

    function element(tag, props, children) {
        var parts = ['<' + tag], inner = null, lower = tag.toLowerCase();
        for (var key in props) {
            if (!Object.prototype.hasOwnProperty.call(props, key) || key === 'key' || key === 'ref' || key === 'children') continue;
            if (key === 'dangerouslySetInnerHTML') { inner = props[key]; continue; }
            attribute(parts, tag, key, props[key]);
        }
        appendText(parts, '>');
        if (VOID[lower]) {
            if (children.length) throw new TypeError('<' + tag + '> cannot have children.');
            return new Html(parts);
        }
        if (inner) appendText(parts, inner.__html === null || inner.__html === undefined ? '' : String(inner.__html));
        else if (lower === 'script' || lower === 'style') rawChildren(parts, lower, children.length ? children : props.children);
        else append(parts, children.length ? children : props.children, ' in <' + tag + '>');
        appendText(parts, '</' + tag + '>');
        return new Html(parts);
    }

    /* Browsers do not decode entities inside script and style: the text stays, only its end tag is broken. */
    function rawChildren(parts, tag, children) {
        if (children === null || children === undefined || children === false || children === true) return;
        if (isArray(children)) {
            for (var i = 0; i < children.length; i++) rawChildren(parts, tag, children[i]);
            return;
        }
        if (isThenable(children)) throw new TypeError('A promise cannot stand in <' + tag + '>; await it first.');
        var text = String(children);
        appendText(parts, tag === 'script'
            ? text.replace(/<(\/?script|!--)/gi, '\\u003c$1')
            : text.replace(/<\/(style)/gi, '<\\/$1'));
    }

    function attribute(parts, tag, key, value) {
        if (value === null || value === undefined || value === false) {
            if (value === false && /^(?:aria|data)-/.test(key)) appendText(parts, ' ' + key + '="false"');
            return;
        }
        var name = attributeName(key);
        if (BAD_ATTRIBUTE.test(name) || name === '') throw new TypeError('Attribute name ' + JSON.stringify(key) + ' of <' + tag + '> is not allowed in HTML.');
        if (value === true) {
            appendText(parts, ' ' + name + (/^(?:aria|data)-/.test(name) ? '="true"' : '=""'));
            return;
        }
        if (typeof value === 'function') {
            throw new TypeError('Attribute ' + key + ' of <' + tag + '> is a function; the page is rendered on the server, so write the handler as a string in a <script>.');
        }
        if (isThenable(value)) throw new TypeError('Attribute ' + key + ' of <' + tag + '> is a promise; await it first.');
        if (name === 'style' && typeof value === 'object') value = styleText(value);
        else if (isArray(value)) value = value.filter(Boolean).join(' ');
        value = String(value);
        if (URLS[name] && SCRIPT_URL.test(value)) value = 'about:blank#blocked-javascript-url';
        appendText(parts, ' ' + name + '="' + escape(value) + '"');
    }

    function attributeName(key) {
        if (key === 'className') return 'class';
        if (key === 'htmlFor') return 'for';
        if (key === 'xlinkHref') return 'xlink:href';
        if (HYPHENATED.test(key) && !CAMEL_SVG.test(key)) return hyphenated(key);
        if (/^(?:on|tab|auto|read|max|min|col|row|cross|content|enc|date|spell|src|form)[A-Z]/.test(key)) return key.toLowerCase();
        return key;
    }

    function hyphenated(name) {
        return name.replace(/[A-Z]/g, function (letter) { return '-' + letter.toLowerCase(); });
    }

    function styleText(style) {
        var text = '';
        for (var key in style) {
            var value = style[key];
            if (!Object.prototype.hasOwnProperty.call(style, key) || value === null || value === undefined || value === false || value === '') continue;
            var name = key.slice(0, 2) === '--' ? key : hyphenated(key).replace(/^ms-/, '-ms-');
            text += (text ? ';' : '') + name + ':' + (typeof value === 'number' && value !== 0 && !UNITLESS[name] && name.slice(0, 2) !== '--' ? value + 'px' : value);
        }
        return text;
    }

    K.Html = Html;
    K.htmlText = function (value) { return joined(value.parts); };
    K.global('html', html);
    K.global('h', h);
    K.global('Fragment', Fragment);
}(__kernel));
