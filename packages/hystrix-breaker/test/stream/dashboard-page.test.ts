import type { RequestListener } from 'node:http'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  dashboardPage,
  hystrixStream,
  type StreamEndpoint,
  turbineStream,
} from '../../src/adapters/stream.ts'
import { Breaker, InvalidOptionError, Registry } from '../../src/index.ts'
import { browser, skipWithoutChromium } from './chromium.ts'
import { ask, served } from './served.ts'
import { steppedClock } from './stepped-clock.ts'

const quick = { delay: 50 }

/** The page at `/`, the stream at `/hystrix.stream`; with `retry`, browsers come back after so many milliseconds. */
function site(stream: StreamEndpoint, retry?: number): RequestListener {
  const page = dashboardPage()
  return (request, response) => {
    if (request.url !== '/hystrix.stream') {
      page(request, response)
      return
    }
    stream(request, response)
    if (retry !== undefined && response.statusCode === 200) response.write(`retry: ${retry}\n\n`)
  }
}

describe('the page as text', () => {
  test('allows itself its own script, style and host, and nothing else', async () => {
    await using server = await served(dashboardPage({ title: '<script>"&\'', stream: '/a"b.stream' }))
    const { headers, text, status } = await ask(server.url)
    expect(status).toBe(200)
    expect(headers['content-security-policy']).toMatch(
      /^default-src 'none'; script-src 'sha256-[^' ]+'; style-src 'sha256-[^' ]+'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'$/,
    )
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'referrer-policy': 'no-referrer' })
    expect(headers).not.toHaveProperty('access-control-allow-origin')
    expect(text).toContain('<h1>&lt;script&gt;&quot;&amp;&#39;</h1>')
    expect(text).toContain('data-stream="/a&quot;b.stream"')
    expect(text.match(/<script/g)).toHaveLength(1)
    expect(text).not.toMatch(/(?:src|href)="(?!data:)/)
    expect(text).not.toMatch(/innerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/)
    expect(await ask(server.url, { method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    expect(await ask(server.url, { method: 'POST' })).toMatchObject({ status: 405 })
  })

  test('asks the hook', async () => {
    await using server = await served(dashboardPage({ authorize: ({ url }) => url === '/?let=me' }))
    expect(await ask(server.url)).toMatchObject({ status: 401, text: 'Unauthorized' })
    expect(await ask(`${server.url}/?let=me`)).toMatchObject({ status: 200 })
  })

  test.each([
    [{ stream: 'http://elsewhere/hystrix.stream' }, /^stream must be a path/],
    [{ stream: '//elsewhere/hystrix.stream' }, /^stream must be a path/],
    [{ stream: 'javascript:alert(1)' }, /^stream must be a path/],
    [{ stream: 7 }, /^stream must be a path/],
    [{ title: 7 }, /^title must be a text, not 7$/],
    [{ title: null }, /^options: title must not be null: leave it out for its default$/],
    [{ tilte: '' }, /there is no "tilte"/],
  ])('refuses %j', (options, message) => {
    expect(() => dashboardPage(options as object)).toThrow(InvalidOptionError)
    expect(() => dashboardPage(options as object)).toThrow(message)
  })
})

describe.skipIf(skipWithoutChromium())('the page in Chromium', () => {
  let chromium: Awaited<ReturnType<typeof browser>>
  beforeAll(async () => {
    chromium = await browser()
  })
  afterAll(async () => {
    await chromium[Symbol.asyncDispose]()
  })

  /** The page, with everything it complains of. */
  async function opened(
    url: string,
    { clock = false } = {},
  ): Promise<{ page: Page; complaints: string[] } & AsyncDisposable> {
    const page = await chromium.context.newPage()
    if (clock) await page.clock.install()
    const complaints: string[] = []
    page.on('pageerror', (error) => complaints.push(error.message))
    page.on('console', (message) => {
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource'))
        complaints.push(message.text())
    })
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`)
      void dialog.dismiss()
    })
    const foreign: string[] = []
    page.on('request', (request) => {
      if (!request.url().startsWith(url) && !request.url().startsWith('data:')) foreign.push(request.url())
    })
    await page.goto(url)
    return {
      page,
      complaints,
      async [Symbol.asyncDispose]() {
        await page.close()
        expect(foreign).toEqual([])
      },
    }
  }

  const stateOf = (page: Page, name: string): ReturnType<Page['locator']> =>
    page
      .locator('#commands .card')
      .filter({ has: page.getByTitle(name, { exact: true }) })
      .locator('.state')

  test('shows a circuit, and that it opens, is forced and leaves', async () => {
    const registry = new Registry()
    const users = new Breaker({
      name: 'GetUser',
      group: 'Accounts',
      volumeThreshold: 4,
      bulkhead: { max: 2, queue: 2 },
      clock: steppedClock(),
    })
    registry.add(users)
    const stream = hystrixStream(registry, quick)
    await using server = await served(site(stream))
    await using view = await opened(server.url)
    const { page } = view
    await stateOf(page, 'GetUser').getByText('Closed', { exact: true }).waitFor()
    expect(await page.locator('#connection').textContent()).toBe('Live')
    expect(await page.locator('#commands .group').textContent()).toBe('Accounts')
    for (let n = 0; n < 5; n++)
      await users.execute(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
    await stateOf(page, 'GetUser').getByText('Open', { exact: true }).waitFor()
    await page.locator('#summary').getByText('1 circuits, 1 open').waitFor()
    await page.locator('#commands dd').nth(2).getByText('4', { exact: true }).waitFor()
    expect(await page.locator('#commands dd').nth(1).textContent()).toBe('1')
    expect(await page.locator('#commands .dial text').first().textContent()).toBe('100 %')
    await page.locator('#pools .card').getByText('0 of 2').first().waitFor()
    users.force('forced-closed')
    await stateOf(page, 'GetUser').getByText('Forced closed').waitFor()
    registry.delete('GetUser')
    await page.locator('#empty').waitFor({ state: 'visible' })
    expect(await page.locator('.card').count()).toBe(0)
    expect(view.complaints).toEqual([])
    await stream[Symbol.asyncDispose]()
  })

  test('hostile names stay text', async () => {
    const names = [
      '<img src=x onerror="alert(1)">',
      '</script><script>alert(2)</script>',
      '"><svg onload=alert(3)>',
      "javascript:alert('4')",
      '__proto__',
      'constructor',
      'line\nbreak',
      'x'.repeat(10_000),
    ]
    const registry = new Registry()
    for (const name of names) registry.add(new Breaker({ name, group: name, bulkhead: { max: 1, queue: 1 } }))
    const stream = hystrixStream(registry, quick)
    await using server = await served(site(stream))
    await using view = await opened(server.url)
    const { page } = view
    await page.locator('#total').getByText(String(names.length), { exact: true }).waitFor()
    expect((await page.locator('#commands .name').allTextContents()).toSorted()).toEqual(names.toSorted())
    expect((await page.locator('#pools .name').allTextContents()).toSorted()).toEqual(names.toSorted())
    expect(await page.locator('img, script:not(:last-child), main svg [onload]').count()).toBe(0)
    const wide = await page.evaluate(
      'document.documentElement.scrollWidth > document.documentElement.clientWidth',
    )
    expect(wide).toBe(false)
    expect(view.complaints).toEqual([])
    await stream[Symbol.asyncDispose]()
  })

  test('values that are none break nothing', async () => {
    const lines = [
      'null',
      '[]',
      '{"type":"HystrixCommand"}',
      '{"type":"__proto__","name":"a"}',
      '{"type":"HystrixCommand","name":"odd","latencyExecute":null,"errorPercentage":"<b>","isCircuitBreakerOpen":[]}',
      '{"type":"HystrixThreadPool","name":"odd","currentActiveCount":{}}',
      '{"type":"HystrixCollapser","name":"odd","batchSize_mean":null}',
      'no json',
    ]
    const page = dashboardPage()
    await using server = await served((request, response) => {
      if (request.url !== '/hystrix.stream') {
        page(request, response)
        return
      }
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      for (const line of lines) response.write(`data: ${line}\n\n`)
    })
    await using view = await opened(server.url)
    await stateOf(view.page, 'odd').getByText('Unknown').waitFor()
    expect(await view.page.locator('.card').count()).toBe(3)
    expect(view.complaints).toEqual([])
  })

  test('says that it lost the server, and goes on when it is back', async () => {
    const registry = new Registry()
    registry.add(new Breaker({ name: 'before' }))
    const first = hystrixStream(registry, quick)
    const server = await served(site(first, 100))
    await using view = await opened(server.url, { clock: true })
    const { page } = view
    await stateOf(page, 'before').waitFor()
    await server[Symbol.asyncDispose]()
    await page.locator('#connection[data-state="lost"]').waitFor()
    const other = new Registry()
    const after = new Breaker({ name: 'after' })
    other.add(after)
    const second = hystrixStream(other, quick)
    await using again = await served(site(second, 100), server.port)
    await stateOf(page, 'after').getByText('Closed', { exact: true }).waitFor()
    expect(await page.locator('#connection').textContent()).toBe('Live')
    // What only the old process had goes after a while.
    await page.clock.fastForward('00:10')
    await stateOf(page, 'before').waitFor({ state: 'detached' })
    // An answer such as 503 does not end it either.
    await second[Symbol.asyncDispose]()
    await page.locator('#connection[data-state="lost"]').waitFor()
    const third = hystrixStream(other, quick)
    again.server.removeAllListeners('request').on('request', site(third))
    await page.clock.fastForward('00:02')
    await page.locator('#connection[data-state="live"]').waitFor()
    await third[Symbol.asyncDispose]()
  })

  test('shows a fleet, orders and filters', async () => {
    const registries = [new Registry(), new Registry()]
    // Time stands still: the calls stay within the window, however long the page takes.
    const clock = steppedClock()
    for (const [n, registry] of registries.entries()) {
      const calm = registry.getOrCreate('calm', (name) => new Breaker({ name, clock }))
      for (let call = 0; call < 30; call++) await calm.execute(() => call)
      const half = registry.getOrCreate('half', (name) => new Breaker({ name }))
      if (n === 0) half.force('forced-open')
      const open = registry.getOrCreate('wide open', (name) => new Breaker({ name, consecutive: 1, clock }))
      await open.execute(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
    }
    const peers = await Promise.all(registries.map((registry) => served(hystrixStream(registry, quick))))
    const turbine = turbineStream(
      peers.map(({ url }) => url),
      quick,
    )
    await using server = await served(site(turbine))
    await using view = await opened(server.url)
    const { page } = view
    await page.locator('#commands .group').getByText('2 hosts').nth(2).waitFor()
    await stateOf(page, 'wide open').getByText('Open', { exact: true }).waitFor()
    await stateOf(page, 'half').getByText('1 of 2 open').waitFor()
    await page.locator('#order').selectOption('volume')
    expect(await page.locator('#commands .name').first().textContent()).toBe('calm')
    await page.locator('#order').selectOption('health')
    expect(await page.locator('#commands .name').allTextContents()).toEqual(['wide open', 'half', 'calm'])
    await page.locator('#filter').fill('CAL')
    await stateOf(page, 'half').waitFor({ state: 'hidden' })
    expect(await stateOf(page, 'calm').isVisible()).toBe(true)
    expect(view.complaints).toEqual([])
    await turbine[Symbol.asyncDispose]()
    for (const peer of peers) await peer[Symbol.asyncDispose]()
  })
})
