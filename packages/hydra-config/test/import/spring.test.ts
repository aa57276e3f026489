import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { compose, isHydraConfigError } from '@loadbearing/hydra-config'
import { fromSpring, importSpring } from '@loadbearing/hydra-config/spring'
import { afterAll, expect, test } from 'vitest'

const folder = mkdtempSync(join(tmpdir(), 'hydra-spring-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const files = {
  'application.yml': `
spring:
  profiles:
    group:
      production: [proddb, prodmq]
server: {port: 8080, name: shop}
url: "http://\${HOST_OF_CASES:localhost}:\${server.port}/\${path.of.shop:a b}"
tags: [a, b]
---
spring.config.activate.on-profile: nobody
spring:
  config:
    activate:
      on-profile: "dev, eu"
server: {port: 1}
from: document
`,
  'application-dev.yaml': 'server: {port: 2}\ntags: [c]\n',
  'application-eu.yaml': 'server: {name: laden}\n',
  'application-production.yaml': 'db: none\nlevel: 1\n',
  'application-proddb.yaml': 'db: pg\n',
  'application-prodmq.yaml': 'mq: nats\n',
  'application-default.yaml': 'only: default\n',
  'other.yaml': 'not: read\n',
}
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)

async function valueOf(profiles: readonly string[] | undefined, ...overrides: string[]): Promise<unknown> {
  const source = fromSpring(folder, profiles === undefined ? {} : { profiles })
  const environment = (name: string): string | undefined =>
    name === 'HOST_OF_CASES' ? 'shop.test' : undefined
  return (await compose({ source, config: 'config', overrides, environment })).value
}

const base = { server: { port: 8080, name: 'shop' }, url: 'http://shop.test:8080/a b', tags: ['a', 'b'] }

test('without a profile the one named default counts', async () => {
  expect(await valueOf(undefined)).toEqual({ ...base, only: 'default' })
})

test('a profile goes over the main file, its own file over its documents, and the last profile wins', async () => {
  expect(await valueOf(['dev', 'eu'])).toMatchObject({
    server: { port: 1, name: 'laden' },
    tags: ['c'],
    from: 'document',
    url: 'http://shop.test:1/a b',
  })
  expect(await valueOf(undefined, 'profile=[eu,dev]')).toMatchObject({ server: { port: 2, name: 'laden' } })
})

test('a group brings its members behind it', async () => {
  expect(await valueOf(['production'])).toEqual({ ...base, db: 'pg', mq: 'nats', level: 1 })
})

test('what cannot be told is refused with its file', () => {
  const refused = (text: string): unknown => {
    try {
      return importSpring(new Map([['application.yaml', text]]))
    } catch (error) {
      return isHydraConfigError(error) && `${error.code} ${error.message}`
    }
  }
  expect(refused('spring: {config: {activate: {on-profile: "a & b"}}}\n')).toBe(
    "CONFIG_INVALID application.yaml: spring.config.activate.on-profile must name profiles, not 'a & b'",
  )
  expect(refused('spring: {config: {import: "x.yaml"}}\n')).toMatch(/^CONFIG_INVALID .*import is not read/)
  expect(refused('- 1\n')).toMatch(/^CONFIG_INVALID application.yaml must hold an object/)
  expect(refused('a: [\n')).toMatch(/^YAML_INVALID application.yaml/)
})
