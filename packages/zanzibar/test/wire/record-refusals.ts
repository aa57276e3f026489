// Writes what OpenFGA says to every so manieth hostile request, for the test that has no OpenFGA at hand:
//   OPENFGA=path/to/openfga node --conditions=@loadbearing/source test/wire/record-refusals.ts
import { writeFileSync } from 'node:fs'
import { startOpenFga } from '../openfga.ts'
import { hostileRequests } from './hostile-bodies.ts'
import { recordedEvery } from './recorded-refusals.ts'
import { type Refusal, refusalOf } from './refusals.ts'

const peer = await startOpenFga()
if ('missing' in peer) throw new Error(peer.missing)
await using openFga = peer

const refusals: NonNullable<Refusal>[] = []
const indices = new Map<string, number>()
const of: number[] = []
let at = 0
for (const request of hostileRequests()) {
  if (at++ % recordedEvery !== 0) continue
  const refusal = await refusalOf(openFga.url, request)
  const key = JSON.stringify(refusal)
  if (refusal !== undefined && !indices.has(key)) indices.set(key, refusals.push(refusal) - 1)
  of.push(refusal === undefined ? -1 : (indices.get(key) ?? -1))
}
const lines = refusals.map((refusal) => `    ${JSON.stringify(refusal)}`)
writeFileSync(
  new URL('recorded-refusals.json', import.meta.url),
  `{\n  "refusals": [\n${lines.join(',\n')}\n  ],\n  "of": ${JSON.stringify(of)}\n}\n`,
)
console.log(`${of.length} requests, ${refusals.length} refusals`)
