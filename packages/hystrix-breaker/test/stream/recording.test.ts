import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { turbineStream } from '../../src/adapters/stream.ts'
import { readData, type StreamData } from '../../src/adapters/stream-data.ts'
import { registryData } from '../../src/adapters/stream-frames.ts'
import { topTable } from '../../src/cli/top-view.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { dashboardWar } from './dashboard-war.ts'
import { StreamListener, served } from './served.ts'

const war = dashboardWar()
// What a real process streamed in 2012, which the dashboard carries for its demonstration.
const file = 'WEB-INF/classes/com/netflix/hystrix/dashboard/stream/hystrix.stream'
const text = 'home' in war ? readFileSync(join(war.home, file), 'utf8') : ''
const recorded = text
  .split('\n')
  .flatMap((line) => (line.startsWith('data: ') ? [JSON.parse(line.slice(6)) as StreamData] : []))

describe.skipIf('missing' in war)('a recording of Hystrix', () => {
  test('has our fields, in our order and of our types', () => {
    const registry = new Registry()
    registry.add(new Breaker({ name: 'a', bulkhead: { max: 1, queue: 1 } }))
    const ours = new Map(registryData(registry, 0).map((frame) => [frame.type, frame]))
    const compared = new Set<string>()
    for (const frame of recorded) {
      const own = ours.get(frame.type) ?? expect.fail(`no ${frame.type}`)
      const order = Object.keys(own)
      const places = Object.keys(frame).map((field) => order.indexOf(field))
      if (places.includes(-1)) expect.fail(`${Object.keys(frame)[places.indexOf(-1)]} is missing`)
      expect(places).toEqual(places.toSorted((a, b) => a - b))
      for (const [field, value] of Object.entries(frame)) {
        // Of null in the recording nothing can be said.
        if (value === null) continue
        expect(`${field} ${typeof own[field]}`).toBe(`${field} ${typeof value}`)
        if (typeof value === 'object') expect(Object.keys(own[field] ?? {})).toEqual(Object.keys(value))
      }
      compared.add(frame.type)
    }
    expect(recorded.length).toBeGreaterThan(200)
    expect([...compared].toSorted()).toEqual(['HystrixCommand', 'HystrixThreadPool'])
  })

  test('is read by turbine.stream and top as our own streams are', async () => {
    await using peers = await served((_, response) => {
      response.writeHead(200, { 'Content-Type': 'text/event-stream' })
      response.write(text)
    })
    const turbine = turbineStream([`${peers.url}/a`, `${peers.url}/b`], { delay: 50 })
    await using server = await served(turbine)
    using client = await StreamListener.open(server.url)
    // The last one of each, twice.
    const last = new Map(recorded.map((frame) => [`${frame.type} ${frame.name}`, frame]))
    const sumOf = ({ type, name }: StreamData): object => {
      const one = last.get(`${type} ${name}`) ?? expect.fail(name)
      const field = type === 'HystrixCommand' ? 'requestCount' : 'rollingCountThreadsExecuted'
      return { reportingHosts: 2, [field]: 2 * Number(one[field]) }
    }
    const isSummed = (frame: StreamData): boolean =>
      Object.entries(sumOf(frame)).every(([field, sum]) => frame[field] === sum)
    // A recording is long, and may come in parts between which some of it is told.
    const frames = await client.until((listener) => {
      const latest = new Map(listener.frames.map((frame) => [`${frame.type} ${frame.name}`, frame]))
      return latest.size === last.size && [...latest.values()].every(isSummed) && [...latest.values()]
    })
    expect(turbine.peers.map(({ reported }) => reported)).toEqual([last.size, last.size])
    for (const one of last.values()) expect(readData(JSON.stringify(one))?.name).toBe(one.name)
    const [, ...rows] = topTable(frames)
    const commands = [...last.values()].filter(({ type }) => type === 'HystrixCommand')
    expect(rows.map((row) => row.replace(/ .*/, '')).toSorted()).toEqual(
      commands.map(({ name }) => name).toSorted(),
    )
    await turbine[Symbol.asyncDispose]()
  })
})
