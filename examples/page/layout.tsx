// The layout of every page.  Its style sheet is a file of `public/`, which the server serves itself.

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
