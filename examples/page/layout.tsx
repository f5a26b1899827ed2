// What every page has around it.  Its style is a file of `public/`, which the server sends by itself.

export const Layout = ({ title, children }: { title: string; children?: unknown }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{title}</title>
      <link rel="stylesheet" href="/page/style.css" />
    </head>
    <body>
      <h1>{title}</h1>
      {children}
    </body>
  </html>
);
