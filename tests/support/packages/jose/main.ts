import { Hono } from 'hono';
import { basicAuth } from 'hono/basic-auth';
import { bearerAuth } from 'hono/bearer-auth';
import { setSignedCookie, getSignedCookie } from 'hono/cookie';
import { etag } from 'hono/etag';
import { jwt, sign } from 'hono/jwt';
import {
  CompactEncrypt, compactDecrypt, EncryptJWT, exportJWK, generateKeyPair, importJWK, jwtDecrypt, jwtVerify, SignJWT, calculateJwkThumbprint, createLocalJWKSet, base64url, errors,
} from 'jose';

const text = new TextEncoder();
const secret = text.encode('0123456789abcdef0123456789abcdef');
const app = new Hono();

async function signed(alg: string) {
  const pair = alg === 'HS256' ? { privateKey: secret, publicKey: secret } : await generateKeyPair(alg, { extractable: true });
  const token = await new SignJWT({ for: 'you' }).setProtectedHeader({ alg, kid: 'one' }).setIssuedAt().setIssuer('me').setExpirationTime('1h').sign(pair.privateKey);
  const { payload, protectedHeader } = await jwtVerify(token, pair.publicKey, { issuer: 'me' });
  const [head, body, signature] = token.split('.');
  const other = `${head}.${body}.${signature[0] === 'A' ? 'B' : 'A'}${signature.slice(1)}`;
  const wrong = await jwtVerify(other, pair.publicKey).catch((error) => error instanceof errors.JWSSignatureVerificationFailed);
  const late = await jwtVerify(token, pair.publicKey, { currentDate: new Date(Date.now() + 7200_000) }).catch((error) => error.code);
  if (alg === 'HS256') return [payload.for, protectedHeader.alg, wrong, late];
  const jwk = { ...(await exportJWK(pair.publicKey)), alg, kid: 'one' };
  const bySet = await jwtVerify(token, createLocalJWKSet({ keys: [jwk] }));
  const imported = await jwtVerify(token, await importJWK(jwk, alg));
  return [payload.for, protectedHeader.alg, wrong, late, bySet.payload.iss, imported.payload.iss, (await calculateJwkThumbprint(jwk)).length];
}

app.get('/tokens/signed/:alg', async (c) => c.json(await signed(c.req.param('alg'))));
app.get('/tokens/encrypted', async (c) => {
  const made: unknown[] = [];
  const direct = await new EncryptJWT({ for: 'you' }).setProtectedHeader({ alg: 'dir', enc: 'A256GCM' }).setIssuer('me').encrypt(secret);
  made.push((await jwtDecrypt(direct, secret, { issuer: 'me' })).payload.for);
  for (const alg of ['RSA-OAEP-256', 'ECDH-ES', 'ECDH-ES+A256KW']) {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    const sealed = await new CompactEncrypt(text.encode('text')).setProtectedHeader({ alg, enc: 'A256GCM' }).encrypt(publicKey);
    made.push(new TextDecoder().decode((await compactDecrypt(sealed, privateKey)).plaintext));
  }
  for (const [alg, enc] of [['A256KW', 'A128CBC-HS256'], ['PBES2-HS256+A128KW', 'A256GCM'], ['A256GCMKW', 'A256GCM']]) {
    const sealed = await new CompactEncrypt(text.encode('text')).setProtectedHeader({ alg, enc }).encrypt(secret);
    made.push(new TextDecoder().decode((await compactDecrypt(sealed, secret, { keyManagementAlgorithms: [alg] })).plaintext));
  }
  made.push(await jwtDecrypt(`${direct.slice(0, -2)}AA`, secret).catch((error) => error.code));
  return c.json(made);
});
// RFC 7515, A.1: made by others.
const K = base64url.decode('AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow');
app.get('/tokens/known', async (c) => c.json((await jwtVerify('eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk', K, { currentDate: new Date(1300819000000) })).payload.iss));

app.use('/tokens/jwt/*', jwt({ secret: 'secret', alg: 'HS256' }));
app.get('/tokens/jwt/who', (c) => c.json((c.get('jwtPayload') as { sub: string }).sub));
app.get('/tokens/make', async (c) => c.text(await sign({ sub: 'ada' }, 'secret', 'HS256')));
app.use('/tokens/basic', basicAuth({ username: 'ada', password: 'pass' }));
app.get('/tokens/basic', (c) => c.text('in'));
app.use('/tokens/bearer', bearerAuth({ token: 'token' }));
app.get('/tokens/bearer', (c) => c.text('in'));
app.get('/tokens/cookie', async (c) => { await setSignedCookie(c, 'n', 'v', 'secret'); return c.text(String(await getSignedCookie(c, 'secret', 'n'))); });
app.use('/tokens/etag', etag());
app.get('/tokens/etag', (c) => c.text('the same'));
export default app;
