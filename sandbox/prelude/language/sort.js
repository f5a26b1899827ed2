/*
 * Array.prototype.sort: stable, and with a comparator that may make a synchronous host call.
 *
 * The engine's own is quicksort in C: not stable, and nothing can yield through it.  It still sorts
 * lists of texts without a comparator, where nobody can tell equal ones apart.
 */
(function (K) {
    'use strict';

    var native = K.native.sort, isArray = Array.isArray, SHORT = 10;

    function allTexts(list) {
        for (var i = 0; i < list.length; i++) if (typeof list[i] !== 'string') return false;
        return true;
    }

    function insertion(list, compare, from, to) {
        for (var i = from + 1; i < to; i++) {
            var item = list[i], j = i;
            while (j > from && compare(list[j - 1], item) > 0) { list[j] = list[j - 1]; j--; }
            list[j] = item;
        }
    }

    /* Runs of SHORT items by insertion, then merged two by two. */
    function mergeSort(list, compare) {
        var length = list.length, from = list, to = [], width;
        for (var start = 0; start < length; start += SHORT) insertion(list, compare, start, Math.min(start + SHORT, length));
        for (width = SHORT; width < length; width *= 2) {
            for (var left = 0; left < length; left += 2 * width) {
                merge(from, to, compare, left, Math.min(left + width, length), Math.min(left + 2 * width, length));
            }
            var swap = from;
            from = to;
            to = swap;
        }
        return from;
    }

    function merge(from, to, compare, left, middle, right) {
        var i = left, j = middle, at = left;
        while (i < middle && j < right) to[at++] = compare(from[i], from[j]) > 0 ? from[j++] : from[i++];
        while (i < middle) to[at++] = from[i++];
        while (j < right) to[at++] = from[j++];
    }

    function byText(items) {
        var pairs = [];
        for (var i = 0; i < items.length; i++) pairs[i] = { key: String(items[i]), item: items[i] };
        pairs = mergeSort(pairs, function (a, b) { return a.key < b.key ? -1 : a.key > b.key ? 1 : 0; });
        for (i = 0; i < pairs.length; i++) pairs[i] = pairs[i].item;
        return pairs;
    }

    function sort(comparator) {
        if (comparator !== undefined && typeof comparator !== 'function') throw new TypeError('The comparison function must be either a function or undefined');
        var list = Object(this), length = isArray(list) ? list.length : Math.min(Math.max(Math.floor(Number(list.length)) || 0, 0), 9007199254740991);
        if (comparator === undefined && isArray(list) && allTexts(list)) return native.call(list);
        var items = [], count = 0, missing = 0;
        for (var i = 0; i < length; i++) {
            var item = list[i];
            if (item !== undefined) items[count++] = item;
            else if (i in list) missing++;
        }
        if (comparator === undefined) items = byText(items);
        else if (count <= SHORT) insertion(items, comparator, 0, count);
        else items = mergeSort(items, comparator);
        for (i = 0; i < count; i++) list[i] = items[i];
        for (; i < count + missing; i++) list[i] = undefined;
        for (; i < length; i++) delete list[i];
        return list;
    }

    K.define(Array.prototype, 'sort', sort);
    K.define(Array.prototype, 'toSorted', function toSorted(comparator) {
        if (comparator !== undefined && typeof comparator !== 'function') throw new TypeError('The comparison function must be either a function or undefined');
        var copy = [];
        for (var i = 0; i < this.length; i++) copy[i] = this[i];
        return sort.call(copy, comparator);
    });
}(__kernel));
