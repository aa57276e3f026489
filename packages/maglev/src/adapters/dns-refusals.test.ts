import { simulate } from '@loadbearing/harness'
import { expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import { type DnsResolver, discoverDns } from './dns.ts'

test('what the target refuses keeps nothing else out, and is told once', () =>
  simulate({ runs: 1 }, async ({ clock, random }) => {
    let addresses = ['10.0.0.1', '10.0.0.2']
    const resolver: DnsResolver = {
      resolve4: () => Promise.resolve(addresses.map((address) => ({ address, ttl: 60 }))),
      resolve6: () => Promise.reject(new Error('not asked')),
      resolveSrv: () => Promise.reject(new Error('not asked')),
      cancel() {},
    }
    const lb = new Maglev(['10.0.0.3:80'])
    const ids = (): string[] => lb.backends.map(({ id }) => id).toSorted()
    await using found = discoverDns(
      lb,
      { name: 'web.test', type: 'A', port: 80 },
      { resolver, clock, random, jitter: 0 },
    )
    const told: string[] = []
    found.on('error', ({ error }) => told.push(isMaglevError(error) ? error.code : String(error)))
    await found.refresh()
    // One that discovery has added is taken out by hand, then leaves DNS as well, while another one comes.
    lb.remove('10.0.0.1:80')
    addresses = ['10.0.0.2', '10.0.0.4']
    await found.refresh()
    expect(told).toEqual(['UNKNOWN_BACKEND'])
    expect(ids()).toEqual(['10.0.0.2:80', '10.0.0.3:80', '10.0.0.4:80'])
    // One that somebody else has configured comes into DNS and stays there.
    addresses = ['10.0.0.2', '10.0.0.3', '10.0.0.5']
    for (let n = 0; n < 3; n++) await found.refresh()
    expect(told).toEqual(['UNKNOWN_BACKEND', 'DUPLICATE_BACKEND'])
    expect(ids()).toEqual(['10.0.0.2:80', '10.0.0.3:80', '10.0.0.5:80'])
    // Once it is free, it is discovery's.
    lb.remove('10.0.0.3:80')
    await found.refresh()
    expect(found.backends.toSorted()).toEqual(addresses.map((address) => `${address}:80`))
    addresses = ['10.0.0.2']
    await found.refresh()
    expect(ids()).toEqual(['10.0.0.2:80'])
    expect(told).toHaveLength(2)
  }))
