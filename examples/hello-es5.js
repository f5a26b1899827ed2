// The smallest script: plain ES5, in one file, which is deployed without a build.
// Open /hello-es5 or /hello-es5/your-name.

registerWebHandler('/hello-es5', function () {
    return 'Hello, world!';
});

registerWebHandler('/hello-es5/:name', function (req) {
    return { hello: req.params.name };
});
