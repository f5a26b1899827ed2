// What every page has around it.

const style = `
  body { font: 1.1rem/1.5 system-ui, sans-serif; margin: 3rem auto; max-width: 34rem; padding: 0 1rem; }
  input { font: inherit; }
`;

export const Layout = ({ title, children }: { title: string; children?: unknown }) => (
  <html lang="en">
    <head>
      <meta charset="utf-8" />
      <meta name="viewport" content="width=device-width" />
      <title>{title}</title>
      <style>{style}</style>
    </head>
    <body>
      <h1>{title}</h1>
      {children}
    </body>
  </html>
);
