import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { kafka, skipWithout } from '../../src/services/index.ts'
import { isAlive } from './living.ts'

/** The jars are fetched by a command of their own (kafka-home.pom.xml), so CI too may go without. */
function skip(): string | false {
  const { KAFKA_HOME, LOADBEARING_KAFKA_BROKERS } = process.env
  if (KAFKA_HOME !== undefined || LOADBEARING_KAFKA_BROKERS !== undefined) return skipWithout('kafka')
  const reason = 'neither KAFKA_HOME nor LOADBEARING_KAFKA_BROKERS is set'
  process.stderr.write(`loadbearing: skipping the tests of kafka(): ${reason}\n`)
  return reason
}

// Starting a JVM twice or more is slow, so one test holds the whole life of the server.
describe.skipIf(skip())('kafka()', () => {
  beforeEach(() => {
    vi.stubEnv('LOADBEARING_KAFKA_BROKERS', undefined)
  })
  afterEach(() => {
    vi.unstubAllEnvs()
  })

  test('starts a broker, finds it running, restarts it after kill -9, leaves no process', async () => {
    const service = await kafka()
    expect(service.url).toMatch(/^127\.0\.0\.1:\d+$/)
    const again = await kafka()
    expect(again.pid).toBe(service.pid)
    await again.stop()
    const killed = service.pid
    await service.kill()
    expect(isAlive(killed)).toBe(false)
    await service.restart()
    vi.stubEnv('LOADBEARING_KAFKA_BROKERS', `${service.url},127.0.0.1:1`)
    expect(await kafka()).toMatchObject({ owned: false, url: `${service.url},127.0.0.1:1` })
    const { pid } = service
    await service.stop()
    expect(isAlive(pid)).toBe(false)
  }, 120_000)
})
