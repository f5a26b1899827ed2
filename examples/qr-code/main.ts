// A package from npm: "qrcode-generator" makes a QR code, and the answer is an image.
// Open /qr-code?text=hello.
import qrcode from "qrcode-generator";

// By default the package encodes each character as one byte.
qrcode.stringToBytes = (text: string) => [...new TextEncoder().encode(text)];

registerWebHandler(
  "/qr-code",
  (req) => {
    const code = qrcode(0, "M");
    code.addData(req.query.text ?? req.url);
    code.make();
    return { status: 200, contentType: "image/svg+xml", body: code.createSvgTag({ cellSize: 8, margin: 32 }) };
  },
  { query: { type: "object", properties: { text: { type: "string", minLength: 1, maxLength: 500 } } } },
);
