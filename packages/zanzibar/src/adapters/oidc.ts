import { createRemoteJWKSet, errors, type JWTVerifyGetKey, jwtVerify } from 'jose'
import { ZanzibarError } from '../index.ts'
import { type Authenticator, bearerTokenMissing } from './server/authentication.ts'

/** Options of {@link oidc}. */
export interface OidcOptions {
  /** Where `/.well-known/openid-configuration` is found, and whom the tokens must name. */
  readonly issuer: string
  /** Whom the tokens must be meant for. */
  readonly audience: string
  /** Other names of the issuer. */
  readonly issuerAliases?: readonly string[]
  /** Whose tokens are taken. Default: anybody's. */
  readonly subjects?: readonly string[]
}

/** Signatures of a key that the issuer alone has. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA']

/**
 * Takes bearer tokens (JWT) that an issuer of OpenID Connect has signed for `audience` and that have not run out. Its keys
 * are fetched when they are first needed, and again when a token names one that is not known.
 *
 * @throws ZanzibarError `invalid_option` where the issuer or the audience is missing, or the issuer cannot be asked
 */
export async function oidc({
  issuer,
  audience,
  issuerAliases = [],
  subjects = [],
}: OidcOptions): Promise<Authenticator> {
  if (typeof issuer !== 'string' || issuer === '') throw missing('issuer', 'https://id.example.com')
  if (typeof audience !== 'string' || audience === '')
    throw missing('audience', 'https://zanzibar.example.com')
  const keys = await keysOf(issuer)
  return {
    authenticate: async (token) => {
      if (token === undefined) throw bearerTokenMissing()
      const subject = await subjectOf(token, keys, { issuer: [issuer, ...issuerAliases], audience })
      if (subjects.length > 0 && (subject === undefined || !subjects.includes(subject))) throw invalidClaims()
    },
  }
}

/** Not of the token: the keys did not come in time, or with another status than 200, or are none. */
const issuersFaults: ReadonlySet<string> = new Set([
  'ERR_JWKS_TIMEOUT',
  'ERR_JOSE_GENERIC',
  'ERR_JWKS_INVALID',
])

interface Expected {
  readonly issuer: string[]
  readonly audience: string
}

async function subjectOf(
  token: string,
  keys: JWTVerifyGetKey,
  expected: Expected,
): Promise<string | undefined> {
  try {
    const { payload } = await jwtVerify(token, keys, { ...expected, algorithms, requiredClaims: ['exp'] })
    return payload.sub
  } catch (cause) {
    if (cause instanceof errors.JOSEError && !issuersFaults.has(cause.code)) throw invalidClaims(cause)
    throw new ZanzibarError('internal_error', 'the keys of the issuer cannot be had', { cause })
  }
}

async function keysOf(issuer: string): Promise<JWTVerifyGetKey> {
  const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(10_000) })
    if (!response.ok) throw new Error(`status ${response.status}`)
    const configuration: unknown = await response.json()
    return createRemoteJWKSet(new URL(keysAt(configuration)))
  } catch (cause) {
    throw new ZanzibarError('invalid_option', `issuer must answer at ${url} with its configuration`, {
      cause,
    })
  }
}

function keysAt(configuration: unknown): string {
  if (typeof configuration === 'object' && configuration !== null && 'jwks_uri' in configuration) {
    const { jwks_uri: uri } = configuration
    if (typeof uri === 'string') return uri
  }
  throw new Error('no jwks_uri')
}

function invalidClaims(cause?: Error): ZanzibarError {
  return new ZanzibarError('invalid_claims', 'invalid claims', { cause })
}

function missing(name: string, example: string): ZanzibarError {
  return new ZanzibarError(
    'invalid_option',
    `${name} is missing, such as ${example}: tokens of others would be taken`,
  )
}
