import { Buffer } from 'node:buffer'
import { createReadStream, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream'
import { eventually } from '@loadbearing/harness/faults'
import { memoryStore } from '@loadbearing/stripe-idempotency'
import { idempotency } from '@loadbearing/stripe-idempotency/express'
import compression from 'compression'
import express from 'express'
import { afterEach, describe, expect, test } from 'vitest'
import { megabytes } from './application.ts'
import { servedBy } from './serving.ts'

const open: AsyncDisposable[] = []
afterEach(async () => {
  for (const each of open.splice(0)) await each[Symbol.asyncDispose]()
})

const file = Buffer.concat(megabytes)
const options = {
  store: memoryStore(),
  mode: 'stripe-v1',
  scope: () => 'acct_1',
  maxResponseBytes: 2 ** 23,
} as const

async function serve(
  set: (app: express.Express) => void,
): Promise<(path: string, body?: string) => Promise<Response>> {
  const app = express()
  set(app)
  const served = await servedBy(app)
  open.push(served)
  return (path, body = '{"n":1}') =>
    fetch(served.url + path, {
      method: 'POST',
      redirect: 'manual',
      body,
      headers: { 'content-type': 'application/json', 'idempotency-key': path + served.url },
    })
}

function temporaryFile(): { readonly path: string } & Disposable {
  const home = mkdtempSync(join(tmpdir(), 'idempotency-'))
  const path = join(home, 'file.bin')
  writeFileSync(path, file)
  return { path, [Symbol.dispose]: () => rmSync(home, { recursive: true }) }
}

describe('every way that Express has to answer is kept', () => {
  const ways: Record<string, (response: express.Response, path: string) => void> = {
    json: (response) => void response.status(202).json({ a: 1 }),
    'send of a string': (response) => void response.send('text'),
    'send of bytes': (response) => void response.send(Buffer.from([0, 255, 10])),
    sendStatus: (response) => void response.sendStatus(418),
    redirect: (response) => response.redirect(303, '/elsewhere'),
    'writeHead and end': (response) =>
      void response.writeHead(201, { 'content-type': 'x/y' }).end('latin \u00e9', 'latin1'),
    'writeHead with a reason and a list': (response) =>
      void response.writeHead(200, 'Fine', ['x-a', '1', 'Etag', '"e"']).end(),
    'several writes': (response) => {
      response.write('a', () => {
        response.write(Buffer.from('b'))
        response.end('c')
      })
    },
    'a callback of end': (response) => void response.end('x', () => response.emit('told')),
    sendFile: (response, path) => response.sendFile(path),
  }
  test.each(Object.keys(ways))('%s', async (way) => {
    using temporary = temporaryFile()
    let executions = 0
    const post = await serve((app) =>
      app.use(idempotency(options), (_request, response) => {
        executions++
        ways[way]?.(response, temporary.path)
      }),
    )
    const seen: unknown[] = []
    for (let n = 0; n < 2; n++) {
      const response = await post(`/${encodeURIComponent(way)}`)
      const { status, headers } = response
      const kept = ['content-type', 'location', 'etag'].map((name) => headers.get(name))
      seen.push([status, kept, Buffer.from(await response.arrayBuffer()).toString('base64')])
    }
    expect(seen[1]).toEqual(seen[0])
    expect(executions).toBe(1)
  })
})

test.each(['sendFile', 'pipeline'])('a client that goes away does not cut off %s', async (way) => {
  using temporary = temporaryFile()
  const post = await serve((app) =>
    app.use(idempotency(options), (_request, response) => {
      if (way === 'sendFile') response.sendFile(temporary.path)
      else pipeline(createReadStream(temporary.path), response, () => {})
    }),
  )
  const first = await post(`/${way}`)
  await first.body?.cancel()
  for (;;) {
    const again = await post(`/${way}`)
    const body = Buffer.from(await again.arrayBuffer())
    if (again.status === 409) continue
    expect([again.status, again.headers.get('idempotent-replayed'), body.equals(file)]).toEqual([
      200,
      'true',
      true,
    ])
    break
  }
})

test('events pass a compression in front as they are produced', async () => {
  const gate = Promise.withResolvers<void>()
  const post = await serve((app) =>
    app.use(compression(), idempotency(options), (_request, response) => {
      response.set('content-type', 'text/event-stream').flushHeaders()
      response.write('data: 1\n\n')
      void gate.promise.then(() => response.end('data: 2\n\n'))
    }),
  )
  const response = await post('/events')
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  expect(response.headers.get('content-encoding')).not.toBeNull()
  expect((await reader?.read())?.value).toBe('data: 1\n\n')
  gate.resolve()
  expect((await reader?.read())?.value).toBe('data: 2\n\n')
})

describe('a parser in front', () => {
  const big = '{"n":9007199254740993}'
  const bigger = '{"n":9007199254740992}'

  test('is warned of, as it makes numbers equal', async () => {
    const warnings: string[] = []
    const onWarning = (warning: Error): void => void warnings.push(warning.message)
    process.on('warning', onWarning)
    try {
      const post = await serve((app) =>
        app.use(express.json(), idempotency(options), (_request, response) => void response.json({})),
      )
      expect((await post('/parsed', big)).status).toBe(200)
      expect((await post('/parsed', bigger)).headers.get('idempotent-replayed')).toBe('true')
      expect((await post('/parsed', '{"n":1}')).status).toBe(400)
      await eventually(() => warnings.join().includes('parsed before idempotency'))
    } finally {
      process.off('warning', onWarning)
    }
  })

  test('may keep the bytes', async () => {
    const keep = express.json({
      verify: (request, _response, bytes) => void Reflect.set(request, 'rawBody', bytes),
    })
    const post = await serve((app) =>
      app.use(keep, idempotency(options), (_request, response) => void response.json({})),
    )
    expect((await post('/kept', big)).status).toBe(200)
    expect((await post('/kept', bigger)).status).toBe(400)
  })
})

test('a request that is cut off in its body executes nothing', async () => {
  let executions = 0
  const failed = Promise.withResolvers<unknown>()
  const app = express()
  app.use(idempotency(options), (_request, response) => {
    executions++
    response.end()
  })
  app.use(((error, _request, _response, _next) =>
    failed.resolve(error)) satisfies express.ErrorRequestHandler)
  const served = await servedBy(app)
  open.push(served)
  const request = httpRequest(`${served.url}/cut`, {
    method: 'POST',
    headers: { 'idempotency-key': 'cut', 'content-length': '100' },
  })
  request.on('error', () => {})
  request.write('ten bytes.', () => request.destroy())
  expect(await failed.promise).toBeInstanceOf(Error)
  expect(executions).toBe(0)
})
