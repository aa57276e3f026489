import { expect, test } from 'vitest'
import { hystrixStream } from '../../src/adapters/stream.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { browser, skipWithoutChromium } from './chromium.ts'
import { dashboardServer, dashboardWar, underscore } from './dashboard-war.ts'
import { served } from './served.ts'
import { steppedClock } from './stepped-clock.ts'

const war = dashboardWar()

test.skipIf('missing' in war || skipWithoutChromium() !== false)(
  'the dashboard of Hystrix 1.5.18 shows our stream in a real browser',
  async () => {
    const registry = new Registry()
    // Its time stands still: the calls stay within its window, however long the browser takes.
    const users = new Breaker({
      name: 'GetUser',
      volumeThreshold: 4,
      bulkhead: { max: 10, queue: 5 },
      clock: steppedClock(),
    })
    registry.add(users)
    registry.add(new Breaker({ name: 'Forced' }))
    registry.get('Forced')?.force('forced-open')
    for (let n = 0; n < 300; n++) await users.execute(() => n)
    await using stream = await served(hystrixStream(registry))
    await using dashboard = await served(dashboardServer('home' in war ? war.home : ''))
    await using chromium = await browser()
    const page = await chromium.context.newPage()
    const complaints: string[] = []
    page.on('console', (message) => complaints.push(message.text()))
    page.on('pageerror', (error) => complaints.push(error.message))
    await page.route(/cdnjs\.cloudflare\.com/, (route) =>
      route.fulfill({ contentType: 'text/javascript', body: underscore }),
    )
    const query = `stream=${encodeURIComponent(`${stream.url}/hystrix.stream`)}&title=ours`
    await page.goto(`${dashboard.url}/monitor/monitor.html?${query}`)
    const tile = page.locator('[id="CIRCUIT_GetUser_0"]')
    await tile.getByText('Circuit Closed').waitFor()
    expect(await tile.locator('a.success').textContent()).toBe('300')
    await page.locator('[id="CIRCUIT_Forced_0"]').getByText('Circuit Forced Open').waitFor()
    await page.locator('[id="THREAD_POOL_GetUser_0"]').getByText('Pool Size').waitFor()
    // The circle grows with the rate: of 30 in a second from 5 to beyond 20.
    const circle = `document.querySelector('[id="chart_CIRCUIT_GetUser_0"] circle')`
    await page.waitForFunction(`parseFloat(${circle}.getAttribute('r')) > 20`)
    for (let n = 0; n < 301; n++)
      await users.execute(() => Promise.reject(new Error('down'))).catch((error: unknown) => error)
    await tile.getByText('Circuit Open').waitFor()
    await page.waitForFunction(`getComputedStyle(${circle}).fill === 'rgb(255, 0, 0)'`)
    expect(complaints).toEqual([])
  },
)
