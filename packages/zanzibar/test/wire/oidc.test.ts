import { once } from 'node:events'
import { createServer } from 'node:http'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT, UnsecuredJWT } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { oidc } from '../../src/adapters/oidc.ts'
import { type Authenticator, presharedKeys, zanzibarServer } from '../../src/adapters/server.ts'
import { memoryStore } from '../../src/store/memory-store.ts'

const { privateKey, publicKey } = await generateKeyPair('RS256', { extractable: true })
const stranger = await generateKeyPair('RS256')
const key = { ...(await exportJWK(publicKey)), kid: 'one', alg: 'RS256', use: 'sig' }

let issuer = ''
/** In place of the keys. */
let keysAnswer: { readonly status: number; readonly body: string } | undefined
const provider = createServer((request, response) => {
  response.setHeader('content-type', 'application/json')
  if (keysAnswer !== undefined && request.url === '/keys') {
    response.writeHead(keysAnswer.status).end(keysAnswer.body)
    return
  }
  const answer = request.url === '/keys' ? { keys: [key] } : { issuer, jwks_uri: `${issuer}/keys` }
  response.end(JSON.stringify(answer))
})
beforeAll(async () => {
  provider.listen(0, '127.0.0.1')
  await once(provider, 'listening')
  const address = provider.address()
  issuer = `http://127.0.0.1:${address !== null && typeof address === 'object' ? address.port : 0}`
})
afterAll(async () => {
  provider.close()
  provider.closeAllConnections()
  await once(provider, 'close')
})

interface Claims {
  readonly iss?: string
  readonly aud?: string
  readonly sub?: string
  readonly exp?: number
}

const later = (): number => Math.floor(Date.now() / 1000) + 3600

function tokenOf(
  { iss = issuer, aud = 'zanzibar', sub = 'desk', exp = later() }: Claims,
  by = privateKey,
): Promise<string> {
  return new SignJWT({ iss, aud, sub, exp }).setProtectedHeader({ alg: 'RS256', kid: 'one' }).sign(by)
}

async function refusalOf(authenticator: Authenticator, token: string | undefined): Promise<unknown> {
  try {
    await authenticator.authenticate(token)
    return 'taken'
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error
  }
}

test('takes what the issuer signed for the audience, and nothing else', async () => {
  const authenticator = await oidc({
    issuer,
    audience: 'zanzibar',
    issuerAliases: ['https://alias'],
    subjects: ['desk'],
  })
  expect(await refusalOf(authenticator, await tokenOf({}))).toBe('taken')
  expect(await refusalOf(authenticator, await tokenOf({ iss: 'https://alias' }))).toBe('taken')
  expect(await refusalOf(authenticator, undefined)).toBe('bearer_token_missing')
  const wrong = [
    await tokenOf({ aud: 'another' }),
    await tokenOf({ iss: 'https://another' }),
    await tokenOf({ sub: 'somebody' }),
    await tokenOf({ exp: 1000 }),
    await tokenOf({}, stranger.privateKey),
    await new SignJWT({ iss: issuer, aud: 'zanzibar', sub: 'desk' })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey),
    await new SignJWT({ iss: issuer, sub: 'desk', exp: later() })
      .setProtectedHeader({ alg: 'RS256', kid: 'one' })
      .sign(privateKey),
    new UnsecuredJWT({ iss: issuer, aud: 'zanzibar', sub: 'desk' }).setExpirationTime('1h').encode(),
    // The public key as a shared secret.
    await new SignJWT({ iss: issuer, aud: 'zanzibar', sub: 'desk', exp: later() })
      .setProtectedHeader({ alg: 'HS256', kid: 'one' })
      .sign(Buffer.from(await exportSPKI(publicKey))),
    'no.token.atall',
    '',
  ]
  for (const token of wrong) expect(await refusalOf(authenticator, token)).toBe('invalid_claims')
})

test.each([
  { status: 503, body: '{}' },
  { status: 200, body: 'not found' },
  { status: 200, body: '{"keys":{}}' },
])('where the issuer gives no keys, that is no fault of the token: $status $body', async (answer) => {
  const authenticator = await oidc({ issuer, audience: 'zanzibar' })
  keysAnswer = answer
  try {
    expect(await refusalOf(authenticator, await tokenOf({}))).toBe('internal_error')
    // What is no token is told without asking for keys.
    expect(await refusalOf(authenticator, 'no.token.atall')).toBe('invalid_claims')
  } finally {
    keysAnswer = undefined
  }
})

test('does not start without an audience or an issuer that answers', async () => {
  await expect(oidc({ issuer, audience: '' })).rejects.toMatchObject({ code: 'invalid_option' })
  // As JavaScript may.
  const asked: unknown = Reflect.apply(oidc, undefined, [{ issuer }])
  await expect(asked).rejects.toMatchObject({ code: 'invalid_option' })
  await expect(oidc({ issuer: '', audience: 'zanzibar' })).rejects.toMatchObject({ code: 'invalid_option' })
  await expect(oidc({ issuer: `${issuer}:no`, audience: 'zanzibar' })).rejects.toMatchObject({
    code: 'invalid_option',
  })
  expect(() => presharedKeys([])).toThrow('keys must name one key or more')
  expect(() => presharedKeys(['a', ''])).toThrow('keys must name one key or more')
})

test('the server asks for a token before it reads a body, and says what OpenFGA says', async () => {
  await using store = memoryStore()
  await using server = zanzibarServer({ store, authenticator: presharedKeys(['one', 'two']) })
  const url = await server.listen({ port: 0 })
  const answerOf = async (authorization?: string): Promise<unknown> => {
    const response = await fetch(`${url}/stores`, {
      ...(authorization !== undefined && { headers: { authorization } }),
    })
    const body: unknown = await response.json()
    return [response.status, body]
  }
  expect(await answerOf()).toEqual([401, { code: 'bearer_token_missing', message: 'missing bearer token' }])
  expect(await answerOf('Basic one')).toEqual([
    401,
    { code: 'bearer_token_missing', message: 'missing bearer token' },
  ])
  expect(await answerOf('Bearer three')).toEqual([
    401,
    { code: 'unauthenticated', message: 'unauthenticated' },
  ])
  expect(await answerOf('bearer two')).toEqual([200, { stores: [], continuation_token: '' }])
  expect((await fetch(`${url}/healthz`)).status).toBe(200)
})
